"""An event log forgets what nobody will read again, and nobody notices."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.floor import Floor
from acd.model import AnyFloorFact, Join, Reachability, Rules, SignIn
from acd.recall import recall
from acd.service import FloorKeeper
from calls.ledger import Ledger
from calls.model import CallArrived, CallEnded, Outcome, Phase, Queued
from calls.tables import cursors
from calls.trimming import Trimmer
from hotline.clock import ManualClock, SystemClock
from hotline.database import metadata
from hotline.errors import Conflict, Unavailable
from hotline.ids import CountedIds
from hotline.local import TRIM_STEP
from hotline.ports import EventLog
from hotline.sql import OpenDatabase
from telephony.model import LineId

pytestmark = pytest.mark.contract

LATER = timedelta(hours=1)
NOW = datetime.now(UTC)


async def positions(log: EventLog, stream: str = "floor") -> list[int]:
    return [entry.seq for entry in await log.read(stream)]


async def filled(log: EventLog, facts: int = 10, checkpoint: int | None = 6) -> None:
    await log.append("floor", 0, [b"%d" % number for number in range(1, facts + 1)])
    if checkpoint is not None:
        await log.save_checkpoint("floor", checkpoint, b"state")


async def test_facts_behind_the_checkpoint_go_and_the_others_keep_their_places(event_log: EventLog) -> None:
    await filled(event_log)
    assert await event_log.trim("floor", 10, NOW + LATER) == 6
    assert [(entry.seq, entry.body) for entry in await event_log.read("floor", 2)][:2] == [(7, b"7"), (8, b"8")]
    assert (await event_log.head("floor"), await event_log.load_checkpoint("floor")) == (10, (6, b"state"))
    assert await event_log.append("floor", 10, [b"11"]) == 11
    with pytest.raises(Conflict):
        await event_log.append("floor", 5, [b"x"])
    assert await event_log.trim("floor", 10, NOW + LATER) == 0


async def test_nothing_goes_that_somebody_may_still_read(event_log: EventLog) -> None:
    await filled(event_log, checkpoint=None)
    assert await event_log.trim("floor", 10, NOW + LATER) == 0, "no checkpoint"
    await event_log.save_checkpoint("floor", 6, b"state")
    assert await event_log.trim("floor", 10, NOW - LATER) == 0, "younger than asked for"
    assert await event_log.trim("floor", 0, NOW + LATER) == 0, "nobody has folded it"
    assert await event_log.trim("floor", 4, NOW + LATER) == 4
    assert await event_log.trim("other", 4, NOW + LATER) == 0
    assert await positions(event_log) == [5, 6, 7, 8, 9, 10]


async def test_the_last_fact_stays_so_that_the_position_is_known(event_log: EventLog) -> None:
    await filled(event_log, facts=3, checkpoint=3)
    assert await event_log.trim("floor", 3, NOW + LATER) == 2
    assert (await positions(event_log), await event_log.head("floor")) == ([3], 3)
    assert await event_log.append("floor", 3, [b"4"]) == 4


async def test_of_other_streams_nothing_goes(event_log: EventLog) -> None:
    await filled(event_log)
    await event_log.append("calls:main", 0, [b"a", b"b"])
    await event_log.save_checkpoint("calls:main", 2, b"")
    await event_log.trim("floor", 10, NOW + LATER)
    assert await positions(event_log, "calls:main") == [1, 2]


async def test_many_facts_go_in_steps_between_which_others_write(event_log: EventLog) -> None:
    many = 3 * TRIM_STEP + 7
    await filled(event_log, facts=many, checkpoint=many)
    trimming = asyncio.create_task(event_log.trim("floor", many, NOW + LATER))
    assert await event_log.append("floor", many, [b"new"]) == many + 1
    assert await trimming >= many - 1
    assert (await positions(event_log))[-1] == many + 1


# What reads the log --------------------------------------------------------------------------------------------------


async def keeper_of(log: EventLog, *, every: int = 20) -> FloorKeeper:
    keeper = FloorKeeper(log, SystemClock(), CountedIds(), rules=Rules(), checkpoint_every=every)
    await keeper.start()
    return keeper


async def busy(keeper: FloorKeeper, calls: range) -> None:
    await keeper.do(SignIn(seat="8001", agent="8001", phone="8001", skills={"general": 5}, reachable=False))
    for number in calls:
        await keeper.do(Join(call=f"call_{number}", queue="general", dialled="12345"))


async def test_a_floor_is_the_same_after_trimming_and_a_restart(event_log: EventLog) -> None:
    keeper = await keeper_of(event_log)
    await busy(keeper, range(50))
    await keeper.close()
    await busy(keeper := await keeper_of(event_log, every=1000), range(50, 55))
    before, checkpoint = keeper.floor.dump(), await event_log.load_checkpoint("floor")
    assert checkpoint is not None
    assert checkpoint[0] < keeper.seq
    assert await event_log.trim("floor", keeper.seq, NOW + LATER) == checkpoint[0]
    after = await keeper_of(event_log)
    assert (after.floor.dump(), after.seq) == (before, keeper.seq)
    facts = await after.do(Reachability(phone="8001", reachable=True))
    assert [type(fact).__name__ for fact in facts][:2] == ["ReachabilityChanged", "Offered"]
    ledger = await recall(event_log, after, SystemClock())
    assert {stay.call for stay in ledger.stays(NOW - LATER)} == {f"call_{number}" for number in range(50, 55)}


async def test_a_keeper_that_slept_through_a_trimming_reads_the_floor_anew(event_log: EventLog) -> None:
    first = await keeper_of(event_log)
    await busy(first, range(5))
    await first.close()
    sleeper, worker = await keeper_of(event_log), await keeper_of(event_log, every=1000)
    told: list[AnyFloorFact] = []
    sleeper.subscribe(told.append)
    await busy(worker, range(5, 40))
    await worker.close()
    assert await event_log.trim("floor", worker.seq, NOW + LATER) > 20
    await sleeper.do(Join(call="mine", queue="general", dialled="12345"))
    assert {call.call for call in sleeper.floor.waiting()} == {"mine", *(f"call_{number}" for number in range(40))}
    await sleeper.close()


async def test_a_checkpoint_that_cannot_be_read_is_no_reason_to_guess_from_what_is_left(event_log: EventLog) -> None:
    keeper = await keeper_of(event_log)
    await busy(keeper, range(30))
    await keeper.close()
    await event_log.trim("floor", keeper.seq, NOW + LATER)
    await event_log.save_checkpoint("floor", keeper.seq, b'{"version": 99}')
    with pytest.raises(Unavailable, match="of another version and the facts before it are trimmed"):
        await keeper_of(event_log)
    assert isinstance(Floor.load(keeper.floor.dump()), Floor)


def arrived(call: str) -> CallArrived:
    return CallArrived(call=call, at=NOW, line=LineId(f"line-{call}"), dialled="12345", declared=True)


async def calls_of(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Three calls, of which one has ended; the checkpoint is behind the fourth of five facts."""
    monkeypatch.setattr("calls.ledger.CHECKPOINT_EVERY", 4)
    ledger = Ledger(log, node="main")
    await ledger.load()
    await ledger.record((arrived("c1"), arrived("c2")))
    ended = CallEnded(call="c1", at=NOW, outcome=Outcome.ABANDONED, phase=Phase.IN_IVR)
    await ledger.record((ended, Queued(call="c2", at=NOW, queue="general")))
    await ledger.record((arrived("c3"),))
    return ledger


