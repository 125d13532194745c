"""The prompts' words out of `data/prompts.yaml`: characters for people, pinyin for espeak-ng, templates per number.

It knows no sound.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hotline.errors import BadInput
from ivr.fields import Fields
from ivr.loader import read_limited
from ivr.model import Entry
from ivr.placed import Problems, Table, Text, read_yaml

SHIPPED = Path(__file__).parent / "data" / "prompts.yaml"

_PLAIN_DIGITS = 6
"""Longer numbers are not read out: the sentence would be too long."""


class Spoken(msgspec.Struct, frozen=True):
    """A sentence in characters and in pinyin."""

    text: str
    pinyin: str


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that exists once per number."""

    name: str
    modes: frozenset[str]
    short: Spoken
    long: Spoken


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is to be spoken."""

    rate: int
    digits: dict[str, str]
    prompts: dict[str, Spoken]
    templates: tuple[Template, ...]

    def with_numbers(self, entries: Iterable[Entry]) -> dict[str, Spoken]:
        """The fixed prompts, and those of every number whose mode has a template."""
        found = dict(self.prompts)
        for entry in entries:
            for template in self.templates:
                if entry.mode.value in template.modes:
                    found[f"{template.name}_{entry.number}"] = self._fill(template, entry.number)
        return found

    def _fill(self, template: Template, number: str) -> Spoken:
        spoken = template.short if len(number) <= _PLAIN_DIGITS else template.long
        read = " ".join(self.digits[digit] for digit in number)
        return Spoken(spoken.text.replace("{number}", number), spoken.pinyin.replace("{number}", read))


def load_script(path: Path = SHIPPED) -> Script:
    """What is to be spoken.

    Raises:
        BadInput: the file cannot be used; `problems` has every mistake as `file:line:column: sentence`.
    """
    problems = Problems()
    root = read_yaml(read_limited(path), str(path), problems)
    if not isinstance(root, Table):
        raise BadInput(f"{path} cannot be used.", (f"{root.place}: prompts are a table",))
    fields = Fields(root, problems, "the prompts' file")
    fields.only({"rate", "digits", "prompts", "templates"})
    script = Script(
        rate=fields.whole("rate", 200, 80, 400),
        digits=_digits(fields),
        prompts={name: _spoken(one) for name, one in _named(fields, "prompts").items()},
        templates=tuple(_template(name, one) for name, one in _named(fields, "templates").items()),
    )
    problems.raise_if_any(f"{path} cannot be used.")
    return script


def _digits(fields: Fields) -> dict[str, str]:
    table = fields.table.get("digits")
    entries = table.entries if isinstance(table, Table) else {}
    words = {key: value.text for key, (_, value) in entries.items() if isinstance(value, Text) and value.text}
    if set(words) != set("0123456789"):
        fields.wrong("digits", "digits needs a pinyin word for each of 0 to 9")
    return words


def _named(fields: Fields, name: str) -> dict[str, Fields]:
    table = fields.table.get(name)
    found: dict[str, Fields] = {}
    for key, (place, value) in (table.entries if isinstance(table, Table) else {}).items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", key):
            fields.problems.add(place, f"the prompt name {key!r} must be of a-z, 0-9, _ and -")
        elif isinstance(value, Table):
            found[key] = Fields(value, fields.problems, f"the prompt {key}")
        else:
            fields.problems.add(place, f"the prompt {key} needs text and pinyin")
    return found


def _spoken(fields: Fields, also: Iterable[str] = ()) -> Spoken:
    fields.only({"text", "pinyin", *also})
    pinyin = fields.text("pinyin", required=True, longest=500)
    for word in re.findall(r"[^\s,.{}]+", pinyin.replace("{number}", "")):
        if not re.fullmatch(r"[a-zü]+[1-5]", word):
            fields.wrong("pinyin", f"{word!r} is not a pinyin syllable with its tone, such as hao3")
    return Spoken(fields.text("text", required=True), pinyin)


def _template(name: str, fields: Fields) -> Template:
    short = _spoken(fields, ("for", "long"))
    table = fields.table.get("long")
    if not isinstance(table, Table):
        fields.wrong("long", f"the template {name} needs long: a sentence for long numbers")
    long = _spoken(Fields(table, fields.problems, f"the prompt {name}")) if isinstance(table, Table) else short
    return Template(name=name, modes=frozenset(fields.texts("for")), short=short, long=long)
