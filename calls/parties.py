"""Three-way as a transaction: a pure decision from a talk and what happened or was asked to the talk after it.

Promises, each a property test: the citizen is never alone in silence (he talks with somebody, hears music while a
phone rings or somebody else is asked for him, or the talk has ended); nobody's hang-up drops the others; every leg
that was called is answered for (it is in the talk, or cancelled, or hung up); exactly one ending.

Every event first changes the legs as it says, then `_settle` puts right what may not be; what to do at the switch is
the difference of the two talks (`moves`). Knows no clock, no Asterisk, no permissions beyond who is in the talk.
"""

import msgspec

from calls.changing import NOBODY, change, put_citizen, replaced, ring, ring_seat, ring_wanted, without, without_seat
from calls.legs import Ending, Goal, Leg, Party, Place, Situation, Talk, situation
from calls.orders import (
    Answered,
    Barge,
    Cancel,
    Command,
    Consult,
    Drop,
    Failed,
    Found,
    Gone,
    Leave,
    Left,
    Listen,
    Merge,
    News,
    Park,
    Purpose,
    Retrieve,
    Step,
    Swap,
    TakeOver,
    TooLong,
    Transfer,
    Wanted,
    Whisper,
)

MOST = 5
"""Parties that may talk, on hold or called in; who listens is not counted."""


def decide(talk: Talk, happened: Command | News) -> Step:
    """The talk after `happened`. News of lines that are no party change nothing."""
    match happened:
        case Answered() | Failed() | Gone() | Left() | TooLong() | Found():
            return _not_ended_by_loss(_settled(talk, _hear(talk, happened)), happened)
        case _:
            refused = why_not(talk, happened)
            return Step(talk=talk, refused=refused) if refused else _settled(talk, _obey(talk, happened))


# ---- commands ------------------------------------------------------------------------------------------------------


def why_not(talk: Talk, command: Command) -> str:
    """Why a command cannot be obeyed now, one sentence; empty when it can."""
    now = situation(talk)
    if isinstance(command, Listen | Barge | TakeOver | Whisper):
        return _why_no_supervision(talk, command, now)
    me = talk.of_seat(command.by)
    if me is None or me.place is not Place.TALKING:
        return "Only somebody who talks in this call may do this."
    if now not in _ALLOWED[type(command)]:
        return f"This is not possible while the call is {now.value}."
    if isinstance(command, Leave) and any(leg.warm for leg in talk.called):
        return "Stay until the emergency line answers, or cancel."
    if isinstance(command, Consult | Transfer):
        return _why_not_call(talk, command)
    if isinstance(command, Drop):
        return _why_no_drop(talk, command)
    if isinstance(command, Park):
        return _why_no_park(talk, command)
    return ""


_WITH_CITIZEN = frozenset({Situation.PAIR, Situation.THREE})
_ASKED = frozenset({Situation.CONSULTING, Situation.SWAPPED})
_ALLOWED: dict[type[Command], frozenset[Situation]] = {
    Consult: _WITH_CITIZEN,
    Merge: _ASKED,
    Swap: _ASKED,
    Retrieve: frozenset({Situation.ASKING, Situation.CONSULTING}),
    Cancel: frozenset({Situation.ASKING, Situation.INVITING, *_ASKED}),
    Leave: frozenset({Situation.ASKING, Situation.INVITING, Situation.THREE, *_ASKED}),
    Drop: frozenset({Situation.INVITING, Situation.THREE, *_ASKED}),
    Park: frozenset({Situation.THREE}),
    Transfer: frozenset({Situation.PAIR}),
}
"""In which situations each command of a party makes sense."""


def _why_not_call(talk: Talk, wanted: Wanted) -> str:
    if len(talk.with_place(Place.TALKING, Place.HELD, Place.RINGING)) + 1 >= MOST:
        return f"There are {MOST} parties already: somebody must leave first."
    if wanted.purpose is Purpose.EMERGENCY and (not isinstance(wanted, Consult) or wanted.private):
        return "An emergency line is called into the talk, so that nobody leaves or waits until it answers."
    if any(leg.outside and wanted.phone == leg.phone and not wanted.seat for leg in talk.legs):
        return "That number is in this call already."
    return "That seat is in this call already." if talk.of_seat(wanted.seat) is not None else ""


