"""三固定: who of a unit is called, in which order, who not and why; and files with every mistake at once."""

import pytest

from agents import roster_file
from agents.roster import PassedOver, RosterPlace, ranks
from hotline.errors import BadInput

pytestmark = pytest.mark.unit

UNIT = "fund"


def place(rank: int, *, seat: str = "", number: str = "", hours: str = "day") -> RosterPlace:
    return RosterPlace(unit=UNIT, rank=rank, person=f"p{rank}", seat=seat, number=number, hours=hours)


FIRST, SECOND = place(1, seat="8011", number="6251111"), place(2, number="6252222")
THIRD = place(3, seat="8013", hours="night")


def free(_: str) -> str:
    return ""


def by_day(hours: str) -> bool:
    return hours == "day"


def test_the_seat_comes_before_the_office_phone_and_then_the_next_in_rank() -> None:
    found = ranks([THIRD, SECOND, FIRST], lambda _: True, free, free)
    assert [(one.rank, one.seat, one.number) for one in found.candidates] == [
        (1, "8011", ""), (1, "", "6251111"), (2, "", "6252222"), (3, "8013", ""),
    ]  # fmt: skip
    assert found.passed_over == ()


def test_who_is_off_duty_is_not_called_and_that_is_said() -> None:
    found = ranks([FIRST, THIRD], by_day, free, free)
    assert [one.rank for one in found.candidates] == [1, 1]
    assert found.passed_over == (PassedOver(rank=3, person="p3", how="", why="off_duty"),)


def test_why_a_seat_or_a_number_cannot_be_called_is_said_of_each() -> None:
    found = ranks([FIRST, SECOND], by_day, lambda _: "busy", lambda one: "night" if one == "6252222" else "")
    assert [(one.rank, one.number) for one in found.candidates] == [(1, "6251111")]
    assert [(one.rank, one.how, one.why) for one in found.passed_over] == [(1, "seat", "busy"), (2, "phone", "night")]


def wrong_hours(hours: str) -> str:
    return "" if hours in ("day", "night") else "these hours are unknown."


def wrong_number(number: str) -> str:
    return "" if number.isdigit() else "this is no number."


def parse(text: str, name: str = "r.csv") -> list[RosterPlace]:
    return roster_file.parse(text.encode(), name, wrong_hours, wrong_number)


def test_a_csv_file_is_read_and_without_ranks_its_order_counts() -> None:
    found = parse(
        "\ufeffunit,person,seat,number,hours\nfund,p1,8011,6251111,day\n\nfund,p2,,6252222,day\nlaw,p,8013,,day\n"
    )
    assert [(one.unit, one.rank, one.person, one.seat, one.number) for one in found] == [
        ("fund", 1, "p1", "8011", "6251111"), ("fund", 2, "p2", "", "6252222"), ("law", 1, "p", "8013", ""),
    ]  # fmt: skip


def test_a_yaml_file_keeps_the_zero_of_a_number() -> None:
    found = parse("- {unit: fund, person: p1, seat: 8011, number: 07176251111, hours: day, rank: 4}", "r.yaml")
    assert [(one.rank, one.seat, one.number) for one in found] == [(4, "8011", "07176251111")]


def test_every_mistake_of_a_file_is_told_with_its_line() -> None:
    with pytest.raises(BadInput) as caught:
        parse(
            "unit,rank,person,seat,number,hours\n,1,p,8011,,day\nfund,x,p,,,day\nlaw,1,,abc,6-x,noon\nlaw,1,p,8011,,day\n"
        )
    told = "\n".join(caught.value.problems)
    for line, word in ((2, "a unit"), (3, "a rank"), (3, "a seat or a number"), (4, "a person"), (4, "work number"),
                       (4, "no number"), (4, "hours are unknown"), (5, "more than once")):  # fmt: skip
        assert any(one.startswith(f"r.csv:{line}:") and word in one for one in caught.value.problems), (line, told)


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("unit,person\na,b\n", "r.csv", "missing: hours"),
        ("", "r.csv", "missing"),
        ("a: b", "r.yaml", "not a list"),
        ("- [1]", "r.yaml", "not a table"),
        ("- {unit: [", "r.yaml", "YAML"),
        ("unit,person,hours\n", "r.csv", "nobody is in it"),
        ("unit,person,hours,shoe\na,b,day,c\n", "r.csv", "no column shoe"),
    ],
)
def test_what_is_no_roster_gets_one_clear_sentence(text: str, name: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text, name)
    assert told in " ".join((str(caught.value), *caught.value.problems))


def test_a_file_that_is_not_utf8_says_so() -> None:
    with pytest.raises(BadInput, match="UTF-8"):
        roster_file.parse("单位,人".encode("gbk"), "r.csv", wrong_hours, wrong_number)


def test_nobody_waits_for_a_tenth() -> None:
    rows = "".join(f"fund,p{n},80{n:02},,day\n" for n in range(10))
    with pytest.raises(BadInput, match="at most 9"):
        parse("unit,person,seat,number,hours\n" + rows)
