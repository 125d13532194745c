"""Two telephones of one agent, of which one rings: the first while it is registered, else the second.

A seat is at one phone at a time, so an agent never has two talks. A phone that is lost while it rings gives its call
back (that is the floor), and after `PATIENCE` the seat moves to the other; a page that is only loaded anew is back
before. The seat moves back as soon as the first is registered again and the seat neither rings nor talks. Whoever
signed in at a third phone stays there. What falls silent in a talk is no business of this module.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from acd.model import AnyFloorFact, Finished, ReachabilityChanged, Resume, SignedIn, SignIn
from acd.records import Seat
from acd.service import FloorKeeper
from acd.values import RefuseReason, SeatState
from hotline.clock import Clock
from hotline.tasks import Tasks

log = structlog.get_logger(__name__)

PATIENCE = timedelta(seconds=5)
"""A first phone that is away for less is waited for."""
LOOK_S = 1.0
"""How often it is looked anyway: the floor says nothing of a phone where nobody is signed in."""
_AT_WORK = (SeatState.OFFERED, SeatState.TALKING)


class Devices:
    """Moves seats between their agents' phones."""

    def __init__(self, keeper: FloorKeeper, pairs: Mapping[str, tuple[str, str]], clock: Clock) -> None:
        """`pairs`: first and second phone by agent; it changes while we live."""
        self._keeper, self._pairs, self._clock = keeper, pairs, clock
        self._lost: dict[str, datetime] = {}
        """Seats whose phone is away, since when."""
        self._changed = asyncio.Event()

    def start(self, tasks: Tasks) -> None:
        """Look whenever a phone comes or goes, and again and again."""
        self._keeper.subscribe(self._hear)
        tasks.keep(self._round, "agents' phones", pause_s=0)

    def _hear(self, fact: AnyFloorFact) -> None:
        if isinstance(fact, ReachabilityChanged | SignedIn | Finished):
            self._changed.set()

    async def _round(self) -> None:
        self._changed.clear()
        await self.look()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._changed.wait()

    async def look(self) -> None:
        """Every seat with two phones is at the one that can ring."""
        if not self._keeper.is_keeper:
            return
        for seat in tuple(self._keeper.floor.seats()):
            pair = self._pairs.get(seat.agent)
            if pair is not None and (phone := self._better(seat, pair)):
                await self._move(seat, phone)

    def _better(self, seat: Seat, pair: tuple[str, str]) -> str:
        """The phone where the seat should be; empty: it stays."""
        first, second = pair
        if seat.phone not in pair or seat.state in _AT_WORK:
            return ""
        wanted = first if seat.phone == second else second if self._is_lost(seat) else ""
        is_free = wanted and self._keeper.floor.seat_at(wanted) is None
        return wanted if is_free and self._keeper.is_reachable(wanted) else ""

    def _is_lost(self, seat: Seat) -> bool:
        if seat.reachable:
            self._lost.pop(seat.seat, None)
            return False
        now = self._clock.now()
        return now - self._lost.setdefault(seat.seat, now) >= PATIENCE

    async def _move(self, seat: Seat, phone: str) -> None:
        await self._keeper.do(
            SignIn(seat=seat.seat, agent=seat.agent, phone=phone, skills=seat.skills, reachable=True, guest=seat.guest)
        )
        if seat.state is SeatState.PAUSED and seat.reason == RefuseReason.UNREACHABLE:
            await self._keeper.do(Resume(seat=seat.seat))  # only its phone was away
        self._lost.pop(seat.seat, None)
        log.info("seat moved to its agent's other phone", seat=seat.seat, phone=phone)
