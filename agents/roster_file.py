"""Reads a roster from CSV or YAML: every mistake reported at once, with its place in the file.

CSV has the columns unit, rank, person, seat, number, hours, note; YAML is a list of such tables. Without a rank the
order in the file counts.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from agents import roster
from agents.roster import RosterPlace, Says
from hotline.errors import BadInput

FIELDS = ("unit", "rank", "person", "seat", "number", "hours", "note")
MAX_BYTES = 1_000_000
MAX_PLACES = 5000


def parse(content: bytes, name: str, hours: Says, number: Says) -> list[RosterPlace]:
    """The places of a file. `hours`, `number`: what is wrong with one, a sentence; empty when nothing is.

    Raises:
        BadInput: mistakes; `problems` has every one.
    """
    rows = _csv(_text(content, name), name) if name.lower().endswith(".csv") else _yaml(_text(content, name), name)
    problems: list[str] = []
    places: list[RosterPlace] = []
    where: list[str] = []
    counted: Counter[str] = Counter()
    for place, row in rows:
        problems += [f"{place}: there is no column {extra}." for extra in sorted(row.keys() - set(FIELDS))]
        unit, rank = row.get("unit", "").strip(), row.get("rank", "").strip()
        counted[unit] += 1
        if rank and not (rank.isascii() and rank.isdigit() and len(rank) < 3):
            problems.append(f"{place}: a rank is a number from 1 to 99.")
            rank = ""
        plain = {field: row.get(field, "").strip() for field in ("person", "seat", "number", "hours", "note")}
        places.append(RosterPlace(unit=unit, rank=int(rank or counted[unit]), **plain))
        where.append(place)
    problems += roster.check(places, hours, number, lambda at: where[at])
    if not places and not problems:
        problems.append(f"{name}: nobody is in it.")
    roster.refuse(problems)
    return places


def _text(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise BadInput(f"{name} is larger than {MAX_BYTES} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} is not UTF-8: save it as UTF-8 and send it again.") from error


Rows = list[tuple[str, Mapping[str, str]]]


def _csv(text: str, name: str) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: Rows = []
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        if missing := [field for field in ("unit", "person", "hours") if field not in header]:
            raise BadInput(f"{name}:1: these columns are missing: {', '.join(missing)}.")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                named = dict(zip(header, cells, strict=False))
                extra = {"(too many)": ""} if len(cells) > len(header) else {}
                rows.append((f"{name}:{reader.line_num}", named | extra))
    except csv.Error as error:
        raise BadInput(f"{name}:{reader.line_num}: {error}.") from error
    return _few(rows, name)


def _yaml(text: str, name: str) -> Rows:
    try:
        read = YAML(typ="base", pure=True).load(text)
    except (YAMLError, RecursionError) as error:
        raise BadInput(f"{name} cannot be read as YAML: {error}") from error
    if not isinstance(read, list):
        raise BadInput(f"{name} is not a list of places.")
    rows: Rows = []
    for number, item in enumerate(read, 1):
        if not isinstance(item, dict) or not all(isinstance(value, str) for value in item.values()):
            raise BadInput(f"{name}: place {number} is not a table of {', '.join(FIELDS)}.")
        rows.append((f"{name}: place {number}", {str(key): value for key, value in item.items()}))
    return _few(rows, name)


def _few(rows: Rows, name: str) -> Rows:
    if len(rows) > MAX_PLACES:
        raise BadInput(f"{name} has more than {MAX_PLACES} places.")
    return rows
