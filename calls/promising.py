"""A citizen who waits is offered to be called back: the questions, and what a key means. Pure.

One key says yes to the number the call came from; another asks for a number to key in, which is read out and
confirmed. Silence, or any other key, means to wait on: nobody is called who did not say so. The words are prompts.
"""

from datetime import datetime

import msgspec

from acd.model import PromiseCallBack, Prompted
from calls.back import Asking, Stage
from calls.events import PROMISE, Action, Collect, Decision, Hold, House, Tell, Wake
from calls.model import CallBackAsked, CallState
from telephony.model import Collected, Heard

OFFER, OFFER_OTHER = "call_back_offer", "call_back_offer_other"
ASK_NUMBER, WRONG_NUMBER = "call_back_number", "call_back_wrong"
READ_OUT, CONFIRM = "call_back_to", "call_back_confirm"
YES, OTHER = "1", "2"
LONGEST_NUMBER = 13
WAIT_ON = Decision(actions=(Hold(),))


class Question(msgspec.Struct, frozen=True):
    """What is asked, and by which prompts."""

    fact: CallBackAsked
    prompts: tuple[str, ...]


def offer(call: CallState, said: Prompted, house: House, now: datetime) -> Question | None:
    """The first question; nothing where nobody can be called back. A number that is withheld, or no subscriber's, is
    not offered: then only another one can be given."""
    if not house.back.possible or not house.back_of(call).ever(now):
        return None
    number = house.back.may_be(call.arrived.caller)
    fact = CallBackAsked(call=call.call, at=now, stage=Stage.OFFER, number=number)
    return Question(fact, (said.prompt or (OFFER if number else OFFER_OTHER),))


def collect(prompts: tuple[str, ...], house: House, keys: int = 1) -> Action:
    """Ask, and wait for keys."""
    return Collect(prompts, keys, house.back.patience)


def heard(call: CallState, collected: Collected, house: House, now: datetime) -> Decision:
    """What the citizen's key means."""
    asking = call.asking
    if asking is None or collected.heard is not Heard.KEYS:
        return WAIT_ON
    if asking.stage is Stage.NUMBER:
        return _number(call, collected.keys, house, now)
    key = collected.keys[:1]
    if key == YES and asking.number:
        return _promise(call, house, now)
    if key == OTHER:
        return _ask(call, Asking(stage=Stage.NUMBER), (ASK_NUMBER,), house, now, LONGEST_NUMBER)
    return WAIT_ON


def _promise(call: CallState, house: House, now: datetime) -> Decision:
    """The floor has the last word: it promises one call-back to one number."""
    not_before = house.back_of(call).not_before(now)
    later = not_before if not_before > now else None
    wish = PromiseCallBack(call=call.call, not_before=later, caller=mark(call, house))
    return Decision(actions=(Tell(wish), Wake(PROMISE, house.back.patience)))


def mark(call: CallState, house: House) -> str:
    """What stands for the number that is to be called; nothing for that of the call."""
    number = call.asking.number if call.asking is not None else ""
    return house.mark(number) if number and number != house.back.may_be(call.arrived.caller) else ""


def _number(call: CallState, keys: str, house: House, now: datetime) -> Decision:
    number = house.back.may_be(keys.rstrip("#"))
    if not number:
        return _ask(call, Asking(stage=Stage.NUMBER), (WRONG_NUMBER,), house, now, LONGEST_NUMBER)
    digits = tuple(f"digit_{digit}" for digit in number)
    return _ask(call, Asking(stage=Stage.CONFIRM, number=number), (READ_OUT, *digits, CONFIRM), house, now)


def _ask(
    call: CallState, asking: Asking, prompts: tuple[str, ...], house: House, now: datetime, keys: int = 1
) -> Decision:
    fact = CallBackAsked(call=call.call, at=now, stage=asking.stage, number=asking.number)
    return Decision((fact,), (collect(prompts, house, keys),))
