"""What follows when we come back and compare what we believed with what lives."""

from datetime import UTC, datetime

import msgspec
import pytest

from calls import events, fold, recover
from calls.events import NodeLost, TrackFound, Woke
from calls.model import CallArrived, CallState, Phase, Queued, Ringing, Rung, TalkStarted
from telephony.model import (
    LineGone,
    LineId,
    LineSnapshot,
    OfferEnded,
    OfferEndReason,
    PhoneId,
    ReturnedLine,
    Snapshot,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 12, 0, tzinfo=UTC)
CITIZEN, SEAT = LineId("h-1.1"), LineId("h-1.2")


def call_in(phase: Phase) -> CallState:
    state = fold.begin(CallArrived(call="c1", at=NOW, line=CITIZEN, dialled="12345", declared=True, booted="monday"))
    if phase in (Phase.QUEUED, Phase.RINGING, Phase.TALKING):
        state = fold.evolve(state, Queued(call="c1", at=NOW, queue="general"))
    if phase in (Phase.RINGING, Phase.TALKING):
        state = fold.evolve(state, Ringing(call="c1", at=NOW, offer="o1", seat="8001", phone="8001"))
    if phase is Phase.TALKING:
        talk = TalkStarted(call="c1", at=NOW, offer="o1", seat="8001", agent="8001", seat_line=SEAT)
        state = fold.evolve(state, talk)
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


def test_a_phone_that_was_answered_meanwhile_has_a_talk_even_if_its_offer_is_over() -> None:
    made = plan(Phase.RINGING, citizen("connect", "b1"), seat("b1"))
    assert (made.adopt, made.events) == ([("c1", seat("b1"))], [])


def test_a_refusal_that_was_missed_sends_the_call_on() -> None:
    ended = OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.NO_ANSWER)
    made = plan(Phase.RINGING, citizen("hold"))
    assert (made.events, made.hold) == ([("c1", ended)], [])


def test_a_whole_talk_that_was_missed_is_made_up_for() -> None:
    made = plan(Phase.RINGING, citizen("after"))
    assert [type(event) for _, event in made.events] == [OfferEnded, ReturnedLine]


def test_a_talk_goes_on() -> None:
    made = plan(Phase.TALKING, citizen("connect", "b1"), seat("b1"))
    assert all(isinstance(event, TrackFound) for _, event in made.events[:-1])
    assert made.events[-1] == ("c1", Woke(events.UNMUTE)), "a mute may have outlived whoever was to end it"
    assert made.strays == []


def test_a_talk_whose_seat_left_is_closed() -> None:
    assert plan(Phase.TALKING, citizen("after")).events == [("c1", ReturnedLine(at=NOW, line=CITIZEN, place="after"))]


def test_a_call_that_was_closing_is_ended() -> None:
    assert plan(Phase.CLOSING, citizen("after")).events == [("c1", Woke(events.CLOSE))]


def test_whoever_came_meanwhile_is_taken_in_and_seats_are_not() -> None:
    newcomer = LineSnapshot(line=LineId("h-1.9"), place="fallback", dialled="12329")
    ringing = LineSnapshot(line=LineId("h-1.10"), place="arrive", up=False)
    made = recover.plan({}, seen(newcomer, ringing, seat("b9")))
    assert made.strays == [newcomer]


def test_only_a_seat_in_the_same_bridge_is_the_partner() -> None:
    alone, there = citizen("hold"), seat("")
    fellow = LineSnapshot(line=LineId("h-1.9"), place="fallback", bridge="b1")
    assert recover.partner(alone, {SEAT: there}) is None
    assert recover.partner(citizen("connect", "b1"), {SEAT: seat("b2")}) is None
    assert recover.partner(citizen("connect", "b1"), {fellow.line: fellow}) is None
    assert recover.partner(citizen("connect", "b1"), {fellow.line: fellow, SEAT: seat("b1")}) == seat("b1")
    assert recover.partner(citizen("connect", "b1"), {SEAT: seat("b2"), fellow.line: seat("b1")}) == seat("b1")
    assert recover.partner(seat("b1"), {SEAT: seat("b1")}) is None


def test_a_whole_talk_that_was_missed_ends_as_talked_and_then_returns() -> None:
    made = plan(Phase.RINGING, citizen("after"))
    assert made.events == [
        ("c1", OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.TALKED)),
        ("c1", ReturnedLine(at=NOW, line=CITIZEN, place="after")),
    ]
    assert made.hold == []


def test_a_missed_refusal_that_left_the_citizen_elsewhere_means_our_music_again() -> None:
    made = plan(Phase.RINGING, citizen("fallback"))
    ended = OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.NO_ANSWER)
    assert (made.events, made.hold) == ([("c1", ended)], ["c1"])


def test_a_talk_whose_seat_vanished_behind_our_back_ends_with_the_seats_line() -> None:
    assert plan(Phase.TALKING, citizen("connect")).events == [("c1", LineGone(at=NOW, line=SEAT))]
    assert plan(Phase.TALKING, citizen("connect"), seat()).events == []


def test_a_talk_that_goes_on_is_recorded_on_every_line_that_was_not_yet() -> None:
    lines = (citizen("connect", "b1"), seat("b1"))
    whole = ("c1", Woke(events.UNMUTE))
    assert plan(Phase.TALKING, *lines).events == [("c1", TrackFound(CITIZEN)), ("c1", TrackFound(SEAT)), whole]
    known = msgspec.structs.replace(call_in(Phase.TALKING), opened=(CITIZEN,))
    assert recover.plan({"c1": known}, seen(*lines)).events == [("c1", TrackFound(SEAT)), whole]
    unknown = msgspec.structs.replace(call_in(Phase.TALKING), seat_line=LineId(""))
    assert recover.plan({"c1": unknown}, seen(*lines)).events == [("c1", TrackFound(CITIZEN)), whole]


def test_nothing_follows_for_a_call_that_is_over() -> None:
    made = plan(Phase.ENDED, citizen("after"))
    assert (made.events, made.restart, made.rejoin, made.hold) == ([], [], [], [])


def test_what_was_missed_of_one_call_comes_after_what_was_missed_of_another() -> None:
    gone = msgspec.structs.replace(call_in(Phase.QUEUED), call="c0", line=LineId("h-1.0"))
    made = recover.plan({"c0": gone, "c1": call_in(Phase.TALKING)}, seen(citizen("connect", "b1"), seat("b1")))
    assert made.events[0] == ("c0", LineGone(at=NOW, line=LineId("h-1.0")))
    assert {call for call, _ in made.events[1:]} == {"c1"}


def test_every_place_of_a_citizen_is_taken_in_and_no_other() -> None:
    def at(place: str) -> LineSnapshot:
        return LineSnapshot(line=LineId(f"h-{place}"), place=place)

    places = ("arrive", "ivr", "hold", "connect", "after", "fallback")
    made = recover.plan({}, seen(*(at(place) for place in (*places, "seat", "track", ""))))
    assert made.strays == [at(place) for place in places]


def test_several_that_rang_for_a_line_that_is_elsewhere_have_all_rung_in_vain() -> None:
    ringing = msgspec.structs.replace(call_in(Phase.RINGING), others=(Rung(offer="o2", seat="8002", phone="8002"),))
    found = recover.plan({"c1": ringing}, seen(citizen("hold")))
    ended = [(event.offer, event.reason) for _, event in found.events if isinstance(event, OfferEnded)]
    assert ended == [("o1", OfferEndReason.NO_ANSWER), ("o2", OfferEndReason.NO_ANSWER)]
