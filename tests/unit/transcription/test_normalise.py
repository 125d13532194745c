"""Spoken digits become figures, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.normalise import default_rules, digits

pytestmark = pytest.mark.unit

RULES = default_rules()


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("我的电话是幺三九零零幺二三四五六", "我的电话是13900123456"),
        ("幺三九，零零幺二，三四五六。", "13900123456。"),
        ("拨打幺二三四五", "拨打12345"),
        ("工号八零零幺，您好", "工号8001，您好"),
        ("尾号是二两五", "尾号是225"),
        ("四二零五零二一九九零零一零一二三四叉", "42050219900101234X"),
        ("四二零五零二一九九零零一零一二三四x", "42050219900101234X"),
        ("139零零12", "1390012"),
    ],
)
def test_strings_of_digits_are_written_in_figures(spoken: str, written: str) -> None:
    assert digits(spoken, RULES).text == written


@pytest.mark.parametrize(
    "left_alone",
    [
        "一下",
        "一直",
        "三心二意",
        "三千五百元",
        "二十五号楼",
        "两三个月",
        "一三",
        "五月十号",
        "三百二十一",
        "一二三万",
        "十一二三",
        "",
    ],
)
def test_amounts_idioms_and_short_strings_are_left_alone(left_alone: str) -> None:
    assert digits(left_alone, RULES).text == left_alone


def test_what_is_found_in_the_figures_can_be_found_in_the_source() -> None:
    source = "请记幺三九，零零，叉"
    written = digits(source, RULES)
    assert written.text == "请记13900X"
    assert source[slice(*written.in_source(2, 5))] == "幺三九，"
    assert source[slice(*written.in_source(7, 8))] == "叉"


@given(st.text(alphabet="零一两幺九十百，。x叉abc 5", max_size=30))
def test_origins_lead_in_order_from_the_first_character_to_the_last(source: str) -> None:
    written = digits(source, RULES)
    assert len(written.origin) == len(written.text) + 1
    assert list(written.origin) == sorted(set(written.origin))
    assert written.origin[-1] == len(source)
    for place, letter in enumerate(written.text):
        behind = source[slice(*written.in_source(place, place + 1))]
        assert letter == behind or RULES.digits.get(behind[0]) == letter or letter in "5X"
