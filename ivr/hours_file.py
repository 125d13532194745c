"""Hours profiles and the tenant's own dates out of placed tables; it knows their form, not their use."""

import re

from ivr.calendar import DAY_WORDS, WEEKDAYS
from ivr.fields import Fields, read_time
from ivr.model import DayOverride, DayWindow, HoursProfile
from ivr.placed import Problems, Table, Text

_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def read_word(fields: Fields, name: str, *, required: bool = False) -> str:
    """A name of a-z, 0-9, `_` and `-`."""
    text = fields.text(name, required=required)
    if text and not _WORD.fullmatch(text):
        fields.wrong(name, f"{name} {text!r} must be of a-z, 0-9, _ and -")
    return text


def read_profile(table: Table, problems: Problems) -> HoursProfile:
    """One profile."""
    fields = Fields(table, problems, "an hours profile")
    fields.only({"name", "windows", "units", "note"})
    windows = _windows(fields)
    if not windows:
        fields.wrong("windows", "an hours profile needs windows")
    units = fields.texts("units")
    return HoursProfile(name=read_word(fields, "name", required=True), windows=windows, units=units)


def _windows(fields: Fields, *, days: bool = True) -> tuple[DayWindow, ...]:
    tables = fields.tables("windows")
    found = [window for table in tables for window in _window(Fields(table, fields.problems, "a window"), days=days)]
    return tuple(found)


def _window(fields: Fields, *, days: bool) -> list[DayWindow]:
    """One window per `HH:MM-HH:MM` in `times`."""
    fields.only({"days", "times", "season"} if days else {"times"})
    words = fields.placed_texts("days")
    for word in words:
        if word.text not in DAY_WORDS:
            sentence = f"the day {word.text!r} is unknown; use one of {', '.join(sorted(DAY_WORDS))}"
            fields.problems.add(word.place, sentence)
    if days and not words:
        fields.wrong("days", "a window needs days")
    if not fields.placed_texts("times"):
        fields.wrong("times", "a window needs times such as 08:30-12:00")
    named = frozenset(word.text for word in words) or frozenset({"daily"})
    season = _season(fields)
    made = [_times(fields, text, named, season) for text in fields.placed_texts("times")]
    return [window for window in made if window]


def _times(
    fields: Fields, text: Text, days: frozenset[str], season: tuple[tuple[int, int], tuple[int, int]] | None
) -> DayWindow | None:
    first, _, last = text.text.partition("-")
    start, end = read_time(first.strip()), read_time(last.strip())
    whole = last.strip() in {"24:00", "24:00:00"}
    if start is None or (end is None and not whole):
        fields.problems.add(text.place, f"{text.text!r} is not a time span such as 08:30-12:00 or 18:00-24:00")
        return None
    if end is not None and end <= start:
        sentence = f"{text.text!r} ends before it begins; over midnight, write two spans, to 24:00 and from 00:00"
        fields.problems.add(text.place, sentence)
        return None
    return DayWindow(days=days, start=start, end=end, season=season)


def _season(fields: Fields) -> tuple[tuple[int, int], tuple[int, int]] | None:
    text = fields.text("season")
    if not text:
        return None
    found = re.fullmatch(r"(\d\d)-(\d\d)\s*(?:to|\.\.|~)\s*(\d\d)-(\d\d)", text)
    days = ((int(found[1]), int(found[2])), (int(found[3]), int(found[4]))) if found else None
    if days is None or not all(1 <= month <= 12 and 1 <= day <= _LONGEST_MONTHS[month - 1] for month, day in days):
        fields.wrong("season", f"season {text!r} is not two days of a year such as 05-01 to 09-30")
        return None
    return days


def read_override(table: Table, problems: Problems) -> DayOverride | None:
    """One date of the tenant's own; `None` when its date cannot be read."""
    fields = Fields(table, problems, "a day")
    fields.only({"day", "kind", "counts_as", "windows", "note"})
    day, kind, counts_as = fields.day("day"), fields.text("kind", required=True), fields.text("counts_as")
    if not fields.text("day"):
        fields.wrong("day", "a day needs its date in the field day")
    if kind and kind not in {"work", "rest", "holiday"}:
        fields.wrong("kind", f"kind {kind!r} is unknown; use work, rest or holiday")
    if counts_as and counts_as not in WEEKDAYS:
        fields.wrong("counts_as", f"counts_as {counts_as!r} is unknown; use one of {', '.join(WEEKDAYS)}")
    windows = _windows(fields, days=False)
    if day is None:
        return None
    return DayOverride(day=day, kind=kind, counts_as=counts_as, windows=windows, note=fields.text("note"))
