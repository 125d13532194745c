"""What tickets are classed by: kinds of requests, urgency, a tree of classes. Data, which a city replaces by its own.

Pure but for reading the file. It knows codes and their names, and nothing of what becomes of a ticket.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hotline.errors import BadInput
from tickets.model import Urgency

SHIPPED = Path(__file__).with_name("data") / "classification.yaml"
"""The demonstration's, in force where a city has none of its own."""
OWN = "classification.yaml"
"""Name of a city's own file, in the data folder."""
PROTECTED_TYPE = "report"
"""举报: whoever is reported must never learn by whom, so there has to be such a type."""
LEAF_DIGITS = 6

_CODE = re.compile(r"[a-z][a-z_]{0,31}", re.ASCII)
_CLASS = re.compile(r"(?:[0-9]{2}){1,3}", re.ASCII)


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code and what people call it."""

    code: str
    zh: str
    en: str


class Classification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that a ticket can be classed by, in the order in which pages show it."""

    types: tuple[Named, ...]
    urgencies: tuple[Named, ...]
    categories: tuple[Named, ...]
    """The whole tree; what a code of two digits less names is above it."""

    def problems(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        """What is wrong with these fields of a ticket, one sentence each; others than ours are left alone."""
        found: list[str] = []
        for field, known in self._codes().items():
            given = fields.get(field)
            if given is not None and given not in known:
                found.append(f"{field}: {_shown(given)} is not in the classification")
        return tuple(found)

    def _codes(self) -> dict[str, frozenset[str]]:
        leaves = {one.code for one in self.categories if len(one.code) == LEAF_DIGITS}
        return {
            "request_type": frozenset({one.code for one in self.types} | {""}),
            "urgency": frozenset(one.code for one in self.urgencies),
            "category_code": frozenset(leaves | {""}),
        }


def of_folder(data: Path) -> Classification:
    """The city's own where its data folder has one, else the demonstration's.

    Raises:
        BadInput: the file cannot be used; every mistake is listed.
    """
    own = data / OWN
    return load(own) if own.exists() else shipped()


@cache
def shipped() -> Classification:
    """The demonstration's."""
    return load(SHIPPED)


def load(file: Path) -> Classification:
    """The classification of a file.

    Raises:
        BadInput: it cannot be used; every mistake is listed.
    """
    try:
        read: object = YAML(typ="safe").load(file.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, YAMLError) as error:
        raise BadInput(f"{file} cannot be read as YAML: {error}") from error
    try:
        found = msgspec.convert(read, Classification)
    except msgspec.ValidationError as error:
        raise BadInput(f"{file} is not a classification: {error}.") from error
    if problems := tuple(mistakes(found)):
        raise BadInput(f"{file} has mistakes: " + " ".join(problems), problems)
    return found


def mistakes(made: Classification) -> Iterable[str]:
    """What is wrong with a classification, one sentence each."""
    for group, items, shape in (
        ("types", made.types, _CODE),
        ("urgencies", made.urgencies, _CODE),
        ("categories", made.categories, _CLASS),
    ):
        yield from _of_names(group, items, shape)
    if PROTECTED_TYPE not in {one.code for one in made.types}:
        yield f"types: {PROTECTED_TYPE} is missing."
    known = {one.value for one in Urgency}
    if {one.code for one in made.urgencies} != known:
        yield f"urgencies: these are needed, and no others: {', '.join(sorted(known))}."
    classes = {one.code for one in made.categories}
    for code in sorted(classes):
        if len(code) > 2 and code[:-2] not in classes:
            yield f"categories: {code} has nothing above it: {code[:-2]} is missing."
    if not any(len(code) == LEAF_DIGITS for code in classes):
        yield f"categories: there is none of {LEAF_DIGITS} digits, and tickets take no others."


def _of_names(group: str, items: Iterable[Named], shape: re.Pattern[str]) -> Iterable[str]:
    seen: set[str] = set()
    for one in items:
        if not shape.fullmatch(one.code):
            yield f"{group}: {_shown(one.code)} is no code."
        if one.code in seen:
            yield f"{group}: {_shown(one.code)} is there twice."
        if not one.zh.strip() or not one.en.strip():
            yield f"{group}: {_shown(one.code)} has no name."
        seen.add(one.code)


def _shown(code: str) -> str:
    return repr(code[:40])
