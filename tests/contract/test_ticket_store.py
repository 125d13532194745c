"""Tickets keep their promises on every database, also when the same call is opened by many at once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.errors import HotlineError, Unavailable
from hotline.ids import UlidIds
from hotline.security import Principal, Role
from hotline.sql import OpenDatabase
from tickets import callbacks, tables
from tickets import store_sql as store
from tickets.errors import Outdated
from tickets.model import CallbackTask, CallbackTry, State, Ticket, Transcribed, TranscriptState
from tickets.numbering import NumberFormat
from tickets.service import TicketService
from tickets.store_sql import Wanted
from tickets.visibility import Scope

pytestmark = pytest.mark.contract

NOW = datetime(2026, 2, 14, 9, 0, 0, 123456, tzinfo=UTC)
TABLES = [tables.tickets, tables.ticket_history, tables.ticket_counters, tables.callback_tasks, tables.callback_tries]
EVERYTHING = Scope(everything=True)
OWN = Principal(person="p1", name="A", roles=frozenset({Role.OPERATOR}), agent="1001")


@dataclass(frozen=True)
class CallRow:
    """What the service needs of a call."""

    call: str = "call_1"
    dialled: str = "12329"
    line_name: str = "住房公积金热线"
    owner_unit: str = "住房公积金中心"
    caller: str = "13812345678"


@pytest.fixture(autouse=True)
async def _tables(database: OpenDatabase) -> None:
    await database.write(lambda connection: connection.run_sync(metadata.create_all, tables=TABLES))


@pytest.fixture
def service(database: OpenDatabase) -> TicketService:
    zone = ZoneInfo("Asia/Shanghai")
    return TicketService(database, ManualClock(NOW), UlidIds(), numbers=NumberFormat("YC"), zone=zone)


async def patiently(work: Callable[[], Awaitable[Ticket]]) -> Ticket:
    """PostgreSQL may say that it is too busy; the caller then asks again, as the controller's projection does."""
    while True:
        try:
            return await work()
        except Unavailable:
            await asyncio.sleep(0.05)


async def test_ticket_comes_back_as_it_was(service: TicketService) -> None:
    born = await service.open_for_call(CallRow(), agent="1001", at=NOW, recording="rec_1", caller_name="张三")
    assert await service.visible(born.id, OWN) == born
    assert (born.created_at, born.caller, born.caller_name, born.details) == (NOW, "13812345678", "张三", {})
    (line,) = await service.history(born.id)
    assert (line.at, line.detail) == (NOW, {"call": "call_1", "dialled": "12329", "recording": "rec_1"})


async def test_hundred_at_once_open_one_ticket(service: TicketService) -> None:
    async def open_it() -> Ticket:
        return await patiently(lambda: service.open_for_call(CallRow(), agent="1001", at=NOW))

    opened = await asyncio.gather(*(open_it() for _ in range(100)))
    assert len({ticket.id for ticket in opened}) == 1
    assert len(await service.find(Wanted(), EVERYTHING, 10)) == 1
    assert len(await service.history(opened[0].id)) == 1


async def test_many_calls_at_once_get_numbers_of_their_own(service: TicketService) -> None:
    async def open_it(number: int) -> Ticket:
        row = CallRow(call=f"call_{number}")
        return await patiently(lambda: service.open_for_call(row, agent="1001", at=NOW))

    opened = await asyncio.gather(*(open_it(number) for number in range(30)))
    assert len({ticket.number for ticket in opened}) == 30


async def test_projection_that_fails_leaves_nothing_and_may_be_repeated(
    service: TicketService, database: OpenDatabase
) -> None:
    async def projection(connection: AsyncConnection, *, fails: bool) -> Ticket:
        born = await service.born(connection, CallRow(), agent="1001", at=NOW)
        await service.note(connection, "call_1", "talk_ended", NOW)
        await service.call_back(connection, CallRow(), "failed_node", NOW)
        if fails:
            raise RuntimeError("killed")
        return born

    with pytest.raises(RuntimeError):
        await database.write(lambda c: projection(c, fails=True))
    assert await service.for_call("call_1") is None
    assert list(await service.callbacks()) == []
    born = await database.write(lambda c: projection(c, fails=False))
    assert born.number == "YC2026021400001"
    assert [line.action for line in await service.history(born.id)] == ["created", "talk_ended"]


async def test_of_many_changes_from_one_version_one_wins(service: TicketService) -> None:
    born = await service.open_for_call(CallRow(), agent="1001", at=NOW)
    outcomes = await asyncio.gather(
        *(service.edit(born.id, 1, {"matter": f"m{number}"}, OWN) for number in range(10)), return_exceptions=True
    )
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, Ticket)]
    assert {type(outcome) for outcome in outcomes} <= {Ticket, Outdated, Unavailable}
    now = await service.visible(born.id, OWN)
    assert (now.matter, now.version) == (winner.matter, 2)
    lines = await service.history(born.id)
    assert [line.seq for line in lines] == [1, 2]
    assert lines[1].detail == {"matter": ["", winner.matter]}


