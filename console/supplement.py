"""A citizen who calls again about a matter that is still open: what is new goes to the ticket that there is.

Whose call it is decides who may, as for the look at earlier tickets; the ticket itself, its state and its version stay
as they are, whoever works at it.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel

from console.brief import Text
from console.desk import CallId, DeskService
from hotline.audit import Audit
from hotline.errors import Conflict, NotFound
from hotline.http import RequestBody, create
from hotline.security import Permission, Principal, require
from tickets.model import OVER, SUPPLEMENTED, Ticket
from tickets.service import TicketService

Writer = Annotated[Principal, Depends(require(Permission.TICKETS_WRITE))]
TicketId = Annotated[str, Path(max_length=48, pattern=r"^[0-9a-z_]+$")]


class SupplementBody(RequestBody):
    """What the citizen adds."""

    text: Text


class Supplemented(BaseModel):
    """The ticket that it was written to."""

    ticket: str
    number: str


def routes(
    desks: DeskService, tickets: TicketService, audit: Audit, changed: Callable[[], Awaitable[None]]
) -> APIRouter:
    """One more route below `/api/v1/desk`. `changed` tells pages that there is news of tickets."""
    router = APIRouter(prefix="/api/v1/desk", tags=["desk"])

    @router.post("/calls/{call}/earlier/{ticket}", status_code=HTTPStatus.CREATED, response_model=Supplemented)
    async def append(call: CallId, ticket: TicketId, who: Writer, body: SupplementBody, request: Request) -> Response:
        """Append to an earlier ticket of who calls. A second time stands beside the first."""
        try:
            found = await _earlier(desks, call, ticket, who)
        except NotFound:
            await audit.record(who, "ticket.supplement", ticket, result="refused")
            raise
        if found.state in OVER:
            raise Conflict("Nobody works at this ticket any more: register what is new.")

        async def make() -> Supplemented:
            await audit.record(who, "ticket.supplement", found.id, detail={"call": call})
            await tickets.conclude(found.id, body.text, who, action=SUPPLEMENTED)
            await changed()
            return Supplemented(ticket=found.id, number=found.number)

        return await create(request, who, make, HTTPStatus.CREATED)

    return router


async def _earlier(desks: DeskService, call: str, ticket: str, who: Principal) -> Ticket:
    row = await desks.call(call)
    own = row is not None and bool(who.agent) and await desks.has(who, row)
    found = await desks.earlier(row) if row is not None and own else []
    wanted = next((one for one in found if one.id == ticket), None)
    if wanted is None:
        raise NotFound("There is no such earlier ticket of who calls you.")
    return wanted
