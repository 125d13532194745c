"""Tells the floor at the exact moment who is a queue's guest, by the windows of the plans. The floor's keeper does."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from acd.model import AnyFloorFact, Invite, SignedIn
from acd.plans import QueuePlan, guest_of, next_change
from acd.service import FloorKeeper
from hotline.clock import Clock

LOOK_S = 5.0
"""How often it is looked anyway: another process may have become the keeper, or have changed a plan."""


class Guests:
    """Windows become facts of the floor."""

    def __init__(self, keeper: FloorKeeper, plans: Mapping[str, QueuePlan], clock: Clock) -> None:
        """`plans` changes while we live."""
        self._keeper, self._plans, self._clock = keeper, plans, clock
        self.changed = asyncio.Event()
        """Set: look at once."""
        keeper.subscribe(self._hear)

    def _hear(self, fact: AnyFloorFact) -> None:
        if isinstance(fact, SignedIn):
            self.changed.set()

    async def round(self) -> None:
        """Look, and wait for the next moment at which something changes.

        Raises:
            Conflict, Unavailable: as `FloorKeeper.do`; the next round makes up for it.
        """
        self.changed.clear()
        await self.look()
        now = self._clock.now()
        due = next_change(self._plans, now)
        wait_s = LOOK_S if due is None else min(LOOK_S, (due - now).total_seconds())
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self.changed.wait()

    async def look(self) -> None:
        """Every signed-in seat is a guest of the queues of which it is one now, and of no others."""
        if not self._keeper.is_keeper:
            return
        for seat in tuple(self._keeper.floor.seats()):
            queues = guest_of(self._plans, seat.agent, self._clock.now())
            if queues != seat.guest_of:
                await self._keeper.do(Invite(seat=seat.seat, queues=queues))
