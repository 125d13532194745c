"""A citizen is connected with a line outside without a seat of ours: the flow of the dialled number says so, or a step
of the queue's plan, because another centre may be faster (溢出). Pure.

The citizen hears music meanwhile. Who waits in a queue stays in it, in his place: the first that answers, a seat or the
other centre, has him, and when the centre does not come nothing has happened. Who came from a flow goes its own way on.
Once the line has answered it is a talk like any other that was handed over to the outside.
"""

from datetime import datetime, timedelta

import msgspec

from acd.model import Abandon, LeaveReason, Prompted
from calls.events import Action, Decision, Event, Hold, House, NotRung, OutsideUp, Tell
from calls.legs import Leg, Party, Place, Talk
from calls.model import (
    AnyCallFact,
    CallBackPromised,
    CallEnded,
    CallState,
    Dismissed,
    OnwardDialled,
    OnwardMissed,
    OnwardReached,
    Onwards,
    Phase,
    Stepped,
    TalkChanged,
    TalkStarted,
    TrackOpened,
)
from calls.moves import Invite, Put, Release
from telephony.model import LegFailed, LineGone, LineId, OfferEndReason, Placed, TrackStarted

CANCELLED = OfferEndReason.CANCELLED.value
NOTHING = Decision()
WAITING = (Phase.QUEUED, Phase.RINGING)
_OTHERWISE = (TalkStarted, CallBackPromised, Dismissed, Stepped, CallEnded)
"""Facts after which nobody outside is needed any more."""


def dial(
    call: CallState, number: str, why: Onwards, now: datetime, ring: timedelta | None = None
) -> tuple[OnwardDialled, Invite]:
    """Call a line outside for the citizen alone."""
    leg = LineId(f"{call.call}_o{call.onwards + 1}")
    fact = OnwardDialled(call=call.call, at=now, leg=leg, number=number, why=why)
    return fact, Invite(_room(call), leg, number, outside=True, ring=ring)


def overflow(call: CallState, said: Prompted, house: House, now: datetime) -> tuple[OnwardDialled, Invite] | None:
    """What a step of the plan asks for; nothing while another centre rings already, or where there is no way out."""
    if call.onward or not house.can_dial or not said.to:
        return None
    return dial(call, said.to, Onwards.OVERFLOW, now)


def decide(call: CallState, event: Event, now: datetime) -> Decision | None:
    """What follows from news of that line; `None`: the event is none of its business, or the flow has to go on."""
    if not call.onward:
        return Decision(actions=(Release(event.leg),)) if isinstance(event, OutsideUp) else None
    match event:
        case OutsideUp(leg) if leg == call.onward and call.phase is Phase.RINGING and call.seat_line:
            return Decision((_missed(call, CANCELLED, now),), (Release(leg),))  # a seat has just picked up
        case OutsideUp(leg, folder) if leg == call.onward:
            return _connect(call, leg, folder, now)
        case TrackStarted(line=line) if line == call.onward:
            return NOTHING  # told when it is connected
        case _:
            fact = missed(call, event, now)
            return None if fact is None or call.phase is Phase.IN_IVR else Decision((fact,))


def missed(call: CallState, event: Event, now: datetime) -> OnwardMissed | None:
    """That nobody came, if the event says so."""
    if not call.onward:
        return None
    match event:
        case LegFailed(leg=leg, reason=reason) if leg == call.onward:
            return _missed(call, reason.value, now)
        case NotRung(leg, why) if leg == call.onward:
            return _missed(call, why, now)
        case LineGone(line=line) if line == call.onward:
            return _missed(call, OfferEndReason.REJECTED.value, now)
        case _:
            return None


def settled(call: CallState, decision: Decision, now: datetime) -> Decision:
    """`decision`, and the line outside is called no more if it leads elsewhere."""
    if not call.onward:
        return decision
    over = any(isinstance(fact, _OTHERWISE) for fact in decision.facts)
    told = any(isinstance(fact, OnwardMissed | OnwardReached) for fact in decision.facts)
    if told or not over:
        return decision
    facts = (_missed(call, CANCELLED, now), *decision.facts)
    return msgspec.structs.replace(decision, facts=facts, actions=(*decision.actions, Release(call.onward)))


def recorded(call: CallState, decision: Decision) -> Decision:
    """`decision`, and whoever is moved anew learns where his track goes: a move that was lost may not have told him."""
    if not call.onwards or call.line in call.opened:
        return decision
    return msgspec.structs.replace(decision, actions=tuple(_fresh(call, action) for action in decision.actions))


def _fresh(call: CallState, action: Action) -> Action:
    moves_him = isinstance(action, Put) and any(one.line == call.line for one in action.placed)
    return msgspec.structs.replace(action, fresh=True) if moves_him else action


def _missed(call: CallState, result: str, now: datetime) -> OnwardMissed:
    return OnwardMissed(call=call.call, at=now, leg=call.onward, result=result)


def _room(call: CallState) -> str:
    return f"room_{call.call}"


def _connect(call: CallState, leg: LineId, folder: str, now: datetime) -> Decision:
    """The two talk. A seat that rings stops; the floor is told that another centre has the call."""
    name = call.call
    citizen = Leg(line=call.line, party=Party.CITIZEN, place=Place.TALKING)
    office = Leg(
        line=leg, party=Party.OUTSIDE, place=Place.TALKING, seat="x0", phone=call.onward_to, outside=True, ask=leg
    )
    room = _room(call)
    talk = Talk(room=room, legs=(citizen, office), in_room=True).owned_by(office)
    facts: tuple[AnyCallFact, ...] = (
        OnwardReached(call=name, at=now, leg=leg),
        TalkStarted(call=name, at=now, offer="", seat="", agent="", party=Party.OUTSIDE, tracks=folder),
        TalkChanged(call=name, at=now, what="connected", talk=talk),
        TrackOpened(call=name, at=now, line=leg, party=Party.OUTSIDE, seen=False),
    )
    quiet: tuple[Action, ...] = (Hold(),) if call.phase is Phase.RINGING else ()
    left = Abandon(call=name, reason=LeaveReason.OVERFLOWED, to=call.onward_to)
    tell = (Tell(left),) if call.phase in WAITING else ()
    return Decision(facts, (*quiet, Put(room, (Placed(line=call.line, citizen=True),), fresh=True), *tell))
