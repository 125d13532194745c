"""Routes of tickets and call-back tasks. Every view and every change is audited before it happens."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from hotline.audit import Audit
from hotline.clock import Clock
from hotline.errors import BadInput, NotFound
from hotline.http import Page, Paging, RequestBody, create, paging
from hotline.security import Permission, Principal, require
from tickets.classification import Classification
from tickets.model import State, Ticket, Urgency, is_id
from tickets.service import TicketService
from tickets.store_sql import After, Wanted
from tickets.visibility import (
    CallbackView,
    ConclusionView,
    HistoryView,
    RatingView,
    TicketView,
    project,
    project_callback,
    project_conclusions,
    project_history,
    project_rating,
    scope,
)

Reader = Annotated[Principal, Depends(require(Permission.TICKETS_READ))]
Writer = Annotated[Principal, Depends(require(Permission.TICKETS_WRITE))]
TicketId = Annotated[str, Path(max_length=48)]

_WRITTEN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""Text that people write: no control characters but tabs and line ends."""
_Short = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=_WRITTEN)]
_Medium = Annotated[str, StringConstraints(max_length=400, strip_whitespace=True, pattern=_WRITTEN)]
_Long = Annotated[str, StringConstraints(max_length=10_000, strip_whitespace=True, pattern=_WRITTEN)]
_Telephone = Annotated[str, StringConstraints(pattern=r"^([+0-9][0-9 -]{2,38})?$", strip_whitespace=True)]
"""A masked number cannot be sent back by mistake: `*` is none of its characters."""

_Code = Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9a-z_]*$")]

_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2990, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]


class RegistrationChange(RequestBody):
    """Fields of the registration to change; the ones left out stay."""

    version: int = Field(ge=1, le=1_000_000_000)
    """Of the ticket as it was read."""
    matter: _Long | None = None
    contact_no: _Telephone | None = None
    incident_time: _Short | None = None
    subject_name: _Medium | None = None
    subject_address: _Medium | None = None
    event_process: _Long | None = None
    demand: _Long | None = None
    operator_suggestion: _Long | None = None
    request_type: _Code | None = None
    """Of `/api/v1/tickets/classification`, as urgency and class are; empty: not classed."""
    urgency: _Code | None = None
    category_code: _Code | None = None
    proposed_unit: _Short | None = None
    """拟办单位: whom the operator would give it to."""

    def changes(self) -> dict[str, str]:
        """What was sent; a null is as good as left out."""
        sent = self.model_dump(exclude={"version"}, exclude_unset=True)
        return {name: value for name, value in sent.items() if value is not None}


class Submission(RequestBody):
    """A draft that becomes a registered ticket."""

    version: int = Field(ge=1, le=1_000_000_000)


class NamedView(BaseModel):
    """A code and what people call it."""

    code: str
    zh: str
    en: str


class ClassificationView(BaseModel):
    """What tickets are classed by, in the order in which it is shown."""

    types: list[NamedView]
    urgencies: list[NamedView]
    categories: list[NamedView]
    """A tree: what a code of two digits less names is above it. Tickets take codes of six digits."""


class TicketWithHistory(TicketView):
    """One ticket and everything that happened to it."""

    history: list[HistoryView]
    conclusions: list[ConclusionView]
    """Of those who were asked, oldest first."""
    rating: RatingView | None
    """Nothing where the citizen was not asked, or for whom it is not."""


