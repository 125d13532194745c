"""Values of the catalogue: numbers with their dates, modes and owners, hours, and what a call dialled.

Frozen values only; nothing here reads a file, a clock or a database.
"""

from datetime import date, datetime, time
from enum import StrEnum

import msgspec

HOTLINE = "12345"
"""The one public number that everything undeclared goes to."""

GENERAL_QUEUE = "general"
"""The queue of the general seats; it is never closed."""


class MergeMode(StrEnum):
    """How a legacy number was merged (`domain.md` 1B, 3.3)."""

    WHOLE = "whole"  # 整体并入: the number is given up, its calls follow the flow of 12345
    DUAL = "dual"  # 双号并行: the number stays known, its owner's seats are tried first
    SUBCENTER = "subcenter"  # 设分中心: a vertically managed line that keeps its own seats
    DUAL_TRACK = "dual_track"  # 双轨过渡: in parallel for half a year at most, then merged
    OFFICE_ONLY = "office_only"  # 保留为办公电话: a land-line that no longer takes requests
    EMERGENCY = "emergency"  # 紧急: 110, 119, 120, 122
    UTILITY = "utility"  # 公共事业: water, power, gas, heat, transport
    EXTERNAL = "external"  # 外部协同: party, congress, court, procuratorate and other lines that were not merged
    SELF = "self"  # 本号: 12345 itself

    @property
    def chinese(self) -> str:
        """The name that people see."""
        return MODE_NAMES[self]


MODE_NAMES: dict[MergeMode, str] = {
    MergeMode.WHOLE: "整体并入",
    MergeMode.DUAL: "双号并行",
    MergeMode.SUBCENTER: "设分中心",
    MergeMode.DUAL_TRACK: "双轨过渡",
    MergeMode.OFFICE_ONLY: "保留为办公电话",
    MergeMode.EMERGENCY: "紧急",
    MergeMode.UTILITY: "公共事业",
    MergeMode.EXTERNAL: "外部协同",
    MergeMode.SELF: "本号",
}


FLOW_OF_MODE: dict[MergeMode, str] = {
    MergeMode.WHOLE: "whole",
    MergeMode.DUAL: "dual",
    MergeMode.SUBCENTER: "external",
    MergeMode.DUAL_TRACK: "dual_track",
    MergeMode.OFFICE_ONLY: "office_only",
    MergeMode.EMERGENCY: "emergency",
    MergeMode.UTILITY: "external",
    MergeMode.EXTERNAL: "external",
    MergeMode.SELF: "self",
}
"""The flow of a number whose entry names none."""


class MergeStatus(StrEnum):
    """How far the merger of a number has come."""

    PLANNED = "planned"  # 计划中
    PROMPTING = "prompting"  # 过渡提示
    FORWARDING = "forwarding"  # 呼叫转移
    MERGED = "merged"  # 已并入
    ALREADY_MERGED = "already_merged"  # 已整合: merged before the plan that lists it
    CLOSED = "closed"  # 已停用
    REASSIGNED = "reassigned"  # 号码改作他用


