"""After we were away: what our ledger believes against what Asterisk holds, and what follows. Pure."""

from collections.abc import Mapping

import msgspec

from calls.events import Event, NodeLost, TrackFound, Woke
from calls.model import CallState, Phase
from calls.script import CLOSE, UNMUTE
from telephony.model import (
    LineGone,
    LineId,
    LineSnapshot,
    OfferEnded,
    OfferEndReason,
    ReturnedLine,
    Snapshot,
)


class Plan(msgspec.Struct, kw_only=True):
    """What to do with every call and every line."""

    events: list[tuple[str, Event]] = msgspec.field(default_factory=list)
    """Events that were missed, for the call's mailbox."""
    restart: list[str] = msgspec.field(default_factory=list)
    """Calls that were listening to their flow: it begins again."""
    rejoin: list[str] = msgspec.field(default_factory=list)
    """Calls that wait: the floor must know them in their old place."""
    hold: list[str] = msgspec.field(default_factory=list)
    """Calls that wait but hear something else than our music."""
    adopt: list[tuple[str, LineSnapshot]] = msgspec.field(default_factory=list)
    """Waiting calls that talk: the fallback queue connected them meanwhile, or the phone that rang was answered. With
    the seat's line. The floor may have ended that offer since, so nothing is asked of it."""
    strays: list[LineSnapshot] = msgspec.field(default_factory=list)
    """Citizens' lines that no call of ours owns."""


CITIZENS_PLACES = frozenset({"arrive", "ivr", "hold", "connect", "after", "fallback"})


def plan(live: Mapping[str, CallState], snapshot: Snapshot) -> Plan:
    """Compare the live calls with what lives. Nothing is dropped that still has a line."""
    made = Plan()
    lines = {line.line: line for line in snapshot.lines}
    owned = {call.line for call in live.values()} | {call.seat_line for call in live.values()}
    for call in live.values():
        line = lines.get(call.line)
        if line is None:
            made.events.append((call.call, _gone(call, snapshot)))
        else:
            _compare(made, call, line, lines, snapshot)
    made.strays = [
        line for line in snapshot.lines if line.line not in owned and line.up and line.place in CITIZENS_PLACES
    ]
    return made


def _gone(call: CallState, snapshot: Snapshot) -> Event:
    """A line of an Asterisk that was restarted went down with it; any other hung up."""
    if call.booted and snapshot.booted != call.booted:
        return NodeLost()
    return LineGone(at=snapshot.at, line=call.line)


def partner(line: LineSnapshot, lines: Mapping[LineId, LineSnapshot]) -> LineSnapshot | None:
    """The seat's line that shares `line`'s bridge."""
    together = (other for other in lines.values() if line.bridge and other.bridge == line.bridge)
    return next((other for other in together if other.phone and other.line != line.line), None)


def _compare(
    made: Plan, call: CallState, line: LineSnapshot, lines: Mapping[LineId, LineSnapshot], snapshot: Snapshot
) -> None:
    match call.phase:
        case Phase.ARRIVED | Phase.IN_IVR:
            made.restart.append(call.call)
        case Phase.QUEUED:
            _waiting(made, call, line, lines)
        case Phase.RINGING:
            _ringing(made, call, line, lines, snapshot)
        case Phase.TALKING:
            _talking(made, call, line, lines, snapshot)
        case Phase.CLOSING:
            made.events.append((call.call, Woke(CLOSE)))
        case Phase.ENDED:
            pass


def _waiting(made: Plan, call: CallState, line: LineSnapshot, lines: Mapping[LineId, LineSnapshot]) -> None:
    seat = partner(line, lines)
    if seat is not None:
        made.adopt.append((call.call, seat))
        return
    made.rejoin.append(call.call)
    if line.place != "hold":
        made.hold.append(call.call)


def _ringing(
    made: Plan, call: CallState, line: LineSnapshot, lines: Mapping[LineId, LineSnapshot], snapshot: Snapshot
) -> None:
    seat = partner(line, lines)
    at = snapshot.at
    if seat is not None:
        made.adopt.append((call.call, seat))
    elif line.place != "connect":
        talked = line.place == "after"
        reason = OfferEndReason.TALKED if talked else OfferEndReason.NO_ANSWER
        made.events.append((call.call, OfferEnded(at=at, offer=call.offer, line=call.line, reason=reason)))
        if talked:
            made.events.append((call.call, ReturnedLine(at=at, line=call.line, place="after")))
        elif line.place != "hold":
            made.hold.append(call.call)


def _talking(
    made: Plan, call: CallState, line: LineSnapshot, lines: Mapping[LineId, LineSnapshot], snapshot: Snapshot
) -> None:
    if line.bridge:
        made.events += [*_tracks(call, call.seat_line), (call.call, Woke(UNMUTE))]  # a mute's end may have been missed
    elif line.place != "connect":
        made.events.append((call.call, ReturnedLine(at=snapshot.at, line=call.line, place=line.place)))
    elif call.seat_line not in lines:
        made.events.append((call.call, LineGone(at=snapshot.at, line=call.seat_line)))


def _tracks(call: CallState, seat_line: LineId) -> list[tuple[str, Event]]:
    """Tracks that began while we were away."""
    missing = [line for line in (call.line, seat_line) if line and line not in call.opened]
    return [(call.call, TrackFound(line)) for line in missing]
