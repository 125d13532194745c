"""What somebody who is called into a talk needs to know, before answering already: the ticket so far; and what he
concludes, written to it.

Who takes part is known to the talk while it lives and to the recording afterwards; to everybody else there is no such
call. Joins what rooms know, decides nothing else.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, StringConstraints

from agents.service import AgentService
from console.desk import CallId, DeskService
from hotline.audit import Audit
from hotline.clock import Clock
from hotline.errors import Conflict, NotFound
from hotline.http import RequestBody, create
from hotline.security import Permission, Principal, require
from recordings.service import RecordingService
from tickets.model import Ticket
from tickets.service import TicketService
from tickets.visibility import ConclusionView, TicketView, project, project_conclusions

Sitter = Annotated[Principal, Depends(require(Permission.SEAT_USE))]
Text = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=4000, strip_whitespace=True, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
    ),
]


class BriefView(BaseModel):
    """The ticket of a call that one is or was called into."""

    call: str
    ticket: TicketView | None
    """None: it is not there yet."""
    conclusions: list[ConclusionView]


class ConclusionBody(RequestBody):
    """What was concluded."""

    text: Text


class Briefs:
    """Looks, and conclusions."""

    def __init__(
        self,
        desks: DeskService,
        tickets: TicketService,
        recordings: RecordingService,
        agents: AgentService,
        clock: Clock,
    ) -> None:
        self._desks, self._tickets, self._recordings = desks, tickets, recordings
        self._agents, self._clock = agents, clock

    async def took_part(self, call: str, who: Principal) -> bool:
        """Whether the phone of `who` rings for this call's talk, or somebody at that seat was heard in it."""
        if not who.agent:
            return False
        found = self._desks.talk(who)
        if found is not None and found.call == call:
            return True
        recording = await self._recordings.for_call(call)
        return recording is not None and who.agent in recording.agents

    async def look(self, call: str, who: Principal) -> BriefView:
        """What there is now."""
        ticket = await self._tickets.for_call(call)
        if ticket is None:
            return BriefView(call=call, ticket=None, conclusions=[])
        now, lines = self._clock.now(), await self._tickets.history(ticket.id)
        return BriefView(
            call=call,
            ticket=project(ticket, who, now, took_part=True),
            conclusions=project_conclusions(lines, ticket, who, now, took_part=True),
        )

    async def ticket(self, call: str) -> Ticket:
        """Raises:
        Conflict: there is none yet.
        """
        if (ticket := await self._tickets.for_call(call)) is None:
            raise Conflict("This call has no ticket yet: wait a moment, then write again.")
        return ticket

    async def conclude(self, ticket: Ticket, text: str, who: Principal) -> None:
        """Write it to the ticket, with the name and the units of the seat."""
        seat = next((agent for agent in await self._agents.all() if agent.agent == who.agent), None)
        name, units = ("", ()) if seat is None else (seat.name, seat.units)
        await self._tickets.conclude(ticket.id, text, who, name=name, unit="、".join(units)[:200])


def routes(briefs: Briefs, audit: Audit, changed: Callable[[], Awaitable[None]]) -> APIRouter:
    """More routes below `/api/v1/desk`. `changed` tells pages that there is news of tickets."""
    router = APIRouter(prefix="/api/v1/desk", tags=["desk"])

    async def allowed(call: str, who: Principal, action: str) -> bool:
        took_part = await briefs.took_part(call, who)
        if not took_part:
            await audit.record(who, action, call, result="refused")
        return took_part

    @router.get("/calls/{call}/brief")
    async def brief(call: CallId, who: Sitter, response: Response) -> BriefView:
        """The ticket so far, for whoever is called into its talk: while the phone rings, in it, and afterwards.

        For everybody else there is none, as if it had not been made yet: a phone may stop ringing at any moment."""
        response.headers["Cache-Control"] = "private, no-store"
        if not await allowed(call, who, "ticket.brief"):
            return BriefView(call=call, ticket=None, conclusions=[])
        await audit.record(who, "ticket.brief", call)
        return await briefs.look(call, who)

    @router.post("/calls/{call}/conclusion", status_code=201, response_model=BriefView)
    async def conclude(call: CallId, who: Sitter, body: ConclusionBody, request: Request) -> Response:
        """Write what one concludes to the call's ticket; a second one stands beside the first."""
        if not await allowed(call, who, "ticket.conclude"):
            raise NotFound("There is no such call of yours.")

        async def make() -> BriefView:
            ticket = await briefs.ticket(call)
            await audit.record(who, "ticket.conclude", ticket.id)
            await briefs.conclude(ticket, body.text, who)
            await changed()
            return await briefs.look(call, who)

        return await create(request, who, make, HTTPStatus.CREATED)

    return router
