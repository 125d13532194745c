"""Where the blocking work on recordings is done: in threads of this process, or in a process of its own.

A process keeps that work, which grows with the length of calls, away from the interpreter that connects callers. It
is started with the first recording, ends with the process that started it, however that one ends, and is started
again when it dies: what it held is free then, and what it had begun is begun anew.
"""

import asyncio
import itertools
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from hotline.errors import Unavailable
from hotline.parent import child_environment
from recordings.store_files import RecordingFiles
from recordings.workbench import Done, Order, Workbench

log = structlog.get_logger(__name__)

_CODE = "from recordings.workshop_process import main; main()"
PATIENCE_S = 900.0
"""Longest time for one order: sixteen calls of hours on a slow disk."""
END_S = 5.0


class Gone(Unavailable):
    """The process that works on recordings died over an order; nobody knows over which recording."""


class Workshop(Protocol):
    """Does what a `Workbench` does, without blocking."""

    async def do(self, order: Order) -> dict[str, Done]:
        """What became of each recording, by its id.

        Raises:
            Gone: of all of them nobody knows.
        """
        ...

    async def close(self) -> None:
        """End it. What it had begun is begun anew by the next one."""
        ...


class Threads:
    """In this process."""

    def __init__(self, files: RecordingFiles) -> None:
        self._bench = Workbench(files)

    async def do(self, order: Order) -> dict[str, Done]:
        return await asyncio.to_thread(self._bench.do, order)

    async def close(self) -> None: ...


class Job(msgspec.Struct, frozen=True):
    """An order on its way to the process."""

    number: int
    order: Order


class Report(msgspec.Struct, frozen=True):
    """What comes back."""

    number: int
    done: dict[str, Done]


class Start(msgspec.Struct, frozen=True):
    """What the process has to know: the recordings' folder, and who started it."""

    root: str
    parent: int
    log_json: bool


class ChildProcess:
    """A process of its own, for the recordings below `root`; `log_json`: how it logs to standard error."""

    def __init__(self, root: Path, *, log_json: bool = False) -> None:
        self._root, self._log_json = root.absolute(), log_json
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Done]]] = {}
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id while it lives."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def do(self, order: Order) -> dict[str, Done]:
        """See `Workshop.do`."""
        process = await self._running()
        number, answer = next(self._numbers), asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            _send(process, Job(number, order))
            async with asyncio.timeout(PATIENCE_S):
                found: dict[str, Done] = await answer
                return found
        except TimeoutError as error:
            process.kill()
            raise Gone("The process that works on recordings did not answer and was ended.") from error
        finally:
            self._asked.pop(number, None)

    async def close(self) -> None:
        """See `Workshop.close`."""
        self._closed = True
        process, reading = self._process, self._reading
        if process is None or reading is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(END_S):
                await asyncio.shield(reading)
        except TimeoutError:
            process.kill()
            await reading

    async def _running(self) -> Process:
        async with self._starting:
            if self._closed:
                raise Gone("The process that works on recordings was ended; the next start closes them.")
            if self._process is None or self._reading is None or self._reading.done():
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", _CODE, stdin=PIPE, stdout=PIPE, env=child_environment(),
                    start_new_session=True,
                )  # fmt: skip
                _send(self._process, Start(str(self._root), os.getpid(), self._log_json))
                self._reading = asyncio.create_task(self._read(self._process), name="recordings' workshop")
            return self._process

    async def _read(self, process: Process) -> None:
        """Hand out reports until the process ends."""
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            while True:
                size = int.from_bytes(await process.stdout.readexactly(4))
                report = msgspec.json.decode(await process.stdout.readexactly(size), type=Report)
                if (answer := self._asked.get(report.number)) is not None and not answer.done():
                    answer.set_result(report.done)
        except asyncio.IncompleteReadError:
            pass
        finally:
            code = await process.wait()
            if code or self._asked:
                log.error("the process that works on recordings ended", code=code, orders=len(self._asked))
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(Gone("The process that works on recordings ended; closing is tried again."))


def _send(process: Process, message: Job | Start) -> None:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    process.stdin.write(framed(message))


def framed(message: msgspec.Struct) -> bytes:
    """A message with its length before it, as both sides send it."""
    body = msgspec.json.encode(message)
    return len(body).to_bytes(4) + body
