"""The emergency key of an operator's desk: ask, confirm, and 110 is called into the talk while nobody leaves it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from calls import emergency, orders, parties
from calls.directory import Directory
from calls.emergency import Confirmations
from calls.legs import Talk
from hotline.audit import Audit
from hotline.errors import Conflict
from hotline.http import RequestBody
from hotline.security import Permission, Principal, require

Party = Annotated[Principal, Depends(require(Permission.CALLS_CONTROL))]


class EmergencyBody(RequestBody):
    """Which line. `unclear`: it is not clear whose matter it is, so the three talk it over and nobody is handed over.
    `confirm`: the word that the first asking answered with; without it nothing is dialled."""

    number: str = Field(min_length=3, max_length=12)
    unclear: bool = False
    confirm: str = Field("", max_length=64)


class ConfirmView(BaseModel):
    """Send the same again with `confirm` before `expires_at`, and the line is called."""

    confirm: str
    expires_at: datetime
    number: str
    name: str


class EmergencyGranted(BaseModel):
    """The line is called; `situation`: of the talk just before."""

    call: str
    situation: str


class TalksPort(Protocol):
    """Asking things of a talk, as `talk_http.Talks` does."""

    def own(self, call: str, who: Principal) -> Talk: ...

    async def ask(
        self, request: Request, who: Principal, call: str, wish: Callable[[Talk], orders.Command]
    ) -> Response: ...


def routes(talks: TalksPort, directory: Directory, confirmations: Confirmations, audit: Audit) -> APIRouter:
    """`POST /{call}/emergency`."""
    router = APIRouter()

    def wanted(who: Principal, body: EmergencyBody) -> orders.Consult:
        """The order, if the guard lets it pass.

        Raises:
            Conflict: this is no emergency line.
        """
        found = directory.number(body.number, who.agent)
        if found.purpose is not orders.Purpose.EMERGENCY:
            raise Conflict("This is no emergency line: call it as any other number.")
        return orders.Consult(
            by=who.agent,
            phone=found.callee.phone,
            party=found.callee.party,
            purpose=found.purpose,
            unit=found.unit,
            number=found.number,
            unclear=body.unclear,
            then=emergency.next_ones(found.callee.phone, directory.free_supervisors()),
            private=False,
        )

    @router.post(
        "/{call}/emergency", responses={200: {"model": ConfirmView}, 202: {"model": EmergencyGranted}}, status_code=202
    )
    async def call_emergency(request: Request, call: str, body: EmergencyBody, who: Party) -> Response:
        """Call 110, 119, 120 or 122 into the talk: the first time to get a word, the second time with it."""
        talk = talks.own(call, who)
        order = wanted(who, body)
        if body.confirm:
            return await talks.ask(request, who, call, partial(_confirmed, confirmations, call, body, order))
        if refused := parties.why_not(talk, order):
            raise Conflict(refused)
        await audit.record(who, "call.emergency", call, result="to be confirmed", detail={"number": order.number})
        given = confirmations.ask(call, who.agent, order.number)
        target = directory.trunk.targets().get(order.number)
        view = ConfirmView(
            confirm=given.word,
            expires_at=given.expires_at,
            number=order.number,
            name=target.name if target else "",
        )
        return JSONResponse(view.model_dump(mode="json"))

    return router


def _confirmed(
    confirmations: Confirmations, call: str, body: EmergencyBody, order: orders.Consult, _: Talk
) -> orders.Command:
    confirmations.take(body.confirm, call, order.by, order.number)
    return order
