"""Reads typed fields out of placed tables and collects every mistake instead of stopping at the first.

It knows kinds of value (a day, a time, a whole number, a word of a list), and no room's meaning of them.
"""

import re
from collections.abc import Collection
from datetime import date, time
from enum import StrEnum
from typing import TypeVar

from ivr.placed import Items, Place, Problems, Table, Text, Value

E = TypeVar("E", bound=StrEnum)

_LIST = re.compile(r"[;；、|]")


class Fields:
    """One table being read. Every `take_…` returns a usable value even after a mistake, so that reading goes on."""

    def __init__(self, table: Table, problems: Problems, what: str) -> None:
        self.table, self.problems, self._what = table, problems, what

    def only(self, known: Collection[str]) -> None:
        """Every other field is a mistake."""
        for name, (place, _) in self.table.entries.items():
            if name not in known:
                self.problems.add(place, f"{self._what} has no field {name!r}; it has {', '.join(sorted(known))}")

    def place(self, name: str) -> Place:
        """Where the field's value stands; the table's place when it is missing."""
        value = self.table.get(name)
        return value.place if value else self.table.place

    def wrong(self, name: str, sentence: str) -> None:
        self.problems.add(self.place(name), sentence)

    def text(self, name: str, default: str = "", *, required: bool = False, longest: int = 200) -> str:
        value = self.table.get(name)
        if value is not None and not isinstance(value, Text):
            self.wrong(name, f"{name} must be a single value")
            return default
        text = value.text.strip() if value else ""
        if len(text) > longest:
            self.wrong(name, f"{name} is longer than {longest} characters")
        if not text and required:
            self.wrong(name, f"{self._what} needs {name}")
        return text or default

    def texts(self, name: str) -> tuple[str, ...]:
        """A list, or one text with `;` between its parts."""
        return tuple(item.text for item in self.placed_texts(name))

    def placed_texts(self, name: str) -> tuple[Text, ...]:
        value = self.table.get(name)
        if isinstance(value, Items):
            bad = [item for item in value.items if not isinstance(item, Text)]
            for item in bad:
                self.problems.add(item.place, f"{name} is a list of single values")
            return tuple(Text(item.text.strip(), item.place) for item in value.items if isinstance(item, Text))
        parts = _LIST.split(self.text(name, longest=2000))
        return tuple(Text(part.strip(), self.place(name)) for part in parts if part.strip())

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        text = self.text(name)
        if not text:
            return default
        if not re.fullmatch(r"-?[0-9]{1,9}", text) or not low <= int(text) <= high:
            self.wrong(name, f"{name} {text!r} is not a whole number from {low} to {high}")
            return default
        return int(text)

    def seconds(self, name: str, default: float, low: float, high: float) -> float:
        text = self.text(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or not low <= float(text) <= high:
            self.wrong(name, f"{name} {text!r} is not a number of seconds from {low} to {high}")
            return default
        return float(text)

    def flag(self, name: str) -> bool:
        text = self.text(name).lower()
        if text not in {"", "true", "false", "yes", "no"}:
            self.wrong(name, f"{name} {text!r} is neither true nor false")
        return text in {"true", "yes"}

    def day(self, name: str) -> date | None:
        text = self.text(name)
        if not text:
            return None
        found = read_day(text)
        if found is None:
            self.wrong(name, f"{name} {text!r} is not a day such as 2026-02-14")
        return found

    def word(self, name: str, kind: type[E], default: E, *, required: bool = False) -> E:
        text = self.text(name, required=required).lower()
        if not text:
            return default
        try:
            return kind(text)
        except ValueError:
            self.wrong(name, f"{name} {text!r} is unknown; use one of {', '.join(kind)}")
            return default

    def tables(self, name: str) -> tuple[Table, ...]:
        """A list of tables."""
        value: Value | None = self.table.get(name)
        if value is None or (isinstance(value, Text) and not value.text):
            return ()
        if not isinstance(value, Items):
            self.wrong(name, f"{name} must be a list")
            return ()
        for item in value.items:
            if not isinstance(item, Table):
                self.problems.add(item.place, f"{name} is a list of tables of fields")
        return tuple(item for item in value.items if isinstance(item, Table))


def read_day(text: str) -> date | None:
    """`2026-02-14`, also `2026/2/14` and `2026年2月14日` as spreadsheets write it; from 1990 to 2100."""
    found = re.fullmatch(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?", text)
    if not found or not 1990 <= int(found[1]) <= 2100:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def read_time(text: str) -> time | None:
    """`08:30` or `08:30:15`; `24:00` is not a time but an end (`None` of a window)."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", text)
    if not found:
        return None
    try:
        return time(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        return None
