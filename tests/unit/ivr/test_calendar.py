"""Office hours at the second, holidays, make-up days, seasons, own dates."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.calendar import Calendar, DayKind
from ivr.model import Catalogue, DayOverride, DayWindow, Entry, HoursProfile, MergeMode
from ivr.numbers import ZONE

pytestmark = pytest.mark.unit

Local = Callable[[str], datetime]


def window(days: str, start: str, end: str, season: tuple[tuple[int, int], tuple[int, int]] | None = None) -> DayWindow:
    last = None if end == "24:00" else time.fromisoformat(end)
    return DayWindow(days=frozenset(days.split()), start=time.fromisoformat(start), end=last, season=season)


def calendar(*windows: DayWindow, days: tuple[DayOverride, ...] = ()) -> Calendar:
    return Calendar(profiles=(HoursProfile(name="p", windows=windows),), days=days)


OFFICE = calendar(window("workdays", "08:30", "12:00"), window("workdays", "14:30", "17:30"))


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-23T08:29:59", False),
        ("2026-11-23T08:30:00", True),
        ("2026-11-23T11:59:59.999999", True),
        ("2026-11-23T12:00:00", False),
        ("2026-11-23T14:30:00", True),
        ("2026-11-23T17:30:00", False),
        ("2026-11-22T10:00:00", False),  # Sunday
        ("2026-02-14T10:00:00", True),  # Saturday, worked for the Spring Festival
        ("2026-02-14T20:00:00", False),
        ("2026-02-17T10:00:00", False),  # Tuesday, Spring Festival
        ("2026-10-01T10:00:00", False),  # Thursday, National Day
        ("2024-02-29T10:00:00", True),  # Thursday of a leap year
    ],
)
def test_office_hours_follow_windows_holidays_and_make_up_days(local: Local, at: str, is_open: bool) -> None:
    assert OFFICE.hours("p", local(at)).is_open is is_open


def test_hours_are_judged_in_shanghai_whatever_the_zone_of_the_moment() -> None:
    assert OFFICE.hours("p", datetime(2026, 11, 23, 0, 30, tzinfo=UTC)).is_open
    assert not OFFICE.hours("p", datetime(2026, 11, 23, 0, 29, 59, tzinfo=UTC)).is_open
    assert not OFFICE.hours("p", datetime(2026, 11, 23, 10, 0, tzinfo=UTC)).is_open


def test_window_to_midnight_and_the_next_from_midnight_leave_no_gap(local: Local) -> None:
    night = calendar(window("daily", "20:00", "24:00"), window("daily", "00:00", "08:00"))
    for at in ("2026-11-22T23:59:59.999999", "2026-11-23T00:00:00"):
        assert night.hours("p", local(at)).is_open
    assert not night.hours("p", local("2026-11-23T08:00:00")).is_open


def test_holiday_begins_and_ends_at_midnight_to_the_second(local: Local) -> None:
    holidays = calendar(window("holidays", "00:00", "24:00"))
    assert not holidays.hours("p", local("2026-09-30T23:59:59")).is_open
    assert holidays.hours("p", local("2026-10-01T00:00:00")).is_open
    assert holidays.hours("p", local("2026-10-07T23:59:59")).is_open
    assert not holidays.hours("p", local("2026-10-08T00:00:00")).is_open


def test_rest_days_are_weekends_and_holidays_but_not_make_up_days(local: Local) -> None:
    rest = calendar(window("restdays", "09:00", "10:00"))
    opened = {at: rest.hours("p", local(f"{at}T09:30")).is_open for at in ("2026-11-21", "2026-02-17", "2026-02-14")}
    assert opened == {"2026-11-21": True, "2026-02-17": True, "2026-02-14": False}


def test_weekday_windows_rest_on_holidays_and_a_make_up_day_counts_as_a_monday(local: Local) -> None:
    monday = calendar(window("mon", "09:00", "10:00"), window("sat", "11:00", "12:00"))
    assert monday.hours("p", local("2026-11-23T09:30")).is_open
    assert monday.hours("p", local("2026-02-14T09:30")).is_open
    assert not monday.hours("p", local("2026-02-14T11:30")).is_open
    assert monday.hours("p", local("2026-11-21T11:30")).is_open
    assert not monday.hours("p", local("2026-02-16T09:30")).is_open  # a Monday in the Spring Festival


def test_seasons_include_their_days_run_over_new_year_and_take_leap_days(local: Local) -> None:
    summer = calendar(window("daily", "15:00", "18:00", ((5, 1), (9, 30))))
    assert [summer.hours("p", local(f"2026-{day}T15:30")).is_open for day in ("04-30", "05-01", "09-30", "10-01")] == [
        False, True, True, False,
    ]  # fmt: skip
    winter = calendar(window("daily", "15:00", "18:00", ((10, 1), (2, 28))))
    days = ("2026-12-31", "2027-01-01", "2027-02-28", "2028-02-29", "2028-03-01")
    assert [winter.hours("p", local(f"{day}T15:30")).is_open for day in days] == [True, True, True, False, False]
    leap = calendar(window("daily", "00:00", "24:00", ((2, 29), (2, 29))))
    assert leap.hours("p", local("2028-02-29T12:00")).is_open
    assert not leap.hours("p", local("2027-02-28T12:00")).is_open


def test_own_table_outranks_the_public_calendar(local: Local) -> None:
    days = (
        DayOverride(day=date(2026, 11, 23), kind="rest", note="城市日"),
        DayOverride(day=date(2026, 11, 22), kind="work", counts_as="fri"),
        DayOverride(day=date(2026, 2, 17), kind="work"),
    )
    own = calendar(window("workdays", "09:00", "17:00"), window("fri", "18:00", "19:00"), days=days)
    assert not own.hours("p", local("2026-11-23T10:00")).is_open
    assert own.day(date(2026, 11, 23)).name == "城市日"
    assert own.hours("p", local("2026-11-22T10:00")).is_open
    assert own.hours("p", local("2026-11-22T18:30")).is_open
    assert own.hours("p", local("2026-02-17T10:00")).is_open
    assert own.day(date(2026, 2, 17)).kind is DayKind.WORK


def test_own_shortened_hours_replace_every_profile_on_that_date(local: Local) -> None:
    short = DayOverride(day=date(2026, 11, 23), kind="work", windows=(window("daily", "10:00", "11:00"),))
    own = calendar(window("workdays", "09:00", "17:00"), days=(short,))
    opened = [own.hours("p", local(f"2026-11-23T{at}")).is_open for at in ("09:30", "10:30", "11:00")]
    assert opened == [False, True, False]


def test_year_without_a_public_calendar_warns_and_counts_weekdays_and_own_dates(local: Local) -> None:
    days = (DayOverride(day=date(2031, 10, 1), kind="holiday"),)
    own = calendar(window("workdays", "09:00", "17:00"), days=days)
    friday = own.hours("p", local("2031-10-03T10:00"))
    assert friday.is_open
    assert "2031" in friday.warning
    assert not own.hours("p", local("2031-10-04T10:00")).is_open
    known = own.hours("p", local("2031-10-01T10:00"))
    assert (known.is_open, known.warning) == (False, "")


def test_no_profile_is_always_open_and_an_unknown_one_too_with_a_warning(local: Local) -> None:
    at = local("2026-10-01T03:00")
    assert OFFICE.hours("", at).is_open
    missing = OFFICE.hours("nobody", at)
    assert missing.is_open
    assert "nobody" in missing.warning


@given(st.dates(date(2005, 1, 1), date(2040, 12, 31)), st.times())
def test_every_moment_has_an_answer_and_workdays_and_restdays_part_the_days(day: date, now: time) -> None:
    at = datetime.combine(day, now, ZONE)
    both = Calendar(
        profiles=(
            HoursProfile(name="work", windows=(window("workdays", "00:00", "24:00"),)),
            HoursProfile(name="rest", windows=(window("restdays", "00:00", "24:00"),)),
        )
    )
    assert both.hours("work", at).is_open is not both.hours("rest", at).is_open
    assert bool(both.hours("work", at).warning) is (at.year > 2026)


@given(st.times(), st.times(), st.dates(date(2020, 1, 1), date(2026, 12, 31)))
def test_window_is_open_from_its_start_to_just_before_its_end(one: time, two: time, day: date) -> None:
    start, end = min(one, two), max(one, two)
    opened = Calendar(
        profiles=(HoursProfile(name="p", windows=(DayWindow(days=frozenset({"daily"}), start=start, end=end),)),)
    )
    at = datetime.combine(day, start, ZONE)
    assert opened.hours("p", at).is_open is (start < end)
    assert not opened.hours("p", datetime.combine(day, end, ZONE)).is_open
    if start < end:
        assert opened.hours("p", datetime.combine(day, end, ZONE) - timedelta(microseconds=1)).is_open


def test_shipped_profiles_say_what_their_source_says(demo: Catalogue, local: Local) -> None:
    shipped = Calendar(profiles=demo.profiles)
    season = [shipped.hours("office_by_season", local(f"2026-{at}")).is_open for at in (
        "04-30T14:45", "04-30T17:45", "06-01T14:45", "06-01T17:45",
    )]  # fmt: skip
    assert season == [True, False, False, True]


def test_a_number_has_the_hours_of_its_unit_where_it_has_none_of_its_own() -> None:
    justice = HoursProfile(name="justice", windows=OFFICE.profiles[0].windows, units=("司法局", "公证处"))
    known = Calendar(profiles=(*OFFICE.profiles, justice))
    plain = Entry(number="12348", name="x", owner_unit="司法局", mode=MergeMode.DUAL)
    assert known.profile_of(plain) == "justice"
    assert known.profile_of(replace(plain, hours="p")) == "p"
    assert known.profile_of(replace(plain, owner_unit="财政局")) == ""
