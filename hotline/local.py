"""Event log, lease and broadcast without any server: SQLite files of the data folder, and this process.

The log has a file of its own, because an append stands between a waiting caller and a ringing phone.
"""

import asyncio
import itertools
import sqlite3
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from hotline.clock import Clock
from hotline.errors import Conflict
from hotline.ports import Entry, Fence
from hotline.sqlite_thread import SqliteThread

LOG_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS streams (stream TEXT PRIMARY KEY, head INTEGER NOT NULL) WITHOUT ROWID",
    (
        "CREATE TABLE IF NOT EXISTS facts (stream TEXT, seq INTEGER, at REAL NOT NULL, body BLOB NOT NULL,"
        " PRIMARY KEY (stream, seq)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE IF NOT EXISTS checkpoints (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, state BLOB NOT NULL)"
        " WITHOUT ROWID"
    ),
)

LEASE_SCHEMA = (
    (
        "CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, number INTEGER NOT NULL,"
        " until REAL NOT NULL) WITHOUT ROWID"
    ),
)


TRIM_STEP = 500
"""Most facts that are forgotten in one transaction."""


class LocalEventLog:
    """The event log in an SQLite file. Several processes may share the file: one of two writers gets `Conflict`."""

    def __init__(self, path: Path, clock: Clock, *, timeout_s: float = 2.0) -> None:
        self._file = SqliteThread(path, LOG_SCHEMA, timeout_s=timeout_s)
        self._clock = clock

    async def append(self, stream: str, expected: int, bodies: Sequence[bytes]) -> int:
        """See `EventLog.append`."""
        at = self._clock.now().timestamp()

        def add(connection: sqlite3.Connection) -> int:
            return append_facts(connection, stream, expected, bodies, at)

        return await self._file.write_small(add)

    async def read(self, stream: str, after: int = 0, limit: int = 1000) -> list[Entry]:
        """See `EventLog.read`."""

        def fetch(connection: sqlite3.Connection) -> list[Entry]:
            rows = connection.execute(
                "SELECT seq, at, body FROM facts WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?",
                (stream, after, limit),
            )
            return [Entry(seq, datetime.fromtimestamp(at, UTC), body) for seq, at, body in rows]

        return await self._file.read(fetch)

    async def head(self, stream: str) -> int:
        """See `EventLog.head`."""
        return await self._file.read(lambda connection: stream_head(connection, stream))

    async def save_checkpoint(self, stream: str, seq: int, state: bytes) -> None:
        """See `EventLog.save_checkpoint`. An older one than the one that is kept changes nothing."""
        await self._file.write(lambda connection: put_checkpoint(connection, stream, seq, state))

    async def load_checkpoint(self, stream: str) -> tuple[int, bytes] | None:
        """See `EventLog.load_checkpoint`."""
        return await self._file.read(lambda connection: get_checkpoint(connection, stream))

    async def trim(self, stream: str, upto: int, before: datetime) -> int:
        """See `EventLog.trim`. In small steps, because an append that waits for one keeps a caller waiting."""
        gone = 0
        while step := await self._file.write(
            lambda connection: trim_facts(connection, stream, upto, before.timestamp(), TRIM_STEP)
        ):
            gone += step
        return gone

    async def close(self) -> None:
        """Finish what was asked for and close the file."""
        await self._file.close()


def append_facts(connection: sqlite3.Connection, stream: str, expected: int, bodies: Sequence[bytes], at: float) -> int:
    """Add facts after `expected` inside the caller's transaction; returns the new head.

    Raises:
        Conflict: the head is not `expected`.
    """
    last = expected + len(bodies)
    move = "UPDATE streams SET head = ? WHERE stream = ? AND head = ?"
    if connection.execute(move, (last, stream, expected)).rowcount == 0:
        head = stream_head(connection, stream)
        if head != expected:
            raise Conflict(f"Stream {stream} stands at {head}, not at {expected}: reload and decide again.")
        connection.execute("INSERT INTO streams VALUES (?, ?)", (stream, last))
    connection.executemany(
        "INSERT INTO facts VALUES (?, ?, ?, ?)",
        [(stream, seq, at, body) for seq, body in enumerate(bodies, expected + 1)],
    )
    return last


def trim_facts(connection: sqlite3.Connection, stream: str, upto: int, before: float, most: int) -> int:
    """Delete the oldest facts as `EventLog.trim` says, at most `most`; returns how many went."""
    kept = get_checkpoint(connection, stream)
    last = min(upto, kept[0] if kept else 0, stream_head(connection, stream) - 1)
    oldest = connection.execute(
        "SELECT seq, at FROM facts WHERE stream = ? AND seq <= ? ORDER BY seq LIMIT ?", (stream, last, most)
    )
    gone = [seq for seq, _ in itertools.takewhile(lambda row: row[1] < before, oldest)]
    if gone:
        connection.execute("DELETE FROM facts WHERE stream = ? AND seq <= ?", (stream, gone[-1]))
    return len(gone)


