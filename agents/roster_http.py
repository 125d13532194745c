"""Routes of the roster (三固定): who answers for each unit, at which number, in which hours."""

from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from agents.roster import MOST, RosterPlace
from agents.roster_file import MAX_BYTES
from agents.roster_service import RosterService
from hotline.audit import Audit
from hotline.errors import BadInput
from hotline.http import Page, Paging, RequestBody, paging
from hotline.security import Permission, Principal, require

Reader = Annotated[Principal, Depends(require(Permission.SEATS_WATCH))]
Writer = Annotated[Principal, Depends(require(Permission.ROSTER_WRITE))]
Unit = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class PlaceBody(RequestBody):
    """One place; the first of the list has rank 1."""

    person: str = Field(max_length=100)
    seat: str = Field("", max_length=20)
    number: str = Field("", max_length=24)
    hours: str = Field(max_length=400)
    note: str = Field("", max_length=200)


class RosterBody(RequestBody):
    """A unit's places, the first in rank first; none takes the unit out."""

    places: list[PlaceBody] = Field(max_length=MOST)


class PlaceView(BaseModel):
    """One place. `hours`: an hours profile, or windows such as `workdays 08:30-12:00`."""

    rank: int
    person: str
    seat: str
    number: str
    hours: str
    note: str


class UnitView(BaseModel):
    """A unit's roster."""

    unit: str
    places: list[PlaceView]


class ImportedView(BaseModel):
    """What an import did, or would do."""

    places: int


def routes(service: RosterService, audit: Audit) -> APIRouter:
    """Routes under `/api/v1/roster`."""
    router = APIRouter(prefix="/api/v1/roster", tags=["experts"])

    @router.get("")
    async def every_unit(_: Reader, page: Annotated[Paging, Depends(paging)]) -> Page[UnitView]:
        """Every unit's roster, in order of units."""
        after = page.after(str)
        units = sorted(one for one in service.units() if after is None or one > after[0])
        views = [_view(unit, service.of_unit(unit)) for unit in units[: page.limit + 1]]
        return page.page(views, lambda one: (one.unit,))

    @router.put("/{unit}")
    async def put(unit: Unit, body: RosterBody, who: Writer) -> UnitView:
        """Replace a unit's roster as a whole."""
        places = [RosterPlace(unit=unit, rank=rank, **one.model_dump()) for rank, one in enumerate(body.places, 1)]
        stored = await service.put(unit, places, who)
        await audit.record(who, "roster.put", "roster", detail={"unit": unit, "places": len(places)})
        return _view(unit, stored)

    @router.post("/import")
    async def import_roster(
        request: Request,
        who: Writer,
        file: Annotated[str, Query(max_length=200, description="The file's name: its ending says CSV or YAML")] = "",
        check: Annotated[bool, Query(description="Only say what would happen")] = False,
    ) -> ImportedView:
        """Import CSV or YAML sent as the body: the units in it are replaced, all of it or nothing."""
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > MAX_BYTES:
                raise BadInput(f"The file is larger than {MAX_BYTES} bytes.")
        kind = request.headers.get("content-type", "")
        name = PurePath(file).name or ("roster.csv" if "csv" in kind else "roster.yaml")
        places = await service.import_file(bytes(content), name, who.person, check_only=check)
        await audit.record(who, "roster.import", "roster", detail={"places": places, "check": check})
        return ImportedView(places=places)

    return router


def _view(unit: str, places: list[RosterPlace]) -> UnitView:
    shown = [
        PlaceView(rank=one.rank, person=one.person, seat=one.seat, number=one.number, hours=one.hours, note=one.note)
        for one in places
    ]
    return UnitView(unit=unit, places=shown)
