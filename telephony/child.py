"""A process that outlives us: started in a session of its own, recognised again by pid and start time, ended by pid.

Knows /proc and signals, nothing of Asterisk.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec

_POLL_S = 0.1


class Child(msgspec.Struct, frozen=True):
    """One process, named so that a recycled pid is never taken for it."""

    pid: int
    started: int
    """Clock ticks after boot at which it started (/proc/PID/stat field 22)."""
    boot: str
    """Which boot of the machine."""

    def alive(self) -> bool:
        """Is it still there? A zombie of ours is reaped and counts as gone."""
        state, started = _state_and_start(self.pid)
        if started != self.started or self.boot != _boot_id():
            return False
        if state in "ZX":
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def gone(self) -> None:
        """Wait until it is no more; it need not be our child."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:  # it is gone already, or this kernel has no such handles: look now and then
            while self.alive():  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(_POLL_S)
            return
        try:
            while self.alive():  # once more after the handle was opened: the number may be somebody else's by now
                await _readable(handle)
        finally:
            os.close(handle)

    async def end(self, patience_s: float) -> bool:
        """SIGTERM, and after `patience_s` seconds SIGKILL; says whether it went by itself."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self.gone()
                return number is signal.SIGTERM
        return False


async def _readable(handle: int) -> None:
    """Wait until a process handle says that its process has ended."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)


def launch(command: Sequence[str], output: Path) -> Child:
    """Start `command` in a session of its own, its output appended to the file `output` (0600).

    Raises:
        OSError: it cannot be executed.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        command[0],
        list(command),
        {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},  # nothing of our environment: it may hold secrets
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(output), append, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return Child(pid, _state_and_start(pid)[1], _boot_id())


def recognise(pid: int, argument: str) -> Child | None:
    """The process `pid`, if `argument` is one of its command line's."""
    with contextlib.suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if argument.encode() in line:
            return Child(pid, _state_and_start(pid)[1], _boot_id())
    return None


def _state_and_start(pid: int) -> tuple[str, int]:
    """Fields 3 and 22 of /proc/PID/stat; `("X", -1)` for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return "X", -1
    fields = text.rpartition(")")[2].split()  # the name before may hold spaces and brackets; field 3 comes first
    return fields[0], int(fields[19])


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
