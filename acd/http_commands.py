"""Routes that ask something of the floor: more time to wrap up, another way for a waiting call. Each leaves a line in
the audit before it happens. What seats are asked otherwise is the agents' room's."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from acd.expressions import parse
from acd.model import ExtendWrapUp, ReportAbuse, Reroute, SeatChanged
from acd.records import Needs
from acd.service import FloorKeeper
from acd.values import AbuseStep, SeatState
from acd.views import AbuseView, CallPlace, WrapUpView
from hotline.audit import Audit
from hotline.errors import BadInput, Conflict, NotAllowed, NotFound
from hotline.http import RequestBody
from hotline.security import Permission, Principal, require


class ExtendBody(RequestBody):
    """How much more time."""

    seconds: Annotated[float, Field(gt=0, le=1800)] = 60


class AbuseBody(RequestBody):
    """How far it went."""

    step: AbuseStep
    code: Annotated[str, Field(max_length=32, pattern="^[A-Za-z0-9_.-]*$")] = ""


class RouteBody(RequestBody):
    """What changes for a waiting call; what is left out stays."""

    queue: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    needs: Annotated[str | None, Field(max_length=500)] = None
    """A demand like `housing>=3 and english`; empty: anybody may take it."""
    priority: Annotated[int | None, Field(ge=0, le=86_400)] = None
    """Seconds of head start."""


def routes(keeper: FloorKeeper, audit: Audit) -> APIRouter:
    """`POST …/seats/{seat}/extend-wrap-up` and `POST …/floor/waiting/{call}/route`, below the floor's own prefix."""
    router = APIRouter()

    @router.post("/seats/{seat}/extend-wrap-up")
    async def extend_wrap_up(
        seat: str, who: Annotated[Principal, Depends(require(Permission.SEAT_USE))], body: ExtendBody
    ) -> WrapUpView:
        """More time to finish the ticket, so often as the house allows; of one's own seat, or with the right to
        force seats of any."""
        if who.agent != seat and not who.may(Permission.SEATS_FORCE):
            raise NotAllowed("This is another agent's seat.")
        if (known := keeper.floor.seat(seat)) is None or known.state is not SeatState.WRAP_UP:
            raise Conflict("Only a seat that wraps up can be given more time.")
        if who.agent != seat:
            await audit.record(who, "seat.extend_wrap_up", seat)
        facts = await keeper.do(ExtendWrapUp(seat=seat, by_s=body.seconds))
        if not facts:
            raise Conflict("This wrap-up was extended as often as the house allows.")
        until = next((fact.until for fact in facts if isinstance(fact, SeatChanged)), None)
        return WrapUpView(seat=seat, until=until)

    @router.post("/seats/{seat}/report-abuse")
    async def report_abuse(
        seat: str, who: Annotated[Principal, Depends(require(Permission.SEAT_USE))], body: AbuseBody
    ) -> AbuseView:
        """The next step with a citizen who insults: warned, then the supervisor, then ended with a code. After a call
        that was ended so the seat cools down, and the call counts in no figure of its agent."""
        if who.agent != seat and not who.may(Permission.SEATS_FORCE):
            raise NotAllowed("This is another agent's seat.")
        await audit.record(who, "call.report_abuse", seat, detail={"step": body.step.value, "code": body.code})
        facts = await keeper.do(ReportAbuse(seat=seat, step=body.step, code=body.code))
        if not facts:
            raise Conflict("The seat talks with nobody, or this is not the next step: warned, supervisor, ended.")
        return AbuseView(seat=seat, step=body.step)

    @router.post("/floor/waiting/{call}/route")
    async def route(
        call: str, who: Annotated[Principal, Depends(require(Permission.SEATS_FORCE))], body: RouteBody
    ) -> CallPlace:
        """Give a waiting call another queue, other needs or another priority. It keeps its arrival and is looked at
        anew at once; a call that rings is left alone."""
        needs = None if body.needs is None else _one_demand(body.needs)
        waiting = keeper.floor.call(call)
        if waiting is None:
            raise NotFound("No such call waits.")
        if waiting.offer:
            raise Conflict("The call rings at a seat already.")
        await audit.record(who, "call.route", call, detail=body.model_dump(exclude_none=True))
        await keeper.do(Reroute(call=call, queue=body.queue, needs=needs, priority=body.priority))
        return CallPlace.of(call, keeper.floor.call(call), keeper.floor.ahead_of(call))

    return router


def _one_demand(text: str) -> Needs:
    first, *others = parse(text)
    if others:
        raise BadInput("A waiting call is given one demand: leave out 'or'.")
    return first
