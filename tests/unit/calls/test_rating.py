"""How it was: two questions after the talk, and everything that a citizen may do instead of answering."""

from datetime import timedelta

import msgspec
import pytest

from acd.plans import QueuePlan
from calls import fold, rating, rows, script
from calls.events import CLOSE, Collect, Decision, Event, HangUp, House, Listened, Play, Wake
from calls.model import CallState, Outcome, Phase, Rated, RatedAspect, Rating, RatingAsked
from ivr.prompt_script import load_script
from telephony.model import Collected, Heard, LineGone, ReturnedLine
from tests.unit.calls import phases
from tests.unit.calls.phases import ARRIVED, CITIZEN, FIRST, NOW, call_in, dated, queued

pytestmark = pytest.mark.unit


class Asking:
    remembers = False

    def of(self, queue: str) -> QueuePlan:
        return QueuePlan(rating=queue in ("general", ""))


HOUSE: House = msgspec.structs.replace(phases.HOUSE, plans=Asking())
RETURNED = ReturnedLine(at=ARRIVED, line=CITIZEN, place="after")
SERVICE = Collect(("rate_service",), 1, HOUSE.rating)
RESULT = Collect(("rate_result",), 1, HOUSE.rating)
TIME = Wake(CLOSE, timedelta(seconds=12))


class Talked:
    """A call whose seat has hung up."""

    def __init__(self, queue: str = "general") -> None:
        self.call: CallState = call_in(Phase.TALKING, queued=queued(queue=queue))
        self.row = rows.arrived(FIRST)

    def tell(self, event: Event) -> Decision:
        decision = dated(self.call, event, script.decide(self.call, None, event, HOUSE, NOW))
        for fact in decision.facts:
            self.call, self.row = fold.evolve(self.call, fact), rows.fold(self.row, fact)
        return decision

    def press(self, keys: str) -> Decision:
        return self.tell(Listened(Collected(Heard.KEYS, keys)))


def test_service_and_result_are_asked_and_kept_apart() -> None:
    talked = Talked()
    assert talked.tell(RETURNED).actions[-2:] == (SERVICE, TIME)
    assert talked.press("1").actions == (RESULT, TIME)
    assert talked.press("3").actions == (Play(("rate_thanks", "bye")),)
    assert (talked.row.rated_service, talked.row.rated_result) == ("satisfied", "dissatisfied")
    assert talked.tell(Listened(Collected(Heard.SILENCE))).actions == (HangUp(CITIZEN),)
    talked.tell(LineGone(at=ARRIVED, line=CITIZEN))
    assert talked.row.outcome == Outcome.COMPLETED


@pytest.mark.parametrize(
    "answer",
    [
        Collected(Heard.SILENCE),
        Collected(Heard.KEYS, "9"),
        Collected(Heard.FAILED),
        Collected(Heard.FAILED, "1"),
        Collected(Heard.KEYS, ""),
    ],
)
def test_who_does_not_answer_hears_good_bye_and_is_asked_nothing_more(answer: Collected) -> None:
    talked = Talked()
    talked.tell(RETURNED)
    decision = talked.tell(Listened(answer))
    assert decision.actions == (Play(("bye",)),)
    assert decision.facts == (Rated(call="c1", at=NOW, aspect=RatedAspect.SERVICE),)
    assert talked.row.rated_service == ""


def test_half_an_answer_is_one() -> None:
    talked = Talked()
    talked.tell(RETURNED)
    talked.press("2")
    assert talked.tell(Listened(Collected(Heard.SILENCE))).actions == (Play(("bye",)),)
    assert (talked.row.rated_service, talked.row.rated_result) == (Rating.FAIR, "")


def test_of_keys_in_a_row_the_first_is_the_answer() -> None:
    talked = Talked()
    talked.tell(RETURNED)
    talked.press("12")
    assert talked.row.rated_service == Rating.SATISFIED


def test_a_call_that_was_in_no_queue_is_asked_as_the_house_does() -> None:
    unqueued = msgspec.structs.replace(Talked().call, queued=None)
    question = rating.ask(unqueued, HOUSE, NOW)
    assert question is not None
    assert question.actions == (SERVICE, TIME)


def test_who_hangs_up_instead_has_not_answered() -> None:
    talked = Talked()
    talked.tell(RETURNED)
    assert talked.tell(Listened(Collected(Heard.GONE))) == Decision()
    talked.tell(LineGone(at=ARRIVED, line=CITIZEN))
    assert (talked.row.outcome, talked.row.rated_service) == (Outcome.COMPLETED, "")


def test_a_queue_that_does_not_ask_says_good_bye_at_once() -> None:
    assert Talked("elsewhere").tell(RETURNED).actions[-1] == Play(("bye",))


def test_a_line_that_comes_back_again_is_not_asked_again() -> None:
    talked = Talked()
    talked.tell(RETURNED)
    assert talked.tell(RETURNED).actions == (Play(("bye",)),)
    assert talked.call.asked is RatedAspect.SERVICE


def test_nobody_is_asked_without_a_talk() -> None:
    unanswered = call_in(Phase.CLOSING, answered_at=None, queued=queued())
    assert rating.ask(unanswered, HOUSE, NOW) is None
    with pytest.raises(ValueError, match=r"^Nothing was asked\.$"):
        rating.heard(unanswered, Collected(Heard.SILENCE), HOUSE, NOW)


def test_the_questions_have_words() -> None:
    assert {"rate_service", "rate_result", rating.THANKS} <= load_script().prompts.keys()
    assert RatingAsked(call="c1", at=NOW, aspect=RatedAspect.RESULT).aspect.value == "result"
