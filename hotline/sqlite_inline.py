"""aiosqlite's face on the standard library's sqlite3: what SQLAlchemy's asynchronous engine asks for, done at once.

aiosqlite sends every step of every statement (open a cursor, execute, fetch, close) to a thread of its own and waits
for the answer, which costs several times what the statement costs. Here a step simply runs, so its thread must be
one that may wait for a disk: only `hotline.sql`'s.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any


class InlineCursor:
    """A cursor whose coroutines never wait."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.arraysize = 1

    async def __aenter__(self) -> "InlineCursor":
        return self

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> "InlineCursor":
        self._cursor.execute(operation, parameters)
        return self

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> "InlineCursor":
        self._cursor.executemany(operation, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()


class InlineConnection:
    """A connection that begins no transaction by itself and whose coroutines never wait."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._conn = connection

    def cursor(self) -> InlineCursor:
        return InlineCursor(self._connection.cursor())

    async def commit(self) -> None:
        self._connection.commit()

    async def rollback(self) -> None:
        self._connection.rollback()

    async def close(self) -> None:
        self._connection.close()

    async def create_function(self, *args: Any, **options: Any) -> None:
        self._connection.create_function(*args, **options)

    def stop(self) -> None:
        """What the pool asks for when it cannot wait for `close`."""
        self._connection.close()


async def connect_inline(database: str, **options: Any) -> InlineConnection:
    """For `connect_args={"async_creator_fn": connect_inline}`. The thread that makes it is the one that uses it, but a
    pool that is collected elsewhere closes it there."""
    options |= {"isolation_level": None, "check_same_thread": False}
    return InlineConnection(sqlite3.connect(database, **options))
