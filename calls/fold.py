"""What the facts of a call fold into: its state. Decides nothing; `script` does."""

import msgspec

from calls.model import (
    AnyCallFact,
    CallArrived,
    CallEnded,
    CallState,
    Dismissed,
    OfferMissed,
    PartyAsked,
    Phase,
    PickedUp,
    Queued,
    RecordingMuted,
    Ringing,
    Stepped,
    TalkChanged,
    TalkEnded,
    TalkStarted,
    TrackOpened,
)
from telephony.model import LineId, Unbridged


def begin(fact: CallArrived) -> CallState:
    """The state that the first fact makes."""
    return CallState(
        call=fact.call, line=fact.line, phase=Phase.ARRIVED, booted=fact.booted, arrived_at=fact.at, arrived=fact
    )


def evolve(call: CallState, fact: AnyCallFact) -> CallState:
    """The state after `fact`."""
    change = msgspec.structs.replace
    match fact:
        case CallArrived():
            return begin(fact)
        case Stepped():
            return change(call, phase=Phase.IN_IVR, node=fact.node)
        case Dismissed():
            return change(call, phase=Phase.CLOSING)
        case Queued():
            return change(call, phase=Phase.QUEUED, queued=fact, queued_at=fact.at, talk=None, left_first=LineId(""))
        case Ringing():
            return change(
                call, phase=Phase.RINGING, offer=fact.offer, seat=fact.seat, phone=fact.phone, seat_line=LineId("")
            )
        case PickedUp():
            return change(call, seat_line=fact.seat_line)
        case RecordingMuted():
            return change(call, muted=fact.muted)
        case OfferMissed():
            return change(call, phase=Phase.QUEUED, offer="", seat="", phone="", seat_line=LineId(""))
        case TalkStarted():
            return change(
                call,
                phase=Phase.TALKING,
                offer=fact.offer,
                seat=fact.seat,
                agent=fact.agent,
                seat_line=fact.seat_line or call.seat_line,
                tracks=fact.tracks,
                answered_at=fact.at,
            )
        case TrackOpened():
            return change(call, opened=(*call.opened, fact.line))
        case TalkChanged():
            return _with_talk(call, fact)
        case PartyAsked():
            return call
        case TalkEnded():
            return change(call, phase=Phase.CLOSING, talk=None)
        case CallEnded():
            return change(call, phase=Phase.ENDED)


def _with_talk(call: CallState, fact: TalkChanged) -> CallState:
    """The seat that answers for the call is the call's seat, the last one of ours when it is somebody outside; while it
    is called back its old line counts."""
    owner = fact.talk.of_seat(fact.talk.owner)
    ours = "" if owner is not None and owner.outside else fact.talk.owner
    return msgspec.structs.replace(
        call,
        talk=fact.talk,
        seat=ours or call.seat,
        agent=ours or call.agent,
        seat_line=call.seat_line if owner is None else owner.line,
    )


def left_bridge(call: CallState, news: Unbridged) -> CallState:
    """`call` with the line that left its talk first; not stored, so after a restart nobody knows it."""
    known = call.phase is not Phase.TALKING or call.left_first
    return call if known else msgspec.structs.replace(call, left_first=news.line)
