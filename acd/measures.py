"""Figures of the floor: folds over its facts, and one pure function for each figure with its formula.

A figure that has nothing to be divided by is `None`, never 0 or 100. Knows no database; reading the same facts
again gives the same figures.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from acd.values import LeaveReason

SHORT_ABANDON = timedelta(seconds=5)
"""Who hangs up within this time did not wait for anybody and is counted apart (`domain.md` 4, abandon)."""
ANSWER_TARGET = timedelta(seconds=15)
"""The policy's answer time (`domain.md` 4: 15 秒接听率)."""


class CallStay(msgspec.Struct, frozen=True, kw_only=True):
    """One stay of a call in the queue, and the talk it led to."""

    call: str
    queue: str
    dialled: str = ""
    called_at: datetime
    """When it reached the hotline; when it joined, if that is not known."""
    joined_at: datetime
    left_at: datetime | None = None
    reason: LeaveReason | None = None
    waited: timedelta = timedelta()
    """From the beginning of waiting to leaving the queue."""
    answered_by: str = ""
    talk: timedelta | None = None
    """Answer to the end of the talk, holds included; `None` while it lasts or when there was none."""
    wrap_up: timedelta | None = None
    call_back: bool = False
    """It waited without a line: its waiting counts nowhere, its talk does."""
    promised: bool = False
    """It did so because a call-back was promised: whether the citizen was answered is known at its end."""

    abusive: bool = False
    """It was ended for abuse: its talk is left out of the agents' figures."""

    @property
    def answered(self) -> bool:
        return self.reason is LeaveReason.ANSWERED

    @property
    def abandoned(self) -> bool:
        return self.reason is LeaveReason.ABANDONED

    @property
    def from_arrival(self) -> timedelta:
        """From the call's arrival at the hotline to leaving the queue."""
        return (self.left_at or self.joined_at) - self.called_at


class SeatTime(msgspec.Struct, frozen=True, kw_only=True):
    """How one seat spent its time while signed in."""

    seat: str
    signed_in: timedelta = timedelta()
    talking: timedelta = timedelta()
    wrap_up: timedelta = timedelta()
    paused: timedelta = timedelta()
    ringing: timedelta = timedelta()


class OfferEnd(msgspec.Struct, frozen=True, kw_only=True):
    """One call that rang at one seat."""

    at: datetime
    seat: str
    queue: str
    rang: timedelta
    reason: str
    """Why it was not answered; empty when it was."""


class Clock(StrEnum):
    """From when an answer is timed: policy and industry differ, so both are told."""

    ARRIVAL = "arrival"  # the call reached the hotline, menus included
    QUEUE = "queue"  # it began to wait


