"""Hours as people write them, by the catalogue's calendar: public holidays, make-up days and the tenant's own dates.

Hours are the name of a profile of the catalogue, or windows: `workdays 08:30-12:00 14:30-17:30; sat,sun 09:00-12:00`.
"""

from datetime import datetime
from functools import lru_cache
from typing import Protocol

from ivr.calendar import DAY_WORDS, Calendar
from ivr.fields import read_time
from ivr.model import DayOverride, DayWindow, HoursProfile

_OWN = "as written"


class Known(Protocol):
    """A catalogue, or its calendar."""

    @property
    def profiles(self) -> tuple[HoursProfile, ...]: ...
    @property
    def days(self) -> tuple[DayOverride, ...]: ...


def problem(hours: str, catalogue: Known) -> str:
    """What is wrong with hours, one sentence; empty when nothing is."""
    if any(profile.name == hours for profile in catalogue.profiles):
        return ""
    found = windows(hours)
    return found if isinstance(found, str) else ""


def is_open(hours: str, at: datetime, catalogue: Known) -> bool:
    """Whether `at` is within them; hours that cannot be read any more (a profile was taken out) are never."""
    if any(profile.name == hours for profile in catalogue.profiles):
        return Calendar(profiles=catalogue.profiles, days=catalogue.days).hours(hours, at).is_open
    found = windows(hours)
    if isinstance(found, str):
        return False
    own = (HoursProfile(name=_OWN, windows=found),)
    return Calendar(profiles=own, days=catalogue.days).hours(_OWN, at).is_open


@lru_cache(maxsize=1024)
def windows(hours: str) -> tuple[DayWindow, ...] | str:
    """The windows that are written; a sentence when they cannot be read."""
    found: list[DayWindow] = []
    for part in hours.split(";"):
        days, *spans = part.split()[:1] or [""], *part.split()[1:]
        named = frozenset(days[0].split(","))
        if unknown := sorted(named - DAY_WORDS):
            return (
                f"hours {hours!r}: {unknown[0]!r} is neither an hours profile nor a day; "
                f"write for example `workdays 08:30-12:00 14:30-17:30`."
            )
        if not spans:
            return f"hours {hours!r}: {days[0]} needs times such as 08:30-12:00."
        for span in spans:
            window = _window(named, span)
            if isinstance(window, str):
                return f"hours {hours!r}: {window}"
            found.append(window)
    return tuple(found)


def _window(days: frozenset[str], span: str) -> DayWindow | str:
    first, _, last = span.partition("-")
    start, end, whole = read_time(first), read_time(last), last == "24:00"
    if start is None or (end is None and not whole):
        return f"{span!r} is not a time span such as 08:30-12:00 or 18:00-24:00."
    if end is not None and end <= start:
        return f"{span!r} ends before it begins; over midnight, write two spans, to 24:00 and from 00:00."
    return DayWindow(days=days, start=start, end=end)
