"""A citizen who insults: the warning, the supervisor, the end."""

import msgspec
import pytest

from acd.model import AbuseReported, AbuseStep, Finish
from calls import fold, moves
from calls.events import FloorSaid, HangUp, Listened, Play, Speak, Tell, Wake
from calls.legs import Leg, Party, Place, Talk
from calls.model import AbuseNoted, Outcome, Phase, TalkEnded
from ivr.prompt_script import load_script
from telephony.model import Collected, Heard, LineGone, ReturnedLine
from tests.unit.calls.phases import ARRIVED, CITIZEN, NOW, OTHER, SEAT, call_in, decided

pytestmark = pytest.mark.unit


def said(step: AbuseStep, code: str = "") -> FloorSaid:
    return FloorSaid((AbuseReported(at=ARRIVED, seat="8001", call="c1", step=step, code=code),))


def noted(step: AbuseStep, code: str = "") -> AbuseNoted:
    return AbuseNoted(call="c1", at=NOW, seat="8001", step=step, code=code)


def test_a_warning_is_heard_in_the_talk_that_goes_on() -> None:
    decision = decided(call_in(Phase.TALKING), said(AbuseStep.WARNED))
    assert decision.actions == (Speak(("abuse_warning",)),)
    assert decision.facts == (noted(AbuseStep.WARNED),)


def test_the_supervisor_is_told_and_nothing_is_heard() -> None:
    decision = decided(call_in(Phase.TALKING), said(AbuseStep.SUPERVISOR))
    assert (decision.facts, decision.actions) == ((noted(AbuseStep.SUPERVISOR),), ())


def test_an_ended_call_hears_why_and_hangs_up_without_being_asked_how_it_was() -> None:
    decision = decided(call_in(Phase.TALKING), said(AbuseStep.ENDED, "A1"))
    assert decision.facts == (noted(AbuseStep.ENDED, "A1"), TalkEnded(call="c1", at=NOW))
    assert decision.actions[0] == Play(("abuse_ended",))
    assert Tell(Finish(call="c1")) in decision.actions
    assert isinstance(decision.actions[-1], Wake)
    over = call_in(Phase.TALKING)
    for fact in decision.facts:
        over = fold.evolve(over, fact)
    assert over.phase is Phase.CLOSING
    assert decided(over, ReturnedLine(at=ARRIVED, line=CITIZEN, place="after")).actions == ()
    assert decided(over, Listened(Collected(Heard.SILENCE))).actions == (HangUp(CITIZEN),)
    (ended,) = decided(over, LineGone(at=ARRIVED, line=CITIZEN)).facts
    assert ended.outcome is Outcome.COMPLETED  # type: ignore[union-attr]


def test_whoever_else_is_in_the_talk_is_released() -> None:
    legs = (
        Leg(line=CITIZEN, party=Party.CITIZEN, place=Place.TALKING),
        Leg(line=SEAT, party=Party.OPERATOR, place=Place.TALKING, seat="8001"),
        Leg(line=OTHER, party=Party.EXPERT, place=Place.TALKING, seat="9001"),
    )
    several = call_in(Phase.TALKING, talk=Talk(room="room_c1", legs=legs, in_room=True, owner="8001"))
    actions = decided(several, said(AbuseStep.ENDED)).actions
    assert {moves.Release(SEAT), moves.Release(OTHER)} <= set(actions)


def test_nothing_comes_of_it_once_the_talk_is_over() -> None:
    for phase in (Phase.QUEUED, Phase.CLOSING, Phase.ENDED):
        assert decided(call_in(phase), said(AbuseStep.ENDED)).facts == ()


def test_both_sentences_have_words() -> None:
    assert {"abuse_warning", "abuse_ended"} <= load_script().prompts.keys()
    assert msgspec.json.decode(msgspec.json.encode(noted(AbuseStep.ENDED, "A1")), type=AbuseNoted).code == "A1"
