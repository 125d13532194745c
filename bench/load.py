"""The load on one SIP server: citizens by sipp, seats by the farm, and who used how much CPU meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SCENARIO = Path(__file__).parent / "sipp" / "citizen.xml"
TICKS = os.sysconf("SC_CLK_TCK")


class Farm:
    """`bench.seatfarm` as a process."""

    def __init__(
        self, *, port: int, sip: int, ring: float, talk: float, spread: str, accounts: Path | None, media: int = 0,
        every: float = 0.02,
    ) -> None:  # fmt: skip
        self._command: list[str] = [sys.executable, "-m", "bench.seatfarm", "--port", str(port)]
        self._command += ["--server", f"127.0.0.1:{sip}", "--ring", str(ring), "--talk", str(talk), "--spread", spread]
        self._command += [
            "--media",
            str(media),
            "--every",
            str(every),
            *(["--accounts", str(accounts)] if accounts else []),
        ]
        self._process: subprocess.Popen[str] | None = None
        self.counters: dict[str, Any] = {}

    def __enter__(self) -> "Farm":
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        if self._process.stdout is None or self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("the seats' phones could not register")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            out = self._process.communicate(timeout=20)[0]
            self.counters = json.loads(out or "{}")


class Citizens:
    """sipp: `rate` calls a second, at most `at_once` together, `total` in all (0: until ended). What they hear they
    send back, so that there is as much voice as the seats and the music make."""

    def __init__(
        self, *, sip: int, port: int, media: int, number: str, rate: float, at_once: int, total: int = 0
    ) -> None:
        self._command = [
            "sipp", f"127.0.0.1:{sip}", "-sf", str(SCENARIO), "-s", number, "-i", "127.0.0.1", "-p", str(port),
            "-mp", str(media), "-rtp_echo", "-r", str(rate), "-l", str(at_once), "-m", str(total or 1_000_000),
            "-nostdin", "-recv_timeout", "120000",
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Citizens":
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, stdin=quiet, stdout=quiet, stderr=quiet)
        return self

    def wait(self, seconds: float) -> int:
        """Until every call is over; sipp's exit code (0: none failed)."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.wait(seconds)

    def __exit__(self, *_: object) -> None:
        """No new calls; those that live end as they would."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGUSR1)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time that the processes have used since their start."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


class Used:
    """CPU time and wall time of a `with` block."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self.seconds = 0.0
        self.window = (0.0, 0.0)

    def __enter__(self) -> "Used":
        self._before, self._began = cpu_seconds(self._pids), time.time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = cpu_seconds(self._pids) - self._before
        self.window = (self._began, time.time())