def _why_no_drop(talk: Talk, command: Drop) -> str:
    leg = talk.of_line(command.line)
    if leg is None or leg.party is Party.CITIZEN or leg.seat == command.by:
        return "That is none of the others in this call."
    return ""


def _why_no_park(talk: Talk, command: Park) -> str:
    leg = talk.of_line(command.line)
    others = leg is not None and leg.place is Place.TALKING and leg.seat != command.by
    return "" if others else "That is none of the others who talk in this call."


def _why_no_supervision(talk: Talk, command: Listen | Barge | TakeOver | Whisper, now: Situation) -> str:
    me = talk.of_seat(command.by)
    if isinstance(command, Whisper):
        listens = me is not None and me.place in (Place.LISTENING, Place.WHISPERING)
        return "" if listens else "Listen first."
    if now in (Situation.TRANSFERRING, Situation.RECALLING):
        return "Nobody talks in this call just now."
    if isinstance(command, Listen):
        if me is not None:
            return "You are in this call already."
        return "" if _listened_to(talk, command.seat) else "That seat does not talk in this call."
    if me is not None and me.place in (Place.RINGING, Place.HELD):
        return "Your phone rings already." if me.place is Place.RINGING else "You are on hold."
    if me is not None and me.place is Place.TALKING and (isinstance(command, Barge) or talk.owner == command.by):
        return "You are in this call already."
    return "" if me is not None or not _full(talk) else f"There are {MOST} parties already: somebody must leave first."


def _full(talk: Talk) -> bool:
    return len(talk.with_place(Place.TALKING, Place.HELD, Place.RINGING)) + 1 >= MOST


def _listened_to(talk: Talk, seat: str) -> Leg | None:
    wanted = seat or talk.owner
    return next((leg for leg in talk.talking if leg.seat == wanted), None) or (
        None if seat else next(iter(talk.talking), None)
    )


def _obey(talk: Talk, command: Command) -> Talk:
    match command:
        case Consult():
            goal = Goal.CONSULT if command.private else Goal.JOIN
            talk = ring_wanted(talk, command, goal)
            return put_citizen(talk, Place.HELD) if command.private else talk
        case Transfer():
            talk = ring_wanted(talk, command, Goal.TRANSFER)
            return put_citizen(without_seat(talk, command.by), Place.HELD)
        case Merge():
            return change(talk, lambda leg: leg.place is Place.HELD, Place.TALKING)
        case Swap():
            return _swap(talk, command.by)
        case Retrieve():
            return _retrieve(talk, command.by)
        case Cancel():
            return _cancel(talk, command.by)
        case Leave():
            return without_seat(talk, command.by)
        case Drop():
            return without(talk, command.line)
        case Park():
            return change(talk, lambda leg: leg.line == command.line, Place.HELD)
        case Listen() | Whisper() | Barge() | TakeOver():
            return _supervise(talk, command)


def _supervise(talk: Talk, command: Listen | Whisper | Barge | TakeOver) -> Talk:
    me = talk.of_seat(command.by)
    match command:
        case Listen():
            target = _listened_to(talk, command.seat)
            line = NOBODY if target is None else target.line
            return ring_seat(talk, Party.SUPERVISOR, command.by, command.phone, Goal.LISTEN, line)
        case Whisper():
            place = Place.WHISPERING if command.on else Place.LISTENING
            return change(talk, lambda leg: leg is me, place)
        case Barge() if me is None:
            return ring_seat(talk, Party.SUPERVISOR, command.by, command.phone, Goal.JOIN)
        case TakeOver() if me is None:
            return ring_seat(talk, Party.SUPERVISOR, command.by, command.phone, Goal.TAKE_OVER)
        case Barge():
            return change(talk, lambda leg: leg is me, Place.TALKING)
        case TakeOver():
            return _take_place(change(talk, lambda leg: leg is me, Place.TALKING), command.by)


