"""YAML and CSV as trees of text that remember line and column, so that every mistake can be pointed at.

Nothing is converted: `12329` stays text and `012` keeps its 0. Anchors, aliases, tags, several documents, deep
nesting, big files and duplicate keys are refused. It refuses to know what the text means.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hotline.errors import BadInput

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
MAX_EVENTS = 200_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def of(self, field: str) -> "Place":  # noqa: ARG002
        """Where a field of what stands here is: in a file this place says enough."""
        return self


@dataclass(frozen=True, slots=True)
class Text:
    """A single value."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Value", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """Keys and values, in the file's order."""

    entries: dict[str, tuple[Place, "Value"]]
    place: Place

    def get(self, key: str) -> "Value | None":
        found = self.entries.get(key)
        return found[1] if found else None


Value = Text | Items | Table


@dataclass(slots=True)
class Problems:
    """Every mistake found so far, as `file:line:column: sentence`."""

    found: list[str] = field(default_factory=list[str])

    def add(self, place: Place, sentence: str) -> None:
        self.found.append(f"{place}: {sentence}")

    def raise_if_any(self, message: str) -> None:
        """Raises: BadInput, with all of them."""
        if self.found:
            raise BadInput(message, tuple(self.found))


def decode(content: bytes, file: str) -> str:
    """The text of a file; a byte-order mark is dropped.

    Raises:
        BadInput: too big, or not UTF-8.
    """
    if len(content) > MAX_BYTES:
        raise _refused(file, f"{file}:1:1: the file has {len(content)} bytes; at most {MAX_BYTES} are read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        where = f"{file}:{line}:{column}: the text is not UTF-8; save the file as UTF-8"
        raise _refused(file, where) from error


def read_yaml(content: bytes, file: str, problems: Problems) -> Value:
    """The one document in `content`; what is readable but not allowed goes to `problems`.

    Raises:
        BadInput: not readable; with file, line and column.
    """
    text = decode(content, file)
    try:
        return _Reader(file, _events(text, file), problems).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _refused(file, f"{file}:{line}:{column}: {error.problem or 'this is not YAML'}") from error
    except YAMLError as error:
        sentence = " ".join(str(error).split())
        raise _refused(file, f"{file}:1:1: this is not YAML: {sentence}") from error


def _refused(file: str, problem: str) -> BadInput:
    return BadInput(f"{file} cannot be used.", (problem,))


def _events(text: str, file: str) -> Iterator[Any]:
    """Parser events; stops a file that has far more of them than any honest one."""
    for count, event in enumerate(YAML(typ="rt", pure=True).parse(io.StringIO(text))):
        if count > MAX_EVENTS:
            raise _refused(file, f"{file}:{event.start_mark.line + 1}:1: the file has too many values")
        yield event


class _Reader:
    """Builds values out of parser events."""

    def __init__(self, file: str, events: Iterator[Any], problems: Problems) -> None:
        self._file, self._events, self._problems = file, events, problems

    def document(self) -> Value:
        self._next("StreamStartEvent")
        event = next(self._events)
        if type(event).__name__ == "StreamEndEvent":
            raise _refused(self._file, f"{self._file}:1:1: the file is empty")
        value = self._value(next(self._events), 0)
        self._next("DocumentEndEvent")
        end = next(self._events)
        if type(end).__name__ != "StreamEndEvent":
            raise _refused(self._file, f"{self._place(end)}: a second document begins; one is allowed")
        return value

    def _next(self, kind: str) -> None:
        event = next(self._events)
        if type(event).__name__ != kind:
            raise _refused(self._file, f"{self._place(event)}: this is not expected here")

    def _place(self, event: Any) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _value(self, event: Any, depth: int) -> Value:
        place = self._place(event)
        if depth > MAX_DEPTH:
            raise _refused(self._file, f"{place}: nested deeper than {MAX_DEPTH} levels")
        self._plain(event, place)
        match type(event).__name__:
            case "MappingStartEvent":
                return self._table(place, depth)
            case "SequenceStartEvent":
                return self._items(place, depth)
            case "ScalarEvent":
                null = event.style is None and event.value in {"", "~", "null"}
                return Text("" if null else str(event.value), place)
            case _:
                return Text("", place)

    def _plain(self, event: Any, place: Place) -> None:
        """No anchors, aliases and tags: they make small files huge or run code elsewhere."""
        if type(event).__name__ == "AliasEvent" or getattr(event, "anchor", None) is not None:
            self._problems.add(place, "anchors and aliases are not allowed")
        tag = getattr(event, "tag", None)
        if tag is not None and str(tag) not in {"", "!"}:
            self._problems.add(place, f"the tag {tag} is not allowed")

    def _items(self, place: Place, depth: int) -> Items:
        found: list[Value] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            found.append(self._value(event, depth + 1))
        return Items(tuple(found), place)

    def _table(self, place: Place, depth: int) -> Table:
        entries: dict[str, tuple[Place, Value]] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._value(event, depth + 1)
            value = self._value(next(self._events), depth + 1)
            if not isinstance(key, Text):
                self._problems.add(key.place, "a key must be a single word")
            elif key.text in entries:
                first = entries[key.text][0].line
                self._problems.add(key.place, f"the key {key.text!r} stands here a second time (first in line {first})")
            else:
                entries[key.text] = (key.place, value)
        return Table(entries, place)


def read_csv(content: bytes, file: str, problems: Problems) -> Items:
    """Rows of a CSV file with a header line as tables; the column counts fields. Blank lines are skipped.

    Raises:
        BadInput: not readable; with file and line.
    """
    rows = _csv_rows(decode(content, file), file, problems)
    if not rows:
        problems.raise_if_any(f"{file} cannot be used.")
        raise _refused(file, f"{file}:1:1: the file is empty")
    (first_line, names), *rest = rows
    names = [name.strip() for name in names]
    for column, name in enumerate(names, 1):
        if not name or names.index(name) != column - 1:
            problems.add(Place(file, first_line, column), f"the header {name!r} is empty or stands there twice")
    items: list[Value] = []
    for line, row in rest:
        if len(row) > len(names):
            problems.add(Place(file, line, len(names) + 1), f"the row has {len(row)} fields, the header {len(names)}")
        pairs = zip(names, row, strict=False)
        cells = {name: Text(cell.strip(), Place(file, line, at)) for at, (name, cell) in enumerate(pairs, 1)}
        items.append(Table({name: (cell.place, cell) for name, cell in cells.items()}, Place(file, line, 1)))
    return Items(tuple(items), Place(file, first_line, 1))


def _csv_rows(text: str, file: str, problems: Problems) -> list[tuple[int, list[str]]]:
    """Rows with the line on which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((begins, row))
            begins = reader.line_num + 1
    except csv.Error as error:
        problems.add(Place(file, begins, 1), f"this is not CSV: {error}")
    return rows