def routes(service: TicketService, audit: Audit, clock: Clock) -> APIRouter:
    """The routes below `/api/v1/tickets` and `/api/v1/callbacks`."""
    router = APIRouter(prefix="/api/v1", tags=["tickets"], dependencies=[Depends(_uncached)])

    def shown(ticket: Ticket, who: Principal) -> TicketView:
        view = project(ticket, who, clock.now())
        if view is None:
            raise NotFound("There is no such ticket.")
        return view

    @router.get("/tickets")
    async def list_tickets(
        who: Reader, page: Annotated[Paging, Depends(paging)], wanted: Annotated[Wanted, Depends(_wanted)]
    ) -> Page[TicketView]:
        """Tickets that the asker may know of, newest first."""
        rows = await service.find(wanted, scope(who), page.limit + 1, _after(page))
        found = page.page(rows, _key)
        seen = [ticket.id for ticket in found.items]
        await audit.record(who, "ticket.list", "", detail={"tickets": seen})
        return Page(items=[shown(ticket, who) for ticket in found.items], next=found.next)

    @router.get("/tickets/classification", dependencies=[Depends(require(Permission.TICKETS_READ))])
    async def classification() -> ClassificationView:
        """What tickets can be classed by here."""
        return _classes(service.classes)

    @router.get("/tickets/{ticket}")
    async def one_ticket(ticket: TicketId, who: Reader) -> TicketWithHistory:
        """One ticket with its history."""
        try:
            row = await service.visible(ticket, who)
        except NotFound:
            await audit.record(who, "ticket.view", _subject(ticket), result="refused")
            raise
        await audit.record(who, "ticket.view", row.id)
        lines = await service.history(row.id)
        return TicketWithHistory(
            **shown(row, who).model_dump(),
            history=[project_history(line) for line in lines],
            conclusions=project_conclusions(lines, row, who, clock.now()),
            rating=project_rating(lines, row, who),
        )

    @router.patch("/tickets/{ticket}")
    async def change_registration(ticket: TicketId, body: RegistrationChange, who: Writer) -> TicketView:
        """Change fields of the registration, if nobody changed the ticket since `version`."""
        changes = body.changes()
        await audit.record(who, "ticket.edit", _subject(ticket), detail={"fields": sorted(changes)})
        return shown(await service.edit(ticket, body.version, changes, who), who)

    @router.post("/tickets/{ticket}/submit", response_model=TicketView)
    async def submit(ticket: TicketId, body: Submission, who: Writer, request: Request) -> Response:
        """Register a draft."""

        async def make() -> TicketView:
            await audit.record(who, "ticket.submit", _subject(ticket))
            return shown(await service.submit(ticket, body.version, who), who)

        return await create(request, who, make, HTTPStatus.OK)

    @router.get("/callbacks")
    async def list_callbacks(
        who: Writer, page: Annotated[Paging, Depends(paging)], done: Annotated[bool, Query()] = False
    ) -> Page[CallbackView]:
        """Citizens who are owed a call, who waits longest first; `done`: those who were called as well."""
        rows = await service.callbacks(waiting_only=not done, limit=page.limit + 1, after=_after(page))
        found = page.page(rows, lambda task: (task.created_at.isoformat(), task.id))
        await audit.record(who, "callback.list", "", detail={"callbacks": [task.id for task in found.items]})
        tries = await service.callback_tries([task.call for task in found.items])
        return Page(items=[project_callback(task, tries.get(task.call, ())) for task in found.items], next=found.next)

    @router.post("/callbacks/{task}/done")
    async def callback_done(task: Annotated[str, Path(max_length=48)], who: Writer) -> CallbackView:
        """Say that the citizen was called."""
        await audit.record(who, "callback.done", _subject(task))
        done = await service.callback_done(task, who)
        tries = await service.callback_tries([done.call])
        return project_callback(done, tries.get(done.call, ()))

    return router


def _uncached(response: Response) -> None:
    """Citizens' data stays out of every cache on the way."""
    response.headers["Cache-Control"] = "private, no-store"


def _wanted(
    state: State | None = None,
    dialled: Annotated[str, Query(max_length=40, pattern=r"^[+0-9]*$")] = "",
    call: Annotated[str, Query(max_length=48, pattern=r"^[0-9a-z_]*$")] = "",
    request_type: Annotated[str, Query(max_length=32, pattern=r"^[a-z_]*$")] = "",
    urgency: Urgency | None = None,
    category: Annotated[str, Query(max_length=6, pattern=r"^([0-9]{2})*$")] = "",
    since: Moment | None = None,
) -> Wanted:
    return Wanted(
        state=state,
        dialled=dialled,
        call=call,
        request_type=request_type,
        urgency=urgency,
        category=category,
        since=since,
    )


def _classes(found: Classification) -> ClassificationView:
    return ClassificationView.model_validate(found, from_attributes=True)


def _subject(text: str) -> str:
    """What the audit may be told of an id that came from outside."""
    return text if is_id(text) else "invalid"


def _key(ticket: Ticket) -> tuple[str, str]:
    return ticket.created_at.isoformat(), ticket.id


def _after(page: Paging) -> After | None:
    key = page.after(str, str)
    if key is None:
        return None
    try:
        moment = datetime.fromisoformat(key[0])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not (_EARLIEST < moment < _LATEST and is_id(key[1])):
        raise BadInput("The cursor is not one that this list gave out.")
    return moment, key[1]
