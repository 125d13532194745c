"""Who is called into a room: rings, answers or fails, each told once, in whatever order Asterisk says it."""

from datetime import UTC, datetime, timedelta

import pytest

from telephony.known import DIALLING, Known, Leg, Line, begin_offer, drop_leg, leave_talk
from telephony.model import (
    LegAnswered,
    LegFailed,
    LegRang,
    LineGone,
    LineId,
    LineSnapshot,
    OfferEndReason,
    PhoneId,
    ReturnedLine,
    Snapshot,
    SwitchFact,
    TrackStarted,
)
from telephony.reconcile import reconcile
from telephony.translate import translate

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 9, tzinfo=UTC)
LEG, CITIZEN = LineId("leg_1"), LineId("hotline-1.0")
CHANNEL = "PJSIP/seat9001-00000002"


@pytest.fixture
def known() -> Known:
    return Known(legs={LEG: Leg(LEG, NOW)})


def hear(known: Known, name: str, **headers: str) -> list[SwitchFact]:
    return translate(known, {"Event": name, **headers}, NOW)


def begin(known: Known) -> None:
    hear(known, "Newchannel", Uniqueid=LEG, Channel=CHANNEL)
    hear(known, "DialBegin", DestUniqueid=LEG, DestChannel=CHANNEL)


def kinds(facts: list[SwitchFact]) -> list[type[SwitchFact]]:
    return [type(fact) for fact in facts]


def test_ringing_answer_and_end_are_told_once_each(known: Known) -> None:
    begin(known)
    assert hear(known, "DialState", DestUniqueid=LEG, DialStatus="RINGING") == [LegRang(at=NOW, leg=LEG)]
    assert hear(known, "DialState", DestUniqueid=LEG, DialStatus="RINGING") == []
    assert hear(known, "DialState", DestUniqueid=LEG, DialStatus="PROGRESS") == []
    assert hear(known, "DialEnd", DestUniqueid=LEG, DialStatus="ANSWER") == [LegAnswered(at=NOW, leg=LEG)]
    assert hear(known, "OriginateResponse", Uniqueid=LEG, Response="Success") == []
    assert hear(known, "Hangup", Uniqueid=LEG, Cause="16") == [LineGone(at=NOW, line=LEG, cause=16)]
    assert not known.legs


def test_the_originations_own_word_counts_when_the_answer_was_not_heard(known: Known) -> None:
    begin(known)
    assert hear(known, "OriginateResponse", Uniqueid=LEG, Response="Success") == [LegAnswered(at=NOW, leg=LEG)]


REFUSALS = [
    ("486", "17", OfferEndReason.BUSY),
    ("603", "21", OfferEndReason.REJECTED),
    ("480", "19", OfferEndReason.REJECTED),
    ("404", "1", OfferEndReason.UNREACHABLE),
    ("302", "23", OfferEndReason.REJECTED),
    ("500", "38", OfferEndReason.UNREACHABLE),
    ("300", "38", OfferEndReason.REJECTED),
    ("", "17", OfferEndReason.BUSY),
    ("", "18", OfferEndReason.UNREACHABLE),
    ("", "19", OfferEndReason.NO_ANSWER),
    ("", "21", OfferEndReason.REJECTED),
    ("", "23", OfferEndReason.REJECTED),
    ("", "38", OfferEndReason.UNREACHABLE),
    ("200", "17", OfferEndReason.BUSY),
]


@pytest.mark.parametrize(("tech", "cause", "reason"), REFUSALS)
@pytest.mark.parametrize("hangup_first", [True, False])
def test_a_refusal_has_its_reason_whichever_word_comes_first(
    known: Known, tech: str, cause: str, reason: OfferEndReason, hangup_first: bool
) -> None:
    begin(known)
    said = {"Hangup": {"Cause": cause, "TechCause": tech}, "OriginateResponse": {"Response": "Failure", "Reason": "0"}}
    order = list(said) if hangup_first else list(reversed(said))
    first, second = (hear(known, name, Uniqueid=LEG, **said[name]) for name in order)
    assert first == []
    assert second == [LegFailed(at=NOW, leg=LEG, reason=reason)]
    assert hear(known, "Hangup", Uniqueid=LEG, Cause=cause) == []
    assert LEG not in known.lines


def test_time_that_is_up_is_no_answer_whatever_the_phone_said_to_its_cancellation(known: Known) -> None:
    begin(known)
    hear(known, "Hangup", Uniqueid=LEG, Cause="19", TechCause="480")
    failed = hear(known, "OriginateResponse", Uniqueid=LEG, Response="Failure", Reason="3")
    assert failed == [LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.NO_ANSWER)]


