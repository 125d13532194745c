"""What happens to calls: they join, are answered or refused, leave, end, or are found alive after a restart."""

from datetime import datetime, timedelta
from math import ceil

from acd.model import (
    Abandon,
    Adopt,
    Adopted,
    Answered,
    CallBackPromised,
    CallBackPutOff,
    ExtendOffer,
    Finish,
    Finished,
    Join,
    Joined,
    OfferExtended,
    PauseAsked,
    PromiseCallBack,
    PutOffCallBack,
    Refuse,
    Reroute,
    Rerouted,
    TurnedAway,
)
from acd.records import canonical, personal
from acd.turn import Turn
from acd.values import LeaveReason, Need, SeatState, Step, StepKind


def join(turn: Turn, command: Join) -> None:
    """A call begins to wait, unless it does already or the queue is full."""
    if turn.state.waiting.get(command.call) is not None or _is_promised(turn, command):
        return
    limit = turn.rules.capacities.get(command.queue, turn.rules.capacity)
    if limit and not (command.call_back or command.returns) and turn.state.waiting.on_the_line(command.queue) >= limit:
        turn.emit(
            TurnedAway(
                at=turn.now,
                call=command.call,
                queue=command.queue,
                limit=limit,
                called_at=command.called_at,
                dialled=command.dialled,
            )
        )
        return
    arrived_at = min(command.arrived_at or turn.now, turn.now)
    kept = _kept_place(turn, command, arrived_at)
    demands, recipe = _preferring(command)
    turn.emit(
        Joined(
            at=turn.now,
            call=command.call,
            queue=command.queue,
            needs=demands[0],
            priority=command.priority if kept is None else kept,
            arrived_at=arrived_at,
            exclude=command.exclude,
            retry_at=turn.now + turn.rules.retry_after if command.exclude else None,
            recipe=recipe,
            called_at=command.called_at,
            dialled=command.dialled,
            also=demands[1:],
            ring=command.ring,
            caller=command.caller,
            call_back=command.call_back,
            not_before=_later(command.not_before, turn.now) if command.call_back else None,
            kept_place=kept is not None,
        )
    )
    turn.free_call(command.call)


def _is_promised(turn: Turn, command: Join) -> bool:
    """One promise to one caller."""
    return command.call_back and turn.state.waiting.call_back_for(command.caller) is not None


