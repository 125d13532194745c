"""Who works too much: occupancy of the last hour and time since the last rest, folded from the floor's facts.

Decides nothing about seats; tells a supervisor whom to send for a rest.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from acd.model import AnyFloorFact, SeatChanged, SignedIn, SignedOut
from acd.values import SeatState

SPAN = timedelta(hours=1)
"""The occupancy that is looked at."""
HIGHEST = 0.85
"""Occupancy above it is an alarm (`domain.md` 4: 坐席利用率)."""
LEAST = timedelta(minutes=30)
"""Present for less than this within the span, occupancy says nothing."""
LONGEST = timedelta(hours=2)
"""Work without a pause for longer is an alarm."""
_BUSY = (SeatState.TALKING, SeatState.WRAP_UP)


class Strain(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How hard one seat works."""

    seat: str
    occupancy: float | None
    """(talk + wrap-up) ÷ (signed in − paused) within the last hour; `None`: not there for long enough."""
    without_rest: timedelta
    """Since the last pause, or since it signed in."""

    @property
    def is_too_busy(self) -> bool:
        return self.occupancy is not None and self.occupancy > HIGHEST

    @property
    def needs_a_rest(self) -> bool:
        return self.without_rest > LONGEST


@dataclass(slots=True)
class _Work:
    """What a seat did: states with their beginnings, oldest first; the last goes on."""

    states: list[tuple[datetime, SeatState]]
    rested_at: datetime


class StrainLedger:
    """Every signed-in seat's last hour."""

    def __init__(self) -> None:
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
        while work.states[1][0] <= fact.at - SPAN:
            del work.states[0]

    def strains(self, now: datetime) -> list[Strain]:
        """Every signed-in seat, in order of their names."""
        return [_strain(seat, work, now) for seat, work in sorted(self._work.items())]


def _strain(seat: str, work: _Work, now: datetime) -> Strain:
    spent = dict.fromkeys(SeatState, timedelta())
    for (since, state), (end, _) in pairwise([*work.states, (now, SeatState.READY)]):
        spent[state] += max(timedelta(), end - max(since, now - SPAN))
    present = sum(spent.values(), timedelta()) - spent[SeatState.PAUSED]
    busy = sum((spent[state] for state in _BUSY), timedelta())
    paused = work.states[-1][1] is SeatState.PAUSED
    return Strain(
        seat=seat,
        occupancy=busy / present if present >= LEAST else None,
        without_rest=timedelta() if paused else now - work.rested_at,
    )
