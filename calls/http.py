"""Calls through the API: what lives now, what was, and why a call waits (its facts in order)."""

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

import agents.roster_http
from calls import asks_http, back_http, outside_http, talk_http
from calls.directory import Directory
from calls.events import Ordered
from calls.model import CallState
from calls.service import CallService
from calls.tables import calls
from calls.talk_http import Supervisor
from calls.timeline import StepView, Timelines
from hotline.audit import Audit
from hotline.database import Database
from hotline.errors import NotFound
from hotline.http import Page, Paging, paging
from hotline.security import Permission, Principal, Role, require
from telephony.model import LineId
from tickets.service import TicketService
from tickets.visibility import mask_number

Watcher = Annotated[Principal, Depends(require(Permission.CALLS_WATCH))]
Controller = Annotated[Principal, Depends(require(Permission.CALLS_CONTROL))]

SEES_MASKED = frozenset({Role.SUPERVISOR, Role.OPERATOR, Role.QA})
"""Whole numbers are for nobody's eyes: people dial by a click (`domain.md` 6.2)."""
Dialled = Annotated[str, Query(max_length=40, pattern=r"^[^\x00-\x1f]*$")]
_ID = re.compile(r"[0-9a-z_]{1,40}")


class CallView(BaseModel):
    """A call as the API shows it; times are UTC, durations seconds."""

    call: str
    dialled: str
    declared: bool
    caller: str
    """Masked, for experts and administrators hidden."""
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
    rated_service: str
    """`satisfied`, `fair` or `dissatisfied`, as the citizen's key said after the talk; empty without an answer."""
    rated_result: str
    call_back: bool
    """The citizen is called back, or was to be."""
    ended_at: datetime | None


def mask(number: str, who: Principal) -> str:
    """`139****5678` for those who may see that much, nothing for others."""
    return mask_number(number) if who.roles & SEES_MASKED else ""


async def _was_there(database: Database, call: str) -> bool:
    async def read(connection: AsyncConnection) -> bool:
        return (await connection.execute(select(calls.c.call).where(calls.c.call == call))).first() is not None

    return await database.read(read)


def _own_line(state: CallState, seat: str) -> LineId:
    """The line that this seat has in the call; empty while it has none."""
    leg = None if state.talk is None else state.talk.of_seat(seat)
    if leg is not None:
        return leg.line
    return state.seat_line if seat and seat == state.seat else LineId("")


def _view(row: Any, who: Principal) -> CallView:
    fields: dict[str, Any] = {**row._mapping, "caller": mask(row.caller, who)}
    return CallView(**fields)


def routes(
    service: CallService, database: Database, audit: Audit, directory: Directory, tickets: TicketService
) -> APIRouter:
    """Routes under `/api/v1/calls`, `/api/v1/outside` and `/api/v1/roster`, and what dials a call-back task."""
    router = APIRouter(prefix="/api/v1/calls", tags=["calls"])
    timelines = Timelines(service.ledger)

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
        if (key := page.after(datetime, str)) is not None:
            query = query.where(tuple_(calls.c.arrived_at, calls.c.call) < key)

        async def read(connection: AsyncConnection) -> list[CallView]:
            return [_view(row, who) for row in await connection.execute(query)]

        found = page.page(await database.read(read), lambda row: (row.arrived_at.isoformat(), row.call))
        if not live:
            await audit.record(who, "call.list", "", detail={"calls": [row.call for row in found.items]})
        return found

    @router.get("/{call}")
    async def one_call(call: str, who: Watcher) -> CallView:
        """One call."""

        async def read(connection: AsyncConnection) -> CallView | None:
            row = (await connection.execute(select(calls).where(calls.c.call == call))).one_or_none()
            return None if row is None else _view(row, who)

        if (found := await database.read(read)) is None:
            await audit.record(who, "call.view", call if _ID.fullmatch(call) else "invalid", result="refused")
            raise NotFound("There is no such call.")
        await audit.record(who, "call.view", call)
        return found

    @router.get("/{call}/timeline")
    async def timeline(call: str, who: Supervisor) -> Page[StepView]:
        """What happened to a live call so far, in order; nothing of one that is over, which may be just now."""
        steps = timelines.of(call)
        if not steps and not await _was_there(database, call):
            raise NotFound("There is no such call.")
        await audit.record(who, "call.timeline", call)
        return Page(items=steps)

    @router.post("/{call}/hang-up", status_code=202)
    async def hang_up(call: str, who: Controller) -> dict[str, str]:
        """End a call: a supervisor any for everybody; a seat its own part of it, as its phone would."""
        state = service.ledger.live.get(call)
        ends_all = Role.SUPERVISOR in who.roles
        line = LineId("") if state is None or ends_all else _own_line(state, who.agent)
        if state is None or not (line or ends_all):
            raise NotFound("There is no such live call of yours.")
        await audit.record(who, "call.hang_up", call)
        service.post(call, Ordered(line=line))
        return {"call": call}

    router.include_router(talk_http.routes(service, directory, audit))
    whole = APIRouter()
    parts = (
        router,
        outside_http.routes(directory),
        back_http.routes(service, directory, tickets, audit),
        asks_http.routes(directory, database),
        agents.roster_http.routes(directory.roster, audit),
    )
    for part in parts:
        whole.include_router(part)
    return whole
