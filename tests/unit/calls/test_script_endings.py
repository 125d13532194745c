"""How talk, recording and call end, and what each fact changes: every fact, every action, every field."""

from datetime import datetime, timedelta

import msgspec
import pytest

from acd.model import Abandon, AbuseStep, Finish, LeaveReason, StepKind
from calls import events, fold, script
from calls.events import Decision, Event, HangUp, Hold, Mute, NodeLost, Ordered, Play, Tell, TrackFound, Wake, Woke
from calls.model import (
    AbuseNoted,
    Announced,
    AnyCallFact,
    CallEnded,
    CallState,
    Dismissed,
    Outcome,
    Party,
    Phase,
    PickedUp,
    Rated,
    RatedAspect,
    Rating,
    RatingAsked,
    RecordingMuted,
    Remembered,
    Ringing,
    TalkEnded,
    TalkStarted,
    TrackOpened,
)
from telephony.model import KeyPressed, LineGone, LineId, OfferEndReason, ReturnedLine, TrackStarted
from tests.unit.calls.phases import (
    ARRIVED,
    CITIZEN,
    FIRST,
    HOUSE,
    NOW,
    OTHER,
    SEAT,
    call_in,
    decided,
    missed,
    offer_ended,
    queued,
    stepped,
)

pytestmark = pytest.mark.unit

# The talk's end --------------------------------------------------------------------------------------------

OVER = TalkEnded(call="c1", at=NOW, by=None)
FREED = (Tell(Finish(call="c1")), Wake(events.CLOSE, timedelta(seconds=7)))


def test_the_seats_end_of_a_talk_frees_it_and_closes_the_citizens_line_in_time() -> None:
    talking = call_in(Phase.TALKING)
    assert decided(talking, LineGone(at=ARRIVED, line=SEAT)) == Decision((OVER,), FREED)
    assert decided(talking, offer_ended(OfferEndReason.TALKED)) == Decision((OVER,), FREED)


def test_a_returned_citizen_hears_good_bye() -> None:
    returned = ReturnedLine(at=ARRIVED, line=CITIZEN, place="after")
    assert decided(call_in(Phase.TALKING), returned) == Decision((OVER,), (*FREED, Play(("bye",))))
    assert decided(call_in(Phase.CLOSING), returned) == Decision(actions=(Play(("bye",)),))


@pytest.mark.parametrize("phase", [Phase.ARRIVED, Phase.IN_IVR, Phase.RINGING])
def test_a_return_before_the_talk_changes_nothing(phase: Phase) -> None:
    assert decided(call_in(phase), ReturnedLine(at=ARRIVED, line=CITIZEN, place="after")) == script.NOTHING


def test_whoever_waits_and_was_elsewhere_hears_music_again() -> None:
    waiting = call_in(Phase.QUEUED)
    assert decided(waiting, ReturnedLine(at=ARRIVED, line=CITIZEN, place="after")) == Decision(actions=(Hold(),))
    assert decided(waiting, ReturnedLine(at=ARRIVED, line=CITIZEN, place="hold")) == script.NOTHING


def test_whoever_comes_back_from_the_dialplans_queue_has_been_recorded_there() -> None:
    back = ReturnedLine(at=ARRIVED, line=CITIZEN, place="fallback")
    track = TrackOpened(call="c1", at=NOW, line=CITIZEN, party=Party.CITIZEN, agent="", seen=False)
    assert decided(call_in(Phase.QUEUED), back) == Decision((track,), (Hold(),))
    assert decided(msgspec.structs.replace(call_in(Phase.QUEUED), opened=(CITIZEN,)), back) == Decision((), (Hold(),))


@pytest.mark.parametrize("phase", [Phase.RINGING, Phase.CLOSING])
def test_a_seats_line_outside_the_talk_and_strangers_lines_may_go(phase: Phase) -> None:
    call = call_in(phase, seat_line=SEAT)
    assert decided(call, LineGone(at=ARRIVED, line=SEAT)) == script.NOTHING
    assert decided(call_in(Phase.TALKING), LineGone(at=ARRIVED, line=OTHER)) == script.NOTHING


def test_a_closing_call_is_hung_up_when_its_time_is_over() -> None:
    assert decided(call_in(Phase.CLOSING), Woke(events.CLOSE)) == Decision(actions=(HangUp(CITIZEN),))
    assert decided(call_in(Phase.CLOSING), Woke(events.UNMUTE)) == script.NOTHING
    assert decided(call_in(Phase.TALKING), Woke(events.CLOSE)) == script.NOTHING


# The call's end --------------------------------------------------------------------------------------------

