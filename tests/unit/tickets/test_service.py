"""One ticket per call however often it is asked for; every change leaves a line; the table and owners are obeyed."""

from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import ManualClock
from hotline.errors import BadInput, NotFound
from hotline.security import Principal, Role
from hotline.sql import OpenDatabase
from tests.unit.tickets.conftest import CallRow
from tickets import store_sql as store
from tickets.errors import Incomplete, NotYours, Outdated, StepNotAllowed
from tickets.model import SUPPLEMENTED, Action, State, Ticket, Transcribed, TranscriptState
from tickets.service import TicketService
from tickets.store_sql import Wanted
from tickets.visibility import Scope

pytestmark = pytest.mark.unit

OWN = Principal(person="p1", name="A", roles=frozenset({Role.OPERATOR}), agent="1001")
OTHER = Principal(person="p2", name="B", roles=frozenset({Role.OPERATOR}), agent="1002")
BOSS = Principal(person="p3", name="C", roles=frozenset({Role.SUPERVISOR}), agent="9001")
DISPATCHER = Principal(person="p4", name="D", roles=frozenset({Role.DISPATCHER}))
FIELDS = {"matter": "噪音", "demand": "制止"}
EVERYTHING = Scope(everything=True)


@pytest.fixture
async def born(service: TicketService, call_row: type[CallRow], clock: ManualClock) -> Ticket:
    return await service.open_for_call(call_row(), agent="1001", at=clock.now(), recording="rec_1", class_hint="10")


async def actions(service: TicketService, ticket: Ticket) -> list[str]:
    return [line.action for line in await service.history(ticket.id)]


async def test_ticket_is_born_with_everything_the_call_knows(service: TicketService, born: Ticket) -> None:
    assert (born.state, born.version, born.number) == (State.DRAFT, 1, "YC2026021400001")
    assert (born.dialled, born.owner_unit, born.line_name) == ("12329", "住房公积金中心", "住房公积金热线")
    assert (born.call, born.recording, born.agent, born.class_hint) == ("call_1", "rec_1", "1001", "10")
    assert born.transcript_state is TranscriptState.WAITING
    assert await service.visible(born.id, OWN) == born
    (line,) = await service.history(born.id)
    assert (line.seq, line.action, line.actor, line.to_state) == (1, "created", "system", "draft")


async def test_call_gets_one_ticket_however_often_it_is_asked_for(
    service: TicketService, born: Ticket, call_row: type[CallRow], clock: ManualClock
) -> None:
    clock.advance(timedelta(days=1))
    again = await service.open_for_call(call_row(dialled="12345"), agent="1002", at=clock.now())
    assert again == born
    assert len(await service.find(Wanted(), EVERYTHING, 10)) == 1
    assert await actions(service, born) == ["created"]
    next_one = await service.open_for_call(call_row(call="call_2"), agent="1001", at=clock.now())
    assert next_one.number == "YC2026021500001"


async def test_row_of_a_call_is_inserted_once(service: TicketService, born: Ticket, database: OpenDatabase) -> None:
    other = msgspec.structs.replace(born, id="ticket_9", number="9")
    line = (await service.history(born.id))[0]
    assert await database.write(lambda c: store.insert_ticket(c, other, line)) == born