class SkillNeed(msgspec.Struct, frozen=True):
    """A skill that whoever answers must have, at `level` (1 to 10) or better."""

    skill: str
    level: int = 1


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one number means from one day to another. Several entries of a number follow each other in time."""

    number: str
    """Digits as citizens know them: `12329`, or a land-line with its area code, `09318772182`."""
    region: str = ""
    """Area code of the city whose entry this is; empty: every city."""
    valid_from: date | None = None
    """First day, from 00:00 local time; `None`: since before the records."""
    valid_to: date | None = None
    """Last day, to its midnight; `None`: open."""
    name: str
    owner_unit: str = ""
    """承办单位 that answers for what is said on this number."""
    mode: MergeMode
    status: MergeStatus = MergeStatus.MERGED
    cutover_at: date | None = None
    """The day on which calls began, or will begin, to arrive here."""
    transition_until: date | None = None
    """Last day of the transition prompt or of the dual track; `None` for WHOLE: prompt until further notice."""
    flow: str = ""
    """Flow of this number; empty: the one of its mode."""
    hours: str = ""
    """Hours profile of the owner's seats; empty: always open."""
    queue: str = GENERAL_QUEUE
    needs: tuple[SkillNeed, ...] = ()
    """What the owner's seats can do: they are tried first."""
    widen_after_s: int = 20
    """After this many seconds of waiting the general seats may answer as well."""
    priority: int = 0
    """Seconds of head start in the queue."""
    experts: tuple[str, ...] = ()
    """Skills of the owner's expert seats (专家坐席), for a three-way call."""
    external: str = ""
    """Where the call is transferred when the mode says so and a trunk leads there; empty: nowhere."""
    aliases: tuple[str, ...] = ()
    """Other digits that mean this entry: pilot numbers and DIDs."""
    ticket_class: str = ""
    note: str = ""
    source: str = ""

    @property
    def flow_name(self) -> str:
        """The flow that its callers run through."""
        return self.flow or FLOW_OF_MODE[self.mode]

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes an entry itself: number, region and first day."""
        return self.number, self.region, self.valid_from.isoformat() if self.valid_from else ""

    def holds_on(self, day: date) -> bool:
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)

    def in_transition(self, day: date) -> bool:
        """Whether callers are still told about the merger."""
        return day <= (self.transition_until or date.max)


DEFAULT_ENTRY = Entry(number=HOTLINE, name=HOTLINE, mode=MergeMode.SELF)
"""What 12345 is when the catalogue does not even declare that."""


class DayWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Open from `start` to just before `end` on some kinds of day."""

    days: frozenset[str]
    """`daily`, `workdays`, `restdays`, `holidays`, or weekdays `mon` … `sun` (`ivr.calendar` says what they mean)."""
    start: time
    end: time | None
    """`None`: midnight at the end of the day."""
    season: tuple[tuple[int, int], tuple[int, int]] | None = None
    """First and last (month, day), both included; may run over New Year."""


class HoursProfile(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody's seats answer, Asia/Shanghai."""

    name: str
    windows: tuple[DayWindow, ...]
    units: tuple[str, ...] = ()
    """承办单位 whose numbers have these hours where they name none of their own."""


class DayOverride(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant's own word about one date; it outranks the public calendar."""

    day: date
    kind: str
    """`work`, `rest` or `holiday`."""
    counts_as: str = ""
    """For a work day: the weekday (`mon` … `sun`) whose windows hold; empty: its own, or Monday's on a weekend."""
    windows: tuple[DayWindow, ...] = ()
    """Shortened hours of that day for every profile; empty: the profiles' own."""
    note: str = ""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what a dialled number means, at every date."""

    home: str
    """Area code of this installation's city, e.g. `0717`."""
    entries: tuple[Entry, ...] = ()
    profiles: tuple[HoursProfile, ...] = ()
    days: tuple[DayOverride, ...] = ()


class Via(StrEnum):
    """Where in the call's request the dialled number was found."""

    REQUEST = "request"
    TO = "to"
    DIVERSION = "diversion"
    NOTHING = "nothing"  # no readable number at all


class Dialled(msgspec.Struct, frozen=True, kw_only=True):
    """The number that the citizen dialled, and what it means on that day."""

    number: str
    """Digits in catalogue form; what could not be read at all is `12345`."""
    entry: Entry
    declared: bool
    """False: nobody declared this number (or not for this day); it goes to 12345 and is to be counted."""
    region: str
    """Area code of the responsible city."""
    via: Via
    in_transition: bool = True
    """Whether the transition of `entry` was still running when the call came."""


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger (号码台账): who changed what, when, from what, to what."""

    seq: int
    at: datetime
    who: str
    subject: str
    """The number, `hours:NAME` or `day:DATE`."""
    before: dict[str, object] | None
    """As it was stored; `None`: it is new."""
    after: dict[str, object]
