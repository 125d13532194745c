"""Which line a call dialled: digits out of every way to write a number, the area code, the entry of that day.

Pure. It refuses to know where the catalogue is kept and what the number's caller will hear.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ivr.model import DEFAULT_ENTRY, HOTLINE, Catalogue, Dialled, Entry, MergeMode, Via

ZONE = ZoneInfo("Asia/Shanghai")
"""The zone whose midnight begins a catalogue day."""

_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_SEPARATORS = str.maketrans("", "", " \t-._()/\u00a0\u2010\u2011\u2012\u2013\u2014\uff0d\uff08\uff09\u3000")
_WIDE = str.maketrans("０１２３４５６７８９＋", "0123456789+")
_SHORT = re.compile(r"1[0-9]{2}|1[0-9]{4}|9[0-9]{4}")
_AREA = re.compile(r"(10|2[0-9]|[3-9][0-9]{2})(.+)")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"[2-8][0-9]{6,7}")
_LONGEST = 256
"""Characters of a header that are looked at."""
_DIGITS = re.compile(r"\+?[0-9]{1,20}")


class Number(NamedTuple):
    """Digits and the area code that was dialled with them."""

    digits: str
    """A short code (`12329`), a mobile, or a land-line; a land-line carries its area code when that is known."""
    area: str
    """Area code with its 0 (`0717`), empty when none was dialled."""


def normalise(raw: str, home: str = "") -> Number | None:
    """The number in `raw`, a dialled or calling number in any common form; `None` when there is none.

    `0717-12329`, `071712329`, `+86 717 12329`, `8612329`, `0086…`, `tel:`, `sip:…@…`, full-width digits. A
    land-line without an area code gets that of `home`.
    """
    digits = _digits(raw)
    if digits is None:
        return None
    plus, digits = _strip_country(digits)
    if not digits.strip("0"):
        return None
    if digits.startswith("0"):
        return _with_area(digits.lstrip("0"))
    if plus and not _SHORT.fullmatch(digits) and not _MOBILE.fullmatch(digits):
        return _with_area(digits)
    return _local(digits, home)


def _digits(raw: str) -> str | None:
    """`+` and digits, or digits alone, that `raw` is made of."""
    _, bracket, text = raw[:_LONGEST].translate(_WIDE).rpartition("<")
    text = text.strip()
    scheme = _SCHEME.match(text)
    if scheme or bracket:
        text = re.split(r"[@;?>]", text[scheme.end() if scheme else 0 :], maxsplit=1)[0]
    text = text.translate(_SEPARATORS)
    return text if _DIGITS.fullmatch(text) else None


def _strip_country(digits: str) -> tuple[bool, str]:
    """Whether a country prefix was written, and the digits without it."""
    for prefix in ("+86", "0086"):
        if digits.startswith(prefix) and len(digits) > len(prefix):
            return True, digits.removeprefix(prefix)
    bare = digits.removeprefix("86")
    if digits.startswith("86") and (_SHORT.fullmatch(bare) or _MOBILE.fullmatch(bare) or _national(bare)):
        return True, bare
    return False, digits.removeprefix("+")


def _national(digits: str) -> bool:
    """Area code without its 0, and a short code or land-line behind it."""
    found = _AREA.fullmatch(digits)
    return found is not None and bool(_SHORT.fullmatch(found[2]) or _LANDLINE.fullmatch(found[2]))


def _with_area(digits: str) -> Number:
    """`digits` stood behind a trunk 0 or a country code: a land-line there begins with its area code."""
    found = _AREA.fullmatch(digits)
    if found is None or _MOBILE.fullmatch(digits):
        return Number(digits, "")
    area, rest = "0" + found[1], found[2]
    return Number(rest if _SHORT.fullmatch(rest) else area + rest, area)


def _local(digits: str, home: str) -> Number:
    if _LANDLINE.fullmatch(digits) and home:
        return Number(home + digits, "")
    return Number(digits, "")


def local_day(at: datetime) -> date:
    """The calendar day of `at` (aware) in Asia/Shanghai."""
    return at.astimezone(ZONE).date()


def find(catalogue: Catalogue, number: Number, day: date) -> Entry | None:
    """The entry of `number` on `day`: its own city's first, then the home city's, then the one of every city."""
    for region in dict.fromkeys((number.area or catalogue.home, catalogue.home, "")):
        for entry in catalogue.entries:
            if entry.region == region and entry.holds_on(day) and _means(entry, number.digits):
                return entry
    return None


def _means(entry: Entry, digits: str) -> bool:
    return digits == entry.number or digits in entry.aliases


def identify(catalogue: Catalogue, request: str, to: str, diversions: Sequence[str], at: datetime) -> Dialled:
    """What was dialled, from the request line, the To header, and Diversion or History-Info (nearest first).

    A legacy number in the request wins. When the request names 12345, a pilot number or nothing known, a declared
    legacy number in To or, farthest first (it was dialled first), in a diversion wins; then an undeclared short
    code there, so that it is counted. Everything else is 12345's.
    """
    day = local_day(at)
    spoken = [(Via.REQUEST, request), (Via.TO, to), *((Via.DIVERSION, raw) for raw in reversed(diversions))]
    found: list[tuple[Via, Number, Entry | None]] = []
    for via, raw in spoken:
        if number := _read(catalogue, raw, day):
            entry = find(catalogue, number, day)
            if entry and entry.mode is not MergeMode.SELF:
                return _dialled(catalogue, number, entry, via, day)
            found.append((via, number, entry))
    return _hotline(catalogue, found, day)


def _read(catalogue: Catalogue, raw: str, day: date) -> Number | None:
    """As `normalise`, but a declared local land-line that begins with 86 is not taken for a country code."""
    digits = _digits(raw) or ""
    literal = Number(catalogue.home + digits, "")
    if digits.startswith("86") and _LANDLINE.fullmatch(digits) and find(catalogue, literal, day):
        return literal
    return normalise(raw, catalogue.home)


def _hotline(catalogue: Catalogue, found: list[tuple[Via, Number, Entry | None]], day: date) -> Dialled:
    """No legacy number was named: 12345 itself, or something that nobody declared."""
    itself = find(catalogue, Number(HOTLINE, ""), day) or DEFAULT_ENTRY
    hotline = [(via, number) for via, number, entry in found if entry or number.digits == HOTLINE]
    unknown = [(via, number) for via, number, entry in found if not entry and number.digits != HOTLINE]
    for via, number in unknown:
        if not hotline or _SHORT.fullmatch(number.digits):
            area = number.area or catalogue.home
            return Dialled(number=number.digits, entry=itself, declared=False, region=area, via=via)
    for via, number in hotline:
        return _dialled(catalogue, number, itself, via, day)
    return Dialled(number=HOTLINE, entry=itself, declared=False, region=catalogue.home, via=Via.NOTHING)


def _dialled(catalogue: Catalogue, number: Number, entry: Entry, via: Via, day: date) -> Dialled:
    return Dialled(
        number=entry.number,
        entry=entry,
        declared=True,
        region=number.area or entry.region or catalogue.home,
        via=via,
        in_transition=entry.in_transition(day),
    )


def check_entry(entry: Entry) -> list[str]:
    """What is wrong with one entry by itself, one sentence each."""
    problems: list[str] = []
    if not re.fullmatch(r"[0-9]{3,12}", entry.number):
        problems.append(f"the number {entry.number!r} is not 3 to 12 digits")
    elif normalise(entry.number, entry.region or "0000") != _as_written(entry):
        problems.append(f"the number {entry.number} is not in catalogue form (a land-line needs its area code)")
    if entry.region and not re.fullmatch(r"0[0-9]{2,3}", entry.region):
        problems.append(f"the region {entry.region!r} is not an area code such as 0717")
    if not entry.owner_unit and entry.mode not in _OWNERLESS:
        problems.append(f"owner_unit is missing: a number of mode {entry.mode} has a unit that answers for it")
    problems += _check_dates(entry)
    return problems


def field_of(problem: str) -> str:
    """The field of an entry that a sentence of `check_entry` is about."""
    named = (word for word in problem.split() if word in _CHECKED)
    return next(named, "transition_until")


_CHECKED = frozenset({"number", "region", "owner_unit", "valid_to", "transition_until"})
_OWNERLESS = frozenset({MergeMode.SELF, MergeMode.EMERGENCY})


def _as_written(entry: Entry) -> Number:
    found = _AREA.fullmatch(entry.number.removeprefix("0"))
    area = "0" + found[1] if found and entry.number.startswith("0") else ""
    return Number(entry.number, area)


def _check_dates(entry: Entry) -> list[str]:
    problems: list[str] = []
    if entry.valid_from and entry.valid_to and entry.valid_to < entry.valid_from:
        problems.append(f"valid_to {entry.valid_to} lies before valid_from {entry.valid_from}")
    if entry.transition_until and entry.valid_from and entry.transition_until < entry.valid_from:
        problems.append(f"transition_until {entry.transition_until} lies before valid_from {entry.valid_from}")
    if entry.mode is MergeMode.DUAL_TRACK:
        problems += _check_dual_track(entry)
    return problems


def _check_dual_track(entry: Entry) -> list[str]:
    """A dual track is limited to half a year (`domain.md` row 24)."""
    if entry.valid_from is None or entry.transition_until is None:
        return ["a dual track needs valid_from and transition_until, half a year apart at most"]
    if entry.transition_until > half_a_year_after(entry.valid_from):
        return [f"the dual track runs to {entry.transition_until}, more than half a year after {entry.valid_from}"]
    return []


def half_a_year_after(day: date) -> date:
    """The same day six months later; the month's last day when that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + 6, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))


