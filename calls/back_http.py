"""Somebody takes a call-back task, and its citizen is called from his seat by one request."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from calls.directory import Directory
from calls.outside import Why
from calls.service import CallService
from hotline.audit import Audit
from hotline.errors import Conflict
from hotline.security import Permission, Principal, require
from tickets.model import is_id
from tickets.service import TicketService

Caller = Annotated[Principal, Depends(require(Permission.CALLS_CONTROL))]


class Called(BaseModel):
    """The call that is made: the seat's telephone rings first, then the citizen's."""

    call: str


def routes(service: CallService, directory: Directory, tickets: TicketService, audit: Audit) -> APIRouter:
    """`POST /api/v1/callbacks/{task}/call`."""
    router = APIRouter(prefix="/api/v1/callbacks", tags=["calls"])

    @router.post("/{task}/call", status_code=202)
    async def call_back(task: Annotated[str, Path(max_length=48)], who: Caller) -> Called:
        """Call the citizen from one's own seat. When he answers the task is done; every try is noted with it."""
        found = await tickets.callback(task)
        directory.ready(who.agent)
        if found.done_at is not None:
            raise Conflict("This citizen was spoken with already: take the next one.")
        if _is_called(service, found.caller):
            raise Conflict("This citizen is being called back already: take the next one.")
        permitted = directory.trunk.look_citizen(found.caller)
        await audit.record(who, "callback.call", task if is_id(task) else "invalid")
        if isinstance(permitted, Why):
            raise directory.trunk.refusal(permitted)
        return Called(call=service.call_back(found.caller, found.dialled, found.call, who.agent))

    return router


def _is_called(service: CallService, number: str) -> bool:
    """Whether a call-back to this number waits or goes on."""
    backs = (box.call.back for box in service.boxes.values())
    return any(back is not None and back.number == number for back in backs)