@pytest.fixture
async def cursor(database: OpenDatabase) -> OpenDatabase:
    """A database with the table of cursors, empty."""

    async def make(connection: AsyncConnection) -> None:
        await connection.run_sync(lambda sync: metadata.create_all(sync, tables=[cursors]))

    await database.write(make)
    return database


async def fold_upto(database: OpenDatabase, seq: int, *, first: bool = False) -> None:
    statement = insert(cursors).values(stream="calls:main", seq=seq) if first else update(cursors).values(seq=seq)
    await database.write(lambda connection: connection.execute(statement))


async def test_calls_are_the_same_after_trimming_and_wait_for_their_rows(
    event_log: EventLog, cursor: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await calls_of(event_log, monkeypatch)
    clock = ManualClock(NOW)
    streams, keep = ("floor", ledger.stream), timedelta(days=30)
    trimmer = Trimmer(event_log, cursor, clock, keep, streams=streams, projected=(ledger.stream,))
    clock.advance(timedelta(days=31))
    assert await trimmer.round() == 0, "no row was ever written"
    await fold_upto(cursor, 2, first=True)
    assert await trimmer.round() == 2
    assert await positions(event_log, ledger.stream) == [3, 4, 5]
    await fold_upto(cursor, 5)
    assert await trimmer.round() == 2, "the checkpoint stands at 4"
    again = Ledger(event_log, node="main")
    await again.load()
    assert (again.live, again.head) == (ledger.live, 5)
    assert set(again.live) == {"c2", "c3"}
    await again.record((arrived("c4"),))


async def test_what_is_young_stays_however_much_is_folded(
    event_log: EventLog, cursor: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, clock = await calls_of(event_log, monkeypatch), ManualClock(NOW + timedelta(days=29))
    await fold_upto(cursor, 5, first=True)
    streams, keep = (ledger.stream,), timedelta(days=30)
    trimmer = Trimmer(event_log, cursor, clock, keep, streams=streams, projected=streams)
    assert await trimmer.round() == 0
    clock.advance(timedelta(days=2))
    assert await trimmer.round() == 4
