"""The work itself: one recording, one job. Runs in a process of its own, because the engine may abort it.

Whatever happens to the process, the row tells: an attempt is counted before the engine sees the sound, so a
recording that kills workers is parked after `TRIES` of them.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from hotline.clock import Clock
from hotline.errors import HotlineError
from transcription.engine import Engine, transcribe_file
from transcription.errors import ModelUnusable, SoundUnusable
from transcription.model import FINISHED, Order
from transcription.model_folder import digest
from transcription.ports import TranscriptStore
from transcription.segments import Punctuation

log = structlog.get_logger(__name__)

TRIES = 3
"""Attempts after which a recording is parked."""

Load = Callable[[Path], Engine]
FindModel = Callable[[], Path | None]


class GivenBack(HotlineError):
    """The worker is told to end: the job goes back, and the attempt does not count."""


class EngineKeeper:
    """Loads the model once, and again only when the folder holds another one."""

    def __init__(self, find: FindModel, load: Load) -> None:
        self._find, self._load = find, load
        self._engine: Engine | None = None

    def engine(self) -> Engine | None:
        """The engine with the present model; nothing when no model is installed.

        Raises:
            ModelUnusable: there is one, but it cannot be used.
        """
        folder = self._find()
        if folder is None:
            return None
        if self._engine is None or self._engine.identity.digest != digest(folder):
            self._engine = None  # the old one must be gone before the new one takes its memory
            self._engine = self._load(folder)
            log.info("speech model loaded", model=self._engine.identity.name, engine=self._engine.identity.engine)
        return self._engine


class Transcriber:
    """The handler of the job `transcribe`. Called with an `Order` as its payload, in one thread at a time."""

    def __init__(
        self,
        store: TranscriptStore,
        engines: EngineKeeper,
        data: Path,
        clock: Clock,
        rules: Punctuation,
        *,
        run: Callable[[Any], Any],
        ending: threading.Event,
    ) -> None:
        """`run` runs a coroutine of `store` to its end; when `ending` is set the job in hand is given back."""
        self._store, self._engines = store, engines
        self._data, self._clock, self._rules = data, clock, rules
        self._run, self._ending = run, ending

    def __call__(self, payload: Mapping[str, Any]) -> None:
        """Transcribe one recording and write its row. A second call for the same recording changes nothing.

        Raises:
            GivenBack: the worker ends.
            Exception: the attempt failed and another one shall follow.
        """
        order = msgspec.convert(payload, Order)
        begun = self._run(self._store.begin(order.recording, self._clock.now()))
        if begun is None or begun.state in FINISHED:
            return
        if begun.attempts > TRIES:
            self._park(order, f"Given up after {TRIES} attempts: the speech engine ended each time.")
            return
        try:
            self._transcribe(order)
        except GivenBack:
            self._wait_again(order, "The worker was told to end.", counts=False)
            raise
        except ModelUnusable as error:
            self._without_model(order, str(error))
        except Exception as error:
            self._failed(order, begun.attempts, error)
            if begun.attempts < TRIES:
                raise

    def _transcribe(self, order: Order) -> None:
        engine = self._engines.engine()
        if engine is None:
            self._without_model(order, "No speech model is installed.")
            return
        start = self._clock.monotonic()
        heard = transcribe_file(engine, self._file(order), order.channels, self._rules, self._check)
        took_ms = round((self._clock.monotonic() - start) * 1000)
        self._run(self._store.ready(order.recording, heard, engine.identity, took_ms, self._clock.now()))
        log.info("transcribed", recording=order.recording, call=order.call, took_ms=took_ms, of_ms=heard.duration_ms)

    def _file(self, order: Order) -> Path:
        file = (self._data / order.path).resolve()
        if not file.is_relative_to(self._data.resolve()):
            raise SoundUnusable("The recording lies outside the data folder.")
        return file

    def _check(self) -> None:
        if self._ending.is_set():
            raise GivenBack("The worker was told to end.")

    def _without_model(self, order: Order, reason: str) -> None:
        self._run(self._store.no_model(order.recording, reason, self._clock.now()))
        log.warning("not transcribed", recording=order.recording, call=order.call, reason=reason)

    def _failed(self, order: Order, attempts: int, error: Exception) -> None:
        """Only our own errors have a sentence that is fit for the row; of others it keeps the kind."""
        reason = str(error) if isinstance(error, HotlineError) else f"The worker failed: {type(error).__name__}."
        log.warning("transcription failed", recording=order.recording, attempts=attempts, reason=reason)
        if attempts >= TRIES:
            self._park(order, f"Given up after {TRIES} attempts: {reason}")
        else:
            self._wait_again(order, reason, counts=True)

    def _park(self, order: Order, reason: str) -> None:
        self._run(self._store.park(order.recording, reason, self._clock.now()))
        log.error("transcription parked", recording=order.recording, call=order.call, reason=reason)

    def _wait_again(self, order: Order, reason: str, *, counts: bool) -> None:
        self._run(self._store.wait_again(order.recording, reason, self._clock.now(), counts=counts))