def _swap(talk: Talk, by: str) -> Talk:
    if situation(talk) is Situation.CONSULTING:
        return _retrieve(talk, by)
    back = change(talk, lambda leg: leg.place is Place.HELD, Place.TALKING)
    return put_citizen(back, Place.HELD)


def _retrieve(talk: Talk, by: str) -> Talk:
    waits = change(talk, lambda leg: leg in talk.talking and leg.seat != by, Place.HELD)
    rings = tuple(
        msgspec.structs.replace(leg, goal=Goal.JOIN) if leg.goal is Goal.CONSULT else leg for leg in waits.legs
    )
    return put_citizen(msgspec.structs.replace(waits, legs=rings), Place.TALKING)


def _cancel(talk: Talk, by: str) -> Talk:
    asked = talk.called or tuple(leg for leg in (*talk.held, *talk.talking) if leg.seat != by)
    for leg in asked:
        talk = without(talk, leg.line)
    return put_citizen(talk, Place.TALKING)


# ---- news ----------------------------------------------------------------------------------------------------------


def _hear(talk: Talk, news: News) -> Talk:
    match news:
        case Answered(line=line):
            leg = talk.of_line(line)
            return talk if leg is None or leg.place is not Place.RINGING else _answered(talk, leg)
        case Failed(line=line):
            leg = talk.of_line(line)
            return talk if leg is None or leg.place is not Place.RINGING else _failed(talk, leg)
        case Gone(line=line):
            return without(talk, line)
        case Left():
            return _only_citizen(talk)
        case TooLong():
            return _too_long(talk)
        case Found():
            return _found(talk, news)


def _answered(talk: Talk, leg: Leg) -> Talk:
    place = Place.LISTENING if leg.goal is Goal.LISTEN else Place.TALKING
    after = change(talk, lambda one: one is leg, place)
    if leg.goal in (Goal.TRANSFER, Goal.RECALL):
        return put_citizen(after, Place.TALKING).owned_by(leg)
    return _take_place(after, leg.seat) if leg.goal is Goal.TAKE_OVER else after


def _take_place(talk: Talk, seat: str) -> Talk:
    """`seat` answers for the call from now on; who did so leaves."""
    new = talk.of_seat(seat)
    without = talk if talk.owner == seat else without_seat(talk, talk.owner)
    return without if new is None else without.owned_by(new)


def _failed(talk: Talk, leg: Leg) -> Talk:
    if leg.then:
        return _next(talk, leg)
    alone = not talk.talking and not talk.held and talk.called == (leg,)
    after = without(talk, leg.line)
    if leg.goal is Goal.CONSULT:
        return put_citizen(after, Place.TALKING)
    if not alone or leg.goal is Goal.RECALL or not talk.owner_phone or talk.owner == leg.seat:
        return after
    return ring_seat(after, Party.OPERATOR, talk.owner, talk.owner_phone, Goal.RECALL)


def _next(talk: Talk, leg: Leg) -> Talk:
    """Nobody came: the next one is called for the same, unless he is there already."""
    callee, *later = leg.then
    if callee.seat and talk.of_seat(callee.seat) is not None:
        rest = msgspec.structs.replace(leg, then=tuple(later))
        return _failed(replaced(talk, leg, rest), rest)
    after = without(talk, leg.line)
    return ring(
        after, callee, leg.goal or Goal.JOIN, asked_by=leg.asked_by, ask=leg.ask, then=tuple(later), warm=leg.warm
    )


def _only_citizen(talk: Talk) -> Talk:
    """What we believed of who talked is old; who rings may still answer."""
    for leg in talk.talking:
        talk = without(talk, leg.line)
    return talk


