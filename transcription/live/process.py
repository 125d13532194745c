"""The process that listens to talks while they go on. It reads commands and tells news, one JSON value on a line each.

It loads the model once, with the first track. Half of the machine's processors listen, at a lower priority than calls
and a higher one than the archive's workers. When the engine breaks it down, its parent starts another one.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO

import msgspec
import structlog

from hotline.errors import HotlineError, Unavailable
from hotline.log import set_up
from hotline.parent import end_with
from hotline.settings import Settings
from transcription.engines import open_engine
from transcription.errors import ModelUnusable
from transcription.live.ear import Ear
from transcription.live.model import AnyCommand, AnyNews, Beat, Follow, Hush, Leave, Left, Unusable, Using
from transcription.model_folder import find_model
from transcription.normalise import default_rules
from transcription.segments import default_punctuation
from transcription.worker import EngineKeeper

log = structlog.get_logger(__name__)

ROUND_S = 0.2
"""How often the tracks are looked at; they grow every two seconds."""
BEAT_S = 10.0
STEPS = 4
"""Seconds of sound that one track may have before others have their turn."""
_NICE = 5

_commands = msgspec.json.Decoder(AnyCommand)
_encode = msgspec.json.Encoder().encode


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """The first line that the parent writes."""

    settings: dict[str, Any]
    parent: int


def main() -> None:
    """Work until the parent closes the pipe or is gone."""
    errand = msgspec.json.decode(sys.stdin.buffer.readline(), type=Errand)
    end_with(errand.parent)
    os.nice(_NICE)
    settings = Settings(**errand.settings)
    told = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints is no news
    set_up(is_json=settings.log_json)
    keeper = EngineKeeper(partial(find_model, settings), partial(open_engine, settings.speech_engine))
    commands: SimpleQueue[AnyCommand | None] = SimpleQueue()
    threading.Thread(target=_take_in, args=(sys.stdin.buffer, commands), daemon=True).start()
    Listener(keeper, told).work(commands)
    os._exit(0)  # what is in the middle of a step is of no use to anybody


def _take_in(source: BinaryIO, commands: "SimpleQueue[AnyCommand | None]") -> None:
    for line in source:
        commands.put(_commands.decode(line))
    commands.put(None)


class Listener:
    """All tracks that are listened to."""

    def __init__(self, keeper: EngineKeeper, told: BinaryIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._keeper, self._clock = keeper, clock
        self._told, self._telling = told, threading.Lock()
        self._ears: dict[int, Ear] = {}
        self._busy: dict[int, Future[None]] = {}
        self._threads = ThreadPoolExecutor(max((os.cpu_count() or 1) // 2, 1), thread_name_prefix="ear")

    def work(self, commands: "SimpleQueue[AnyCommand | None]") -> None:
        """Do what is told until nothing more comes."""
        due = beat = self._clock()
        while True:
            now = self._clock()
            if now >= beat:
                self.tell(Beat())
                beat = now + BEAT_S
            if self._ears and now >= due:
                self.round()
                due = now + ROUND_S
            try:
                command = commands.get(timeout=max((min(due, beat) if self._ears else beat) - self._clock(), 0.0))
            except Empty:
                continue
            if command is None:
                return
            self.take(command)

    def take(self, command: AnyCommand) -> None:
        """Perform one command; what concerns a track that is not there is no matter."""
        match command:
            case Follow():
                self._follow(command)
            case Hush(track=track, from_ms=from_ms, to_ms=to_ms):
                if (ear := self._ears.get(track)) is not None:
                    ear.hush(from_ms, to_ms)
            case Leave(track=track):
                if (ear := self._ears.get(track)) is not None:
                    ear.leave(self._clock())

    def round(self) -> None:
        """Let every track that grew be listened to."""
        self._busy = {track: future for track, future in self._busy.items() if not future.done()}
        self._ears = {track: ear for track, ear in self._ears.items() if not ear.is_over or track in self._busy}
        now = self._clock()
        for track, ear in self._ears.items():
            if track not in self._busy and not ear.is_over and ear.has_work(now):
                self._busy[track] = self._threads.submit(self._step, ear)

    def _follow(self, follow: Follow) -> None:
        try:
            engine = self._keeper.engine()
        except ModelUnusable as error:
            self.tell(Unusable(reason=str(error)))
            engine = None
        if engine is None:
            self.tell(Left(track=follow.track, failed=True))
            return
        self.tell(Using(model=engine.identity))
        self._ears[follow.track] = Ear(follow, engine, default_punctuation(), default_rules(), self.tell)

    def _step(self, ear: Ear) -> None:
        """Some seconds of sound; a track that cannot be listened to is left, the others go on."""
        try:
            for _ in range(STEPS):
                if not ear.is_over and ear.has_work(self._clock()):
                    ear.step(self._clock())
        except (HotlineError, OSError) as error:
            reason = str(error) if isinstance(error, Unavailable) else type(error).__name__
            log.warning("track not listened to", reason=reason)
            ear.close(failed=True)

    def tell(self, news: AnyNews | Beat) -> None:
        """Tell the parent; may be called by every thread."""
        with self._telling:
            self._told.write(_encode(news) + b"\n")
