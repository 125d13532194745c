"""Findings about this machine and this installation, and what follows from them: one line each, and a verdict.

Looks at nothing itself: `console.probes` does.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What a finding means for the hotline."""

    OK = "ok"
    MISSING = "missing"  # it cannot run, or not as configured
    OPTIONAL = "optional"  # something that it can do will not be done


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    found: str
    """What is there, or what is wrong."""
    todo: str = ""
    """What to do about it; empty when nothing is."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    ok: bool
    findings: tuple[Finding, ...]


def good(name: str, found: str) -> Finding:
    """All is well."""
    return Finding(name=name, verdict=Verdict.OK, found=found)


def missing(name: str, found: str, todo: str = "") -> Finding:
    """The hotline cannot run without it."""
    return Finding(name=name, verdict=Verdict.MISSING, found=found, todo=todo)


def optional(name: str, found: str, todo: str = "") -> Finding:
    """The hotline runs without it, and does less."""
    return Finding(name=name, verdict=Verdict.OPTIONAL, found=found, todo=todo)


def report(findings: Sequence[Finding]) -> Report:
    """Everything, and whether nothing that is needed is missing."""
    return Report(ok=all(one.verdict is not Verdict.MISSING for one in findings), findings=tuple(findings))


def text(told: Report) -> str:
    """The report for a person."""
    width = max((len(one.name) for one in told.findings), default=0)
    lines = [_line(one, width) for one in told.findings]
    count = sum(one.verdict is Verdict.MISSING for one in told.findings)
    end = "Everything that is needed is there." if told.ok else f"{count} missing: see the lines above."
    return "\n".join([*lines, end])


def _line(one: Finding, width: int) -> str:
    line = f"{one.verdict.value:<9} {one.name:<{width}}  {one.found}"
    return f"{line.rstrip('.')}: {one.todo}" if one.todo else line
