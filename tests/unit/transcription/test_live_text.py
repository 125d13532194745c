"""What one voice says becomes lines that may be shown at once, and nothing that must not be shown is in any of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.live.model import Line
from transcription.live.text import LONGEST, TOGETHER, Scribe
from transcription.model import Utterance, Word
from transcription.normalise import default_rules
from transcription.segments import default_punctuation

pytestmark = pytest.mark.unit


def scribe(first: int = 0) -> Scribe:
    return Scribe(default_punctuation(), default_rules(), first)


def said(words: str, at_ms: int = 0) -> Utterance:
    return Utterance(
        tuple(Word(word, at_ms + 200 * n, at_ms + 200 * n + 180, 0.9) for n, word in enumerate(words.split()))
    )


def shown(*changes: list[Line]) -> dict[int, str]:
    """What a reader sees after all of it."""
    return {line.number: line.text for lines in changes for line in lines}


def test_a_line_is_written_for_people_and_stands_where_it_was_said() -> None:
    (line,) = scribe(first=7).add(said("你好 我 要 投诉", at_ms=100), base_ms=2000)
    assert (line.number, line.text, line.start_ms, line.end_ms) == (7, "你好我要投诉。", 2100, 2880)
    assert (line.confidence, line.uncertain) == (0.9, False)


def test_a_number_is_never_shown_not_even_while_it_is_being_told() -> None:
    one = scribe()
    first = one.add(said("我的 电话 是 幺 三 九 零"), 0)
    assert shown(first) == {0: "我的电话是****。"}
    second = one.add(said("零 幺 二 三"), 3000)
    third = one.add(said("四 五 六"), 6000)
    assert shown(first, second, third) == {0: "我的电话是****。", 1: "****。", 2: "***。"}
    assert one.add(said("谢谢"), 9000)[-1].text == "谢谢。"
    assert one.end() == []


def test_digits_that_were_no_secret_are_shown_as_soon_as_that_is_clear() -> None:
    one = scribe()
    first = one.add(said("我 打 的 是 一 二 三 四 五"), 0)
    assert shown(first) == {0: "我打的是*****。"}
    second = one.add(said("谢谢"), 3000)
    assert [line.number for line in second] == [0, 1]
    assert shown(first, second) == {0: "我打的是一二三四五。", 1: "谢谢。"}


def test_digits_at_the_very_end_of_a_talk_are_shown_when_it_is_over() -> None:
    one = scribe()
    first = one.add(said("编号 是 一 二 三 四"), 0)
    assert shown(first, one.end()) == {0: "编号是一二三四。"}


def test_what_is_being_said_is_masked_together_with_what_was_said_before() -> None:
    one = scribe()
    one.add(said("电话 是 幺 三 九 零 零 幺"), 0)
    assert one.saying("二 三 四 五") == "****"
    assert one.saying("二 三 四 五 六 谢谢") == "*****谢谢"
    assert one.saying("") == ""


def test_after_a_gap_nothing_is_read_together_with_what_was_before() -> None:
    one = scribe()
    one.add(said("幺 三 九 零"), 0)
    gap = one.gap(4000, 9000)
    assert (gap.number, gap.text, gap.start_ms, gap.end_ms) == (1, "", 4000, 9000)
    assert one.add(said("你好"), 9000)[-1].number == 2


def test_a_line_is_never_endless() -> None:
    (line,) = scribe().add(said("你好 " * LONGEST), 0)
    assert len(line.text) == LONGEST


DIGITS = st.sampled_from(list("零幺二三四五六七八九"))


@given(number=st.lists(DIGITS, min_size=9, max_size=9), cuts=st.sets(st.integers(1, 10), max_size=4))
def test_however_a_mobile_number_is_broken_up_no_digit_of_four_in_a_row_is_ever_shown(
    number: list[str], cuts: set[int]
) -> None:
    """It is told in up to five breaths; whatever a reader saw at any moment holds less than its first three digits."""
    spoken = ["幺", "三", *number]
    bounds = [0, *sorted(cuts), len(spoken)]
    one = scribe()
    for place, (start, end) in enumerate(pairwise(bounds)):
        for line in one.add(said(" ".join(spoken[start:end])), 3000 * place):
            assert not any("".join(spoken[at : at + 3]) in line.text for at in range(len(spoken) - 2)), line.text
    assert len(bounds) <= TOGETHER
