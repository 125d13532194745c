"""One transaction, done again when another process stored the same row first."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.database import Database
from hotline.errors import Conflict

T = TypeVar("T")

TRIES = 5


async def write(database: Database, change: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `change`, which looks before it inserts: the next try sees what made this one fail.

    Raises:
        Conflict: it failed again and again.
        Unavailable: the database does not answer.
    """
    for _ in range(TRIES - 1):
        try:
            return await database.write(change)
        except Conflict as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            await asyncio.sleep(0)
    return await database.write(change)
