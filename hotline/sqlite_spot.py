"""Small writes done on the spot, by the thread that asks: no hop to another thread and back, which costs several times
what the write costs and, worse, two waits for a busy interpreter.

A commit in WAL mode with `synchronous=NORMAL` copies some bytes to the kernel and waits for no disk, but for two cases
that are left to the thread made for waiting: somebody else holds the file, or the log begins anew after a checkpoint
(then its header is synced). A disk that was slow once is left to that thread for a while.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

SLOW_S = 0.02
"""A write that took longer waited for something."""
REST_S = 10.0
"""How long nothing is done on the spot after a slow write."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What a write returned."""

    value: T


class Spot:
    """The asking thread's own connection to a file that is there and in WAL mode already."""

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._monotonic = path, monotonic
        self._connection: sqlite3.Connection | None = None
        self._rests_until = 0.0

    def write(self, do: Callable[[sqlite3.Connection], T]) -> Done[T] | None:
        """Run `do` in a transaction, now; `None`: it was not done, and somebody who may wait has to do it.

        What `do` raises comes through and leaves no trace, but for errors of SQLite: those count as "not done".
        """
        began = self._monotonic()
        if began < self._rests_until:
            return None
        try:
            return Done(self._transact(do))
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_BUSY:
                self.close()
            return None
        finally:
            if self._monotonic() - began > SLOW_S:
                self._rests_until = self._monotonic() + REST_S

    def _transact(self, do: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection = self._connection or self._connect()
        connection.execute("BEGIN IMMEDIATE")
        try:
            value = do(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        return value

    def _connect(self) -> sqlite3.Connection:
        place = f"{self._path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(place, uri=True, timeout=0, isolation_level=None)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        return connection

    def close(self) -> None:
        """Let the file go; the next write opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()
