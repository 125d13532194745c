"""A call that waits without a line: when its turn has come, a seat is called, and then the citizen. Pure.

The place in the queue is the floor's. A seat that picks up is at work (its offer stays open) until the citizen has
answered, who then talks with it in a room, as if he had never hung up. While he does not answer he is tried again,
later each time, and in the end it is a task for people. Whoever else hangs up, nothing is lost but that try.
"""

from datetime import datetime, timedelta

from acd import model as floor
from acd.model import AnyFloorFact, LeaveReason, Need, RefuseReason
from acd.records import personal
from calls import promising, ringing, several
from calls.back import Back, BackRules
from calls.events import (
    Action,
    CallOut,
    CitizenUp,
    Decision,
    Event,
    FloorSaid,
    ForgetTracks,
    HangUp,
    House,
    Listened,
    NotRung,
    Ordered,
    Play,
    Tell,
    Woke,
)
from calls.fold import evolve
from calls.legs import Leg, Party, Place, Talk
from calls.model import (
    AnyCallFact,
    CallBackPromised,
    CallEnded,
    CallState,
    CitizenDialled,
    CitizenMissed,
    CitizenReached,
    LineLeft,
    Outcome,
    Phase,
    PickedUp,
    Queued,
    Ringing,
    TalkChanged,
    TrackOpened,
)
from calls.moves import Announce, Invite, Release
from calls.outside import Why
from telephony.model import LegAnswered, LegFailed, LineGone, LineId, OfferEndReason

PROMISED = "call_back_promised"
GREETING = "call_back_greeting"
SEAT_LEFT, CANCELLED = "seat_left", "cancelled"
NOTHING = Decision()
GRACE = timedelta(seconds=15)
"""How much longer than the citizen's telephone rings the floor waits for what came of it."""
_LATER = frozenset({Why.OFF_HOURS.value, Why.LINES_BUSY.value})
_NEVER = frozenset(why.value for why in Why) - _LATER
_REFUSED = {reason.value: reason for reason in RefuseReason}


def decide(call: CallState, event: Event, house: House, now: datetime) -> Decision | None:
    """What follows while there is no line; `None`: it is a call like any other."""
    if isinstance(event, CallOut) and call.phase is Phase.ARRIVED:
        return _errand(call, event, now)
    if not call.waits_for_call:
        return None
    match event:
        case FloorSaid(facts):
            return _floor_said(call, facts, house, now)
        case LegAnswered(leg=leg) if leg == call.seat_leg:
            return _seat_came(call, house, now)
        case CitizenUp(leg, booted) if leg == _back(call).leg:
            return _reached(call, leg, booted, house, now)
        case LegAnswered(leg=leg) | CitizenUp(leg=leg):
            return Decision(actions=(Release(leg),))  # it was taken back a moment before
        case LegFailed(leg=leg, reason=reason):
            return _failed(call, leg, reason.value, house, now)
        case NotRung(leg, why):
            return _failed(call, leg, why, house, now)
        case LineGone(line=line):
            return _line_gone(call, line, now)
        case Listened() | Woke() if call.line:
            return Decision(actions=(HangUp(call.line),))
        case Ordered():
            return _over(call, Outcome.NOT_REACHED, (), now)
        case _:
            return NOTHING


def promised(call: CallState, facts: tuple[AnyFloorFact, ...], folder: str, house: House, now: datetime) -> Decision:
    """The floor keeps the place. What it said before in the same word concerns the line, what comes after does not."""
    at = next(n for n, fact in enumerate(facts) if isinstance(fact, floor.CallBackPromised))
    before = ringing.floor_said(call, facts[:at], folder, house, now)
    for fact in before.facts:
        call = evolve(call, fact)
    number = call.asking.number if call.asking is not None else ""
    dials, mark = number or call.arrived.caller, promising.mark(call, house)
    promise = CallBackPromised(call=call.call, at=now, number=dials, mark=mark, tracks=folder)
    call = evolve(call, promise)
    after = _floor_said(call, facts[at + 1 :], house, now)
    forget = ForgetTracks((call.line,))
    return Decision((*before.facts, promise, *after.facts), (Play((PROMISED,)), forget, *after.actions))


