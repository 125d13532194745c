"""Keeps the process that listens alive, from the first command on; after one that dies another follows, with patience.

Nothing here waits for it: what it is told while it is away is told again by who follows its starts.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable

import msgspec
import structlog

from hotline.parent import child_environment
from hotline.settings import Settings
from transcription.live.model import AnyCommand, AnyNews, Beat
from transcription.live.process import Errand

log = structlog.get_logger(__name__)

_CODE = "from transcription.live.process import main; main()"
_LONGEST_LINE = 1 << 20
_MOST_UNREAD = 1 << 20
"""Bytes of commands that it has not taken: it hangs."""
HANG_S = 180.0
"""So long without a word, and it hangs. The biggest published model loads within a minute from a slow disk."""
_SHORTEST_LIFE_S = 60.0
_LONGEST_PAUSE_S = 60.0

_encode = msgspec.json.Encoder().encode
_told = msgspec.json.Decoder(AnyNews | Beat)


class Child:
    """One process at a time. `run` is a task's coroutine: cancelling it ends the process."""

    def __init__(self, settings: Settings, *, heard: Callable[[AnyNews], None], born: Callable[[], None],
                 died: Callable[[], None]) -> None:  # fmt: skip
        """`born`: a process is there and knows nothing yet; `died`: it is gone."""
        self._settings = settings
        self._heard, self._born, self._died = heard, born, died
        self._wanted = asyncio.Event()
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Of the process that lives; 0 when none does."""
        return 0 if self._process is None else self._process.pid

    def tell(self, command: AnyCommand) -> None:
        """Tell the process, if there is one; otherwise one is wanted."""
        self._wanted.set()
        pipe = None if self._process is None else self._process.stdin
        if pipe is None or pipe.is_closing():
            return
        if pipe.transport.get_write_buffer_size() > _MOST_UNREAD:
            self._kill()
            return
        pipe.write(_encode(command) + b"\n")

    async def run(self) -> None:
        """Keep it alive until cancelled."""
        clock, pause = asyncio.get_running_loop().time, 0.0
        await self._wanted.wait()
        while True:
            started, code = clock(), -1
            try:
                code = await self._live()
            except OSError as error:
                log.error("the listening process cannot be started", reason=error.strerror)  # noqa: TRY400
            pause = min(pause * 2 + 1, _LONGEST_PAUSE_S) if clock() - started < _SHORTEST_LIFE_S else 1.0
            log.error("listening process ended", code=code, pause_s=pause)
            await asyncio.sleep(pause)

    async def _live(self) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _CODE, stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE, env=child_environment(),
            start_new_session=True,
        )  # fmt: skip
        try:
            await self._listen_to(process)
        finally:
            self._process = None
            self._died()
            await _end(process)
        return process.returncode or 0

    async def _listen_to(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - they are pipes
        settings = self._settings.model_dump(mode="json")
        process.stdin.write(_encode(Errand(settings=settings, parent=os.getpid())) + b"\n")
        self._process = process
        self._born()
        try:
            while line := await asyncio.wait_for(process.stdout.readline(), HANG_S):
                self._take(line)
        except TimeoutError:
            self._kill()
        except ValueError:
            log.warning("the listening process told more than a line can hold")

    def _take(self, line: bytes) -> None:
        try:
            news = _told.decode(line)
            if not isinstance(news, Beat):
                self._heard(news)
        except msgspec.DecodeError:
            log.warning("the listening process told something that is no news")
        except Exception:
            log.exception("news of a talk not taken")

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            log.error("the listening process hangs and is ended")
            self._process.kill()


async def _end(process: Process) -> None:
    """At once: nothing of it is to be kept."""
    if process.returncode is None:
        process.kill()
        await process.wait()
