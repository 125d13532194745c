"""Every task has an owner: background work that is started, watched, and ended together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Tasks:
    """Owns background tasks for the length of an `async with` block; leaving it cancels and awaits them all."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Tasks":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        while self._tasks:
            running = list(self._tasks)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run `work` once; a failure is logged with the task's name and ends only that task."""
        task = asyncio.create_task(self._guarded(work, name), name=f"{self._name}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # a task that was cancelled before its first step never ran it
        return task

    def keep(self, work: Callable[[], Awaitable[None]], name: str, pause_s: float = 1.0) -> asyncio.Task[None]:
        """Run `work` again and again, `pause_s` seconds apart, whatever it raises."""
        return self.start(self._again(work, name, pause_s), name)

    async def _guarded(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("task failed", owner=self._name, task=name)

    async def _again(self, work: Callable[[], Awaitable[None]], name: str, pause_s: float) -> None:
        while True:
            try:
                await work()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("task round failed", owner=self._name, task=name)
            await asyncio.sleep(pause_s)
