"""The worker process's side of jobs: perform, beat while performing, try again later, find what others lost.

It knows names and payloads of jobs, not what they mean: handlers are given to it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from hotline.jobs import HueyJobs, JobRecord, JobState, turn_key

log = structlog.get_logger(__name__)

Handler = Callable[[Mapping[str, Any]], None]
"""Does the work of one kind of job, in a worker's thread. It may be called again for the same payload."""


@dataclass(frozen=True, slots=True)
class JobRules:
    """How patient workers are."""

    tries: int = 4
    """Failures (and losses) after which a job is parked."""
    pause: timedelta = timedelta(seconds=10)
    """Wait after the first failure; doubled after each further one."""
    beat: timedelta = timedelta(seconds=5)
    """How often a worker says that it still works on its job."""
    lost_after: timedelta = timedelta(seconds=30)
    """A job without a beat for so long is lost, and so is a message that nobody sees in the queue."""
    sweep: timedelta = timedelta(seconds=15)
    """How often lost jobs are looked for."""


def consumer(
    jobs: HueyJobs, handlers: Mapping[str, Handler], *, threads: int = 1, rules: JobRules | None = None
) -> "JobConsumer":
    """The loop of a worker process: `consumer(...).run()` returns after SIGTERM (the job in hand is finished)."""
    return JobConsumer(jobs, dict(handlers), threads, rules or JobRules())


@dataclass(slots=True)
class JobConsumer:
    """Performs jobs until it is told to stop."""

    jobs: HueyJobs
    handlers: Mapping[str, Handler]
    threads: int
    rules: JobRules
    _huey: Any = field(init=False)
    _sweeper: threading.Thread = field(init=False)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.jobs.perform = self.perform
        self._sweeper = threading.Thread(target=self._sweep_again, name="sweep jobs", daemon=True)
        self._huey = self.jobs.huey.create_consumer(
            workers=self.threads,
            periodic=False,
            max_delay=0.5,
            worker_type="thread",
            graceful_signal="TERM",
        )

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; called in a process's main thread."""
        self._sweeper.start()
        try:
            self._huey.run()
        finally:
            self._stopped.set()
            self._sweeper.join()

    def start(self) -> None:
        """Work in threads of a process that has a loop of its own (tests, all roles in one)."""
        self._sweeper.start()
        self._huey.scheduler.start()
        for _, thread in self._huey.worker_threads:
            thread.start()

    def stop(self) -> None:
        """End what `start` began, after the job in hand."""
        self._stopped.set()
        self._huey.stop_flag.set()
        for thread in (self._sweeper, self._huey.scheduler, *(thread for _, thread in self._huey.worker_threads)):
            thread.join()

    def perform(self, key: str, turn: int) -> None:
        """Do one job; its message says which turn it is."""
        record = self.jobs.get(key)
        if record is None or record.turn != turn or record.state is JobState.PARKED:
            return
        record = self._touched(record, JobState.RUNNING)
        try:
            with _Beat(lambda: self._beat(record), self.rules.beat):
                self.handlers[record.name](record.payload)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises counts as one failure
            self._failed(record, error)
        else:
            self.jobs.forget(record)
            log.info("job done", job=record.name, key=key)

    def sweep(self) -> None:
        """Queue again what was lost with a worker or on the way to the queue."""
        now = self.jobs.now()
        queued: set[str] | None = None
        for record in self.jobs.all_records():
            if record.state is JobState.PARKED or now - record.seen < self.rules.lost_after.total_seconds():
                continue
            if record.state is JobState.WAITING:
                queued = queued if queued is not None else self._queued()
                if record.key in queued:
                    continue
            self._recover(record)

    def _sweep_again(self) -> None:
        while not self._stopped.wait(self.rules.sweep.total_seconds()):
            try:
                self.sweep()
            except Exception as error:  # noqa: BLE001 - the storage may be away; the next sweep asks again
                log.warning("lost jobs cannot be looked for", reason=str(error))

    def _queued(self) -> set[str]:
        huey = self.jobs.huey
        messages: Iterable[Any] = (*huey.pending(), *huey.scheduled())
        return {str(message.args[0]) for message in messages}

    def _recover(self, record: JobRecord) -> None:
        turn = record.turn + 1
        if not self.jobs.huey.put_if_empty(turn_key(record.key, turn), self.jobs.now()):
            taken = self.jobs.huey.get(turn_key(record.key, turn), peek=True)
            if taken is None or self.jobs.now() - float(taken) < self.rules.lost_after.total_seconds():
                return
            # Whoever took this turn died before sending it; the key is freed for the next sweep.
            self.jobs.huey.delete(turn_key(record.key, turn))
            return
        log.warning("lost job queued again", job=record.name, key=record.key, was=record.state.value)
        tries = record.tries + (record.state is JobState.RUNNING)
        again = msgspec.structs.replace(record, turn=turn, tries=tries, error="its worker vanished")
        self._send(again, delay_s=0)

    def _failed(self, record: JobRecord, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"[:500]
        failed = msgspec.structs.replace(record, tries=record.tries + 1, error=reason)
        log.warning("job failed", job=record.name, key=record.key, tries=failed.tries, reason=reason)
        self._send(failed, delay_s=self.rules.pause.total_seconds() * 2 ** (failed.tries - 1))

    def _send(self, record: JobRecord, delay_s: float) -> None:
        if record.tries >= self.rules.tries:
            self._touched(record, JobState.PARKED)
            log.error("job parked", job=record.name, key=record.key, reason=record.error)
            return
        self._touched(record, JobState.WAITING)
        if delay_s:
            self.jobs.message.schedule((record.key, record.turn), delay=delay_s)
        else:
            self.jobs.message(record.key, record.turn)

    def _touched(self, record: JobRecord, state: JobState) -> JobRecord:
        touched = msgspec.structs.replace(record, state=state, seen=self.jobs.now())
        self.jobs.put(touched)
        return touched

    def _beat(self, record: JobRecord) -> None:
        there = self.jobs.get(record.key)
        if there is not None and there.turn == record.turn:
            self._touched(record, JobState.RUNNING)


class _Beat:
    """Calls a function every so often while a `with` block runs."""

    def __init__(self, beat: Callable[[], None], every: timedelta) -> None:
        self._beat = beat
        self._every_s = every.total_seconds()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job beat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                self._beat()
            except Exception as error:  # noqa: BLE001 - the storage may be away; the work goes on
                log.warning("job beat failed", reason=str(error))