def _errand(call: CallState, event: CallOut, now: datetime) -> Decision:
    """Somebody took the task: as a promise that this seat alone keeps."""
    need = (Need(personal(event.seat)),)
    queued = Queued(call=call.call, at=now, queue=several.GENERAL, needs=need)
    promise = CallBackPromised(call=call.call, at=now, number=event.number, owed=event.owed, tracks=event.folder)
    state = evolve(evolve(call, queued), promise)
    return Decision((queued, promise), (Tell(several.join(state, queued)),))


def _back(call: CallState) -> Back:
    return call.back or Back(number="")


# The floor, and the seat's telephone ------------------------------------------------------------------------------


def _floor_said(call: CallState, facts: tuple[AnyFloorFact, ...], house: House, now: datetime) -> Decision:
    told: list[AnyCallFact] = []
    actions: list[Action] = []
    for fact in facts:
        step = _heard_of(call, fact, house, now)
        for one in step.facts:
            call = evolve(call, one)
        told += step.facts
        actions += step.actions
    return Decision(tuple(told), tuple(actions))


def _heard_of(call: CallState, fact: AnyFloorFact, house: House, now: datetime) -> Decision:
    match fact:
        case floor.Offered() if call.phase is Phase.QUEUED and (later := _later(call, house, now)) is not None:
            return Decision(actions=(Tell(floor.PutOffCallBack(call=call.call, not_before=later)),))
        case floor.Offered() if call.phase is Phase.QUEUED:
            rings = Ringing(call=call.call, at=now, offer=fact.offer, seat=fact.seat, phone=fact.phone)
            leg = evolve(call, rings).seat_leg
            return Decision((rings,), (Invite(_room(call), leg, fact.phone, ring=house.ring),))
        case floor.OfferRefused() if fact.offer == call.offer:
            return _seat_missed(call, fact.reason.value, now)
        case floor.OfferWithdrawn() if fact.offer == call.offer:
            return _seat_missed(call, "withdrawn", now)
        case floor.LeftQueue() if fact.reason is LeaveReason.REJOINED:
            return _over(call, Outcome.REJOINED, (), now)
        case _:
            return NOTHING


def _later(call: CallState, house: House, now: datetime) -> datetime | None:
    """When its turn has come at an hour at which nobody is called: the hour at which they are. A seat that took the
    task says itself when."""
    opens = house.back_of(call).not_before(now)
    return opens if opens > now and not _back(call).owed else None


def _room(call: CallState) -> str:
    return f"room_{call.call}"


def _seat_missed(call: CallState, reason: str, now: datetime) -> Decision:
    """The seat did not come, or left before the citizen came: the next one is called. Of a task only this one."""
    ends = _ends(call)
    facts: list[AnyCallFact] = [ringing.missed(call, call.offer, reason, now)]
    if _back(call).leg:
        result = CANCELLED if reason == "withdrawn" else SEAT_LEFT
        facts.insert(0, _missed(call, result, now, counted=False))
    if _back(call).owed:
        return _over(call, Outcome.NOT_REACHED, tuple(facts), now)
    return Decision(tuple(facts), ends)


def _seat_came(call: CallState, house: House, now: datetime) -> Decision:
    """Now the citizen is called; the seat hears music, and the floor waits."""
    rules, back = house.back, _back(call)
    if call.seat_line:
        return NOTHING
    leg = LineId(f"{call.offer}_c")
    picked = PickedUp(call=call.call, at=now, offer=call.offer, seat_line=call.seat_leg)
    dialled = CitizenDialled(call=call.call, at=now, leg=leg, seat=call.seat, owed=back.owed or call.call)
    hung_up = (HangUp(call.line),) if call.line else ()
    wait = floor.ExtendOffer(offer=call.offer, by_s=(rules.ring + GRACE).total_seconds())
    invite = Invite(_room(call), leg, back.number, citizen=True, asked_by=call.seat, ring=rules.ring)
    return Decision((picked, dialled), (*hung_up, Tell(wait), invite))


def _failed(call: CallState, leg: LineId, why: str, house: House, now: datetime) -> Decision:
    """A telephone rang in vain, or could not."""
    if leg and leg == _back(call).leg:
        return _not_reached(call, why, house, now)
    if not leg or leg != call.seat_leg or call.seat_line:
        return NOTHING
    reason = _REFUSED.get(why, RefuseReason.UNREACHABLE)
    step = _seat_missed(call, reason.value, now)
    return Decision(step.facts, (*step.actions, Tell(floor.Refuse(offer=call.offer, reason=reason))))


