"""Routes of the floor: queues, the live floor, figures."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from acd import http_commands, series
from acd.figures import Figures, figures
from acd.http_plans import plan_routes as plan_routes
from acd.ledger import Ledger
from acd.series import By, Row, Stretch, UnitOf
from acd.service import FloorKeeper
from acd.views import FloorView, MissedView, QueueView, StrainView, floor_view, queue_views
from hotline.audit import Audit
from hotline.clock import Clock
from hotline.http import Page
from hotline.security import Permission, Principal, require

QueueNames = Callable[[], Mapping[str, str]]
"""Every declared queue: id → name for people."""


def routes(
    keeper: FloorKeeper,
    clock: Clock,
    ledger: Ledger | None = None,
    queue_names: QueueNames = dict,
    audit: Audit | None = None,
    unit_of: UnitOf = lambda _number, _at: "",
) -> APIRouter:
    """The routes `/api/v1/queues`, `/api/v1/floor`, `/api/v1/floor/strain`, `/api/v1/missed-calls`,
    `/api/v1/kpis` and what is below it.

    `ledger`: what `recall` gave; without one everything begins with this moment. With an `audit` the routes of
    `http_commands` as well.
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

    @router.get("/floor/strain")
    async def strains(_: Annotated[Principal, Depends(require(Permission.SEATS_FORCE))]) -> Page[StrainView]:
        """Occupancy of the last half hour and time without a rest, seat by seat, and the alarms that are on."""
        found = past.strain.strains(clock.now())
        seats = {seat.seat: seat.strain for seat in keeper.floor.seats()}
        return Page(items=[StrainView.of(each, seats.get(each.seat, ())) for each in found])

    @router.get("/missed-calls")
    async def missed_calls(_: Annotated[Principal, Depends(require(Permission.SEATS_FORCE))]) -> Page[MissedView]:
        """Callers of the last 24 hours whom nobody answered and nobody reached since, first come first."""
        return Page(items=[MissedView.of(each) for each in past.missed.to_call(clock.now())])

    @router.get("/kpis")
    async def kpis(
        _: Annotated[Principal, Depends(require(Permission.KPIS_READ))],
        queue: str | None = None,
        dialled: str | None = None,
        unit: Annotated[str | None, Query(max_length=200)] = None,
        hours: Annotated[float, Query(gt=0, le=24)] = 24,
    ) -> Figures:
        """Figures of the last `hours`, each with its formula; occupancy is that of all seats."""
        return figures(past, clock.now(), timedelta(hours=hours), queue, dialled, unit, unit_of)

    @router.get("/kpis/by/{by}")
    async def kpis_by(
        _: Annotated[Principal, Depends(require(Permission.KPIS_READ))],
        by: By,
        hours: Annotated[float, Query(gt=0, le=24)] = 24,
    ) -> Page[Row]:
        """The same figures for each queue, each dialled number or each unit whose calls left a queue within `hours`. A
        unit answers for the numbers that are its own in the catalogue; those that nobody declared are the house's."""
        now = clock.now()
        past.forget(now)
        return Page(items=series.rows(past.stays(now - timedelta(hours=hours)), by, unit_of))

    @router.get("/kpis/day")
    async def kpis_day(
        _: Annotated[Principal, Depends(require(Permission.KPIS_READ))],
        minutes: Annotated[int, Query(ge=5, le=60)] = 15,
        hours: Annotated[float, Query(gt=0, le=24)] = 24,
    ) -> Page[Stretch]:
        """The last `hours` in stretches of `minutes`, the oldest first."""
        now, step = clock.now(), timedelta(minutes=minutes)
        past.forget(now)
        since = now - timedelta(hours=hours)
        return Page(items=series.stretches(past.stays(since), since, now, step))

    if audit is not None:
        router.include_router(http_commands.routes(keeper, audit))
    return router


def listening(keeper: FloorKeeper) -> Ledger:
    """An empty ledger that hears of everything from now on."""
    ledger = Ledger()
    keeper.subscribe(ledger.apply)
    return ledger
