"""What is wrong or unwise in flows that load: menus inside menus, long prompts, no way to a person, no sound file.

Pure: it is given flows, entries and the lengths of prompts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

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


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found."""

    severity: Severity
    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:1: {self.severity}: {self.message}"


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


def _error(flow: Flow, line: int, message: str) -> Finding:
    return Finding(severity=Severity.ERROR, file=flow.file, line=line, message=message)


def _warning(flow: Flow, line: int, message: str) -> Finding:
    return Finding(severity=Severity.WARNING, file=flow.file, line=line, message=message)


def _menus(flow: Flow, entries: Iterable[Entry]) -> Iterator[Finding]:
    own = any(entry.mode is MergeMode.SELF for entry in entries)
    for node in flow.nodes.values():
        if not isinstance(node, MenuNode):
            continue
        if "0" not in node.keys:
            yield _error(flow, node.line, f"the menu {node.name} has no key 0 to a person")
        if own:
            yield _warning(flow, node.line, f"12345 itself has the menu {node.name}: a person at once is better")
        below = [name for target in node.keys.values() for name in reachable(flow.nodes, target)]
        for deeper in dict.fromkeys(name for name in below if isinstance(flow.nodes[name], MenuNode)):
            yield _error(flow, flow.nodes[deeper].line, f"the menu {deeper} lies below the menu {node.name}: one level")


def _unreachable(flow: Flow) -> Iterator[Finding]:
    used = reachable(flow.nodes, flow.start, flow.human)
    for node in flow.nodes.values():
        if node.name not in used:
            yield _warning(flow, node.line, f"no way leads to the node {node.name}")
        elif isinstance(node, EndNode):
            yield _warning(flow, node.line, f"a caller who reaches {node.name} never speaks with a person")


def _hours(flow: Flow, catalogue: Catalogue) -> Iterator[Finding]:
    names = {profile.name for profile in catalogue.profiles}
    for node in flow.nodes.values():
        if isinstance(node, HoursNode) and "{" not in node.profile and node.profile not in names:
            yield _error(flow, node.line, f"the hours profile {node.profile} is not defined")


def _spoken(flow: Flow, name: str) -> tuple[str, ...]:
    return spoken(flow.nodes[name])


def _prompts(flow: Flow, entries: list[Entry], length: Length) -> Iterator[Finding]:
    for node in flow.nodes.values():
        again = node.again if isinstance(node, MenuNode) else ()
        for prompt in dict.fromkeys((*_spoken(flow, node.name), *again)):
            for name in _expanded(prompt, entries):
                seconds = length(name)
                if seconds is None:
                    yield _error(flow, node.line, f"the prompt {name} of the node {node.name} has no sound file")
                elif seconds > LONGEST_S:
                    yield _error(
                        flow, node.line, f"the prompt {name} is {seconds:.1f} s long; {LONGEST_S:.0f} s at most"
                    )


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
        yield _warning(flow, line, f"{longest:.1f} s of prompts before a person ({route}); {LONGEST_S:.0f} s are good")
    for node in flow.nodes.values():
        if isinstance(node, MenuNode):
            before = max(
                (_played(flow, way, entries, length) for way in _to_people(flow) if node.name in way), default=0
            )
            if before + node.timeout_s > ANSWER_S:
                yield _warning(
                    flow, node.line, f"who presses nothing in {node.name} waits {before + node.timeout_s:.0f} s"
                )


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
            message = f"the flow {name} is missing; numbers of its mode would go to 12345's"
            yield Finding(severity=Severity.ERROR, file="flows", line=1, message=message)
    for entry in catalogue.entries:
        if entry.flow and entry.flow not in flows:
            message = f"{entry.number} names the flow {entry.flow}, which does not exist"
            yield Finding(severity=Severity.ERROR, file="catalogue", line=1, message=message)
