"""Routes of quality: notes, reviews and who listened before, below each recording; and the score sheet.

Every writing and every look is audited before it happens; words of notes and comments never are.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from hotline.audit import Audit
from hotline.http import Page, RequestBody, create
from hotline.security import Permission, Principal, require
from quality.model import Grade, NoteKind, Sheet
from quality.service import QualityService

Reviewer = Annotated[Principal, Depends(require(Permission.QUALITY_REVIEW))]
Recording = Annotated[str, Path(max_length=48, pattern=r"^[0-9a-z_]+$")]
Millis = Annotated[int, Field(ge=0, le=86_400_000)]
Code = Annotated[str, Field(max_length=32, pattern=r"^[a-z_]+$")]


class NoteBody(RequestBody):
    """Words on a stretch."""

    from_ms: Millis
    to_ms: Millis
    kind: NoteKind = NoteKind.ISSUE
    text: Annotated[str, Field(min_length=1, max_length=1000)]


class ReviewBody(RequestBody):
    """Points for every line of the sheet, fatal faults, and a word to the agent."""

    marks: Annotated[dict[Code, int], Field(max_length=100)]
    fatal: Annotated[list[Code], Field(default_factory=list, max_length=20)]
    comment: Annotated[str, Field(max_length=2000)] = ""


class NoteView(BaseModel):
    """A note."""

    id: str
    from_ms: int
    to_ms: int
    kind: NoteKind
    text: str
    by: str
    by_name: str
    at: datetime


class ReviewView(BaseModel):
    """A review."""

    id: str
    agents: list[str]
    sheet: str
    marks: dict[str, int]
    fatal: list[str]
    total: int
    """0 to 100."""
    grade: Grade
    comment: str
    by: str
    by_name: str
    at: datetime


class ListeningView(BaseModel):
    """One time that somebody listened."""

    person: str
    name: str
    roles: list[str]
    began_at: datetime
    ended_at: datetime


class ItemView(BaseModel):
    """One line of the sheet."""

    code: str
    group: str
    points: int
    zh: str
    en: str


class NamedView(BaseModel):
    """A group of lines, or a fatal fault."""

    code: str
    zh: str
    en: str


class SheetView(BaseModel):
    """What points are given for."""

    version: str
    passing: int
    good: int
    groups: list[NamedView]
    items: list[ItemView]
    fatal: list[NamedView]

    @classmethod
    def of(cls, sheet: Sheet) -> "SheetView":
        return cls.model_validate({**msgspec.to_builtins(sheet), "passing": sheet.passing})


def routes(service: QualityService, audit: Audit) -> APIRouter:
    """`/api/v1/quality/sheet`, and what is below `/api/v1/recordings/{recording}`."""
    router = APIRouter(prefix="/api/v1", tags=["quality"])

    @router.get("/quality/sheet")
    async def sheet(_: Reviewer) -> SheetView:
        """The score sheet in force."""
        return SheetView.of(service.sheet)

    @router.get("/recordings/{recording}/listeners")
    async def listeners(recording: Recording, who: Reviewer) -> Page[ListeningView]:
        """Who listened to it before, the newest first."""
        found = await service.listenings(recording, who)
        await audit.record(who, "recording.listeners", recording)
        return Page(items=[ListeningView.model_validate(msgspec.structs.asdict(one)) for one in found])

    _add_notes(router, service, audit)
    _add_reviews(router, service, audit)
    return router


def _add_notes(router: APIRouter, service: QualityService, audit: Audit) -> None:
    @router.get("/recordings/{recording}/notes")
    async def notes(recording: Recording, who: Reviewer) -> Page[NoteView]:
        """Notes in the order of the recording."""
        found = await service.notes(recording, who)
        await audit.record(who, "quality.notes", recording, detail={"notes": len(found)})
        return Page(items=[NoteView.model_validate(msgspec.structs.asdict(note)) for note in found])

    @router.post("/recordings/{recording}/notes", status_code=201, response_model=NoteView)
    async def add_note(request: Request, recording: Recording, body: NoteBody, who: Reviewer) -> Response:
        """Write a note on a stretch."""

        async def make() -> NoteView:
            await service.notes(recording, who)
            await audit.record(who, "quality.note", recording, detail={"from_ms": body.from_ms, "kind": body.kind})
            note = await service.add_note(
                recording, who, from_ms=body.from_ms, to_ms=body.to_ms, kind=body.kind, text=body.text
            )
            return NoteView.model_validate(msgspec.structs.asdict(note))

        return await create(request, who, make, HTTPStatus.CREATED)

    @router.delete("/recordings/{recording}/notes/{note}", status_code=204)
    async def remove_note(recording: Recording, note: Recording, who: Reviewer) -> None:
        """Remove a note of one's own."""
        found = await service.own_note(recording, note, who)
        await audit.record(who, "quality.note_removed", recording, detail={"note": found.id})
        await service.remove_note(found.id)


def _add_reviews(router: APIRouter, service: QualityService, audit: Audit) -> None:
    @router.get("/recordings/{recording}/reviews")
    async def reviews(recording: Recording, who: Reviewer) -> Page[ReviewView]:
        """Reviews, the newest first; the newest of each reviewer counts."""
        found = await service.reviews(recording, who)
        await audit.record(who, "quality.reviews", recording, detail={"reviews": len(found)})
        return Page(items=[ReviewView.model_validate(msgspec.structs.asdict(review)) for review in found])

    @router.post("/recordings/{recording}/reviews", status_code=201, response_model=ReviewView)
    async def add_review(request: Request, recording: Recording, body: ReviewBody, who: Reviewer) -> Response:
        """Give points by the sheet."""

        async def make() -> ReviewView:
            await service.reviews(recording, who)
            await audit.record(who, "quality.review", recording, detail={"fatal": body.fatal})
            review = await service.review(recording, who, body.marks, body.fatal, body.comment)
            return ReviewView.model_validate(msgspec.structs.asdict(review))

        return await create(request, who, make, HTTPStatus.CREATED)
