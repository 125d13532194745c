"""`Database` on SQLite and on PostgreSQL.

SQLite: queries and changes run in a thread each, beside the loop on which calls live; every change goes through one
writer task, which commits what has queued up meanwhile together, each change in a savepoint of its own. PostgreSQL:
a pool, serialisable transactions, and another try when the server asks for one. So a change that reads and then
writes is right on both without locks of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
from sqlalchemy import URL, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from hotline.errors import Unavailable
from hotline.loop_thread import LoopThread
from hotline.sql_errors import is_outage, sqlstate, translated
from hotline.sql_urls import asynchronous
from hotline.sqlite_inline import AT_ONCE, AtOnce, at_once, connect_inline
from hotline.tasks import Tasks

log = structlog.get_logger(__name__)

T = TypeVar("T")
Change = Callable[[AsyncConnection], Awaitable[T]]

BATCH = 32
"""Most changes in one commit on SQLite."""
READERS = 4
"""Most queries at the same time on SQLite."""
TRIES = 8
"""How often a change is tried before PostgreSQL's serialisation failures count as `Unavailable`."""
TRY_AGAIN = frozenset({"40001", "40P01"})
"""SQLSTATEs of a serialisation failure and of a deadlock: nothing happened, the same again may succeed."""


class OpenDatabase(Protocol):
    """What `connect` gives: a `Database` that can be asked for its health and closed."""

    async def read(self, query: Change[T]) -> T:
        """Run a query; see `Database.read`."""
        ...

    async def write(self, change: Change[T]) -> T:
        """Run a change in a transaction; see `Database.write`."""
        ...

    async def check(self) -> None:
        """Ask whether it lives, by a query and an empty write transaction.

        Raises:
            Unavailable: it does not.
        """
        ...

    async def close(self) -> None:
        """Finish what was asked for and close every connection."""
        ...


def connect(url: str, *, timeout_s: float = 5.0) -> OpenDatabase:
    """The database behind a SQLAlchemy URL (`sqlite:///file`, `postgresql://…`). Connects at the first use.

    Raises:
        BadInput: the URL cannot be read, or names a database that is not supported.
    """
    parsed = asynchronous(url)
    return (
        SqliteDatabase(parsed, timeout_s)
        if parsed.get_backend_name() == "sqlite"
        else PostgresDatabase(parsed, timeout_s)
    )


