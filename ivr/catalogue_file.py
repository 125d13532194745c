"""A catalogue out of a YAML or CSV file, joined to what is stored: all of it, or every mistake with its place.

A YAML file has the tables `numbers`, `hours` and `days`; a CSV file has numbers only, one per line, with the same
field names in its header and `;` between the parts of a list. Numbers are written in any common form.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePath

import msgspec

from hotline.errors import BadInput
from ivr.fields import Fields
from ivr.hours_file import read_override, read_profile, read_word
from ivr.loader import read_needs
from ivr.model import (
    GENERAL_QUEUE,
    MODE_NAMES,
    Catalogue,
    DayOverride,
    Entry,
    HoursProfile,
    MergeMode,
    MergeStatus,
)
from ivr.numbers import check_entry, field_of, normalise, overlaps
from ivr.placed import Place, Problems, Table, read_csv, read_yaml

ENTRY_FIELDS = frozenset(Entry.__struct_fields__)
_ROOT_FIELDS = frozenset({"set", "region", "source", "note", "counts", "unknown", "hours", "days", "numbers"})


class CatalogueFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says, with the place of every entry."""

    entries: tuple[tuple[Entry, Place], ...] = ()
    profiles: tuple[HoursProfile, ...] = ()
    days: tuple[DayOverride, ...] = ()
    unknown: tuple[str, ...] = ()
    """What the file's source names but does not tell, one sentence each."""


def read_catalogue(content: bytes, file: str, home: str) -> CatalogueFile:
    """A file by its name's ending: `.csv`, else YAML.

    Raises:
        BadInput: it cannot be used; `problems` has every mistake as `file:line:column: sentence`.
    """
    problems = Problems()
    found = _read(content, file, home, problems)
    problems.raise_if_any(f"{file} cannot be imported; nothing was changed.")
    return found


def _read(content: bytes, file: str, home: str, problems: Problems) -> CatalogueFile:
    if PurePath(file).suffix.lower() == ".csv":
        rows = read_csv(content, file, problems).items
        tables = [row for row in rows if isinstance(row, Table)]
        return CatalogueFile(entries=_entries(tables, "", home, problems))
    root = read_yaml(content, file, problems)
    if not isinstance(root, Table):
        problems.add(root.place, "a catalogue is a table with the fields numbers, hours and days")
        return CatalogueFile()
    return _sections(Fields(root, problems, "a catalogue"), home)


def _sections(fields: Fields, home: str) -> CatalogueFile:
    fields.only(_ROOT_FIELDS)
    entries = _entries(fields.tables("numbers"), fields.text("region"), home, fields.problems)
    profiles = tuple(read_profile(table, fields.problems) for table in fields.tables("hours"))
    days = tuple(day for table in fields.tables("days") if (day := read_override(table, fields.problems)))
    unknown = _unknown(fields)
    if not fields.problems.found:
        _check_counts(fields, entries, unknown)
    sentences = tuple(f"{count} numbers of mode {mode} are not known: {note}" for mode, count, note in unknown)
    return CatalogueFile(entries=entries, profiles=profiles, days=days, unknown=sentences)


def _entries(tables: Collection[Table], region: str, home: str, problems: Problems) -> tuple[tuple[Entry, Place], ...]:
    found: list[tuple[Entry, Place]] = []
    for table in tables:
        fields = Fields(table, problems, "a number")
        fields.only(ENTRY_FIELDS)
        before = len(problems.found)
        entry = _entry(fields, region, home)
        if len(problems.found) == before:
            for sentence in check_entry(entry):
                problems.add(fields.place("number").of(field_of(sentence)), sentence)
        if len(problems.found) == before:
            found.append((entry, fields.place("number")))
    return tuple(found)


