"""The catalogue in SQL: one transaction per change, guarded by the revision, with a ledger line per difference."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.database import Database
from hotline.errors import Conflict
from ivr import tables
from ivr.model import Catalogue, DayOverride, Entry, HoursProfile, LedgerLine

_ROW = 1
"""The only row of the revision's table."""

Body = dict[str, Any]


class SqlNumberStore:
    """A `NumberStore` on any database that SQLAlchemy speaks to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def revision(self) -> int:
        return await self._database.read(_revision)

    async def load(self, home: str) -> tuple[int, Catalogue]:
        async def query(connection: AsyncConnection) -> tuple[int, Catalogue]:
            return await _revision(connection), await _load(connection, home)

        return await self._database.read(query)

    async def save(self, catalogue: Catalogue, *, expected: int, who: str, at: datetime) -> int:
        async def change(connection: AsyncConnection) -> int:
            return await _save(connection, catalogue, expected, who, at)

        try:
            return await self._database.write(change)
        except IntegrityError as error:
            raise Conflict("The catalogue was changed by somebody else meanwhile: load it and try again.") from error

    async def ledger(self, subject: str, *, after: int = 0, limit: int = 100) -> list[LedgerLine]:
        query = select(tables.ledger).where(tables.ledger.c.seq > after).order_by(tables.ledger.c.seq).limit(limit)
        if subject:
            query = query.where(tables.ledger.c.subject == subject)

        async def read(connection: AsyncConnection) -> list[LedgerLine]:
            rows = (await connection.execute(query)).mappings()
            return [LedgerLine(**row) for row in rows]

        return await self._database.read(read)


async def _revision(connection: AsyncConnection) -> int:
    found = await connection.scalar(select(tables.catalogue.c.revision).where(tables.catalogue.c.id == _ROW))
    return int(found or 0)


async def _load(connection: AsyncConnection, home: str) -> Catalogue:
    entries = await _bodies(connection, tables.numbers)
    profiles, days = await _bodies(connection, tables.hours), await _bodies(connection, tables.days)
    return Catalogue(
        home=home,
        entries=tuple(sorted((msgspec.convert(body, Entry) for body in entries), key=lambda one: one.key)),
        profiles=tuple(sorted((msgspec.convert(body, HoursProfile) for body in profiles), key=lambda one: one.name)),
        days=tuple(sorted((msgspec.convert(body, DayOverride) for body in days), key=lambda one: one.day)),
    )


async def _bodies(connection: AsyncConnection, table: Table) -> Sequence[Body]:
    return list((await connection.execute(select(table.c.body))).scalars())


async def _save(connection: AsyncConnection, new: Catalogue, expected: int, who: str, at: datetime) -> int:
    await _take_revision(connection, expected)
    changed = 0
    for table, rows in _rows(new).items():
        stored = {_key(table, row): row["body"] for row in (await connection.execute(select(table))).mappings()}
        for row in rows:
            before = stored.get(_key(table, row))
            if before == row["body"]:
                continue
            changed += 1
            await _replace(connection, table, row)
            line = {"at": at, "who": who, "subject": _subject(table, row), "before": before, "after": row["body"]}
            await connection.execute(insert(tables.ledger).values(line))
    return changed + await _forget_days(connection, new, who, at)


async def _forget_days(connection: AsyncConnection, new: Catalogue, who: str, at: datetime) -> int:
    """Own dates are taken back as a whole; entries and profiles only end."""
    kept = {one.day.isoformat() for one in new.days}
    rows = [row for row in (await connection.execute(select(tables.days))).mappings() if row["day"] not in kept]
    for row in rows:
        await connection.execute(delete(tables.days).where(tables.days.c.day == row["day"]))
        line = {"at": at, "who": who, "subject": f"day:{row['day']}", "before": row["body"], "after": {}}
        await connection.execute(insert(tables.ledger).values(line))
    return len(rows)


async def _take_revision(connection: AsyncConnection, expected: int) -> None:
    """Whoever comes second finds another revision, here or as a duplicate first row."""
    values = {"revision": expected + 1}
    if expected == 0:
        await connection.execute(insert(tables.catalogue).values(id=_ROW, **values))
        return
    table = tables.catalogue
    query = update(table).where(table.c.id == _ROW, table.c.revision == expected).values(values)
    if (await connection.execute(query)).rowcount != 1:
        raise Conflict("The catalogue was changed by somebody else meanwhile: load it and try again.")


async def _replace(connection: AsyncConnection, table: Table, row: Body) -> None:
    same = [column == row[column.name] for column in table.primary_key.columns]
    await connection.execute(delete(table).where(*same))
    await connection.execute(insert(table).values(row))


def _key(table: Table, row: Mapping[Any, Any]) -> tuple[str, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _rows(catalogue: Catalogue) -> dict[Table, list[Body]]:
    return {
        tables.numbers: [_number_row(entry) for entry in catalogue.entries],
        tables.hours: [{"name": one.name, "body": _body(one)} for one in catalogue.profiles],
        tables.days: [{"day": one.day.isoformat(), "body": _body(one)} for one in catalogue.days],
    }


def _number_row(entry: Entry) -> Body:
    number, region, valid_from = entry.key
    return {
        "number": number,
        "region": region,
        "valid_from": valid_from,
        "valid_to": entry.valid_to.isoformat() if entry.valid_to else "",
        "mode": entry.mode.value,
        "owner_unit": entry.owner_unit,
        "name": entry.name,
        "body": _body(entry),
    }


def _body(value: Entry | HoursProfile | DayOverride) -> Body:
    """As JSON would give it back, so that two bodies can be compared."""
    body: Body = msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))
    return body


def _subject(table: Table, row: Body) -> str:
    if table is tables.hours:
        return f"hours:{row['name']}"
    return f"day:{row['day']}" if table is tables.days else str(row["number"])