def _later(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None


def _preferring(command: Join) -> tuple[tuple[tuple[Need, ...], ...], tuple[Step, ...]]:
    """Demands and recipe, with the agents who are preferred before everybody else."""
    plain = (command.needs, *command.also)
    own = tuple((Need(personal(agent)), *needs) for agent in command.prefer for needs in plain)
    recipe = tuple(step for step in command.recipe if not command.call_back or step.does in _SILENT)
    if not own or command.prefer_s <= 0:
        return (*own, *plain), recipe
    everybody = tuple(Step(after_s=float(command.prefer_s), needs=needs) for needs in plain)
    return own, tuple(sorted((*everybody, *recipe), key=lambda step: step.after_s))


_SILENT = (StepKind.WIDEN, StepKind.RAISE)


def _kept_place(turn: Turn, command: Join, arrived_at: datetime) -> int | None:
    """The head start that gives back the place of a caller who was here before; a promised call-back is over then."""
    place = turn.state.places.get(command.caller)
    promised = turn.state.waiting.call_back_for(command.caller)
    effective: datetime | None = None
    if place is not None and place.queue == command.queue and place.until >= turn.now:
        effective = place.effective
    elif promised is not None and promised.queue == command.queue:
        effective = promised.rank[0]
        leave(turn, promised.call, LeaveReason.REJOINED)
    if effective is None:
        return None
    return max(command.priority, ceil((arrived_at - effective).total_seconds()))


def reroute(turn: Turn, command: Reroute) -> None:
    """A waiting call is looked at anew; one that rings is left alone."""
    waiting = turn.state.waiting.get(command.call)
    if waiting is None or waiting.offer:
        return
    queue = waiting.queue if command.queue is None else command.queue
    priority = waiting.priority if command.priority is None else command.priority
    same_needs = command.needs is None or (waiting.options == (canonical(command.needs),) and not waiting.recipe)
    if same_needs and (queue, priority) == (waiting.queue, waiting.priority):
        return
    needs = None if same_needs else command.needs
    turn.emit(Rerouted(at=turn.now, call=command.call, queue=queue, needs=needs, priority=priority))
    turn.free_call(command.call)


def promise_call_back(turn: Turn, command: PromiseCallBack) -> None:
    """The call keeps its place without a line."""
    waiting = turn.state.waiting.get(command.call)
    if waiting is None or waiting.call_back:
        return
    if turn.state.waiting.call_back_for(command.caller or waiting.caller) is not None:
        return
    seats = turn.stop_ringing(waiting)
    not_before = _later(command.not_before, turn.now)
    turn.emit(CallBackPromised(at=turn.now, call=command.call, not_before=not_before, caller=command.caller))
    for seat in seats:
        turn.change(seat, SeatState.READY)


def extend_offer(turn: Turn, command: ExtendOffer) -> None:
    """The seat picked up a call-back; it is at work until the citizen has answered or not."""
    offer = turn.state.offers.get(command.offer)
    if offer is None or not turn.state.waiting[offer.call].call_back:
        return
    ends_at = turn.now + timedelta(seconds=command.by_s)
    if ends_at == offer.ends_at:
        return
    turn.emit(OfferExtended(at=turn.now, offer=offer.offer, call=offer.call, seat=offer.seat, ends_at=ends_at))
    turn.change(offer.seat, SeatState.OFFERED)


def put_off_call_back(turn: Turn, command: PutOffCallBack) -> None:
    """The seat is free for others; the call-back rests, and has its place when its time has come."""
    waiting = turn.state.waiting.get(command.call)
    not_before = _later(command.not_before, turn.now)
    if waiting is None or not waiting.call_back or not_before is None or not_before == waiting.not_before:
        return
    seats = turn.stop_ringing(waiting)
    turn.emit(CallBackPutOff(at=turn.now, call=command.call, not_before=not_before))
    for seat in seats:
        turn.change(seat, SeatState.READY)


def abandon(turn: Turn, command: Abandon) -> None:
    """A call leaves the queue, whatever rings for it. A citizen who was promised a call-back hangs up and stays."""
    waiting = turn.state.waiting.get(command.call)
    if waiting is not None and not (waiting.call_back and command.reason is LeaveReason.ABANDONED):
        leave(turn, command.call, command.reason, command.to)


def leave(turn: Turn, call: str, reason: LeaveReason, to: str = "") -> None:
    """A waiting call leaves the queue."""
    waiting = turn.state.waiting[call]
    seats = turn.stop_ringing(waiting)
    turn.leave_queue(waiting, reason, to)
    for seat in seats:
        turn.change(seat, SeatState.READY)


def answer(turn: Turn, name: str) -> None:
    """The offer was taken: the seat talks, the call waits no longer."""
    offer = turn.state.offers.get(name)
    if offer is None:
        return
    waiting = turn.state.waiting[offer.call]
    waited_s = max(0.0, (turn.now - waiting.arrived_at).total_seconds())
    others = turn.stop_ringing(waiting, but=name)
    turn.emit(Answered(at=turn.now, offer=name, call=offer.call, seat=offer.seat, waited_s=waited_s))
    turn.leave_queue(waiting, LeaveReason.ANSWERED)
    turn.change(offer.seat, SeatState.TALKING)
    for seat in others:
        turn.change(seat, SeatState.READY)


def refuse(turn: Turn, command: Refuse) -> None:
    """The offer was not taken."""
    offer = turn.state.offers.get(command.offer)
    if offer is not None:
        turn.refuse(offer, command.reason)


def finish(turn: Turn, command: Finish) -> None:
    """The talk is over for one seat, or for all that talk with the call."""
    for name in turn.state.seats.talking_with(command.call):
        if command.seat in ("", name):
            turn.after_talk(name, command.call)


def adopt(turn: Turn, command: Adopt) -> None:
    """A talk was found alive: whatever the floor believed of this seat and this call gives way to it."""
    seat = turn.state.seats.get(command.seat)
    waiting = turn.state.waiting.get(command.call)
    if seat is None and waiting is not None:  # at a phone where nobody is signed in: the call waits no longer
        leave(turn, command.call, LeaveReason.ANSWERED)
    if seat is None or seat.call == command.call:
        return
    if waiting is not None and seat.offer in waiting.offers:
        answer(turn, seat.offer)
        return
    if waiting is not None:
        leave(turn, command.call, LeaveReason.ANSWERED)
        seat = turn.state.seats[command.seat]
    if seat.offer:
        turn.withdraw(turn.state.offers[seat.offer])
    if seat.call:
        turn.emit(Finished(at=turn.now, call=seat.call, seat=seat.seat))
    if seat.state is SeatState.PAUSED:
        turn.emit(PauseAsked(at=turn.now, seat=seat.seat, reason=seat.reason))
    turn.emit(Adopted(at=turn.now, seat=seat.seat, call=command.call))
    if seat.state is not SeatState.TALKING:
        turn.change(seat.seat, SeatState.TALKING)
