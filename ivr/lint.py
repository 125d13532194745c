"""What is wrong or unwise in flows that load: menus inside menus, long prompts, no way to a person, no sound file.

Pure but for its table of sentences: it is given flows, entries and the lengths of prompts. A finding is a code and what
it is about; the sentences, in both languages, are data.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from ivr.flow import EndNode, Flow, HoursNode, MenuNode, QueueNode, spoken
from ivr.graph import reachable, ways
from ivr.model import FLOW_OF_MODE, Catalogue, Entry, MergeMode
from ivr.prompts import LONGEST_S

ANSWER_S = 15.0
"""A person is to answer within so many seconds (GB/T 33358)."""

_MOST_WAYS = 500

Length = Callable[[str], float | None]
"""Seconds of a prompt; `None` when it cannot be played."""


class Severity(StrEnum):
    """Whether it must or should be corrected."""

    ERROR = "error"
    WARNING = "warning"


class Sentence(msgspec.Struct, frozen=True):
    """How bad a kind of finding is, and what people are told; `{name}` is filled in."""

    severity: Severity
    en: str
    zh: str


SENTENCES = Path(__file__).with_name("data") / "findings.yaml"


@cache
def sentences() -> dict[str, Sentence]:
    """Every kind of finding, by its code."""
    read: object = YAML(typ="safe").load(SENTENCES.read_text("utf-8"))
    return msgspec.convert(read, dict[str, Sentence])


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found."""

    code: str
    values: dict[str, str] = {}
    """What it is about: the blanks of its sentence."""
    file: str
    line: int

    @property
    def severity(self) -> Severity:
        return sentences()[self.code].severity

    @property
    def message(self) -> str:
        """The sentence in English."""
        return sentences()[self.code].en.format(**self.values)

    @property
    def chinese(self) -> str:
        """The sentence in Chinese."""
        return sentences()[self.code].zh.format(**self.values)

    def told(self, *, chinese: bool = False) -> str:
        """`file:line:1: severity: sentence`, as editors jump to it."""
        return f"{self.file}:{self.line}:1: {self.severity}: {self.chinese if chinese else self.message}"

    def __str__(self) -> str:
        return self.told()


def lint(flows: Mapping[str, Flow], catalogue: Catalogue, length: Length) -> list[Finding]:
    """Everything found, in the order of files and lines."""
    found: list[Finding] = []
    for flow in flows.values():
        entries = [entry for entry in catalogue.entries if entry.flow_name == flow.name]
        found += _menus(flow, entries)
        found += _unreachable(flow)
        found += _hours(flow, catalogue)
        found += _prompts(flow, entries, length)
        found += _time_to_a_person(flow, entries, length)
    found += _missing_flows(flows, catalogue)
    return sorted(found, key=lambda one: (one.file, one.line, one.message))


def _found(flow: Flow, line: int, code: str, **values: str) -> Finding:
    return Finding(code=code, values=values, file=flow.file, line=line)


def _menus(flow: Flow, entries: Iterable[Entry]) -> Iterator[Finding]:
    own = any(entry.mode is MergeMode.SELF for entry in entries)
    for node in flow.nodes.values():
        if not isinstance(node, MenuNode):
            continue
        if "0" not in node.keys:
            yield _found(flow, node.line, "menu_without_zero", menu=node.name)
        if own:
            yield _found(flow, node.line, "menu_of_the_hotline", menu=node.name)
        below = [name for target in node.keys.values() for name in reachable(flow.nodes, target)]
        for deeper in dict.fromkeys(name for name in below if isinstance(flow.nodes[name], MenuNode)):
            yield _found(flow, flow.nodes[deeper].line, "menu_below_menu", menu=deeper, above=node.name)


def _unreachable(flow: Flow) -> Iterator[Finding]:
    used = reachable(flow.nodes, flow.start, flow.human)
    for node in flow.nodes.values():
        if node.name not in used:
            yield _found(flow, node.line, "unreachable", node=node.name)
        elif isinstance(node, EndNode):
            yield _found(flow, node.line, "no_person", node=node.name)


def _hours(flow: Flow, catalogue: Catalogue) -> Iterator[Finding]:
    names = {profile.name for profile in catalogue.profiles}
    for node in flow.nodes.values():
        if isinstance(node, HoursNode) and "{" not in node.profile and node.profile not in names:
            yield _found(flow, node.line, "hours_unknown", hours=node.profile)


def _spoken(flow: Flow, name: str) -> tuple[str, ...]:
    return spoken(flow.nodes[name])


def _prompts(flow: Flow, entries: list[Entry], length: Length) -> Iterator[Finding]:
    for node in flow.nodes.values():
        again = node.again if isinstance(node, MenuNode) else ()
        for prompt in dict.fromkeys((*_spoken(flow, node.name), *again)):
            for name in _expanded(prompt, entries):
                seconds = length(name)
                if seconds is None:
                    yield _found(flow, node.line, "prompt_missing", prompt=name, node=node.name)
                elif seconds > LONGEST_S:
                    long, most = f"{seconds:.1f}", f"{LONGEST_S:.0f}"
                    yield _found(flow, node.line, "prompt_long", prompt=name, seconds=long, most=most)


def _expanded(prompt: str, entries: Iterable[Entry]) -> list[str]:
    """A prompt's names for every number that uses the flow."""
    if "{number}" not in prompt:
        return [prompt]
    return list(dict.fromkeys(prompt.replace("{number}", entry.number) for entry in entries))


def _time_to_a_person(flow: Flow, entries: list[Entry], length: Length) -> Iterator[Finding]:
    """The longest way by what is played on it, and by what a silent caller waits on it."""
    nowhere: tuple[float, tuple[str, ...]] = (0.0, ())
    longest, way = max(((_played(flow, way, entries, length), way) for way in _to_people(flow)), default=nowhere)
    if longest > LONGEST_S:
        route = " > ".join(way)
        line = flow.nodes[route.rpartition(" > ")[2]].line
        long, most = f"{longest:.1f}", f"{LONGEST_S:.0f}"
        yield _found(flow, line, "prompts_before_person", seconds=long, way=route, most=most)
    for node in flow.nodes.values():
        if isinstance(node, MenuNode):
            before = max(
                (_played(flow, way, entries, length) for way in _to_people(flow) if node.name in way), default=0
            )
            if before + node.timeout_s > ANSWER_S:
                waited = f"{before + node.timeout_s:.0f}"
                yield _found(flow, node.line, "silent_wait", menu=node.name, seconds=waited)


def _to_people(flow: Flow) -> list[tuple[str, ...]]:
    if flow.start not in flow.nodes:
        return []
    return [way for way in ways(flow.nodes, flow.start, _MOST_WAYS) if isinstance(flow.nodes[way[-1]], QueueNode)]


def _played(flow: Flow, way: tuple[str, ...], entries: list[Entry], length: Length) -> float:
    """Seconds of prompts on a way, for the number with the longest ones."""
    prompts = [prompt for name in way for prompt in _spoken(flow, name)]
    return sum(max((length(name) or 0.0 for name in _expanded(prompt, entries)), default=0.0) for prompt in prompts)


def _missing_flows(flows: Mapping[str, Flow], catalogue: Catalogue) -> Iterator[Finding]:
    for name in dict.fromkeys(FLOW_OF_MODE.values()):
        if name not in flows:
            yield Finding(code="flow_of_mode_missing", values={"flow": name}, file="flows", line=1)
    for entry in catalogue.entries:
        if entry.flow and entry.flow not in flows:
            named = {"number": entry.number, "flow": entry.flow}
            yield Finding(code="flow_of_number_missing", values=named, file="catalogue", line=1)