def _line_gone(call: CallState, line: LineId, now: datetime) -> Decision:
    if line and line == call.line:
        return Decision((LineLeft(call=call.call, at=now),))
    if line and line == call.seat_line:
        step = _seat_missed(call, RefuseReason.REJECTED.value, now)
        refuse = floor.Refuse(offer=call.offer, reason=RefuseReason.REJECTED)
        return Decision(step.facts, (*step.actions, Tell(refuse)))
    return NOTHING


# The citizen's telephone ------------------------------------------------------------------------------------------


def _reached(call: CallState, leg: LineId, booted: str, house: House, now: datetime) -> Decision:
    """What lives is the truth: the two talk, whatever the floor believed of the offer."""
    room, party = _room(call), house.party(call.seat)
    legs = (
        Leg(line=leg, party=Party.CITIZEN, place=Place.TALKING),
        Leg(line=call.seat_line, party=party, place=Place.TALKING, seat=call.seat, phone=call.phone),
    )
    talk = Talk(room=room, legs=legs, in_room=True, owner=call.seat, owner_phone=call.phone)
    greeting = Announce(room, LineId(f"{leg}a"), GREETING)
    facts: tuple[AnyCallFact, ...] = (
        CitizenReached(call=call.call, at=now, leg=leg, booted=booted),
        ringing.talk_started(call, call.offer, call.seat, _back(call).tracks, house, now),
        TalkChanged(call=call.call, at=now, what="called_back", talk=talk),
        TrackOpened(call=call.call, at=now, line=call.seat_line, party=party, agent=call.seat, seen=False),
        TrackOpened(call=call.call, at=now, line=greeting.line, party=Party.ANNOUNCEMENT),
    )
    answer, adopt = floor.Answer(offer=call.offer), floor.Adopt(seat=call.seat, call=call.call)
    return Decision(facts, (Tell(answer), Tell(adopt), greeting))


def _not_reached(call: CallState, why: str, house: House, now: datetime) -> Decision:
    """Again, later each time; what may not be dialled at all, or was tried often enough, is for people."""
    rules, back = house.back_of(call), _back(call)
    counted = why not in _LATER | _NEVER and why != OfferEndReason.CANCELLED.value
    tries = back.tries + counted
    if why in _NEVER or tries >= rules.tries or back.owed:
        missed = _missed(call, why, now, counted=counted, number="" if back.owed else back.number)
        return _over(call, Outcome.NOT_REACHED, (missed,), now)
    again_at = _again(rules, why, tries, now)
    missed = _missed(call, why, now, counted=counted, again_at=again_at)
    put_off = floor.PutOffCallBack(call=call.call, not_before=again_at)
    return Decision((missed,), (*_ends(call), Tell(put_off)))


def _again(rules: BackRules, why: str, tries: int, now: datetime) -> datetime:
    pause = rules.busy if why in _LATER else rules.again * max(1, tries)
    return rules.not_before(now + pause)


def _missed(
    call: CallState, result: str, now: datetime, *, counted: bool, again_at: datetime | None = None, number: str = ""
) -> CitizenMissed:
    owed = _back(call).owed or call.call
    return CitizenMissed(
        call=call.call, at=now, leg=_back(call).leg, result=result, counted=counted, again_at=again_at, owed=owed,
        number=number,
    )  # fmt: skip


def _ends(call: CallState) -> tuple[Action, ...]:
    """Nobody is called any more, and nothing of it was a talk."""
    lines = tuple(line for line in (_back(call).leg, call.seat_leg) if line)
    return (*(Release(line) for line in lines), ForgetTracks(lines)) if lines else ()


def _over(call: CallState, outcome: Outcome, facts: tuple[AnyCallFact, ...], now: datetime) -> Decision:
    phase = Phase.RINGING if call.offer else Phase.QUEUED
    ended = CallEnded(call=call.call, at=now, outcome=outcome, phase=phase, cause=16)
    hung_up = (HangUp(call.line),) if call.line else ()
    leave = floor.Abandon(call=call.call, reason=LeaveReason.GIVEN_UP)
    return Decision((*facts, ended), (*hung_up, *_ends(call), Tell(leave)))
