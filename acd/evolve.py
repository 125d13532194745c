"""How each fact changes the floor's memory. Decides nothing: what a fact leads to is written in the fact."""

from msgspec.structs import replace

from acd.model import (
    Adopted,
    Answered,
    AnyFloorFact,
    Finished,
    Joined,
    LeftQueue,
    Offered,
    OfferRefused,
    OfferWithdrawn,
    PauseAsked,
    ReachabilityChanged,
    RetryAllowed,
    SeatChanged,
    SeatState,
    SignedIn,
    SignedOut,
    SignOutAsked,
    Widened,
)
from acd.records import Offer, Seat, Waiting, canonical
from acd.state import State


def evolve(state: State, fact: AnyFloorFact) -> None:
    """Change the records as `fact` says. A fact about what is not there changes nothing."""
    match fact:
        case SignedIn():
            _signed_in(state, fact)
        case SignedOut():
            state.put_seat(fact.seat, None)
        case SeatChanged():
            _seat_changed(state, fact)
        case ReachabilityChanged():
            seat = state.seats.on_phone(fact.phone)
            if seat is not None:
                state.put_seat(seat.seat, replace(seat, reachable=fact.reachable))
        case PauseAsked():
            _change_seat(state, fact.seat, pause_asked=fact.reason)
        case SignOutAsked():
            _change_seat(state, fact.seat, leaving=True, leaving_reason=fact.reason)
        case Joined():
            _joined(state, fact)
        case Widened():
            _widened(state, fact)
        case RetryAllowed():
            _retry_allowed(state, fact)
        case Offered():
            _offered(state, fact)
        case OfferRefused():
            _refused(state, fact)
        case OfferWithdrawn():
            _end_offer(state, fact.offer, fact.call)
            _change_seat(state, fact.seat, offer="")
        case Answered():
            _end_offer(state, fact.offer, fact.call)
            _change_seat(state, fact.seat, offer="", call=fact.call, unanswered=0)
        case LeftQueue():
            state.put_call(fact.call, None)
        case Finished():
            _change_seat(state, fact.seat, call="")
        case Adopted():
            _change_seat(state, fact.seat, call=fact.call, unanswered=0)


def _change_seat(state: State, name: str, **changes: object) -> None:
    seat = state.seats.get(name)
    if seat is not None:
        state.put_seat(name, replace(seat, **changes))


def _signed_in(state: State, fact: SignedIn) -> None:
    seat = state.seats.get(fact.seat)
    if seat is None:
        seat = Seat(
            seat=fact.seat,
            agent=fact.agent,
            phone=fact.phone,
            skills=fact.skills,
            reachable=fact.reachable,
            since=fact.at,
            idle_since=fact.at,
        )
    else:
        changes = {"agent": fact.agent, "phone": fact.phone, "skills": fact.skills, "reachable": fact.reachable}
        seat = replace(seat, leaving=False, leaving_reason="", **changes)
    state.put_seat(fact.seat, seat)


def _seat_changed(state: State, fact: SeatChanged) -> None:
    seat = state.seats.get(fact.seat)
    if seat is None:
        return
    stays = fact.state is seat.state and fact.reason == seat.reason
    ready = fact.state is SeatState.READY
    work_is_over = fact.state in (SeatState.READY, SeatState.PAUSED)
    changed = replace(
        seat,
        state=fact.state,
        reason=fact.reason,
        until=fact.until,
        since=seat.since if stays else fact.at,
        idle_since=fact.at if ready and fact.previous is not SeatState.OFFERED else seat.idle_since,
        pause_asked="" if work_is_over else seat.pause_asked,
        unanswered=0 if ready and fact.previous is SeatState.PAUSED else seat.unanswered,
    )
    state.put_seat(fact.seat, changed)


def _joined(state: State, fact: Joined) -> None:
    waiting = Waiting(
        call=fact.call,
        queue=fact.queue,
        options=(canonical(fact.needs),),
        priority=fact.priority,
        arrived_at=fact.arrived_at,
        number=state.joined,
        recipe=fact.recipe,
        refused=dict.fromkeys(fact.exclude, fact.retry_at or fact.at),
    )
    state.joined += 1
    state.put_call(fact.call, waiting)


def _widened(state: State, fact: Widened) -> None:
    waiting = state.waiting.get(fact.call)
    if waiting is None:
        return
    needs = canonical(fact.needs)
    options = waiting.options if needs in waiting.options else (*waiting.options, needs)
    state.put_call(fact.call, replace(waiting, options=options, recipe=waiting.recipe[1:]))


def _retry_allowed(state: State, fact: RetryAllowed) -> None:
    waiting = state.waiting.get(fact.call)
    if waiting is not None:
        left = {seat: until for seat, until in waiting.refused.items() if seat not in fact.seats}
        state.put_call(fact.call, replace(waiting, refused=left))


def _offered(state: State, fact: Offered) -> None:
    offer = Offer(
        offer=fact.offer,
        call=fact.call,
        seat=fact.seat,
        phone=fact.phone,
        since=fact.at,
        expires_at=fact.expires_at,
        ends_at=fact.ends_at or fact.expires_at,
    )
    state.put_offer(fact.offer, offer)
    waiting = state.waiting.get(fact.call)
    if waiting is not None:
        state.put_call(fact.call, replace(waiting, offer=fact.offer))
    _change_seat(state, fact.seat, offer=fact.offer)


def _refused(state: State, fact: OfferRefused) -> None:
    _end_offer(state, fact.offer, fact.call)
    waiting = state.waiting.get(fact.call)
    if waiting is not None and fact.retry_at is not None:
        state.put_call(fact.call, replace(waiting, refused={**waiting.refused, fact.seat: fact.retry_at}))
    seat = state.seats.get(fact.seat)
    if seat is not None:
        state.put_seat(fact.seat, replace(seat, offer="", idle_since=fact.at, unanswered=seat.unanswered + 1))


def _end_offer(state: State, offer: str, call: str) -> None:
    state.put_offer(offer, None)
    waiting = state.waiting.get(call)
    if waiting is not None and waiting.offer == offer:
        state.put_call(call, replace(waiting, offer=""))
