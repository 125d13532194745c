"""Places and waits, put into words."""

import pytest

from acd.model import Prompted, StepKind
from calls import announcing
from ivr.prompt_script import load_script
from tests.unit.calls.phases import ARRIVED

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1, "一"), (2, "两"), (3, "三"), (10, "十"), (12, "十二"), (20, "二十"), (22, "二十二"), (45, "四十五"),
        (99, "九十九"),
    ],
)  # fmt: skip
def test_a_number_is_said_as_people_do(value: int, said: str) -> None:
    words = load_script().prompts
    assert "".join(words[name].text for name in announcing.number(value)) == said


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0, "您是下一位。"), (1, "您前面还有一位来电人。"), (4, "您前面还有四位来电人。"),
        (5, "您前面还有五位来电人。"), (99, "您前面还有九十九位来电人。"),
        (31, "您前面还有三十一位来电人。"), (100, "您前面还有多位来电人，请耐心等候。"),
    ],
)  # fmt: skip
def test_a_place_is_a_sentence(ahead: int, said: str) -> None:
    words = load_script().prompts
    assert "".join(words[name].text for name in announcing.place(ahead)) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""), (1, "预计等待一分钟。"), (61, "预计等待两分钟。"), (600, "预计等待十分钟。"),
        (660, "预计等待十五分钟。"),
        (3600, "预计等待六十分钟。"), (3661, "预计等待时间较长。"),
    ],
)  # fmt: skip
def test_a_wait_is_said_in_minutes_and_roughly_when_it_is_long(seconds: float | None, said: str) -> None:
    words = load_script().prompts
    assert "".join(words[name].text for name in announcing.wait(seconds)) == said


def test_everything_that_can_be_said_has_words() -> None:
    words = load_script().prompts
    for ahead in range(-1, 120):
        for minutes in range(0, 70, 3):
            place = Prompted(
                at=ARRIVED, call="c", kind=StepKind.POSITION, prompt="", ahead=ahead, estimate_s=minutes * 60.0
            )
            assert set(announcing.prompts(place)) <= words.keys()
    assert {announcing.FULL, announcing.WAITING} <= words.keys()


def test_a_prompt_of_its_own_is_said_alone_and_the_houses_when_none_is_named() -> None:
    crisis = Prompted(at=ARRIVED, call="c", kind=StepKind.PROMPT, prompt="crisis", ahead=3, estimate_s=60)
    assert announcing.prompts(crisis) == ("crisis",)
    comfort = Prompted(at=ARRIVED, call="c", kind=StepKind.PROMPT, prompt="", ahead=3, estimate_s=60)
    assert announcing.prompts(comfort) == ("waiting",)


def test_a_place_may_be_followed_by_a_prompt_of_the_queue() -> None:
    said = Prompted(at=ARRIVED, call="c", kind=StepKind.POSITION, prompt="crisis", ahead=4, estimate_s=60)
    assert announcing.prompts(said) == ("position_5", "wait_about", "number_1", "minutes", "crisis")
