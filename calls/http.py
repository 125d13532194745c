"""Calls through the API: what lives now, what was, and why a call waits (its facts in order)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.events import Ordered
from calls.service import CallService
from calls.tables import calls
from hotline.audit import Audit
from hotline.database import Database
from hotline.errors import NotFound
from hotline.http import Page, Paging, paging
from hotline.security import Permission, Principal, Role, require

Watcher = Annotated[Principal, Depends(require(Permission.CALLS_WATCH))]
Controller = Annotated[Principal, Depends(require(Permission.CALLS_CONTROL))]

SEES_NUMBERS = frozenset({Role.SUPERVISOR})


class CallView(BaseModel):
    """A call as the API shows it; times are UTC, durations seconds."""

    call: str
    dialled: str
    declared: bool
    caller: str
    """Masked for everybody but supervisors; hidden from experts."""
    merge_mode: str
    owner_unit: str
    line_name: str
    region: str
    phase: str
    queue: str
    seat: str
    outcome: str
    offers_missed: int
    waited_s: float | None
    talked_s: float | None
    arrived_at: datetime
    queued_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None


def mask(number: str, who: Principal) -> str:
    """`138****5678` for most, all of it for supervisors, nothing for experts (`domain.md` 6.2)."""
    if who.roles & SEES_NUMBERS:
        return number
    if who.roles <= {Role.EXPERT, Role.UNIT}:
        return ""
    return number if len(number) < 7 else f"{number[:3]}****{number[-4:]}"


def _view(row: Any, who: Principal) -> CallView:
    fields = dict(row._mapping)
    return CallView(**{**fields, "caller": mask(fields["caller"], who)})


def routes(service: CallService, database: Database, audit: Audit) -> APIRouter:
    """Routes under `/api/v1/calls`."""
    router = APIRouter(prefix="/api/v1/calls", tags=["calls"])

    @router.get("")
    async def list_calls(
        who: Watcher, page: Annotated[Paging, Depends(paging)], live: bool = False, dialled: str | None = None
    ) -> Page[CallView]:
        """Calls, newest first; `live=true`: only those that have not ended."""
        query = select(calls).order_by(calls.c.arrived_at.desc(), calls.c.call.desc()).limit(page.limit + 1)
        if live:
            query = query.where(calls.c.ended_at.is_(None))
        if dialled:
            query = query.where(calls.c.dialled == dialled)
        if (key := page.after(str, str)) is not None:
            below = tuple_(calls.c.arrived_at, calls.c.call) < (datetime.fromisoformat(key[0]), key[1])
            query = query.where(below)

        async def read(connection: AsyncConnection) -> list[CallView]:
            return [_view(row, who) for row in await connection.execute(query)]

        rows = await database.read(read)
        return page.page(rows, lambda row: (row.arrived_at.isoformat(), row.call))

    @router.get("/{call}")
    async def one_call(call: str, who: Watcher) -> CallView:
        """One call."""

        async def read(connection: AsyncConnection) -> CallView | None:
            row = (await connection.execute(select(calls).where(calls.c.call == call))).one_or_none()
            return None if row is None else _view(row, who)

        if (found := await database.read(read)) is None:
            raise NotFound("There is no such call.")
        await audit.record(who, "call.view", call)
        return found

    @router.post("/{call}/hang-up", status_code=202)
    async def hang_up(call: str, who: Controller) -> dict[str, str]:
        """End a call: supervisors any, a desk only the one it talks with."""
        state = service.ledger.live.get(call)
        own = state is not None and state.seat == who.agent and bool(who.agent)
        if state is None or not (own or Role.SUPERVISOR in who.roles):
            raise NotFound("There is no such live call of yours.")
        await audit.record(who, "call.hang_up", call)
        service.post(call, Ordered())
        return {"call": call}

    return router
