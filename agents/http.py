"""Routes of seats: who sits where, and what a seat is asked to do. Forcing another's seat is audited."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, Field

from agents import presence, profiles_http
from agents.model import AgentKind, SeatState, SeatStatus, SipAccount
from agents.presence import ALLOWED, Action
from agents.service import AgentService, may_command
from hotline.audit import Audit
from hotline.errors import NotAllowed
from hotline.http import Page, Paging, RequestBody, paging
from hotline.security import Permission, Principal, require

Watcher = Annotated[Principal, Depends(require(Permission.SEATS_WATCH))]


class SignInBody(RequestBody):
    """Where to sign in."""

    phone: str = Field("", max_length=12)
    """Digits; empty: the agent's own phone."""


class SignOutBody(RequestBody):
    """Why."""

    reason: str = Field("", max_length=40, pattern=r"^[a-z0-9_]*$")


class PauseBody(RequestBody):
    """Why: one of `/api/v1/pause-reasons`."""

    reason: str = Field(max_length=40)


class SeatView(BaseModel):
    """An agent's seat. Without `state` nobody is signed in at it."""

    seat: str
    name: str
    kind: AgentKind | None
    units: list[str]
    phone: str
    state: SeatState | None
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    reachable: bool = False
    call: str = ""
    pause_asked: str = ""
    leaving: bool = False
    actions: list[Action] = []
    """What may be asked of it now."""


class StatusView(BaseModel):
    """A signed-in seat; without `state` it has signed out."""

    seat: str
    phone: str = ""
    state: SeatState | None = None
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    reachable: bool = False
    call: str = ""
    pause_asked: str = ""
    leaving: bool = False
    actions: list[Action] = []


class SipView(BaseModel):
    """What the seat's softphone needs to register."""

    username: str
    secret: str
    server: str
    port: int


class SignedInView(StatusView):
    """The seat, and the SIP account of its phone."""

    sip: SipView


class ReasonView(BaseModel):
    """A reason for a pause."""

    code: str
    zh: str
    en: str
    chosen: bool
    is_break: bool
    limit_minutes: int | None


def routes(service: AgentService, audit: Audit) -> APIRouter:
    """The routes below `/api/v1/seats`, and `/api/v1/pause-reasons`."""
    router = APIRouter(prefix="/api/v1", tags=["seats"])

    async def allow(who: Principal, seat: str, action: str) -> None:
        """Let the owner of the seat pass, and whoever may force it after a line in the audit."""
        if not may_command(who, seat):
            raise NotAllowed("This is another agent's seat.")
        if who.agent != seat:
            await audit.record(who, f"seat.{action}", seat)

    @router.get("/seats")
    async def seats(_: Watcher, page: Annotated[Paging, Depends(paging)]) -> Page[SeatView]:
        """Every agent's seat, signed in or not, in order of work numbers."""
        rows = await seat_views(service)
        after = page.after(str)
        following = [row for row in rows if after is None or row.seat > after[0]]
        return page.page(following[: page.limit + 1], lambda row: (row.seat,))

    @router.get("/pause-reasons")
    async def pause_reasons(_: Watcher) -> Page[ReasonView]:
        """Reasons for a pause; those that are not `chosen` are given by the floor."""
        reasons = presence.pause_reasons().values()
        return Page(
            items=[
                ReasonView(
                    code=reason.code,
                    zh=reason.zh,
                    en=reason.en,
                    chosen=reason.chosen,
                    is_break=reason.is_break,
                    limit_minutes=reason.limit_minutes,
                )
                for reason in reasons
            ]
        )

    @router.post("/seats/{seat}/sign-in")
    async def sign_in(seat: str, who: Watcher, body: Annotated[SignInBody | None, Body()] = None) -> SignedInView:
        """Open the seat; signing in again changes phone and skills and leaves a pause as it is."""
        await allow(who, seat, "sign_in")
        status, account = await service.sign_in(seat, body.phone if body else "")
        return SignedInView(**_status(seat, status).model_dump(), sip=_sip(account))

    @router.post("/seats/{seat}/sign-out")
    async def sign_out(seat: str, who: Watcher, body: Annotated[SignOutBody | None, Body()] = None) -> StatusView:
        """Close the seat, after its talk if it has one."""
        await allow(who, seat, "sign_out")
        return _status(seat, await service.sign_out(seat, body.reason if body else ""))

    @router.post("/seats/{seat}/pause")
    async def pause(seat: str, who: Watcher, body: PauseBody) -> StatusView:
        """Pause now, or after the present work."""
        await allow(who, seat, "pause")
        return _status(seat, await service.pause(seat, body.reason))

    @router.post("/seats/{seat}/resume")
    async def resume(seat: str, who: Watcher) -> StatusView:
        """Be ready again."""
        await allow(who, seat, "resume")
        return _status(seat, await service.resume(seat))

    @router.post("/seats/{seat}/end-wrap-up")
    async def end_wrap_up(seat: str, who: Watcher) -> StatusView:
        """End the wrap-up early."""
        await allow(who, seat, "end_wrap_up")
        return _status(seat, await service.end_wrap_up(seat))

    router.include_router(profiles_http.routes(service, audit))
    return router


async def seat_views(service: AgentService) -> list[SeatView]:
    """Every active agent's seat, and signed-in seats without a profile."""
    profiles = {agent.agent: agent for agent in await service.all()}
    statuses = {status.seat: status for status in service.seats()}
    views: list[SeatView] = []
    for seat in sorted({*statuses, *(number for number, agent in profiles.items() if agent.active)}):
        profile, status = profiles.get(seat), statuses.get(seat)
        shown = _status(seat, status).model_dump()
        shown["phone"] = shown["phone"] or (profile.phone if profile else "")
        views.append(
            SeatView(
                name=profile.name if profile else "",
                kind=profile.kind if profile else None,
                units=list(profile.units) if profile else [],
                **shown,
            )
        )
    return views


def _status(seat: str, status: SeatStatus | None) -> StatusView:
    if status is None:
        return StatusView(seat=seat)
    return StatusView(
        seat=status.seat,
        phone=status.phone,
        state=status.state,
        reason=status.reason,
        since=status.since,
        until=status.until,
        reachable=status.reachable,
        call=status.call,
        pause_asked=status.pause_asked,
        leaving=status.leaving,
        actions=list(ALLOWED[status.state]),
    )


def _sip(account: SipAccount) -> SipView:
    return SipView(username=account.username, secret=account.secret, server=account.server, port=account.port)