def test_a_phone_without_registration_fails_at_once(known: Known) -> None:
    failed = hear(known, "OriginateResponse", Uniqueid=LEG, Response="Failure", Reason="0")
    assert failed == [LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.UNREACHABLE)]


def test_what_we_took_back_is_cancelled(known: Known) -> None:
    known.legs[LEG] = Leg(LEG, NOW, cancelled=True)
    begin(known)
    hear(known, "Hangup", Uniqueid=LEG, Cause="17")
    failed = hear(known, "OriginateResponse", Uniqueid=LEG, Response="Failure", Reason="0")
    assert failed == [LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.CANCELLED)]


def test_words_about_somebody_else_tell_nothing(known: Known) -> None:
    assert hear(known, "OriginateResponse", Uniqueid="leg_2", Response="Failure", Reason="0") == []
    assert hear(known, "DialState", DestUniqueid="leg_2", DialStatus="RINGING") == []
    assert known.legs


def snapshot(*lines: LineSnapshot) -> Snapshot:
    return Snapshot(at=NOW, booted="b", lines=lines)


def test_a_snapshot_tells_what_was_missed_of_a_leg(known: Known) -> None:
    rings = LineSnapshot(line=LEG, place="seat", phone=PhoneId("9001"), up=False)
    assert reconcile(known, snapshot(rings), NOW) == [LegRang(at=NOW, leg=LEG)]
    up = LineSnapshot(line=LEG, place="room", phone=PhoneId("9001"))
    assert reconcile(known, snapshot(up), NOW) == [LegAnswered(at=NOW, leg=LEG)]
    assert kinds(reconcile(known, snapshot(), NOW)) == [LineGone]


def test_a_new_process_knows_whom_a_former_one_called_and_tells_the_answer() -> None:
    known = Known()
    rings = LineSnapshot(line=LEG, place="seat", phone=PhoneId("8101"), up=False)
    assert reconcile(known, snapshot(rings), NOW, first=True) == [LegRang(at=NOW, leg=LEG)]
    assert hear(known, "OriginateResponse", Uniqueid=LEG, Response="Success") == [LegAnswered(at=NOW, leg=LEG)]


def test_a_phone_that_asterisk_itself_called_is_nobodys_leg() -> None:
    known = Known()
    rings = LineSnapshot(line=LineId("hotline-1.7"), place="seat", phone=PhoneId("8101"), up=False)
    assert reconcile(known, snapshot(rings), NOW, first=True) == []
    assert not known.legs


def test_a_leg_that_vanished_failed_unless_it_was_begun_a_moment_ago(known: Known) -> None:
    assert reconcile(known, snapshot(), NOW + DIALLING - timedelta(milliseconds=1)) == []
    failed = reconcile(known, snapshot(), NOW + DIALLING)
    assert failed == [LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.UNREACHABLE)]


def test_the_end_of_a_talk_that_became_a_room_is_no_end_of_its_offer() -> None:
    known = Known()
    begin_offer(known, "o1", CITIZEN, PhoneId("8001"), NOW)
    leave_talk(known, CITIZEN, "parked", NOW)
    assert (known.lines[CITIZEN].sent, known.lines[CITIZEN].moved_at) == ("parked", NOW)
    assert hear(known, "UserEvent", UserEvent="OfferEnded", Offer="o1", Uniqueid=CITIZEN, Status="ANSWER") == []
    back = hear(known, "AsyncAGIStart", Channel="PJSIP/trunk-1", Uniqueid=CITIZEN, Context="after", Env="")
    assert back == [ReturnedLine(at=NOW, line=CITIZEN, place="after")]
    assert kinds(hear(known, "Hangup", Uniqueid=CITIZEN, Cause="16")) == [LineGone]


def test_seats_in_a_room_that_another_process_made_are_heard_to_hang_up() -> None:
    known = Known()
    seat = LineSnapshot(line=LineId("hotline-2.1"), place="parked-seat", phone=PhoneId("8001"))
    reconcile(known, snapshot(seat), NOW, first=True)
    assert LineGone in kinds(hear(known, "Hangup", Uniqueid="hotline-2.1", Cause="16"))


def test_a_track_that_began_before_somebody_outside_answered_is_told_with_the_answer() -> None:
    known = Known(legs={LEG: Leg(LEG, NOW)}, lines={LEG: Line(LEG, NOW, recording=True)})
    facts = hear(known, "OriginateResponse", Uniqueid=LEG, Response="Success")
    assert facts[:2] == [LegAnswered(at=NOW, leg=LEG), TrackStarted(at=NOW, line=LEG)]


def test_a_leg_that_is_dropped_is_known_no_more_and_may_be_dropped_again(known: Known) -> None:
    drop_leg(known, LEG)
    assert not known.legs
    drop_leg(known, LEG)
