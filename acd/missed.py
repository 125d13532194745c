"""Callers who hung up before anybody answered: a list to call back, folded from the floor's facts.

One line for each caller, however often the caller tried. Knows callers as opaque marks only.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from acd.measures import SHORT_ABANDON
from acd.model import AnyFloorFact, Joined, LeftQueue
from acd.values import LeaveReason

KEPT = timedelta(hours=24)
_LOST = (LeaveReason.ABANDONED, LeaveReason.FULL, LeaveReason.FAILED)
_REACHED = (LeaveReason.ANSWERED, LeaveReason.CALL_BACK)


class MissedCaller(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody whom nobody answered."""

    caller: str
    queue: str
    call: str
    """The last try."""
    first_at: datetime
    """When the first try began to wait: the order in which they are called."""
    last_at: datetime
    tries: int = 1


class Missed:
    """Who is to be called, and how many of those who were missed were reached after all."""

    def __init__(self) -> None:
        self._callers: dict[str, tuple[str, str, datetime]] = {}
        """By call, while it waits: caller, queue, since when."""
        self._missed: dict[str, MissedCaller] = {}
        self.missed = 0
        """Different callers who were missed."""
        self.reached = 0
        """Those of them who were answered later, called back or by ringing again."""

    def apply(self, fact: AnyFloorFact) -> None:
        """Fold one fact in; also the listener to give to the floor's keeper."""
        if isinstance(fact, Joined) and fact.caller:
            self._callers[fact.call] = fact.caller, fact.queue, fact.arrived_at
        elif isinstance(fact, LeftQueue) and fact.call in self._callers:
            self._left(fact, *self._callers.pop(fact.call))

    def _left(self, fact: LeftQueue, caller: str, queue: str, since: datetime) -> None:
        if fact.reason in _REACHED:
            self.reached += self._missed.pop(caller, None) is not None
        elif fact.reason in _LOST and fact.waited_s > SHORT_ABANDON.total_seconds():
            self._missed_again(caller, queue, fact, since)

    def _missed_again(self, caller: str, queue: str, fact: LeftQueue, since: datetime) -> None:
        before = self._missed.get(caller)
        if before is None:
            self.missed += 1
            first = MissedCaller(caller=caller, queue=queue, call=fact.call, first_at=since, last_at=fact.at)
            self._missed[caller] = first
        else:
            self._missed[caller] = replace(before, call=fact.call, last_at=fact.at, tries=before.tries + 1)

    def to_call(self, now: datetime) -> list[MissedCaller]:
        """Those of the last 24 hours who were not reached, who tried first before all others."""
        for caller in [caller for caller, missed in self._missed.items() if missed.last_at < now - KEPT]:
            del self._missed[caller]
        return sorted(self._missed.values(), key=lambda missed: (missed.first_at, missed.caller))

    @property
    def rate(self) -> float | None:
        """漏接回拨率 = missed callers reached ÷ missed callers, each caller once."""
        return self.reached / self.missed if self.missed else None