async def test_lines_that_come_at_once_get_places_of_their_own(service: TicketService, database: OpenDatabase) -> None:
    born = await service.open_for_call(CallRow(), agent="1001", at=NOW)

    async def note(number: int) -> None:
        async def write() -> None:
            await database.write(lambda c: service.note(c, "call_1", f"note_{number}", NOW))

        while True:
            try:
                return await write()
            except HotlineError:
                await asyncio.sleep(0.01)

    await asyncio.gather(*(note(number) for number in range(10)))
    lines = await service.history(born.id)
    assert [line.seq for line in lines] == list(range(1, 12))
    assert {line.action for line in lines[1:]} == {f"note_{number}" for number in range(10)}


async def test_machine_attaches_and_the_table_moves(service: TicketService) -> None:
    born = await service.open_for_call(CallRow(), agent="1001", at=NOW)
    await service.attach_recording("call_1", "rec_1")
    await service.attach_transcripts(
        [Transcribed(call="call_1", transcript="tr_1", state=TranscriptState.NO_MODEL, label="未安装")]
    )
    await service.edit(born.id, 1, {"matter": "噪音😀", "demand": "制止"}, OWN)
    done = await service.submit(born.id, 2, OWN)
    assert (done.state, done.matter, done.recording) == (State.REGISTERED, "噪音😀", "rec_1")
    assert (done.transcript_state, done.transcript_label) == (TranscriptState.NO_MODEL, "未安装")
    assert [line.action for line in await service.history(born.id)] == [
        "created", "recording_attached", "transcript_attached", "edited", "submit",
    ]  # fmt: skip


async def test_lists_go_on_behind_a_cursor_of_the_same_moment(service: TicketService) -> None:
    for number in range(5):
        await service.open_for_call(CallRow(call=f"call_{number}"), agent="1001", at=NOW)
    seen: list[str] = []
    after = None
    while rows := await service.find(Wanted(since=NOW, dialled="12329"), Scope(agent="1001"), 2, after):
        seen += [row.call for row in rows]
        after = (rows[-1].created_at, rows[-1].id)
    assert sorted(seen) == [f"call_{number}" for number in range(5)]
    assert len(seen) == 5
    assert await service.find(Wanted(since=NOW + timedelta(microseconds=1)), EVERYTHING, 5) == []


async def test_call_backs_are_asked_once_and_listed_by_who_waits_longest(
    service: TicketService, database: OpenDatabase
) -> None:
    async def ask() -> CallbackTask | None:
        return await service.ask_callback(CallRow(), "missed", NOW)

    asked = await asyncio.gather(*(ask() for _ in range(10)), return_exceptions=True)
    assert len({task.id for task in asked if isinstance(task, CallbackTask)}) == 1
    second = await service.ask_callback(CallRow(call="call_0"), "failed_node", NOW - timedelta(hours=1))
    assert second is not None
    waiting = await service.callbacks(limit=1)
    assert list(waiting) == [second]
    rest = await service.callbacks(limit=5, after=(second.created_at, second.id))
    assert [task.call for task in rest] == ["call_1"]
    done = await database.write(lambda c: store.finish_callback(c, second.id, NOW, "p1"))
    assert done is not None
    assert (done.done_at, done.done_by) == (NOW, "p1")


async def test_who_was_missed_before_and_is_called_in_vain_has_one_task_with_every_try(
    service: TicketService, database: OpenDatabase
) -> None:
    missed = await service.ask_callback(CallRow(), "missed", NOW)
    assert missed is not None
    tried = CallbackTry(line="o1_c", call="call_9", at=NOW, seat="8001")
    await database.write(lambda connection: callbacks.dialled(connection, tried))
    assert await service.ask_callback(CallRow(call="call_9"), "not_reached", NOW + timedelta(hours=1)) == missed
    tries = await service.callback_tries([missed.call, "call_9"])
    assert {call: [one.line for one in found] for call, found in tries.items()} == {missed.call: ["o1_c"]}


async def test_agents_of_a_callers_open_tickets_are_known_newest_first(
    service: TicketService, database: OpenDatabase
) -> None:
    agents = ["1001", "1002", "1001", "1003", "1004"]
    for number, agent in enumerate(agents):
        at = NOW + timedelta(minutes=number)
        await service.open_for_call(CallRow(call=f"call_{number}"), agent=agent, at=at)
    await service.open_for_call(CallRow(call="call_other", caller="13900000000"), agent="1009", at=NOW)
    assert await service.open_agents("13812345678") == ("1004", "1003", "1001")
    over = tables.tickets.update().where(tables.tickets.c.call == "call_4").values(state=State.CLOSED.value)
    await database.write(lambda connection: connection.execute(over))
    assert await service.open_agents("13812345678") == ("1003", "1001", "1002")
    assert await service.open_agents("13700000000") == ()
