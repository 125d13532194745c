"""Call facts become rows, tickets and recordings once each, whatever is killed, refused or repeated on the way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls import rows
from calls.leftovers import Leftovers
from calls.links import Links
from calls.model import (
    AnyCallFact,
    CallArrived,
    CallEnded,
    Outcome,
    Party,
    Phase,
    PickedUp,
    Queued,
    Ringing,
    TalkEnded,
    TalkStarted,
    TrackOpened,
)
from calls.projection import BORN, Projection
from calls.rows import CallRow
from calls.tables import call_lines, calls
from hotline.clock import SystemClock
from hotline.database import metadata
from hotline.errors import Unavailable
from hotline.ids import UlidIds
from hotline.local import LocalEventLog
from hotline.sql import OpenDatabase
from recordings.model import RecordingState, Transcription
from recordings.service import RecordingService
from recordings.store_files import RecordingFiles
from telephony.model import LineId
from tickets.model import TranscriptState
from tickets.numbering import NumberFormat
from tickets.service import TicketService
from transcription.service import TranscriptService
from transcription.store_sql import SqlTranscripts

pytestmark = pytest.mark.contract

START = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
STREAM = "calls:main"


class NoJobs:
    async def enqueue(self, name: str, payload: object, *, key: str) -> None:
        raise AssertionError(f"{name} {key} {payload}: there is no model")


def answered(call: str) -> list[AnyCallFact]:
    """The facts of a call that a seat answered."""
    citizen, seat = LineId(f"{call}.1"), LineId(f"{call}.2")

    def at(seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)

    return [
        CallArrived(call=call, at=at(0), line=citizen, dialled="12345", declared=True, caller="13800000000"),
        Queued(call=call, at=at(0), queue="general"),
        Ringing(call=call, at=at(0), offer="o", seat="8001", phone="8001"),
        TrackOpened(call=call, at=at(0), line=citizen, party=Party.CITIZEN),
        PickedUp(call=call, at=at(2), offer="o", seat_line=seat),
        TalkStarted(call=call, at=at(2), offer="o", seat="8001", agent="8001"),
        TrackOpened(call=call, at=at(2), line=seat, party=Party.OPERATOR, agent="8001"),
        TalkEnded(call=call, at=at(3)),
        CallEnded(call=call, at=at(4), outcome=Outcome.COMPLETED, phase=Phase.CLOSING),
    ]


def abandoned(call: str) -> list[AnyCallFact]:
    """The facts of a call whose citizen hung up while a phone rang."""
    ended = CallEnded(call=call, at=START + timedelta(seconds=1), outcome=Outcome.ABANDONED, phase=Phase.RINGING)
    return [*answered(call)[:4], ended]


class House:
    """One controller's rooms behind a projection."""

    def __init__(self, database: OpenDatabase, log: LocalEventLog, folder: Path) -> None:
        clock, ids, zone = SystemClock(), UlidIds(), ZoneInfo("Asia/Shanghai")
        self.database, self.log = database, log
        self.recordings = RecordingService(database, RecordingFiles(folder / "recordings", zone), clock, ids)
        self.tickets = TicketService(database, clock, ids, numbers=NumberFormat(), zone=zone)
        self.transcripts = TranscriptService(SqlTranscripts(database), NoJobs(), clock, ids, lambda: "")
        self.leftovers = Leftovers(database, self.recordings, folder / "fallback")
        self.links = Links(
            recordings=self.recordings,
            tickets=self.tickets,
            transcripts=self.transcripts,
            leftovers=self.leftovers,
            changed=self._changed,
        )
        self.refused = 0
        self.projection = self.fresh()

    async def _changed(self) -> None: ...

    def fresh(self) -> Projection:
        """The projection of a process that has just started."""
        return Projection(self.log, STREAM, self.database, self._consequence)

    async def _consequence(self, connection: AsyncConnection, fact: AnyCallFact, row: CallRow) -> None:
        await self.links.consequence(connection, fact, row)
        if self.refused and isinstance(fact, TalkStarted):
            self.refused -= 1
            raise Unavailable("The database is away.")

    async def happened(self, *facts: AnyCallFact) -> None:
        head = await self.log.head(STREAM)
        await self.log.append(STREAM, head, [msgspec.json.encode(fact) for fact in facts])

    def speak(self, call: str) -> None:
        folder = self.recordings.track_folder(call, START)
        folder.mkdir(parents=True)
        for line in (f"{call}.1", f"{call}.2"):
            (folder / f"{line}.sln").write_bytes(np.full(8000, 7, "<i2").tobytes())

    async def rows(self, table: Any = calls) -> Sequence[Any]:
        async def read(connection: AsyncConnection) -> Sequence[Any]:
            return (await connection.execute(select(table))).all()

        return await self.database.read(read)


@pytest.fixture
async def house(database: OpenDatabase, tmp_path: Path) -> AsyncIterator[House]:
    await database.write(lambda connection: connection.run_sync(metadata.create_all))
    log = LocalEventLog(tmp_path / "events.db", SystemClock())
    yield House(database, log, tmp_path)
    await log.close()


async def folded(house: House, *batches: int) -> None:
    """Let `batches` facts be folded each time, as if they came in such pieces."""
    facts, done = answered("call_1"), 0
    for size in batches:
        await house.happened(*facts[done : done + size])
        await house.projection.fold()
        done += size
    await house.happened(*facts[done:])
    await house.projection.fold()


