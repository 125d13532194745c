"""Queues' plans, kept in the database and in memory: whoever decides about a call looks at memory only."""

from typing import Any

import msgspec
import structlog
from msgspec import structs
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.guests import Guests
from acd.plans import ORDINARY, QueuePlan
from acd.service import FloorKeeper
from acd.tables import queue_plans
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Unavailable
from hotline.tasks import Tasks

LOOK_S = 5.0
"""How often other processes' changes are looked for."""

log = structlog.get_logger(__name__)


class QueuePlans:
    """Every queue's plan, as it is in force now."""

    def __init__(self, database: Database, clock: Clock, keeper: FloorKeeper, *, rating: bool = True) -> None:
        """`rating`: whether citizens of the other queues are asked how the talk was. The floor's keeper is told how
        many may wait, and whose turn it is."""
        self._database, self._clock, self._keeper = database, clock, keeper
        self.ordinary = structs.replace(ORDINARY, rating=rating)
        self.own: dict[str, QueuePlan] = {}
        """Of queues that somebody made a plan for; the same dictionary for as long as we live."""
        self._guests = Guests(keeper, self.own, clock)

    def of(self, queue: str) -> QueuePlan:
        """The plan of a queue."""
        return self.own.get(queue, self.ordinary)

    @property
    def remembers(self) -> bool:
        """Whether any queue prefers the agent of a citizen's open ticket."""
        return any(plan.own_s is not None for plan in self.own.values())

    async def start(self, tasks: Tasks) -> None:
        """Load the plans, then look for others' changes."""
        await self.refresh()
        tasks.keep(self.refresh, "queue plans", pause_s=LOOK_S)
        tasks.keep(self._guests.round, "guests", pause_s=0)

    async def refresh(self) -> None:
        """Take over what was stored, also by other processes; without a database the plans in force stay."""
        try:
            found = await self._database.read(_load)
        except Unavailable as error:
            log.warning("queue plans not refreshed", why=str(error))
            return
        if found != self.own:
            self.own.clear()
            self.own.update(found)
            self._guests.changed.set()
            capacities = {queue: plan.capacity for queue, plan in found.items()}
            choices = {queue: plan.choice for queue, plan in found.items() if plan.choice is not None}
            self._keeper.change_rules(structs.replace(self._keeper.rules, capacities=capacities, choices=choices))

    async def put(self, queue: str, plan: QueuePlan | None, who: str) -> None:
        """Give a queue a plan, `None`: the ordinary one again. Calls that come from now on follow it.

        Raises:
            Unavailable: the database does not answer; nothing has changed.
        """
        now = self._clock.now()

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(delete(queue_plans).where(queue_plans.c.queue == queue))
            if plan is not None:
                body: Any = msgspec.to_builtins(plan)
                row = {"queue": queue, "plan": body, "changed_at": now, "changed_by": who[:64]}
                await connection.execute(insert(queue_plans).values(row))

        await self._database.write(write)
        await self.refresh()


async def _load(connection: AsyncConnection) -> dict[str, QueuePlan]:
    rows = await connection.execute(select(queue_plans.c.queue, queue_plans.c.plan).order_by(queue_plans.c.queue))
    return {str(row.queue): msgspec.convert(row.plan, QueuePlan) for row in rows}
