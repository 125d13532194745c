"""What people write into forms instead of files: numbers and own dates, by the same rules, every mistake at its field.

Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

from hotline.errors import BadInput
from ivr.catalogue_file import joined_with
from ivr.model import Catalogue, Entry
from ivr.placed import Items, Place, Table, Text, Value

Written = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class FieldPlace(Place):
    """A field of a form; a mistake reads `field: sentence`."""

    def __str__(self) -> str:
        return self.file

    def of(self, field: str) -> Place:
        return FieldPlace(field, 1, 1)


def with_number(
    fields: Mapping[str, Written], stored: Catalogue, flows: Collection[str], *, replace: bool
) -> Catalogue:
    """The catalogue with one more entry. `replace`: one of this number, region and first day may be there already.

    Raises:
        BadInput: `problems` has every mistake as `field: sentence`.
    """
    made = joined_with(_root("numbers", fields), stored, flows)
    known = {entry.key for entry in stored.entries}
    changed = [entry for entry in made.entries if entry not in stored.entries]
    if not replace and any(entry.key in known for entry in changed):
        raise _taken(changed[0])
    return made


def _taken(entry: Entry) -> BadInput:
    told = f"number: {entry.number} has an entry with this region and first day already"
    return BadInput("This number is in the catalogue already: change it there.", (told,))


def with_day(fields: Mapping[str, Written], stored: Catalogue) -> Catalogue:
    """The catalogue with an own date, in place of the one that it had. `times`: shortened hours of everybody.

    Raises:
        BadInput: as above.
    """
    return joined_with(_root("days", fields), stored)


def without_day(day: date, stored: Catalogue) -> Catalogue:
    """The catalogue without an own date: the public calendar counts again."""
    return msgspec.structs.replace(stored, days=tuple(one for one in stored.days if one.day != day))


def _root(section: str, fields: Mapping[str, Written]) -> Table:
    here = FieldPlace("form", 1, 1)
    table = Table({name: (here.of(name), _value(name, value)) for name, value in fields.items()}, here)
    if section == "days" and (times := table.entries.pop("times", None)) is not None:
        place, spans = times
        if isinstance(spans, Items) and spans.items:
            windows = Items((Table({"times": (place, spans)}, place),), place)
            table.entries["windows"] = (place, windows)
    return Table({section: (here, Items((table,), here))}, here)


def _value(name: str, value: Written) -> Value:
    place = FieldPlace(name, 1, 1)
    if isinstance(value, str):
        return Text(value, place)
    return Items(tuple(Text(one, place) for one in value), place)
