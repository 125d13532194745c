"""How each fact changes the floor's memory. Decides nothing: what a fact leads to is written in the fact."""

from collections.abc import Callable

from msgspec.structs import replace

from acd.model import (
    AbuseReported,
    Adopted,
    Answered,
    AnyFloorFact,
    CallBackDue,
    CallBackPromised,
    CallBackPutOff,
    Finished,
    GuestChanged,
    Joined,
    LeftQueue,
    Offered,
    OfferExtended,
    OfferRefused,
    OfferWithdrawn,
    PauseAsked,
    PlaceForgotten,
    Prompted,
    Raised,
    ReachabilityChanged,
    Rerouted,
    RetryAllowed,
    SeatChanged,
    SignedIn,
    SignedOut,
    SignOutAsked,
    StrainChanged,
    TurnedAway,
    Widened,
)
from acd.records import Needs, Offer, Place, Seat, Waiting, canonical
from acd.state import State
from acd.values import Need, SeatState, StepKind


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
        case Raised():
            _raised(state, fact)
        case Prompted():
            _prompted(state, fact)
        case Rerouted():
            _rerouted(state, fact)
        case CallBackPromised():
            _call_back_promised(state, fact)
        case CallBackDue():
            _change_call(state, fact.call, lambda call: replace(call, not_before=None))
        case CallBackPutOff():
            _change_call(state, fact.call, lambda call: replace(call, not_before=fact.not_before))
        case OfferExtended():
            _extended(state, fact)
        case PlaceForgotten():
            state.put_place(fact.caller, None)
        case AbuseReported():
            _change_seat(state, fact.seat, abuse=fact.step)
        case GuestChanged():
            _change_seat(state, fact.seat, guest_of=fact.queues)
        case StrainChanged():
            _change_seat(state, fact.seat, strain=fact.kinds)
        case TurnedAway():
            pass
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
            _change_seat(state, fact.seat, offer="")
            _talks(state, fact.seat, fact.call)
        case LeftQueue():
            _left(state, fact)
        case Finished():
            _change_seat(state, fact.seat, call="")
        case Adopted():
            _talks(state, fact.seat, fact.call)


def _change_seat(state: State, name: str, **changes: object) -> None:
    seat = state.seats.get(name)
    if seat is not None:
        state.put_seat(name, replace(seat, **changes))


def _change_call(state: State, name: str, change: Callable[[Waiting], Waiting]) -> None:
    waiting = state.waiting.get(name)
    if waiting is not None:
        state.put_call(name, change(waiting))


def _talks(state: State, name: str, call: str) -> None:
    seat = state.seats.get(name)
    if seat is not None:
        state.put_seat(name, replace(seat, call=call, unanswered=0, abuse=None, answered=seat.answered + 1))


def _left(state: State, fact: LeftQueue) -> None:
    waiting = state.waiting.get(fact.call)
    if waiting is not None and fact.place_until is not None:
        place = Place(caller=waiting.caller, queue=waiting.queue, effective=waiting.rank[0], until=fact.place_until)
        state.put_place(waiting.caller, place)
    state.put_call(fact.call, None)


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
            guest=fact.guest,
        )
    else:
        changes = {"agent": fact.agent, "phone": fact.phone, "skills": fact.skills, "reachable": fact.reachable}
        guest_of = seat.guest_of if seat.agent == fact.agent else ()
        seat = replace(seat, leaving=False, leaving_reason="", guest=fact.guest, guest_of=guest_of, **changes)
    state.put_seat(fact.seat, seat)


def _seat_changed(state: State, fact: SeatChanged) -> None:
    seat = state.seats.get(fact.seat)
    if seat is None:
        return
    stays = fact.state is seat.state and fact.reason == seat.reason
    ready = fact.state is SeatState.READY
    work_is_over = fact.state in (SeatState.READY, SeatState.PAUSED)
    more_time = fact.state is fact.previous is SeatState.WRAP_UP
    changed = replace(
        seat,
        state=fact.state,
        reason=fact.reason,
        until=fact.until,
        since=seat.since if stays else fact.at,
        idle_since=fact.at if ready and fact.previous is not SeatState.OFFERED else seat.idle_since,
        pause_asked="" if work_is_over else seat.pause_asked,
        extended=seat.extended + 1 if more_time else 0,
        unanswered=0 if ready and fact.previous is SeatState.PAUSED else seat.unanswered,
    )
    state.put_seat(fact.seat, changed)