class ServiceLevelFormula(StrEnum):
    """Four ways in use (`domain.md` 4, 服务水平); the first is the default."""

    STANDARD = "answered_in_time / (answered + abandoned_late)"
    WITH_ABANDONED = "(answered_in_time + abandoned_in_time) / all"
    OF_ANSWERED = "answered_in_time / answered"
    OF_ALL = "answered_in_time / all"


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Mean, median and 95th percentile (nearest rank), in seconds."""

    mean_s: float
    median_s: float
    p95_s: float


def _left(stays: Iterable[CallStay]) -> list[CallStay]:
    """Stays on the line that are over."""
    return [stay for stay in stays if stay.reason is not None and not stay.call_back]


def _ratio(part: int | float, whole: int | float) -> float | None:
    return part / whole if whole else None


def _timed(stay: CallStay, clock: Clock) -> timedelta:
    return stay.from_arrival if clock is Clock.ARRIVAL else stay.waited


def answer_rate(stays: Iterable[CallStay]) -> float | None:
    """人工接通率 = answered ÷ all that asked for a human and left the queue, whatever the reason. Who was promised a
    call-back is counted once, when that is over: answered when he was talked with. Other call-backs are of calls that
    were counted before, and who rings again is counted then."""
    settled = [stay for stay in stays if stay.reason is not None and _is_settled(stay)]
    return _ratio(sum(stay.answered for stay in settled), len(settled))


def _is_settled(stay: CallStay) -> bool:
    if stay.call_back:
        return stay.promised and stay.reason is not LeaveReason.REJOINED
    return stay.reason is not LeaveReason.CALL_BACK


def answered_within(
    stays: Iterable[CallStay], limit: timedelta = ANSWER_TARGET, clock: Clock = Clock.ARRIVAL
) -> float | None:
    """15 秒接听率 = answered within `limit` by `clock` ÷ (answered + abandoned later than `SHORT_ABANDON`)."""
    left = _left(stays)
    in_time = sum(stay.answered and _timed(stay, clock) <= limit for stay in left)
    counted = sum(stay.answered or (stay.abandoned and stay.waited > SHORT_ABANDON) for stay in left)
    return _ratio(in_time, counted)


def service_level(
    stays: Iterable[CallStay],
    limit: timedelta = timedelta(seconds=20),
    formula: ServiceLevelFormula = ServiceLevelFormula.STANDARD,
) -> float | None:
    """服务水平, timed from the queue. `all` is answered + abandoned; "late" is after `limit`."""
    left = _left(stays)
    answered = [stay for stay in left if stay.answered]
    abandoned = [stay for stay in left if stay.abandoned]
    in_time = sum(stay.waited <= limit for stay in answered)
    gone_in_time = sum(stay.waited <= limit for stay in abandoned)
    everybody = len(answered) + len(abandoned)
    match formula:
        case ServiceLevelFormula.STANDARD:
            return _ratio(in_time, everybody - gone_in_time)
        case ServiceLevelFormula.WITH_ABANDONED:
            return _ratio(in_time + gone_in_time, everybody)
        case ServiceLevelFormula.OF_ANSWERED:
            return _ratio(in_time, len(answered))
        case ServiceLevelFormula.OF_ALL:
            return _ratio(in_time, everybody)


def spread(times: Iterable[timedelta]) -> Spread | None:
    """Mean, median (of the two middle ones the lower) and P95 by nearest rank."""
    ordered = sorted(time.total_seconds() for time in times)
    if not ordered:
        return None
    return Spread(
        mean_s=sum(ordered) / len(ordered), median_s=_nearest_rank(ordered, 50), p95_s=_nearest_rank(ordered, 95)
    )


def _nearest_rank(ordered: Sequence[float], percent: int) -> float:
    return ordered[-(-len(ordered) * percent // 100) - 1]


def speed_of_answer(stays: Iterable[CallStay]) -> Spread | None:
    """ASA 平均排队时长 = Σ waiting of answered calls ÷ answered calls; with median and P95, because a mean hides."""
    return spread(stay.waited for stay in _left(stays) if stay.answered)


def abandon_rate(stays: Iterable[CallStay]) -> float | None:
    """放弃率 = abandoned after more than `SHORT_ABANDON` ÷ (all that left the queue − short abandons)."""
    left = _left(stays)
    short = _short_abandons(left)
    return _ratio(sum(stay.abandoned for stay in left) - short, len(left) - short)


def short_abandons(stays: Iterable[CallStay]) -> int:
    """Abandoned within `SHORT_ABANDON`: told apart, counted in no rate of abandoned calls."""
    return _short_abandons(_left(stays))


def _short_abandons(left: Sequence[CallStay]) -> int:
    return sum(stay.abandoned and stay.waited <= SHORT_ABANDON for stay in left)


def losses(stays: Iterable[CallStay]) -> dict[LeaveReason, int]:
    """呼损: how many left the queue unanswered, by reason; short abandons included. Whom another centre answered is in
    `overflowed`."""
    known = (LeaveReason.ANSWERED, LeaveReason.OVERFLOWED, None)
    counted = Counter(stay.reason for stay in _left(stays) if stay.reason not in known)
    return {reason: counted[reason] for reason in LeaveReason if counted[reason]}


def overflowed(stays: Iterable[CallStay]) -> int:
    """How many another centre has answered: neither lost nor answered by us."""
    return sum(stay.reason is LeaveReason.OVERFLOWED for stay in _left(stays))


def call_back_rate(stays: Iterable[CallStay]) -> float | None:
    """漏接回拨率 = call-backs that a seat answered ÷ call-backs that are over. Who rang again is counted in neither."""
    over = [stay for stay in stays if stay.call_back and stay.reason not in (None, LeaveReason.REJOINED)]
    return _ratio(sum(stay.answered for stay in over), len(over))


def reach_rate(offers: Iterable[OfferEnd]) -> float | None:
    """坐席/专家接通率 = offers that were answered ÷ offers; withdrawn ones are no seat's doing and not counted."""
    rang = list(offers)
    return _ratio(sum(not offer.reason for offer in rang), len(rang))


def ring_time(offers: Iterable[OfferEnd]) -> float | None:
    """Mean ringing of offers that were answered, seconds."""
    answered = [offer.rang.total_seconds() for offer in offers if not offer.reason]
    return _ratio(sum(answered), len(answered))


def talk_time(stays: Iterable[CallStay]) -> float | None:
    """平均通话时长, seconds = Σ talk with holds ÷ talks that are over."""
    talks = [stay.talk.total_seconds() for stay in stays if stay.talk is not None and not stay.abusive]
    return _ratio(sum(talks), len(talks))


def wrap_up_time(stays: Iterable[CallStay]) -> float | None:
    """平均话后处理时长, seconds = Σ wrap-up ÷ handled calls."""
    done = [stay.wrap_up.total_seconds() for stay in stays if stay.wrap_up is not None and not stay.abusive]
    return _ratio(sum(done), len(done))


def handle_time(stays: Iterable[CallStay]) -> float | None:
    """AHT 平均处理时长, seconds = Σ (talk with holds + wrap-up) ÷ handled calls, of those that are over."""
    done = [stay for stay in stays if stay.talk is not None and stay.wrap_up is not None and not stay.abusive]
    spent = sum(
        (stay.talk or timedelta()).total_seconds() + (stay.wrap_up or timedelta()).total_seconds() for stay in done
    )
    return _ratio(spent, len(done))


def occupancy(times: Iterable[SeatTime]) -> float | None:
    """工时占用率 = (talk with holds + wrap-up) ÷ (signed in − paused), over all seats given."""
    chosen = list(times)
    busy = sum(((time.talking + time.wrap_up) for time in chosen), timedelta())
    present = sum(((time.signed_in - time.paused) for time in chosen), timedelta())
    return _ratio(busy.total_seconds(), present.total_seconds())