def stream_head(connection: sqlite3.Connection, stream: str) -> int:
    """The last position, 0 for an unknown stream."""
    row = connection.execute("SELECT head FROM streams WHERE stream = ?", (stream,)).fetchone()
    return int(row[0]) if row else 0


def put_checkpoint(connection: sqlite3.Connection, stream: str, seq: int, state: bytes) -> None:
    """Keep a checkpoint unless a newer one is kept."""
    connection.execute(
        "INSERT INTO checkpoints VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE"
        " SET seq = excluded.seq, state = excluded.state WHERE excluded.seq >= checkpoints.seq",
        (stream, seq, state),
    )


def get_checkpoint(connection: sqlite3.Connection, stream: str) -> tuple[int, bytes] | None:
    """The checkpoint that is kept."""
    row = connection.execute("SELECT seq, state FROM checkpoints WHERE stream = ?", (stream,)).fetchone()
    return (int(row[0]), bytes(row[1])) if row else None


class LocalLease:
    """Leases in an SQLite file: they and their numbers survive the process, and other processes see them.

    Ends are wall-clock times, because nothing else is shared with the next process; a clock that jumps can
    make two holders overlap, which the log's expected position makes harmless.
    """

    def __init__(self, path: Path, clock: Clock, *, timeout_s: float = 2.0) -> None:
        self._file = SqliteThread(path, LEASE_SCHEMA, timeout_s=timeout_s)
        self._clock = clock

    async def acquire(self, name: str, owner: str, ttl: timedelta) -> Fence | None:
        """See `Lease.acquire`. Re-taking gives a new number, so the fence held before is void."""
        now = self._clock.now()

        def take(connection: sqlite3.Connection) -> Fence | None:
            row = connection.execute("SELECT owner, number, until FROM leases WHERE name = ?", (name,)).fetchone()
            holder, number, until = row or ("", 0, 0.0)
            if holder not in ("", owner) and until > now.timestamp():
                return None
            end = (now + ttl).timestamp()
            connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", (name, owner, number + 1, end))
            return Fence(name, owner, number + 1)

        return await self._file.write(take)

    async def renew(self, fence: Fence, ttl: timedelta) -> bool:
        """See `Lease.renew`."""
        now = self._clock.now()
        return await self._set_end(fence, (now + ttl).timestamp(), now.timestamp())

    async def release(self, fence: Fence) -> None:
        """See `Lease.release`. The number is kept, so that the next holder's is higher."""
        await self._set_end(fence, 0.0, 0.0)

    async def close(self) -> None:
        """Finish what was asked for and close the file."""
        await self._file.close()

    async def _set_end(self, fence: Fence, end: float, alive_at: float) -> bool:
        def change(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "UPDATE leases SET until = ?, owner = CASE WHEN ? = 0 THEN '' ELSE owner END"
                " WHERE name = ? AND owner = ? AND number = ? AND until > ?",
                (end, end, fence.name, fence.owner, fence.number, alive_at),
            )
            return cursor.rowcount == 1

        return await self._file.write(change)


class Subscription(AsyncIterator[Mapping[str, Any]]):
    """What one listener has yet to read. It ends when the listener lags by more than `limit` messages."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._ended = False

    def offer(self, message: bytes) -> None:
        """Add a message, or end the subscription when its listener is too slow."""
        if self._ended:
            return
        if self._waiting.qsize() >= self._limit:
            self.end()
        else:
            self._waiting.put_nowait(message)

    def end(self) -> None:
        """No more messages; the listener reads what it has and then sees the end."""
        if not self._ended:
            self._ended = True
            self._waiting.put_nowait(None)

    async def aclose(self) -> None:
        """The listener is no longer interested."""
        self.end()

    async def __anext__(self) -> Mapping[str, Any]:
        if self._ended and self._waiting.empty():
            raise StopAsyncIteration
        message = await self._waiting.get()
        if message is None:
            raise StopAsyncIteration
        decoded: dict[str, Any] = msgspec.json.decode(message)
        return decoded


class Listeners:
    """Who listens to which topic in this process. Forgotten subscriptions vanish by themselves."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._topics: defaultdict[str, weakref.WeakSet[Subscription]] = defaultdict(weakref.WeakSet)

    def add(self, topic: str) -> Subscription:
        subscription = Subscription(self._limit)
        self._topics[topic].add(subscription)
        return subscription

    def deliver(self, topic: str, message: bytes) -> None:
        for subscription in list(self._topics.get(topic, ())):
            subscription.offer(message)

    def end_all(self) -> None:
        """End every subscription: what follows cannot be promised to be complete."""
        for listeners in self._topics.values():
            for subscription in list(listeners):
                subscription.end()
        self._topics.clear()


class LocalBroadcast:
    """News inside this process."""

    def __init__(self, limit: int = 1000) -> None:
        self._listeners = Listeners(limit)

    async def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """See `Broadcast.publish`."""
        self._listeners.deliver(topic, msgspec.json.encode(message))

    def subscribe(self, topic: str) -> Subscription:
        """See `Broadcast.subscribe`."""
        return self._listeners.add(topic)

    async def close(self) -> None:
        """End every listener."""
        self._listeners.end_all()
