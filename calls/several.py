"""What becomes of a call when its talk is, or becomes, one of several: facts and orders. Pure.

`script` asks here first; an event that is no business of a talk of several comes back as nothing.
"""

from datetime import datetime

import msgspec

from acd.model import Adopt, EndWrapUp, Finish, Join
from calls import moves, orders, parties
from calls.events import (
    CLOSE,
    Action,
    Asked,
    Decision,
    Event,
    Hold,
    House,
    NotRung,
    PageBack,
    PageGone,
    PartiesFound,
    Tell,
    Wake,
    Woke,
)
from calls.legs import Ending, Leg, Party, Place, Talk
from calls.model import AnyCallFact, CallState, PartyAsked, Phase, Queued, TalkChanged, TalkEnded, TrackOpened
from telephony.model import LegAnswered, LegFailed, LineGone, LineId, OfferEnded, ReturnedLine

HELD = "held"
PAGE_BACK = "page_back"
EMERGENCY_JOINED = "emergency_joined"
"""Prompt that everybody hears when an emergency line has come."""
GENERAL = "general"
"""Queue of a citizen who talked without ever having waited."""
NOTHING = Decision()
_IN = (Place.TALKING, Place.HELD)


def pair(call: CallState, house: House) -> Talk:
    """The talk of a call that two talk in."""
    citizen = Leg(line=call.line, party=Party.CITIZEN, place=Place.TALKING)
    party = house.party(call.seat)
    seat = Leg(line=call.seat_line, party=party, place=Place.TALKING, seat=call.seat, phone=call.phone)
    return Talk(room=f"room_{call.call}", legs=(citizen, seat), owner=call.seat, owner_phone=call.phone)


def talk_of(call: CallState, house: House) -> Talk | None:
    """The talk that a command is about; nothing while nobody talks."""
    if call.phase is not Phase.TALKING or not call.seat_line:
        return None
    return call.talk or pair(call, house)


def decide(call: CallState, event: Event, house: House, now: datetime) -> Decision | None:
    """What follows for a talk of several; `None`: the event is none of its business."""
    if isinstance(event, Asked):
        return _asked(call, event.command, house, now)
    if isinstance(event, PageGone):
        return _page_gone(call, event.seat, house, now)
    if isinstance(event, PageBack):
        return _page_back(call, event.seat, house, now)
    if isinstance(event, Woke) and event.tag == PAGE_BACK:
        return _page_stays_away(call)
    if isinstance(event, LineGone) and _fell_silent(call, event):
        return _lost(call, event.line, house, now)
    if isinstance(event, LegAnswered) and (call.talk is None or call.talk.of_line(event.leg) is None):
        return Decision(actions=(moves.Release(event.leg),))  # it was taken back a moment before
    if call.talk is None or call.phase is not Phase.TALKING:
        return NOTHING if isinstance(event, LegFailed | NotRung | PartiesFound) else None
    if isinstance(event, OfferEnded):  # the offer that the talk began with; a room outlives it
        return NOTHING if call.talk.in_room else None
    if isinstance(event, LineGone) and call.talk.of_line(event.line) is None:
        return NOTHING  # it has left already
    news = _news(call.talk, event)
    if news is None:
        return None
    displaced = event.displaced if isinstance(event, PartiesFound) else frozenset[LineId]()
    if isinstance(event, ReturnedLine):
        displaced = frozenset({call.line})
    return _follow(call, call.talk, news, displaced, house, now)


def release(call: CallState) -> tuple[Action, ...]:
    """Hang up whoever is in the talk besides the citizen, or called to it."""
    legs = () if call.talk is None else call.talk.legs
    return tuple(moves.Release(leg.line) for leg in legs if leg.party is not Party.CITIZEN)


def _news(talk: Talk, event: Event) -> orders.News | None:
    match event:
        case LegAnswered(leg=line):
            return orders.Answered(line=line)
        case LegFailed(leg=line, reason=reason):
            return orders.Failed(line=line, reason=reason.value)
        case NotRung(line, why):
            return orders.Failed(line=line, reason=why)
        case LineGone(line=line) if (leg := talk.of_line(line)) is not None and leg.party is not Party.CITIZEN:
            return orders.Gone(line=line)
        case ReturnedLine():
            return orders.Left()
        case Woke(tag) if tag == HELD:
            return orders.TooLong()
        case PartiesFound(found=found):
            return found
        case _:
            return None


