"""An event log that keeps working while the one behind it does not answer.

Facts that the inner log cannot take go to a local SQLite file, in order, and are replayed exactly once when it
is back. Positions decide what "once" means: a fact that is found at its own position did arrive, although the
answer was lost. A caller waits at most `bound` for the inner log, and after one failure nobody waits until
the replay has succeeded.

A fact whose position somebody else took meanwhile (another keeper of a floor went on without us) is refused,
kept in the spool's table `refused` for people to look at, and told to `on_refused`.
"""

import asyncio
import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from hotline.clock import Clock
from hotline.errors import Conflict, Unavailable
from hotline.local import get_checkpoint, put_checkpoint
from hotline.patience import within
from hotline.ports import Entry, EventLog
from hotline.sqlite_thread import SqliteThread
from hotline.tasks import Tasks

log = structlog.get_logger(__name__)

BATCH = 200
"""Most facts in one append of the replay."""

SCHEMA = (
    (
        "CREATE TABLE IF NOT EXISTS spooled (stream TEXT, seq INTEGER, at REAL NOT NULL, body BLOB NOT NULL,"
        " PRIMARY KEY (stream, seq)) WITHOUT ROWID"
    ),
    "CREATE TABLE IF NOT EXISTS refused (stream TEXT, seq INTEGER, at REAL NOT NULL, body BLOB NOT NULL)",
    (
        "CREATE TABLE IF NOT EXISTS checkpoints (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, state BLOB NOT NULL)"
        " WITHOUT ROWID"
    ),
)

REMEMBERED = 4096
"""Streams whose last position is remembered, for the time when nobody can be asked."""

OnRefused = Callable[[str, Sequence[Entry]], None]


