"""Working hours of the roster: windows as people write them, profiles of the catalogue, holidays and make-up days."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from ivr import hours_text as hours
from ivr.model import Catalogue, DayOverride, DayWindow, HoursProfile

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("Asia/Shanghai")
OFFICE = HoursProfile(name="office", windows=(DayWindow(days=frozenset({"daily"}), start=time(9), end=time(10)),))
CATALOGUE = Catalogue(
    home="0717", profiles=(OFFICE,), days=(DayOverride(day=date(2026, 3, 2), kind="holiday", note="own"),)
)
USUAL = "workdays 08:30-12:00 14:30-17:30; sat,sun 09:00-10:00"


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("written", "moment", "is_open"),
    [
        (USUAL, at(3, 8, 30), True),
        (USUAL, at(3, 12), False),
        (USUAL, at(3, 14, 30), True),
        (USUAL, at(7, 9, 30), True),
        (USUAL, at(7, 14, 30), False),
        (USUAL, at(2, 9), False),
        (USUAL, at(17, 9, month=2), False),
        ("daily 00:00-24:00", at(7, 23, 59), True),
        ("office", at(3, 9, 30), True),
        ("office", at(3, 10), False),
    ],
)
def test_hours_hold_when_they_say(written: str, moment: datetime, is_open: bool) -> None:
    assert hours.problem(written, CATALOGUE) == ""
    assert hours.is_open(written, moment, CATALOGUE) is is_open


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("offices", "neither an hours profile nor a day"),
        ("", "neither"),
        ("workdays", "needs times"),
        ("workdays 8-12", "not a time span"),
        ("workdays 18:00-06:00", "over midnight"),
        ("workdays 08:00-12:00;", "neither"),
        ("mon,monday 08:00-12:00", "'monday'"),
    ],
)
def test_hours_that_cannot_be_read_say_how_to_write_them_and_are_never(written: str, told: str) -> None:
    assert told in hours.problem(written, CATALOGUE)
    assert not hours.is_open(written, at(3, 9), CATALOGUE)