ENDINGS = [
    (Phase.ARRIVED, Outcome.ABANDONED, (), ()),
    (Phase.IN_IVR, Outcome.ABANDONED, (), ()),
    (Phase.QUEUED, Outcome.ABANDONED, (), (Tell(Abandon(call="c1", reason=LeaveReason.ABANDONED)),)),
    (Phase.RINGING, Outcome.ABANDONED, (), (Tell(Abandon(call="c1", reason=LeaveReason.ABANDONED)),)),
    (Phase.TALKING, Outcome.COMPLETED, (TalkEnded(call="c1", at=NOW, by=Party.CITIZEN),), (FREED[0],)),
    (Phase.CLOSING, Outcome.COMPLETED, (), ()),
]
FAILURES = [
    (Phase.IN_IVR, (), ()),
    (Phase.QUEUED, (), (Tell(Abandon(call="c1", reason=LeaveReason.FAILED)),)),
    (Phase.RINGING, (), (Tell(Abandon(call="c1", reason=LeaveReason.FAILED)),)),
    (Phase.TALKING, (TalkEnded(call="c1", at=NOW, by=None),), (FREED[0],)),
    (Phase.CLOSING, (), ()),
]


@pytest.mark.parametrize(("phase", "outcome", "facts", "actions"), ENDINGS)
def test_the_citizen_hangs_up(
    phase: Phase, outcome: Outcome, facts: tuple[AnyCallFact, ...], actions: tuple[Tell, ...]
) -> None:
    ended = CallEnded(call="c1", at=NOW, outcome=outcome, phase=phase, cause=17)
    decision = decided(call_in(phase), LineGone(at=ARRIVED, line=CITIZEN, cause=17))
    assert decision == Decision((*facts, ended), actions)


def test_a_citizen_who_heard_a_stated_end_was_informed() -> None:
    heard = call_in(Phase.CLOSING, answered_at=None)
    ended = CallEnded(call="c1", at=NOW, outcome=Outcome.INFORMED, phase=Phase.CLOSING, cause=16)
    assert decided(heard, LineGone(at=ARRIVED, line=CITIZEN, cause=16)) == Decision((ended,))


@pytest.mark.parametrize(("phase", "facts", "actions"), FAILURES)
def test_the_node_is_lost(phase: Phase, facts: tuple[AnyCallFact, ...], actions: tuple[Tell, ...]) -> None:
    ended = CallEnded(call="c1", at=NOW, outcome=Outcome.FAILED, phase=phase, cause=38)
    assert decided(call_in(phase), NodeLost()) == Decision((*facts, ended), actions)


def test_a_person_ends_the_call_for_the_cause_given() -> None:
    assert decided(call_in(Phase.TALKING), Ordered(21)) == Decision(actions=(HangUp(CITIZEN, 21),))


def test_whoever_talks_may_end_only_his_own_part() -> None:
    line = call_in(Phase.TALKING).seat_line
    assert line not in ("", CITIZEN)
    assert decided(call_in(Phase.TALKING), Ordered(line=line)) == Decision(actions=(HangUp(line),))


def test_after_its_end_nothing_happens() -> None:
    assert decided(call_in(Phase.ENDED), NodeLost()) == script.NOTHING


# The recording ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "at", "seen"),
    [(TrackStarted(at=ARRIVED, line=CITIZEN), ARRIVED, True), (TrackFound(CITIZEN), NOW, False)],
)
def test_the_citizens_track_is_nobodys_at_a_seat(event: Event, at: datetime, seen: bool) -> None:
    opened = TrackOpened(call="c1", at=at, line=CITIZEN, party=Party.CITIZEN, agent="", seen=seen)
    assert decided(call_in(Phase.TALKING), event) == Decision((opened,))
    assert decided(call_in(Phase.TALKING, opened=(CITIZEN,)), event) == script.NOTHING


@pytest.mark.parametrize(("seat", "party"), [("8001", Party.OPERATOR), ("9001", Party.EXPERT)])
@pytest.mark.parametrize(
    ("event", "at", "seen"), [(TrackStarted(at=ARRIVED, line=SEAT), ARRIVED, True), (TrackFound(SEAT), NOW, False)]
)
def test_a_seats_track_bears_its_party_and_number(
    seat: str, party: Party, event: Event, at: datetime, seen: bool
) -> None:
    opened = TrackOpened(call="c1", at=at, line=SEAT, party=party, agent=seat, seen=seen)
    assert decided(call_in(Phase.TALKING, seat), event) == Decision((opened,))


def test_a_key_while_talking_mutes_and_another_one_prolongs() -> None:
    key, again = KeyPressed(at=ARRIVED, line=CITIZEN), Wake(events.UNMUTE, timedelta(seconds=2))
    silent = RecordingMuted(call="c1", at=NOW, muted=True)
    assert decided(call_in(Phase.TALKING), key) == Decision((silent,), (again, Mute(True)))
    assert decided(call_in(Phase.TALKING, muted=True), key) == Decision(actions=(again,))
    assert decided(call_in(Phase.IN_IVR), key) == script.NOTHING