def _entry(fields: Fields, region: str, home: str) -> Entry:
    number, region = _number(fields, fields.text("region", region), home)
    return Entry(
        number=number,
        region=region,
        valid_from=fields.day("valid_from"),
        valid_to=fields.day("valid_to"),
        name=fields.text("name", required=True),
        owner_unit=fields.text("owner_unit"),
        mode=_mode(fields),
        status=fields.word("status", MergeStatus, MergeStatus.MERGED),
        cutover_at=fields.day("cutover_at"),
        transition_until=fields.day("transition_until"),
        flow=read_word(fields, "flow"),
        hours=read_word(fields, "hours"),
        queue=read_word(fields, "queue") or GENERAL_QUEUE,
        needs=read_needs(fields, "needs"),
        widen_after_s=fields.whole("widen_after_s", 20, 1, 600),
        priority=fields.whole("priority", 0, 0, 86_400),
        experts=tuple(need.skill for need in read_needs(fields, "experts")),
        external=_digits(fields, "external", region, home),
        aliases=_aliases(fields, region, home),
        ticket_class=fields.text("ticket_class"),
        note=fields.text("note", longest=2000),
        source=fields.text("source"),
    )


def _number(fields: Fields, region: str, home: str) -> tuple[str, str]:
    """Digits and region; an area code that is written before a short code is its region."""
    text = fields.text("number", required=True)
    found = normalise(text, region or home) if text else None
    if text and found is None:
        fields.wrong("number", f"{text!r} is not a telephone number")
    if found is None:
        return text, region
    if found.area and region and found.area != region:
        fields.wrong("number", f"{text!r} has the area code {found.area}, but the region is {region}")
    return found.digits, region or found.area


def _digits(fields: Fields, name: str, region: str, home: str) -> str:
    text = fields.text(name)
    found = normalise(text, region or home) if text else None
    if text and found is None:
        fields.wrong(name, f"{text!r} is not a telephone number")
    return found.digits if found else ""


def _aliases(fields: Fields, region: str, home: str) -> tuple[str, ...]:
    aliases: list[str] = []
    for text in fields.placed_texts("aliases"):
        found = normalise(text.text, region or home)
        if found is None:
            fields.problems.add(text.place, f"{text.text!r} is not a telephone number")
        else:
            aliases.append(found.digits)
    return tuple(dict.fromkeys(aliases))


def _mode(fields: Fields) -> MergeMode:
    """A mode by its word or its Chinese name."""
    text = fields.text("mode")
    for mode, chinese in MODE_NAMES.items():
        if text == chinese:
            return mode
    return fields.word("mode", MergeMode, MergeMode.WHOLE, required=True)


def _unknown(fields: Fields) -> list[tuple[MergeMode, int, str]]:
    found: list[tuple[MergeMode, int, str]] = []
    for table in fields.tables("unknown"):
        row = Fields(table, fields.problems, "an unknown row")
        row.only({"mode", "count", "note"})
        found.append((_mode(row), row.whole("count", 1, 1, 999), row.text("note", longest=500)))
    return found


def _check_counts(
    fields: Fields, entries: tuple[tuple[Entry, Place], ...], unknown: list[tuple[MergeMode, int, str]]
) -> None:
    """What the source counts must be there: declared, or said to be unknown."""
    counts = fields.table.get("counts")
    if not isinstance(counts, Table):
        return
    row = Fields(counts, fields.problems, "counts")
    row.only([mode.value for mode in MergeMode])
    for name in counts.entries:
        expected = row.whole(name, 0, 0, 9999)
        declared = len({entry.number for entry, _ in entries if entry.mode == name})
        missing = sum(count for mode, count, _ in unknown if mode == name)
        if declared + missing != expected:
            sentence = f"the source counts {expected} numbers of mode {name}; {declared} are here, {missing} unknown"
            row.wrong(name, sentence)


