"""Which command leads to what. A late or repeated command leads to nothing."""

from acd import call_commands, seat_commands
from acd.model import (
    Abandon,
    Adopt,
    Answer,
    AnyCommand,
    CallBackDue,
    EndWrapUp,
    ExtendOffer,
    ExtendWrapUp,
    Finish,
    Invite,
    Join,
    Pause,
    PlaceForgotten,
    PromiseCallBack,
    PutOffCallBack,
    Reachability,
    Refuse,
    ReportAbuse,
    ReportStrain,
    Reroute,
    Resume,
    RetryAllowed,
    SignIn,
    SignOut,
    Tick,
)
from acd.state import Appointment, Due
from acd.turn import Turn
from acd.values import RefuseReason


def take(turn: Turn, command: AnyCommand) -> None:
    """Play on `turn` what `command` leads to, matching left for the end of the turn."""
    match command:
        case SignIn():
            seat_commands.sign_in(turn, command)
        case Invite():
            seat_commands.invite(turn, command)
        case SignOut():
            seat_commands.sign_out(turn, command)
        case Pause():
            seat_commands.pause(turn, command)
        case Resume():
            seat_commands.resume(turn, command.seat)
        case Reachability():
            seat_commands.reachability(turn, command)
        case Join():
            call_commands.join(turn, command)
        case Abandon():
            call_commands.abandon(turn, command)
        case Answer():
            call_commands.answer(turn, command.offer)
        case Refuse():
            call_commands.refuse(turn, command)
        case Finish():
            call_commands.finish(turn, command)
        case EndWrapUp():
            seat_commands.end_wrap_up(turn, command.seat)
        case Adopt():
            call_commands.adopt(turn, command)
        case Reroute():
            call_commands.reroute(turn, command)
        case PromiseCallBack():
            call_commands.promise_call_back(turn, command)
        case ExtendOffer():
            call_commands.extend_offer(turn, command)
        case PutOffCallBack():
            call_commands.put_off_call_back(turn, command)
        case ExtendWrapUp():
            seat_commands.extend_wrap_up(turn, command)
        case ReportAbuse():
            seat_commands.report_abuse(turn, command)
        case ReportStrain():
            seat_commands.report_strain(turn, command)
        case Tick():
            _tick(turn)


def _tick(turn: Turn) -> None:
    while (first := turn.state.agenda.first()) is not None and first[0] <= turn.now:
        _due(turn, first)


def _due(turn: Turn, appointment: Appointment) -> None:
    _, kind, name = appointment
    match kind:
        case Due.OFFER:
            turn.refuse(turn.state.offers[name], RefuseReason.NO_ANSWER)
        case Due.WRAP_UP:
            turn.after_work(name)
        case Due.RETRY:
            refused = turn.state.waiting[name].refused
            seats = tuple(sorted(seat for seat, until in refused.items() if until <= turn.now))
            turn.emit(RetryAllowed(at=turn.now, call=name, seats=seats))
            turn.free_call(name)
        case Due.STEP:
            turn.step_is_due(turn.state.waiting[name])
        case Due.CALL_BACK:
            turn.emit(CallBackDue(at=turn.now, call=name))
            turn.free_call(name)
        case Due.PLACE:
            turn.emit(PlaceForgotten(at=turn.now, caller=name))
