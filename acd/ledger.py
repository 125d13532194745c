"""Folds the floor's facts into call stays and seat times of a rolling window. Decides nothing, stores nothing."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from acd.measures import CallStay, OfferEnd, SeatTime
from acd.missed import Missed
from acd.model import (
    AbuseReported,
    Adopted,
    Answered,
    AnyFloorFact,
    CallBackPromised,
    Finished,
    Joined,
    LeftQueue,
    Offered,
    OfferExtended,
    OfferRefused,
    OfferWithdrawn,
    SeatChanged,
    SignedIn,
    SignedOut,
    TurnedAway,
)
from acd.strain import Limits, StrainLedger
from acd.values import AbuseStep, LeaveReason, SeatState

WINDOW = timedelta(hours=24)


@dataclass(slots=True)
class _Shift:
    """A seat from its sign-in on."""

    since: datetime
    state: SeatState
    state_since: datetime
    spent: dict[SeatState, timedelta] = field(default_factory=dict)
    last_stay: int = -1
    """The stay whose talk or wrap-up the seat is in."""
    talk_since: datetime | None = None

    def turn(self, state: SeatState, at: datetime) -> None:
        self.spent[self.state] = self.spent.get(self.state, timedelta()) + (at - self.state_since)
        self.state, self.state_since = state, at


class Ledger:
    """What happened in the last 24 hours."""

    def __init__(self, window: timedelta = WINDOW, limits: Limits | None = None) -> None:
        self.strain, self.missed = StrainLedger(limits), Missed()
        self._window = window
        self._stays: dict[int, CallStay] = {}
        """By number, in the order in which they joined."""
        self._next = 0
        self._latest: dict[str, int] = {}
        """Each call's last stay."""
        self._shifts: dict[str, _Shift] = {}
        self._closed: list[tuple[datetime, SeatTime]] = []
        self._ringing: dict[str, tuple[str, str, datetime]] = {}
        """By offer: the seat, the queue, and since when."""
        self._rang: deque[OfferEnd] = deque()

    def apply(self, fact: AnyFloorFact) -> None:
        """Fold one fact in; also the listener to give to the floor's keeper."""
        self.strain.apply(fact)
        self.missed.apply(fact)
        match fact:
            case Joined():
                self._joined(fact)
            case LeftQueue():
                waited = timedelta(seconds=fact.waited_s)
                self._change(self._latest.get(fact.call, -1), left_at=fact.at, reason=fact.reason, waited=waited)
            case CallBackPromised():
                self._promised(fact)
            case TurnedAway():
                self._turned_away(fact)
            case Offered():
                queue = self._queue_of(fact.call)
                self._ringing[fact.offer] = fact.seat, queue, fact.at
            case OfferRefused():
                self._rang_out(fact.offer, fact.at, fact.reason.value)
            case OfferWithdrawn():
                self._ringing.pop(fact.offer, None)
            case OfferExtended():
                self._rang_out(fact.offer, fact.at, "")
            case Answered():
                self._rang_out(fact.offer, fact.at, "")
                self._talk_begins(fact.seat, fact.call, fact.at)
            case Adopted():
                self._talk_begins(fact.seat, fact.call, fact.at)
            case AbuseReported():
                if fact.step is AbuseStep.ENDED:
                    self._change(self._latest.get(fact.call, -1), abusive=True)
            case Finished():
                self._talk_ends(fact.seat, fact.at)
            case SignedIn():
                if fact.seat not in self._shifts:
                    self._shifts[fact.seat] = _Shift(fact.at, SeatState.READY, fact.at)
            case SignedOut():
                self._signed_out(fact)
            case SeatChanged():
                self._seat_changed(fact)
            case _:
                pass

    def apply_all(self, facts: Iterable[AnyFloorFact]) -> "Ledger":
        """Fold many; returns itself."""
        for fact in facts:
            self.apply(fact)
        return self

    def stays(self, since: datetime) -> list[CallStay]:
        """Stays that left the queue at or after `since`, or still wait."""
        return [stay for stay in self._stays.values() if stay.left_at is None or stay.left_at >= since]

    def offers(self, since: datetime) -> list[OfferEnd]:
        """Offers that were answered or not answered at or after `since`; those that were withdrawn left out."""
        return [end for end in self._rang if end.at >= since]

    def seat_times(self, now: datetime) -> list[SeatTime]:
        """How each seat spent its time, shifts that ended in the window and those that go on, one row a shift."""
        going_on = [_seat_time(seat, shift, now) for seat, shift in self._shifts.items()]
        return [time for _, time in self._closed] + going_on

    def forget(self, now: datetime) -> None:
        """Drop what ended before the window."""
        horizon = now - self._window
        old = [number for number, stay in self._stays.items() if stay.left_at is not None and stay.left_at < horizon]
        for number in old:
            call = self._stays.pop(number).call
            if self._latest.get(call) == number:
                del self._latest[call]
        self._closed = [(ended, time) for ended, time in self._closed if ended >= horizon]
        while self._rang and self._rang[0].at < horizon:
            self._rang.popleft()

    def _joined(self, fact: Joined) -> None:
        stay = CallStay(
            call=fact.call,
            queue=fact.queue,
            dialled=fact.dialled,
            called_at=fact.called_at or fact.arrived_at,
            joined_at=fact.at,
            call_back=fact.call_back,
        )
        self._begin(stay)

    def _begin(self, stay: CallStay) -> None:
        self._stays[self._next], self._latest[stay.call] = stay, self._next
        self._next += 1

    def _promised(self, fact: CallBackPromised) -> None:
        """Waiting on the line ends; that without one is a stay of its own, which no waiting time counts."""
        number = self._latest.get(fact.call, -1)
        stay = self._stays.get(number)
        if stay is not None:
            waited = fact.at - stay.joined_at
            self._change(number, left_at=fact.at, reason=LeaveReason.CALL_BACK, waited=waited)
            without = CallStay(
                call=fact.call,
                queue=stay.queue,
                dialled=stay.dialled,
                called_at=stay.called_at,
                joined_at=fact.at,
                call_back=True,
                promised=True,
            )
            self._begin(without)

    def _turned_away(self, fact: TurnedAway) -> None:
        self._begin(
            CallStay(
                call=fact.call,
                queue=fact.queue,
                dialled=fact.dialled,
                called_at=fact.called_at or fact.at,
                joined_at=fact.at,
                left_at=fact.at,
                reason=LeaveReason.FULL,
            )
        )

    def _queue_of(self, call: str) -> str:
        stay = self._stays.get(self._latest.get(call, -1))
        return stay.queue if stay is not None else ""

    def _rang_out(self, offer: str, at: datetime, reason: str) -> None:
        seat, queue, since = self._ringing.pop(offer, ("", "", at))
        if seat:
            self._rang.append(OfferEnd(at=at, seat=seat, queue=queue, rang=at - since, reason=reason))

    def _change(self, number: int, **changes: object) -> None:
        stay = self._stays.get(number)
        if stay is not None:
            self._stays[number] = replace(stay, **changes)

    def _talk_begins(self, seat: str, call: str, at: datetime) -> None:
        shift = self._shifts.get(seat)
        if shift is None:
            return
        shift.last_stay, shift.talk_since = self._latest.get(call, -1), at
        self._change(shift.last_stay, answered_by=seat)

    def _talk_ends(self, seat: str, at: datetime) -> None:
        shift = self._shifts.get(seat)
        if shift is not None and shift.talk_since is not None:
            self._change(shift.last_stay, talk=at - shift.talk_since)
            shift.talk_since = None

    def _seat_changed(self, fact: SeatChanged) -> None:
        shift = self._shifts.get(fact.seat)
        if shift is None:
            return
        if fact.state is not shift.state:
            self._work_ends(shift, fact.state, fact.at)
            shift.turn(fact.state, fact.at)

    def _work_ends(self, shift: _Shift, state: SeatState | None, at: datetime) -> None:
        """The last call is handled when its wrap-up ends, or its talk when no wrap-up follows."""
        if shift.state is SeatState.WRAP_UP:
            self._change(shift.last_stay, wrap_up=at - shift.state_since)
        elif shift.state is SeatState.TALKING and state is not SeatState.WRAP_UP:
            self._change(shift.last_stay, wrap_up=timedelta())

    def _signed_out(self, fact: SignedOut) -> None:
        shift = self._shifts.pop(fact.seat, None)
        if shift is not None:
            self._work_ends(shift, None, fact.at)
            self._closed.append((fact.at, _seat_time(fact.seat, shift, fact.at)))


def _seat_time(seat: str, shift: _Shift, now: datetime) -> SeatTime:
    spent = dict(shift.spent)
    spent[shift.state] = spent.get(shift.state, timedelta()) + (now - shift.state_since)
    return SeatTime(
        seat=seat,
        signed_in=now - shift.since,
        talking=spent.get(SeatState.TALKING, timedelta()),
        wrap_up=spent.get(SeatState.WRAP_UP, timedelta()),
        paused=spent.get(SeatState.PAUSED, timedelta()),
        ringing=spent.get(SeatState.OFFERED, timedelta()),
    )