def joined_with(root: Table, stored: Catalogue, flows: Collection[str] | None = None) -> Catalogue:
    """As `parse`, of a table that was not written in a file.

    Raises:
        BadInput: `problems` has every mistake.
    """
    problems = Problems()
    return _joined(_sections(Fields(root, problems, "a catalogue"), stored.home), problems, stored, flows, "This")


def join(stored: Catalogue, file: CatalogueFile, flows: Collection[str] | None = None) -> Catalogue:
    """The stored catalogue with the file's entries in place of those with the same number, region and first day.

    Raises:
        BadInput: together they contradict each other; with the places of the file's entries.
    """
    problems = Problems()
    places = {entry.key: place for entry, place in file.entries}
    entries = {entry.key: entry for entry in stored.entries} | {entry.key: entry for entry, _ in file.entries}
    profiles = {one.name: one for one in stored.profiles} | {one.name: one for one in file.profiles}
    days = {one.day: one for one in stored.days} | {one.day: one for one in file.days}
    _check_twice(file, problems)
    _check_overlaps(list(entries.values()), places, problems)
    for entry, place in file.entries:
        if entry.hours and entry.hours not in profiles:
            problems.add(place.of("hours"), f"the hours profile {entry.hours!r} of {entry.number} is not defined")
        if flows is not None and entry.flow_name not in flows:
            problems.add(place.of("flow"), f"the flow {entry.flow_name!r} of {entry.number} does not exist")
    problems.found += _units_twice(profiles.values())
    problems.raise_if_any("The catalogue cannot be imported; nothing was changed.")
    return Catalogue(
        home=stored.home,
        entries=tuple(sorted(entries.values(), key=lambda one: one.key)),
        profiles=tuple(sorted(profiles.values(), key=lambda one: one.name)),
        days=tuple(sorted(days.values(), key=lambda one: one.day)),
    )


def _check_twice(file: CatalogueFile, problems: Problems) -> None:
    seen: dict[tuple[str, str, str], Place] = {}
    for entry, place in file.entries:
        first = seen.setdefault(entry.key, place)
        if first is not place:
            problems.add(place, f"{entry.number} with this region and first day is in line {first.line} already")


def _check_overlaps(entries: list[Entry], places: Mapping[tuple[str, str, str], Place], problems: Problems) -> None:
    for one, two in overlaps(entries):
        if two.key not in places:
            one, two = two, one
        place = places.get(two.key) or Place("stored", 1, 1)
        problems.add(place.of("valid_from"), f"{_span(two)} overlaps with {_span(one)}")


def _span(entry: Entry) -> str:
    where = f" in {entry.region}" if entry.region else ""
    first = f"from {entry.valid_from}" if entry.valid_from else "from the beginning"
    return f"{entry.number}{where} ({entry.mode}) {first} {f'to {entry.valid_to}' if entry.valid_to else 'on'}"


def parse(content: bytes, file: str, stored: Catalogue, flows: Collection[str] | None = None) -> Catalogue:
    """`read_catalogue` and `join` in one, with the mistakes of both at once.

    Raises:
        BadInput: `problems` has every mistake.
    """
    problems = Problems()
    return _joined(_read(content, file, stored.home, problems), problems, stored, flows, file)


def _joined(
    found: CatalogueFile, problems: Problems, stored: Catalogue, flows: Collection[str] | None, file: str
) -> Catalogue:
    try:
        joined = join(stored, found, flows)
    except BadInput as error:
        problems.found += error.problems
        joined = stored
    problems.raise_if_any(f"{file} cannot be imported; nothing was changed.")
    return joined


def _units_twice(profiles: Iterable[HoursProfile]) -> list[str]:
    """A unit has one calendar."""
    found: dict[str, list[str]] = {}
    for profile in profiles:
        for unit in profile.units:
            found.setdefault(unit, []).append(profile.name)
    several = ((unit, names) for unit, names in sorted(found.items()) if len(names) > 1)
    return [f"the unit {unit} is in several hours profiles ({', '.join(names)}): leave one" for unit, names in several]
