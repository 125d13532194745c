"""The SQL database: one `MetaData` for all rooms, reads side by side, writes one after another on SQLite.

Rooms describe their tables in `tables.py` on `metadata` with portable types only (no ENUM, ARRAY, JSONB) and
talk SQLAlchemy Core. A write is one function in one transaction; on SQLite a single writer task runs them and
commits several at once, because concurrent writers spin on its lock.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from sqlalchemy import DateTime, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeDecorator

T = TypeVar("T")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, timezone-aware in and out, always UTC in the row (SQLite would forget the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database(Protocol):
    """Where rows live. Both methods raise `Unavailable` when the database does not answer in time."""

    async def read(self, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run a query in a connection of its own. It must not write."""
        ...

    async def write(self, change: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run `change` in one transaction and commit. It may run again after a serialisation failure."""
        ...
