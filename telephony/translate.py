"""Asterisk's events become facts of ours. Pure: no clock, no connection; all it remembers is in `Known`.

The same event twice tells nothing twice, events out of order by some 200 ms and lost ones lead to the same final
state (what was lost is told by `telephony.reconcile`), unknown and broken events tell nothing. It never raises.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import unquote

from telephony.known import (
    CARRIER,
    NO_PHONE,
    Facts,
    Known,
    Leg,
    Line,
    Offer,
    answer,
    arrive,
    audible,
    come_back,
    end_offer,
    enter,
    hang_up,
    leave,
    leg_answers,
    leg_fails,
    leg_rings,
    meet,
    offers_of,
    phone_of,
    reach,
    ring,
    unheard,
)
from telephony.model import (
    Arrived,
    Bridged,
    KeyPressed,
    LineId,
    OfferEndReason,
    PhoneId,
    TrackStarted,
    TrackStopped,
    Unbridged,
)

Event = Mapping[str, str]

EVENTS = (
    "AsyncAGIStart", "AsyncAGIExec", "AsyncAGIEnd", "Newchannel", "Hangup", "DialBegin", "DialState", "DialEnd",
    "BridgeEnter", "BridgeLeave", "UserEvent", "DeviceStateChange", "MixMonitorStart", "MixMonitorStop", "DTMFBegin",
    "DTMFEnd",
    "OriginateResponse",
)  # fmt: skip
"""Every event that anybody here reads; the account's filter may let exactly these (and the link's own) pass."""

DISORDER = timedelta(milliseconds=200)
"""How far apart two events may arrive in the wrong order."""
LONGEST_NAME = 80

_INERT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def translate(known: Known, event: Event, at: datetime) -> Facts:
    """Facts that `event`, heard at `at`, tells beyond what is known; `known` is brought up to date."""
    handler = _HANDLERS.get(event.get("Event", ""))
    return handler(known, event, at) if handler is not None else []


# ---- arriving, returning, hanging up --------------------------------------------------------------------------------


def _agi_start(known: Known, event: Event, at: datetime) -> Facts:
    line = LineId(event.get("Uniqueid", ""))
    if not line or event.get("Channel", "").startswith("Local/"):  # the self-check's own line is no citizen's
        return []
    env = _environment(event.get("Env", ""))
    place = env.get("agi_arg_1") or event.get("Context", "")
    return arrive(known, line, _arrived(line, env, event, at), at) + come_back(known, line, place, at)


def _hangup(known: Known, event: Event, at: datetime) -> Facts:
    line = LineId(event.get("Uniqueid", ""))
    facts = hang_up(known, line, _number(event.get("Cause", "")), at) if line else []
    leg = known.legs.get(line)
    return facts if leg is None else facts + _leg_hung_up(known, leg, event, at)


def _leg_hung_up(known: Known, leg: Leg, event: Event, at: datetime) -> Facts:
    """This and Asterisk's last word on the call come in either order; the reason takes both."""
    leg = replace(leg, cause=_number(event.get("Cause", "")), tech=event.get("TechCause", ""))
    known.legs[leg.leg] = leg
    return leg_fails(known, leg, _why_not(leg), at) if leg.over else []


def _newchannel(known: Known, event: Event, at: datetime) -> Facts:
    meet(known, event.get("Uniqueid", ""), event.get("Channel", ""), at)
    return []


# ---- offers ---------------------------------------------------------------------------------------------------------


def _dial_begin(known: Known, event: Event, at: datetime) -> Facts:
    seat = meet(known, event.get("DestUniqueid", ""), event.get("DestChannel", ""), at)
    if seat is None or seat.offer:  # a seat's line is made for one offer only
        return []
    for offer in offers_of(known, LineId(event.get("Uniqueid", ""))):
        if not offer.seat_line and offer.phone in (seat.phone, ""):
            known.offers[offer.offer] = replace(offer, seat_line=seat.line, phone=seat.phone)
            known.lines[seat.line] = replace(seat, offer=offer.offer)
            break
    return []


