"""What tickets are classed by: the shipped file, a city's own, every mistake of one, and what a ticket may not take."""

from pathlib import Path

import pytest

from hotline.errors import BadInput
from tickets.classification import OWN, Classification, Named, load, mistakes, of_folder, shipped

pytestmark = pytest.mark.unit

GOOD = """
types: [{code: report, zh: 举报, en: Report}]
urgencies: [{code: normal, zh: 平, en: N}, {code: urgent, zh: 急, en: U}, {code: critical, zh: 特, en: C}]
categories: [{code: "01", zh: 甲, en: A}, {code: "0101", zh: 乙, en: B}, {code: "010101", zh: 丙, en: C}]
"""


def test_the_shipped_classification_has_the_kinds_of_the_rules_and_three_levels() -> None:
    known = shipped()
    assert [one.code for one in known.types] == [
        "consultation", "help", "complaint", "report", "suggestion", "praise",
    ]  # fmt: skip
    assert {len(one.code) for one in known.categories} == {2, 4, 6}
    assert list(mistakes(known)) == []


def test_a_citys_own_file_replaces_the_shipped_one_as_a_whole(tmp_path: Path) -> None:
    assert of_folder(tmp_path) is shipped()
    (tmp_path / OWN).write_text(GOOD, "utf-8")
    own = of_folder(tmp_path)
    assert [one.zh for one in own.categories] == ["甲", "乙", "丙"]
    assert own.problems({"request_type": "complaint", "category_code": "010101"}) == (
        "request_type: 'complaint' is not in the classification",
    )


def test_every_mistake_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / OWN
    file.write_text(
        "types: [{code: Ask, zh: 问, en: Ask}, {code: help, zh: '', en: Help}]\n"
        "urgencies: [{code: normal, zh: 平, en: N}]\n"
        "categories: [{code: '01', zh: 甲, en: A}, {code: '01', zh: 甲, en: A}, {code: '0201', zh: 乙, en: B}]\n",
        "utf-8",
    )
    with pytest.raises(BadInput) as refused:
        load(file)
    told = " ".join(refused.value.problems)
    wanted = (
        "'Ask' is no code", "'help' has no name", "report is missing", "critical, normal, urgent",
        "'01' is there twice", "0201 has nothing above it: 02 is missing", "none of 6 digits",
    )  # fmt: skip
    assert [one for one in wanted if one not in told] == []


@pytest.mark.parametrize("written", ["", "[1", "types: 5", "types: []\nsurprise: 1", "\x00"])
def test_a_file_that_is_none_is_refused_with_a_sentence(tmp_path: Path, written: str) -> None:
    (tmp_path / OWN).write_text(written, "utf-8")
    with pytest.raises(BadInput, match="classification"):
        of_folder(tmp_path)


def test_a_ticket_takes_leaves_and_nothing_else_and_hears_of_every_mistake() -> None:
    known = Classification(
        (Named("report", "举报", "Report"),),
        (Named("normal", "平", "N"),),
        (Named("01", "甲", "A"), Named("0101", "乙", "B"), Named("010101", "丙", "C")),
    )
    assert known.problems({"request_type": "", "urgency": "normal", "category_code": "010101", "matter": "x"}) == ()
    wrong = known.problems({"request_type": "x", "urgency": "", "category_code": "0101"})
    assert [one.partition(":")[0] for one in wrong] == ["request_type", "urgency", "category_code"]
