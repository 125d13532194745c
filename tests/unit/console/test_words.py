"""Words of a talk that goes on are for whoever may read its ticket's transcript; for everybody else there are none."""

from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from console.words import LiveReader, LiveView
from hotline.clock import ManualClock
from hotline.ids import CountedIds
from hotline.security import Principal, Role
from tests.unit.transcription.test_http import NotedAudit
from tickets.model import State, Ticket, TranscriptState
from transcription.live.model import Line, LiveState, Said, Using, Voice
from transcription.live.service import LiveTranscripts
from transcription.model import ModelIdentity

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAME = "张小三"
SAID = f"我叫{NAME}，编号1234567。"
OWN = Principal(person="p1", name="", roles=frozenset({Role.OPERATOR}), agent="8001")
CALLED_IN = Principal(person="p2", name="", roles=frozenset({Role.EXPERT}), agent="8011")
STRANGER = Principal(person="p3", name="", roles=frozenset({Role.OPERATOR}), agent="8002")
SUPERVISOR = Principal(person="p4", name="", roles=frozenset({Role.SUPERVISOR}))
QA = Principal(person="p5", name="", roles=frozenset({Role.QA}))


class Room:
    """One call with one sentence. Tickets and briefs in one."""

    def __init__(self) -> None:
        self.ticket: Ticket | None = Ticket(
            id="ticket_1", number="1", state=State.DRAFT, created_at=NOW, changed_at=NOW, call="call_1",
            dialled="12345", agent="8001", subject_name=NAME,
        )  # fmt: skip
        self.audit = NotedAudit()
        clock = ManualClock(NOW)
        self.live = LiveTranscripts(
            most=1, model_mark=lambda: "m", clock=clock, ids=CountedIds(), tell=lambda _: None, told=lambda _: None
        )
        voice = Voice(line="c", party="citizen", path="/x/c.sln", began_at=NOW)
        self.live.talk("call_1", NOW, {"c": voice}, urgent=False)
        self.live.news(Said(track=2, line=Line(number=0, start_ms=0, end_ms=900, text=SAID, confidence=0.8)))
        here = cast("Any", self)
        self.reader = LiveReader(self.live, here, here, self.audit, clock)

    async def for_call(self, call: str) -> Ticket | None:
        return self.ticket if call == "call_1" else None

    async def took_part(self, call: str, who: Principal) -> bool:
        assert call == "call_1"
        return who is CALLED_IN

    async def look(self, who: Principal, after: str = "", call: str = "call_1") -> LiveView:
        return await self.reader.look(call, after, who)

    def change(self, **changes: object) -> None:
        assert self.ticket is not None
        self.ticket = msgspec.structs.replace(self.ticket, **changes)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize("who", [OWN, CALLED_IN, SUPERVISOR, QA])
async def test_whoever_may_read_the_transcript_reads_it_while_it_is_said(room: Room, who: Principal) -> None:
    view = await room.look(who)
    assert ([one.text for one in view.segments], view.state, view.is_whole) == ([SAID], LiveState.ON, True)
    assert room.audit.lines == [("transcript.live", "call_1", "ok")]


async def test_a_view_is_audited_once_whatever_cursor_it_begins_with(room: Room) -> None:
    first = await room.look(OWN, after="made.up")
    await room.look(OWN, after=first.next)
    await room.look(QA)
    assert len(room.audit.lines) == 2


async def test_nobody_reads_what_cannot_be_audited(room: Room) -> None:
    room.audit.full = True
    with pytest.raises(Exception, match="audit"):
        await room.look(OWN)
    room.audit.full = False
    await room.look(OWN)
    assert len(room.audit.lines) == 1


async def test_a_stranger_gets_what_there_is_of_a_call_that_does_not_exist(room: Room) -> None:
    strange, missing = await room.look(STRANGER), await room.look(STRANGER, call="call_2")
    assert strange.model_copy(update={"call": "call_2"}) == missing
    assert (strange.state, strange.segments, strange.next) == (None, [], "")
    assert room.audit.lines == [("transcript.live", "call_1", "refused")]


async def test_of_a_confidential_matter_names_and_numbers_are_hidden_from_who_is_called_in(room: Room) -> None:
    room.change(confidential=True)
    assert [one.text for one in (await room.look(CALLED_IN)).segments] == ["我叫张**，编号*******。"]
    assert [one.text for one in (await room.look(OWN)).segments] == [SAID]


async def test_the_transcript_replaces_it(room: Room) -> None:
    room.change(transcript="transcript_1", transcript_state=TranscriptState.READY)
    view = await room.look(OWN)
    assert (view.transcript, view.segments, view.state) == ("transcript_1", [], None)


async def test_a_reader_is_told_that_it_is_provisional_and_who_made_it(room: Room) -> None:
    view = await room.look(OWN)
    assert "provisional" in view.note_en
    assert not view.demo_model
    model = ModelIdentity(engine="vosk", name="m", digest="d", rate=8000, demonstration=True, words=326)
    room.live.news(Using(model=model))
    view = await room.look(OWN)
    assert view.demo_model
    assert "300" in view.note
    assert "demonstration model" in view.note_en


async def test_a_gap_is_told_as_one(room: Room) -> None:
    room.live.news(Said(track=2, line=Line(number=1, start_ms=900, end_ms=9000, text="")))
    assert [one.is_gap for one in (await room.look(OWN)).segments] == [False, True]
