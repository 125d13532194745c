"""One SQLite file and the one thread that writes it, but for small writes on the spot while it has nothing to do.

Work that arrives while a commit is under way is committed together with the next one (group commit). Commits
survive the death of the process; a power failure may take the last moments (`synchronous=NORMAL`), never the
file. The thread knows SQL text and connections, nothing of facts or leases.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Generic, TypeVar, cast

from hotline.errors import HotlineError, Unavailable
from hotline.sqlite_spot import Spot

T = TypeVar("T")

BATCH = 128
"""Most pieces of work in one commit."""
CHECKPOINT_EVERY = 1000
"""Commits between two moves of the write-ahead log into the file; done on the reading thread, because it syncs."""
LARGE_LOG = 16 * 1024 * 1024
"""Bytes. Under writing without a pause the reading thread never catches up with the log's end, which then grows;
at this size the writing thread moves it itself, which may keep writers waiting for some milliseconds."""


class _State(Enum):
    WAITING = 0
    RUNNING = 1
    GIVEN_UP = 2


class _Work(Generic[T]):
    """A function to run on the connection, and the future that waits for its outcome."""

    def __init__(self, do: Callable[[sqlite3.Connection], T], future: asyncio.Future[T]) -> None:
        self.do = do
        self.future = future
        self.outcome: T | None = None
        self.failure: BaseException | None = None
        self._state = _State.WAITING
        self._lock = threading.Lock()

    def begin(self) -> bool:
        return self._move(_State.RUNNING)

    def give_up(self) -> bool:
        """Withdraw it. `False` when it runs already, so its outcome has to be awaited."""
        return self._move(_State.GIVEN_UP)

    def _move(self, state: _State) -> bool:
        with self._lock:
            if self._state is not _State.WAITING:
                return False
            self._state = state
            return True

    def settle(self) -> None:
        if self.future.done():
            return
        if self.failure is not None:
            self.future.set_exception(self.failure)
        else:
            self.future.set_result(cast("T", self.outcome))


class SqliteThread:
    """Runs functions on the file's connections: `write` in grouped transactions, `read` beside them."""

    def __init__(self, path: Path, schema: Sequence[str], *, timeout_s: float = 2.0) -> None:
        self._path = path
        self._schema = tuple(schema)
        self._timeout_s = timeout_s
        self._writing = _Worker(f"write {path.name}", self._connect, _write_batch, self._after_commit)
        self._reading = _Worker(f"read {path.name}", self._connect, _read_batch, lambda: None)
        self._reading.after_checkpoint = self._writing.after_checkpoint = self._begin_log_anew
        self._commits = 0
        self._spot = Spot(path)
        self._under_way = 0
        self._leave_to_thread = True

    async def write(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """Run `do` inside a transaction; it is durable when this returns. `do` raises to leave no trace.

        Raises:
            Unavailable: the file cannot be written, or not in time.
        """
        self._under_way += 1
        try:
            return await self._run(self._writing, do)
        finally:
            self._under_way -= 1

    async def write_small(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """As `write`, for what takes microseconds. It may run on the spot, and runs again if that did not succeed.

        Raises: see `write`.
        """
        if self._may_write_here() and (done := self._spot.write(do)) is not None:
            self._after_commit()
            return done.value
        outcome = await self.write(do)
        self._leave_to_thread = False
        return outcome

    async def read(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query. It sees every write that has returned.

        Raises:
            Unavailable: the file cannot be read, or not in time.
        """
        return await self._run(self._reading, do)

    async def close(self) -> None:
        """Finish what was asked for and close the file."""
        self._leave_to_thread = True
        self._spot.close()
        await asyncio.to_thread(self._writing.stop)
        await asyncio.to_thread(self._reading.stop)

    async def _run(self, worker: "_Worker", do: Callable[[sqlite3.Connection], T]) -> T:
        work = _Work(do, asyncio.get_running_loop().create_future())
        worker.put(work)
        try:
            done, _ = await asyncio.wait({work.future}, timeout=self._timeout_s)
            if not done and not work.give_up():
                # It runs just now: what became of it matters more than punctuality.
                done, _ = await asyncio.wait({work.future}, timeout=self._timeout_s)
        except asyncio.CancelledError:
            work.give_up()
            work.future.cancel()
            raise
        if not done:
            work.future.cancel()
            raise Unavailable(f"The file {self._path.name} did not answer within {self._timeout_s:g} s.")
        outcome: T = work.future.result()
        return outcome

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=self._timeout_s / 2, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        for statement in self._schema:
            connection.execute(statement)
        return connection

    def _after_commit(self) -> None:
        self._commits += 1
        if self._commits % CHECKPOINT_EVERY == 0:
            (self._writing if self._log_size() > LARGE_LOG else self._reading).put(None)

    def _may_write_here(self) -> bool:
        return not (self._under_way or self._leave_to_thread or self._writing.stopped)

    def _begin_log_anew(self) -> None:
        self._leave_to_thread = True

    def _log_size(self) -> int:
        log = self._path.with_name(f"{self._path.name}-wal")
        return log.stat().st_size if log.exists() else 0


class _Worker:
    """The thread, started at the first piece of work."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], sqlite3.Connection],
        run: Callable[[sqlite3.Connection, Sequence[_Work[object]]], None],
        after: Callable[[], None],
    ) -> None:
        self._name = name
        self._connect = connect
        self._run = run
        self._after = after
        self.after_checkpoint: Callable[[], None] = lambda: None
        self._inbox: queue.SimpleQueue[_Work[object] | type[StopIteration] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.stopped = False

    def put(self, work: "_Work[T] | None") -> None:
        """Hand over work; `None` asks for a checkpoint."""
        if self.stopped:
            raise Unavailable("The file is closed.")
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
            self._thread.start()
        self._inbox.put(cast("_Work[object] | None", work))

    def stop(self) -> None:
        self.stopped = True
        self._inbox.put(StopIteration)
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        connection: sqlite3.Connection | None = None
        going = True
        while going:
            batch, checkpoint, going = self._take()
            try:
                connection = connection or self._connect()
                if batch:
                    self._run(connection, batch)
                    self._after()
                if checkpoint:
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                    self.after_checkpoint()
            except (sqlite3.Error, OSError) as error:
                _fail(batch, error)
                _close(connection)
                connection = None
            _settle(batch)
        if connection is not None:
            connection.close()

    def _take(self) -> tuple[list[_Work[object]], bool, bool]:
        batch: list[_Work[object]] = []
        checkpoint, going = False, True
        item = self._inbox.get()
        while True:
            if isinstance(item, _Work):
                if item.begin():
                    batch.append(item)
            elif item is None:
                checkpoint = True
            else:
                return batch, checkpoint, False
            if len(batch) >= BATCH:
                return batch, checkpoint, going
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                return batch, checkpoint, going


def _write_batch(connection: sqlite3.Connection, batch: Sequence[_Work[object]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for work in batch:
            _in_savepoint(connection, work)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _in_savepoint(connection: sqlite3.Connection, work: _Work[object]) -> None:
    connection.execute("SAVEPOINT one")
    try:
        work.outcome = work.do(connection)
    except sqlite3.OperationalError:
        raise  # the disk is full or broken: this concerns the whole batch
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
        work.failure = error
        connection.execute("ROLLBACK TO one")
    connection.execute("RELEASE one")


def _read_batch(connection: sqlite3.Connection, batch: Sequence[_Work[object]]) -> None:
    for work in batch:
        try:
            work.outcome = work.do(connection)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            work.failure = error


def _close(connection: sqlite3.Connection | None) -> None:
    """After a failure the next work begins with a fresh connection: the file may have been replaced or healed."""
    if connection is not None:
        with contextlib.suppress(sqlite3.Error):
            connection.close()


def _fail(batch: Sequence[_Work[object]], error: Exception) -> None:
    for work in batch:
        # A refusal (`Conflict`) was right whether or not the others could be committed.
        if not isinstance(work.failure, HotlineError):
            work.failure = Unavailable(f"A file of the data folder cannot be used: {error}.")
            work.failure.__cause__ = error


def _settle(batch: Sequence[_Work[object]]) -> None:
    for loop in {work.future.get_loop() for work in batch}:
        mine = [work for work in batch if work.future.get_loop() is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle_all, mine)


def _settle_all(batch: Sequence[_Work[object]]) -> None:
    for work in batch:
        work.settle()
