"""Asterisk's events about phones that ring: an offer's, several offers' at once, and those called into a room. Pure.

A part of `telephony.translate`. When several phones ring for one line, one Dial rings them all; its variable OFFERID
then names each offer with its phone (`bundle`), and each phone's own events tell how it went there.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from telephony.known import (
    Facts,
    Known,
    Leg,
    Offer,
    answer,
    end_offer,
    leg_answers,
    leg_fails,
    leg_rings,
    meet,
    offers_of,
    phone_of,
    ring,
    unbundle,
    unheard,
)
from telephony.model import LineId, OfferEndReason, PhoneId

Event = Mapping[str, str]


def dial_begin(known: Known, event: Event, at: datetime) -> Facts:
    seat = meet(known, event.get("DestUniqueid", ""), event.get("DestChannel", ""), at)
    if seat is None or seat.offer:  # a seat's line is made for one offer only
        return []
    for offer in offers_of(known, LineId(event.get("Uniqueid", ""))):
        if not offer.seat_line and offer.phone in (seat.phone, ""):
            known.offers[offer.offer] = replace(offer, seat_line=seat.line, phone=seat.phone)
            known.lines[seat.line] = replace(seat, offer=offer.offer)
            break
    return []


def dial_state(known: Known, event: Event, at: datetime) -> Facts:
    if leg := _leg(known, event):
        return leg_rings(known, leg, at) if event.get("DialStatus") == "RINGING" else []
    dial_begin(known, event, at)
    offer = _dialled(known, event)
    return ring(known, offer, at) if offer is not None and event.get("DialStatus") == "RINGING" else []


def dial_end(known: Known, event: Event, at: datetime) -> Facts:
    if leg := _leg(known, event):
        return leg_answers(known, leg, at) if event.get("DialStatus") == "ANSWER" else []
    dial_begin(known, event, at)
    offer = _dialled(known, event)
    if offer is None:
        return []
    if event.get("DialStatus") == "ANSWER":
        return answer(known, offer, at)
    if offer.withdrawn_at is not None:
        return end_offer(known, offer, unheard(offer), at)
    return [] if offer.alone else _one_over(known, replace(offer, status=event.get("DialStatus", "")), at)


def phone_hung_up(known: Known, line: LineId, event: Event, at: datetime) -> Facts:
    """One of several phones has stopped to ring; the others go on. This and Dial's word come in either order."""
    offer = next((one for one in known.offers.values() if line and one.seat_line == line), None)
    if offer is None or offer.alone or offer.answered:
        return []
    return _one_over(known, replace(offer, code=number(event.get("TechCause", ""))), at)


def _one_over(known: Known, offer: Offer, at: datetime) -> Facts:
    """Over when its line has gone and it is known why; a time that is up is told for all of them together."""
    known.offers[offer.offer] = offer
    if offer.seat_line not in known.gone:
        return []
    if offer.code >= 300:
        return end_offer(known, offer, _by_code(offer.code), at)
    if offer.status in ("", "NOANSWER") and not offer.all_over:
        return []
    return end_offer(known, offer, end_reason(offer.status, None, 0), at)


def user_event(known: Known, event: Event, at: datetime) -> Facts:
    """What the dialplan says of offers: their names, or with several each with its phone."""
    offers = unbundle(event.get("Offer", ""))
    match event.get("UserEvent"):
        case "SeatAnswered":
            return _seat_answered(known, event, offers, at)
        case "OfferEnded":
            ended = _offer_ended if len(offers) == 1 else _of_several
            return [fact for offer, phone in offers.items() for fact in ended(known, event, offer, phone, at)]
        case _:
            return []


def _seat_answered(known: Known, event: Event, offers: Mapping[str, PhoneId], at: datetime) -> Facts:
    citizen, seat = LineId(event.get("Citizen", "")), LineId(event.get("Uniqueid", ""))
    phone = phone_of(event.get("Channel", ""))
    offer = next((name for name, at_phone in offers.items() if at_phone in ("", phone)), "")
    if not citizen or not seat or not offer or offer in known.ended:
        return []
    meet(known, seat, event.get("Channel", ""), at)
    state = known.offers.get(offer) or Offer(offer, citizen, phone, at, alone=len(offers) == 1)
    return answer(known, replace(state, seat_line=seat), at)


def _offer_ended(known: Known, event: Event, offer: str, phone: PhoneId, at: datetime) -> Facts:
    line = LineId(event.get("Uniqueid", ""))
    if not line or offer in known.ended:
        return []
    state = known.offers.get(offer) or Offer(offer, line, phone, at)
    reason = end_reason(event.get("Status", ""), event.get("Tech"), number(event.get("Cause", "")))
    if state.withdrawn_at is not None and reason is not OfferEndReason.TALKED:
        reason = OfferEndReason.CANCELLED
    facts = answer(known, state, at) if reason is OfferEndReason.TALKED else []
    return facts + end_offer(known, state, reason, at, number(event.get("Cause", "")))


