"""After the seat has hung up the citizen is asked two things, each answered by a key: how the service was, and whether
the matter is settled. Pure. Whoever says nothing, or hangs up, has not answered; that is fine.
"""

from datetime import datetime

from calls.events import CLOSE, Collect, Decision, House, Play, Wake
from calls.model import CallState, Rated, RatedAspect, Rating, RatingAsked
from telephony.model import Collected, Heard

KEYS = {"1": Rating.SATISFIED, "2": Rating.FAIR, "3": Rating.DISSATISFIED}
_QUESTIONS = {RatedAspect.SERVICE: "rate_service", RatedAspect.RESULT: "rate_result"}
_NEXT = {RatedAspect.SERVICE: RatedAspect.RESULT}
THANKS = "rate_thanks"


def ask(call: CallState, house: House, now: datetime) -> Decision | None:
    """The first question; nothing where the queue does not ask, no seat of ours has talked, or it was asked already."""
    queue = call.queued.queue if call.queued is not None else ""
    if not house.plan(queue).rating or call.answered_at is None or call.asked is not None:
        return None
    if call.onwards and not call.agent:
        return None
    return _question(call, RatedAspect.SERVICE, house, now)


def heard(call: CallState, collected: Collected, house: House, now: datetime) -> Decision:
    """The answer to the question that was asked, and what comes next: the other one, or good-bye."""
    if call.asked is None:
        raise ValueError("Nothing was asked.")
    rating = KEYS.get(collected.keys[:1]) if collected.heard is Heard.KEYS else None
    if rating is None:
        return Decision((Rated(call=call.call, at=now, aspect=call.asked),), (Play((house.bye,)),))
    rated = Rated(call=call.call, at=now, aspect=call.asked, rating=rating)
    following = _NEXT.get(call.asked)
    if following is None:
        return Decision((rated,), (Play((THANKS, house.bye)),))
    question = _question(call, following, house, now)
    return Decision((rated, *question.facts), question.actions)


def _question(call: CallState, aspect: RatedAspect, house: House, now: datetime) -> Decision:
    asked = RatingAsked(call=call.call, at=now, aspect=aspect)
    return Decision(
        (asked,), (Collect((_QUESTIONS[aspect],), 1, house.rating), Wake(CLOSE, house.rating + house.closing))
    )
