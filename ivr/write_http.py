"""Routes that change the catalogue by form: an entry of a number, a date of the tenant's own table. Audited; the ledger
keeps what was there before."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, StringConstraints

from hotline.audit import Audit
from hotline.errors import BadInput
from hotline.http import RequestBody
from hotline.security import Permission, Principal, require
from ivr.calendar import Calendar
from ivr.forms import Written, with_day, with_number, without_day
from ivr.model import Catalogue, DayOverride, DayWindow
from ivr.numbers import normalise
from ivr.office_views import DayView
from ivr.service import IvrService
from ivr.views import ImportView

Reader = Annotated[Principal, Depends(require(Permission.NUMBERS_READ))]
Writer = Annotated[Principal, Depends(require(Permission.NUMBERS_WRITE))]
Word = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Words = Annotated[tuple[Word, ...], Field(max_length=60)]
Check = Annotated[bool, Query(description="Only say what would happen")]


class NumberBody(RequestBody):
    """An entry as people write it; the rules are those of the import, and a mistake reads `field: sentence`."""

    number: Word
    region: Word = ""
    valid_from: Word = ""
    valid_to: Word = ""
    name: Word = ""
    owner_unit: Word = ""
    mode: Word = ""
    status: Word = ""
    cutover_at: Word = ""
    transition_until: Word = ""
    flow: Word = ""
    hours: Word = ""
    queue: Word = ""
    needs: Words = ()
    widen_after_s: Word = ""
    priority: Word = ""
    experts: Words = ()
    external: Word = ""
    aliases: Words = ()
    ticket_class: Word = ""
    note: Word = ""
    source: Word = ""

    def written(self) -> dict[str, Written]:
        """What was filled in, and what has to be."""
        values: dict[str, Written] = self.model_dump()
        return {name: value for name, value in values.items() if value or name in ("number", "name", "mode")}


class DayBody(RequestBody):
    """A date of the tenant's own table."""

    kind: Word = ""
    """`work`, `rest` or `holiday`."""
    counts_as: Word = ""
    """Of a work day: the weekday (`mon` … `sun`) whose hours hold; empty: its own, Monday's on a weekend."""
    times: Words = ()
    """Hours of everybody on this date, such as `09:00-12:00`; none: everybody's own."""
    note: Word = ""


class OwnDay(BaseModel):
    """What the tenant's own table says of a date."""

    kind: str
    counts_as: str
    times: list[str]
    note: str

    @classmethod
    def of(cls, day: DayOverride) -> "OwnDay":
        return cls(kind=day.kind, counts_as=day.counts_as, times=[span(one) for one in day.windows], note=day.note)


class OpenView(BaseModel):
    """When the seats of one profile answer on a date."""

    name: str
    times: list[str]
    """None: closed all day."""
    numbers: list[str]


class DayAnswer(BaseModel):
    """What happens on a date."""

    day: DayView
    own: OwnDay | None
    profiles: list[OpenView]


def span(window: DayWindow) -> str:
    """`08:30-12:00`."""
    return f"{window.start:%H:%M}-{'24:00' if window.end is None else format(window.end, '%H:%M')}"


def day_of(catalogue: Catalogue, on: date) -> DayAnswer:
    """What a catalogue makes of a date."""
    if not date(2000, 1, 1) <= on <= date(2100, 1, 1):
        raise BadInput("The calendar is told from 2000 to 2100.")
    calendar = Calendar(profiles=catalogue.profiles, days=catalogue.days)
    day, own = calendar.day(on), next((one for one in catalogue.days if one.day == on), None)
    in_force = [entry for entry in catalogue.entries if entry.holds_on(on)]
    return DayAnswer(
        day=DayView(day=on, kind=day.kind, name=day.name, own=own is not None, warning=day.warning),
        own=None if own is None else OwnDay.of(own),
        profiles=[
            OpenView(
                name=one.name,
                times=[span(window) for window in calendar.windows(one, on)],
                numbers=[entry.number for entry in in_force if calendar.profile_of(entry) == one.name],
            )
            for one in catalogue.profiles
        ],
    )


def routes(service: IvrService, audit: Audit) -> APIRouter:
    """`POST …/numbers` and `…/calendar/{day}`."""
    router = APIRouter(prefix="/api/v1", tags=["numbers"])

    @router.post("/numbers")
    async def add_number(
        body: NumberBody,
        who: Writer,
        check: Check = False,
        replace: Annotated[bool, Query(description="An entry of this number, region and first day may exist")] = False,
    ) -> ImportView:
        """Declare a number from a day on."""
        if not check:
            known = normalise(body.number, service.catalogue.home)
            await audit.record(who, "number.declare", known.digits if known else "invalid")
        flows = service.shelf.flows.keys()
        done = await service.change(
            lambda stored: with_number(body.written(), stored, flows, replace=replace),
            "a number",
            who.person,
            check_only=check,
        )
        return ImportView(
            changed=done.changed, entries=done.entries, revision=done.revision, warnings=list(done.warnings)
        )

    @router.get("/calendar/{day}")
    async def one_day(day: date, _: Reader) -> DayAnswer:
        """What happens on a date: what kind of day it is, and whose seats answer when."""
        return day_of(service.catalogue, day)

    @router.put("/calendar/{day}")
    async def set_day(day: date, body: DayBody, who: Writer, check: Check = False) -> DayAnswer:
        """Say what a date is in the tenant's own table; it outranks the public calendar."""
        made: list[Catalogue] = []

        def make(stored: Catalogue) -> Catalogue:
            made[:] = [with_day(_written(day, body), stored)]
            return made[0]

        day_of(service.catalogue, day)
        if not check:
            await audit.record(who, "calendar.set", day.isoformat(), detail={"kind": body.kind[:20]})
        await service.change(make, "a date", who.person, check_only=check)
        return day_of(made[0], day)

    @router.delete("/calendar/{day}")
    async def forget_day(day: date, who: Writer) -> DayAnswer:
        """Take a date out of the tenant's own table: the public calendar counts again."""
        await audit.record(who, "calendar.forget", day.isoformat())
        await service.change(lambda stored: without_day(day, stored), "a date", who.person)
        return day_of(service.catalogue, day)

    return router


def _written(day: date, body: DayBody) -> dict[str, Written]:
    values: dict[str, Written] = {"day": day.isoformat(), "kind": body.kind, "times": body.times}
    return values | {name: text for name, text in (("counts_as", body.counts_as), ("note", body.note)) if text}
