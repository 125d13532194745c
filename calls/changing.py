"""Changes of a talk's legs, from which the decisions of `parties` are made. Pure; decides nothing itself."""

from collections.abc import Callable

import msgspec

from calls.legs import Callee, Goal, Leg, Party, Place, Talk
from calls.orders import Purpose, Wanted
from telephony.model import LineId

NOBODY = LineId("")


def ring_seat(talk: Talk, party: Party, seat: str, phone: str, goal: Goal, target: LineId = NOBODY) -> Talk:
    """A seat's phone rings."""
    number = talk.called_in + 1
    line = LineId(f"{talk.room}_{number}")
    leg = Leg(line=line, party=party, place=Place.RINGING, seat=seat, phone=phone, goal=goal, target=target)
    return msgspec.structs.replace(talk, legs=(*talk.legs, leg), called_in=number)


def ring_wanted(talk: Talk, wanted: Wanted, goal: Goal) -> Talk:
    """The first of those who are wanted is called."""
    callee = Callee(
        seat=wanted.seat, phone=wanted.phone, party=wanted.party, person=wanted.person, rank=wanted.rank
    )  # fmt: skip
    named = LineId(f"{talk.room}_{talk.called_in + 1}") if wanted.purpose is not Purpose.SEAT else NOBODY
    return ring(
        talk, callee, goal, asked_by=wanted.by, ask=named, then=wanted.then, warm=wanted.purpose is Purpose.EMERGENCY
    )


def ring(
    talk: Talk, callee: Callee, goal: Goal, *, asked_by: str, ask: LineId, then: tuple[Callee, ...], warm: bool = False
) -> Talk:
    """Somebody is called."""
    number = talk.called_in + 1
    leg = Leg(
        line=LineId(f"{talk.room}_{number}"),
        party=callee.party,
        place=Place.RINGING,
        seat=callee.seat or f"x{number}",
        phone=callee.phone,
        goal=goal,
        outside=callee.outside,
        asked_by=asked_by,
        ask=ask,
        person=callee.person,
        rank=callee.rank,
        then=then,
        warm=warm,
    )
    return msgspec.structs.replace(talk, legs=(*talk.legs, leg), called_in=number)


def replaced(talk: Talk, old: Leg, new: Leg) -> Talk:
    """`new` in the place of `old`."""
    return msgspec.structs.replace(talk, legs=tuple(new if leg is old else leg for leg in talk.legs))


def without(talk: Talk, line: LineId) -> Talk:
    """One line less."""
    return msgspec.structs.replace(talk, legs=tuple(leg for leg in talk.legs if leg.line != line))


def without_seat(talk: Talk, seat: str) -> Talk:
    """One seat less, if it is there."""
    leg = talk.of_seat(seat)
    return talk if leg is None else without(talk, leg.line)


def put_citizen(talk: Talk, place: Place) -> Talk:
    """The citizen is there now."""
    return change(talk, lambda leg: leg.party is Party.CITIZEN, place)


def change(talk: Talk, which: Callable[[Leg], bool], place: Place) -> Talk:
    """Those for whom `which` holds are there now; what they were called for is over."""

    def moved(leg: Leg) -> Leg:
        return msgspec.structs.replace(leg, place=place, goal=None, then=()) if which(leg) else leg

    return msgspec.structs.replace(talk, legs=tuple(moved(leg) for leg in talk.legs))
