"""A citizen who insults: what the steps that a seat reports bring about. Pure.

Warned: both hear the warning. Supervisor: it is on the seat for everybody who watches the floor. Ended: the citizen
hears why, and the line ends; the seat is free of it at once. Each step is a line of the ticket's history.
"""

from datetime import datetime

from acd.model import AbuseReported, AbuseStep, Finish
from calls import several
from calls.events import CLOSE, Decision, House, Play, Speak, Tell, Wake
from calls.model import AbuseNoted, CallState, TalkEnded

ENDED = AbuseStep.ENDED.value
"""`CallState.dismissed` of a call that was ended so."""
WARNING, ENDING = "abuse_warning", "abuse_ended"


def follow(call: CallState, reported: AbuseReported, house: House, now: datetime) -> Decision:
    """What comes of a step, while the call talks."""
    noted = AbuseNoted(call=call.call, at=now, seat=reported.seat, step=reported.step, code=reported.code)
    match reported.step:
        case AbuseStep.WARNED:
            return Decision((noted,), (Speak((WARNING,)),))
        case AbuseStep.SUPERVISOR:
            return Decision((noted,))
        case AbuseStep.ENDED:
            said = (Play((ENDING,)), *several.release(call))
            freed = (Tell(Finish(call=call.call)), Wake(CLOSE, house.rating + house.closing))
            return Decision((noted, TalkEnded(call=call.call, at=now)), (*said, *freed))
