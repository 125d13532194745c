"""One event against one state: what it tells, what it leaves remembered, and what happens when a part is missing."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from telephony.known import Gone, Known, Line, Offer
from telephony.model import (
    Arrived,
    Bridged,
    KeyPressed,
    LineGone,
    LineId,
    OfferEnded,
    OfferEndReason,
    PhoneChanged,
    PhoneId,
    Rang,
    ReturnedLine,
    SeatAnswered,
    SwitchFact,
    TrackStarted,
    TrackStopped,
    Unbridged,
)
from telephony.translate import DISORDER, EVENTS, clean, end_reason, is_reachable, known_or_empty, translate

pytestmark = pytest.mark.unit

BORN = datetime(2026, 2, 14, 9, tzinfo=UTC)
NOW = BORN + timedelta(seconds=5)
C, S = LineId("c"), LineId("s")
P = PhoneId("8001")
TRUNK, PHONE = "PJSIP/trunk-1", "PJSIP/seat8001-2"
CITIZEN = Line(C, BORN, told=True)
SEAT = Line(S, BORN, P, told=True)
OFFER = Offer("o1", C, P, BORN)
RINGS = replace(OFFER, seat_line=S)


def known_of(*lines: Line, offers: tuple[Offer, ...] = ()) -> Known:
    return Known(lines={line.line: line for line in lines}, offers={offer.offer: offer for offer in offers})


def hear(known: Known, name: str, **headers: str) -> list[SwitchFact]:
    return translate(known, {"Event": name, **headers}, NOW)


def env(**values: str) -> str:
    return quote("".join(f"{name}: {value}\n" for name, value in values.items()), safe="")


def ended(reason: OfferEndReason, line: LineId = C, cause: int = 0) -> OfferEnded:
    return OfferEnded(at=NOW, offer="o1", line=line, reason=reason, cause=cause)


@pytest.mark.parametrize("name", [*EVENTS, "", "Nonsense"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Channel": TRUNK, "DestChannel": PHONE}, {"Uniqueid": "", "Channel": TRUNK, "DestUniqueid": ""}],
    ids=["bare", "without lines", "with empty lines"],
)
def test_an_event_that_names_no_line_tells_and_changes_nothing(name: str, headers: dict[str, str]) -> None:
    lines = (replace(CITIZEN, bridge="b1", recording=True), SEAT)
    known = known_of(*lines, offers=(OFFER,))
    more = {"BridgeUniqueid": "b2", "UserEvent": "SeatAnswered", "Offer": "o1", "DialStatus": "RINGING"}
    for user_event in ("SeatAnswered", "OfferEnded"):
        assert hear(known, name, **more | {"UserEvent": user_event, "Direction": "Received"}, **headers) == []
    assert known == known_of(*lines, offers=(OFFER,))


@pytest.mark.parametrize("name", sorted({*EVENTS} - {"AsyncAGIStart", "Hangup"}))
def test_an_event_of_an_unknown_line_without_its_channel_makes_nothing_known(name: str) -> None:
    known = Known()
    more = {"BridgeUniqueid": "b1", "DialStatus": "RINGING", "Direction": "Received"}
    assert hear(known, name, Uniqueid="x", DestUniqueid="y", **more) == []
    assert known == Known()


def test_an_event_without_a_name_is_nothing() -> None:
    assert translate(Known(), {}, NOW) == []


# ---- arriving, returning, hanging up --------------------------------------------------------------------------------


def test_an_arrival_reads_every_part_of_its_environment() -> None:
    told = env(
        agi_dnid="12329",
        agi_callerid="139",
        agi_calleridname="a: b",
        agi_arg_1="arrive",
        agi_arg_2="<sip:12345@10.0.0.1>",
        agi_arg_3="071712329--\x00-12366",
    )
    known = Known()
    facts = hear(known, "AsyncAGIStart", Uniqueid=C, Channel=TRUNK, Env=told, Exten="s")
    arrived = Arrived(
        at=NOW,
        line=C,
        dialled="12329",
        caller="139",
        caller_name="a: b",
        called="12345",
        diverted_from=("071712329", "12366"),
    )
    assert facts == [arrived]
    assert known == known_of(Line(C, NOW, told=True, returned="arrive"))


def test_the_self_checks_own_line_is_nobodys_arrival() -> None:
    known = Known()
    assert hear(known, "AsyncAGIStart", Uniqueid=C, Channel="Local/s@ivr-00000000;2", Exten="s", Context="ivr") == []
    assert known == Known()


def test_an_arrival_without_an_environment_is_dialled_at_its_extension() -> None:
    bare = Arrived(at=NOW, line=C, dialled="12366", caller="", caller_name="", called="", diverted_from=())
    assert hear(Known(), "AsyncAGIStart", Uniqueid=C, Exten="12366", Context="arrive") == [bare]
    assert hear(Known(), "AsyncAGIStart", Uniqueid=C, Context="arrive") == [replace_dialled(bare, "")]
    unknown = env(agi_dnid="unknown")
    assert hear(Known(), "AsyncAGIStart", Uniqueid=C, Exten="12366", Env=unknown, Context="arrive") == [bare]


def replace_dialled(fact: Arrived, dialled: str) -> Arrived:
    return Arrived(at=fact.at, line=fact.line, dialled=dialled, caller=fact.caller)


def test_bytes_that_are_no_text_are_marked_and_lines_without_a_value_read_as_empty() -> None:
    told = "agi_callerid%3A%20%ff1" + quote("\n: x\nagi_dnid\nagi_calleridname: \n", safe="")
    (fact,) = hear(Known(), "AsyncAGIStart", Uniqueid=C, Env=told, Exten="5", Context="arrive")
    assert isinstance(fact, Arrived)
    assert (fact.caller, fact.dialled, fact.caller_name) == ("\ufffd1", "5", "")


@pytest.mark.parametrize(("told", "place"), [(env(agi_arg_1="after"), "after"), ("", "fallback")])
def test_a_line_comes_back_from_where_its_script_or_its_context_says(told: str, place: str) -> None:
    known = known_of(CITIZEN)
    facts = hear(known, "AsyncAGIStart", Uniqueid=C, Env=told, Context="fallback")
    assert facts == [ReturnedLine(at=NOW, line=C, place=place)]
    assert known == known_of(replace(CITIZEN, returned=place, moved_at=NOW))


def test_a_line_that_says_no_place_comes_back_from_nowhere() -> None:
    moved = replace(CITIZEN, sent="hold", returned="ivr")
    assert hear(known_of(moved), "AsyncAGIStart", Uniqueid=C) == [ReturnedLine(at=NOW, line=C, place="")]


@pytest.mark.parametrize(
    ("cause", "number"),
    [("17", 17), ("", 0), ("x", 0), ("-1", 0), ("99999", 99999), ("100000", 0), ("\u00b2", 0), ("\u0663", 0)],
)
def test_a_hang_up_carries_its_cause_when_that_is_a_number(cause: str, number: int) -> None:
    known = known_of(CITIZEN)
    assert hear(known, "Hangup", Uniqueid=C, Cause=cause) == [LineGone(at=NOW, line=C, cause=number)]
    assert known == Known(gone={C: Gone(number, told=True)})


def test_a_hang_up_without_a_cause_or_a_line() -> None:
    assert hear(known_of(CITIZEN), "Hangup", Uniqueid=C) == [LineGone(at=NOW, line=C, cause=0)]
    known = known_of(CITIZEN)
    assert hear(known, "Hangup", Cause="16") == []
    assert known == known_of(CITIZEN)


def test_a_new_channel_makes_its_line_known() -> None:
    known = Known()
    assert hear(known, "Newchannel", Uniqueid=S, Channel=PHONE) == []
    assert hear(known, "Newchannel", Uniqueid=C) == []
    assert known == known_of(Line(S, NOW, P))


# ---- offers ---------------------------------------------------------------------------------------------------------

DIAL = {"Uniqueid": "c", "Channel": TRUNK, "DestUniqueid": "s", "DestChannel": PHONE}


@pytest.mark.parametrize("phone", [P, PhoneId("")])
def test_dialling_binds_the_seats_line_to_the_first_offer_that_fits(phone: PhoneId) -> None:
    taken, elsewhere = replace(OFFER, offer="o0", seat_line=LineId("y")), replace(OFFER, phone=PhoneId("8009"))
    fits, next_ = replace(OFFER, offer="o2", phone=phone), replace(OFFER, offer="o3")
    known = known_of(CITIZEN, offers=(taken, elsewhere, fits, next_))
    assert hear(known, "DialBegin", **DIAL) == []
    bound = replace(fits, seat_line=S, phone=P)
    assert known.offers == {"o0": taken, "o1": elsewhere, "o2": bound, "o3": next_}
    assert known.lines == {C: CITIZEN, S: Line(S, NOW, P, offer="o2")}
    assert hear(known, "DialBegin", **DIAL) == []
    assert known.offers == {"o0": taken, "o1": elsewhere, "o2": bound, "o3": next_}


def test_dialling_by_another_line_binds_nothing() -> None:
    known = known_of(CITIZEN, offers=(OFFER,))
    assert hear(known, "DialBegin", **DIAL | {"Uniqueid": "x"}) == []
    assert known == known_of(CITIZEN, Line(S, NOW, P), offers=(OFFER,))


def test_dialling_without_the_seats_channel_binds_a_known_seat_only() -> None:
    known = known_of(CITIZEN, offers=(OFFER,))
    assert hear(known, "DialState", Uniqueid=C, DestUniqueid=S, DialStatus="RINGING") == []
    assert known == known_of(CITIZEN, offers=(OFFER,))


def test_ringing_binds_and_tells_even_when_its_beginning_was_lost() -> None:
    known = known_of(CITIZEN, offers=(OFFER,))
    assert hear(known, "DialState", DialStatus="RINGING", **DIAL) == [Rang(at=NOW, offer="o1", seat_line=S)]
    assert known == known_of(CITIZEN, Line(S, NOW, P, offer="o1", told=True), offers=(replace(RINGS, rang=True),))


@pytest.mark.parametrize("status", ["PROGRESS", "PROCEEDING", "BUSY", "", "ringing"])
def test_another_state_of_the_dial_binds_and_tells_nothing(status: str) -> None:
    known = known_of(CITIZEN, offers=(OFFER,))
    assert hear(known, "DialState", DialStatus=status, **DIAL) == []
    assert known.offers == {"o1": RINGS}
    assert hear(known, "DialState", **DIAL) == []


def test_an_answered_dial_binds_and_tells_even_when_its_beginning_was_lost() -> None:
    known = known_of(CITIZEN, offers=(OFFER,))
    told = SeatAnswered(at=NOW, offer="o1", line=C, seat_line=S)
    assert hear(known, "DialEnd", DialStatus="ANSWER", **DIAL) == [told]
    assert known.offers == {"o1": replace(RINGS, answered=True)}


@pytest.mark.parametrize("status", ["CANCEL", "NOANSWER", ""])
def test_a_dial_that_ends_without_an_answer_ends_only_a_withdrawn_offer(status: str) -> None:
    known = known_of(CITIZEN, SEAT, offers=(RINGS,))
    assert hear(known, "DialEnd", DialStatus=status, **DIAL) == []
    assert known.offers == {"o1": RINGS}
    withdrawn = known_of(CITIZEN, SEAT, offers=(replace(RINGS, withdrawn_at=BORN),))
    assert hear(withdrawn, "DialEnd", DialStatus=status, **DIAL) == [ended(OfferEndReason.CANCELLED)]
    talked = known_of(CITIZEN, SEAT, offers=(replace(RINGS, withdrawn_at=BORN, answered=True),))
    assert hear(talked, "DialEnd", DialStatus=status, **DIAL) == [ended(OfferEndReason.TALKED)]
    assert talked.ended == {"o1": OfferEndReason.TALKED}


PICKED = {"UserEvent": "SeatAnswered", "Offer": "o1", "Citizen": "c", "Uniqueid": "s", "Channel": PHONE}
STOPPED = {"UserEvent": "OfferEnded", "Offer": "o1", "Uniqueid": "c"}


@pytest.mark.parametrize("offers", [(), (OFFER,), (RINGS,)], ids=["unknown", "unbound", "bound"])
def test_a_seat_that_answers_is_told_with_its_line(offers: tuple[Offer, ...]) -> None:
    known = known_of(CITIZEN, offers=offers)
    assert hear(known, "UserEvent", **PICKED) == [SeatAnswered(at=NOW, offer="o1", line=C, seat_line=S)]
    begun = BORN if offers else NOW
    assert known.offers == {"o1": Offer("o1", C, P, begun, seat_line=S, answered=True)}
    assert known.lines == {C: CITIZEN, S: Line(S, NOW, P, told=True)}


@pytest.mark.parametrize("missing", ["Citizen", "Uniqueid", "Offer", "UserEvent"])
def test_a_seat_that_answers_with_a_part_missing_tells_nothing(missing: str) -> None:
    known = known_of(CITIZEN, offers=(OFFER,))
    headers = {name: value for name, value in PICKED.items() if name != missing}
    assert hear(known, "UserEvent", **headers) == []
    assert hear(known, "UserEvent", **headers, **{missing: ""}) == []
    assert known == known_of(CITIZEN, offers=(OFFER,))


def test_a_seat_that_answers_without_a_channel_has_no_phone() -> None:
    known = Known()
    headers = {name: value for name, value in PICKED.items() if name != "Channel"}
    assert hear(known, "UserEvent", **headers) == [SeatAnswered(at=NOW, offer="o1", line=C, seat_line=S)]
    assert known == Known(offers={"o1": Offer("o1", C, PhoneId(""), NOW, seat_line=S, answered=True)})


def test_words_of_an_offer_that_ended_tell_nothing() -> None:
    known = Known(ended={"o1": OfferEndReason.BUSY})
    assert hear(known, "UserEvent", **PICKED) == []
    assert hear(known, "UserEvent", **STOPPED, Status="ANSWER") == []
    assert known == Known(ended={"o1": OfferEndReason.BUSY})


@pytest.mark.parametrize(
    ("headers", "reason", "cause"),
    [
        ({"Status": "BUSY", "Cause": "17"}, OfferEndReason.BUSY, 17),
        ({"Status": "CHANUNAVAIL", "Cause": "21"}, OfferEndReason.REJECTED, 21),
        ({"Status": "NOANSWER", "Tech": "SIP 480 Away"}, OfferEndReason.REJECTED, 0),
        ({"Status": "NOANSWER", "Tech": ""}, OfferEndReason.NO_ANSWER, 0),
        ({}, OfferEndReason.UNREACHABLE, 0),
    ],
)
def test_an_offers_end_is_told_with_reason_and_cause(
    headers: dict[str, str], reason: OfferEndReason, cause: int
) -> None:
    for offers in ((), (OFFER,), (RINGS,)):
        known = known_of(offers=offers)
        assert hear(known, "UserEvent", **STOPPED, **headers) == [ended(reason, cause=cause)]
        assert known == Known(ended={"o1": reason})


def test_a_withdrawn_offer_ends_as_cancelled_unless_it_was_talked() -> None:
    withdrawn = replace(RINGS, withdrawn_at=BORN)
    known = known_of(offers=(withdrawn,))
    assert hear(known, "UserEvent", **STOPPED, Status="BUSY", Cause="17") == [ended(OfferEndReason.CANCELLED, cause=17)]
    known = known_of(offers=(withdrawn,))
    assert hear(known, "UserEvent", **STOPPED, Status="ANSWER", Cause="16") == [
        SeatAnswered(at=NOW, offer="o1", line=C, seat_line=S),
        ended(OfferEndReason.TALKED, cause=16),
    ]


def test_a_talk_of_an_unknown_offer_ends_without_a_seat_to_name() -> None:
    assert hear(Known(), "UserEvent", **STOPPED, Status="ANSWER") == [ended(OfferEndReason.TALKED)]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (299, OfferEndReason.NO_ANSWER),
        (300, OfferEndReason.REJECTED),
        (403, OfferEndReason.REJECTED),
        (404, OfferEndReason.UNREACHABLE),
        (408, OfferEndReason.UNREACHABLE),
        (410, OfferEndReason.UNREACHABLE),
        (430, OfferEndReason.UNREACHABLE),
        (431, OfferEndReason.REJECTED),
        (480, OfferEndReason.REJECTED),
        (486, OfferEndReason.BUSY),
        (487, OfferEndReason.REJECTED),
        (499, OfferEndReason.REJECTED),
        (500, OfferEndReason.UNREACHABLE),
        (599, OfferEndReason.UNREACHABLE),
        (600, OfferEndReason.BUSY),
        (601, OfferEndReason.REJECTED),
    ],
)
def test_a_sip_status_outranks_what_the_dial_says(code: int, reason: OfferEndReason) -> None:
    assert end_reason("NOANSWER", f"SIP {code} Some Words", 19) is reason
    assert end_reason("NOANSWER", f"{code}", 19) is reason


@pytest.mark.parametrize(
    ("status", "tech", "cause", "reason"),
    [
        ("ANSWER", "SIP 486 Busy Here", 17, OfferEndReason.TALKED),
        ("CANCEL", "SIP 487 Request Terminated", 0, OfferEndReason.CANCELLED),
        ("BUSY", "SIP 180 Ringing", 17, OfferEndReason.REJECTED),
        ("CHANUNAVAIL", None, 20, OfferEndReason.UNREACHABLE),
        ("CONGESTION", None, 21, OfferEndReason.UNREACHABLE),
        ("NOANSWER", None, 21, OfferEndReason.NO_ANSWER),
        ("BUSY", None, 21, OfferEndReason.BUSY),
        ("busy", None, 17, OfferEndReason.UNREACHABLE),
    ],
)
def test_the_dials_word_where_no_status_decides(
    status: str, tech: str | None, cause: int, reason: OfferEndReason
) -> None:
    assert end_reason(status, tech, cause) is reason


# ---- bridges, keys, tracks, phones ----------------------------------------------------------------------------------


def entered(known: Known, bridge: str = "b1") -> list[SwitchFact]:
    return hear(known, "BridgeEnter", Uniqueid=C, Channel=TRUNK, BridgeUniqueid=bridge)


def left(known: Known, bridge: str = "b1") -> list[SwitchFact]:
    return hear(known, "BridgeLeave", Uniqueid=C, Channel=TRUNK, BridgeUniqueid=bridge)


def test_a_bridge_is_entered_and_left_by_a_line_that_was_new() -> None:
    known = Known()
    assert hear(known, "BridgeEnter", Uniqueid=S, Channel=PHONE, BridgeUniqueid="b1") == [
        Bridged(at=NOW, bridge="b1", line=S)
    ]
    assert known == known_of(Line(S, NOW, P, told=True, bridge="b1", bridged_at=NOW))
    assert hear(known, "BridgeLeave", Uniqueid=S, BridgeUniqueid="b1") == [Unbridged(at=NOW, bridge="b1", line=S)]
    assert known == known_of(Line(S, NOW, P, told=True, left="b1", bridged_at=NOW))
    met = Known()
    assert hear(met, "BridgeLeave", Uniqueid=S, Channel=PHONE, BridgeUniqueid="b1") == []
    assert met == known_of(Line(S, NOW, P, left="b1", left_early=True, bridged_at=NOW))


@pytest.mark.parametrize("name", ["BridgeEnter", "BridgeLeave"])
def test_a_bridge_event_without_a_bridge_changes_nothing(name: str) -> None:
    inside = replace(CITIZEN, bridge="b1")
    for line in (CITIZEN, inside):
        known = known_of(line)
        assert hear(known, name, Uniqueid=C, Channel=TRUNK) == []
        assert known == known_of(line)


def test_entering_the_bridge_it_is_in_changes_nothing() -> None:
    inside = replace(CITIZEN, bridge="b1", bridged_at=BORN)
    known = known_of(inside)
    assert entered(known) == []
    assert known == known_of(inside)


@pytest.mark.parametrize(("early", "told"), [(True, 2), (False, 0)])
def test_an_entering_after_its_leaving_is_told_with_it_when_it_was_late(early: bool, told: int) -> None:
    line = replace(CITIZEN, left="b1", left_early=early, bridged_at=NOW - DISORDER)
    both = [Bridged(at=NOW, bridge="b1", line=C), Unbridged(at=NOW, bridge="b1", line=C)]
    known = known_of(line)
    assert entered(known) == both[:told]
    assert known == known_of(replace(line, left_early=False))
    unheard = known_of(replace(line, told=False))
    assert entered(unheard) == []
    assert unheard == known_of(replace(line, told=False, left_early=False))


@pytest.mark.parametrize(
    "line",
    [
        replace(CITIZEN, left="b1", left_early=True, bridged_at=NOW - DISORDER - timedelta(milliseconds=1)),
        replace(CITIZEN, left="b0", left_early=True, bridged_at=NOW),
        replace(CITIZEN, left="b1", left_early=True),
    ],
    ids=["long ago", "another bridge", "never"],
)
def test_any_other_entering_is_an_entering(line: Line) -> None:
    known = known_of(line)
    assert entered(known) == [Bridged(at=NOW, bridge="b1", line=C)]
    assert known == known_of(replace(line, bridge="b1", bridged_at=NOW))


def test_a_leaving_before_its_entering_is_remembered_once() -> None:
    inside = replace(CITIZEN, bridge="b0", bridged_at=BORN)
    known = known_of(inside)
    assert left(known) == []
    after = replace(inside, left="b1", left_early=True, bridged_at=NOW)
    assert known == known_of(after)
    again = known_of(replace(after, left_early=False, bridged_at=BORN))
    assert left(again) == []
    assert again == known_of(replace(after, left_early=False, bridged_at=BORN))


def test_a_key_counts_when_it_was_received_in_a_talk() -> None:
    inside = known_of(replace(CITIZEN, bridge="b1"))
    assert hear(inside, "DTMFBegin", Uniqueid=C, Direction="Received") == [KeyPressed(at=NOW, line=C)]
    assert hear(inside, "DTMFBegin", Uniqueid=C, Direction="Sent") == []
    assert hear(inside, "DTMFBegin", Uniqueid=C) == []
    assert hear(known_of(CITIZEN), "DTMFBegin", Uniqueid=C, Direction="Received") == []
    assert hear(inside, "DTMFBegin", Uniqueid=S, Direction="Received") == []


def test_a_track_names_its_line_when_that_may_be_named() -> None:
    known = known_of(CITIZEN)
    assert hear(known, "MixMonitorStart", Uniqueid=C, Channel=TRUNK) == [TrackStarted(at=NOW, line=C)]
    assert known == known_of(replace(CITIZEN, recording=True))
    assert hear(known, "MixMonitorStop", Uniqueid=C) == [TrackStopped(at=NOW, line=C)]
    assert known == known_of(CITIZEN)
    assert hear(known, "MixMonitorStop", Uniqueid=C) == []
    new = Known()
    assert hear(new, "MixMonitorStart", Uniqueid=S, Channel=PHONE) == [TrackStarted(at=NOW, line=S)]
    assert new == known_of(Line(S, NOW, P, told=True, recording=True))
    early = Known()
    assert hear(early, "MixMonitorStart", Uniqueid=C, Channel=TRUNK) == []
    assert early == known_of(Line(C, NOW, recording=True))
    assert hear(early, "MixMonitorStop", Uniqueid=C) == []
    assert early == known_of(Line(C, NOW))
    assert hear(early, "MixMonitorStop", Uniqueid=S) == []


def test_a_phone_without_a_state_cannot_be_reached_and_no_phone_is_nobodys() -> None:
    known = Known()
    assert hear(known, "DeviceStateChange", Device="PJSIP/seat8001") == [PhoneChanged(at=NOW, phone=P, reachable=False)]
    assert hear(known, "DeviceStateChange", Device="PJSIP/seat8001", State="inuse") == [
        PhoneChanged(at=NOW, phone=P, reachable=True)
    ]
    assert hear(known, "DeviceStateChange", State="INUSE") == []
    assert known == Known(phones={P: True}, phones_at={P: NOW})


@pytest.mark.parametrize(
    ("state", "reachable"),
    [
        ("NOT_INUSE", True),
        ("InUse", True),
        ("", False),
        ("UNAVAILABLE", False),
        ("Unavailable", False),
        ("INVALID", False),
        ("UNKNOWN", False),
        ("unknown", False),
    ],
)
def test_a_phone_in_use_can_be_reached(state: str, reachable: bool) -> None:
    assert is_reachable(state) is reachable


def test_a_text_is_made_harmless_and_the_unknown_empty() -> None:
    assert clean(" a\u202eb\x07\x7f c\u200f ") == "ab c"
    assert clean("x" * 81) == "x" * 80
    assert clean(" " * 10 + "x" * 80) == "x" * 80
    assert [known_or_empty(text) for text in ("unknown", "<unknown>", "Unknown", " 5 ")] == ["", "", "Unknown", "5"]
