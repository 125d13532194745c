"""What is remembered after each step of a call, word for word, and what each step tells."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from telephony import known as memory
from telephony.known import CLOSING, Gone, Known, Line, Offer
from telephony.model import (
    Arrived,
    Bridged,
    LineGone,
    LineId,
    OfferEnded,
    OfferEndReason,
    PhoneChanged,
    PhoneId,
    Rang,
    ReturnedLine,
    SeatAnswered,
    TrackStarted,
    TrackStopped,
    Unbridged,
)
from telephony.reach import reach

pytestmark = pytest.mark.unit

BORN = datetime(2026, 2, 14, 9, tzinfo=UTC)
BEFORE, NOW = BORN + timedelta(seconds=1), BORN + timedelta(seconds=2)
C, S, X = LineId("c"), LineId("s"), LineId("x")
P = PhoneId("8001")
CAME = Arrived(at=NOW, line=C, dialled="12329", caller="")
CITIZEN = Line(C, BORN, told=True)
SEAT = Line(S, BORN, P, offer="o1")
OFFER = Offer("o1", C, P, BORN)
RINGS = replace(OFFER, seat_line=S)


def known_of(*lines: Line, offers: tuple[Offer, ...] = ()) -> Known:
    return Known(lines={line.line: line for line in lines}, offers={offer.offer: offer for offer in offers})


def ended(reason: OfferEndReason, offer: str = "o1", line: LineId = C, cause: int = 0) -> OfferEnded:
    return OfferEnded(at=NOW, offer=offer, line=line, reason=reason, cause=cause)


def gone(line: LineId = C, cause: int = 16) -> LineGone:
    return LineGone(at=NOW, line=line, cause=cause)


# ---- what we do ourselves -------------------------------------------------------------------------------------------


def test_a_line_that_is_sent_is_expected_there_and_its_offers_are_withdrawn() -> None:
    other = Offer("o2", X, P, BORN)
    known = known_of(replace(CITIZEN, returned="ivr"), offers=(OFFER, other))
    memory.sent(known, C, "hold", NOW)
    assert known == known_of(
        replace(CITIZEN, sent="hold", returned="", moved_at=NOW), offers=(replace(OFFER, withdrawn_at=NOW), other)
    )


def test_an_unknown_line_can_be_sent() -> None:
    known = known_of(offers=(OFFER,))
    memory.sent(known, C, "hold", NOW)
    assert known == known_of(offers=(replace(OFFER, withdrawn_at=NOW),))


def test_an_offer_is_withdrawn_once() -> None:
    early, late = replace(OFFER, withdrawn_at=BEFORE), Offer("o2", C, P, BORN)
    known = known_of(offers=(early, late))
    memory.withdraw(known, C, NOW)
    assert known == known_of(offers=(early, replace(late, withdrawn_at=NOW)))


def test_an_offer_that_begins_takes_back_the_former_one_and_moves_the_line() -> None:
    known = known_of(CITIZEN, offers=(OFFER,))
    memory.begin_offer(known, "o2", C, P, NOW)
    assert known == known_of(
        replace(CITIZEN, sent="connect", moved_at=NOW, offer="o2"),
        offers=(replace(OFFER, withdrawn_at=NOW), Offer("o2", C, P, NOW)),
    )


def test_an_offer_may_begin_for_a_line_that_was_not_heard_of() -> None:
    known = Known()
    memory.begin_offer(known, "o1", C, P, NOW)
    assert known == known_of(Line(C, NOW, told=True, offer="o1"), offers=(Offer("o1", C, P, NOW),))


def test_a_dropped_offer_is_forgotten_without_an_end() -> None:
    known = known_of(CITIZEN, offers=(OFFER,))
    memory.drop_offer(known, "o1")
    memory.drop_offer(known, "o1")
    assert known == known_of(CITIZEN)


@pytest.mark.parametrize(("answered", "reason"), [(True, OfferEndReason.TALKED), (False, OfferEndReason.CANCELLED)])
def test_every_withdrawn_offer_whose_phone_is_silent_expires(answered: bool, reason: OfferEndReason) -> None:
    silent = replace(RINGS, withdrawn_at=NOW - CLOSING - timedelta(milliseconds=1), answered=answered)
    second = replace(silent, offer="o2", line=X)
    young, open_ = replace(silent, offer="o3", withdrawn_at=NOW - CLOSING), replace(RINGS, offer="o4")
    known = known_of(CITIZEN, offers=(young, open_, silent, second))
    assert memory.expire(known, NOW) == [ended(reason), ended(reason, "o2", X)]
    assert known.offers == {"o3": young, "o4": open_}
    ringing = known_of(SEAT, offers=(silent,))
    assert memory.expire(ringing, NOW) == []


# ---- lines ----------------------------------------------------------------------------------------------------------


def test_an_arrival_is_told_with_all_that_was_heard_before() -> None:
    known = Known()
    assert memory.arrive(known, C, CAME, NOW) == [CAME]
    assert known == known_of(Line(C, NOW, told=True))
    heard = known_of(replace(CITIZEN, told=False, recording=True, bridge="b1"))
    assert memory.arrive(heard, C, CAME, NOW) == [
        CAME,
        TrackStarted(at=NOW, line=C),
        Bridged(at=NOW, bridge="b1", line=C),
    ]
    assert heard == known_of(replace(CITIZEN, recording=True, bridge="b1"))
    assert memory.arrive(heard, C, CAME, NOW) == []


def test_an_arrival_after_the_end_is_told_with_the_end_once() -> None:
    known = Known(gone={C: Gone(17, told=False)})
    assert memory.arrive(known, C, CAME, NOW) == [CAME, gone(cause=17)]
    assert known == Known(gone={C: Gone(17, told=True)})
    assert memory.arrive(known, C, CAME, NOW) == []
    assert known == Known(gone={C: Gone(17, told=True)})


@pytest.mark.parametrize(
    ("line", "place", "after"),
    [
        (CITIZEN, "arrive", replace(CITIZEN, returned="arrive")),
        (replace(CITIZEN, sent="ivr"), "ivr", replace(CITIZEN, returned="ivr")),
        (replace(CITIZEN, returned="ivr"), "ivr", replace(CITIZEN, returned="ivr")),
        (replace(CITIZEN, sent="hold", returned="ivr"), "ivr", replace(CITIZEN, returned="ivr")),
    ],
)
def test_a_line_that_stands_where_it_is_expected_tells_nothing(line: Line, place: str, after: Line) -> None:
    known = known_of(line, offers=(OFFER,))
    assert memory.come_back(known, C, place, NOW) == []
    assert known == known_of(after, offers=(OFFER,))


def test_a_line_of_whom_nothing_was_told_does_not_return() -> None:
    unheard = replace(CITIZEN, told=False)
    known = known_of(unheard)
    assert memory.come_back(known, C, "ivr", NOW) == []
    assert known == known_of(unheard)
    assert memory.come_back(Known(), C, "ivr", NOW) == []
    assert memory.come_back(Known(), C, "arrive", NOW) == []


@pytest.mark.parametrize(
    ("place", "answered", "reason"),
    [
        ("after", False, OfferEndReason.TALKED),
        ("ivr", False, OfferEndReason.CANCELLED),
        ("ivr", True, OfferEndReason.TALKED),
    ],
)
def test_a_return_ends_every_offer_of_the_line(place: str, answered: bool, reason: OfferEndReason) -> None:
    first, second = replace(OFFER, answered=answered), replace(OFFER, offer="o2", answered=answered)
    other = Offer("o3", X, P, BORN)
    known = known_of(replace(CITIZEN, sent="hold"), offers=(first, second, other))
    assert memory.come_back(known, C, place, NOW) == [
        ended(reason),
        ended(reason, "o2"),
        ReturnedLine(at=NOW, line=C, place=place),
    ]
    assert known.lines == {C: replace(CITIZEN, returned=place, moved_at=NOW)}
    assert known.offers == {"o3": other}
    assert known.ended == {"o1": reason, "o2": reason}


def test_a_hang_up_ends_all_that_the_line_was_part_of() -> None:
    withdrawn = Offer("o3", X, P, BORN, seat_line=C, withdrawn_at=BEFORE)
    kept = Offer("o4", X, P, BORN, seat_line=C)
    known = known_of(replace(CITIZEN, bridge="b1", recording=True), offers=(kept, OFFER, withdrawn))
    assert memory.hang_up(known, C, 17, NOW) == [
        Unbridged(at=NOW, bridge="b1", line=C),
        TrackStopped(at=NOW, line=C),
        ended(OfferEndReason.CANCELLED),
        ended(OfferEndReason.CANCELLED, "o3", X),
        gone(cause=17),
    ]
    assert (known.lines, known.offers, known.gone) == ({}, {"o4": kept}, {C: Gone(17, told=True)})
    assert memory.hang_up(known, C, 17, NOW) == []


def test_a_hang_up_of_a_quiet_line_tells_only_that() -> None:
    assert memory.hang_up(known_of(CITIZEN), C, 16, NOW) == [gone()]
    seat = known_of(replace(SEAT, bridge="b1", recording=True))
    assert memory.hang_up(seat, S, 16, NOW) == [
        Unbridged(at=NOW, bridge="b1", line=S),
        TrackStopped(at=NOW, line=S),
    ]
    assert seat.gone == {S: Gone(16, told=False)}


@pytest.mark.parametrize("line", [replace(CITIZEN, told=False, bridge="b1", recording=True), SEAT])
def test_a_line_that_no_fact_named_leaves_without_a_word(line: Line) -> None:
    known = known_of(line)
    assert memory.hang_up(known, line.line, 16, NOW) == []
    assert known == Known(gone={line.line: Gone(16, told=False)})


def test_an_unknown_line_that_hangs_up_is_remembered_and_leaves_the_offers_alone() -> None:
    known = known_of(offers=(OFFER,))
    assert memory.hang_up(known, C, 16, NOW) == []
    assert known == Known(offers={"o1": OFFER}, gone={C: Gone(16, told=False)})


def test_a_new_line_is_met_once() -> None:
    known = Known()
    assert memory.meet(known, "s", "PJSIP/seat8001-00000001", NOW) == Line(S, NOW, P)
    assert memory.meet(known, "s", "PJSIP/trunk-00000001", BORN) == Line(S, NOW, P)
    assert memory.meet(known, "c", "PJSIP/trunk-00000002", NOW) == Line(C, NOW, PhoneId(""))
    assert known == known_of(Line(S, NOW, P), Line(C, NOW))


@pytest.mark.parametrize(
    ("unique", "channel"), [("", "PJSIP/seat8001-1"), ("x", "Local/1@x-1"), ("x", ""), ("x", "pjsip/seat8001-1")]
)
def test_what_is_no_line_of_ours_is_not_met(unique: str, channel: str) -> None:
    known = known_of(CITIZEN)
    assert memory.meet(known, unique, channel, NOW) is None
    assert memory.meet(known, "c", channel, NOW) == CITIZEN
    assert known == known_of(CITIZEN)


def test_a_line_that_is_gone_is_not_met_again() -> None:
    known = Known(gone={S: Gone(16, told=True)})
    assert memory.meet(known, "s", "PJSIP/seat8001-1", NOW) is None
    assert known.lines == {}


def test_a_line_is_named_once_and_a_dead_one_buried() -> None:
    known = known_of(SEAT)
    assert memory.tell(known, S, NOW) == []
    assert known == known_of(replace(SEAT, told=True))
    assert memory.tell(known, X, NOW) == []
    dead = Known(gone={S: Gone(17, told=False)})
    assert memory.tell(dead, S, NOW) == [gone(S, 17)]
    assert dead == Known(gone={S: Gone(17, told=True)})
    assert memory.tell(dead, S, NOW) == []


@pytest.mark.parametrize("line", [CITIZEN, replace(SEAT, told=True)])
def test_a_line_changes_its_bridge_by_leaving_the_other(line: Line) -> None:
    first = replace(line, left_early=True, left="b0")
    known = known_of(first)
    assert memory.enter(known, first, "b1", BEFORE) == [Bridged(at=BEFORE, bridge="b1", line=line.line)]
    inside = replace(first, bridge="b1", bridged_at=BEFORE)
    assert known == known_of(inside)
    assert memory.enter(known, inside, "b2", NOW) == [
        Unbridged(at=NOW, bridge="b1", line=line.line),
        Bridged(at=NOW, bridge="b2", line=line.line),
    ]
    assert known == known_of(replace(line, bridge="b2", left="b1", bridged_at=NOW))
    assert memory.leave(known, known.lines[line.line], "b2", NOW) == [Unbridged(at=NOW, bridge="b2", line=line.line)]
    assert known == known_of(replace(line, left="b2", bridged_at=NOW))


def test_a_seat_is_named_by_its_first_bridge_and_a_citizen_only_by_the_arrival() -> None:
    seat = known_of(SEAT)
    assert memory.enter(seat, SEAT, "b1", NOW) == [Bridged(at=NOW, bridge="b1", line=S)]
    assert seat.lines[S].told
    early = replace(CITIZEN, told=False)
    citizen = known_of(early)
    assert memory.enter(citizen, early, "b1", NOW) == []
    assert citizen == known_of(replace(early, bridge="b1", bridged_at=NOW))
    assert memory.leave(citizen, citizen.lines[C], "b1", NOW) == []
    assert citizen == known_of(replace(early, left="b1", bridged_at=NOW))


# ---- offers and phones ----------------------------------------------------------------------------------------------


def test_a_phone_rings_once_and_names_its_line() -> None:
    known = known_of(SEAT, offers=(RINGS,))
    assert memory.ring(known, RINGS, NOW) == [Rang(at=NOW, offer="o1", seat_line=S)]
    assert known == known_of(replace(SEAT, told=True), offers=(replace(RINGS, rang=True),))
    assert memory.ring(known, replace(RINGS, rang=True), NOW) == []
    assert memory.ring(known, replace(RINGS, answered=True), NOW) == []
    late = Known(gone={S: Gone(19, told=False)})
    assert memory.ring(late, RINGS, NOW) == [Rang(at=NOW, offer="o1", seat_line=S), gone(S, 19)]


def test_a_seat_answers_once_and_its_line_is_named() -> None:
    told = SeatAnswered(at=NOW, offer="o1", line=C, seat_line=S)
    known = known_of(SEAT, offers=(RINGS,))
    assert memory.answer(known, RINGS, NOW) == [told]
    assert known == known_of(replace(SEAT, told=True), offers=(replace(RINGS, answered=True),))
    assert memory.answer(known, replace(RINGS, answered=True), NOW) == []
    assert memory.answer(known, OFFER, NOW) == []
    late = Known(gone={S: Gone(16, told=False)})
    assert memory.answer(late, RINGS, NOW) == [told, gone(S)]


def test_an_offer_ends_once() -> None:
    known = known_of(offers=(OFFER,))
    assert memory.end_offer(known, OFFER, OfferEndReason.BUSY, NOW, 17) == [ended(OfferEndReason.BUSY, cause=17)]
    assert known == Known(ended={"o1": OfferEndReason.BUSY})
    known.offers["o1"] = OFFER
    assert memory.end_offer(known, OFFER, OfferEndReason.TALKED, NOW) == []
    assert known == Known(ended={"o1": OfferEndReason.BUSY})
    assert memory.end_offer(known, replace(OFFER, offer="o2"), OfferEndReason.BUSY, NOW) == [
        ended(OfferEndReason.BUSY, "o2")
    ]


def test_a_phone_is_told_when_it_changes() -> None:
    known = Known()
    assert reach(known, P, reachable=True, at=BEFORE) == [PhoneChanged(at=BEFORE, phone=P, reachable=True)]
    assert reach(known, P, reachable=True, at=NOW) == []
    assert known == Known(phones={P: True}, phones_at={P: BEFORE})
    assert reach(known, P, reachable=False, at=NOW) == [PhoneChanged(at=NOW, phone=P, reachable=False)]
    assert known == Known(phones={P: False}, phones_at={P: NOW})


@pytest.mark.parametrize(
    ("channel", "phone"),
    [
        ("PJSIP/seat8001-00000003", "8001"),
        ("PJSIP/seat8001-", "8001"),
        ("PJSIP/seat8001", ""),
        ("PJSIP/seat8001-1-2", ""),
        ("PJSIP/seat-1", ""),
        ("PJSIP/trunk-00000001", ""),
        ("", ""),
    ],
)
def test_a_seats_channel_names_its_phone(channel: str, phone: str) -> None:
    assert memory.phone_of(channel) == phone


def test_the_oldest_memory_goes_first() -> None:
    kept = dict.fromkeys(range(memory.MEMORY), 0)
    memory.remember(kept, 0, 1)
    assert (len(kept), kept[0]) == (memory.MEMORY, 1)
    memory.remember(kept, -1, 2)
    assert (len(kept), kept[-1], 0 in kept, 1 in kept) == (memory.MEMORY, 2, False, True)
