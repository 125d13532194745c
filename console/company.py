"""The talk that a seat is in or called to, as its desk shows it: who is where, and what the seat may do now.

What may be done is asked of the decision itself (`calls.parties`), so that a desk never offers what would be refused.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import msgspec
from pydantic import BaseModel

from agents.http import SeatView
from calls import orders, parties, several
from calls.events import House
from calls.legs import Goal, Leg, Party, Place, Talk, situation
from calls.mailbox import Mailbox

OUTSIDE = (Place.LISTENING, Place.WHISPERING)
NOBODY = " "
"""A seat that nobody has: asks whether anybody at all could be called in."""


class Deed(StrEnum):
    """What a party may do with the talk; named like the routes below `/api/v1/calls/{call}`."""

    CONSULT = "consult"
    TRANSFER = "transfer"
    MERGE = "merge"
    SWAP = "swap"
    RETRIEVE = "retrieve"
    CANCEL = "cancel"
    LEAVE = "leave"


_ASKED: Mapping[Deed, Callable[[str], orders.Command]] = {
    Deed.CONSULT: lambda by: orders.Consult(by=by, seat=NOBODY, phone=""),
    Deed.TRANSFER: lambda by: orders.Transfer(by=by, seat=NOBODY, phone=""),
    Deed.MERGE: lambda by: orders.Merge(by=by),
    Deed.SWAP: lambda by: orders.Swap(by=by),
    Deed.RETRIEVE: lambda by: orders.Retrieve(by=by),
    Deed.CANCEL: lambda by: orders.Cancel(by=by),
    Deed.LEAVE: lambda by: orders.Leave(by=by),
}


class PartyShown(BaseModel):
    """One party of the talk. `seat` and `name` are empty for the citizen."""

    party: Party
    seat: str
    """Of somebody outside: a name in this talk alone, `x1`."""
    name: str
    number: str
    """Of somebody outside, as people know it."""
    units: list[str]
    place: Place
    may_drop: bool
    may_hold: bool


class TalkShown(BaseModel):
    """The talk of one's own seat. Who only listens is not in it."""

    call: str
    situation: str
    owner: str
    """The seat that answers for the call."""
    goal: Goal | None
    """What one's own phone rings for; nothing while it does not."""
    asked_by: str
    """The seat that had one's own phone called."""
    parties: list[PartyShown]
    may: list[Deed]


class Found(msgspec.Struct, frozen=True):
    """A talk and the call that it belongs to."""

    call: str
    talk: Talk


def talk_of_seat(boxes: Iterable[Mailbox], seat: str, house: House) -> Found | None:
    """The talk that a seat is in; else the one that its phone rings for."""
    rung: Found | None = None
    for box in boxes:
        if box.call.seat != seat and (box.call.talk is None or box.call.talk.of_seat(seat) is None):
            continue
        talk = several.talk_of(box.call, house)
        mine = None if talk is None else talk.of_seat(seat)
        if talk is None or mine is None:
            continue
        if mine.place is not Place.RINGING:
            return Found(box.call.call, talk)
        rung = Found(box.call.call, talk)
    return rung


def shown(found: Found, seat: str, seats: Mapping[str, SeatView]) -> TalkShown:
    """The talk as the desk of `seat` shows it."""
    talk, mine = found.talk, found.talk.of_seat(seat)
    seen = [leg for leg in talk.legs if leg is mine or not (leg.place in OUTSIDE or leg.goal is Goal.LISTEN)]
    return TalkShown(
        call=found.call,
        situation=situation(talk).value,
        owner=talk.owner,
        goal=mine.goal if mine is not None and mine.place is Place.RINGING else None,
        asked_by=mine.asked_by if mine is not None else "",
        parties=[_party(talk, leg, seat, seats.get(leg.seat)) for leg in seen],
        may=[deed for deed, command in _ASKED.items() if not parties.why_not(talk, command(seat))],
    )


def _party(talk: Talk, leg: Leg, by: str, who: SeatView | None) -> PartyShown:
    def may(command: orders.Command) -> bool:
        return not parties.why_not(talk, command)

    return PartyShown(
        party=leg.party,
        seat=leg.seat,
        name=who.name if who else leg.person,
        number=leg.phone if leg.outside else "",
        units=who.units if who else [],
        place=leg.place,
        may_drop=may(orders.Drop(by=by, line=leg.line)),
        may_hold=may(orders.Park(by=by, line=leg.line)),
    )
