"""What was asked of units and lines outside, through the API: who was called, why nobody was reached, how often each is
(三方通话接通率)."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from calls import asks
from calls.directory import Directory
from hotline.database import Database
from hotline.http import Moment, Page
from hotline.security import Permission, Principal, Role, require

Party = Annotated[Principal, Depends(require(Permission.CALLS_CONTROL))]
Reader = Annotated[Principal, Depends(require(Permission.SEATS_WATCH))]
Watcher = Annotated[Principal, Depends(require(Permission.KPIS_READ))]
CallId = Annotated[str, Path(max_length=48, pattern=r"^[0-9a-z_]+$")]
Unit = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class PassedOverView(BaseModel):
    """Somebody who was, or would be, not called. `why`: `off_duty`, `not_signed_in`, `busy`, `unreachable`, or what the
    guard says (`no_trunk`, `lines_busy`, …)."""

    rank: int
    person: str
    how: str
    why: str


class TryView(BaseModel):
    """Somebody who was called: at the seat or at the office phone. `result` is empty while it rings."""

    rank: int
    person: str
    how: str
    seat: str
    began_at: datetime
    ended_at: datetime | None
    result: str


class AskingView(BaseModel):
    """One asking, with everybody who was called for it, in order, and everybody who was not."""

    ask: str
    call: str
    at: datetime
    by: str
    purpose: str
    unit: str
    number: str
    reached_at: datetime | None
    tries: list[TryView]
    passed_over: list[PassedOverView]


class HourView(BaseModel):
    """One local hour of the day."""

    hour: int
    asked: int
    reached: int


class ReachView(BaseModel):
    """How often a unit's experts were reached; `rate` is null while nothing was asked."""

    unit: str
    asked: int
    reached: int
    rate: float | None
    off_hours: int
    by_hour: list[HourView]


class ReachReport(BaseModel):
    """Every unit that was asked."""

    since: datetime
    until: datetime
    formula: str
    units: list[ReachView]


class CandidateView(BaseModel):
    """Who would be called, at the seat or, without one, at the number."""

    rank: int
    person: str
    seat: str
    number: str


class NowView(BaseModel):
    """Who would be called for a unit now, in order, and who not and why."""

    unit: str
    candidates: list[CandidateView]
    passed_over: list[PassedOverView]


def routes(directory: Directory, database: Database) -> APIRouter:
    """Routes under `/api/v1/calls/{call}` and `/api/v1/roster`."""
    router = APIRouter(prefix="/api/v1", tags=["experts"])

    @router.get("/calls/{call}/asks")
    async def asks_of_call(call: CallId, who: Party) -> Page[AskingView]:
        """What was asked in a call: of one's own askings; supervisors of all."""
        found = await database.read(lambda connection: asks.of_call(connection, call))
        every = Role.SUPERVISOR in who.roles
        return Page(items=[_view(one) for one in found if every or (who.agent and one.by == who.agent)])

    @router.get("/roster/reach")
    async def reach(_: Watcher, since: Moment | None = None, until: Moment | None = None) -> ReachReport:
        """How often each unit was reached, by unit and hour; the last 30 days unless `since` says otherwise."""
        last = until or directory.clock.now()
        first = since or last - timedelta(days=30)
        found = await database.read(lambda connection: asks.reach(connection, first, last, directory.zone))
        return ReachReport(since=first, until=last, formula=asks.REACH_RATE, units=[_reach(one) for one in found])

    @router.get("/roster/{unit}/now")
    async def now(unit: Unit, _: Reader) -> NowView:
        """Who would be called for this unit now, in order, and who not and why."""
        ranks = directory.ranks(unit, "")
        return NowView(
            unit=unit,
            candidates=[CandidateView(**msgspec.structs.asdict(one)) for one in ranks.candidates],
            passed_over=[PassedOverView(**msgspec.structs.asdict(one)) for one in ranks.passed_over],
        )

    @router.get("/roster/{unit}/asks")
    async def asks_of_unit(unit: Unit, _: Watcher, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Page[AskingView]:
        """The log of attempts of a unit, newest first."""
        found = await database.read(lambda connection: asks.of_unit(connection, unit, limit))
        return Page(items=[_view(one) for one in found])

    return router


def _view(one: asks.Asking) -> AskingView:
    fields = msgspec.structs.asdict(one)
    tries = [msgspec.structs.asdict(each) for each in one.tries]
    return AskingView.model_validate({**fields, "tries": tries})


def _reach(one: asks.Reach) -> ReachView:
    return ReachView(
        unit=one.unit,
        asked=one.asked,
        reached=one.reached,
        rate=one.rate,
        off_hours=one.off_hours,
        by_hour=[HourView(hour=hour, asked=asked, reached=reached) for hour, (asked, reached) in one.by_hour.items()],
    )
