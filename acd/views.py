"""What the API shows of the floor: queues, seats, waiting calls, offers. A citizen's number is never here."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from acd.ledger import WINDOW, Ledger
from acd.measures import CallStay
from acd.missed import MissedCaller
from acd.model import AbuseStep, Need, SeatState
from acd.records import Seat, Waiting
from acd.service import FloorKeeper
from acd.strain import Strain
from acd.values import StrainKind


class ShownState(StrEnum):
    """What people see of a seat: its state, but ready only when a call could ring there."""

    READY = "ready"  # 就绪
    UNREACHABLE = "unreachable"  # 话机离线: it would be ready, but its phone is not registered
    OFFERED = "offered"  # 振铃
    TALKING = "talking"  # 通话
    WRAP_UP = "wrap_up"  # 话后处理
    PAUSED = "paused"  # 小休/示忙


def shown_state(seat: Seat) -> ShownState:
    """The state to show of a seat, the same wherever it is shown."""
    if seat.state is SeatState.READY and not seat.reachable:
        return ShownState.UNREACHABLE
    return ShownState(seat.state.value)


class NeedView(BaseModel):
    """A skill at a level of at least this."""

    skill: str
    level: int

    @classmethod
    def of(cls, need: Need) -> "NeedView":
        return cls(skill=need.skill, level=need.level)


class QueueView(BaseModel):
    """One queue now."""

    queue: str
    name: str
    waiting: int
    """On the line."""
    ringing: int
    longest_wait_s: float
    call_backs: int
    """Who wait without a line, to be called back in their turn."""
    answered_24h: int
    abandoned_24h: int


class SeatView(BaseModel):
    """One seat now."""

    seat: str
    agent: str
    phone: str
    state: ShownState
    reason: str
    since: datetime
    until: datetime | None
    reachable: bool
    call: str
    """The call that it talks with, or that rings."""
    pause_asked: str
    leaving: bool
    abuse: AbuseStep | None
    """How far it went with the citizen that this seat talks with, when the citizen insults."""
    skills: dict[str, int]


class WaitingView(BaseModel):
    """One call that waits or rings, in the order of service."""

    call: str
    queue: str
    needs: list[list[NeedView]]
    """A seat that meets all of any of these may take it."""
    priority: int
    waiting_since: datetime
    waited_s: float
    ahead: int
    offer: str
    refused_by: list[str]
    call_back: bool
    """It has no line: in its turn a seat is rung, then the citizen."""
    not_before: datetime | None
    """Of a call-back: not before then."""


class OfferView(BaseModel):
    """One call ringing at one seat."""

    offer: str
    call: str
    seat: str
    phone: str
    since: datetime
    expires_at: datetime


class WrapUpView(BaseModel):
    """A wrap-up that goes on."""

    seat: str
    until: datetime | None


class AbuseView(BaseModel):
    """How far it went with the citizen that this seat talks with."""

    seat: str
    step: AbuseStep


class CallPlace(BaseModel):
    """Where a call stands after it was looked at anew; all of it empty when it was answered meanwhile."""

    call: str
    queue: str
    priority: int
    ahead: int
    rings: bool

    @classmethod
    def of(cls, call: str, waiting: Waiting | None, ahead: int) -> "CallPlace":
        if waiting is None:
            return cls(call=call, queue="", priority=0, ahead=0, rings=False)
        return cls(call=call, queue=waiting.queue, priority=waiting.priority, ahead=ahead, rings=bool(waiting.offer))


class StrainView(BaseModel):
    """How hard one seat works."""

    seat: str
    occupancy: float | None
    """(talk + wrap-up) / (signed in - paused) of the last half hour; null before it means anything."""
    without_rest_s: float
    alarms: list[StrainKind]
    """Why it should be sent for a rest."""

    @classmethod
    def of(cls, strain: Strain, alarms: tuple[StrainKind, ...]) -> "StrainView":
        return cls(
            seat=strain.seat,
            occupancy=strain.occupancy,
            without_rest_s=strain.without_rest.total_seconds(),
            alarms=list(alarms),
        )


class MissedView(BaseModel):
    """Somebody whom nobody answered; the number is that of the call, for who may see it."""

    call: str
    queue: str
    first_at: datetime
    last_at: datetime
    tries: int

    @classmethod
    def of(cls, missed: MissedCaller) -> "MissedView":
        return cls(
            call=missed.call,
            queue=missed.queue,
            first_at=missed.first_at,
            last_at=missed.last_at,
            tries=missed.tries,
        )


class FloorView(BaseModel):
    """Everything on the floor at one moment."""

    at: datetime
    degraded: bool
    """True: the log does not answer, and news are kept in memory only."""
    seats: list[SeatView]
    waiting: list[WaitingView]
    offers: list[OfferView]


def queue_views(keeper: FloorKeeper, ledger: Ledger, names: Mapping[str, str], now: datetime) -> list[QueueView]:
    """Declared queues, and those that calls came to, in order of their ids."""
    waiting: defaultdict[str, list[Waiting]] = defaultdict(list)
    for call in keeper.floor.waiting():
        waiting[call.queue].append(call)
    past: defaultdict[str, list[CallStay]] = defaultdict(list)
    for stay in ledger.stays(now - WINDOW):
        past[stay.queue].append(stay)
    return [
        QueueView(
            queue=queue,
            name=names.get(queue, queue),
            waiting=sum(not call.offer and not call.call_back for call in waiting[queue]),
            ringing=sum(bool(call.offer) for call in waiting[queue]),
            longest_wait_s=max((_waited_s(call, now) for call in waiting[queue] if not call.call_back), default=0.0),
            call_backs=sum(call.call_back for call in waiting[queue]),
            answered_24h=sum(stay.answered for stay in past[queue]),
            abandoned_24h=sum(stay.abandoned for stay in past[queue]),
        )
        for queue in sorted({*names, *waiting, *past})
    ]


def floor_view(keeper: FloorKeeper, now: datetime) -> FloorView:
    """The floor as it stands."""
    floor = keeper.floor
    return FloorView(
        at=now,
        degraded=keeper.degraded,
        seats=[_seat_view(seat, keeper) for seat in sorted(floor.seats(), key=lambda seat: seat.seat)],
        waiting=[_waiting_view(call, keeper, now) for call in floor.waiting()],
        offers=[
            OfferView(
                offer=offer.offer,
                call=offer.call,
                seat=offer.seat,
                phone=offer.phone,
                since=offer.since,
                expires_at=offer.expires_at,
            )
            for offer in floor.offers()
        ],
    )


def _seat_view(seat: Seat, keeper: FloorKeeper) -> SeatView:
    offer = keeper.floor.offer(seat.offer)
    return SeatView(
        seat=seat.seat,
        agent=seat.agent,
        phone=seat.phone,
        state=shown_state(seat),
        reason=seat.reason,
        since=seat.since,
        until=seat.until,
        reachable=seat.reachable,
        call=offer.call if offer else seat.call,
        pause_asked=seat.pause_asked,
        leaving=seat.leaving,
        abuse=seat.abuse if seat.call else None,
        skills=seat.skills,
    )


def _waiting_view(call: Waiting, keeper: FloorKeeper, now: datetime) -> WaitingView:
    return WaitingView(
        call=call.call,
        queue=call.queue,
        needs=[[NeedView.of(need) for need in needs] for needs in call.options],
        priority=call.priority,
        waiting_since=call.arrived_at,
        waited_s=_waited_s(call, now),
        ahead=keeper.floor.ahead_of(call.call),
        offer=call.offer,
        refused_by=sorted(call.refused),
        call_back=call.call_back,
        not_before=call.not_before,
    )


def _waited_s(call: Waiting, now: datetime) -> float:
    return max(0.0, (now - call.arrived_at).total_seconds())