def unanswered(call: CallState, now: datetime) -> tuple[AnyCallFact, ...]:
    """The call ends while somebody who was asked for rings: he was not reached, and that is told before."""
    talk = call.talk
    if talk is None or not any(leg.ask and leg.place is Place.RINGING for leg in talk.legs):
        return ()
    rest = tuple(leg for leg in talk.legs if leg.place is not Place.RINGING)
    left = msgspec.structs.replace(talk, legs=rest)
    return (TalkChanged(call=call.call, at=now, what="ended", talk=left),)


def _asked(call: CallState, command: orders.Command | orders.Sought, house: House, now: datetime) -> Decision | None:
    if isinstance(command, orders.Sought):
        return Decision((_sought(call, command, now),))
    talk = talk_of(call, house)
    if talk is None or parties.why_not(talk, command):
        return NOTHING
    return _follow(call, talk, command, frozenset(), house, now)


def _follow(
    call: CallState,
    talk: Talk,
    happened: orders.Command | orders.News,
    displaced: frozenset[LineId],
    house: House,
    now: datetime,
) -> Decision | None:
    step = parties.decide(talk, happened)
    holds = (Wake(HELD, house.hold),) if any(leg.place is Place.HELD for leg in step.talk.legs) else ()
    if step.talk == talk and step.ending is None and not displaced:
        return Decision(actions=holds if isinstance(happened, orders.Found) else ())
    there = _without_gone(talk, happened)
    actions: list[Action] = list(moves.moves(there, step.talk, displaced=displaced))
    if step.ending is Ending.TO_QUEUE:
        return _to_queue(call, actions, house)
    if step.ending is not None:
        return _over(call, happened, actions, house, now)
    actions += [*_floor(call, talk, step.talk), *holds]
    changed = TalkChanged(
        call=call.call,
        at=now,
        what=type(happened).__name__.lower(),
        talk=step.talk,
        by=getattr(happened, "by", ""),
        missed=happened.line if isinstance(happened, orders.Failed) else LineId(""),
        why=happened.reason if isinstance(happened, orders.Failed) else "",
    )
    asked = _party_asked(call, happened, step.talk, now)
    said = _announced(talk, step.talk)
    tracks = [
        TrackOpened(call=call.call, at=now, line=one.line, party=Party.ANNOUNCEMENT) for one in said
    ]  # fmt: skip
    return Decision((*asked, changed, *tracks), (*actions, *said))


def _announced(before: Talk, after: Talk) -> tuple[moves.Announce, ...]:
    """Everybody is told that an emergency line has come."""
    rang = {leg.line for leg in before.legs if leg.warm and leg.outside and leg.place is Place.RINGING}
    came = [leg.line for leg in after.legs if leg.line in rang and leg.place is Place.TALKING]
    return tuple(moves.Announce(after.room, LineId(f"{line}a"), EMERGENCY_JOINED) for line in came)


def _party_asked(
    call: CallState, happened: orders.Command | orders.News, after: Talk, now: datetime
) -> tuple[PartyAsked, ...]:
    if not isinstance(happened, orders.Wanted) or happened.purpose is orders.Purpose.SEAT:
        return ()
    fact = PartyAsked(
        call=call.call,
        at=now,
        ask=after.legs[-1].ask,
        by=happened.by,
        purpose=happened.purpose,
        unit=happened.unit,
        number=happened.number,
        private=not isinstance(happened, orders.Consult) or happened.private,
        callees=1 + len(happened.then),
        passed_over=happened.passed_over,
        unclear=happened.unclear,
    )
    return (fact,)


def _sought(call: CallState, sought: orders.Sought, now: datetime) -> PartyAsked:
    return PartyAsked(
        call=call.call,
        at=now,
        ask=sought.ask,
        by=sought.by,
        purpose=sought.purpose,
        unit=sought.unit,
        number=sought.number,
        passed_over=sought.passed_over,
    )


def _fell_silent(call: CallState, event: LineGone) -> bool:
    """The seat that answers for the call, before its citizen left. The dialplan's word that the talk is over may have
    come first."""
    talked = call.phase in (Phase.TALKING, Phase.CLOSING) and call.left_first != call.line
    return event.is_lost and event.line == call.seat_line and talked


def _lost(call: CallState, line: LineId, house: House, now: datetime) -> Decision | None:
    """A seat fell silent: whoever is left goes on, and a citizen who is left alone is first of those who wait."""
    talk = call.talk or pair(call, house)
    return _follow(call, talk, orders.Gone(line=line, lost=True), frozenset(), house, now)


