"""What every event log promises."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hotline.errors import Conflict
from hotline.ports import EventLog

pytestmark = pytest.mark.contract


async def test_facts_come_back_in_order_with_positions_from_one(event_log: EventLog) -> None:
    assert await event_log.append("floor", 0, [b"a", b"b"]) == 2
    assert await event_log.append("floor", 2, [b"c"]) == 3
    entries = await event_log.read("floor")
    assert [(entry.seq, entry.body) for entry in entries] == [(1, b"a"), (2, b"b"), (3, b"c")]
    assert all(abs(entry.at - datetime.now(UTC)) < timedelta(seconds=10) for entry in entries)
    assert entries[0].at.tzinfo is UTC


async def test_a_body_is_kept_byte_for_byte(event_log: EventLog) -> None:
    body = '{"名":"值"}\r\n'.encode() + bytes(range(256)) + b"x" * 100_000
    await event_log.append("floor", 0, [body])
    assert (await event_log.read("floor"))[0].body == body


async def test_an_unexpected_position_is_a_conflict_and_adds_nothing(event_log: EventLog) -> None:
    await event_log.append("floor", 0, [b"a"])
    for wrong in (0, 2, 99):
        with pytest.raises(Conflict):
            await event_log.append("floor", wrong, [b"x", b"y"])
    assert [entry.body for entry in await event_log.read("floor")] == [b"a"]


async def test_of_writers_that_overlap_exactly_one_wins_each_position(event_log: EventLog) -> None:
    async def write(name: int) -> int:
        won = 0
        for _ in range(25):
            head = await event_log.head("floor")
            try:
                await event_log.append("floor", head, [b"%d" % name])
            except Conflict:
                continue
            won += 1
        return won

    won = await asyncio.gather(*(write(name) for name in range(8)))
    entries = await event_log.read("floor")
    assert [entry.seq for entry in entries] == list(range(1, sum(won) + 1))
    assert [sum(entry.body == b"%d" % name for entry in entries) for name in range(8)] == won


async def test_streams_do_not_know_each_other(event_log: EventLog) -> None:
    await event_log.append("call:1", 0, [b"a"])
    await event_log.append("call:2", 0, [b"b"])
    assert [entry.body for entry in await event_log.read("call:2")] == [b"b"]
    assert await event_log.head("call:3") == 0
    assert await event_log.read("call:3") == []


async def test_reading_goes_on_after_a_position_and_stops_at_the_limit(event_log: EventLog) -> None:
    await event_log.append("floor", 0, [b"%d" % number for number in range(1, 2501)])
    assert [entry.seq for entry in await event_log.read("floor", 10, 3)] == [11, 12, 13]
    assert len(await event_log.read("floor")) == 1000
    assert [entry.seq for entry in await event_log.read("floor", 2498)] == [2499, 2500]
    assert await event_log.read("floor", 2500) == []
    assert await event_log.head("floor") == 2500


async def test_the_newest_checkpoint_is_kept(event_log: EventLog) -> None:
    assert await event_log.load_checkpoint("floor") is None
    await event_log.save_checkpoint("floor", 10, b"\x00ten")
    await event_log.save_checkpoint("floor", 7, b"seven")
    assert await event_log.load_checkpoint("floor") == (10, b"\x00ten")
    await event_log.save_checkpoint("floor", 12, b"twelve")
    assert await event_log.load_checkpoint("floor") == (12, b"twelve")
    assert await event_log.load_checkpoint("other") is None


async def test_an_empty_append_says_where_the_stream_stands(event_log: EventLog) -> None:
    await event_log.append("floor", 0, [b"a"])
    assert await event_log.append("floor", 1, []) == 1
    with pytest.raises(Conflict):
        await event_log.append("floor", 0, [])
