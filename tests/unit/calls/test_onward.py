"""A line outside that is called for a citizen alone: from a queue, beside a seat that rings, from a flow; and
everything that can happen with each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from acd import model as floor
from acd.model import Abandon, LeaveReason
from calls import fold, onward_outcomes, recover, script
from calls.events import (
    Begun,
    Decision,
    Event,
    FloorSaid,
    Hold,
    House,
    NodeLost,
    NotRung,
    OutsideUp,
    Play,
    Restarted,
    TalkFound,
    Tell,
)
from calls.legs import Party
from calls.model import (
    AnyCallFact,
    CallArrived,
    CallState,
    OnwardDialled,
    OnwardMissed,
    OnwardReached,
    Outcome,
    Phase,
    Queued,
)
from calls.moves import Invite, Put, Release
from ivr.flow import FlowRun, PlayNode, TransferNode
from scripts.onward import DOCUMENT
from telephony.model import (
    LegAnswered,
    LegFailed,
    LineGone,
    LineId,
    LineSnapshot,
    OfferEnded,
    OfferEndReason,
    PhoneId,
    Placed,
    ReturnedLine,
    SeatAnswered,
    Snapshot,
    TrackStarted,
)
from tests.unit.calls.phases import dated
from tests.unit.calls.test_script_steps import run_of

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 4, 0, tzinfo=UTC)
LINE, SEAT, LEG = LineId("h-1.1"), LineId("h-1.2"), LineId("c1_o1")
CENTRE = "12366"
HOUSE = House(ring=timedelta(seconds=15), bye="bye", can_dial=True)
STEP = floor.Prompted(
    at=NOW, call="c1", kind=floor.StepKind.OVERFLOW, prompt="", ahead=3, estimate_s=None, to=CENTRE
)  # fmt: skip
OFFER = floor.Offered(at=NOW, offer="o1", call="c1", seat="8001", phone="8001", expires_at=NOW)
ANSWERED = floor.Answered(at=NOW, offer="o1", call="c1", seat="8001", waited_s=3)
WITHDRAWN = floor.OfferWithdrawn(at=NOW, offer="o1", call="c1", seat="8001")
SEAT_ANSWERED = SeatAnswered(at=NOW, offer="o1", line=LINE, seat_line=SEAT)
LINE_ANSWERED = LegAnswered(at=NOW, leg=LEG)
FAILED = LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.BUSY)


def the_flow() -> FlowRun:
    away = TransferNode(name="away", target=CENTRE, failed="sorry", ring_s=20)
    return run_of(away, PlayNode(name="sorry", prompts=("sorry",), next="human"))


class Hand:
    """A call, and everything that was decided about it."""

    def __init__(self, house: House = HOUSE) -> None:
        self.house = house
        arrived = CallArrived(call="c1", at=NOW, line=LINE, dialled="12345", declared=True, booted="monday")
        self.call: CallState = fold.begin(arrived)
        self.run: FlowRun | None = None
        self.facts: list[AnyCallFact] = []

    def hear(self, event: Event) -> Decision:
        if isinstance(event, LegAnswered) and event.leg == self.call.onward:
            event = OutsideUp(event.leg, "folder")  # as its mailbox says it
        decision = dated(self.call, event, script.decide(self.call, self.run, event, self.house, NOW), NOW)
        self.run = decision.run or self.run
        for fact in decision.facts:
            self.call = fold.evolve(self.call, fact)
        self.facts += decision.facts
        return decision

    def say(self, *facts: floor.AnyFloorFact) -> Decision:
        return self.hear(FloorSaid(facts, "folder"))


def waits() -> Hand:
    hand = Hand()
    hand.call = fold.evolve(hand.call, Queued(call="c1", at=NOW, queue="general"))
    hand.say(STEP)
    return hand


def from_flow() -> Hand:
    hand = Hand()
    hand.hear(Begun(the_flow()))
    return hand


def beside_a_seat() -> Hand:
    hand = waits()
    hand.say(OFFER)
    return hand


def told(decision: Decision) -> list[floor.Command]:
    return [action.command for action in decision.actions if isinstance(action, Tell)]


def test_a_step_of_the_plan_calls_the_other_centre_and_changes_nothing_for_the_citizen() -> None:
    hand = Hand()
    hand.call = fold.evolve(hand.call, Queued(call="c1", at=NOW, queue="general"))
    decision = hand.say(STEP)
    assert decision.actions == (Invite("room_c1", LEG, CENTRE, outside=True),)
    assert (hand.call.phase, hand.call.onward, LEG in hand.call.party_lines) == (Phase.QUEUED, LEG, True)
    assert hand.say(STEP) == Decision(), "it rings already"
    hand.hear(FAILED)
    assert hand.say(STEP).actions == (Invite("room_c1", LineId("c1_o2"), CENTRE, outside=True),)


def test_a_step_may_say_something_before() -> None:
    hand = Hand()
    hand.call = fold.evolve(hand.call, Queued(call="c1", at=NOW, queue="general"))
    spoken = floor.Prompted(
        at=NOW, call="c1", kind=floor.StepKind.OVERFLOW, prompt="busy", ahead=3, estimate_s=None, to=CENTRE
    )  # fmt: skip
    assert [type(action) for action in hand.say(spoken).actions] == [Play, Invite]


def test_without_a_way_out_nobody_is_called() -> None:
    hand = Hand(House(ring=timedelta(seconds=15), bye="bye"))
    hand.call = fold.evolve(hand.call, Queued(call="c1", at=NOW, queue="general"))
    assert hand.say(STEP) == Decision()
    other = Hand(House(ring=timedelta(seconds=15), bye="bye"))
    assert other.hear(Begun(the_flow())).actions == (Play(("sorry",)),)


def test_a_flow_never_calls_the_number_that_was_dialled() -> None:
    hand = Hand()
    away = TransferNode(name="away", target="12345", failed="sorry")
    run = run_of(away, PlayNode(name="sorry", prompts=("sorry",), next="human"))
    assert hand.hear(Begun(run)).actions == (Play(("sorry",)),)


def test_a_flow_holds_the_citizen_with_music_while_the_line_rings() -> None:
    hand = Hand()
    ring = timedelta(seconds=20)
    assert hand.hear(Begun(the_flow())).actions == (Hold(), Invite("room_c1", LEG, CENTRE, outside=True, ring=ring))
    assert hand.hear(FAILED).actions == (Play(("sorry",)),)


def test_the_line_that_answers_talks_with_the_citizen_and_the_floor_knows() -> None:
    hand = waits()
    assert hand.hear(TrackStarted(at=NOW, line=LEG)) == Decision()
    decision = hand.hear(LegAnswered(at=NOW, leg=LEG))
    assert told(decision) == [Abandon(call="c1", reason=LeaveReason.OVERFLOWED, to=CENTRE)]
    assert isinstance(decision.actions[0], Put)
    assert (hand.call.phase, hand.call.agent, hand.call.seat, hand.call.seat_line) == (Phase.TALKING, "", "", LEG)
    assert hand.call.opened == (LEG,)
    assert hand.hear(TrackStarted(at=NOW, line=LINE)).facts[0].party is Party.CITIZEN  # type: ignore[union-attr]
    hand.hear(ReturnedLine(at=NOW, line=LINE, place="after"))
    assert (hand.call.phase, hand.call.asked) == (Phase.CLOSING, None), "no seat of ours is rated"
    hand.hear(LineGone(at=NOW, line=LINE))
    assert [fact.outcome for fact in hand.facts if hasattr(fact, "outcome")] == [Outcome.COMPLETED]


def test_a_seat_that_rings_stops_before_the_citizen_is_moved() -> None:
    decision = beside_a_seat().hear(LegAnswered(at=NOW, leg=LEG))
    assert [type(action) for action in decision.actions] == [Hold, Put, Tell]


def test_a_citizen_whose_move_was_lost_is_moved_again_and_recorded() -> None:
    hand = waits()
    hand.hear(LINE_ANSWERED)
    lines = (seen(LINE, "hold"), seen(LEG, "room"))
    made = recover.plan({"c1": hand.call}, Snapshot(at=NOW, booted="monday", lines=lines, reachable=frozenset()))
    moved = [action for _, event in made.events for action in hand.hear(event).actions]
    assert Put("room_c1", (Placed(line=LINE, citizen=True),), fresh=True) in moved
    assert hand.call.opened == (LEG, LINE)


@pytest.mark.parametrize("reason", [reason for reason in OfferEndReason if reason is not OfferEndReason.TALKED])
@pytest.mark.parametrize("given", [waits, from_flow])
def test_why_nobody_came_is_kept_and_changes_nothing_else(given: Callable[[], Hand], reason: OfferEndReason) -> None:
    hand = given()
    hand.hear(LegFailed(at=NOW, leg=LEG, reason=reason))
    assert [fact.result for fact in hand.facts if isinstance(fact, OnwardMissed)] == [reason.value]
    assert hand.call.phase is (Phase.QUEUED if given is waits else Phase.IN_IVR)
    assert hand.hear(LegAnswered(at=NOW, leg=LEG)).actions == (Release(LEG),), "it answers a moment later"


# The table ----------------------------------------------------------------------------------------------------------


def test_the_page_says_what_the_table_says() -> None:
    assert DOCUMENT.read_text("utf-8") == onward_outcomes.render(), "write it anew: python -m scripts.onward"


def seen(line: LineId, place: str, *, up: bool = True, phone: str = "", bridge: str = "") -> LineSnapshot:
    return LineSnapshot(line=line, place=place, up=up, phone=PhoneId(phone), bridge=bridge)


GIVEN = {
    onward_outcomes.WAITS: waits,
    onward_outcomes.SEAT_RINGS: beside_a_seat,
    onward_outcomes.FLOW: from_flow,
}
PLACE = {onward_outcomes.SEAT_RINGS: "connect"}
WITH_SEAT = (seen(LINE, "fallback", bridge="b"), seen(SEAT, "seat", phone="8001", bridge="b"))
CALLED = seen(LEG, "", up=False)
EVENTS: dict[str, tuple[Event, ...]] = {
    "the line outside answers": (LINE_ANSWERED,),
    "it refuses, is busy, unreachable or does not answer": (FAILED,),
    "the guard refuses it": (NotRung(LEG, "day_full"),),
    "the citizen hangs up": (LineGone(at=NOW, line=LINE),),
    "Asterisk was started anew": (NodeLost(),),
    "a seat is free": (FloorSaid((OFFER,)),),
    "he is promised a call-back": (FloorSaid((floor.CallBackPromised(at=NOW, call="c1"),)),),
    "the next step calls another centre": (FloorSaid((STEP,)),),
    "the seat answers": (SEAT_ANSWERED, FloorSaid((ANSWERED,))),
    "the seat answers, the line outside in the same moment": (SEAT_ANSWERED, LINE_ANSWERED, FloorSaid((ANSWERED,))),
    "the line outside answers, the seat in the same moment": (LINE_ANSWERED, SEAT_ANSWERED, FloorSaid((WITHDRAWN,))),
    "the seat refuses, is busy, unreachable or does not answer": (
        OfferEnded(at=NOW, offer="o1", line=LINE, reason=OfferEndReason.BUSY),
    ),
}


def back_again(hand: Hand, row: onward_outcomes.Row) -> list[Event]:
    """What a new process makes of what lives."""
    here = seen(LINE, PLACE.get(row.given, "hold"))
    lines = {
        "our process was away": (here, CALLED),
        "our process was away, the line outside answered meanwhile": (here, seen(LEG, "room")),
        "our process was away, the line outside gave up meanwhile": (here,),
        "our process was away, the plain queue connected him with a seat meanwhile": (*WITH_SEAT, seen(LEG, "room")),
        "our process was away, the seat answered meanwhile": (*WITH_SEAT, CALLED),
    }[row.when]
    hand.run = None
    snapshot = Snapshot(at=NOW, booted="monday", lines=lines, reachable=frozenset())
    made = recover.plan({"c1": hand.call}, snapshot)
    events = [event for _, event in made.events]
    events += [Restarted(the_flow()) for _ in made.restart]
    return events + [TalkFound("8001", seat.line, "folder") for _, seat in made.adopt]


def happens(hand: Hand, row: onward_outcomes.Row) -> list[Decision]:
    events = EVENTS.get(row.when) or back_again(hand, row)
    return [hand.hear(event) for event in events]


def picture(hand: Hand, decisions: list[Decision]) -> str:
    """Where everybody is, in the table's words."""
    call, facts = hand.call, [fact for decision in decisions for fact in decision.facts]
    released = [one.line for decision in decisions for one in decision.actions if isinstance(one, Release)]
    stopped = LEG in released or any(isinstance(fact, OnwardMissed | OnwardReached) for fact in facts)
    if call.phase is Phase.ENDED:
        outcomes = [fact.outcome for fact in facts if hasattr(fact, "outcome")]
        return onward_outcomes.OWED if outcomes == [Outcome.FAILED] else onward_outcomes.OVER
    if call.phase is Phase.TALKING and call.talk is not None:
        return onward_outcomes.TALK
    if call.phase is Phase.TALKING:
        return onward_outcomes.SEAT_TALKS if LEG in released else "talk: citizen + operator"
    if call.waits_for_call:
        return "waits without a line; the other centre rings no more" if LEG in released else "waits without a line"
    if call.phase is Phase.IN_IVR:
        again = any(isinstance(fact, OnwardDialled) for fact in facts)
        return onward_outcomes.AGAIN if again and LEG in released else onward_outcomes.GOES_ON
    if call.phase is Phase.RINGING:
        return onward_outcomes.ONLY_SEAT if stopped else onward_outcomes.SEAT_RINGS
    return onward_outcomes.QUEUED if stopped else onward_outcomes.WAITS


@pytest.mark.parametrize("row", onward_outcomes.ROWS, ids=lambda row: f"{row.given}: {row.when}")
def test_every_outcome_is_as_stated(row: onward_outcomes.Row) -> None:
    hand = GIVEN[row.given]()
    assert picture(hand, happens(hand, row)) == row.then
    dialled = sum(isinstance(fact, OnwardDialled) for fact in hand.facts)
    ended = sum(isinstance(fact, OnwardMissed | OnwardReached) for fact in hand.facts)
    assert dialled - ended == bool(hand.call.onward), "every try has one end"