class SpooledLog:
    """`EventLog` around another one. Used inside `async with`, which replays what an earlier process left."""

    def __init__(
        self,
        inner: EventLog,
        path: Path,
        clock: Clock,
        *,
        bound: timedelta = timedelta(milliseconds=250),
        pause: timedelta = timedelta(milliseconds=500),
        on_refused: OnRefused = lambda _stream, _entries: None,
    ) -> None:
        self._inner = inner
        self._file = SqliteThread(path, SCHEMA)
        self._clock = clock
        self._bound_s = bound.total_seconds()
        self._pause_s = pause.total_seconds()
        self._on_refused = on_refused
        self._tasks = Tasks("spool")
        self._pending: Counter[str] = Counter()
        self._ahead: dict[str, int] = {}
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._broken = False
        """Set before the first fact is spooled, and kept until none is: so nothing overtakes what is spooled."""
        self._told = False
        """That it is away was logged."""

    async def __aenter__(self) -> "SpooledLog":
        await self._recall()
        self._tasks.keep(self.replay, "replay", self._pause_s)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        await self._file.close()

    @property
    def spooled(self) -> int:
        """How many facts wait for the inner log."""
        return self._pending.total()

    @property
    def is_broken(self) -> bool:
        """The inner log failed, and no replay has succeeded since."""
        return self._broken

    async def append(self, stream: str, expected: int, bodies: Sequence[bytes]) -> int:
        """See `EventLog.append`. `Unavailable` only when the local disk fails too."""
        if self._broken:
            return await self._spool(stream, expected, bodies)
        try:
            head = await within(self._bound_s, self._inner.append(stream, expected, bodies))
        except (Unavailable, TimeoutError) as error:
            self._break(error)
            return await self._spool(stream, expected, bodies)
        self._is_back()
        return self._saw(stream, head)

    async def read(self, stream: str, after: int = 0, limit: int = 1000) -> list[Entry]:
        """See `EventLog.read`. Spooled facts follow those of the inner log.

        Raises:
            Unavailable: facts that only the inner log has are asked for while it does not answer.
        """
        spooled = await self._spooled(stream, after, limit)
        if spooled and spooled[0].seq == after + 1:
            return spooled
        known = await self._inner.read(stream, after, limit)
        reached = self._saw(stream, known[-1].seq) if known else after
        return (known + [entry for entry in spooled if entry.seq > reached])[:limit]

    async def head(self, stream: str) -> int:
        """See `EventLog.head`. The head that this process saw last when the inner log does not answer."""
        if stream in self._ahead:
            return self._ahead[stream]
        if self._broken and stream in self._seen:
            return self._seen[stream]
        try:
            async with asyncio.timeout(self._bound_s):
                return self._saw(stream, await self._inner.head(stream))
        except (Unavailable, TimeoutError) as error:
            self._break(error)
            if stream in self._seen:
                return self._seen[stream]
            raise Unavailable(f"The position of stream {stream} is not known while the log is away.") from error

    async def save_checkpoint(self, stream: str, seq: int, state: bytes) -> None:
        """See `EventLog.save_checkpoint`."""
        if not self._broken:
            try:
                async with asyncio.timeout(self._bound_s):
                    return await self._inner.save_checkpoint(stream, seq, state)
            except (Unavailable, TimeoutError) as error:
                self._break(error)
        return await self._file.write(lambda connection: put_checkpoint(connection, stream, seq, state))

    async def load_checkpoint(self, stream: str) -> tuple[int, bytes] | None:
        """See `EventLog.load_checkpoint`."""
        mine = await self._file.read(lambda connection: get_checkpoint(connection, stream))
        try:
            theirs = await self._inner.load_checkpoint(stream)
        except Unavailable:
            if mine is None:
                raise
            return mine
        return max((kept for kept in (mine, theirs) if kept is not None), default=None, key=lambda kept: kept[0])

    async def trim(self, stream: str, upto: int, before: datetime) -> int:
        """See `EventLog.trim`. What the inner log has not taken yet is not trimmed."""
        if self._broken:
            raise Unavailable("The event log is away: it is trimmed when it is back.")
        return await self._inner.trim(stream, upto, before)

    async def replay(self) -> None:
        """Bring what is spooled to the inner log, stream by stream; returns quietly when it still is away."""
        if not self._broken and not self.spooled:
            return
        some = self.spooled > 0
        try:
            for stream in list(self._pending):
                await self._replay_stream(stream)
            await self._replay_checkpoints()
            if not self.spooled:
                await self._inner.head("-")  # nothing was waiting: ask whether the log is back at all
        except Unavailable:
            return
        if self._broken and not self.spooled:
            self._broken = False
            if some:
                self._is_back()

    def _break(self, error: BaseException) -> None:
        if not self._told:
            log.error("event log away, spooling on disk", reason=str(error) or type(error).__name__)
        self._broken = self._told = True

    def _is_back(self) -> None:
        """It took a fact: a log on a full disk can be read, and is not back."""
        if self._told:
            self._told = False
            log.info("event log is back")

    def _saw(self, stream: str, head: int) -> int:
        self._seen[stream] = max(head, self._seen.pop(stream, 0))
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return head

    async def _spool(self, stream: str, expected: int, bodies: Sequence[bytes]) -> int:
        known = self._ahead.get(stream) or max(expected, self._seen.get(stream, 0))
        if known != expected:
            raise Conflict(f"Stream {stream} stands at {known}, not at {expected}: reload and decide again.")
        at = self._clock.now().timestamp()
        rows = [(stream, seq, at, body) for seq, body in enumerate(bodies, expected + 1)]
        # Counted before the disk is asked, so that no later append of this stream overtakes; shielded, so that
        # the count stays true when the caller is cancelled.
        follows = self._pending[stream] > 0
        self._pending[stream] += len(rows)
        self._ahead[stream] = expected + len(rows)
        await asyncio.shield(self._keep(stream, expected, rows, follows=follows))
        return expected + len(rows)

    async def _keep(
        self, stream: str, expected: int, rows: Sequence[tuple[str, int, float, bytes]], *, follows: bool
    ) -> None:
        try:
            await self._file.write(lambda connection: _insert(connection, rows, follows=follows))
        except Exception:
            self._pending[stream] -= len(rows)
            self._ahead[stream] = min(expected, self._ahead[stream])
            self._settle(stream)
            raise

    def _settle(self, stream: str) -> None:
        """Forget a stream of which nothing is spooled any more."""
        if not self._pending[stream]:
            del self._pending[stream]
            self._saw(stream, self._ahead.pop(stream, 0))

    async def _spooled(self, stream: str, after: int, limit: int) -> list[Entry]:
        if not self._pending[stream]:
            return []

        def fetch(connection: sqlite3.Connection) -> list[Entry]:
            rows = connection.execute(
                "SELECT seq, at, body FROM spooled WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?",
                (stream, after, limit),
            )
            return [Entry(seq, datetime.fromtimestamp(at, UTC), body) for seq, at, body in rows]

        return await self._file.read(fetch)

    async def _replay_stream(self, stream: str) -> None:
        while self._pending[stream]:
            batch = await self._spooled(stream, 0, BATCH)
            if not batch:
                return  # it is still being written; the next round finds it
            await self._bring(stream, batch)

    async def _bring(self, stream: str, batch: Sequence[Entry]) -> None:
        before = batch[0].seq - 1
        try:
            await self._inner.append(stream, before, [entry.body for entry in batch])
        except Conflict:
            await self._compare(stream, batch)
            return
        await self._forget(stream, batch[-1].seq, len(batch))

    async def _compare(self, stream: str, batch: Sequence[Entry]) -> None:
        """The inner log is elsewhere: did some of these arrive before, or did somebody else write?"""
        there = await self._inner.read(stream, batch[0].seq - 1, len(batch))
        arrived = 0
        for mine, theirs in zip(batch, there, strict=False):
            if mine.body != theirs.body:
                break
            arrived += 1
        if arrived:
            await self._forget(stream, batch[arrived - 1].seq, arrived)
        else:
            await self._refuse(stream)

    async def _forget(self, stream: str, upto: int, count: int) -> None:
        await self._file.write(
            lambda connection: (
                connection.execute("DELETE FROM spooled WHERE stream = ? AND seq <= ?", (stream, upto)).rowcount
            )
        )
        self._pending[stream] -= count
        self._settle(stream)

    async def _refuse(self, stream: str) -> None:
        entries = await self._file.write(lambda connection: _move_to_refused(connection, stream))
        self._pending[stream] -= len(entries)
        self._ahead.pop(stream, None)
        self._settle(stream)
        log.error("spooled facts refused, somebody else wrote meanwhile", stream=stream, facts=len(entries))
        self._on_refused(stream, entries)

    async def _replay_checkpoints(self) -> None:
        kept = await self._file.read(
            lambda connection: connection.execute("SELECT stream, seq, state FROM checkpoints").fetchall()
        )
        for stream, seq, state in kept:
            if self._pending[stream]:
                continue
            await self._inner.save_checkpoint(stream, seq, state)
            await self._file.write(
                lambda connection, gone=(stream, seq): (
                    connection.execute(  # type: ignore[misc]
                        "DELETE FROM checkpoints WHERE stream = ? AND seq = ?", gone
                    ).rowcount
                )
            )

    async def _recall(self) -> None:
        rows = await self._file.read(
            lambda connection: connection.execute(
                "SELECT stream, count(*), max(seq) FROM spooled GROUP BY stream"
            ).fetchall()
        )
        for stream, count, last in rows:
            self._pending[stream] = count
            self._ahead[stream] = last
        self._broken = bool(rows)


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[str, int, float, bytes]], *, follows: bool) -> None:
    if follows and rows:
        stream, first = rows[0][:2]
        (last,) = connection.execute("SELECT max(seq) FROM spooled WHERE stream = ?", (stream,)).fetchone()
        if last is not None and last + 1 != first:
            raise Unavailable(f"What stream {stream} had before could not be kept, so this cannot be kept either.")
    connection.executemany("INSERT INTO spooled VALUES (?, ?, ?, ?)", rows)


def _move_to_refused(connection: sqlite3.Connection, stream: str) -> list[Entry]:
    rows = connection.execute("SELECT seq, at, body FROM spooled WHERE stream = ? ORDER BY seq", (stream,)).fetchall()
    connection.execute("INSERT INTO refused SELECT stream, seq, at, body FROM spooled WHERE stream = ?", (stream,))
    connection.execute("DELETE FROM spooled WHERE stream = ?", (stream,))
    return [Entry(seq, datetime.fromtimestamp(at, UTC), body) for seq, at, body in rows]
