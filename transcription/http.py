"""Routes of transcripts. Numbers of people are masked; every view is audited before it is answered."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from hotline.audit import Audit
from hotline.clock import Clock
from hotline.errors import NotFound
from hotline.http import Page, Paging, paging
from hotline.security import Permission, Principal, require
from transcription.labels import label
from transcription.model import Segment, Transcript, TranscriptState
from transcription.normalise import default_rules
from transcription.redaction import masked_segments
from transcription.service import TranscriptService
from transcription.visibility import narrowed, readable

Reader = Annotated[Principal, Depends(require(Permission.TRANSCRIPTS_READ))]
CallId = Annotated[str, Query(max_length=48, pattern=r"^[0-9a-z_]*$")]
_ID = re.compile(r"[0-9a-z_]{1,48}")


class WordView(BaseModel):
    """A word; times in milliseconds from the start of the recording."""

    word: str
    start_ms: int
    end_ms: int
    confidence: float


class SegmentView(BaseModel):
    """One turn of the dialogue."""

    party: str
    agent: str
    channel: int
    start_ms: int
    end_ms: int
    text: str
    confidence: float
    uncertain: bool
    words: list[WordView]

    @classmethod
    def of(cls, segment: Segment) -> "SegmentView":
        return cls(
            party=segment.party,
            agent=segment.agent,
            channel=segment.channel,
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
            text=segment.text,
            confidence=segment.confidence,
            uncertain=segment.uncertain,
            words=[
                WordView(word=word.word, start_ms=word.start_ms, end_ms=word.end_ms, confidence=word.confidence)
                for word in segment.words
            ],
        )


class TranscriptView(BaseModel):
    """A transcript as the API shows it."""

    id: str
    call: str
    recording: str
    state: TranscriptState
    demo_model: bool
    """A demonstration model made it: not to be relied upon."""
    label: str
    """What a reader must know, in Chinese; empty when there is nothing."""
    label_en: str
    model: str
    reason: str
    duration_ms: int
    requested_at: datetime
    finished_at: datetime | None
    segments: list[SegmentView]

    @classmethod
    def of(cls, transcript: Transcript) -> "TranscriptView":
        told, model = label(transcript), transcript.model
        return cls(
            id=transcript.id,
            call=transcript.order.call,
            recording=transcript.order.recording,
            state=transcript.state,
            demo_model=model is not None and model.demonstration,
            label=told.zh,
            label_en=told.en,
            model="" if model is None else model.name,
            reason=transcript.reason,
            duration_ms=transcript.duration_ms,
            requested_at=transcript.requested_at,
            finished_at=transcript.finished_at,
            segments=[SegmentView.of(segment) for segment in masked_segments(transcript.segments, default_rules())],
        )


def routes(service: TranscriptService, audit: Audit, clock: Clock) -> APIRouter:
    """The routes below `/api/v1/transcripts`."""
    router = APIRouter(prefix="/api/v1/transcripts", tags=["transcripts"])

    @router.get("")
    async def list_transcripts(
        who: Reader, page: Annotated[Paging, Depends(paging)], call: CallId = ""
    ) -> Page[TranscriptView]:
        """Transcripts, newest first; with `call`, those of one call."""
        wanted, after = narrowed(call, who, clock.now()), page.after(str)
        before = "" if after is None else after[0]
        rows = [] if wanted is None else await service.page(wanted, before=before, limit=page.limit + 1)
        shown = page.page(rows, lambda row: (row.id,))
        detail = {"transcripts": [row.id for row in shown.items]}
        await audit.record(who, "transcript.list", call or "all", detail=detail)
        return Page(items=[TranscriptView.of(row) for row in shown.items], next=shown.next)

    @router.get("/{transcript}")
    async def show_transcript(transcript: str, who: Reader) -> TranscriptView:
        """One transcript with its dialogue."""
        known = await _known(service, transcript)
        if known is None or not readable(known, who, clock.now()):
            subject = transcript if _ID.fullmatch(transcript) else "invalid"
            await audit.record(who, "transcript.view", subject, result="refused")
            raise NotFound("There is no such transcript.")
        await audit.record(who, "transcript.view", transcript)
        return TranscriptView.of(known)

    return router


async def _known(service: TranscriptService, transcript: str) -> Transcript | None:
    """One transcript. Whether it is there or not for this reader's eyes has to look the same."""
    try:
        return await service.get(transcript)
    except NotFound:
        return None
