"""Who outside may be called: the one guard that everything which dials out must pass. Pure.

Toll fraud is what happens to telephone systems that dial what they are told to. So there is an allow-list and no
other way: numbers that the catalogue or the roster names, and what the installation lists; premium and international
numbers only when they are listed by themselves. On top of that a limit of calls at the same time, limits per day, and
a night in which only those are called who are there at night. Emergency lines have no limits: an operator who needs
110 gets it. Knows no clock, no trunk and no database.
"""

import re
from collections.abc import Mapping
from datetime import time, timedelta
from enum import StrEnum

import msgspec

from telephony.model import Admitted

LONGEST = timedelta(hours=2)
"""A call to the outside is ended after this, whoever forgot it."""


class Kind(StrEnum):
    """Why a number may be dialled."""

    EMERGENCY = "emergency"  # 110, 119, 120, 122
    UTILITY = "utility"  # water, power, gas, heat, transport
    SUBCENTER = "subcenter"  # a vertically managed line with seats of its own
    EXTERNAL = "external"  # lines of other bodies
    ROSTER = "roster"  # an expert's fixed number
    LISTED = "listed"  # the installation's own list
    CITIZEN = "citizen"  # who called us, and is called back


AT_NIGHT = frozenset({Kind.EMERGENCY, Kind.UTILITY, Kind.SUBCENTER, Kind.ROSTER})
"""Who is there at night; the roster knows its own hours."""


class Why(StrEnum):
    """Why a number is not dialled."""

    NO_TRUNK = "no_trunk"
    MALFORMED = "malformed"
    INTERNATIONAL = "international"
    PREMIUM = "premium"
    NOT_LISTED = "not_listed"
    NIGHT = "night"
    LINES_BUSY = "lines_busy"
    DAY_FULL = "day_full"
    SEAT_DAY_FULL = "seat_day_full"
    NO_SUBSCRIBER = "no_subscriber"
    OURS = "ours"
    OFF_HOURS = "off_hours"
    NUMBER_DAY_FULL = "number_day_full"
    UNATTENDED = "unattended"


SENTENCES: Mapping[Why, str] = {
    Why.NO_TRUNK: "No outgoing trunk is configured: an administrator sets HOTLINE_TRUNK_HOST.",
    Why.MALFORMED: "This is no telephone number: write 2 to 20 digits, blanks and dashes between them at most.",
    Why.INTERNATIONAL: "International numbers are not dialled: an administrator lists those that are needed.",
    Why.PREMIUM: "Numbers that cost extra are not dialled: an administrator lists those that are needed.",
    Why.NOT_LISTED: "This number is in neither the catalogue nor the roster: an administrator adds it.",
    Why.NIGHT: "This number is not dialled at night: wait for the day, or ask a supervisor.",
    Why.LINES_BUSY: "Every line to the outside is in use: wait until one is free.",
    Why.DAY_FULL: "As many calls to the outside as are allowed in a day were made: an administrator raises the limit.",
    Why.SEAT_DAY_FULL: "This seat has made as many calls to the outside as it may today: ask a supervisor.",
    Why.NO_SUBSCRIBER: "This is no subscriber's number: take the matter down, or ask for another number.",
    Why.OURS: "This is one of the hotline's own numbers: nobody is called there.",
    Why.UNATTENDED: "An emergency line is called by somebody who stays until it answers: queue the call for a seat.",
    Why.OFF_HOURS: "Citizens are not called back at this hour: wait for the morning.",
    Why.NUMBER_DAY_FULL: "This number was called as often as it may be today: try again tomorrow.",
}
"""What people are told."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A number that the catalogue or the roster names."""

    number: str
    """As people know it: `110`, `12366`."""
    dial: str
    """What is dialled for it."""
    kind: Kind
    name: str = ""
    unit: str = ""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What this installation allows."""

    trunk: bool
    region: str
    """Our own area code, with its 0."""
    prefix: str = ""
    allow: tuple[str, ...] = ()
    lines: int = 10
    daily: int = 500
    daily_seat: int = 60
    night: tuple[time, time] | None = None
    call_back: tuple[time, time] | None = None
    """From when to when citizens are called back; nothing: at any time."""
    citizens_daily: int = 500
    number_daily: int = 6


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What goes on, and went on today."""

    lines: int = 0
    today: int = 0
    today_of_seat: int = 0
    today_alone: int = 0
    """Dialled for citizens alone, without a seat."""
    citizens_today: int = 0
    today_of_number: int = 0


class Permitted(msgspec.Struct, frozen=True, kw_only=True):
    """It may be dialled now."""

    admitted: Admitted
    target: Target


def read(raw: str) -> str | None:
    """The digits of a number as somebody wrote it, +86 and 0086 taken off, other countries' as `00…`; nothing when it
    is no number. Whatever is not a digit, a blank or a dash between digits, or a + in front, makes it none."""
    if not re.fullmatch(r"\+?[0-9](?:[ -]?[0-9]){1,19}", raw, re.ASCII):
        return None
    digits = raw.replace(" ", "").replace("-", "")
    digits = "00" + digits[1:] if digits.startswith("+") else digits
    digits = digits.removeprefix("0086")
    return digits if len(digits) > 1 else None


