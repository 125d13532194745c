"""Who works too much: occupancy of the last half hour and time since the last rest, folded from the floor's facts.

Decides nothing about seats; tells a supervisor whom to send for a rest.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from acd.model import AnyFloorFact, SeatChanged, SignedIn, SignedOut
from acd.values import SeatState, StrainKind
from hotline.settings import Settings

EASE = 0.05
"""An alarm for occupancy is over when it is so much below the limit, so that it does not come and go."""
_BUSY = (SeatState.TALKING, SeatState.WRAP_UP)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is too much."""

    span: timedelta = timedelta(minutes=30)
    """The occupancy that is looked at. Present for less than half of it, occupancy says nothing."""
    occupancy: float = 0.85
    """Occupancy above it is an alarm (坐席利用率)."""
    without_rest: timedelta = timedelta(hours=2)
    """Work without a pause for longer is an alarm."""

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """As the settings say."""
        return cls(
            span=timedelta(minutes=settings.occupancy_minutes),
            occupancy=settings.occupancy_percent / 100,
            without_rest=timedelta(minutes=settings.rest_minutes),
        )

    def alarms(self, strain: "Strain", raised: Container[StrainKind] = ()) -> tuple[StrainKind, ...]:
        """What is an alarm now, where those of `raised` are on already."""
        highest = self.occupancy - (EASE if StrainKind.OCCUPANCY in raised else 0)
        is_too_busy = strain.occupancy is not None and strain.occupancy > highest
        found = {StrainKind.OCCUPANCY: is_too_busy, StrainKind.NO_REST: strain.without_rest > self.without_rest}
        return tuple(kind for kind, is_on in found.items() if is_on)


class Strain(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How hard one seat works."""

    seat: str
    occupancy: float | None
    """(talk + wrap-up) ÷ (signed in − paused) within the span; `None`: not there for long enough."""
    without_rest: timedelta
    """Since the last pause, or since it signed in."""


@dataclass(slots=True)
class _Work:
    """What a seat did: states with their beginnings, oldest first; the last goes on."""

    states: list[tuple[datetime, SeatState]]
    rested_at: datetime


class StrainLedger:
    """Every signed-in seat's last span."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._work: dict[str, _Work] = {}

    def apply(self, fact: AnyFloorFact) -> None:
        """Fold one fact in; also the listener to give to the floor's keeper."""
        if isinstance(fact, SignedIn) and fact.seat not in self._work:
            self._work[fact.seat] = _Work([(fact.at, SeatState.READY)], fact.at)
        elif isinstance(fact, SignedOut):
            self._work.pop(fact.seat, None)
        elif isinstance(fact, SeatChanged):
            self._changed(fact)

    def _changed(self, fact: SeatChanged) -> None:
        work = self._work.get(fact.seat)
        if work is None or work.states[-1][1] is fact.state:
            return
        if work.states[-1][1] is SeatState.PAUSED:
            work.rested_at = fact.at
        work.states.append((fact.at, fact.state))
        while work.states[1][0] <= fact.at - self.limits.span:
            del work.states[0]

    def strains(self, now: datetime) -> list[Strain]:
        """Every signed-in seat, in order of their names."""
        return [_strain(seat, work, now, self.limits.span) for seat, work in sorted(self._work.items())]


def _strain(seat: str, work: _Work, now: datetime, span: timedelta) -> Strain:
    spent = dict.fromkeys(SeatState, timedelta())
    for (since, state), (end, _) in pairwise([*work.states, (now, SeatState.READY)]):
        spent[state] += max(timedelta(), end - max(since, now - span))
    present = sum(spent.values(), timedelta()) - spent[SeatState.PAUSED]
    busy = sum((spent[state] for state in _BUSY), timedelta())
    paused = work.states[-1][1] is SeatState.PAUSED
    return Strain(
        seat=seat,
        occupancy=busy / present if present >= span / 2 else None,
        without_rest=timedelta() if paused else now - work.rested_at,
    )