def _page_gone(call: CallState, seat: str, house: House, now: datetime) -> Decision | None:
    """As a loss, but the line is still up, and whoever sat there may be back in a moment: the floor hears of the
    citizen when the page is back, or after a while."""
    talk = talk_of(call, house)
    leg = None if talk is None else talk.of_seat(seat)
    if talk is None or leg is None or leg.place is Place.RINGING:
        return NOTHING
    end = moves.Release(leg.line)
    if parties.decide(talk, orders.Gone(line=leg.line, lost=True)).ending is not Ending.TO_QUEUE:
        decision = _lost(call, leg.line, house, now) or NOTHING
        return msgspec.structs.replace(decision, actions=(end, *decision.actions))
    again = msgspec.structs.replace(_queued(call, house), back=seat)
    finish = Tell(Finish(call=call.call))
    return Decision((again,), (Hold(), end, finish, Wake(PAGE_BACK, house.page_back)))


def _page_back(call: CallState, seat: str, house: House, now: datetime) -> Decision:
    """Asked before anybody else, for some seconds; then as if the call had just begun to wait, from its old place."""
    if call.queued is None or call.queued.back != seat or call.phase is not Phase.QUEUED:
        return NOTHING
    later_s = (now - call.queued.at + house.page_back).total_seconds()
    plain = join(call, call.queued)
    recipe = tuple(msgspec.structs.replace(step, after_s=step.after_s + later_s) for step in plain.recipe)
    preferring = msgspec.structs.replace(plain, prefer=(seat,), prefer_s=later_s, recipe=recipe)
    return Decision(actions=(Tell(EndWrapUp(seat=seat)), Tell(preferring)))


def _page_stays_away(call: CallState) -> Decision:
    if call.queued is None or not call.queued.back or call.phase is not Phase.QUEUED:
        return NOTHING
    return Decision(actions=(Tell(join(call, call.queued)),))


def _without_gone(talk: Talk, happened: orders.Command | orders.News) -> Talk:
    """Lines that ended by themselves need no end."""
    match happened:
        case orders.Gone(line=line) | orders.Failed(line=line):
            lost = {line}
        case orders.Found(up=up, ringing=ringing):
            lost = {leg.line for leg in talk.legs} - up - ringing
        case _:
            return talk
    return msgspec.structs.replace(talk, legs=tuple(leg for leg in talk.legs if leg.line not in lost))


def _floor(call: CallState, before: Talk, after: Talk) -> list[Action]:
    """The floor knows which seats talk: who came in is taken, who left wraps up."""
    was, now = _seats(before), _seats(after)
    came: list[Action] = [Tell(Adopt(seat=seat, call=call.call)) for seat in sorted(now - was)]
    return [*came, *(Tell(Finish(call=call.call, seat=seat)) for seat in sorted(was - now))]


def _seats(talk: Talk) -> set[str]:
    """Seats of ours that are in the talk."""
    return {leg.seat for leg in talk.legs if leg.place in _IN and leg.seat and not leg.outside}


def _to_queue(call: CallState, actions: list[Action], house: House) -> Decision:
    """First of those who wait: the place that the call had when it came."""
    again = _queued(call, house)
    return Decision((again,), (Hold(), *actions, Tell(Finish(call=call.call)), Tell(join(call, again))))


def _queued(call: CallState, house: House) -> Queued:
    new = Queued(call=call.call, at=call.arrived_at, queue=GENERAL, needs=house.general)
    is_errand = call.back is not None and bool(call.back.owed)  # it waited for the seat that took the task alone
    return new if call.queued is None or is_errand else msgspec.structs.replace(call.queued, back="")


def join(call: CallState, queued: Queued) -> Join:
    """The command that puts the call on the floor; said again later it keeps the old place."""
    return Join(
        call=call.call,
        queue=queued.queue,
        needs=queued.needs,
        priority=queued.priority,
        recipe=queued.recipe,
        also=queued.also,
        prefer=queued.prefer,
        prefer_s=queued.prefer_s,
        ring=1 if call.waits_for_call else queued.ring,
        call_back=call.waits_for_call,
        arrived_at=queued.at,
        called_at=call.arrived_at,
        dialled=call.arrived.dialled,
        caller=_caller(call),
        returns=call.queued is not None or call.answered_at is not None,
    )


def _caller(call: CallState) -> str:
    """Whoever is to be called at another number is that number's citizen."""
    back = call.back if call.waits_for_call else None
    return call.arrived.mark if back is None or not back.mark else back.mark


def _over(
    call: CallState,
    happened: orders.Command | orders.News,
    actions: list[Action],
    house: House,
    now: datetime,
) -> Decision | None:
    """The seats have left: the dialplan brings the citizen to his good-bye."""
    if isinstance(happened, orders.Left):
        return None  # he is there already: as after any talk
    ended = TalkEnded(call=call.call, at=now, by=None)
    return Decision((ended,), (*actions, Tell(Finish(call=call.call)), Wake(CLOSE, house.closing)))
