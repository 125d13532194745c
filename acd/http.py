"""Routes of the floor: queues, the live floor, figures."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from acd.figures import Figures, figures
from acd.ledger import Ledger
from acd.service import FloorKeeper
from acd.views import FloorView, QueueView, floor_view, queue_views
from hotline.clock import Clock
from hotline.http import Page
from hotline.security import Permission, Principal, require

QueueNames = Callable[[], Mapping[str, str]]
"""Every declared queue: id → name for people."""


def routes(
    keeper: FloorKeeper, clock: Clock, ledger: Ledger | None = None, queue_names: QueueNames = dict
) -> APIRouter:
    """The routes `/api/v1/queues`, `/api/v1/floor` and `/api/v1/kpis`.

    `ledger`: what `recall` gave; without one the figures begin with this moment.
    """
    past = ledger if ledger is not None else listening(keeper)
    router = APIRouter(prefix="/api/v1", tags=["floor"])

    @router.get("/queues")
    async def queues(_: Annotated[Principal, Depends(require(Permission.QUEUES_WATCH))]) -> Page[QueueView]:
        """Every queue with who waits in it now."""
        return Page(items=queue_views(keeper, past, queue_names(), clock.now()))

    @router.get("/floor")
    async def floor(_: Annotated[Principal, Depends(require(Permission.SEATS_WATCH))]) -> FloorView:
        """The live floor: seats, waiting calls, offers."""
        return floor_view(keeper, clock.now())

    @router.get("/kpis")
    async def kpis(
        _: Annotated[Principal, Depends(require(Permission.KPIS_READ))],
        queue: str | None = None,
        dialled: str | None = None,
        hours: Annotated[float, Query(gt=0, le=24)] = 24,
    ) -> Figures:
        """Figures of the last `hours`, each with its formula; occupancy is that of all seats."""
        return figures(past, clock.now(), timedelta(hours=hours), queue, dialled)

    return router


def listening(keeper: FloorKeeper) -> Ledger:
    """An empty ledger that hears of everything from now on."""
    ledger = Ledger()
    keeper.subscribe(ledger.apply)
    return ledger
