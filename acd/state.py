"""The floor's memory: tables of seats, waiting calls and offers, and the agenda of what ends by itself.

Knows neither commands nor facts. Every change goes through `put` methods, so a trial can be taken back by
putting the old records again; the agenda and all indices follow from the records.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from acd.ranked import Ranked
from acd.records import Offer, Place, Seat, Waiting
from acd.seats import Seats
from acd.values import SeatChoice, SeatState
from acd.waiting import WaitingCalls


class Due(StrEnum):
    """What ends by itself."""

    OFFER = "offer"
    WRAP_UP = "wrap_up"
    RETRY = "retry"
    STEP = "widen"  # of a recipe
    CALL_BACK = "call_back"
    PLACE = "place"


Appointment = tuple[datetime, Due, str]
"""When, what, and the id of the offer, seat or call, or the caller."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A floor as a checkpoint keeps it."""

    version: Literal[1] = 1
    joined: int
    seats: list[Seat]
    waiting: list[Waiting]
    offers: list[Offer]
    places: list[Place] = []


class State:
    """Everything that replaying the facts gives."""

    def __init__(self, choice: SeatChoice = SeatChoice.LONGEST_IDLE, *others: SeatChoice) -> None:
        self.seats = Seats(choice, *others)
        self.waiting = WaitingCalls()
        self.offers: dict[str, Offer] = {}
        self.places: dict[str, Place] = {}
        self.agenda: Ranked[Appointment] = Ranked()
        self.joined = 0
        self._undo: list[Callable[[], None]] | None = None

    @contextmanager
    def trial(self) -> Generator[None, None, None]:
        """Changes made inside leave no trace outside."""
        undo: list[Callable[[], None]] = []
        joined, self._undo = self.joined, undo
        try:
            yield
        finally:
            self._undo = None
            for step in reversed(undo):
                step()
            self.joined = joined

    def put_seat(self, seat: str, new: Seat | None) -> None:
        old = self.seats.get(seat)
        if self._undo is not None:
            self._undo.append(lambda: self.put_seat(seat, old))
        self._reschedule(_seat_due(old), _seat_due(new))
        self.seats.put(seat, new)

    def put_call(self, call: str, new: Waiting | None) -> None:
        old = self.waiting.get(call)
        if self._undo is not None:
            self._undo.append(lambda: self.put_call(call, old))
        self._reschedule(_call_due(old), _call_due(new))
        self.waiting.put(call, new)

    def put_offer(self, offer: str, new: Offer | None) -> None:
        old = self.offers.get(offer)
        if self._undo is not None:
            self._undo.append(lambda: self.put_offer(offer, old))
        self._reschedule(_offer_due(old), _offer_due(new))
        if new is None:
            self.offers.pop(offer, None)
        else:
            self.offers[offer] = new

    def put_place(self, caller: str, new: Place | None) -> None:
        old = self.places.get(caller)
        if self._undo is not None:
            self._undo.append(lambda: self.put_place(caller, old))
        self._reschedule(_place_due(old), _place_due(new))
        if new is None:
            self.places.pop(caller, None)
        else:
            self.places[caller] = new

    def _reschedule(self, old: list[Appointment], new: list[Appointment]) -> None:
        if old == new:
            return
        for appointment in old:
            self.agenda.discard(appointment)
        for appointment in new:
            self.agenda.add(appointment)

    def stored(self) -> Stored:
        """Everything, in an order that does not depend on history: equal floors give equal checkpoints."""
        return Stored(
            joined=self.joined,
            seats=sorted(self.seats, key=lambda seat: seat.seat),
            waiting=sorted(self.waiting, key=lambda waiting: waiting.rank),
            offers=sorted(self.offers.values(), key=lambda offer: offer.offer),
            places=sorted(self.places.values(), key=lambda place: place.caller),
        )

    @classmethod
    def of(cls, stored: Stored, choice: SeatChoice = SeatChoice.LONGEST_IDLE, *others: SeatChoice) -> "State":
        state = cls(choice, *others)
        for seat in stored.seats:
            state.put_seat(seat.seat, seat)
        for waiting in stored.waiting:
            state.put_call(waiting.call, waiting)
        for offer in stored.offers:
            state.put_offer(offer.offer, offer)
        for place in stored.places:
            state.put_place(place.caller, place)
        state.joined = stored.joined
        return state


def _seat_due(seat: Seat | None) -> list[Appointment]:
    if seat is None or seat.state is not SeatState.WRAP_UP or seat.until is None:
        return []
    return [(seat.until, Due.WRAP_UP, seat.seat)]


def _offer_due(offer: Offer | None) -> list[Appointment]:
    return [] if offer is None else [(offer.ends_at, Due.OFFER, offer.offer)]


def _place_due(place: Place | None) -> list[Appointment]:
    return [] if place is None else [(place.until, Due.PLACE, place.caller)]


def _call_due(waiting: Waiting | None) -> list[Appointment]:
    """A call that rings needs nothing; what fell due meanwhile is due at once when it waits again."""
    if waiting is None or waiting.offer:
        return []
    if waiting.not_before is not None:
        return [(waiting.not_before, Due.CALL_BACK, waiting.call)]
    due: list[Appointment] = []
    if waiting.refused:
        due.append((min(waiting.refused.values()), Due.RETRY, waiting.call))
    if waiting.recipe:
        due.append((waiting.widens_at, Due.STEP, waiting.call))
    return due
