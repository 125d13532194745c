"""Keeps worker processes alive: starts them, starts another when one ends or dies, ends them all together."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process

import msgspec
import structlog

from hotline.parent import child_environment
from hotline.settings import Settings
from transcription.process import Errand, Share

log = structlog.get_logger(__name__)

_CODE = "from transcription.process import main; main()"
_SHORTEST_LIFE_S = 5.0
_LONGEST_PAUSE_S = 30.0
_PATIENCE_S = 5.0
"""A worker breaks off within a second of sound; then it is ended."""


def run_worker(settings: Settings, share: Share | None = None) -> None:
    """`hotline serve --role worker`: keep the worker processes of this machine until SIGTERM or SIGINT."""
    asyncio.run(_until_signal(WorkerPool(settings, share)))


class WorkerPool:
    """`settings.workers` processes (at least one). `run` is a task's coroutine: cancelling it ends them all."""

    def __init__(self, settings: Settings, share: Share | None = None) -> None:
        self._settings, self._share = settings, share or Share()
        self._processes: dict[int, Process] = {}

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that live."""
        return tuple(process.pid for process in self._processes.values() if process.returncode is None)

    async def run(self) -> None:
        """Keep them alive until cancelled."""
        async with asyncio.TaskGroup() as keepers:
            for number in range(max(self._settings.workers, 1)):
                keepers.create_task(self._keep(number), name=f"worker {number}")

    async def _keep(self, number: int) -> None:
        """Whatever a worker dies of, another one follows; soon, if it lived long enough."""
        clock, pause = asyncio.get_running_loop().time, 0.0
        while True:
            started = clock()
            code = await self._live(number)
            brief = code != 0 and clock() - started < _SHORTEST_LIFE_S
            pause = min(pause * 2 + 1, _LONGEST_PAUSE_S) if brief else 0.0
            (log.info if code == 0 else log.error)("worker ended", number=number, code=code, pause_s=pause)
            await asyncio.sleep(pause)

    async def _live(self, number: int) -> int:
        """One process from its start to its end; returns its exit code, negative for a signal."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _CODE, stdin=PIPE, env=child_environment(), start_new_session=True
        )  # a session of its own: Ctrl-C in the terminal is for us, and we end the worker
        self._processes[number] = process
        try:
            await process.communicate(self._errand())
            return process.returncode or 0
        finally:
            await _end(process)

    def _errand(self) -> bytes:
        settings = self._settings.model_dump(mode="json")
        return msgspec.json.encode(Errand(settings=settings, share=self._share, parent=os.getpid()))


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _until_signal(pool: WorkerPool) -> None:
    running = asyncio.create_task(pool.run(), name="workers")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        log.info("workers ended")
