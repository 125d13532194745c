"""What a call does next, event by event."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.model import (
    Abandon,
    Adopt,
    Answer,
    Answered,
    Finish,
    Join,
    Joined,
    LeaveReason,
    Offered,
    OfferRefused,
    OfferWithdrawn,
    Refuse,
    RefuseReason,
)
from calls import events, fold, script
from calls.events import (
    Begun,
    Collect,
    Decision,
    Event,
    FloorSaid,
    HangUp,
    Hold,
    House,
    Listened,
    Mute,
    NodeLost,
    Play,
    Ring,
    TalkFound,
    Tell,
    Wake,
    Woke,
)
from calls.model import (
    AnyCallFact,
    CallArrived,
    CallEnded,
    CallState,
    OfferMissed,
    Outcome,
    Party,
    Phase,
    TalkEnded,
    TalkStarted,
    TrackOpened,
)
from ivr.calendar import Calendar
from ivr.flow import AnyNode, Flow, FlowRun, MenuNode, PlayNode, QueueNode
from ivr.model import DEFAULT_ENTRY, Dialled, Via
from telephony.model import (
    Collected,
    Heard,
    KeyPressed,
    LineGone,
    LineId,
    OfferEnded,
    OfferEndReason,
    ReturnedLine,
    SeatAnswered,
    TrackStarted,
    Unbridged,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 12, 0, tzinfo=UTC)
CITIZEN = LineId("hotline-1.1")
SEAT = LineId("hotline-1.2")
HOUSE = House(ring=timedelta(seconds=15), bye="bye", experts=frozenset({"9001"}))


def run_of(*nodes: PlayNode | MenuNode) -> FlowRun:
    """A flow through `nodes` to the general queue."""
    queue = QueueNode(name="human", queue="general")
    graph: dict[str, AnyNode] = {node.name: node for node in (*nodes, queue)}
    flow = Flow(name="test", version="1", start=next(iter(graph)), human="human", nodes=graph)
    dialled = Dialled(number="12345", entry=DEFAULT_ENTRY, declared=True, region="0717", via=Via.REQUEST)
    return FlowRun(flow=flow, dialled=dialled, at=NOW, calendar=Calendar())


class Told:
    """A call and what was decided for it so far."""

    def __init__(self, run: FlowRun | None = None) -> None:
        arrived = CallArrived(call="c1", at=NOW, line=CITIZEN, dialled="12345", declared=True)
        self.call: CallState = fold.begin(arrived)
        self.run = run or run_of()
        self.facts: list[AnyCallFact] = [arrived]
        self.now = NOW

    def tell(self, event: Event) -> Decision:
        decision = script.decide(self.call, self.run, event, HOUSE, self.now)
        self.run = decision.run or self.run
        for fact in decision.facts:
            self.call = fold.evolve(self.call, fact)
        self.facts += decision.facts
        return decision

    def begin(self) -> Decision:
        return self.tell(Begun(self.run))

    def ring(self, offer: str = "o1", seat: str = "8001") -> Decision:
        offered = Offered(at=NOW, offer=offer, call="c1", seat=seat, phone=seat, expires_at=NOW)
        return self.tell(FloorSaid((offered,), "folder"))

    def answer(self, offer: str = "o1", seat: str = "8001") -> Decision:
        self.tell(SeatAnswered(at=NOW, offer=offer, line=CITIZEN, seat_line=SEAT))
        return self.tell(FloorSaid((Answered(at=NOW, offer=offer, call="c1", seat=seat, waited_s=1),), "folder"))


def talking() -> Told:
    told = Told()
    told.begin()
    told.ring()
    told.answer()
    assert told.call.phase is Phase.TALKING
    return told


def gone(line: LineId) -> LineGone:
    return LineGone(at=NOW, line=line)


def test_a_number_without_prompts_goes_to_the_floor_in_one_step() -> None:
    told = Told()
    decision = told.begin()
    assert told.call.phase is Phase.QUEUED
    assert isinstance(decision.actions[0], Tell)
    assert isinstance(decision.actions[0].command, Join)


def test_a_prompt_is_heard_before_the_queue() -> None:
    told = Told(run_of(PlayNode(name="notice", prompts=("notice",), next="human")))
    assert told.begin().actions == (Play(("notice",)),)
    told.tell(Listened(Collected(Heard.SILENCE)))
    assert told.call.phase is Phase.QUEUED


def test_a_key_in_a_menu_leads_on_and_is_not_kept() -> None:
    menu = MenuNode(name="menu", prompts=("menu",), keys={"1": "human"})
    told = Told(run_of(menu))
    assert told.begin().actions == (Collect(("menu",), 1, timedelta(seconds=4)),)
    told.tell(Listened(Collected(Heard.KEYS, "1")))
    assert told.call.phase is Phase.QUEUED
    assert b'"keys"' not in b"".join(msgspec.json.encode(fact) for fact in told.facts)


def test_a_prompt_that_cannot_be_played_leads_to_a_person() -> None:
    told = Told(run_of(MenuNode(name="menu", prompts=("menu",), keys={"1": "human"})))
    told.begin()
    told.tell(Listened(Collected(Heard.FAILED)))
    assert told.call.phase is Phase.QUEUED


def test_a_waiting_citizen_hears_music() -> None:
    told = Told()
    told.begin()
    joined = Joined(at=NOW, call="c1", queue="general", needs=(), priority=0, arrived_at=NOW)
    assert told.tell(FloorSaid((joined,))).actions == (Hold(),)


def test_an_offer_that_comes_with_the_joining_rings_without_music_first() -> None:
    told = Told()
    told.begin()
    joined = Joined(at=NOW, call="c1", queue="general", needs=(), priority=0, arrived_at=NOW)
    offered = Offered(at=NOW, offer="o1", call="c1", seat="8001", phone="8001", expires_at=NOW)
    assert told.tell(FloorSaid((joined, offered), "folder")).actions == (Ring((("o1", "8001"),), "folder"),)


def test_old_news_of_the_floor_keep_nobody_from_the_new_one() -> None:
    told = Told()
    told.begin()
    old = OfferWithdrawn(at=NOW, offer="o0", call="c1", seat="8009")
    offered = Offered(at=NOW, offer="o1", call="c1", seat="8001", phone="8001", expires_at=NOW)
    assert told.tell(FloorSaid((old, offered), "folder")).actions == (Ring((("o1", "8001"),), "folder"),)


def test_an_answer_counts_when_the_floor_says_so() -> None:
    told = Told()
    told.begin()
    told.ring()
    decision = told.tell(SeatAnswered(at=NOW, offer="o1", line=CITIZEN, seat_line=SEAT))
    assert decision.actions == (Tell(Answer(offer="o1")),)
    assert not any(isinstance(fact, TalkStarted) for fact in told.facts)
    told.tell(FloorSaid((Answered(at=NOW, offer="o1", call="c1", seat="8001", waited_s=1),), "folder"))
    assert told.call.phase is Phase.TALKING
    assert told.call.seat_line == SEAT


def test_an_expert_seat_is_recorded_as_an_expert() -> None:
    told = Told()
    told.begin()
    told.ring(seat="9001")
    told.answer(seat="9001")
    started = next(fact for fact in told.facts if isinstance(fact, TalkStarted))
    assert started.party is Party.EXPERT


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        (OfferEndReason.BUSY, RefuseReason.BUSY),
        (OfferEndReason.REJECTED, RefuseReason.REJECTED),
        (OfferEndReason.NO_ANSWER, RefuseReason.NO_ANSWER),
        (OfferEndReason.UNREACHABLE, RefuseReason.UNREACHABLE),
    ],
)
def test_a_seat_that_does_not_answer_sends_the_call_on(reason: OfferEndReason, refused: RefuseReason) -> None:
    told = Told()
    told.begin()
    told.ring()
    decision = told.tell(OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=reason))
    assert decision.actions == (Tell(Refuse(offer="o1", reason=refused)),)
    assert told.call.phase is Phase.QUEUED
    assert isinstance(told.facts[-1], OfferMissed)
    assert told.ring("o2", "8002").actions == (Ring((("o2", "8002"),), "folder"),)


def test_an_offer_withdrawn_by_the_floor_stops_ringing() -> None:
    told = Told()
    told.begin()
    told.ring()
    withdrawn = OfferWithdrawn(at=NOW, offer="o1", call="c1", seat="8001")
    assert told.tell(FloorSaid((withdrawn,))).actions == (Hold(),)
    assert told.call.phase is Phase.QUEUED


def test_an_offer_that_ran_out_on_the_floor_and_found_another_seat_rings_there_at_once() -> None:
    told = Told()
    told.begin()
    told.ring()
    refused = OfferRefused(at=NOW, offer="o1", call="c1", seat="8001", reason=RefuseReason.NO_ANSWER)
    offered = Offered(at=NOW, offer="o2", call="c1", seat="8002", phone="8002", expires_at=NOW)
    assert told.tell(FloorSaid((refused, offered), "f")).actions == (Ring((("o2", "8002"),), "f"),)
    assert told.call.offer == "o2"


def test_a_late_answer_to_an_old_offer_changes_nothing() -> None:
    told = Told()
    told.begin()
    told.ring()
    told.tell(OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.NO_ANSWER))
    told.ring("o2", "8002")
    assert told.tell(SeatAnswered(at=NOW, offer="o1", line=CITIZEN, seat_line=SEAT)) == script.NOTHING
    assert told.tell(OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.TALKED)) == script.NOTHING


def test_the_citizen_who_leaves_while_waiting_has_abandoned() -> None:
    told = Told()
    told.begin()
    assert told.tell(gone(CITIZEN)).actions == (Tell(Abandon(call="c1", reason=LeaveReason.ABANDONED)),)
    ended = told.facts[-1]
    assert isinstance(ended, CallEnded)
    assert (ended.outcome, ended.phase) == (Outcome.ABANDONED, Phase.QUEUED)


def test_the_citizen_who_leaves_while_it_rings_frees_the_seat() -> None:
    told = Told()
    told.begin()
    told.ring()
    assert told.tell(gone(CITIZEN)).actions == (Tell(Abandon(call="c1", reason=LeaveReason.ABANDONED)),)


def test_the_citizen_who_ends_a_talk_has_completed_the_call() -> None:
    told = talking()
    assert told.tell(gone(CITIZEN)).actions == (Tell(Finish(call="c1")),)
    ended, over = told.facts[-1], told.facts[-2]
    assert isinstance(ended, CallEnded)
    assert isinstance(over, TalkEnded)
    assert (ended.outcome, over.by) == (Outcome.COMPLETED, Party.CITIZEN)


def test_after_the_seat_leaves_the_citizen_hears_good_bye_and_the_line_ends() -> None:
    told = talking()
    decision = told.tell(gone(SEAT))
    assert Tell(Finish(call="c1")) in decision.actions
    assert told.call.phase is Phase.CLOSING
    assert told.tell(ReturnedLine(at=NOW, line=CITIZEN, place="after")).actions == (Play(("bye",)),)
    assert told.tell(Listened(Collected(Heard.SILENCE))).actions == (HangUp(CITIZEN),)
    told.tell(gone(CITIZEN))
    assert isinstance(told.facts[-1], CallEnded)
    assert told.facts[-1].outcome is Outcome.COMPLETED


def test_a_talk_that_nobody_returned_is_hung_up_after_a_while() -> None:
    told = talking()
    decision = told.tell(gone(SEAT))
    assert Wake(events.CLOSE, HOUSE.closing) in decision.actions
    assert told.tell(Woke(events.CLOSE)).actions == (HangUp(CITIZEN),)


def test_both_ends_of_a_talk_are_told_once() -> None:
    told = talking()
    told.tell(gone(SEAT))
    told.tell(OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.TALKED))
    told.tell(ReturnedLine(at=NOW, line=CITIZEN, place="after"))
    assert sum(isinstance(fact, TalkEnded) for fact in told.facts) == 1


def test_a_talk_whose_answer_was_lost_is_made_up_for() -> None:
    told = Told()
    told.begin()
    told.ring()
    decision = told.tell(OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.TALKED))
    close = Wake(events.CLOSE, HOUSE.closing)
    assert decision.actions == (Tell(Answer(offer="o1")), Tell(Finish(call="c1")), close)
    assert [type(fact) for fact in decision.facts] == [TalkStarted, TalkEnded], "there is a ticket"


def test_keys_pressed_while_talking_silence_the_recording_until_they_are_over() -> None:
    told = talking()
    key = KeyPressed(at=NOW, line=CITIZEN)
    assert told.tell(key).actions == (Wake(events.UNMUTE, HOUSE.mute_after_key), Mute(muted=True))
    assert told.tell(key).actions == (Wake(events.UNMUTE, HOUSE.mute_after_key),)
    assert told.tell(Woke(events.UNMUTE)).actions == (Mute(muted=False),)
    assert told.tell(Woke(events.UNMUTE)) == Decision(actions=(Mute(muted=False),)), "harmless, and nothing new"


def test_an_offer_that_is_withdrawn_before_it_was_heard_of_rings_nowhere() -> None:
    told = Told()
    told.begin()
    offered = Offered(at=NOW, offer="o1", call="c1", seat="8001", phone="8001", expires_at=NOW)
    withdrawn = OfferWithdrawn(at=NOW, offer="o1", call="c1", seat="8001")
    decision = told.tell(FloorSaid((offered, withdrawn), "folder"))
    assert decision.actions == (Hold(),)
    assert (told.call.phase, told.call.offer) == (Phase.QUEUED, "")
    other = Offered(at=NOW, offer="o2", call="c1", seat="8002", phone="8002", expires_at=NOW)
    assert told.tell(FloorSaid((other,), "folder")).actions == (Ring((("o2", "8002"),), "folder"),)


def test_an_offer_that_is_told_twice_rings_once() -> None:
    told = Told()
    told.begin()
    told.ring()
    assert told.ring() == script.NOTHING


@pytest.mark.parametrize("ring", [False, True])
def test_a_talk_that_is_found_alive_is_one_whatever_was_believed(ring: bool) -> None:
    told = Told()
    told.begin()
    if ring:
        told.ring()
    found = TalkFound("8002", SEAT, "folder")
    decision = told.tell(found)
    assert decision.actions == (Tell(Adopt(seat="8002", call="c1")),)
    assert [type(fact) for fact in decision.facts] == [TalkStarted, TrackOpened, TrackOpened]
    assert {fact.at for fact in decision.facts} == {NOW}
    tracks = [(fact.line, fact.seen) for fact in decision.facts if isinstance(fact, TrackOpened)]
    assert tracks == [(CITIZEN, False), (SEAT, False)]
    assert (told.call.phase, told.call.seat, told.call.seat_line) == (Phase.TALKING, "8002", SEAT)
    assert told.call.offer == ("o1" if ring else ""), "its end at the switch is the end of the talk"
    assert told.tell(found) == script.NOTHING
    told.tell(gone(CITIZEN))
    assert told.tell(found) == script.NOTHING


@pytest.mark.parametrize(("first", "by"), [(CITIZEN, Party.CITIZEN), (SEAT, Party.OPERATOR), (None, None)])
def test_who_hung_up_is_who_left_the_bridge_first_whoevers_line_is_told_first(
    first: LineId | None, by: Party | None
) -> None:
    told = talking()
    for line in (CITIZEN, SEAT) if first == CITIZEN else (SEAT, CITIZEN):
        if first is not None:
            news = Unbridged(at=NOW, bridge="b", line=line)
            told.call = fold.left_bridge(told.call, news)
            assert told.tell(news) == script.NOTHING
    told.tell(gone(SEAT))
    assert [fact.by for fact in told.facts if isinstance(fact, TalkEnded)] == [by]


def test_tracks_belong_to_the_party_whose_line_they_record_and_are_kept_once() -> None:
    told = talking()
    for _ in range(2):
        told.tell(TrackStarted(at=NOW, line=CITIZEN))
        told.tell(TrackStarted(at=NOW, line=SEAT))
    opened = [(fact.line, fact.party) for fact in told.facts if isinstance(fact, TrackOpened)]
    assert opened == [(CITIZEN, Party.CITIZEN), (SEAT, Party.OPERATOR)]


@pytest.mark.parametrize("phase", ["queued", "ringing", "talking"])
def test_a_lost_node_fails_the_call_and_frees_the_floor(phase: str) -> None:
    told = Told()
    told.begin()
    if phase != "queued":
        told.ring()
    if phase == "talking":
        told.answer()
    decision = told.tell(NodeLost())
    freed = Finish(call="c1") if phase == "talking" else Abandon(call="c1", reason=LeaveReason.FAILED)
    assert decision.actions == (Tell(freed),)
    ended = told.facts[-1]
    assert isinstance(ended, CallEnded)
    assert ended.outcome is Outcome.FAILED


OFFERS = st.sampled_from(["o1", "o2"])
LINES = st.sampled_from([CITIZEN, SEAT, LineId("stranger")])
FLOOR_FACTS = st.one_of(
    st.builds(Joined, at=st.just(NOW), call=st.just("c1"), queue=st.just("general"), needs=st.just(()),
              priority=st.just(0), arrived_at=st.just(NOW)),
    st.builds(Offered, at=st.just(NOW), offer=OFFERS, call=st.just("c1"), seat=st.just("8001"),
              phone=st.just("8001"), expires_at=st.just(NOW)),
    st.builds(OfferRefused, at=st.just(NOW), offer=OFFERS, call=st.just("c1"), seat=st.just("8001"),
              reason=st.sampled_from(RefuseReason)),
    st.builds(OfferWithdrawn, at=st.just(NOW), offer=OFFERS, call=st.just("c1"), seat=st.just("8001")),
    st.builds(Answered, at=st.just(NOW), offer=OFFERS, call=st.just("c1"), seat=st.just("8001"), waited_s=st.just(1.0)),
)  # fmt: skip
EVENTS = st.one_of(
    st.builds(FloorSaid, st.lists(FLOOR_FACTS, min_size=1, max_size=3).map(tuple), st.just("folder")),
    st.builds(SeatAnswered, at=st.just(NOW), offer=OFFERS, line=st.just(CITIZEN), seat_line=st.just(SEAT)),
    st.builds(OfferEnded, at=st.just(NOW), offer=OFFERS, line=st.just(CITIZEN), reason=st.sampled_from(OfferEndReason)),
    st.builds(LineGone, at=st.just(NOW), line=LINES),
    st.builds(ReturnedLine, at=st.just(NOW), line=st.just(CITIZEN), place=st.sampled_from(["after", "hold"])),
    st.builds(TrackStarted, at=st.just(NOW), line=LINES),
    st.builds(KeyPressed, at=st.just(NOW), line=LINES),
    st.builds(Woke, st.sampled_from([events.CLOSE, events.UNMUTE])),
    st.builds(Listened, st.builds(Collected, st.sampled_from(Heard), st.sampled_from(["", "1", "9"]))),
    st.just(NodeLost()),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=25))
def test_whatever_comes_every_call_has_exactly_one_outcome(events: list[Event]) -> None:
    told = Told(run_of(MenuNode(name="menu", prompts=("menu",), keys={"1": "human"})))
    told.begin()
    for event in events:
        told.tell(event)
    told.tell(gone(CITIZEN))
    assert sum(isinstance(fact, CallEnded) for fact in told.facts) == 1
    assert isinstance(told.facts[-1], CallEnded)
    assert told.tell(gone(CITIZEN)) == script.NOTHING


@given(st.lists(EVENTS, max_size=25))
def test_every_talk_that_started_ends_once_and_the_floor_is_told(events: list[Event]) -> None:
    told = Told()
    commands = [told.begin()]
    commands += [told.tell(event) for event in (*events, gone(CITIZEN))]
    started = sum(isinstance(fact, TalkStarted) for fact in told.facts)
    ended = sum(isinstance(fact, TalkEnded) for fact in told.facts)
    assert started == ended <= 1
    said = [action.command for one in commands for action in one.actions if isinstance(action, Tell)]
    left = [one for one in said if isinstance(one, Finish | Abandon)]
    assert left, "whoever joined must leave"


@given(st.lists(EVENTS, max_size=25))
def test_replaying_the_facts_gives_the_same_state(events: list[Event]) -> None:
    told = Told()
    told.begin()
    for event in events:
        told.tell(event)
    first, *rest = told.facts
    assert isinstance(first, CallArrived)
    again = fold.begin(first)
    for fact in rest:
        again = fold.evolve(again, msgspec.json.decode(msgspec.json.encode(fact), type=AnyCallFact))
    assert again == told.call
