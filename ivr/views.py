"""What the API shows of numbers and flows."""

from datetime import date, datetime
from pathlib import PurePath
from typing import Any

import msgspec
from pydantic import BaseModel

from ivr.lint import Finding
from ivr.model import Entry, LedgerLine, MergeMode, MergeStatus
from ivr.simulate import Simulation


class SkillView(BaseModel):
    """A skill and its least level."""

    skill: str
    level: int


class NumberView(BaseModel):
    """What a number means from one day to another."""

    number: str
    region: str
    valid_from: date | None
    valid_to: date | None
    name: str
    owner_unit: str
    mode: MergeMode
    mode_name: str
    """The mode in Chinese."""
    status: MergeStatus
    cutover_at: date | None
    transition_until: date | None
    flow: str
    """The flow that its callers run through."""
    own_flow: str
    """The flow that the entry names; empty: the one of its mode."""
    hours: str
    queue: str
    needs: list[SkillView]
    widen_after_s: int
    priority: int
    experts: list[str]
    external: str
    aliases: list[str]
    ticket_class: str
    note: str
    source: str

    @classmethod
    def of(cls, entry: Entry) -> "NumberView":
        values = {name: getattr(entry, name) for name in Entry.__struct_fields__}
        needs = [SkillView(skill=need.skill, level=need.level) for need in entry.needs]
        return cls.model_validate(
            values | {"needs": needs, "flow": entry.flow_name, "own_flow": entry.flow, "mode_name": entry.mode.chinese}
            | {"experts": list(entry.experts), "aliases": list(entry.aliases)}
        )  # fmt: skip


class MomentView(BaseModel):
    """One thing that happens in a call."""

    after_s: float
    node: str
    action: str
    words: str
    prompts: list[str]
    key: str
    """What the caller presses; empty: nothing."""


class CallView(BaseModel):
    """What a call at that time would meet, up to a person or an end."""

    at: str
    flow: str
    version: str
    day: str
    open: bool | None
    in_transition: bool
    found_in: str
    moments: list[MomentView]
    outcome: str
    queue: str
    needs: list[str]
    topic: str
    guests: list[str]
    """Who answers for the queue then besides its seats, and before them."""
    warnings: list[str]

    @classmethod
    def of(cls, found: Simulation) -> "CallView":
        return cls.model_validate(msgspec.to_builtins(found))


class NumberAnswer(BaseModel):
    """One number at one moment."""

    number: str
    region: str
    declared: bool
    """False: it goes to 12345 and is counted."""
    entry: NumberView
    """The entry in force at that moment; 12345's own when the number is not declared."""
    entries: list[NumberView]
    """Everything that is declared for this number, in the order of time."""
    call: CallView


class ImportView(BaseModel):
    """What an import did, or would do."""

    changed: int
    entries: int
    revision: int
    warnings: list[str]


class LedgerView(BaseModel):
    """One line of the ledger."""

    seq: int
    at: datetime
    who: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any]

    @classmethod
    def of(cls, line: LedgerLine) -> "LedgerView":
        return cls.model_validate(msgspec.structs.asdict(line))


class FindingView(BaseModel):
    """Something in a flow that should be looked at."""

    severity: str
    code: str
    file: str
    line: int
    message: str
    """In English; `chinese` is the same sentence."""
    chinese: str

    @classmethod
    def of(cls, found: Finding) -> "FindingView":
        return cls(
            severity=found.severity,
            code=found.code,
            file=PurePath(found.file).name,
            line=found.line,
            message=found.message,
            chinese=found.chinese,
        )


class FlowsView(BaseModel):
    """The flows in force."""

    flows: dict[str, str]
    """Flow to version."""
    catalogue_revision: int
    catalogue_source: str
    """`database`, `snapshot` or `nothing`."""
    undeclared: int
    """Calls since the start to numbers that nobody declared."""
    problems: list[str]
    """Files that were not taken and prompts that cannot be played; the old versions stay in force."""
    findings: list[FindingView]