class SqliteDatabase:
    """One SQLite file: WAL, foreign keys on, a thread that reads and a thread that writes."""

    def __init__(self, url: URL, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._reader = _SqliteReader(_sqlite_engine(url, timeout_s, READERS, "PRAGMA query_only=ON"))
        self._reading = LoopThread("sqlite reader")
        self._writer = _SqliteWriter(_sqlite_engine(url, timeout_s, 1), timeout_s)
        self._writing = LoopThread("sqlite writer")
        self._closed = False

    async def read(self, query: Change[T]) -> T:
        """See `Database.read`."""
        return await _answer(self._reading.run(lambda: self._reader.read(query)), self._timeout_s)

    async def write(self, change: Change[T]) -> T:
        """See `Database.write`.

        Raises:
            Conflict: a row that must be unique is there already, or one that is referred to is not.
            Unavailable: the file cannot be written, or not in time.
        """
        if self._closed:
            raise Unavailable("The database is closed.")
        return await self._writing.run(lambda: self._writer.write(change))

    async def check(self) -> None:
        """See `OpenDatabase.check`."""
        await self.read(_select_one)
        await self.write(_select_one)

    async def close(self) -> None:
        """See `OpenDatabase.close`."""
        self._closed = True
        if self._writing.started:
            await self._writing.run(self._writer.close)
        if self._reading.started:
            await self._reading.run(self._reader.close)
        await self._writing.close()
        await self._reading.close()


class _SqliteReader:
    """The one who reads; lives on the reading thread's loop."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._free: list[AsyncConnection] = []

    async def read(self, query: Change[T]) -> T:
        """Run a query in a transaction of its own, so that it sees one state of the file."""
        connection = self._free.pop() if self._free else await self._engine.connect()
        try:
            async with _begun(connection, "BEGIN"):
                result = await query(connection)
        except BaseException:
            await connection.close()
            raise
        self._free.append(connection)
        return result

    async def close(self) -> None:
        for connection in self._free:
            await connection.close()
        await self._engine.dispose()


@asynccontextmanager
async def _begun(connection: AsyncConnection, begin: str) -> AsyncGenerator[AtOnce]:
    """A transaction that is begun and ended here and not by SQLAlchemy, which takes ten times as long."""
    now = at_once(connection)
    assert now is not None  # noqa: S101 - it is SQLite's
    now.execute(begin)
    try:
        yield now
        now.execute("COMMIT")
    finally:
        if now.in_transaction:
            now.execute("ROLLBACK")
        if connection.in_transaction():
            await connection.rollback()  # SQLAlchemy thinks that it has begun one; there is nothing left to do


class _SqliteWriter:
    """The one who writes; lives on the writing thread's loop."""

    def __init__(self, engine: AsyncEngine, timeout_s: float) -> None:
        self._engine, self._timeout_s = engine, timeout_s
        self._connection: AsyncConnection | None = None
        self._waiting: asyncio.Queue[_Change] = asyncio.Queue()
        self._tasks = Tasks("sqlite writer")
        self._started = False

    async def write(self, change: Change[T]) -> T:
        """Have it done together with what else waits."""
        if not self._started:
            self._started = True
            self._tasks.start(self._write_all(), "write")
        pending = _Change(change)
        self._waiting.put_nowait(pending)
        result: T = await pending.outcome(self._timeout_s)
        return result

    async def close(self) -> None:
        """Finish what waits."""
        await self._waiting.join()
        await self._tasks.close()
        await self._let_go()
        await self._engine.dispose()

    async def _write_all(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._commit([change for change in batch if not change.is_given_up])
            for _ in batch:
                self._waiting.task_done()

    async def _commit(self, batch: list["_Change"]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await self._connect()
                async with _begun(connection, "BEGIN IMMEDIATE") as now:
                    for change in batch:
                        await change.run(connection, now, alone=len(batch) == 1)
        except asyncio.CancelledError:
            _fail(batch, Unavailable("The database is closed."))
            raise
        except Exception as error:  # noqa: BLE001 - nobody but those who wait can be told
            await self._let_go()
            _fail(batch, translated(error))
        else:
            for change in batch:
                change.settle()

    async def _connect(self) -> AsyncConnection:
        """The connection, kept from one commit to the next while nothing goes wrong."""
        if self._connection is None:
            self._connection = await self._engine.connect()
        return self._connection

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                await connection.close()


class _Change:
    """A change that waits for the writer task."""

    def __init__(self, do: Change[Any]) -> None:
        self._do = do
        self._future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._result: Any = None
        self._error: Exception | None = None
        self._is_running = False

    @property
    def is_given_up(self) -> bool:
        return self._future.done()

    async def outcome(self, timeout_s: float) -> Any:
        """Wait for it; a change that has not begun in time is withdrawn, one that has is awaited."""
        try:
            done, _ = await asyncio.wait({self._future}, timeout=timeout_s)
            if not done and self._is_running:
                done, _ = await asyncio.wait({self._future}, timeout=timeout_s)
        finally:
            self._future.cancel()
        if not done:
            raise Unavailable(f"The database did not answer within {timeout_s:g} s.")
        return self._future.result()

    async def run(self, connection: AsyncConnection, now: AtOnce, *, alone: bool) -> None:
        """Run in a savepoint, or alone in its transaction; a failure of its own is kept, one of the database concerns
        the whole batch."""
        self._is_running = True
        if alone:
            self._result = await self._do(connection)
            return
        now.execute("SAVEPOINT one")
        try:
            self._result = await self._do(connection)
        except Exception as error:
            if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError) and is_outage(error):
                raise
            self._error = error
            now.execute("ROLLBACK TO one")
        now.execute("RELEASE one")

    def settle(self, error: Exception | None = None) -> None:
        error = self._error or error
        if self._future.done():
            return
        if error is None:
            self._future.set_result(self._result)
        else:
            self._future.set_exception(translated(error))


def _fail(batch: list[_Change], error: Exception) -> None:
    for change in batch:
        change.settle(error)


class PostgresDatabase:
    """A pool of connections to PostgreSQL."""

    def __init__(self, url: URL, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._engine = create_async_engine(
            url,
            hide_parameters=True,  # they are people's data, and an error's text goes to the log
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
            pool_size=10,
            max_overflow=10,
            pool_timeout=timeout_s,
            pool_pre_ping=True,
            isolation_level="SERIALIZABLE",
            connect_args={"timeout": timeout_s, "command_timeout": timeout_s},
        )
        self._reading = self._engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")

    async def read(self, query: Change[T]) -> T:
        """See `Database.read`."""
        return await _answer(_in_transaction(self._reading, query), self._timeout_s)

    async def write(self, change: Change[T]) -> T:
        """See `Database.write`.

        Raises:
            Conflict: a row that must be unique is there already, or one that is referred to is not.
            Unavailable: the server does not answer, or not in time, or is too busy with others' changes.
        """
        for attempt in range(TRIES):
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await _in_transaction(self._engine, change)
            except DBAPIError as error:
                if sqlstate(error) not in TRY_AGAIN:
                    raise translated(error) from error
            except (SQLAlchemyError, OSError, TimeoutError, OverflowError) as error:
                raise translated(error) from error
            # Whoever lost waits a little longer each time; the id of the task spreads the losers.
            await asyncio.sleep(0.002 * 2**attempt * (1 + id(asyncio.current_task()) // 64 % 8 / 8))
        raise Unavailable("The database is too busy with changes to the same rows.")

    async def check(self) -> None:
        """See `OpenDatabase.check`."""
        await self.write(_select_one)

    async def close(self) -> None:
        """See `OpenDatabase.close`."""
        await self._engine.dispose()


async def _in_transaction(engine: AsyncEngine, work: Change[T]) -> T:
    async with engine.begin() as connection:
        return await work(connection)


async def _answer(work: Awaitable[T], timeout_s: float) -> T:
    try:
        async with asyncio.timeout(timeout_s):
            return await work
    except (SQLAlchemyError, OSError, TimeoutError, OverflowError) as error:
        raise translated(error) from error


async def _select_one(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT 1"))


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _sqlite_engine(url: URL, timeout_s: float, connections: int, *pragmas: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=timeout_s,
        # The file's own patience is shorter than ours, so that its sentence arrives instead of a bare time-out.
        connect_args={"timeout": timeout_s * 0.6, "async_creator_fn": connect_inline},
        pool_reset_on_return=None,  # see `_begun`
    )

    def on_connect(connection: Any, record: Any) -> None:
        record.info[AT_ONCE] = connection.driver_connection.at_once
        cursor = connection.cursor()
        try:
            for pragma in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA foreign_keys=ON", *pragmas):
                cursor.execute(pragma)
        except Exception:
            connection.close()  # the pool does not know it yet
            raise
        cursor.close()

    event.listen(engine.sync_engine, "connect", on_connect)
    return engine
