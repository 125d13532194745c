"""How this process is, for administrators: versions, what is degraded, what was counted."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from hotline.security import Permission, Principal, require
from telephony.asterisk import AsteriskProcess


class AsteriskView(BaseModel):
    """The Asterisk that holds our calls."""

    is_up: bool
    version: str
    pid: int | None
    """Its process, when it is a child of ours."""
    adopted: bool
    """It was already running when we came."""
    restarts: int
    problems: list[str]
    """What its self-check found wrong, one sentence each."""


def asterisk_view(child: AsteriskProcess | None, problems: list[str], *, is_up: bool) -> AsteriskView:
    """`child`: ours; nothing when somebody else runs it."""
    if child is None:
        return AsteriskView(is_up=is_up, version="", pid=None, adopted=False, restarts=0, problems=problems)
    return AsteriskView(
        is_up=is_up,
        version=child.ready.version if child.ready else "",
        pid=child.pid,
        adopted=child.adopted,
        restarts=child.restarts,
        problems=problems,
    )


class SystemView(BaseModel):
    """One process of the hotline."""

    pid: int
    started_at: str
    asterisk: AsteriskView
    is_degraded: bool
    """Facts of the floor are kept in memory only, because the log does not answer."""
    live_calls: int
    undeclared_calls: int
    """Calls since the start to numbers that nobody declared."""
    catalogue: str
    """Where the catalogue in force came from."""
    problems: list[str]
    """What somebody should look at."""


def routes(look: Callable[[], Awaitable[SystemView]], document: Callable[[], dict[str, Any]]) -> APIRouter:
    """`/api/v1/system`, and the API's description for whoever may use any of it."""
    router = APIRouter(tags=["operations"])

    @router.get("/api/openapi.json", include_in_schema=False)
    async def openapi(_: Annotated[Principal, Depends(require(Permission.API_READ))]) -> dict[str, Any]:
        return document()

    @router.get("/api/v1/system")
    async def system(_: Annotated[Principal, Depends(require(Permission.SYSTEM_READ))]) -> SystemView:
        """How this process is."""
        return await look()

    return router
