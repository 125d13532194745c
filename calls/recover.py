"""After we were away: what our ledger believes against what Asterisk holds, and what follows. Pure."""

from collections.abc import Mapping

import msgspec

from calls.events import CLOSE, UNMUTE, Event, NodeLost, PartiesFound, TrackFound, Woke
from calls.legs import Party, Place, Talk
from calls.model import CallState, Phase
from calls.orders import Found
from telephony.model import (
    LegAnswered,
    LegFailed,
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


UNREACHABLE = OfferEndReason.UNREACHABLE
CITIZENS_PLACES = frozenset({"arrive", "ivr", "hold", "connect", "after", "fallback"})


def plan(live: Mapping[str, CallState], snapshot: Snapshot) -> Plan:
    """Compare the live calls with what lives. Nothing is dropped that still has a line."""
    made = Plan()
    lines = {line.line: line for line in snapshot.lines}
    owned = {line for call in live.values() for line in call.party_lines}
    for call in live.values():
        line = lines.get(call.line)
        if call.waits_for_call:
            _called_back(made, call, lines, snapshot)
        elif line is None:
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


def _called_back(made: Plan, call: CallState, lines: Mapping[LineId, LineSnapshot], snapshot: Snapshot) -> None:
    """A call without a line needs none. Who rings for it is called anew, for nobody tells any more when he answers."""
    at, name = snapshot.at, call.call
    if call.line:
        gone = LineGone(at=at, line=call.line)
        made.events.append((name, gone if call.line not in lines else Woke(CLOSE)))
    if call.phase is not Phase.RINGING:
        made.rejoin.append(name)
        return
    up = {line for line, seen in lines.items() if seen.up}
    leg = LineId("") if call.back is None else call.back.leg
    if call.seat_leg not in up:
        seat = call.seat_leg
        gone = LineGone(at=at, line=seat)
        made.events.append((name, gone if call.seat_line else LegFailed(at=at, leg=seat, reason=UNREACHABLE)))
    elif not call.seat_line:
        made.events.append((name, LegAnswered(at=at, leg=call.seat_leg)))
    elif leg in up:
        made.events.append((name, LegAnswered(at=at, leg=leg)))
    else:
        made.events.append((name, LegFailed(at=at, leg=leg, reason=UNREACHABLE)))


def _compare(
    made: Plan, call: CallState, line: LineSnapshot, lines: Mapping[LineId, LineSnapshot], snapshot: Snapshot
) -> None:
    match call.phase:
        case Phase.ARRIVED | Phase.IN_IVR:
            _listening(made, call, line, lines, snapshot)
        case Phase.QUEUED | Phase.RINGING if _came(call, line, lines):
            made.events.append((call.call, LegAnswered(at=snapshot.at, leg=call.onward)))
        case Phase.QUEUED:
            _gave_up(made, call, lines, snapshot)
            _waiting(made, call, line, lines)
        case Phase.RINGING:
            _gave_up(made, call, lines, snapshot)
            _ringing(made, call, line, lines, snapshot)
        case Phase.TALKING:
            _talking(made, call, line, lines, snapshot)
        case Phase.CLOSING:
            made.events.append((call.call, Woke(CLOSE)))
        case Phase.ENDED:
            pass


def _listening(
    made: Plan, call: CallState, line: LineSnapshot, lines: Mapping[LineId, LineSnapshot], snapshot: Snapshot
) -> None:
    """The flow begins again, unless the fallback has connected the citizen meanwhile, or the line outside answered."""
    seat = partner(line, lines)
    if seat is not None:
        made.adopt.append((call.call, seat))
    elif _came(call, line, lines):
        made.events.append((call.call, LegAnswered(at=snapshot.at, leg=call.onward)))
    else:
        made.restart.append(call.call)


def _came(call: CallState, line: LineSnapshot, lines: Mapping[LineId, LineSnapshot]) -> bool:
    """The line outside that is called for the citizen alone has answered, and he talks with nobody else."""
    outside = lines.get(call.onward)
    return outside is not None and outside.up and partner(line, lines) is None


def _gave_up(made: Plan, call: CallState, lines: Mapping[LineId, LineSnapshot], snapshot: Snapshot) -> None:
    """It is no more; while it rings it rings on."""
    if call.onward and call.onward not in lines:
        made.events.append((call.call, LegFailed(at=snapshot.at, leg=call.onward, reason=UNREACHABLE)))


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
        for offer in call.offers[:1] if talked else call.offers:
            made.events.append((call.call, OfferEnded(at=at, offer=offer, line=call.line, reason=reason)))
        if talked:
            made.events.append((call.call, ReturnedLine(at=at, line=call.line, place="after")))
        elif line.place != "hold":
            made.hold.append(call.call)


def _talking(
    made: Plan, call: CallState, line: LineSnapshot, lines: Mapping[LineId, LineSnapshot], snapshot: Snapshot
) -> None:
    if call.talk is not None:
        made.events.append((call.call, _parties(call.talk, lines)))
        if call.talk.in_room:
            made.events += [*_tracks(call), (call.call, Woke(UNMUTE))]
            return
    if line.bridge:
        made.events += [*_tracks(call), (call.call, Woke(UNMUTE))]  # a mute's end may have been missed
    elif line.place != "connect":
        made.events.append((call.call, ReturnedLine(at=snapshot.at, line=call.line, place=line.place)))
    elif call.seat_line not in lines:
        made.events.append((call.call, LineGone(at=snapshot.at, line=call.seat_line)))


_PLACES = {
    Place.TALKING: ("room-citizen", "room"),
    Place.HELD: ("parked", "parked-seat"),
    Place.LISTENING: ("", "spy"),
    Place.WHISPERING: ("", "spy"),
}
"""Where the citizen stands at the switch, and where a seat's line does."""


def _parties(talk: Talk, lines: Mapping[LineId, LineSnapshot]) -> PartiesFound:
    """Who is still there, and who stands elsewhere than the ledger says: a move was lost, or Asterisk made its own."""
    seen = [(leg, lines[leg.line]) for leg in talk.legs if leg.line in lines]
    up, ringing = frozenset(leg.line for leg, at in seen if at.up), frozenset(leg.line for leg, at in seen if not at.up)
    moved = [
        leg.line
        for leg, at in seen
        if leg.place in _PLACES and at.place != _PLACES[leg.place][leg.party is not Party.CITIZEN]
    ]
    return PartiesFound(Found(up=up, ringing=ringing), frozenset(moved if talk.in_room else ()))


def _tracks(call: CallState) -> list[tuple[str, Event]]:
    """Tracks that began while we were away."""
    talks = call.party_lines if call.talk is None else call.talk.inside
    missing = [line for line in talks if line not in call.opened]
    return [(call.call, TrackFound(line)) for line in missing]
