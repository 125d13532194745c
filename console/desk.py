"""What an operator's or expert's desk shows, in one look: the own seat, its call, the earlier tickets of who calls.

Joins what rooms know of one call; decides nothing. The softphone in the page or a phone on the desk is a choice of
the seat, made here because it concerns the account of its phone.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.http import SeatView, seat_views
from agents.model import SeatState
from agents.ports import AccountPort
from agents.service import AgentService
from calls.events import PageBack, PageGone
from calls.http import CallView, mask
from calls.service import CallService
from calls.tables import calls
from console import company
from console.company import TalkShown
from hotline.audit import Audit
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import BadInput
from hotline.http import RequestBody
from hotline.security import Permission, Principal, Role, require
from telephony.model import PhoneId
from telephony.provisioning import Provisioning, Transport, account_of
from tickets.model import OVER, Ticket
from tickets.store_sql import of_caller, ticket_for_call
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
    talk: TalkShown | None
    """Everybody in that call's talk, or in the one that the seat is called to."""
    waiting: int
    """Calls that wait now, in every queue."""
    asks_rating: bool
    """When this seat ends the talk, the citizen is asked how it was."""


class PhoneKind(StrEnum):
    """What a seat talks with."""

    PAGE = "page"  # 网页软电话
    DESK = "desk"  # 话机


class PhoneBody(RequestBody):
    """The seat's choice."""

    kind: PhoneKind
    page: str = Field(default="", max_length=64, pattern=r"^[0-9A-Za-z-]*$")
    """Of a softphone in a page: the mark that it made when it was loaded."""


class PageBody(RequestBody):
    """Which page speaks: a mark that it made when it was loaded."""

    page: str = Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z-]+$")


class PhoneView(BaseModel):
    """What a softphone in the page needs to register at `/sip`."""

    phone: str
    username: str
    secret: str
    realm: str


class Gone(BaseModel):
    """Whether a talk was in the page."""

    had_talk: bool


class Back(BaseModel):
    """Whether a call waits for this page."""

    is_expected: bool


