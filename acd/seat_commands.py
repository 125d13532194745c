"""What seats are asked to do: sign in and out, pause and resume, and phones that come and go."""

from datetime import timedelta

from acd.model import (
    AbuseReported,
    ExtendWrapUp,
    GuestChanged,
    Invite,
    Pause,
    PauseAsked,
    Reachability,
    ReachabilityChanged,
    ReportAbuse,
    ReportStrain,
    SignedIn,
    SignIn,
    SignOut,
    SignOutAsked,
    StrainChanged,
)
from acd.records import Seat
from acd.turn import Turn
from acd.values import AbuseStep, RefuseReason, SeatState

PHONE_TAKEN = "phone_taken"
"""Why a seat was signed out: another seat signed in at its phone."""
NO_REASON = "unstated"
"""The reason of a pause whose command gave none."""


def sign_in(turn: Turn, command: SignIn) -> None:
    """Open a seat, or change the agent, phone and skills of an open one. A phone that talks for another seat is not
    taken over; one that does not is, and its seat signs out."""
    other = turn.state.seats.on_phone(command.phone)
    if other is not None and other.seat != command.seat:
        if other.state is SeatState.TALKING:
            return
        _leave(turn, other, PHONE_TAKEN)
    old = turn.state.seats.get(command.seat)
    if old is not None and _is_repeated(old, command):
        return
    if old is not None and old.offer and old.phone != command.phone:
        turn.withdraw(turn.state.offers[old.offer])
        turn.change(old.seat, SeatState.READY)
    turn.emit(
        SignedIn(
            at=turn.now,
            seat=command.seat,
            agent=command.agent,
            phone=command.phone,
            skills=command.skills,
            reachable=command.reachable,
            guest=command.guest,
        )
    )
    turn.free_seat(command.seat)
    if old is not None:
        turn.lost_skills(old.abilities)


def _is_repeated(seat: Seat, command: SignIn) -> bool:
    then = (seat.agent, seat.phone, seat.skills, seat.reachable, seat.guest, seat.leaving)
    return then == (command.agent, command.phone, command.skills, command.reachable, command.guest, False)


def invite(turn: Turn, command: Invite) -> None:
    """A guest's window began or ended. Who talks goes on talking."""
    old = turn.state.seats.get(command.seat)
    if old is None or old.guest_of == command.queues:
        return
    turn.emit(GuestChanged(at=turn.now, seat=old.seat, queues=command.queues))
    offer = turn.state.offers.get(old.offer)
    if offer is not None and not turn.state.seats[old.seat].can_take(turn.state.waiting[offer.call].options):
        turn.withdraw(offer)
        turn.change(old.seat, SeatState.READY)
    turn.free_seat(old.seat)
    turn.lost_skills(old.abilities)


def sign_out(turn: Turn, command: SignOut) -> None:
    """Close a seat, or ask it to close after its talk."""
    seat = turn.state.seats.get(command.seat)
    if seat is None:
        return
    if seat.state is not SeatState.TALKING:
        _leave(turn, seat, command.reason)
    elif not seat.leaving:
        turn.emit(SignOutAsked(at=turn.now, seat=seat.seat, reason=command.reason))


def _leave(turn: Turn, seat: Seat, reason: str) -> None:
    if seat.offer:
        turn.withdraw(turn.state.offers[seat.offer])
    turn.close(seat, reason)


def pause(turn: Turn, command: Pause) -> None:
    """Pause now, giving back a call that rings, or ask for a pause after talk and wrap-up."""
    seat = turn.state.seats.get(command.seat)
    if seat is None:
        return
    reason = command.reason or NO_REASON
    if seat.state in (SeatState.TALKING, SeatState.WRAP_UP):
        if seat.pause_asked != reason:
            turn.emit(PauseAsked(at=turn.now, seat=seat.seat, reason=reason))
        return
    if seat.state is SeatState.PAUSED and seat.reason == reason:
        return
    if seat.offer:
        turn.withdraw(turn.state.offers[seat.offer])
    turn.change(seat.seat, SeatState.PAUSED, reason)


def resume(turn: Turn, name: str) -> None:
    """Be ready, and forget a pause that was asked for."""
    seat = turn.state.seats.get(name)
    if seat is None:
        return
    if seat.pause_asked:
        turn.emit(PauseAsked(at=turn.now, seat=name, reason=""))
    if seat.state in (SeatState.PAUSED, SeatState.WRAP_UP):
        turn.change(name, SeatState.READY)


def reachability(turn: Turn, command: Reachability) -> None:
    """A phone came or went; a call that rings there goes on to the next seat."""
    seat = turn.state.seats.on_phone(command.phone)
    if seat is None or seat.reachable == command.reachable:
        return
    turn.emit(ReachabilityChanged(at=turn.now, phone=command.phone, reachable=command.reachable))
    if not command.reachable:
        if seat.offer:
            turn.withdraw(turn.state.offers[seat.offer])
            turn.change(seat.seat, SeatState.READY)
    elif seat.state is SeatState.PAUSED and seat.reason == RefuseReason.UNREACHABLE:
        # The floor paused it because its phone was away, and the phone is back: its agent never left.
        turn.change(seat.seat, SeatState.READY)
    else:
        turn.free_seat(seat.seat)


def end_wrap_up(turn: Turn, name: str) -> None:
    """End a wrap-up before its time."""
    seat = turn.state.seats.get(name)
    if seat is not None and seat.state is SeatState.WRAP_UP:
        turn.after_work(name)


def extend_wrap_up(turn: Turn, command: ExtendWrapUp) -> None:
    """More time for the ticket, counted from when the wrap-up would have ended."""
    seat = turn.state.seats.get(command.seat)
    if seat is None or seat.state is not SeatState.WRAP_UP or seat.until is None or command.by_s <= 0:
        return
    if seat.extended < turn.rules.wrap_up_extensions:
        turn.change(seat.seat, SeatState.WRAP_UP, until=seat.until + timedelta(seconds=command.by_s))


_ABUSE = (None, *AbuseStep)


def report_strain(turn: Turn, command: ReportStrain) -> None:
    """An alarm is raised once, and once it is over."""
    seat = turn.state.seats.get(command.seat)
    if seat is not None and seat.strain != command.kinds:
        turn.emit(StrainChanged(at=turn.now, seat=seat.seat, kinds=command.kinds))


def report_abuse(turn: Turn, command: ReportAbuse) -> None:
    """The next step, while the seat talks."""
    seat = turn.state.seats.get(command.seat)
    if seat is None or not seat.call or _ABUSE.index(command.step) != _ABUSE.index(seat.abuse) + 1:
        return
    fact = AbuseReported(at=turn.now, seat=seat.seat, call=seat.call, step=command.step, code=command.code)
    turn.emit(fact)
