"""aiosqlite's face on the standard library's sqlite3: what SQLAlchemy's asynchronous engine asks for, done at once.

aiosqlite sends every step of every statement (open a cursor, execute, fetch, close) to a thread of its own and waits
for the answer, which costs several times what the statement costs. Here a step simply runs, so its thread must be
one that may wait for a disk: only `hotline.sql`'s.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

AT_ONCE = "at once"
"""Where `hotline.sql` keeps the `AtOnce` of a connection, in SQLAlchemy's `info` about it."""


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

    @property
    def at_once(self) -> "AtOnce":
        return AtOnce(self._connection)

    def stop(self) -> None:
        """What the pool asks for when it cannot wait for `close`."""
        self._connection.close()


async def connect_inline(database: str, **options: Any) -> InlineConnection:
    """For `connect_args={"async_creator_fn": connect_inline}`. The thread that makes it is the one that uses it, but a
    pool that is collected elsewhere closes it there."""
    options |= {"isolation_level": None, "check_same_thread": False}
    return InlineConnection(sqlite3.connect(database, **options))


class AtOnce:
    """The same connection without the face: for SQL that is text already."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, arguments: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Raises: what SQLAlchemy would."""
        try:
            return self._connection.execute(sql, arguments)
        except sqlite3.Error as error:
            raise _as_told_by_sqlalchemy(error) from error

    def executemany(self, sql: str, several: Sequence[Sequence[Any]]) -> None:
        """Raises: what SQLAlchemy would."""
        try:
            self._connection.executemany(sql, several)
        except sqlite3.Error as error:
            raise _as_told_by_sqlalchemy(error) from error

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction


def at_once(connection: AsyncConnection) -> AtOnce | None:
    """What is behind a connection of SQLAlchemy; nothing when that is a server's."""
    found: AtOnce | None = connection.sync_connection.info.get(AT_ONCE) if connection.sync_connection else None
    return found


def _as_told_by_sqlalchemy(error: sqlite3.Error) -> Exception:
    return DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True)
