"""One turn of the floor: a command is taken, the facts it leads to are played on the floor's memory one by one,
and at the end whoever became free is matched.

Runs inside a trial of `State`, so nothing of it stays but the facts. Two files share a turn: this one holds what
a call and a seat can go through, `commands.py` says which command leads to what.
"""

from collections.abc import Callable, Container
from datetime import datetime, timedelta

from acd.evolve import evolve
from acd.model import (
    AnyFloorFact,
    Finished,
    LeftQueue,
    Offered,
    OfferRefused,
    OfferWithdrawn,
    Prompted,
    Raised,
    SeatChanged,
    SignedOut,
    Widened,
)
from acd.records import Offer, Seat, Waiting
from acd.state import State
from acd.values import AbuseStep, LeaveReason, RefuseReason, Rules, SeatState, Step, StepKind


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
        self._ring_more: list[str] = []

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
        elif wrap_up := self._wrap_up(seat):
            self.change(name, SeatState.WRAP_UP, until=self.now + wrap_up)
        else:
            self.after_work(name)

    def _wrap_up(self, seat: Seat) -> timedelta:
        was_ended = seat.abuse is AbuseStep.ENDED
        return max(self.rules.wrap_up, self.rules.cool_down) if was_ended else self.rules.wrap_up

    def close(self, seat: Seat, reason: str) -> None:
        """The seat signs out; calls that nobody else signed in can take go on with their recipes."""
        self.emit(SignedOut(at=self.now, seat=seat.seat, reason=reason))
        self.lost_skills(seat.abilities)

    def lost_skills(self, skills: dict[str, int]) -> None:
        """A seat with `skills` is no longer there: look again at calls that only it could take."""
        for needs, line in self.state.waiting.lines_for(skills):
            if not self.state.seats.anyone_signed_in(needs):
                self._free_calls.update(rank[2] for rank in line if self.state.waiting[rank[2]].recipe)

    # --- what a call goes through ----------------------------------------------------------------------------------

    def free_call(self, call: str) -> None:
        self._free_calls.add(call)

    def leave_queue(self, waiting: Waiting, reason: LeaveReason, to: str = "") -> float:
        """The call waits no longer. Returns how many seconds it did. Who hung up may come back to the old place."""
        waited_s = max(0.0, (self.now - waiting.arrived_at).total_seconds())
        keeps_place = reason is LeaveReason.ABANDONED and waiting.caller and self.rules.redial
        place_until = self.now + self.rules.redial if keeps_place else None
        self.emit(
            LeftQueue(at=self.now, call=waiting.call, reason=reason, waited_s=waited_s, to=to, place_until=place_until)
        )
        return waited_s

    def stop_ringing(self, waiting: Waiting, but: str = "") -> list[str]:
        """Withdraw what rings for this call, `but` for one offer. Returns the seats, which must become ready."""
        offers = [self.state.offers[name] for name in waiting.offers if name != but]
        for offer in offers:
            self.withdraw(offer)
        return [offer.seat for offer in offers]

    def step_is_due(self, waiting: Waiting) -> None:
        """The next step of the recipe, at its time."""
        step, call = waiting.recipe[0], waiting.call
        match step.does:
            case StepKind.WIDEN:
                self.emit(Widened(at=self.now, call=call, needs=step.needs))
            case StepKind.RAISE:
                self.emit(Raised(at=self.now, call=call, by_s=step.by_s))
            case StepKind.POSITION | StepKind.CALL_BACK | StepKind.PROMPT | StepKind.OVERFLOW:
                self._speak(waiting, step)
        self.free_call(call)

    def _speak(self, waiting: Waiting, step: Step) -> None:
        ahead = self.state.waiting.ahead_of(waiting.call)
        seats = max(self.state.seats.signed_in_at_most(needs) for needs in waiting.options)
        estimate_s = (ahead + 1) * self.rules.handling.total_seconds() / seats if seats else None
        kind, prompt = step.does, step.prompt
        told = Prompted(
            at=self.now, call=waiting.call, kind=kind, prompt=prompt, ahead=ahead, estimate_s=estimate_s, to=step.to
        )
        self.emit(told)

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
                call_back=waiting.call_back,
            )
        )
        self.change(name, SeatState.OFFERED, until=expires_at)
        if waiting.ring > 1:
            self._ring_more.append(waiting.call)

    # --- matching --------------------------------------------------------------------------------------------------

    def match(self) -> None:
        """Bring together whom this turn set free.

        Before the turn no idle seat could take any waiting call. So a free call looks only among seats that were
        idle before, in order of rank; then each seat that became free takes the first call it can. Each seat thereby
        gets the first call that it can take, and nobody who fits is left apart. Only seats that are left over then,
        with nobody waiting for them, ring for a call that rings elsewhere already.
        """
        for waiting in self._waiting_free_calls():
            self._skip_steps_for_nobody(waiting.call)
        for waiting in self._waiting_free_calls():
            name = self._first_idle(waiting, self._was_idle(waiting))
            if name is not None:
                self._offer(waiting, name)
        self._match_free_seats()
        for call in list(self._ring_more):
            self._ring_several(call)

    def _first_idle(self, waiting: Waiting, accept: Callable[[str], bool]) -> str | None:
        return self.state.seats.first_idle(waiting.options, accept, self.rules.choice_for(waiting.queue))

    def _match_free_seats(self) -> None:
        free = self._idle_free_seats()
        for seat in free:
            while (found := self._next_for(seat.seat)) is not None:
                self._offer(*((found, seat.seat) if len(free) == 1 else self._first_for_both(found, seat.seat)))

    def _first_for_both(self, waiting: Waiting, seat: str) -> tuple[Waiting, str]:
        """A call and a seat that are each other's first choice. From a call to the seat it would have, from that to
        the first call it can take, and so on: calls only become earlier, so this ends."""
        while True:
            seat = self._first_idle(waiting, _but(waiting.refused)) or seat
            found = self._next_for(seat)
            if found is None or found.call == waiting.call:
                return waiting, seat
            waiting = found

    def _next_for(self, name: str) -> Waiting | None:
        seat = self.state.seats[name]
        return self.state.waiting.next_for(seat) if seat.idle else None

    def _ring_several(self, call: str) -> None:
        while len((waiting := self.state.waiting[call]).offers) < waiting.ring:
            name = self._first_idle(waiting, _but(waiting.refused))
            if name is None:
                return
            self._offer(waiting, name)

    def _was_idle(self, waiting: Waiting) -> Callable[[str], bool]:
        return lambda name: name not in self._free_seats and name not in waiting.refused

    def _waiting_free_calls(self) -> list[Waiting]:
        found = (self.state.waiting.get(call) for call in self._free_calls)
        return sorted((waiting for waiting in found if waiting and waiting.waits), key=lambda each: each.rank)

    def _idle_free_seats(self) -> list[Seat]:
        return self.state.seats.in_turn(self._free_seats)

    def _skip_steps_for_nobody(self, call: str) -> None:
        """While nobody signed in meets its needs, widen at once; when no step helps, another centre is called at once;
        further ones, and the same again, in their time."""
        while (waiting := self.state.waiting.get(call)) is not None and waiting.recipe:
            if any(self.state.seats.anyone_signed_in(needs) for needs in waiting.options):
                return
            wider = next((at for at, step in enumerate(waiting.recipe) if step.does is StepKind.WIDEN), None)
            if wider is not None:
                needs = waiting.recipe[wider].needs
                self.emit(Widened(at=self.now, call=call, needs=needs, nobody=True, step=wider))
            elif waiting.recipe[0].does is StepKind.OVERFLOW and not waiting.sent_on:
                self._speak(waiting, waiting.recipe[0])
            else:
                return


def _but(refused: Container[str]) -> Callable[[str], bool]:
    return lambda seat: seat not in refused
