"""The catalogue's store on every database: whole or not at all, one writer wins, a ledger of every difference."""

import asyncio
from datetime import UTC, date, datetime, time

import msgspec
import pytest
from sqlalchemy import create_engine

from hotline.database import metadata
from hotline.errors import Conflict, Unavailable
from hotline.sql import OpenDatabase, connect
from hotline.sql_urls import synchronous
from ivr import tables
from ivr.catalogue_file import parse
from ivr.model import Catalogue, DayOverride, DayWindow, Entry, HoursProfile, MergeMode, SkillNeed
from ivr.service import DATA
from ivr.store_sql import SqlNumberStore

pytestmark = pytest.mark.contract

AT = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
WINDOW = DayWindow(days=frozenset({"workdays", "sat"}), start=time(8, 30), end=None, season=((10, 1), (4, 30)))
FULL = Entry(
    number="12329",
    region="0717",
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 12, 31),
    name="住房公积金",
    owner_unit="公积金中心",
    mode=MergeMode.DUAL,
    needs=(SkillNeed("housing_fund", 3),),
    aliases=("07176123456",),
    experts=("fund_expert",),
)
CATALOGUE = Catalogue(
    home="0717",
    entries=(Entry(number="12345", name="热线", mode=MergeMode.SELF), FULL),
    profiles=(HoursProfile(name="office", windows=(WINDOW,)),),
    days=(DayOverride(day=date(2026, 11, 23), kind="work", counts_as="fri", windows=(WINDOW,)),),
)
SORTED = msgspec.structs.replace(CATALOGUE, entries=tuple(sorted(CATALOGUE.entries, key=lambda one: one.key)))


@pytest.fixture
async def store(database: OpenDatabase, database_url: str) -> SqlNumberStore:
    engine = create_engine(synchronous(database_url))
    own = [tables.catalogue, tables.numbers, tables.hours, tables.days, tables.ledger]
    metadata.create_all(engine, tables=own)
    engine.dispose()
    return SqlNumberStore(database)


async def test_empty_store_has_revision_nought_and_nothing(store: SqlNumberStore) -> None:
    assert await store.revision() == 0
    assert await store.load("0717") == (0, Catalogue(home="0717"))


async def test_what_was_saved_is_loaded_as_it_was(store: SqlNumberStore) -> None:
    assert await store.save(CATALOGUE, expected=0, who="me", at=AT) == 4
    assert await store.load("0717") == (1, SORTED)
    assert await store.revision() == 1


async def test_shipped_catalogues_survive_the_way_there_and_back(store: SqlNumberStore) -> None:
    catalogue = Catalogue(home="0717")
    for name in ("common.yaml", "yichang.yaml", "lanzhou.yaml"):
        catalogue = parse((DATA / name).read_bytes(), name, catalogue)
    await store.save(catalogue, expected=0, who="me", at=AT)
    assert (await store.load("0717"))[1] == catalogue


async def test_a_date_that_is_taken_back_is_gone_and_told_in_the_ledger(store: SqlNumberStore) -> None:
    await store.save(CATALOGUE, expected=0, who="first", at=AT)
    assert await store.save(msgspec.structs.replace(SORTED, days=()), expected=1, who="second", at=AT) == 1
    assert (await store.load("0717"))[1].days == ()
    lines = await store.ledger("day:2026-11-23")
    assert [(line.who, line.before is None, line.after == {}) for line in lines] == [
        ("first", True, False),
        ("second", False, True),
    ]


async def test_only_what_differs_is_written_and_told_in_the_ledger(store: SqlNumberStore) -> None:
    await store.save(CATALOGUE, expected=0, who="first", at=AT)
    changed = msgspec.structs.replace(FULL, valid_to=date(2026, 6, 30))
    following = msgspec.structs.replace(FULL, valid_from=date(2026, 7, 1), mode=MergeMode.WHOLE)
    new = msgspec.structs.replace(SORTED, entries=(changed, following, SORTED.entries[1]))
    assert await store.save(new, expected=1, who="second", at=AT) == 2
    lines = await store.ledger("12329")
    assert [(line.who, line.at, line.before is None) for line in lines] == [
        ("first", AT, True),
        ("second", AT, False),
        ("second", AT, True),
    ]
    before = lines[1].before
    assert before is not None
    assert (before["valid_to"], lines[1].after["valid_to"]) == ("2026-12-31", "2026-06-30")
    assert [line.subject for line in await store.ledger("")] == ["12345", "12329", "hours:office", "day:2026-11-23"] + [
        "12329"
    ] * 2


async def test_ledger_goes_on_after_a_line(store: SqlNumberStore) -> None:
    await store.save(CATALOGUE, expected=0, who="me", at=AT)
    first, *rest = await store.ledger("", limit=2)
    assert len(rest) == 1
    assert (await store.ledger("", after=first.seq))[0] == rest[0]


async def test_late_writer_gets_a_conflict_and_changes_nothing(store: SqlNumberStore) -> None:
    await store.save(CATALOGUE, expected=0, who="first", at=AT)
    other = msgspec.structs.replace(CATALOGUE, entries=(Entry(number="12399", name="x", mode=MergeMode.SELF),))
    for stale in (0, 2):
        with pytest.raises(Conflict):
            await store.save(other, expected=stale, who="late", at=AT)
    assert await store.load("0717") == (1, SORTED)
    assert {line.who for line in await store.ledger("")} == {"first"}


async def test_one_of_many_writers_at_once_wins_each_round(store: SqlNumberStore) -> None:
    for revision in range(3):
        changed = msgspec.structs.replace(FULL, note=f"round {revision}")
        catalogues = [
            msgspec.structs.replace(CATALOGUE, entries=(msgspec.structs.replace(changed, name=f"writer {n}"),))
            for n in range(5)
        ]
        saves = [store.save(one, expected=revision, who="w", at=AT) for one in catalogues]
        results = await asyncio.gather(*saves, return_exceptions=True)
        assert sum(isinstance(result, int) for result in results) == 1, results
        assert all(isinstance(result, int | Conflict | Unavailable) for result in results), results
        assert await store.revision() == revision + 1


async def test_failure_in_the_middle_leaves_nothing_behind(store: SqlNumberStore) -> None:
    await store.save(CATALOGUE, expected=0, who="me", at=AT)
    nameless = Entry(number="12399", name=None, mode=MergeMode.SELF)  # type: ignore[arg-type]
    bad = msgspec.structs.replace(
        CATALOGUE, entries=(Entry(number="110", name="x", mode=MergeMode.EMERGENCY), nameless)
    )
    with pytest.raises(Conflict):
        await store.save(bad, expected=1, who="me", at=AT)
    assert await store.load("0717") == (1, SORTED)


async def test_database_that_is_gone_is_unavailable() -> None:
    gone = connect("postgresql://nobody@127.0.0.1:1/none")
    try:
        with pytest.raises(Unavailable):
            await SqlNumberStore(gone).revision()
    finally:
        await gone.close()


def test_tables_are_portable() -> None:
    for table in (tables.catalogue, tables.numbers, tables.hours, tables.days, tables.ledger):
        assert all(
            type(column.type).__name__ in {"String", "Integer", "JSON", "UtcDateTime"} for column in table.columns
        )
