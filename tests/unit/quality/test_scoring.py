"""Points to a total, stretches to times of listening."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import BadInput
from quality.listening import listenings
from quality.model import Grade
from quality.ports import Play
from quality.scoring import check, total
from quality.sheet import shipped

pytestmark = pytest.mark.unit

SHEET = shipped()
FULL = {item.code: item.points for item in SHEET.items}
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_the_shipped_sheet_is_whole() -> None:
    assert sum(FULL.values()) == 100
    assert {item.group for item in SHEET.items} == {group.code for group in SHEET.groups}
    assert len(FULL) == len(SHEET.items)
    assert SHEET.passing < SHEET.good < 100


def test_a_total_is_the_share_of_all_points_and_a_fatal_fault_makes_it_nothing() -> None:
    assert total(SHEET, FULL, ()) == (100, Grade.GOOD)
    assert total(SHEET, FULL | {"answer": 10}, ()) == (90, Grade.GOOD)
    assert total(SHEET, FULL | {"answer": 9}, ()) == (89, Grade.PASSED)
    assert total(SHEET, dict.fromkeys(FULL, 0) | {"answer": 20, "tone": 15, "listening": 15, "greeting": 10}, ()) == (
        60, Grade.PASSED,
    )  # fmt: skip
    assert total(SHEET, FULL, ("leak",)) == (0, Grade.FAILED)


@given(st.fixed_dictionaries({code: st.integers(0, points) for code, points in FULL.items()}))
def test_more_points_are_never_worth_less(marks: dict[str, int]) -> None:
    check(SHEET, marks, ())
    reached, _ = total(SHEET, marks, ())
    assert 0 <= reached <= total(SHEET, {code: FULL[code] for code in marks}, ())[0]
    assert reached == sum(marks.values())


def test_every_mistake_of_a_review_is_told() -> None:
    with pytest.raises(BadInput) as refused:
        check(SHEET, {**FULL, "tone": 99, "colour": 1} | {}, ("rain",))
    assert [problem.split(":")[0] for problem in refused.value.problems] == ["colour", "tone", "rain"]
    with pytest.raises(BadInput) as missing:
        check(SHEET, {"tone": -1}, ())
    assert len(missing.value.problems) == len(FULL)


def play(person: str, minute: float) -> Play:
    return Play(person=person, name=person.upper(), roles=("qa",), at=NINE + timedelta(minutes=minute))


def test_stretches_that_follow_each_other_are_one_time_of_listening() -> None:
    found = listenings([play("b", 1), play("a", 30), play("a", 0), play("a", 5), play("a", 12)])
    assert [(one.person, one.began_at.minute, one.ended_at.minute) for one in found] == [
        ("a", 30, 30), ("b", 1, 1), ("a", 0, 12),
    ]  # fmt: skip
