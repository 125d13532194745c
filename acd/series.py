"""The day in numbers: the same figures for each queue, each dialled number or each unit, and what happened in each
stretch of the day.

Pure; every share has the formula of `acd.measures`, and `None` where there is nothing to divide by.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from pydantic import BaseModel

from acd import measures
from acd.measures import CallStay, ServiceLevelFormula


class By(StrEnum):
    """What calls are told apart by."""

    QUEUE = "queue"
    DIALLED = "dialled"  # the number that the citizen dialled
    UNIT = "unit"  # the unit that answers for that number, as the catalogue said when the call came


UnitOf = Callable[[str, datetime], str]
"""The unit that answers for a number at a moment; empty: nobody knows."""


class Row(BaseModel):
    """One queue's, one dialled number's or one unit's figures; each is named as in `/api/v1/kpis`, where its formula
    stands."""

    key: str
    calls: int
    """That left the queue."""
    answered: int
    abandoned: int
    """Short abandons left out."""
    short_abandons: int
    answer_rate: float | None
    answered_in_15_s_from_arrival: float | None
    service_level_standard: float | None
    abandon_rate: float | None
    asa_mean_s: float | None
    asa_p95_s: float | None
    talk_time_s: float | None


class Stretch(BaseModel):
    """What happened from `at` on, until the next stretch begins."""

    at: datetime
    joined: int
    answered: int
    abandoned: int
    service_level_standard: float | None
    """Of those that left the queue in it."""
    longest_wait_s: float


def rows(stays: Iterable[CallStay], by: By, unit_of: UnitOf = lambda _number, _at: "") -> list[Row]:
    """Figures of stays that are over, the busiest first; of call-backs only those that were promised to who waited."""
    groups: defaultdict[str, list[CallStay]] = defaultdict(list)
    unit_of = remembered(unit_of)
    for stay in stays:
        if stay.reason is not None and (stay.promised or not stay.call_back):
            groups[_key(stay, by, unit_of)].append(stay)
    return sorted((_row(key, group) for key, group in groups.items()), key=lambda row: (-row.calls, row.key))


def remembered(unit_of: UnitOf) -> UnitOf:
    """`unit_of`, which is asked once for each number and hour: what the catalogue says changes at midnight."""
    ask = lru_cache(maxsize=None)(unit_of)
    return lambda number, at: ask(number, at.replace(minute=0, second=0, microsecond=0))


def _key(stay: CallStay, by: By, unit_of: UnitOf) -> str:
    if by is By.UNIT:
        return unit_of(stay.dialled, stay.called_at)
    return stay.queue if by is By.QUEUE else stay.dialled


def _row(key: str, stays: Sequence[CallStay]) -> Row:
    asa, short = measures.speed_of_answer(stays), measures.short_abandons(stays)
    return Row(
        key=key,
        calls=sum(not stay.call_back for stay in stays),
        answered=sum(stay.answered for stay in stays),
        abandoned=sum(stay.abandoned for stay in stays) - short,
        short_abandons=short,
        answer_rate=measures.answer_rate(stays),
        answered_in_15_s_from_arrival=measures.answered_within(stays),
        service_level_standard=measures.service_level(stays, formula=ServiceLevelFormula.STANDARD),
        abandon_rate=measures.abandon_rate(stays),
        asa_mean_s=asa and asa.mean_s,
        asa_p95_s=asa and asa.p95_s,
        talk_time_s=measures.talk_time(stays),
    )


def stretches(stays: Sequence[CallStay], since: datetime, until: datetime, step: timedelta) -> list[Stretch]:
    """Stretches of `step`, the first one that in which `since` lies; they begin at whole multiples of `step`."""
    first, last = _begin(since, step), _begin(until, step)
    joined: defaultdict[datetime, int] = defaultdict(int)
    left: defaultdict[datetime, list[CallStay]] = defaultdict(list)
    for stay in stays:
        if stay.call_back:
            continue
        joined[_begin(stay.joined_at, step)] += 1
        if stay.left_at is not None:
            left[_begin(stay.left_at, step)].append(stay)
    count = (last - first) // step + 1
    return [_stretch(at, joined[at], left[at]) for at in (first + number * step for number in range(count))]


def _stretch(at: datetime, joined: int, left: Sequence[CallStay]) -> Stretch:
    return Stretch(
        at=at,
        joined=joined,
        answered=sum(stay.answered for stay in left),
        abandoned=sum(stay.abandoned for stay in left),
        service_level_standard=measures.service_level(left, formula=ServiceLevelFormula.STANDARD),
        longest_wait_s=max((stay.waited.total_seconds() for stay in left), default=0.0),
    )


def _begin(at: datetime, step: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (at - epoch) // step * step