def overlaps(entries: Iterable[Entry]) -> list[tuple[Entry, Entry]]:
    """Pairs of entries that claim the same digits in the same region on the same day."""
    claims: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        for digits in dict.fromkeys((entry.number, *entry.aliases)):
            claims.setdefault((digits, entry.region), []).append(entry)
    pairs: list[tuple[Entry, Entry]] = []
    for rivals in claims.values():
        meeting = ((one, two) for one, two in combinations(rivals, 2) if _meet(one, two))
        pairs += [pair for pair in meeting if pair not in pairs]
    return pairs


def _meet(one: Entry, two: Entry) -> bool:
    first, last = max(one.valid_from or date.min, two.valid_from or date.min), one.valid_to or date.max
    return first <= min(last, two.valid_to or date.max)


def warnings(entry: Entry, today: date) -> list[str]:
    """What is allowed but should be looked at, one sentence each."""
    found: list[str] = []
    if not entry.holds_on(today):
        return found
    if entry.mode is MergeMode.WHOLE and entry.transition_until is None:
        found.append("no end of the transition prompt is set: it plays until further notice")
    if entry.mode is MergeMode.DUAL_TRACK and entry.transition_until:
        left = (entry.transition_until - today).days
        if left <= 30:
            found.append(f"the dual track {f'ends in {left} days' if left >= 0 else 'is over'}: decide what follows")
    if entry.mode in {MergeMode.DUAL, MergeMode.DUAL_TRACK} and not entry.needs:
        found.append("the owner's skill is not named in needs: calls go to the general seats only")
    return found
