"""One worker process: takes jobs until it is told to end, has done its share, or is left alone by its parent.

It lowers its own priority: live calls come first. Its parent (`transcription.pool`) starts a fresh one after it, so
memory that the engine does not give back is given back.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from hotline.clock import Clock, SystemClock
from hotline.jobs import HueyJobs, redis_huey, sqlite_huey
from hotline.log import set_up
from hotline.parent import end_with
from hotline.settings import Settings
from hotline.sql import connect
from hotline.workers import JobRules, consumer
from transcription.engines import open_engine
from transcription.model_folder import find_model
from transcription.segments import default_punctuation
from transcription.service import JOB
from transcription.store_sql import SqlTranscripts
from transcription.worker import EngineKeeper, Transcriber

log = structlog.get_logger(__name__)

_NICE = 10


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How long one process works, and how patient it is with jobs; times in seconds."""

    jobs: int = 200
    """Jobs after which a fresh process takes over."""
    tries: int = 5
    """More than the attempts that a transcript allows: what is parked is parked there, with its reason."""
    pause_s: float = 5.0
    beat_s: float = 4.0
    lost_after_s: float = 20.0
    sweep_s: float = 5.0

    def rules(self) -> JobRules:
        return JobRules(
            tries=self.tries,
            pause=timedelta(seconds=self.pause_s),
            beat=timedelta(seconds=self.beat_s),
            lost_after=timedelta(seconds=self.lost_after_s),
            sweep=timedelta(seconds=self.sweep_s),
        )


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What a parent tells a worker process through its standard input."""

    settings: dict[str, Any]
    share: Share
    parent: int
    """Process id of the parent."""


def open_jobs(settings: Settings, clock: Clock) -> HueyJobs:
    """The queue that the service fills and the workers empty: Redis, or a file of the data folder."""
    return HueyJobs(redis_huey(settings.redis_url) if settings.redis_url else sqlite_huey(job_file(settings)), clock)


def job_file(settings: Settings) -> Path:
    """Where embedded jobs are kept."""
    return settings.data / "jobs.db"


def main() -> None:
    """Read the errand from standard input and work."""
    errand = msgspec.json.decode(sys.stdin.buffer.read(), type=Errand)
    end_with(errand.parent)
    os.nice(_NICE)
    settings = Settings(**errand.settings)
    set_up(is_json=settings.log_json)
    work(settings, errand.share)


def work(settings: Settings, share: Share) -> None:
    """Do jobs until SIGTERM, SIGINT, or the end of the share. The job in hand is given back at once on a signal."""
    clock, ending, done = SystemClock(), threading.Event(), threading.Event()

    def end(*_: object) -> None:
        ending.set()
        done.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    jobs = open_jobs(settings, clock)
    with asyncio.Runner() as runner:
        database = connect(settings.sqlalchemy_url)
        try:
            transcriber = Transcriber(
                SqlTranscripts(database),
                EngineKeeper(partial(find_model, settings), partial(open_engine, settings.speech_engine)),
                settings.data,
                clock,
                default_punctuation(),
                run=runner.run,
                ending=ending,
            )
            _consume(jobs, _Counted(transcriber, share.jobs, done), share, done)
        finally:
            runner.run(database.close())
            runner.run(jobs.close())
    log.info("worker ends", told=ending.is_set())


class _Counted:
    """A handler that sets `done` after its share of jobs."""

    def __init__(self, handler: Transcriber, most: int, done: threading.Event) -> None:
        self._handler, self._left, self._done = handler, most, done

    def __call__(self, payload: Mapping[str, Any]) -> None:
        try:
            self._handler(payload)
        finally:
            self._left -= 1
            if self._left <= 0:
                self._done.set()


def _consume(jobs: HueyJobs, handler: _Counted, share: Share, done: threading.Event) -> None:
    """Jobs are done in a thread of the consumer; this one sweeps meanwhile and takes the signals."""
    workers = consumer(jobs, {JOB: handler}, rules=share.rules())
    workers.start()
    try:
        while not done.wait(share.sweep_s):
            try:
                workers.sweep()
            except Exception as error:  # noqa: BLE001 - the storage may be away; the next sweep asks again
                log.warning("lost jobs cannot be looked for", reason=str(error))
    finally:
        workers.stop()