class Earlier(BaseModel):
    """Earlier tickets of the same caller, newest first."""

    items: list[TicketView]
    open: list[str]
    """Those of them that can be appended to."""


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
        live: CallService,
    ) -> None:
        self._agents, self._accounts, self._provisioning = agents, accounts, provisioning
        self._database, self._clock, self._waiting, self._live = database, clock, waiting, live
        self._pages: dict[str, str] = {}
        """The page that each seat's softphone was started in last, as far as this process knows."""
        self._lost: dict[str, str] = {}
        """The call that each seat's page was lost with."""

    async def look(self, who: Principal) -> DeskView:
        """The desk of `who`."""
        seats = {one.seat: one for one in await seat_views(self._agents)}
        seat = seats.get(who.agent)
        found = self.talk(who)
        known = seat.call if seat and seat.call else found.call if found else ""
        row = await self.call(known) if known else None
        shown: dict[str, Any] = {} if row is None else {**row, "caller": mask(row["caller"], who)}
        return DeskView(
            at=self._clock.now(),
            seat=seat,
            call=CallView(**shown) if shown else None,
            talk=company.shown(found, who.agent, seats) if found and found.call == known else None,
            waiting=self._waiting(),
            asks_rating=row is not None and bool(row["queue"]) and self._live.house.plan(row["queue"]).rating,
        )

    def talk(self, who: Principal) -> company.Found | None:
        """The live talk that `who` takes part in or is called to."""
        return company.talk_of_seat(self._live.boxes.values(), who.agent, self._live.house) if who.agent else None

    async def call(self, call: str) -> dict[str, Any] | None:
        """The row of a call."""

        async def read(connection: AsyncConnection) -> dict[str, Any] | None:
            row = (await connection.execute(select(calls).where(calls.c.call == call))).mappings().one_or_none()
            return None if row is None else {str(name): value for name, value in row.items()}

        return await self._database.read(read)

    async def has(self, who: Principal, call: dict[str, Any]) -> bool:
        """Whether the call rings or talks at the seat of `who`, or did: a ticket stays with who answered first."""
        if call["seat"] == who.agent:
            return True
        ticket = await self._database.read(lambda connection: ticket_for_call(connection, call["call"]))
        if ticket is not None and ticket.agent == who.agent:
            return True
        found = self.talk(who)
        if found is not None and found.call == call["call"]:
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

    async def choose(self, who: Principal, kind: PhoneKind, page: str = "") -> PhoneView:
        """Make the account of the seat's phone one for browsers, or one for a phone on the desk.

        A page asks once, before its softphone starts: a talk that the seat has in a page by then is in one that is
        gone.

        Raises:
            BadInput: this person has no seat, or the seat no phone.
        """
        seat = next((one for one in await seat_views(self._agents) if one.seat == who.agent), None)
        if seat is None or not seat.phone:
            raise BadInput("You have no seat with a phone of its own: ask an administrator for one.")
        phone = PhoneId(seat.phone)
        if await self._provisioning.is_for_browser(phone):
            self._let_go(seat)
        self._pages[seat.seat] = page if kind is PhoneKind.PAGE else ""
        account = await self._accounts.account(seat.phone)
        transport = Transport.WS if kind is PhoneKind.PAGE else Transport.UDP
        await self._provisioning.add(phone, account.secret, transport=transport)
        return PhoneView(phone=phone, username=account_of(phone), secret=account.secret, realm="hotline")

    async def leave(self, who: Principal, page: str) -> bool:
        """A page says that it is being closed. Says whether a talk was in it."""
        seat = next((one for one in await seat_views(self._agents) if one.seat == who.agent), None)
        if seat is None or self._pages.get(seat.seat, page) != page:
            return False  # the next page has begun already
        return self._let_go(seat)

    def _let_go(self, seat: SeatView) -> bool:
        if seat.state is not SeatState.TALKING or not seat.call:
            return False
        self._lost[seat.seat] = seat.call
        return self._live.post(seat.call, PageGone(seat.seat))

    def back(self, who: Principal) -> bool:
        """A page's softphone can be rung (again). Says whether a call waits for it."""
        lost = self._lost.pop(who.agent, "")
        return bool(lost) and self._live.post(lost, PageBack(who.agent))


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
        return await service.choose(who, body.kind, body.page)

    @router.post("/phone/gone", status_code=HTTPStatus.ACCEPTED)
    async def gone(who: Sitter, body: PageBody) -> Gone:
        """The page is being closed: whoever talks in it is looked after by somebody else, unless it comes back."""
        had_talk = await service.leave(who, body.page)
        if had_talk:
            await audit.record(who, "seat.page_gone", who.agent)
        return Gone(had_talk=had_talk)

    @router.post("/phone/back", status_code=HTTPStatus.ACCEPTED)
    async def back(who: Sitter) -> Back:
        """The page's softphone is registered: a call that an earlier page of this seat was lost with rings here."""
        return Back(is_expected=service.back(who))

    @router.get("/calls/{call}/earlier")
    async def earlier(call: CallId, who: Sitter) -> Earlier:
        """Earlier tickets of who calls, for seats that have or had the call and for supervisors.

        For everybody else there are none, as for a number that calls for the first time: a phone may stop ringing at
        any moment."""
        row = await service.call(call)
        own = row is not None and bool(who.agent) and await service.has(who, row)
        if row is None or not (own or Role.SUPERVISOR in who.roles):
            await audit.record(who, "ticket.earlier", call, result="refused")
            return Earlier(items=[], open=[])
        found = await service.earlier(row)
        await audit.record(who, "ticket.earlier", call, detail={"tickets": [ticket.id for ticket in found]})
        now = clock.now()
        shown = [view for ticket in found if (view := project(ticket, who, now)) is not None]
        at_work = {ticket.id for ticket in found if own and ticket.state not in OVER}
        return Earlier(items=shown, open=[view.id for view in shown if view.id in at_work])

    return router