@pytest.mark.parametrize("batches", [(), (1,) * 8, (4, 3, 1), (5, 1)])
async def test_the_pieces_in_which_facts_come_make_no_difference(house: House, batches: tuple[int, ...]) -> None:
    await folded(house, *batches)
    (row,) = await house.rows()
    assert (row.phase, row.outcome, row.seat, row.waited_s, row.talked_s) == ("ended", "completed", "8001", 2.0, 1.0)
    recording = await house.recordings.for_call("call_1")
    ticket = await house.tickets.for_call("call_1")
    assert recording is not None
    assert ticket is not None
    assert (recording.state, recording.ended_at) == (RecordingState.PENDING, START + timedelta(seconds=4))
    assert [(track.line, track.ended_at) for track in recording.tracks] == [
        ("call_1.1", START + timedelta(seconds=4)),
        ("call_1.2", START + timedelta(seconds=3)),
    ]
    assert (ticket.recording, ticket.agent, ticket.caller) == (recording.id, "8001", "13800000000")
    assert await house.rows(call_lines) == []


def test_what_the_first_fact_says_of_a_call_no_other_changes() -> None:
    first, *others = answered("call_1")
    assert isinstance(first, CallArrived)
    row = born = rows.arrived(first)
    for fact in [*others, *abandoned("call_1")[1:]]:
        row = rows.fold(row, fact)
    assert {name for name in CallRow.__struct_fields__ if getattr(row, name) != getattr(born, name)}.isdisjoint(BORN)
    assert {"call", "dialled", "arrived_at"} < BORN


async def test_what_was_cut_off_is_done_again_and_once(house: House) -> None:
    await house.happened(*answered("call_1"), *answered("call_2"))
    house.refused = 1
    with pytest.raises(Unavailable):
        await house.projection.fold()
    assert await house.rows() == []
    after = house.fresh()
    assert [await after.fold(), await after.fold()] == [18, 0]
    assert await house.projection.fold() == 0
    assert len(await house.rows()) == 2
    assert len({ticket.number for ticket in [await house.tickets.for_call(f"call_{n}") for n in (1, 2)] if ticket}) == 2


async def test_two_processes_fold_nothing_twice(house: House) -> None:
    facts = answered("call_1")
    await house.happened(*facts[:4])
    one, other = house.projection, house.fresh()
    await asyncio.gather(one.fold(), other.fold(), return_exceptions=True)
    await house.happened(*facts[4:])
    for _ in range(2):
        await one.fold()
        await other.fold()
    (row,) = await house.rows()
    assert row.outcome == "completed"
    ticket = await house.tickets.for_call("call_1")
    assert ticket is not None
    assert [line.action for line in await house.tickets.history(ticket.id)] == ["created"]


async def test_one_broken_fact_keeps_nobody_elses_ticket_back(house: House) -> None:
    orphan = answered("call_0")[5]  # its call never arrived
    await house.happened(*answered("call_1")[:6], orphan, *answered("call_2"))
    await house.projection.fold()
    assert {row.call for row in await house.rows()} == {"call_1", "call_2"}
    assert await house.tickets.for_call("call_2") is not None


async def test_first_fact_of_a_quiet_moment_is_written_at_once_and_the_next_together(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls.projection.GATHER_S", 2.0)
    seen: list[int] = []
    written = asyncio.Event()

    def listen(facts: Sequence[AnyCallFact]) -> None:
        seen.append(len(facts))
        written.set()

    async def news(*facts: AnyCallFact) -> None:
        written.clear()
        await house.happened(*facts)
        house.projection.nudge()

    house.projection.listen(listen)
    running = asyncio.create_task(house.projection.run())
    facts = answered("call_1")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await news(facts[0])
    async with asyncio.timeout(20):
        await written.wait()
    first = loop.time() - began
    for fact in facts[1:4]:
        await news(fact)
    async with asyncio.timeout(20):
        await written.wait()
    running.cancel()
    assert seen == [1, 3]
    assert first < 2.0


async def test_recordings_and_transcripts_of_several_calls_are_finished_together(house: House) -> None:
    for call in ("call_1", "call_2"):
        house.speak(call)
        await house.happened(*answered(call))
    house.speak("call_3")
    await house.happened(*abandoned("call_3"))
    await house.projection.fold()
    house.links.folded([CallEnded(call="call_1", at=START, outcome=Outcome.COMPLETED, phase=Phase.CLOSING)])
    running = asyncio.create_task(house.links.run())
    async with asyncio.timeout(20):
        while not await _finished(house, "call_1", "call_2"):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)
    running.cancel()
    assert await house.rows(call_lines) == []
    assert not house.recordings.track_folder("call_3", START).exists()
    assert await house.recordings.for_call("call_3") is None


async def _finished(house: House, *several: str) -> bool:
    for call in several:
        recording, ticket = await house.recordings.for_call(call), await house.tickets.for_call(call)
        if recording is None or ticket is None or recording.transcription is not Transcription.NO_MODEL:
            return False
        assert recording.state is RecordingState.CLOSED
        assert ticket.transcript_state is TranscriptState.NO_MODEL
    return True
