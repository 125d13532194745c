"""The borders of numbers: where a prefix ends, which entry answers, and the words of every problem and warning."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from ivr.model import DEFAULT_ENTRY, Catalogue, Dialled, Entry, MergeMode, SkillNeed, Via
from ivr.numbers import (
    Number,
    check_entry,
    find,
    half_a_year_after,
    identify,
    local_day,
    normalise,
    overlaps,
    warnings,
)
from tests.unit.ivr.test_numbers import entry

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("raw", "home", "expected"),
    [
        ("+86", "0717", Number("86", "")),
        ("0086", "0717", Number("86", "")),
        ("86", "0717", Number("86", "")),
        ("+8612329", "", Number("12329", "")),
        ("6123456", "", Number("6123456", "")),
        ("61234567", "0717", Number("071761234567", "")),
        ("861234567", "0717", Number("861234567", "")),
        ("86112", "0717", Number("112", "")),
        ("86312", "0717", Number("86312", "")),
        ("+86312", "0717", Number("312", "")),
        ("+8631", "0717", Number("31", "")),
        ("+861234", "0717", Number("1234", "")),
        ("0312", "0717", Number("312", "")),
        ("03", "0717", Number("3", "")),
        ("001712329", "0717", Number("1712329", "")),
        ("00717612345", "0717", Number("0717612345", "0717")),
        ("86717", "0717", Number("86717", "")),
        ("861012345", "0717", Number("12345", "010")),
        ("862066123456", "0717", Number("02066123456", "020")),
        ("867176123456", "0717", Number("07176123456", "0717")),
        ("071713800138000", "0717", Number("071713800138000", "0717")),
        ("8613800138000", "0717", Number("13800138000", "")),
        ("+8613800138000", "0717", Number("13800138000", "")),
        ("12800138000", "0717", Number("12800138000", "")),
        ("8612800138000", "0717", Number("8612800138000", "")),
        ("0" * 20, "0717", None),
        ("1" * 20, "0717", Number("1" * 20, "")),
        ("sip:12329;x=1@host", "0717", Number("12329", "")),
        ("sip:12329?x=1", "0717", Number("12329", "")),
        ("<12329>", "0717", Number("12329", "")),
        ("<tel:12329> <sip:12336@x>", "0717", Number("12336", "")),
        ("12329@host", "0717", None),
        ("12329;x", "0717", None),
        ("  tel: 12329  ", "0717", Number("12329", "")),
        ("1\t2(3)2/9", "0717", Number("12329", "")),
        (" " * 251 + "12329", "0717", Number("12329", "")),
        (" " * 252 + "12329", "0717", Number("1232", "")),
    ],
)
def test_the_borders_of_every_form(raw: str, home: str, expected: Number | None) -> None:
    assert normalise(raw, home) == expected


def test_without_a_home_a_land_line_stays_as_it_was_dialled() -> None:
    assert normalise("6123456") == Number("6123456", "")


ITSELF = entry("12345", MergeMode.SELF, region="0717")
HERE = entry("12329", MergeMode.DUAL, region="0717")
THERE = entry("12329", region="0379", transition_until=date(2026, 1, 1))
EVERYWHERE = entry("12329", MergeMode.UTILITY)
DIRECT = entry("12336", aliases=("07176000000", "96000"))
CITY = Catalogue(home="0717", entries=(EVERYWHERE, THERE, HERE, ITSELF, DIRECT))


@pytest.mark.parametrize(("area", "expected"), [("", HERE), ("0717", HERE), ("0379", THERE), ("010", HERE)], ids=str)
def test_an_entry_is_looked_for_in_its_city_then_at_home_then_everywhere(area: str, expected: Entry) -> None:
    assert find(CITY, Number("12329", area), TODAY) == expected


def test_an_entry_of_every_city_answers_where_no_city_has_one() -> None:
    elsewhere = msgspec.structs.replace(CITY, home="010")
    assert find(elsewhere, Number("12329", "020"), TODAY) == EVERYWHERE
    assert find(elsewhere, Number("12329", ""), TODAY) == EVERYWHERE
    assert find(elsewhere, Number("12399", ""), TODAY) is None
    assert find(CITY, Number("96000", ""), TODAY) == DIRECT


@pytest.mark.parametrize(
    ("request_line", "to", "diversions", "expected"),
    [
        ("12329", "", (), ("12329", HERE, True, "0717", Via.REQUEST, True)),
        ("0379-12329", "", (), ("12329", THERE, True, "0379", Via.REQUEST, False)),
        ("010-12336", "", (), ("12336", DIRECT, True, "010", Via.REQUEST, True)),
        ("96000", "", (), ("12336", DIRECT, True, "0717", Via.REQUEST, True)),
        ("12345", "12329", ("12336",), ("12329", HERE, True, "0717", Via.TO, True)),
        ("12345", "x", ("12336", "12329"), ("12329", HERE, True, "0717", Via.DIVERSION, True)),
        ("12345", "", (), ("12345", ITSELF, True, "0717", Via.REQUEST, True)),
        ("0379-12345", "", (), ("12345", ITSELF, True, "0379", Via.REQUEST, True)),
        ("x", "12345", (), ("12345", ITSELF, True, "0717", Via.TO, True)),
        ("0379-12399", "", (), ("12399", ITSELF, False, "0379", Via.REQUEST, True)),
        ("12345", "", ("12398", "12399"), ("12399", ITSELF, False, "0717", Via.DIVERSION, True)),
        ("13800138000", "", (), ("13800138000", ITSELF, False, "0717", Via.REQUEST, True)),
        ("13800138000", "12345", (), ("12345", ITSELF, True, "0717", Via.TO, True)),
        ("13800138000", "12399", (), ("13800138000", ITSELF, False, "0717", Via.REQUEST, True)),
        ("", "", (), ("12345", ITSELF, False, "0717", Via.NOTHING, True)),
    ],
)
def test_what_was_dialled_in_every_field(
    request_line: str, to: str, diversions: tuple[str, ...], expected: tuple[object, ...]
) -> None:
    found = identify(CITY, request_line, to, diversions, NOON)
    assert (found.number, found.entry, found.declared, found.region, found.via, found.in_transition) == expected


def test_an_entry_of_another_city_names_its_own_region() -> None:
    away = Catalogue(home="", entries=(entry("12336", region=""), entry("12337", region="")))
    assert identify(away, "12336", "", (), NOON).region == ""
    assert identify(CITY, "12336", "", (), NOON).region == "0717"


def test_a_local_land_line_that_begins_with_86_counts_only_when_it_is_declared() -> None:
    local = entry("07178612329", MergeMode.OFFICE_ONLY, region="0717")
    declared = msgspec.structs.replace(CITY, entries=(*CITY.entries, local))
    assert identify(declared, "8612329", "", (), NOON).entry == local
    assert identify(CITY, "8612329", "", (), NOON).entry == HERE
    assert identify(declared, "86-12336", "", (), NOON).entry == DIRECT


def test_another_declared_land_line_is_found_with_the_home_area() -> None:
    line = entry("07176123456", MergeMode.OFFICE_ONLY, region="0717")
    catalogue = Catalogue(home="0717", entries=(line,))
    assert identify(catalogue, "6123456", "", (), NOON) == Dialled(
        number="07176123456", entry=line, declared=True, region="0717", via=Via.REQUEST
    )
    assert identify(catalogue, "86123450", "", (), NOON).entry == DEFAULT_ENTRY


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 16, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_shanghai(at: datetime, day: date) -> None:
    assert local_day(at) == day


@pytest.mark.parametrize(
    ("bad", "problems"),
    [
        (entry("12"), ["the number '12' is not 3 to 12 digits"]),
        (entry("1" * 13), [f"the number '{'1' * 13}' is not 3 to 12 digits"]),
        (entry("12a45"), ["the number '12a45' is not 3 to 12 digits"]),
        (
            entry("6123456"),
            ["the number 6123456 is not in catalogue form (a land-line needs its area code)"],
        ),
        (
            entry("6123456", region="0717"),
            ["the number 6123456 is not in catalogue form (a land-line needs its area code)"],
        ),
        (entry("12336", region="717"), ["the region '717' is not an area code such as 0717"]),
        (entry("12336", region="07170"), ["the region '07170' is not an area code such as 0717"]),
        (
            Entry(number="12336", name="x", mode=MergeMode.WHOLE),
            ["owner_unit is missing: a number of mode whole has a unit that answers for it"],
        ),
        (
            entry("12336", valid_from=date(2026, 2, 2), valid_to=date(2026, 2, 1)),
            ["valid_to 2026-02-01 lies before valid_from 2026-02-02"],
        ),
        (
            entry("12336", valid_from=date(2026, 2, 2), transition_until=date(2026, 2, 1)),
            ["transition_until 2026-02-01 lies before valid_from 2026-02-02"],
        ),
        (
            entry("12336", MergeMode.DUAL_TRACK),
            ["a dual track needs valid_from and transition_until, half a year apart at most"],
        ),
        (
            entry("12336", MergeMode.DUAL_TRACK, transition_until=date(2026, 7, 2)),
            ["a dual track needs valid_from and transition_until, half a year apart at most"],
        ),
        (
            entry("12336", MergeMode.DUAL_TRACK, valid_from=date(2026, 7, 2)),
            ["a dual track needs valid_from and transition_until, half a year apart at most"],
        ),
        (
            entry("12336", MergeMode.DUAL_TRACK, valid_from=date(2026, 1, 1), transition_until=date(2026, 7, 2)),
            ["the dual track runs to 2026-07-02, more than half a year after 2026-01-01"],
        ),
    ],
)
def test_the_words_of_a_problem(bad: Entry, problems: list[str]) -> None:
    assert check_entry(bad) == problems


def test_every_problem_is_told_at_once() -> None:
    bad = Entry(
        number="12",
        region="1",
        name="x",
        mode=MergeMode.DUAL_TRACK,
        valid_from=date(2026, 2, 2),
        valid_to=date(2026, 2, 1),
        transition_until=date(2026, 1, 1),
    )
    assert [told.partition(" ")[0] + " " + told.split()[1] for told in check_entry(bad)] == [
        "the number",
        "the region",
        "owner_unit is",
        "valid_to 2026-02-01",
        "transition_until 2026-01-01",
    ]
    late = entry("12336", MergeMode.DUAL_TRACK, valid_from=date(2026, 2, 2), valid_to=date(2026, 2, 1))
    assert len(check_entry(late)) == 2


@pytest.mark.parametrize(
    "good",
    [
        entry("110"),
        entry("123456789012"),
        entry("12345", MergeMode.SELF, region="010"),
        entry("02012345678", region="020"),
        entry("12336", valid_to=date(2026, 1, 1), transition_until=date(2026, 1, 1)),
        entry("12336", valid_from=date(2026, 1, 1), transition_until=date(2026, 1, 1)),
        entry("12336", valid_from=date(2026, 1, 1)),
        Entry(number="12345", name="x", mode=MergeMode.SELF),
    ],
)
def test_an_entry_at_the_border_is_right(good: Entry) -> None:
    assert check_entry(good) == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 1, 1), date(2026, 7, 1)),
        (date(2026, 6, 1), date(2026, 12, 1)),
        (date(2026, 3, 31), date(2026, 9, 30)),
        (date(2026, 12, 31), date(2027, 6, 30)),
        (date(2026, 5, 31), date(2026, 11, 30)),
    ],
)
def test_half_a_year_in_every_part_of_the_year(day: date, expected: date) -> None:
    assert half_a_year_after(day) == expected


def test_entries_meet_on_a_single_shared_day() -> None:
    first = entry("12336", valid_to=date(2026, 6, 30))
    same, next_day = entry("12336", valid_from=date(2026, 6, 30)), entry("12336", valid_from=date(2026, 7, 1))
    assert overlaps([first, same]) == [(first, same)]
    assert overlaps([same, first]) == [(same, first)]
    assert overlaps([first, next_day]) == []
    assert overlaps([next_day, first]) == []


def test_a_pair_that_meets_in_two_numbers_is_told_once_and_the_others_too() -> None:
    one, two = entry("12336", aliases=("96000", "96001")), entry("12337", aliases=("96000", "96001", "12336"))
    three = entry("12338", aliases=("96001",))
    assert overlaps([one, two, three]) == [(one, two), (one, three), (two, three)]
    assert overlaps([entry("12336", aliases=("12336",))]) == []


NEED = (SkillNeed("s"),)
UNNAMED = "the owner's skill is not named in needs: calls go to the general seats only"


@pytest.mark.parametrize(
    ("advised", "told"),
    [
        (entry("12336"), ["no end of the transition prompt is set: it plays until further notice"]),
        (entry("12336", transition_until=TODAY), []),
        (entry("12336", MergeMode.UTILITY), []),
        (entry("12336", MergeMode.UTILITY, transition_until=TODAY), []),
        (entry("12336", MergeMode.DUAL), [UNNAMED]),
        (entry("12336", MergeMode.DUAL, needs=NEED), []),
        (entry("12336", MergeMode.DUAL_TRACK), [UNNAMED]),
        (entry("12336", MergeMode.DUAL_TRACK, needs=NEED, transition_until=date(2026, 12, 23)), []),
        (
            entry("12336", MergeMode.DUAL_TRACK, needs=NEED, transition_until=date(2026, 12, 22)),
            ["the dual track ends in 30 days: decide what follows"],
        ),
        (
            entry("12336", MergeMode.DUAL_TRACK, needs=NEED, transition_until=TODAY),
            ["the dual track ends in 0 days: decide what follows"],
        ),
        (
            entry("12336", MergeMode.DUAL_TRACK, transition_until=date(2026, 11, 21)),
            ["the dual track is over: decide what follows", UNNAMED],
        ),
        (entry("12336", MergeMode.DUAL, valid_from=date(2026, 11, 23)), []),
    ],
)
def test_the_words_of_a_warning(advised: Entry, told: list[str]) -> None:
    assert warnings(advised, TODAY) == told