def _of_several(known: Known, event: Event, offer: str, phone: PhoneId, at: datetime) -> Facts:
    """Those that are not over yet: who talked, who rang in vain, and phones that could not be rung at all."""
    line = LineId(event.get("Uniqueid", ""))
    if not line or offer in known.ended:
        return []
    state = known.offers.get(offer) or Offer(offer, line, phone, at, alone=False, status="UNSEEN")
    if event.get("Status") == "ANSWER":
        talked = state.answered or phone_of(event.get("Peer", "")) == phone
        facts = answer(known, state, at) if talked else []
        return facts + end_offer(known, state, OfferEndReason.TALKED if talked else OfferEndReason.CANCELLED, at)
    if state.withdrawn_at is not None:
        return end_offer(known, state, OfferEndReason.CANCELLED, at)
    if not state.seat_line and state.status != "UNSEEN":
        return end_offer(known, state, OfferEndReason.UNREACHABLE, at)
    state = replace(state, all_over=True, status=state.status.replace("UNSEEN", "") or event.get("Status", ""))
    if state.seat_line in known.lines:  # it refused last: its own end, on its way, knows the reason
        known.offers[offer] = state
        return []
    reason = _by_code(state.code) if state.code >= 300 else end_reason(state.status, None, 0)
    return end_offer(known, state, reason, at)


_BY_STATUS = {
    "ANSWER": OfferEndReason.TALKED,
    "BUSY": OfferEndReason.BUSY,
    "NOANSWER": OfferEndReason.NO_ANSWER,
    "CANCEL": OfferEndReason.CANCELLED,
}


def end_reason(status: str, tech: str | None, cause: int) -> OfferEndReason:
    """Why an offer ended, from Dial's DIALSTATUS, the phone's last SIP status (`SIP 486 Busy Here`; None when the
    dialplan does not tell it, empty when there was none) and the Q.850 cause.

    DIALSTATUS alone calls 480 NOANSWER, 603 CHANUNAVAIL, and a redirect that is not followed BUSY (seen with 22.10).
    """
    reason = _BY_STATUS.get(status, OfferEndReason.UNREACHABLE)
    if reason in (OfferEndReason.TALKED, OfferEndReason.CANCELLED):
        return reason
    code = number((tech or "").removeprefix("SIP ").partition(" ")[0])
    if code >= 300:
        return _by_code(code)
    if status == "BUSY" and tech is not None:  # nobody said busy: a redirect that was not followed
        return OfferEndReason.REJECTED
    return OfferEndReason.REJECTED if status == "CHANUNAVAIL" and cause == 21 else reason


def _by_code(code: int) -> OfferEndReason:
    if code in (486, 600):
        return OfferEndReason.BUSY
    if code in (404, 408, 410, 430) or 500 <= code < 600:
        return OfferEndReason.UNREACHABLE
    return OfferEndReason.REJECTED


def _dialled(known: Known, event: Event) -> Offer | None:
    seat = event.get("DestUniqueid", "")
    return next((offer for offer in known.offers.values() if seat and offer.seat_line == seat), None)


def _leg(known: Known, event: Event) -> Leg | None:
    return known.legs.get(LineId(event.get("DestUniqueid", "")))


def originated(known: Known, event: Event, at: datetime) -> Facts:
    """Asterisk's last word on a call into a room."""
    leg = known.legs.get(LineId(event.get("Uniqueid", "")))
    if leg is None:
        return []
    if event.get("Response") == "Success":
        return leg_answers(known, leg, at)
    leg = replace(leg, over=event.get("Reason", "") or "0")
    known.legs[leg.leg] = leg
    still_there = leg.leg in known.lines
    return [] if still_there else leg_fails(known, leg, _why_not(leg), at)


_TIME_UP = "3"
"""OriginateResponse's Reason when nobody answered in time; any refusal is `0` (seen with 22.10)."""
_BY_CAUSE = {17: OfferEndReason.BUSY, 19: OfferEndReason.NO_ANSWER, 18: OfferEndReason.UNREACHABLE,
             21: OfferEndReason.REJECTED, 23: OfferEndReason.REJECTED}  # fmt: skip


def _why_not(leg: Leg) -> OfferEndReason:
    if leg.over == _TIME_UP:
        return OfferEndReason.NO_ANSWER
    code = number(leg.tech)
    return _by_code(code) if code >= 300 else _BY_CAUSE.get(leg.cause, OfferEndReason.UNREACHABLE)


def leg_hung_up(known: Known, leg: Leg, event: Event, at: datetime) -> Facts:
    """This and Asterisk's last word on the call come in either order; the reason takes both."""
    leg = replace(leg, cause=number(event.get("Cause", "")), tech=event.get("TechCause", ""))
    known.legs[leg.leg] = leg
    return leg_fails(known, leg, _why_not(leg), at) if leg.over else []


def number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
