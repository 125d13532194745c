"""Whom outside one may call, and how much of what is allowed is used up."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from calls.directory import Directory
from calls.outside import Kind, Why
from hotline.http import Page
from hotline.security import Permission, Principal, require

Caller = Annotated[Principal, Depends(require(Permission.CALLS_CONTROL))]
Watcher = Annotated[Principal, Depends(require(Permission.KPIS_READ))]


class TargetView(BaseModel):
    """A line outside. `refused`: why it cannot be dialled now, a code; empty when it can."""

    number: str
    name: str
    unit: str
    kind: Kind
    refused: str


class UsageView(BaseModel):
    """Calls to the outside: those that go on, those of today, and what is allowed of each."""

    trunk: bool
    lines: int
    lines_allowed: int
    today: int
    today_allowed: int
    per_seat_allowed: int


def routes(directory: Directory) -> APIRouter:
    """Routes under `/api/v1/outside`."""
    router = APIRouter(prefix="/api/v1/outside", tags=["calls"])

    @router.get("/targets")
    async def targets(who: Caller) -> Page[TargetView]:
        """Emergency lines, utilities, sub-centres and other bodies, by number: for the dialog of a transfer."""
        known = {one.number: one for one in directory.trunk.targets().values() if one.kind is not Kind.ROSTER}
        items: list[TargetView] = []
        for number in sorted(known):
            found, one = directory.trunk.look(number, who.agent), known[number]
            refused = found.value if isinstance(found, Why) else ""
            items.append(TargetView(number=number, name=one.name, unit=one.unit, kind=one.kind, refused=refused))
        return Page(items=items)

    @router.get("")
    async def usage(_: Watcher) -> UsageView:
        """How much of what is allowed is used up."""
        rules, used = directory.trunk.rules, directory.trunk.usage()
        return UsageView(
            trunk=rules.trunk,
            lines=used.lines,
            lines_allowed=rules.lines,
            today=used.today,
            today_allowed=rules.daily,
            per_seat_allowed=rules.daily_seat,
        )

    return router