def _dial_state(known: Known, event: Event, at: datetime) -> Facts:
    if leg := _leg(known, event):
        return leg_rings(known, leg, at) if event.get("DialStatus") == "RINGING" else []
    _dial_begin(known, event, at)
    offer = _dialled(known, event)
    return ring(known, offer, at) if offer is not None and event.get("DialStatus") == "RINGING" else []


def _dial_end(known: Known, event: Event, at: datetime) -> Facts:
    if leg := _leg(known, event):
        return leg_answers(known, leg, at) if event.get("DialStatus") == "ANSWER" else []
    _dial_begin(known, event, at)
    offer = _dialled(known, event)
    if offer is None:
        return []
    if event.get("DialStatus") == "ANSWER":
        return answer(known, offer, at)
    return end_offer(known, offer, unheard(offer), at) if offer.withdrawn_at is not None else []


def _user_event(known: Known, event: Event, at: datetime) -> Facts:
    offer = event.get("Offer", "")
    if not offer or offer in known.ended:
        return []
    match event.get("UserEvent"):
        case "SeatAnswered":
            return _seat_answered(known, event, offer, at)
        case "OfferEnded":
            return _offer_ended(known, event, offer, at)
        case _:
            return []


def _seat_answered(known: Known, event: Event, offer: str, at: datetime) -> Facts:
    citizen, seat = LineId(event.get("Citizen", "")), LineId(event.get("Uniqueid", ""))
    if not citizen or not seat:
        return []
    meet(known, seat, event.get("Channel", ""), at)
    phone = phone_of(event.get("Channel", ""))
    state = known.offers.get(offer) or Offer(offer, citizen, phone, at)
    return answer(known, replace(state, seat_line=seat), at)


def _offer_ended(known: Known, event: Event, offer: str, at: datetime) -> Facts:
    line = LineId(event.get("Uniqueid", ""))
    if not line:
        return []
    state = known.offers.get(offer) or Offer(offer, line, PhoneId(""), at)
    reason = end_reason(event.get("Status", ""), event.get("Tech"), _number(event.get("Cause", "")))
    if state.withdrawn_at is not None and reason is not OfferEndReason.TALKED:
        reason = OfferEndReason.CANCELLED
    facts = answer(known, state, at) if reason is OfferEndReason.TALKED else []
    return facts + end_offer(known, state, reason, at, _number(event.get("Cause", "")))


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
    code = _number((tech or "").removeprefix("SIP ").partition(" ")[0])
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


def _originated(known: Known, event: Event, at: datetime) -> Facts:
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
    code = _number(leg.tech)
    return _by_code(code) if code >= 300 else _BY_CAUSE.get(leg.cause, OfferEndReason.UNREACHABLE)


# ---- bridges, keys, tracks, phones ----------------------------------------------------------------------------------


def _bridge_enter(known: Known, event: Event, at: datetime) -> Facts:
    state, bridge = meet(known, event.get("Uniqueid", ""), event.get("Channel", ""), at), _bridge(event)
    if state is None or not bridge or state.bridge == bridge:
        return []
    if state.left == bridge and state.bridged_at is not None and at - state.bridged_at <= DISORDER:
        return _entered_after_leaving(known, state, bridge, at)
    return enter(known, state, bridge, at)


def _entered_after_leaving(known: Known, state: Line, bridge: str, at: datetime) -> Facts:
    """An entering that comes after its leaving: late when the leaving had been a surprise, a repetition otherwise."""
    known.lines[state.line] = replace(state, left_early=False)
    if not state.left_early or not audible(state):
        return []
    return [Bridged(at=at, bridge=bridge, line=state.line), Unbridged(at=at, bridge=bridge, line=state.line)]


def _bridge_leave(known: Known, event: Event, at: datetime) -> Facts:
    state, bridge = meet(known, event.get("Uniqueid", ""), event.get("Channel", ""), at), _bridge(event)
    if state is None or not bridge:
        return []
    if state.bridge == bridge:
        return leave(known, state, bridge, at)
    if state.left != bridge:
        known.lines[state.line] = replace(state, left=bridge, left_early=True, bridged_at=at)
    return []


