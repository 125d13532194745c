"""One turn of the floor: a command is taken, the facts it leads to are played on the floor's memory one by one,
and at the end whoever became free is matched.

Runs inside a trial of `State`, so nothing of it stays but the facts. Two files share a turn: this one holds what
a call and a seat can go through, `commands.py` says which command leads to what.
"""

from collections.abc import Callable
from datetime import datetime

from acd.evolve import evolve
from acd.model import (
    AnyFloorFact,
    Finished,
    LeaveReason,
    LeftQueue,
    Offered,
    OfferRefused,
    OfferWithdrawn,
    RefuseReason,
    Rules,
    SeatChanged,
    SeatState,
    SignedOut,
    Widened,
)
from acd.records import Offer, Seat, Waiting
from acd.state import State


class Turn:
    """Collects facts; knows which seats and calls became free and must be matched."""

    def __init__(self, state: State, rules: Rules, now: datetime, new_id: Callable[[str], str]) -> None:
        self.state = state
        self.rules = rules
        self.now = now
        self.facts: list[AnyFloorFact] = []
        self._new_id = new_id
        self._free_calls: set[str] = set()
        self._free_seats: set[str] = set()

    def emit(self, fact: AnyFloorFact) -> None:
        evolve(self.state, fact)
        self.facts.append(fact)

    # --- what a seat goes through ----------------------------------------------------------------------------------

    def change(self, name: str, state: SeatState, reason: str = "", until: datetime | None = None) -> None:
        """The seat goes to `state`; a seat that becomes ready is matched at the end of the turn."""
        previous = self.state.seats[name].state
        self.emit(SeatChanged(at=self.now, seat=name, state=state, previous=previous, reason=reason, until=until))
        if state is SeatState.READY:
            self.free_seat(name)

    def free_seat(self, name: str) -> None:
        self._free_seats.add(name)

    def after_work(self, name: str) -> None:
        """Talk and wrap-up are over: pause if that was asked for, else be ready."""
        asked = self.state.seats[name].pause_asked
        if asked:
            self.change(name, SeatState.PAUSED, asked)
        else:
            self.change(name, SeatState.READY)

    def after_talk(self, name: str, call: str) -> None:
        """The seat's part of the talk is over."""
        self.emit(Finished(at=self.now, call=call, seat=name))
        seat = self.state.seats[name]
        if seat.leaving:
            self.close(seat, seat.leaving_reason)
        elif self.rules.wrap_up:
            self.change(name, SeatState.WRAP_UP, until=self.now + self.rules.wrap_up)
        else:
            self.after_work(name)

    def close(self, seat: Seat, reason: str) -> None:
        """The seat signs out; calls that nobody else signed in can take go on with their recipes."""
        self.emit(SignedOut(at=self.now, seat=seat.seat, reason=reason))
        self.lost_skills(seat.skills)

    def lost_skills(self, skills: dict[str, int]) -> None:
        """A seat with `skills` is no longer there: look again at calls that only it could take."""
        for needs, line in self.state.waiting.lines_for(skills):
            if not self.state.seats.anyone_signed_in(needs):
                self._free_calls.update(rank[2] for rank in line if self.state.waiting[rank[2]].recipe)

    # --- what a call goes through ----------------------------------------------------------------------------------

    def free_call(self, call: str) -> None:
        self._free_calls.add(call)

    def leave_queue(self, waiting: Waiting, reason: LeaveReason) -> float:
        """The call waits no longer. Returns how many seconds it did."""
        waited_s = max(0.0, (self.now - waiting.arrived_at).total_seconds())
        self.emit(LeftQueue(at=self.now, call=waiting.call, reason=reason, waited_s=waited_s))
        return waited_s

    # --- what an offer goes through --------------------------------------------------------------------------------

    def withdraw(self, offer: Offer) -> None:
        """Stop the ringing; nobody is to blame, the call looks for another seat. The seat's next state is not
        decided here."""
        self.emit(OfferWithdrawn(at=self.now, offer=offer.offer, call=offer.call, seat=offer.seat))
        self.free_call(offer.call)

    def refuse(self, offer: Offer, reason: RefuseReason) -> None:
        """The seat did not take it: the call goes on to others, the seat is paused when that happened too often."""
        self.emit(
            OfferRefused(
                at=self.now,
                offer=offer.offer,
                call=offer.call,
                seat=offer.seat,
                reason=reason,
                retry_at=self.now + self.rules.retry_after,
            )
        )
        self.free_call(offer.call)
        if self.state.seats[offer.seat].unanswered >= self.rules.unanswered_limit:
            self.change(offer.seat, SeatState.PAUSED, reason.value)
        else:
            self.change(offer.seat, SeatState.READY)

    def _offer(self, waiting: Waiting, name: str) -> None:
        expires_at = self.now + self.rules.ring
        self.emit(
            Offered(
                at=self.now,
                offer=self._new_id("offer"),
                call=waiting.call,
                seat=name,
                phone=self.state.seats[name].phone,
                expires_at=expires_at,
                ends_at=expires_at + self.rules.grace,
            )
        )
        self.change(name, SeatState.OFFERED, until=expires_at)

    # --- matching --------------------------------------------------------------------------------------------------

    def match(self) -> None:
        """Bring together whom this turn set free.

        Before the turn no idle seat could take any waiting call. So a free call looks only among seats that were
        idle before, in order of rank; then each seat that became free, longest idle first, takes the first call
        it can. Each seat thereby gets the first call that it can take, and nobody who fits is left apart.
        """
        for waiting in self._waiting_free_calls():
            self._skip_steps_for_nobody(waiting.call)
        for waiting in self._waiting_free_calls():
            name = self.state.seats.first_idle(waiting.options, self._was_idle(waiting))
            if name is not None:
                self._offer(waiting, name)
        for seat in self._idle_free_seats():
            found = self.state.waiting.next_for(seat)
            if found is not None:
                self._offer(found, seat.seat)

    def _was_idle(self, waiting: Waiting) -> Callable[[str], bool]:
        return lambda name: name not in self._free_seats and name not in waiting.refused

    def _waiting_free_calls(self) -> list[Waiting]:
        found = (self.state.waiting.get(call) for call in self._free_calls)
        return sorted((waiting for waiting in found if waiting and not waiting.offer), key=lambda each: each.rank)

    def _idle_free_seats(self) -> list[Seat]:
        found = (self.state.seats.get(name) for name in self._free_seats)
        return sorted((seat for seat in found if seat and seat.idle), key=lambda seat: seat.turn)

    def _skip_steps_for_nobody(self, call: str) -> None:
        while (waiting := self.state.waiting[call]).recipe:
            if any(self.state.seats.anyone_signed_in(needs) for needs in waiting.options):
                return
            self.emit(Widened(at=self.now, call=call, needs=waiting.recipe[0].needs, nobody=True))
