"""Notes and reviews in SQL."""

from typing import Any

import msgspec
from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.database import Database
from quality import tables
from quality.model import Note, Review


class SqlQuality:
    """Rows of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_note(self, note: Note) -> None:
        await self._add(tables.notes, msgspec.to_builtins(note) | {"at": note.at})

    async def add_review(self, review: Review) -> None:
        await self._add(tables.reviews, msgspec.to_builtins(review) | {"at": review.at})

    async def notes(self, recording: str) -> list[Note]:
        """In the order of the recording."""
        query = select(tables.notes).where(tables.notes.c.recording == recording)
        rows = await self._rows(query.order_by(tables.notes.c.from_ms, tables.notes.c.id))
        return [msgspec.convert(_plain(row), Note) for row in rows]

    async def note(self, recording: str, note: str) -> Note | None:
        query = select(tables.notes).where(tables.notes.c.recording == recording, tables.notes.c.id == note)
        return next((msgspec.convert(_plain(row), Note) for row in await self._rows(query)), None)

    async def remove_note(self, note: str) -> None:
        await self._database.write(lambda c: c.execute(delete(tables.notes).where(tables.notes.c.id == note)))

    async def reviews(self, recording: str) -> list[Review]:
        """The newest first."""
        query = select(tables.reviews).where(tables.reviews.c.recording == recording)
        rows = await self._rows(query.order_by(tables.reviews.c.at.desc(), tables.reviews.c.id.desc()))
        return [msgspec.convert(_plain(row), Review) for row in rows]

    async def _rows(self, query: Any) -> list[RowMapping]:
        async def read(connection: AsyncConnection) -> list[RowMapping]:
            return list((await connection.execute(query)).mappings())

        return await self._database.read(read)

    async def _add(self, table: Any, values: dict[str, Any]) -> None:
        await self._database.write(lambda connection: connection.execute(insert(table).values(**values)))


def _plain(row: RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