_PREMIUM = re.compile(r"(?:010|02[0-9]|0[3-9][0-9]{2})?(?:16[08][0-9]{3,5}|125[89][0-9]{2,6}|1018[0-9]{2,4})", re.ASCII)
"""Information services that are billed to the caller (信息台), with or without an area code."""


def decide(raw: str, targets: Mapping[str, Target], rules: Rules, usage: Usage, now: time) -> Permitted | Why:
    """Whether this number may be dialled at this local time. `targets`: by every way to write their numbers."""
    number = read(raw)
    if number is None:
        return Why.MALFORMED
    found = look_up(number, targets, rules)
    if isinstance(found, Why):
        return found
    if not rules.trunk:
        return Why.NO_TRUNK
    if found.kind is not Kind.EMERGENCY and (refused := _limits(found.kind, rules, usage, now)) is not None:
        return refused
    return Permitted(admitted=Admitted(digits=rules.prefix + found.dial, longest=LONGEST), target=found)


def unattended(raw: str, targets: Mapping[str, Target], rules: Rules, *, ours: bool) -> Why | None:
    """Why nobody is connected with this number without a seat of ours; nothing: it may be, within the limits."""
    number = read(raw)
    if number is None:
        return Why.MALFORMED
    found = look_up(number, targets, rules)
    if isinstance(found, Why):
        return found
    if found.kind is Kind.EMERGENCY:
        return Why.UNATTENDED
    return Why.OURS if ours else None


def share(rules: Rules, usage: Usage) -> Why | None:
    """Why nobody more is connected so just now: callers alone never take more than half of the lines and of the day,
    so that seats can always dial."""
    if 2 * usage.lines >= rules.lines:
        return Why.LINES_BUSY
    return Why.DAY_FULL if 2 * usage.today_alone >= rules.daily else None


def look_up(number: str, targets: Mapping[str, Target], rules: Rules) -> Target | Why:
    """Who is reached by these digits, if anybody may be."""
    local = number.removeprefix(rules.region) if rules.region else number
    found = targets.get(number) or targets.get(local) or targets.get(rules.region + number)
    listed = _is_listed(number, rules.allow)
    for one in {number, found.dial if found else number}:
        if not (listed or _is_listed(one, rules.allow)):
            if one.startswith("00"):
                return Why.INTERNATIONAL
            if _PREMIUM.fullmatch(one):
                return Why.PREMIUM
    if found is not None:
        return found
    return Target(number=number, dial=number, kind=Kind.LISTED) if listed else Why.NOT_LISTED


def _is_listed(number: str, allow: tuple[str, ...]) -> bool:
    patterns = [read_listed(one) for one in allow]
    return any(number.startswith(one[:-1]) if one.endswith("*") else number == one for one in patterns)


def read_listed(one: str) -> str:
    """An entry of the list in the form of `read`."""
    return "00" + one[1:] if one.startswith("+") else one


def _limits(kind: Kind, rules: Rules, usage: Usage, now: time) -> Why | None:
    if kind not in AT_NIGHT and rules.night is not None and _within(now, *rules.night):
        return Why.NIGHT
    if usage.lines >= rules.lines:
        return Why.LINES_BUSY
    if usage.today >= rules.daily:
        return Why.DAY_FULL
    return Why.SEAT_DAY_FULL if usage.today_of_seat >= rules.daily_seat else None


def _within(now: time, first: time, last: time) -> bool:
    return first <= now < last if first <= last else now >= first or now < last


_SUBSCRIBER = re.compile(r"(?:0?1[3-9][0-9]{9}|(?:010|02[0-9]|0[3-9][0-9]{2})?[2-8][0-9]{6,7})", re.ASCII)
"""A mobile telephone, or a line of a town with its area code or without: what citizens call from."""


def subscriber(raw: str, allow: tuple[str, ...] = ()) -> str | Why:
    """The digits of a citizen's number, or why nobody is called back there: it is never a service, a premium number or
    one abroad, unless it is listed."""
    number = read(raw)
    if number is None:
        return Why.MALFORMED
    if _is_listed(number, allow):
        return number
    if number.startswith("00"):
        return Why.INTERNATIONAL
    if _PREMIUM.fullmatch(number):
        return Why.PREMIUM
    return number if _SUBSCRIBER.fullmatch(number) else Why.NO_SUBSCRIBER


def call_back(raw: str, rules: Rules, usage: Usage, now: time, *, ours: bool = False) -> Permitted | Why:
    """Whether a citizen may be called back at this local time. `ours`: the number is one that the hotline answers, so
    that the call would come back to us. Limits of its own: neither the catalogue's list nor its night counts."""
    number = subscriber(raw, rules.allow)
    if isinstance(number, Why):
        return number
    if ours:
        return Why.OURS
    if not rules.trunk:
        return Why.NO_TRUNK
    if rules.call_back is not None and not _within(now, *rules.call_back):
        return Why.OFF_HOURS
    if usage.lines >= rules.lines:
        return Why.LINES_BUSY
    if usage.citizens_today >= rules.citizens_daily:
        return Why.DAY_FULL
    if usage.today_of_number >= rules.number_daily:
        return Why.NUMBER_DAY_FULL
    target = Target(number=number, dial=number, kind=Kind.CITIZEN)
    return Permitted(admitted=Admitted(digits=rules.prefix + number, longest=LONGEST), target=target)
