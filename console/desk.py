"""What an operator's or expert's desk shows, in one look: the own seat, its call, the earlier tickets of who calls.

Joins what rooms know of one call; decides nothing. The softphone in the page or a phone on the desk is a choice of
the seat, made here because it concerns the account of its phone.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.http import SeatView, seat_views
from agents.ports import AccountPort
from agents.service import AgentService
from calls.http import CallView, mask
from calls.tables import calls
from hotline.audit import Audit
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import BadInput, NotFound
from hotline.http import RequestBody
from hotline.security import Permission, Principal, Role, require
from telephony.model import PhoneId
from telephony.provisioning import Provisioning, Transport, account_of
from tickets.model import Ticket
from tickets.store_sql import of_caller
from tickets.visibility import TicketView, project

Sitter = Annotated[Principal, Depends(require(Permission.SEAT_USE))]
CallId = Annotated[str, Path(max_length=48, pattern=r"^[0-9a-z_]+$")]

EARLIER = 20
"""How many tickets of the past a desk shows."""


class DeskView(BaseModel):
    """The own desk at one moment."""

    at: datetime
    """The server's clock: pages count from it, not from theirs."""
    seat: SeatView | None
    """None: this person has no seat."""
    call: CallView | None
    """The call that rings at the seat or talks with it."""
    waiting: int
    """Calls that wait now, in every queue."""


class PhoneKind(StrEnum):
    """What a seat talks with."""

    PAGE = "page"  # 网页软电话
    DESK = "desk"  # 话机


class PhoneBody(RequestBody):
    """The seat's choice."""

    kind: PhoneKind


class PhoneView(BaseModel):
    """What a softphone in the page needs to register at `/sip`."""

    phone: str
    username: str
    secret: str
    realm: str


class Earlier(BaseModel):
    """Earlier tickets of the same caller, newest first."""

    items: list[TicketView]


class DeskService:
    """Looks and the choice of the phone."""

    def __init__(
        self,
        agents: AgentService,
        accounts: AccountPort,
        provisioning: Provisioning,
        database: Database,
        clock: Clock,
        waiting: Callable[[], int],
    ) -> None:
        self._agents, self._accounts, self._provisioning = agents, accounts, provisioning
        self._database, self._clock, self._waiting = database, clock, waiting

    async def look(self, who: Principal) -> DeskView:
        """The desk of `who`."""
        seat = next((one for one in await seat_views(self._agents) if one.seat == who.agent), None)
        row = await self.call(seat.call) if seat and seat.call else None
        shown: dict[str, Any] = {} if row is None else {**row, "caller": mask(row["caller"], who)}
        call = CallView(**shown) if shown else None
        return DeskView(at=self._clock.now(), seat=seat, call=call, waiting=self._waiting())

    async def call(self, call: str) -> dict[str, Any] | None:
        """The row of a call."""

        async def read(connection: AsyncConnection) -> dict[str, Any] | None:
            row = (await connection.execute(select(calls).where(calls.c.call == call))).mappings().one_or_none()
            return None if row is None else {str(name): value for name, value in row.items()}

        return await self._database.read(read)

    async def has(self, who: Principal, call: dict[str, Any]) -> bool:
        """Whether the call rings or talks at the seat of `who`, or did."""
        if call["seat"] == who.agent:
            return True
        seat = next((one for one in await seat_views(self._agents) if one.seat == who.agent), None)
        return seat is not None and seat.call == call["call"]

    async def earlier(self, call: dict[str, Any]) -> list[Ticket]:
        """Tickets of earlier calls from the same number; nothing for a withheld one."""
        if not call["caller"]:
            return []
        return await self._database.read(
            lambda connection: of_caller(connection, call["caller"], call["call"], EARLIER)
        )

    async def choose(self, who: Principal, kind: PhoneKind) -> PhoneView:
        """Make the account of the seat's phone one for browsers, or one for a phone on the desk.

        Raises:
            BadInput: this person has no seat, or the seat no phone.
        """
        seat = next((one for one in await seat_views(self._agents) if one.seat == who.agent), None)
        if seat is None or not seat.phone:
            raise BadInput("You have no seat with a phone of its own: ask an administrator for one.")
        phone = PhoneId(seat.phone)
        account = await self._accounts.account(seat.phone)
        transport = Transport.WS if kind is PhoneKind.PAGE else Transport.UDP
        await self._provisioning.add(phone, account.secret, transport=transport)
        return PhoneView(phone=phone, username=account_of(phone), secret=account.secret, realm="hotline")


def routes(service: DeskService, audit: Audit, clock: Clock) -> APIRouter:
    """The routes below `/api/v1/desk`."""
    router = APIRouter(prefix="/api/v1/desk", tags=["desk"])

    @router.get("")
    async def desk(who: Sitter) -> DeskView:
        """The own desk: asked for whenever the feed says that something changed."""
        return await service.look(who)

    @router.post("/phone")
    async def phone(who: Sitter, body: PhoneBody) -> PhoneView:
        """Talk in the page, or with a phone on the desk; it counts from the next registration on."""
        await audit.record(who, "seat.phone", who.agent, detail={"kind": body.kind.value})
        return await service.choose(who, body.kind)

    @router.get("/calls/{call}/earlier")
    async def earlier(call: CallId, who: Sitter) -> Earlier:
        """Earlier tickets of who calls, for the seat that has the call and for supervisors."""
        row = await service.call(call)
        own = row is not None and bool(who.agent) and await service.has(who, row)
        if row is None or not (own or Role.SUPERVISOR in who.roles):
            await audit.record(who, "ticket.earlier", call, result="refused")
            raise NotFound("There is no such call of yours.")
        found = await service.earlier(row)
        await audit.record(who, "ticket.earlier", call, detail={"tickets": [ticket.id for ticket in found]})
        now = clock.now()
        return Earlier(items=[view for ticket in found if (view := project(ticket, who, now)) is not None])

    return router