def test_a_house_that_mutes_nothing_lets_keys_be() -> None:
    loud = msgspec.structs.replace(HOUSE, mute_after_key=timedelta())
    key = KeyPressed(at=ARRIVED, line=CITIZEN)
    assert script.decide(call_in(Phase.TALKING), None, key, loud, NOW) == script.NOTHING


def test_the_recording_is_whole_again_once() -> None:
    whole = RecordingMuted(call="c1", at=NOW, muted=False)
    woke = Woke(events.UNMUTE)
    assert decided(call_in(Phase.TALKING, muted=True), woke) == Decision((whole,), (Mute(False),))
    assert decided(call_in(Phase.TALKING), woke) == Decision(actions=(Mute(False),)), "who began the mute may be gone"
    assert decided(call_in(Phase.CLOSING, muted=True), woke) == script.NOTHING
    assert decided(call_in(Phase.TALKING, muted=True), Woke(events.CLOSE)) == script.NOTHING


# The fold --------------------------------------------------------------------------------------------------

FULL = call_in(
    Phase.TALKING, agent="8001", tracks="old", queued=queued(), queued_at=ARRIVED, opened=(CITIZEN,), muted=True
)
FOLDS: list[tuple[AnyCallFact, dict[str, object]]] = [
    (stepped("menu"), {"phase": Phase.IN_IVR, "node": "menu"}),
    (Dismissed(call="c1", at=NOW, reason="office"), {"phase": Phase.CLOSING, "dismissed": "office"}),
    (queued(queue="fund"), {"phase": Phase.QUEUED, "queued": queued(queue="fund"), "queued_at": NOW}),
    (
        Ringing(call="c1", at=NOW, offer="o2", seat="8002", phone="p2"),
        {"phase": Phase.RINGING, "offer": "o2", "seat": "8002", "phone": "p2", "seat_line": LineId("")},
    ),
    (PickedUp(call="c1", at=NOW, offer="o1", seat_line=OTHER), {"seat_line": OTHER}),
    (RecordingMuted(call="c1", at=NOW, muted=False), {"muted": False}),
    (missed("busy"), {"phase": Phase.QUEUED, "offer": "", "seat": "", "phone": "", "seat_line": LineId("")}),
    (
        TalkStarted(call="c1", at=NOW, offer="o2", seat="8002", agent="4711", tracks="new"),
        {
            "phase": Phase.TALKING,
            "offer": "o2",
            "seat": "8002",
            "agent": "4711",
            "seat_line": SEAT,
            "tracks": "new",
            "answered_at": NOW,
        },
    ),
    (
        TalkStarted(call="c1", at=NOW, offer="o1", seat="8001", agent="8001", seat_line=OTHER, tracks="old"),
        {"phase": Phase.TALKING, "seat_line": OTHER, "answered_at": NOW},
    ),
    (TrackOpened(call="c1", at=NOW, line=SEAT, party=Party.OPERATOR), {"opened": (CITIZEN, SEAT)}),
    (TalkEnded(call="c1", at=NOW), {"phase": Phase.CLOSING}),
    (CallEnded(call="c1", at=NOW, outcome=Outcome.COMPLETED, phase=Phase.TALKING), {"phase": Phase.ENDED}),
    (AbuseNoted(call="c1", at=NOW, seat="8001", step=AbuseStep.WARNED), {}),
    (AbuseNoted(call="c1", at=NOW, seat="8001", step=AbuseStep.ENDED, code="A1"), {"dismissed": "ended"}),
    (Announced(call="c1", at=NOW, kind=StepKind.POSITION, ahead=3), {"saying": True}),
    (
        RatingAsked(call="c1", at=NOW, aspect=RatedAspect.SERVICE),
        {"phase": Phase.CLOSING, "asked": RatedAspect.SERVICE},
    ),
    (Remembered(call="c1", at=NOW, agents=("8001", "8002")), {"own": ("8001", "8002")}),
    (Rated(call="c1", at=NOW, aspect=RatedAspect.SERVICE, rating=Rating.FAIR), {"rated": True}),
]


@pytest.mark.parametrize(("fact", "change"), FOLDS, ids=[type(fact).__name__ for fact, _ in FOLDS])
def test_a_fact_changes_what_it_says_and_nothing_else(fact: AnyCallFact, change: dict[str, object]) -> None:
    for before in (FULL, msgspec.structs.replace(FULL, phase=Phase.ENDED)):
        assert fold.evolve(before, fact) == msgspec.structs.replace(before, **change)


def test_the_first_fact_makes_the_state() -> None:
    made = CallState(call="c1", line=CITIZEN, phase=Phase.ARRIVED, booted="monday", arrived_at=ARRIVED, arrived=FIRST)
    assert fold.begin(FIRST) == made
    assert fold.evolve(FULL, FIRST) == made
