"""Whether somebody's seats answer at a moment: windows, seasons, public holidays, 调休 make-up days, own dates.

Pure: the public calendar is a table in a library that covers some years only; beyond them the weekday counts and
the answer says so. It refuses to know what happens when nobody answers.

What the words of a window mean:
    daily       every day
    workdays    Monday to Friday that is not a public holiday, and make-up days (a weekend day that is worked)
    restdays    every day that is not one of `workdays`
    holidays    public holidays only
    mon … sun   that weekday, unless it is a public holiday; a make-up day counts as a Monday
The tenant's own table (`DayOverride`) outranks the public calendar.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from enum import StrEnum

import chinese_calendar
import msgspec

from ivr.model import DayOverride, DayWindow, Entry, HoursProfile
from ivr.numbers import ZONE

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_WORDS = frozenset({"daily", "workdays", "restdays", "holidays", *WEEKDAYS})


class DayKind(StrEnum):
    """What kind of day a date is."""

    WORK = "work"  # 工作日
    MAKE_UP = "make_up"  # 调休上班
    REST = "rest"  # 周末
    HOLIDAY = "holiday"  # 法定节假日


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A date as the calendars know it."""

    kind: DayKind
    name: str = ""
    """The holiday's name, or the tenant's note."""
    weekday: str
    """Whose windows hold: `mon` … `sun`."""
    windows: tuple[DayWindow, ...] = ()
    """The tenant's hours for this date, in place of every profile's."""
    warning: str = ""
    """Set when no calendar knows this year's holidays."""


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one moment."""

    is_open: bool
    day: Day
    warning: str = ""


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Profiles and the tenant's own dates."""

    profiles: tuple[HoursProfile, ...] = ()
    days: tuple[DayOverride, ...] = ()

    def day(self, on: date) -> Day:
        """What kind of day `on` is."""
        own = next((one for one in self.days if one.day == on), None)
        return _own_day(own) if own else _public_day(on)

    def profile_of(self, entry: Entry) -> str:
        """The name of a number's hours: its own, or else those of its unit; empty: always open."""
        return entry.hours or next((one.name for one in self.profiles if entry.owner_unit in one.units), "")

    def windows(self, profile: HoursProfile, on: date) -> tuple[DayWindow, ...]:
        """When `profile` is open on that date."""
        day = self.day(on)
        if day.windows:
            return day.windows
        return tuple(window for window in profile.windows if _holds(window, day, (on.month, on.day)))

    def hours(self, profile: str, at: datetime) -> Hours:
        """Whether `profile` is open at `at` (aware). The empty profile is always open; so, with a warning, is one
        that nobody defined: a caller rather reaches a general seat than a closed door."""
        local = at.astimezone(ZONE)
        day = self.day(local.date())
        if not profile:
            return Hours(is_open=True, day=day, warning=day.warning)
        found = next((one for one in self.profiles if one.name == profile), None)
        if found is None:
            return Hours(is_open=True, day=day, warning=f"the hours profile {profile} is not defined")
        return Hours(is_open=_any_open(found, day, local), day=day, warning=day.warning)


def _own_day(own: DayOverride) -> Day:
    weekday = WEEKDAYS[own.day.weekday()]
    if own.kind != "work":
        kind = DayKind.HOLIDAY if own.kind == "holiday" else DayKind.REST
        return Day(kind=kind, name=own.note, weekday=weekday, windows=own.windows)
    weekend = own.day.weekday() >= 5
    stands_for = own.counts_as or ("mon" if weekend else weekday)
    kind = DayKind.MAKE_UP if weekend else DayKind.WORK
    return Day(kind=kind, name=own.note, weekday=stands_for, windows=own.windows)


def _public_day(on: date) -> Day:
    weekday, weekend = WEEKDAYS[on.weekday()], on.weekday() >= 5
    try:
        off, name = chinese_calendar.get_holiday_detail(on)
    except NotImplementedError:
        warning = f"the public holidays of {on.year} are not known: only weekdays and the tenant's own dates count"
        return Day(kind=DayKind.REST if weekend else DayKind.WORK, weekday=weekday, warning=warning)
    if off:
        return Day(kind=DayKind.HOLIDAY if name else DayKind.REST, name=name or "", weekday=weekday)
    if weekend:
        return Day(kind=DayKind.MAKE_UP, name=name or "", weekday="mon")
    return Day(kind=DayKind.WORK, weekday=weekday)


def _any_open(profile: HoursProfile, day: Day, local: datetime) -> bool:
    if day.windows:
        return any(_in_time(window, local.time()) for window in day.windows)
    return any(_open(window, day, local) for window in profile.windows)


def _open(window: DayWindow, day: Day, local: datetime) -> bool:
    return _holds(window, day, (local.month, local.day)) and _in_time(window, local.time())


def _holds(window: DayWindow, day: Day, on: tuple[int, int]) -> bool:
    if window.season and not _in_season(window.season, on):
        return False
    return not window.days.isdisjoint(_words(day))


def _in_time(window: DayWindow, now: time) -> bool:
    return window.start <= now and (window.end is None or now < window.end)


def _in_season(season: tuple[tuple[int, int], tuple[int, int]], day: tuple[int, int]) -> bool:
    first, last = season
    return first <= day <= last if first <= last else day >= first or day <= last


_WORDS: dict[DayKind, tuple[str, ...]] = {
    DayKind.WORK: ("daily", "workdays"),
    DayKind.MAKE_UP: ("daily", "workdays"),
    DayKind.REST: ("daily", "restdays"),
    DayKind.HOLIDAY: ("daily", "restdays", "holidays"),
}


def _words(day: Day) -> Iterable[str]:
    """The words of windows that hold on this day."""
    return _WORDS[day.kind] if day.kind is DayKind.HOLIDAY else (*_WORDS[day.kind], day.weekday)
