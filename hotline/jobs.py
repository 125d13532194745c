"""Jobs for worker processes, on Huey: its SQLite storage in the data folder, or Redis.

Huey hands a message out at most once: a worker that dies takes it along. So each job has a record of its own
beside the queue, made before the message and removed after the work; what a worker lost is found by its record
and queued again (`hotline.workers`). A job runs at least once, and its handler must bear a second time.
Messages are JSON, never pickles: who can write to Redis cannot run code here.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from sqlite3 import Error as SqliteError
from typing import Any, TypeVar, cast

import msgspec
from huey import RedisHuey, SqliteHuey
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from hotline.clock import Clock
from hotline.errors import NotFound, Unavailable

T = TypeVar("T")

PREFIX = "job:"


class JobState(StrEnum):
    """Where a job stands; one that is done has no record any more."""

    WAITING = "waiting"
    RUNNING = "running"
    PARKED = "parked"  # it failed too often and waits for a person


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job besides its message in the queue."""

    key: str
    name: str
    payload: dict[str, Any]
    state: JobState = JobState.WAITING
    turn: int = 0
    """Which message of this job counts; older ones are ignored."""
    tries: int = 0
    """How often it failed or was lost."""
    seen: float
    """When somebody last touched it, seconds of wall time."""
    error: str = ""
    """What the last failure said."""


class _Json(Serializer):  # type: ignore[misc] # Huey has no types
    """Messages and values as JSON."""

    def _serialize(self, data: Any) -> bytes:
        tagged = {"message": list(data)} if isinstance(data, Message) else {"value": data}
        return json.dumps(tagged, default=_moment).encode()

    def _deserialize(self, data: bytes) -> Any:
        tagged = json.loads(data)
        if "message" not in tagged:
            return tagged["value"]
        message = Message(*tagged["message"])
        eta = datetime.fromisoformat(message.eta) if message.eta else None
        return message._replace(eta=eta)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} cannot be part of a job")


def sqlite_huey(path: Path) -> Any:
    """A Huey on an SQLite file of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("hotline", filename=str(path), results=False, serializer=_Json(), timeout=2, strict_fifo=True)


def redis_huey(url: str) -> Any:
    """A Huey on Redis."""
    retry = Retry(NoBackoff(), 0)
    pool = ConnectionPool.from_url(url, socket_timeout=5, socket_connect_timeout=2, retry=retry)
    return RedisHuey("hotline", connection_pool=pool, results=False, serializer=_Json())


class HueyJobs:
    """`Jobs` on a Huey, and what people ask about jobs. `perform` is set by the worker process."""

    def __init__(self, huey: Any, clock: Clock, *, timeout_s: float = 5.0) -> None:
        self.huey = huey
        self.clock = clock
        self.perform: Callable[[str, int], None] | None = None
        self._timeout_s = timeout_s
        # One thread: Huey's connections belong to threads, and this one can be closed.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self.message = huey.task(name="job")(self._perform)

    async def enqueue(self, name: str, payload: Mapping[str, Any], *, key: str) -> None:
        """See `Jobs.enqueue`. A parked job of this key starts afresh.

        Raises:
            Unavailable: it could not be stored; asking again with the same key is safe.
        """
        record = JobRecord(key=key, name=name, payload=dict(payload), seen=self.now())
        await self._in_thread(lambda: self._enqueue(record))

    async def counts(self) -> dict[JobState, int]:
        """How many jobs stand where."""
        records = await self.records()
        return {state: sum(record.state is state for record in records) for state in JobState}

    async def records(self) -> list[JobRecord]:
        """Every job that is not done."""
        return await self._in_thread(self.all_records)

    async def retry(self, key: str) -> None:
        """Start a parked job afresh.

        Raises:
            NotFound: no job of this key is parked.
        """
        record = await self._in_thread(lambda: self.get(key))
        if record is None or record.state is not JobState.PARKED:
            raise NotFound(f"No parked job has the key {key}.")
        await self.enqueue(record.name, record.payload, key=key)

    async def close(self) -> None:
        """Let the storage go."""
        await self._in_thread(self.huey.storage.close)
        self._thread.shutdown()

    def now(self) -> float:
        """Seconds of wall time."""
        return self.clock.now().timestamp()

    def get(self, key: str) -> JobRecord | None:
        """The record of a job (blocking)."""
        raw = self.huey.get(PREFIX + key, peek=True)
        return None if raw is None else msgspec.convert(raw, JobRecord)

    def put(self, record: JobRecord) -> None:
        """Store the record of a job (blocking)."""
        self.huey.put(PREFIX + record.key, msgspec.to_builtins(record))

    def forget(self, record: JobRecord) -> None:
        """The job is done (blocking)."""
        self.huey.delete(PREFIX + record.key)
        for turn in range(1, record.turn + 1):
            self.huey.delete(turn_key(record.key, turn))

    def all_records(self) -> list[JobRecord]:
        """Every record (blocking)."""
        found: list[JobRecord] = []
        for key, raw in cast("dict[str | bytes, bytes]", self.huey.all_results()).items():
            name = key.decode() if isinstance(key, bytes) else key
            if name.startswith(PREFIX):
                found.append(msgspec.convert(self.huey.serializer.deserialize(bytes(raw)), JobRecord))
        return found

    def _enqueue(self, record: JobRecord) -> None:
        if not self.huey.put_if_empty(PREFIX + record.key, msgspec.to_builtins(record)):
            there = self.get(record.key)
            if there is None or there.state is not JobState.PARKED:
                return
            self.forget(there)
            self.put(record)
        self.message(record.key, record.turn)

    def _perform(self, key: str, turn: int) -> None:
        if self.perform is None:
            raise Unavailable("This process performs no jobs.")
        self.perform(key, turn)

    async def _in_thread(self, do: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._thread, do)
        except TimeoutError as error:
            raise Unavailable(f"The job queue did not answer within {self._timeout_s:g} s.") from error
        except (RedisError, SqliteError, HueyException, OSError) as error:
            raise Unavailable(f"The job queue cannot do its work: {error}.") from error


def turn_key(key: str, turn: int) -> str:
    """Whoever creates this key may send the message `turn` of the job."""
    return f"turn:{turn}:{key}"
