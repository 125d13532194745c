"""What every SQL database promises."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, insert, select, text, update
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.database import UtcDateTime
from hotline.errors import BadInput, Conflict, NotAllowed, Unavailable
from hotline.sql import OpenDatabase, connect

pytestmark = pytest.mark.contract

metadata = MetaData()
things = Table(
    "things", metadata, Column("id", Integer, primary_key=True), Column("word", String(200)), Column("at", UtcDateTime)
)
parts = Table("parts", metadata, Column("id", Integer, primary_key=True), Column("thing", ForeignKey("things.id")))


@pytest.fixture(autouse=True)
async def _tables(database: OpenDatabase) -> None:
    await database.write(lambda connection: connection.run_sync(metadata.create_all))


async def _words(connection: AsyncConnection) -> list[str]:
    return [row.word for row in await connection.execute(select(things).order_by(things.c.id))]


def _add(number: int, word: str = "", at: datetime | None = None) -> Callable[[AsyncConnection], Awaitable[int]]:
    async def add(connection: AsyncConnection) -> int:
        await connection.execute(insert(things).values(id=number, word=word, at=at))
        return number

    return add


async def test_a_change_is_seen_by_the_next_reader_and_returns_its_value(database: OpenDatabase) -> None:
    assert await database.write(_add(1, "你好")) == 1
    assert await database.read(_words) == ["你好"]


async def test_moments_come_back_aware_and_in_utc(database: OpenDatabase) -> None:
    shanghai = datetime(2026, 2, 14, 20, 0, 0, 123456, timezone(timedelta(hours=8)))
    await database.write(_add(1, at=shanghai))
    await database.write(_add(2, at=None))
    rows = await database.read(lambda connection: _all(connection))
    assert rows == [datetime(2026, 2, 14, 12, 0, 0, 123456, UTC), None]
    with pytest.raises(Exception, match="time zone"):
        await database.write(_add(3, at=datetime(2026, 2, 14)))  # noqa: DTZ001 - the point of it


async def _all(connection: AsyncConnection) -> list[datetime | None]:
    return list((await connection.execute(select(things.c.at).order_by(things.c.id))).scalars())


async def test_a_change_that_fails_leaves_no_trace_and_others_are_untouched(database: OpenDatabase) -> None:
    async def half(connection: AsyncConnection) -> None:
        await connection.execute(insert(things).values(id=100, word="half"))
        raise NotAllowed("No.")

    outcomes = await asyncio.gather(
        *(database.write(_add(number, str(number))) for number in range(10)),
        database.write(half),
        *(database.write(_add(number, str(number))) for number in range(10, 20)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes].count(NotAllowed) == 1
    assert await database.read(_words) == [str(number) for number in range(20)]


async def test_the_same_row_twice_is_a_conflict(database: OpenDatabase) -> None:
    outcomes = await asyncio.gather(*(database.write(_add(1, str(n))) for n in range(10)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 9 + ["int"]
    assert len(await database.read(_words)) == 1


async def test_a_reference_to_nothing_is_a_conflict(database: OpenDatabase) -> None:
    with pytest.raises(Conflict):
        await database.write(lambda connection: connection.execute(insert(parts).values(id=1, thing=7)))


async def test_read_then_write_loses_no_update_of_another_change(database: OpenDatabase) -> None:
    await database.write(_add(1, "0"))

    async def count(connection: AsyncConnection) -> None:
        word = (await connection.execute(select(things.c.word).where(things.c.id == 1))).scalar_one()
        await asyncio.sleep(0)
        await connection.execute(update(things).where(things.c.id == 1).values(word=str(int(word) + 1)))

    for _ in range(5):
        await asyncio.gather(*(database.write(count) for _ in range(4)))
    assert await database.read(_words) == ["20"]


async def test_a_query_cannot_write(database: OpenDatabase) -> None:
    with pytest.raises((Unavailable, OperationalError, ProgrammingError)):
        await database.read(_add(1))
    assert await database.read(_words) == []


async def test_our_own_wrong_sql_is_not_called_an_outage(database: OpenDatabase) -> None:
    with pytest.raises((OperationalError, ProgrammingError)):
        await database.read(lambda connection: connection.execute(text("SELECT nothing FROM nowhere")))
    await database.check()


async def test_an_error_does_not_tell_what_was_stored(database: OpenDatabase) -> None:
    wrong = text("SELECT nothing FROM nowhere WHERE word = :word")
    with pytest.raises((OperationalError, ProgrammingError)) as caught:
        await database.read(lambda connection: connection.execute(wrong, {"word": "张三丰"}))
    assert "张三丰" not in str(caught.value)


async def test_a_change_that_takes_too_long_is_cut_and_rolled_back(database_url: str) -> None:
    hasty = connect(database_url, timeout_s=0.3)
    stuck = asyncio.Event()

    async def wait(connection: AsyncConnection) -> None:
        await connection.execute(insert(things).values(id=1, word="stuck"))
        await stuck.wait()

    with pytest.raises(Unavailable):
        await hasty.write(wait)
    await hasty.write(_add(2, "after"))
    assert await hasty.read(_words) == ["after"]
    await hasty.close()


async def test_a_caller_who_left_does_not_harm_the_others(database: OpenDatabase) -> None:
    leaving = asyncio.create_task(database.write(_add(1, "left")))
    await asyncio.sleep(0)
    leaving.cancel()
    await database.write(_add(2, "stayed"))
    assert "stayed" in await database.read(_words)


async def test_what_is_closed_has_finished_what_it_was_given(database_url: str) -> None:
    opened = connect(database_url)
    asked = [asyncio.create_task(opened.write(_add(number, "x"))) for number in range(50)]
    await asyncio.gather(*asked)
    await opened.close()
    again = connect(database_url)
    assert len(await again.read(_words)) == 50
    await again.close()


@pytest.mark.parametrize("url", ["", "mysql://host/name", "not a url", "sqlite", "oracle+cx://x"])
def test_a_url_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(BadInput, match="HOTLINE_DATABASE_URL"):
        connect(url)


@pytest.mark.parametrize("value", [2**70, 2**64, -(2**63) - 1])
async def test_a_number_beyond_the_column_is_bad_input(database: OpenDatabase, value: int) -> None:
    with pytest.raises(BadInput):
        await database.read(lambda connection: connection.execute(select(things).where(things.c.id == value)))
    with pytest.raises(BadInput):
        await database.write(_add(value))


async def test_characters_that_cannot_be_stored_harm_nothing(database: OpenDatabase) -> None:
    try:
        await database.write(_add(1, "zero \0 byte"))
    except BadInput:
        assert await database.read(_words) == []  # PostgreSQL knows no zero bytes
    else:
        assert await database.read(_words) == ["zero \0 byte"]
    await database.check()
