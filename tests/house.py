"""The whole hotline as its users start it: `hotline serve` as a process, its API, its seats' phones, its citizens."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx

from telephony.identity import free_tcp_port
from telephony.softphone import Account
from tests.asterisk_node import free_rtp_ports, free_udp_port
from tests.phones import Citizen, Manners, SeatPhone, eventually

ROOT = Path(__file__).parent.parent
START_S = 120.0


class Server:
    """`hotline serve` of one data folder."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.sip = ("127.0.0.1", free_udp_port())
        self.http_port = free_tcp_port()
        self.environment = {
            **os.environ,
            "HOTLINE_DATA": str(data),
            "HOTLINE_SIP_PORT": str(self.sip[1]),
            "HOTLINE_HTTP_PORT": str(self.http_port),
            "HOTLINE_RTP_PORTS": free_rtp_ports(),
            "HOTLINE_WRAP_UP_SECONDS": "0",
            "HOTLINE_RATING": "0",
            "HOTLINE_DEMO": "1",
            "HOTLINE_LIVE_TRANSCRIPTS": "0",
            **(environment or {}),
        }
        self._process: subprocess.Popen[str] | None = None
        self._tokens: dict[str, str] = {}
        self.lines: list[str] = []
        """What it printed."""

    # The process

    def start(self) -> Self:
        """Start, or start again, and wait until it says that it is ready."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"], cwd=ROOT, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        before = len(self.lines)
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        eventually(lambda: self._is_ready(before), "the hotline is ready", START_S)
        return self

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip("\n"))
        process.stdout.close()

    def _is_ready(self, before: int) -> bool:
        assert self.process.poll() is None, "the hotline ended:\n" + "\n".join(self.lines[-40:])
        return any(line.startswith("READY") for line in self.lines[before:])

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._process is not None, "not started"
        return self._process

    def kill(self) -> None:
        """As a crash would. Asterisk lives on."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """As Ctrl-C does; its exit code."""
        if self._process is None or self._process.poll() is not None:
            return -1
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30)

    @property
    def asterisk_pid(self) -> int:
        return int(self.get("/api/v1/system", role="administrator")["asterisk"]["pid"])

    # The API

    def command(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """`hotline WORDS` on the same data folder."""
        return subprocess.run(
            [sys.executable, "-m", "app", *words], cwd=ROOT, env=self.environment, text=True, capture_output=True,
            timeout=60, check=check,
        )  # fmt: skip

    def token(self, role: str) -> str:
        if role not in self._tokens and role == "administrator":
            shown = self.command("token", "--role", role, "--json")
            self._tokens[role] = json.loads(shown.stdout)["token"]
        elif role not in self._tokens:
            made = self.post("/api/v1/tokens", {"name": role, "roles": [role], "days": 1}, role="administrator")
            self._tokens[role] = made["token"]
        return self._tokens[role]

    def ask(self, method: str, path: str, *, role: str = "supervisor", **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token(role)}", **options.pop("headers", {})}
        url = f"http://127.0.0.1:{self.http_port}{path}"
        return httpx.request(method, url, headers=headers, timeout=10, **options)

    def get(self, path: str, *, role: str = "supervisor") -> Any:
        answer = self.ask("GET", path, role=role)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: object = None, *, role: str = "supervisor") -> Any:
        answer = self.ask("POST", path, role=role, json=body if body is not None else {})
        assert answer.status_code < 300, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    # What people see

    def seat_state(self, seat: str) -> str:
        seats = self.get("/api/v1/seats?limit=200")["items"]
        return next((str(one["state"]) for one in seats if one["seat"] == seat and one["state"]), "")

    def is_at_work(self, seat: str) -> bool:
        """Whether somebody is signed in there and the phone is registered: a call that waits may ring there already."""
        return self.seat_state(seat) not in ("", "unreachable")

    def calls(self, *, live: bool = False) -> list[dict[str, Any]]:
        """Newest first."""
        items: list[dict[str, Any]] = self.get(f"/api/v1/calls?limit=200&live={'true' if live else 'false'}")["items"]
        return items

    def tickets(self) -> list[dict[str, Any]]:
        """Newest first."""
        items: list[dict[str, Any]] = self.get("/api/v1/tickets?limit=200")["items"]
        return items

    def wait_call(self, phase: str, count: int = 1, timeout: float = 20.0) -> list[dict[str, Any]]:
        """Wait until `count` calls are in a phase."""
        found: list[dict[str, Any]] = []

        def reached() -> bool:
            found[:] = [call for call in self.calls() if call["phase"] == phase]
            return len(found) >= count

        eventually(reached, f"{count} calls are {phase}: {[call['phase'] for call in self.calls()]}", timeout)
        return found

    def wait_ticket(self, *, transcribed: bool = False, count: int = 1, timeout: float = 40.0) -> list[dict[str, Any]]:
        """Wait until there are `count` tickets (with their transcripts)."""
        found: list[dict[str, Any]] = []

        def reached() -> bool:
            found[:] = [one for one in self.tickets() if one["transcript"] or not transcribed]
            return len(found) >= count

        eventually(reached, "the ticket is there" + (" with its transcript" if transcribed else ""), timeout)
        return found

    # Phones

    @contextmanager
    def seat(self, number: str = "8001", manners: Manners | None = None) -> Iterator[SeatPhone]:
        """A seat: signed in through the API, its phone registered."""
        sip = self.post(f"/api/v1/seats/{number}/sign-in")["sip"]
        account = Account(sip["username"], sip["secret"])
        with SeatPhone(self.sip, account, manners) as phone:
            eventually(lambda: self.is_at_work(number), f"seat {number} is at work", 10)
            yield phone

    def citizen(self, number: str = "13912345678") -> Citizen:
        return Citizen(self.sip, number)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        end_asterisk(self.data)


def end_asterisk(data: Path) -> None:
    """Nothing of a test outlives it, even when the hotline was killed: end the Asterisk of this folder."""
    for name in Path("/proc").iterdir():
        if not name.name.isdigit():
            continue
        try:
            line = (name / "cmdline").read_bytes()
        except OSError:
            continue
        if str(data / "asterisk").encode() in line and b"asterisk.conf" in line:
            os.kill(int(name.name), signal.SIGKILL)
            deadline = time.monotonic() + 5
            while name.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
