"""What happens to calls: they join, are answered or refused, leave, end, or are found alive after a restart."""

from acd.model import (
    Abandon,
    Adopt,
    Adopted,
    Answered,
    Finish,
    Finished,
    Join,
    Joined,
    LeaveReason,
    PauseAsked,
    Refuse,
    SeatState,
)
from acd.turn import Turn


def join(turn: Turn, command: Join) -> None:
    """A call begins to wait, unless it does already."""
    if turn.state.waiting.get(command.call) is not None:
        return
    arrived_at = min(command.arrived_at or turn.now, turn.now)
    turn.emit(
        Joined(
            at=turn.now,
            call=command.call,
            queue=command.queue,
            needs=command.needs,
            priority=command.priority,
            arrived_at=arrived_at,
            exclude=command.exclude,
            retry_at=turn.now + turn.rules.retry_after if command.exclude else None,
            recipe=command.recipe,
            called_at=command.called_at,
            dialled=command.dialled,
        )
    )
    turn.free_call(command.call)


def abandon(turn: Turn, command: Abandon) -> None:
    """A call leaves the queue, whatever rings for it."""
    waiting = turn.state.waiting.get(command.call)
    if waiting is None:
        return
    offer = turn.state.offers.get(waiting.offer)
    if offer is not None:
        turn.withdraw(offer)
    turn.leave_queue(waiting, command.reason)
    if offer is not None:
        turn.change(offer.seat, SeatState.READY)


def answer(turn: Turn, name: str) -> None:
    """The offer was taken: the seat talks, the call waits no longer."""
    offer = turn.state.offers.get(name)
    if offer is None:
        return
    waiting = turn.state.waiting[offer.call]
    waited_s = max(0.0, (turn.now - waiting.arrived_at).total_seconds())
    turn.emit(Answered(at=turn.now, offer=name, call=offer.call, seat=offer.seat, waited_s=waited_s))
    turn.leave_queue(waiting, LeaveReason.ANSWERED)
    turn.change(offer.seat, SeatState.TALKING)


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
        abandon(turn, Abandon(call=command.call, reason=LeaveReason.ANSWERED))
    if seat is None or seat.call == command.call:
        return
    if waiting is not None and waiting.offer and waiting.offer == seat.offer:
        answer(turn, waiting.offer)
        return
    if waiting is not None:
        abandon(turn, Abandon(call=command.call, reason=LeaveReason.ANSWERED))
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
