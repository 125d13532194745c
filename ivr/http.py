"""Routes of the number catalogue: list, one number on a date, its ledger, import; and the flows in force."""

from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from hotline.audit import Audit
from hotline.clock import Clock
from hotline.errors import BadInput
from hotline.http import Page, Paging, paging
from hotline.security import Permission, Principal, require
from ivr import office_http, write_http
from ivr.model import MergeMode
from ivr.moments import moment
from ivr.numbers import local_day, normalise
from ivr.placed import MAX_BYTES
from ivr.service import IvrService
from ivr.views import CallView, FindingView, FlowsView, ImportView, LedgerView, NumberAnswer, NumberView

Reader = Annotated[Principal, Depends(require(Permission.NUMBERS_READ))]
Writer = Annotated[Principal, Depends(require(Permission.NUMBERS_WRITE))]
FlowReader = Annotated[Principal, Depends(require(Permission.FLOWS_READ))]
At = Annotated[str, Query(description="A day, or a moment in ISO 8601; Asia/Shanghai unless it says otherwise.")]

_ENDINGS = {"text/csv": ".csv", "application/yaml": ".yaml", "application/x-yaml": ".yaml", "text/yaml": ".yaml"}


def routes(service: IvrService, clock: Clock, audit: Audit) -> APIRouter:
    """The routes below `/api/v1/numbers` and `/api/v1/flows`."""
    router = APIRouter(prefix="/api/v1", tags=["numbers"])

    @router.get("/numbers")
    async def list_numbers(
        _: Reader, page: Annotated[Paging, Depends(paging)], at: At = "", mode: MergeMode | None = None
    ) -> Page[NumberView]:
        """Entries by number, region and first day; with `at`, only those in force on that day."""
        after = page.after(str, str, str)
        day = local_day(moment(at, clock.now())) if at else None
        entries = [one for one in service.catalogue.entries if mode in {None, one.mode}]
        rows = [one for one in entries if (after is None or one.key > after) and (day is None or one.holds_on(day))]
        shown = page.page(rows[: page.limit + 1], lambda one: one.key)
        return Page(items=[NumberView.of(one) for one in shown.items], next=shown.next)

    @router.post("/numbers/import")
    async def import_numbers(
        request: Request,
        who: Writer,
        file: Annotated[str, Query(max_length=200, description="The file's name, for messages")] = "",
        check: Annotated[bool, Query(description="Only say what would happen")] = False,
    ) -> ImportView:
        """Import YAML or CSV sent as the body: all of it or nothing. Sending the same again changes nothing."""
        content = await _body(request)
        name = _file_name(file, request.headers.get("content-type", ""))
        done = await service.import_catalogue(content, name, who.person, check_only=check)
        return ImportView(
            changed=done.changed, entries=done.entries, revision=done.revision, warnings=list(done.warnings)
        )

    @router.get("/numbers/{number}")
    async def one_number(number: str, _: Reader, at: At = "") -> NumberAnswer:
        """What a number means at a moment, and what its caller would meet then without pressing a key."""
        when = moment(at, clock.now())
        found = service.simulate(number, when)
        dialled = service.look_up(number, when)
        history = [one for one in service.catalogue.entries if one.number == dialled.number]
        return NumberAnswer(
            number=dialled.number,
            region=dialled.region,
            declared=dialled.declared,
            entry=NumberView.of(dialled.entry),
            entries=[NumberView.of(one) for one in history],
            call=CallView.of(found),
        )

    @router.get("/numbers/{number}/ledger")
    async def ledger(number: str, _: Reader, page: Annotated[Paging, Depends(paging)]) -> Page[LedgerView]:
        """Who changed what on this number, oldest first."""
        after = page.after(int)
        known = normalise(number, service.catalogue.home)
        rows = await service.ledger(
            known.digits if known else number, after=after[0] if after else 0, limit=page.limit + 1
        )
        shown = page.page(rows, lambda row: (row.seq,))
        return Page(items=[LedgerView.of(row) for row in shown.items], next=shown.next)

    @router.get("/flows")
    async def flows(_: FlowReader) -> FlowsView:
        """Flows in force, files that were not taken, and what should be looked at."""
        state = service.state()
        return FlowsView(
            flows=state.flows,
            catalogue_revision=state.revision,
            catalogue_source=state.source,
            undeclared=state.undeclared,
            problems=list(state.problems),
            findings=[FindingView.of(one) for one in service.lint()],
        )

    router.include_router(office_http.routes(service, clock))
    whole = APIRouter()
    for part in (router, write_http.routes(service, audit)):
        whole.include_router(part)
    return whole


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_BYTES:
            raise BadInput(f"The file is larger than {MAX_BYTES} bytes.")
    return bytes(content)


def _file_name(file: str, content_type: str) -> str:
    """A name whose ending tells the format: the content type's when it is a known one."""
    ending = _ENDINGS.get(content_type.split(";")[0].strip().lower())
    name = PurePath(file).name or "import"
    if ending is None and PurePath(name).suffix.lower() not in {".csv", ".yaml", ".yml"}:
        raise BadInput("Send the file as text/csv or application/yaml, or name it so.")
    return name if ending is None or PurePath(name).suffix.lower() == ending else name + ending