async def test_numbers_count_within_the_offices_day(
    service: TicketService, call_row: type[CallRow], clock: ManualClock
) -> None:
    evening = clock.now().replace(hour=15, minute=59)
    made = [
        await service.open_for_call(call_row(call=f"call_{n}"), agent="1", at=evening + timedelta(minutes=n // 2))
        for n in range(4)
    ]
    assert [ticket.number for ticket in made] == [
        "YC2026021400001", "YC2026021400002", "YC2026021500001", "YC2026021500002",
    ]  # fmt: skip


async def test_transaction_that_fails_leaves_neither_ticket_nor_number(
    service: TicketService, database: OpenDatabase, call_row: type[CallRow], clock: ManualClock
) -> None:
    async def fails(connection: AsyncConnection) -> None:
        await service.born(connection, call_row(), agent="1001", at=clock.now())
        await service.note(connection, "call_1", "node_failed", clock.now())
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await database.write(fails)
    assert await service.for_call("call_1") is None
    again = await service.open_for_call(call_row(), agent="1001", at=clock.now())
    assert again.number.endswith("00001")


async def test_recording_and_transcript_are_attached_once_and_leave_the_version(
    service: TicketService, born: Ticket
) -> None:
    for _ in range(2):
        await service.attach_recording("call_1", "rec_2")
        await service.attach_transcripts(
            [Transcribed(call="call_1", transcript="tr_1", state=TranscriptState.READY, label="演示", demo_model=True)]
        )
    now = await service.visible(born.id, OWN)
    assert (now.recording, now.transcript, now.transcript_state) == ("rec_2", "tr_1", TranscriptState.READY)
    assert (now.transcript_label, now.demo_model, now.version) == ("演示", True, 1)
    assert await actions(service, born) == ["created", "recording_attached", "transcript_attached"]


async def test_missing_model_is_said_on_the_ticket_and_a_later_transcript_replaces_it(
    service: TicketService, born: Ticket
) -> None:
    await service.attach_transcripts(
        [Transcribed(call="call_1", transcript="tr_1", state=TranscriptState.NO_MODEL, label="未安装")]
    )
    assert (await service.visible(born.id, OWN)).transcript_state is TranscriptState.NO_MODEL
    await service.attach_transcripts([Transcribed(call="call_1", transcript="tr_1", state=TranscriptState.READY)])
    now = await service.visible(born.id, OWN)
    assert (now.transcript_state, now.transcript_label) == (TranscriptState.READY, "")
    assert await service.attach_transcripts(
        [Transcribed(call="call_404", transcript="tr_9", state=TranscriptState.READY)]
    ) == [None]


async def test_operator_is_not_disturbed_by_a_transcript_that_arrives_while_typing(
    service: TicketService, born: Ticket
) -> None:
    await service.attach_transcripts([Transcribed(call="call_1", transcript="tr_1", state=TranscriptState.READY)])
    assert (await service.edit(born.id, born.version, FIELDS, OWN)).matter == "噪音"


async def test_edit_keeps_old_and_new_in_the_history(service: TicketService, born: Ticket) -> None:
    first = await service.edit(born.id, 1, {"matter": "噪音"}, OWN)
    second = await service.edit(born.id, 2, {"matter": "施工噪音", "demand": ""}, OWN)
    assert (first.version, second.version) == (2, 3)
    lines = await service.history(born.id)
    assert [line.detail for line in lines[1:]] == [{"matter": ["", "噪音"]}, {"matter": ["噪音", "施工噪音"]}]
    assert (lines[1].actor, lines[1].agent) == ("p1", "1001")


async def test_edit_that_changes_nothing_leaves_no_line(service: TicketService, born: Ticket) -> None:
    assert await service.edit(born.id, 1, {"matter": ""}, OWN) == born
    assert await actions(service, born) == ["created"]


async def test_outdated_edit_is_refused_and_changes_nothing(service: TicketService, born: Ticket) -> None:
    await service.edit(born.id, 1, {"matter": "甲"}, OWN)
    for changes in ({"matter": "乙"}, {"matter": "甲"}):
        with pytest.raises(Outdated):
            await service.edit(born.id, 1, changes, OWN)
    assert (await service.visible(born.id, OWN)).matter == "甲"
    assert len(await actions(service, born)) == 2


@pytest.mark.parametrize("field", ["state", "agent", "caller", "owner_unit", "number", "version", "confidential"])
async def test_only_the_eight_fields_change(service: TicketService, born: Ticket, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        await service.edit(born.id, 1, {field: "x", "matter": "y"}, OWN)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [field]


async def test_tickets_of_others_are_not_changed_or_submitted(service: TicketService, born: Ticket) -> None:
    for deed in (service.edit(born.id, 1, FIELDS, OTHER), service.submit(born.id, 1, OTHER)):
        with pytest.raises(NotYours):
            await deed
    with pytest.raises(NotYours):
        await service.edit(born.id, 1, FIELDS, DISPATCHER)
    assert (await service.edit(born.id, 1, FIELDS, BOSS)).version == 2


async def test_submit_moves_a_complete_draft_and_only_once(service: TicketService, born: Ticket) -> None:
    with pytest.raises(Incomplete) as caught:
        await service.submit(born.id, 1, OWN)
    assert caught.value.problems == ("matter: missing", "demand: missing")
    await service.edit(born.id, 1, FIELDS, OWN)
    with pytest.raises(Outdated):
        await service.submit(born.id, 1, OWN)
    done = await service.submit(born.id, 2, OWN)
    assert (done.state, done.version) == (State.REGISTERED, 3)
    line = (await service.history(born.id))[-1]
    assert (line.action, line.from_state, line.to_state) == ("submit", "draft", "registered")
    with pytest.raises(StepNotAllowed):
        await service.submit(born.id, 3, OWN)
    with pytest.raises(NotYours):
        await service.edit(born.id, 3, {"matter": "x"}, OWN)
    assert (await service.edit(born.id, 3, {"matter": "x"}, DISPATCHER)).matter == "x"


async def test_blanks_do_not_complete_a_registration(service: TicketService, born: Ticket) -> None:
    await service.edit(born.id, 1, {"matter": "  ", "demand": "制止"}, OWN)
    with pytest.raises(Incomplete):
        await service.submit(born.id, 2, OWN)


async def test_other_steps_follow_the_table_with_their_reasons(service: TicketService, born: Ticket) -> None:
    with pytest.raises(StepNotAllowed):
        await service.act(born.id, 1, Action.DISCARD, OWN)
    done = await service.act(born.id, 1, Action.DISCARD, OWN, "wrong_number")
    assert done.state is State.DISCARDED
    assert (await service.history(born.id))[-1].reason == "wrong_number"
    with pytest.raises(StepNotAllowed):
        await service.edit(born.id, 2, FIELDS, BOSS)


async def test_what_is_not_there_and_what_may_not_be_known_look_the_same(service: TicketService, born: Ticket) -> None:
    stranger = Principal(person="p", name="U", roles=frozenset({Role.UNIT}), unit="水务局")
    messages = set()
    for ticket in (born.id, "ticket_404", "'; --", "ticket_\0"):
        with pytest.raises(NotFound) as caught:
            await service.visible(ticket, stranger)
        messages.add(str(caught.value))
    assert len(messages) == 1


async def test_notes_are_lines_of_the_history(
    service: TicketService, born: Ticket, database: OpenDatabase, clock: ManualClock
) -> None:
    detail = {"flags": ["truncated"]}
    await database.write(
        lambda c: service.note(c, "call_1", "recording_truncated", clock.now(), agent="1001", detail=detail)
    )
    await database.write(lambda c: service.note(c, "call_404", "recording_truncated", clock.now()))
    line = (await service.history(born.id))[-1]
    assert (line.seq, line.action, line.detail) == (2, "recording_truncated", detail)


async def test_lists_are_newest_first_filtered_and_cut_by_scope(
    service: TicketService, call_row: type[CallRow], clock: ManualClock
) -> None:
    for number, (dialled, unit, agent) in enumerate([("12329", "甲", "1"), ("12345", "乙", "2"), ("12345", "甲", "3")]):
        row = call_row(call=f"call_{number}", dialled=dialled, owner_unit=unit)
        await service.open_for_call(row, agent=agent, at=clock.now() + timedelta(minutes=number))

    async def calls(wanted: Wanted, scope: Scope = EVERYTHING, after: tuple[datetime, str] | None = None) -> list[str]:
        return [ticket.call for ticket in await service.find(wanted, scope, 10, after)]

    assert await calls(Wanted()) == ["call_2", "call_1", "call_0"]
    assert await calls(Wanted(dialled="12345")) == ["call_2", "call_1"]
    assert await calls(Wanted(call="call_1")) == ["call_1"]
    assert await calls(Wanted(since=clock.now() + timedelta(minutes=1))) == ["call_2", "call_1"]
    assert await calls(Wanted(state=State.ARCHIVED)) == []
    assert await calls(Wanted(), Scope()) == []
    assert await calls(Wanted(), Scope(agent="2")) == ["call_1"]
    assert await calls(Wanted(), Scope(agent="2", owner_unit="甲")) == ["call_2", "call_1", "call_0"]
    assert await calls(Wanted(), Scope(lead_unit="甲")) == []
    first = (await service.find(Wanted(), EVERYTHING, 1))[0]
    assert await calls(Wanted(), EVERYTHING, (first.created_at, first.id)) == ["call_1", "call_0"]


async def test_citizen_is_owed_one_call_back_however_often_it_is_asked_for(
    service: TicketService, call_row: type[CallRow], clock: ManualClock
) -> None:
    first = await service.ask_callback(call_row(), "failed_node", clock.now())
    assert first is not None
    assert await service.ask_callback(call_row(), "missed", clock.now()) == first
    assert await service.ask_callback(call_row(call="call_2", caller=""), "missed", clock.now()) is None
    later = clock.now() + timedelta(minutes=1)
    assert await service.ask_callback(call_row(call="call_3"), "missed", later) == first, "missed once more"
    assert await service.ask_callback(call_row(call="call_5"), "not_reached", later) == first, "called in vain"
    second = await service.ask_callback(call_row(call="call_3"), "failed_node", later)
    assert list(await service.callbacks()) == [first, second]
    with pytest.raises(ValueError, match="bored"):
        await service.ask_callback(call_row(call="call_4"), "bored", later)


async def test_call_back_is_done_once(service: TicketService, call_row: type[CallRow], clock: ManualClock) -> None:
    task = await service.ask_callback(call_row(), "missed", clock.now())
    assert task is not None
    done = await service.callback_done(task.id, OWN)
    clock.advance(timedelta(hours=1))
    assert await service.callback_done(task.id, OTHER) == done
    assert (done.done_by, done.done_at) == ("p1", task.created_at)
    assert list(await service.callbacks()) == []
    assert list(await service.callbacks(waiting_only=False)) == [done]
    with pytest.raises(NotFound):
        await service.callback_done("callback_404", OWN)
    with pytest.raises(NotFound):
        await service.callback_done("%00", OWN)


async def test_a_conclusion_is_a_line_of_the_history_and_leaves_the_version(
    service: TicketService, born: Ticket
) -> None:
    expert = Principal(person="p_9", name="expert", roles=frozenset({Role.EXPERT}), agent="8011")
    await service.conclude(born.id, "凭租赁备案办理", expert, name="周文", unit="住房公积金中心")
    line = (await service.history(born.id))[-1]
    assert (line.action, line.agent, line.unit) == ("concluded", "8011", "住房公积金中心")
    assert line.detail == {"conclusion": {"text": "凭租赁备案办理", "name": "周文"}}
    await service.conclude(born.id, "昨晚又施工", expert, action=SUPPLEMENTED)
    line = (await service.history(born.id))[-1]
    assert (line.action, line.detail["conclusion"]["text"]) == ("supplemented", "昨晚又施工")
    found = await service.for_call(born.call)
    assert found is not None
    assert found.version == born.version
