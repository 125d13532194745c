"""Recordings as quality looks for them: whose number it was, what was said, who took it, when, how it was scored.

Joins the rows of recordings, calls, transcripts and reviews, which know nothing of each other; decides nothing. A
number is found by all of its digits or by the four that everybody may read; no search tells more than the mask does.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, null, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.http import mask
from calls.tables import calls
from hotline.audit import Audit
from hotline.database import Database
from hotline.http import Moment, Page, Paging, paging
from hotline.security import Permission, Principal, require
from quality.model import Grade
from quality.tables import reviews
from recordings.model import RecordingState
from recordings.tables import recording_agents, recordings
from transcription.tables import transcripts

Reviewer = Annotated[Principal, Depends(require(Permission.QUALITY_REVIEW))]

WHOLE_DIGITS = 7
"""A number of fewer digits is not a subscriber's."""
SHOWN_DIGITS = 4
"""How many digits at a number's end everybody may read."""


class Excerpt(BaseModel):
    """The first sentence with the words that were looked for."""

    text: str
    start_ms: int


class FoundView(BaseModel):
    """A recording among others."""

    id: str
    state: RecordingState
    answered_at: datetime
    length_ms: int
    agents: list[str]
    parties: list[str]
    caller: str
    dialled: str
    line_name: str
    score: int | None
    """Of its newest review."""
    grade: Grade | None
    excerpt: Excerpt | None


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; empty fields do not restrict."""

    number: str = ""
    words: str = ""
    agent: str = ""
    reviewed: bool | None = None
    score_from: int | None = None
    score_to: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def routes(database: Database, audit: Audit) -> APIRouter:
    """The route `/api/v1/quality/recordings`."""
    router = APIRouter(prefix="/api/v1/quality", tags=["quality"])

    @router.get("/recordings")
    async def search(
        who: Reviewer, page: Annotated[Paging, Depends(paging)], sought: Annotated[Sought, Depends(_sought)]
    ) -> Page[FoundView]:
        """Recordings, newest answer first. `number`: the caller's, whole or its end, or the dialled one."""
        if sought.number or sought.words:
            by = [name for name in ("number", "words") if getattr(sought, name)]
            await audit.record(who, "recording.search", "recordings", detail={"by": by})
        after = page.after(datetime, str)
        rows, agents = await database.read(lambda connection: find(connection, sought, page.limit + 1, after))
        shown = page.page(rows, lambda row: (row.answered_at.isoformat(), row.id))
        views = [_view(row, agents.get(row.id, []), sought.words, who) for row in shown.items]
        return Page(items=[view for view in views if view.excerpt or not sought.words], next=shown.next)

    return router


def _sought(
    number: Annotated[str, Query(max_length=20, pattern=r"^\+?[0-9 -]*$")] = "",
    words: Annotated[str, Query(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")] = "",
    agent: Annotated[str, Query(max_length=32, pattern=r"^[^\x00-\x1f]*$")] = "",
    reviewed: bool | None = None,
    score_from: Annotated[int | None, Query(ge=0, le=100)] = None,
    score_to: Annotated[int | None, Query(ge=0, le=100)] = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Sought:
    return Sought(
        number="".join(digit for digit in number if digit.isdigit()), words=words.strip(), agent=agent.strip(),
        reviewed=reviewed, score_from=score_from, score_to=score_to, since=since, until=until,
    )  # fmt: skip


async def find(
    connection: AsyncConnection, sought: Sought, limit: int, after: tuple[Any, ...] | None = None
) -> tuple[Sequence[Any], dict[str, list[str]]]:
    """Rows, newest answer first, and who talked in each; `after`: answer time and id of the last one seen."""
    rows = (await connection.execute(_query(sought, limit, after))).all()
    return rows, await _agents(connection, [row.id for row in rows])


def _query(sought: Sought, limit: int, after: tuple[Any, ...] | None) -> Select[*tuple[Any, ...]]:
    newest = select(func.max(reviews.c.id)).group_by(reviews.c.recording)
    review = and_(reviews.c.recording == recordings.c.id, reviews.c.id.in_(newest))
    joined = recordings.outerjoin(calls, calls.c.call == recordings.c.call).outerjoin(reviews, review)
    segments = transcripts.c.segments if sought.words else null().label("segments")
    if sought.words:
        joined = joined.join(transcripts, transcripts.c.recording == recordings.c.id)
    conditions = list(_conditions(sought))
    if after is not None:
        same = and_(recordings.c.answered_at == after[0], recordings.c.id < after[1])
        conditions.append(or_(recordings.c.answered_at < after[0], same))
    query = select(
        recordings.c.id, recordings.c.state, recordings.c.answered_at, recordings.c.length_ms, recordings.c.channels,
        calls.c.caller, calls.c.dialled, calls.c.line_name, reviews.c.total, reviews.c.grade, segments,
    )  # fmt: skip
    query = query.select_from(joined).where(*conditions)
    return query.order_by(recordings.c.answered_at.desc(), recordings.c.id.desc()).limit(limit)


def _conditions(sought: Sought) -> Iterable[ColumnElement[bool]]:
    if sought.since is not None:
        yield recordings.c.answered_at >= sought.since
    if sought.until is not None:
        yield recordings.c.answered_at < sought.until
    if sought.agent:
        by = select(recording_agents.c.recording).where(recording_agents.c.agent == sought.agent)
        yield recordings.c.id.in_(by)
    if sought.number:
        yield _has_number(sought.number)
    if sought.words:
        yield cast(transcripts.c.segments, Text).contains(_in_json(sought.words), autoescape=True)
    if sought.reviewed is not None:
        yield reviews.c.id.is_not(None) if sought.reviewed else reviews.c.id.is_(None)
    if sought.score_from is not None:
        yield reviews.c.total >= sought.score_from
    if sought.score_to is not None:
        yield reviews.c.total <= sought.score_to


def _has_number(number: str) -> ColumnElement[bool]:
    is_end = len(number) == SHOWN_DIGITS or len(number) >= WHOLE_DIGITS
    found = calls.c.dialled == number
    return or_(found, calls.c.caller.endswith(number, autoescape=True)) if is_end else found


def _in_json(words: str) -> str:
    return msgspec.json.encode(words).decode()[1:-1]


async def _agents(connection: AsyncConnection, several: Sequence[str]) -> dict[str, list[str]]:
    query = select(recording_agents).where(recording_agents.c.recording.in_(several))
    found: dict[str, list[str]] = {}
    for recording, agent in await connection.execute(query.order_by(recording_agents.c.agent)):
        found.setdefault(recording, []).append(agent)
    return found


def excerpt(segments: Iterable[Mapping[str, Any]], words: str) -> Excerpt | None:
    """The first sentence that holds the words, if any does: the row may hold them elsewhere."""
    for segment in segments:
        if words.casefold() in segment["text"].casefold():
            return Excerpt(text=segment["text"], start_ms=segment["start_ms"])
    return None


def _view(row: Any, agents: list[str], words: str, who: Principal) -> FoundView:
    return FoundView(
        id=row.id, state=row.state, answered_at=row.answered_at, length_ms=row.length_ms, agents=agents,
        parties=[channel["party"] for channel in row.channels], caller=mask(row.caller or "", who),
        dialled=row.dialled or "", line_name=row.line_name or "", score=row.total, grade=row.grade,
        excerpt=excerpt(row.segments, words) if words else None,
    )  # fmt: skip