def _bridge(event: Event) -> str:
    return event.get("BridgeUniqueid", "")


def _key(known: Known, event: Event, at: datetime) -> Facts:
    state = known.lines.get(LineId(event.get("Uniqueid", "")))
    talking = state is not None and bool(state.bridge) and event.get("Direction") == "Received"
    return [KeyPressed(at=at, line=state.line)] if state is not None and talking else []


def _track_start(known: Known, event: Event, at: datetime) -> Facts:
    state = meet(known, event.get("Uniqueid", ""), event.get("Channel", ""), at)
    if state is None or state.recording:
        return []
    known.lines[state.line] = replace(state, recording=True, told=audible(state))
    return [TrackStarted(at=at, line=state.line)] if audible(state) else []


def _track_stop(known: Known, event: Event, at: datetime) -> Facts:
    state = known.lines.get(LineId(event.get("Uniqueid", "")))
    if state is None or not state.recording:
        return []
    known.lines[state.line] = replace(state, recording=False)
    return [TrackStopped(at=at, line=state.line)] if audible(state) else []


def _device(known: Known, event: Event, at: datetime) -> Facts:
    device = event.get("Device", "")
    phone = phone_of(device + "-")
    return reach(known, phone, is_reachable(event.get("State", "")), at) if phone not in (NO_PHONE, CARRIER) else []


def is_reachable(state: str) -> bool:
    """Whether a phone with this device state can be rung or is in use."""
    return state.upper() not in ("", "UNAVAILABLE", "INVALID", "UNKNOWN")


# ---- reading values -------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """A caller's text made harmless to show: no control or direction characters, at most 80."""
    return _INERT.sub("", text).strip()[:LONGEST_NAME]


def known_or_empty(text: str) -> str:
    """Asterisk writes `unknown` and `<unknown>` for what it does not know."""
    return "" if text in ("unknown", "<unknown>") else clean(text)


def user_of(header: str) -> str:
    """Digits and `+` of the number in a To header (RFC 3261 section 20.39), at most 32; empty when it names none.

    `<sip:12329@host>`, `sip:071712329;user=phone@host`, `<tel:+86...;phone-context=+86>`; the dialplan has taken out
    quotes and spaces, so the last `<` begins the address, whatever the display name contains.
    """
    scheme, _, user = header.rpartition("<")[2].partition(":")
    user, at_host, _ = user.partition("@")
    if not at_host and not scheme.lower().startswith("tel"):
        return ""  # sip:HOST: its digits would be an address
    user = unquote(user.partition(";")[0].partition(">")[0], errors="replace")
    return "".join(character for character in user if character in "+0123456789")[:32]


def _environment(encoded: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in unquote(encoded, errors="replace").split("\n"))
    return {name: value for name, _, value in pairs if name}


def _arrived(line: LineId, env: Mapping[str, str], event: Event, at: datetime) -> Arrived:
    return Arrived(
        at=at,
        line=line,
        dialled=known_or_empty(env.get("agi_dnid", "")) or clean(event.get("Exten", "")),
        caller=known_or_empty(env.get("agi_callerid", "")),
        caller_name=known_or_empty(env.get("agi_calleridname", "")),
        called=user_of(env.get("agi_arg_2", "")),
        diverted_from=tuple(clean(part) for part in env.get("agi_arg_3", "").split("-") if clean(part)),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


_HANDLERS: Mapping[str, Callable[[Known, Event, datetime], Facts]] = {
    "AsyncAGIStart": _agi_start,
    "Newchannel": _newchannel,
    "Hangup": _hangup,
    "DialBegin": _dial_begin,
    "DialState": _dial_state,
    "DialEnd": _dial_end,
    "UserEvent": _user_event,
    "BridgeEnter": _bridge_enter,
    "BridgeLeave": _bridge_leave,
    "DTMFBegin": _key,
    "MixMonitorStart": _track_start,
    "MixMonitorStop": _track_stop,
    "DeviceStateChange": _device,
    "OriginateResponse": _originated,
}
