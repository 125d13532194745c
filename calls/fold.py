"""What the facts of a call fold into: its state. Decides nothing; `script` does."""

import msgspec

from acd.model import AbuseStep
from calls.back import Asking, Back
from calls.model import (
    AbuseNoted,
    Announced,
    AnyCallFact,
    CallArrived,
    CallBackAsked,
    CallBackPromised,
    CallEnded,
    CallState,
    CitizenDialled,
    CitizenMissed,
    CitizenReached,
    Dismissed,
    LineLeft,
    OfferMissed,
    OnwardDialled,
    OnwardMissed,
    OnwardReached,
    PartyAsked,
    Phase,
    PickedUp,
    Queued,
    Rated,
    RatingAsked,
    RecordingMuted,
    Remembered,
    Ringing,
    Rung,
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
            return change(call, phase=Phase.CLOSING, dismissed=fact.reason)
        case Queued():
            return change(call, phase=Phase.QUEUED, queued=fact, queued_at=fact.at, talk=None, left_first=LineId(""))
        case Remembered():
            return change(call, own=fact.agents)
        case Ringing():
            return _rings(call, fact)
        case PickedUp():
            return change(chosen(call, fact.offer), seat_line=fact.seat_line)
        case RecordingMuted():
            return change(call, muted=fact.muted)
        case OfferMissed():
            return _rings_no_more(call, fact.offer)
        case TalkStarted():
            return change(
                chosen(call, fact.offer),
                phase=Phase.TALKING,
                offer=fact.offer,
                seat=fact.seat,
                agent=fact.agent,
                seat_line=fact.seat_line or call.seat_line,
                tracks=fact.tracks,
                answered_at=fact.at,
                others=(),
                taken_back=(),
            )
        case TrackOpened():
            return change(call, opened=(*call.opened, fact.line))
        case TalkChanged():
            return _with_talk(call, fact)
        case PartyAsked():
            return call
        case TalkEnded():
            return change(call, phase=Phase.CLOSING, talk=None)
        case AbuseNoted():
            return change(call, dismissed=fact.step.value) if fact.step is AbuseStep.ENDED else call
        case Announced():
            return change(call, saying=True, asking=None)
        case RatingAsked():
            return change(call, phase=Phase.CLOSING, asked=fact.aspect, rated=False)
        case Rated():
            return change(call, rated=True)
        case CallEnded():
            return change(call, phase=Phase.ENDED)
        case CallBackAsked():
            return change(call, asking=Asking(stage=fact.stage, number=fact.number))
        case CallBackPromised():
            back = Back(number=fact.number, mark=fact.mark, owed=fact.owed, tracks=fact.tracks)
            return change(call, back=back, asking=None, saying=False, opened=())
        case LineLeft():
            return change(call, line=LineId(""))
        case CitizenDialled() | CitizenMissed() | CitizenReached():
            return _called(call, fact)
        case OnwardDialled():
            return change(call, onward=fact.leg, onward_to=fact.number, onwards=call.onwards + 1)
        case OnwardMissed() | OnwardReached():
            return change(call, onward=LineId(""))


def _called(call: CallState, fact: CitizenDialled | CitizenMissed | CitizenReached) -> CallState:
    """A citizen is called back; once reached, his line is the call's."""
    change, back = msgspec.structs.replace, call.back
    if back is None:
        return call
    match fact:
        case CitizenDialled():
            return change(call, back=change(back, leg=fact.leg))
        case CitizenMissed():
            missed = change(back, leg=LineId(""), tries=back.tries + fact.counted)
            return _with_rung(change(call, back=missed, taken_back=()), ())
        case CitizenReached():
            return change(call, line=fact.leg, booted=fact.booted, back=change(back, leg=fact.leg, reached=True))


def _rings(call: CallState, fact: Ringing) -> CallState:
    """Beside those that ring already, where the queue lets several ring; else alone."""
    new = Rung(offer=fact.offer, seat=fact.seat, phone=fact.phone)
    beside = call.phase is Phase.RINGING and call.queued is not None and call.queued.ring > 1
    if beside:
        return msgspec.structs.replace(call, others=(*call.others, new))
    return _with_rung(msgspec.structs.replace(call, taken_back=()), (new,))


def _rings_no_more(call: CallState, offer: str) -> CallState:
    left = tuple(one for one in call.rung if one.offer != offer) if offer in call.offers else ()
    return _with_rung(msgspec.structs.replace(call, taken_back=(*call.taken_back, offer) if left else ()), left)


def _with_rung(call: CallState, rung: tuple[Rung, ...]) -> CallState:
    """Nobody rings: the call waits."""
    first = rung[0] if rung else Rung(offer="", seat="", phone="")
    return msgspec.structs.replace(
        call,
        phase=Phase.RINGING if rung else Phase.QUEUED,
        offer=first.offer,
        seat=first.seat,
        phone=first.phone,
        others=rung[1:],
        seat_line=LineId(""),
        saying=False,
        asking=None,
    )


def chosen(call: CallState, offer: str) -> CallState:
    """`call` with one of the offers that ring as its own."""
    rung = next((one for one in call.rung if one.offer == offer), None)
    if rung is None or offer == call.offer:
        return call
    others = tuple(one for one in call.rung if one is not rung)
    return msgspec.structs.replace(call, offer=offer, seat=rung.seat, phone=rung.phone, others=others)


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