def _too_long(talk: Talk) -> Talk:
    if talk.citizen is None or talk.citizen.place is not Place.HELD:
        for leg in talk.held:
            talk = without(talk, leg.line)
        return talk
    if situation(talk) is Situation.CONSULTING:
        asked = {leg.line for leg in talk.talking if leg.seat != _asker(talk)}
        return put_citizen(change(talk, lambda leg: leg.line in asked, Place.HELD), Place.TALKING)
    for leg in talk.called:
        nobody_else = msgspec.structs.replace(leg, then=())
        talk = _failed(replaced(talk, leg, nobody_else), nobody_else)
    return talk


def _asker(talk: Talk) -> str:
    """Who speaks with the citizen when the asking ends: who answers for the call, else who was there first."""
    return next((leg.seat for leg in talk.talking if leg.seat == talk.owner), talk.talking[0].seat)


def _found(talk: Talk, found: Found) -> Talk:
    for leg in talk.legs:
        rang = leg.place is Place.RINGING
        if rang and leg.line in found.up:
            talk = _answered(talk, leg)
        elif rang and leg.line not in found.ringing:
            talk = _failed(talk, leg)
        elif not rang and leg.line not in found.up:
            talk = without(talk, leg.line)
    return talk


# ---- what may not be -----------------------------------------------------------------------------------------------


def _settled(before: Talk, talk: Talk) -> Step:
    talk = _settle(talk)
    now = situation(talk)
    ended = now in (Situation.OVER, Situation.CITIZEN_LEFT, Situation.TO_QUEUE)
    if not ended:
        return Step(talk=msgspec.structs.replace(talk, in_room=talk.in_room or _needs_room(before, talk)))
    rest = tuple(leg for leg in talk.legs if leg.party is Party.CITIZEN)
    return Step(talk=msgspec.structs.replace(talk, legs=rest), ending=Ending(now.value))


def _not_ended_by_loss(step: Step, happened: News) -> Step:
    """Where the last seat did not hang up but fell silent, the citizen was not done."""
    if step.ending is not Ending.OVER or not (isinstance(happened, Gone) and happened.lost):
        return step
    return msgspec.structs.replace(step, ending=Ending.TO_QUEUE)


def _needs_room(before: Talk, after: Talk) -> bool:
    """Citizen and operator talk well without one, even with a listener; anybody else needs one."""
    two = {leg.line for leg in before.talking}
    new = any(leg.line not in two for leg in after.with_place(Place.TALKING, Place.HELD))
    return new or bool(after.called)


def _settle(talk: Talk) -> Talk:
    """Nobody stays with music alone while there is somebody to talk with."""
    citizen = talk.citizen
    if citizen is None:
        return talk
    talk = _without_idle_ears(talk)
    if not talk.talking and talk.held:
        talk = change(talk, lambda leg: leg.place is Place.HELD, Place.TALKING)
    if not talk.talking:
        return _handed_over(talk) if talk.called else talk
    asks = any(leg.goal is Goal.CONSULT for leg in talk.called)
    if citizen.place is Place.HELD and not asks and len(talk.talking) == 1:
        talk = put_citizen(talk, Place.TALKING)
    if talk.of_seat(talk.owner) is None:
        ours = next((leg for leg in talk.talking if not leg.outside), talk.talking[0])
        talk = talk.owned_by(ours)
    return talk


def _without_idle_ears(talk: Talk) -> Talk:
    """Nobody listens to somebody who has left."""
    lines = {leg.line for leg in talk.legs}
    for leg in talk.legs:
        if leg.target and leg.target not in lines and leg.place is not Place.TALKING:
            talk = without(talk, leg.line)
    return talk


def _handed_over(talk: Talk) -> Talk:
    """Only a ringing phone is left: whoever it was called for, it is to take the citizen now."""
    legs = tuple(
        msgspec.structs.replace(leg, goal=Goal.TRANSFER) if leg in talk.called and leg.goal is not Goal.RECALL else leg
        for leg in talk.legs
    )
    return put_citizen(msgspec.structs.replace(talk, legs=legs), Place.HELD)
