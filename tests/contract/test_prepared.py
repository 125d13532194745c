"""A statement that was made once does what SQLAlchemy does with it, on every database."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.database import UtcDateTime
from hotline.errors import Conflict
from hotline.prepared import Prepared
from hotline.sql import OpenDatabase, connect

pytestmark = pytest.mark.contract

metadata = MetaData()
things = Table(
    "prepared_things",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("word", String(200)),
    Column("at", UtcDateTime),
    Column("parts", JSON),
    Column("good", Boolean),
)
owners = Table("owners", metadata, Column("thing", ForeignKey("prepared_things.id"), primary_key=True))

NEW, NEW_OWNER = Prepared(insert(things)), Prepared(insert(owners))
CHANGE = Prepared(update(things).where(things.c.id == bindparam("key")))
RAISE = Prepared(update(things).where(things.c.id == bindparam("key")).values(id=things.c.id + 100))
ALL = Prepared(select(things).order_by(things.c.id))
NAMED = Prepared(select(things.c.id, things.c.at).where(things.c.word == bindparam("key"), things.c.id < 50).limit(1))
LAST = Prepared(select(func.max(things.c.id).label("last")))
AT = datetime(2026, 2, 14, 20, 0, 0, 123456, timezone(timedelta(hours=8)))


def thing(number: int, **values: Any) -> dict[str, Any]:
    return {"id": number, "word": "你好", "at": AT, "parts": [{"甲": 1}], "good": True, **values}


@pytest.fixture(autouse=True)
async def _tables(database: OpenDatabase) -> None:
    await database.write(lambda connection: connection.run_sync(metadata.create_all))


async def test_values_come_back_as_sqlalchemy_gives_them(database: OpenDatabase) -> None:
    await database.write(lambda c: NEW.run_all(c, [thing(1), thing(2, word=None, at=None, parts=None, good=False)]))

    async def both(connection: AsyncConnection) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        found = (await connection.execute(select(things).order_by(things.c.id))).mappings()
        return await ALL.rows(connection, {}), [{str(name): one[name] for name in one} for one in found]

    ours, theirs = await database.read(both)
    assert ours == theirs
    assert ours[0] == thing(1, at=AT.astimezone(UTC))
    assert [type(value) for value in ours[0].values()] == [type(value) for value in theirs[0].values()]
    assert ours[1] == thing(2, word=None, at=None, parts=None, good=False)


async def test_each_set_of_columns_is_changed_alone_and_counted(database: OpenDatabase) -> None:
    await database.write(lambda c: NEW.run_all(c, [thing(1), thing(2)]))
    assert await database.write(lambda c: CHANGE.run(c, {"key": 1, "word": "b"})) == 1
    assert await database.write(lambda c: CHANGE.run(c, {"key": 9, "word": "b"})) == 0
    await database.write(lambda c: CHANGE.run_all(c, [{"key": n, "good": False, "parts": [n]} for n in (1, 2)]))
    await database.write(lambda c: CHANGE.run_all(c, []))
    rows = await database.read(lambda c: ALL.rows(c, {}))
    assert [(row["word"], row["good"], row["parts"]) for row in rows] == [("b", False, [1]), ("你好", False, [2])]


async def test_what_the_statement_itself_says_is_used(database: OpenDatabase) -> None:
    await database.write(lambda c: NEW.run_all(c, [thing(1), thing(2)]))
    await database.write(lambda c: RAISE.run(c, {"key": 2}))
    assert await database.read(lambda c: LAST.row(c, {})) == {"last": 102}
    assert await database.read(lambda c: NAMED.rows(c, {"key": "你好"})) == [{"id": 1, "at": AT}]
    assert await database.read(lambda c: NAMED.row(c, {"key": "nobody"})) is None


async def test_refusals_are_those_of_any_other_statement(database: OpenDatabase) -> None:
    await database.write(lambda c: NEW.run(c, thing(1)))
    with pytest.raises(Conflict):
        await database.write(lambda c: NEW.run(c, thing(1)))
    with pytest.raises(Conflict):
        await database.write(lambda c: NEW_OWNER.run_all(c, [{"thing": 1}, {"thing": 404}]))
    assert await database.read(lambda c: Prepared(select(owners)).rows(c, {})) == []
    with pytest.raises(Exception, match="time zone"):
        await database.write(lambda c: NEW.run(c, thing(3, at=AT.replace(tzinfo=None))))


async def test_a_list_of_values_is_refused_when_it_is_made(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(TypeError, match="list of values"):
        await database.read(lambda c: Prepared(select(things).where(things.c.id.in_([1, 2]))).rows(c, {}))
    await database.close()
