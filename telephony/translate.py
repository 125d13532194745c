"""Asterisk's events become facts of ours. Pure: no clock, no connection; all it remembers is in `Known`.

The same event twice tells nothing twice, events out of order by some 200 ms and lost ones lead to the same final
state (what was lost is told by `telephony.reconcile`), unknown and broken events tell nothing. It never raises.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import unquote

from msgspec.structs import replace

from telephony import dialling
from telephony.dialling import end_reason as end_reason
from telephony.known import (
    CARRIER,
    NO_PHONE,
    Facts,
    Known,
    Line,
    arrive,
    audible,
    come_back,
    enter,
    hang_up,
    leave,
    meet,
    phone_of,
)
from telephony.model import (
    Arrived,
    Bridged,
    KeyPressed,
    LineId,
    TrackStarted,
    TrackStopped,
    Unbridged,
)
from telephony.reach import register, use

Event = Mapping[str, str]

EVENTS = (
    "AsyncAGIStart", "AsyncAGIExec", "AsyncAGIEnd", "Newchannel", "Hangup", "DialBegin", "DialState", "DialEnd",
    "BridgeEnter", "BridgeLeave", "UserEvent", "DeviceStateChange", "ContactStatus", "MixMonitorStart",
    "MixMonitorStop", "DTMFBegin", "DTMFEnd", "OriginateResponse",
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
    facts = hang_up(known, line, dialling.number(event.get("Cause", "")), at) if line else []
    facts += dialling.phone_hung_up(known, line, event, at)
    leg = known.legs.get(line)
    return facts if leg is None else facts + dialling.leg_hung_up(known, leg, event, at)


def _newchannel(known: Known, event: Event, at: datetime) -> Facts:
    meet(known, event.get("Uniqueid", ""), event.get("Channel", ""), at)
    return []


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
    phone, state = phone_of(device + "-"), event.get("State", "")
    if phone in (NO_PHONE, CARRIER):
        return []
    return use(known, phone, is_reachable(state), state.upper() == "NOT_INUSE", at)


def _contact(known: Known, event: Event, at: datetime) -> Facts:
    phone, status = phone_of(f"PJSIP/{event.get('AOR', '')}-"), event.get("ContactStatus", "")
    if phone in (NO_PHONE, CARRIER) or status not in ("Created", "Removed"):
        return []
    return register(known, phone, event.get("URI", ""), status == "Created", at)


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


_TOLD_BY_AGI = frozenset({"agi_dnid", "agi_callerid", "agi_calleridname", "agi_arg_1", "agi_arg_2", "agi_arg_3"})


def _environment(encoded: str) -> dict[str, str]:
    """Those of AGI's variables that matter here; each value is decoded by itself."""
    pairs = (line.partition("%3A%20") for line in encoded.split("%0A"))
    return {name: unquote(value, errors="replace") for name, _, value in pairs if name in _TOLD_BY_AGI}


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


_HANDLERS: Mapping[str, Callable[[Known, Event, datetime], Facts]] = {
    "AsyncAGIStart": _agi_start,
    "Newchannel": _newchannel,
    "Hangup": _hangup,
    "DialBegin": dialling.dial_begin,
    "DialState": dialling.dial_state,
    "DialEnd": dialling.dial_end,
    "UserEvent": dialling.user_event,
    "BridgeEnter": _bridge_enter,
    "BridgeLeave": _bridge_leave,
    "DTMFBegin": _key,
    "MixMonitorStart": _track_start,
    "MixMonitorStop": _track_stop,
    "DeviceStateChange": _device,
    "ContactStatus": _contact,
    "OriginateResponse": dialling.originated,
}
