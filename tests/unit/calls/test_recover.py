"""What follows when we come back and compare what we believed with what lives."""

from datetime import UTC, datetime

import msgspec
import pytest

from calls import recover, script
from calls.events import NodeLost, TrackFound, Woke
from calls.model import CallArrived, CallState, Phase, Queued, Ringing, TalkStarted
from telephony.model import (
    LineGone,
    LineId,
    LineSnapshot,
    OfferEnded,
    OfferEndReason,
    PhoneId,
    ReturnedLine,
    SeatAnswered,
    Snapshot,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 12, 0, tzinfo=UTC)
CITIZEN, SEAT = LineId("h-1.1"), LineId("h-1.2")


def call_in(phase: Phase) -> CallState:
    state = script.begin(CallArrived(call="c1", at=NOW, line=CITIZEN, dialled="12345", declared=True, booted="monday"))
    if phase in (Phase.QUEUED, Phase.RINGING, Phase.TALKING):
        state = script.evolve(state, Queued(call="c1", at=NOW, queue="general"))
    if phase in (Phase.RINGING, Phase.TALKING):
        state = script.evolve(state, Ringing(call="c1", at=NOW, offer="o1", seat="8001", phone="8001"))
    if phase is Phase.TALKING:
        talk = TalkStarted(call="c1", at=NOW, offer="o1", seat="8001", agent="8001", seat_line=SEAT)
        state = script.evolve(state, talk)
    return msgspec.structs.replace(state, phase=phase)


def seen(*lines: LineSnapshot, booted: str = "monday") -> Snapshot:
    return Snapshot(at=NOW, booted=booted, lines=lines)


def citizen(place: str, bridge: str = "") -> LineSnapshot:
    return LineSnapshot(line=CITIZEN, place=place, bridge=bridge, dialled="12345", offer="o1")


def seat(bridge: str = "") -> LineSnapshot:
    return LineSnapshot(line=SEAT, place="seat", bridge=bridge, phone=PhoneId("8001"))


def plan(phase: Phase, *lines: LineSnapshot, booted: str = "monday") -> recover.Plan:
    return recover.plan({"c1": call_in(phase)}, seen(*lines, booted=booted))


@pytest.mark.parametrize("phase", [Phase.ARRIVED, Phase.IN_IVR, Phase.QUEUED, Phase.RINGING, Phase.TALKING])
def test_a_line_that_is_gone_hung_up(phase: Phase) -> None:
    assert plan(phase).events == [("c1", LineGone(at=NOW, line=CITIZEN))]


def test_a_line_of_an_asterisk_that_was_restarted_was_lost() -> None:
    assert plan(Phase.TALKING, booted="tuesday").events == [("c1", NodeLost())]


def test_a_caller_in_the_menu_hears_it_again() -> None:
    assert plan(Phase.IN_IVR, citizen("ivr")).restart == ["c1"]


def test_a_waiting_caller_keeps_place_and_music() -> None:
    made = plan(Phase.QUEUED, citizen("hold"))
    assert (made.rejoin, made.hold, made.events) == (["c1"], [], [])


def test_a_waiting_caller_is_taken_back_from_the_fallback() -> None:
    made = plan(Phase.QUEUED, citizen("fallback"))
    assert (made.rejoin, made.hold) == (["c1"], ["c1"])


def test_a_talk_that_the_fallback_connected_is_adopted_and_not_broken() -> None:
    made = plan(Phase.QUEUED, citizen("fallback", "b1"), seat("b1"))
    assert made.adopt == [("c1", seat("b1"))]
    assert (made.rejoin, made.hold) == ([], [])


def test_a_phone_that_still_rings_goes_on_ringing() -> None:
    made = plan(Phase.RINGING, citizen("connect"))
    assert (made.events, made.hold) == ([], [])


def test_an_answer_that_was_missed_counts_with_its_tracks() -> None:
    kinds = [event for _, event in plan(Phase.RINGING, citizen("connect", "b1"), seat("b1")).events]
    assert kinds == [
        SeatAnswered(at=NOW, offer="o1", line=CITIZEN, seat_line=SEAT),
        TrackFound(CITIZEN),
        TrackFound(SEAT),
    ]


def test_a_refusal_that_was_missed_sends_the_call_on() -> None:
    ended = OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.NO_ANSWER)
    made = plan(Phase.RINGING, citizen("hold"))
    assert (made.events, made.hold) == ([("c1", ended)], [])


def test_a_whole_talk_that_was_missed_is_made_up_for() -> None:
    made = plan(Phase.RINGING, citizen("after"))
    assert [type(event) for _, event in made.events] == [OfferEnded, ReturnedLine]


def test_a_talk_goes_on() -> None:
    made = plan(Phase.TALKING, citizen("connect", "b1"), seat("b1"))
    assert all(isinstance(event, TrackFound) for _, event in made.events)
    assert made.strays == []


def test_a_talk_whose_seat_left_is_closed() -> None:
    assert plan(Phase.TALKING, citizen("after")).events == [("c1", ReturnedLine(at=NOW, line=CITIZEN, place="after"))]


def test_a_call_that_was_closing_is_ended() -> None:
    assert plan(Phase.CLOSING, citizen("after")).events == [("c1", Woke(script.CLOSE))]


def test_whoever_came_meanwhile_is_taken_in_and_seats_are_not() -> None:
    newcomer = LineSnapshot(line=LineId("h-1.9"), place="fallback", dialled="12329")
    ringing = LineSnapshot(line=LineId("h-1.10"), place="arrive", up=False)
    made = recover.plan({}, seen(newcomer, ringing, seat("b9")))
    assert made.strays == [newcomer]
