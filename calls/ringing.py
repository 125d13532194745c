"""What a call does while seats ring for it: the floor's word, phones that answer, phones that do not. Pure.

One seat rings, or several at once, and the first that answers has the citizen. Offers that are not the call's present
ones change nothing, so late and repeated news are harmless.
"""

from datetime import datetime

from acd.model import (
    Answer,
    Answered,
    AnyFloorFact,
    Joined,
    Offered,
    OfferRefused,
    OfferWithdrawn,
    Prompted,
    Refuse,
    RefuseReason,
    StepKind,
    TurnedAway,
)
from calls import onward, promising
from calls.announcing import FULL, prompts
from calls.events import Action, Decision, Hold, House, Play, Ring, StopRinging, Tell
from calls.fold import evolve
from calls.model import (
    Announced,
    AnyCallFact,
    CallState,
    Dismissed,
    OfferMissed,
    OnwardDialled,
    Phase,
    PickedUp,
    Ringing,
    TalkStarted,
)
from telephony.model import OfferEnded, OfferEndReason, SeatAnswered

NOTHING = Decision()
WAITING = (Phase.QUEUED, Phase.RINGING)
_REFUSED = {
    OfferEndReason.BUSY: RefuseReason.BUSY,
    OfferEndReason.REJECTED: RefuseReason.REJECTED,
    OfferEndReason.NO_ANSWER: RefuseReason.NO_ANSWER,
    OfferEndReason.UNREACHABLE: RefuseReason.UNREACHABLE,
}


def floor_said(call: CallState, facts: tuple[AnyFloorFact, ...], folder: str, house: House, now: datetime) -> Decision:
    """What the floor said together: new offers ring, what ends the last ringing means music. Who answered has the
    citizen; that the others' offers end with that is no miss of theirs."""
    told: list[AnyCallFact] = []
    before, waits = call.offers, False
    said: tuple[str, ...] = ()
    sent: tuple[Action, ...] = ()
    won = any(isinstance(fact, Answered) and fact.offer in call.offers for fact in facts)
    for fact in facts:
        news: AnyCallFact
        match fact:
            case Joined():
                waits = True
                continue
            case TurnedAway() if call.phase is Phase.QUEUED:
                news, said = Dismissed(call=call.call, at=now, reason=FULL), (FULL,)
            case Prompted(kind=StepKind.CALL_BACK) if call.phase is Phase.QUEUED:
                question = promising.offer(call, fact, house, now)
                if question is None:
                    continue
                told.append(_announced(call, fact, now))
                call, said = evolve(call, told[-1]), question.prompts
                news = question.fact
            case Prompted(kind=StepKind.OVERFLOW):
                out = onward.overflow(call, fact, house, now) if call.phase in WAITING else None
                if out is None:
                    continue
                news, sent = out[0], (out[1],)
                if fact.prompt and call.phase is Phase.QUEUED:
                    told.append(_announced(call, fact, now))
                    call, said = evolve(call, told[-1]), prompts(fact)
            case Prompted() if call.phase is Phase.QUEUED:
                news, said = _announced(call, fact, now), prompts(fact)
            case Offered() if call.phase in WAITING and fact.offer not in call.offers:
                news = Ringing(call=call.call, at=now, offer=fact.offer, seat=fact.seat, phone=fact.phone)
            case OfferRefused() if fact.offer in call.offers and call.phase is Phase.RINGING:
                news = missed(call, fact.offer, fact.reason, now)
            case OfferWithdrawn() if fact.offer in call.offers and call.phase is Phase.RINGING and not won:
                news = missed(call, fact.offer, "withdrawn", now)
            case Answered() if fact.offer in call.offers and call.phase is Phase.RINGING:
                news = talk_started(call, fact.offer, fact.seat, folder, house, now)
            case _:
                continue
        told.append(news)
        call = evolve(call, news)  # an offer and its end may come in one word
    if call.asking is not None and call.phase is Phase.QUEUED and said:
        return Decision(tuple(told), (promising.collect(said, house), *sent))
    heard = waits or any(not isinstance(fact, OnwardDialled) for fact in told)
    return Decision(tuple(told), (*_performed(call, before, folder, said, is_news=heard), *sent))


def _performed(
    call: CallState, before: tuple[str, ...], folder: str, said: tuple[str, ...], *, is_news: bool
) -> tuple[Action, ...]:
    """A ringing seat comes before everything that could be said."""
    if call.phase in (Phase.QUEUED, Phase.CLOSING) and said:
        return (Play(said),)
    if call.phase is Phase.QUEUED and is_news:
        return (Hold(),)
    if call.phase is not Phase.RINGING:
        return ()
    if set(call.offers) - set(before):
        return (Ring(call.rings, folder),)
    return tuple(StopRinging(offer) for offer in before if offer not in call.offers)


def _announced(call: CallState, said: Prompted, now: datetime) -> Announced:
    return Announced(
        call=call.call, at=now, kind=said.kind, prompt=said.prompt, ahead=said.ahead, estimate_s=said.estimate_s
    )


def missed(call: CallState, offer: str, reason: str, now: datetime) -> OfferMissed:
    """The offer is over without a talk."""
    seat = next((rung.seat for rung in call.rung if rung.offer == offer), call.seat)
    others = len(call.offers) - 1
    return OfferMissed(call=call.call, at=now, offer=offer, seat=seat, reason=str(reason), others=max(0, others))


def talk_started(call: CallState, offer: str, seat: str, folder: str, house: House, now: datetime) -> TalkStarted:
    """The seat has the citizen."""
    party = house.party(seat)
    return TalkStarted(call=call.call, at=now, offer=offer, seat=seat, agent=seat, party=party, tracks=folder)


def seat_answered(call: CallState, event: SeatAnswered, now: datetime) -> Decision:
    """A phone picked up. One that was just taken back has the citizen's line nevertheless: the others ring anew."""
    if call.phase is not Phase.RINGING or call.seat_line == event.seat_line:
        return NOTHING
    if event.offer in call.taken_back:
        return Decision(actions=(Ring(call.rings),))
    if event.offer not in call.offers:
        return NOTHING
    picked = PickedUp(call=call.call, at=now, offer=event.offer, seat_line=event.seat_line)
    return Decision((picked,), (Tell(Answer(offer=event.offer)),))


def not_answered(call: CallState, event: OfferEnded, now: datetime) -> Decision:
    """A phone rang in vain, or could not; the floor goes on."""
    if event.reason is OfferEndReason.CANCELLED:
        return NOTHING  # the citizen has left, or another seat was faster: that is no refusal of the seat's
    reason = _REFUSED[event.reason]
    return Decision((missed(call, event.offer, reason, now),), (Tell(Refuse(offer=event.offer, reason=reason)),))