def _joined(state: State, fact: Joined) -> None:
    waiting = Waiting(
        call=fact.call,
        queue=fact.queue,
        options=_different(fact.needs, *fact.also),
        priority=fact.priority,
        arrived_at=fact.arrived_at,
        number=state.joined,
        recipe=fact.recipe,
        refused=dict.fromkeys(fact.exclude, fact.retry_at or fact.at),
        ring=fact.ring,
        caller=fact.caller,
        call_back=fact.call_back,
        not_before=fact.not_before,
    )
    state.joined += 1
    if fact.caller:
        state.put_place(fact.caller, None)
    state.put_call(fact.call, waiting)


def _different(*demands: tuple[Need, ...]) -> tuple[Needs, ...]:
    """Each demand once, in the order in which they were given."""
    return tuple(dict.fromkeys(map(canonical, demands)))


def _widened(state: State, fact: Widened) -> None:
    waiting = state.waiting.get(fact.call)
    if waiting is None:
        return
    left = waiting.recipe[: fact.step] + waiting.recipe[fact.step + 1 :]
    state.put_call(fact.call, replace(waiting, options=_different(*waiting.options, fact.needs), recipe=left))


def _prompted(state: State, fact: Prompted) -> None:
    sent = fact.kind is StepKind.OVERFLOW
    _change_call(state, fact.call, lambda call: replace(call, recipe=call.recipe[1:], sent_on=call.sent_on or sent))


def _raised(state: State, fact: Raised) -> None:
    waiting = state.waiting.get(fact.call)
    if waiting is not None:
        raised = replace(waiting, priority=waiting.priority + fact.by_s, recipe=waiting.recipe[1:])
        state.put_call(fact.call, raised)


def _rerouted(state: State, fact: Rerouted) -> None:
    waiting = state.waiting.get(fact.call)
    if waiting is None:
        return
    rerouted = replace(waiting, queue=fact.queue, priority=fact.priority)
    if fact.needs is not None:
        rerouted = replace(rerouted, options=_different(fact.needs), recipe=())
    state.put_call(fact.call, rerouted)


def _call_back_promised(state: State, fact: CallBackPromised) -> None:
    """What would be said to the caller, and other centres, are for callers on the line."""
    waiting = state.waiting.get(fact.call)
    if waiting is not None:
        recipe = tuple(step for step in waiting.recipe if step.does in (StepKind.WIDEN, StepKind.RAISE))
        promised = replace(waiting, recipe=recipe, call_back=True, not_before=fact.not_before, ring=1)
        state.put_call(fact.call, replace(promised, caller=fact.caller or waiting.caller))


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
        state.put_call(fact.call, _ringing(waiting, (*waiting.offers, fact.offer)))
    _change_seat(state, fact.seat, offer=fact.offer)


def _extended(state: State, fact: OfferExtended) -> None:
    offer = state.offers.get(fact.offer)
    if offer is not None:
        state.put_offer(fact.offer, replace(offer, expires_at=fact.ends_at, ends_at=fact.ends_at))


def _refused(state: State, fact: OfferRefused) -> None:
    _end_offer(state, fact.offer, fact.call)
    waiting = state.waiting.get(fact.call)
    if waiting is not None and fact.retry_at is not None:
        state.put_call(fact.call, replace(waiting, refused={**waiting.refused, fact.seat: fact.retry_at}))
    seat = state.seats.get(fact.seat)
    if seat is not None:
        state.put_seat(fact.seat, replace(seat, offer="", idle_since=fact.at, unanswered=seat.unanswered + 1))


def _ringing(waiting: Waiting, offers: tuple[str, ...]) -> Waiting:
    return replace(waiting, offer=offers[0] if offers else "", others=offers[1:])


def _end_offer(state: State, offer: str, call: str) -> None:
    state.put_offer(offer, None)
    waiting = state.waiting.get(call)
    if waiting is not None and offer in waiting.offers:
        state.put_call(call, _ringing(waiting, tuple(other for other in waiting.offers if other != offer)))
