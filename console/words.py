"""What is being said in a talk, for those who may read its transcript: the seat that has it, whoever is called into it
before answering already, supervisors and quality staff.

Joins what rooms know: who may see is the ticket's rule, who takes part the talk's; decides nothing else.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from console.brief import Briefs
from console.desk import CallId
from hotline.audit import Audit
from hotline.clock import Clock
from hotline.security import Permission, Principal, require
from tickets.model import Ticket, TranscriptState
from tickets.service import TicketService
from tickets.visibility import Sight, Sights, clean, sights
from transcription.labels import is_demonstration, live_label
from transcription.live.model import LiveState, Shown
from transcription.live.service import LiveTranscripts
from transcription.live.session import Session

Reader = Annotated[Principal, Depends(require(Permission.TRANSCRIPTS_READ))]
Cursor = Annotated[str, Query(max_length=64, pattern=r"^[0-9a-z_.]*$")]


class LiveLine(BaseModel):
    """What somebody said between two pauses; times in milliseconds from the first answer."""

    id: str
    """The same one again: the line has become this."""
    party: str
    agent: str
    start_ms: int
    end_ms: int
    text: str
    confidence: float
    uncertain: bool
    is_gap: bool
    """Nothing was heard of this party in between: the machine was too slow, or busy with other calls."""


class LiveView(BaseModel):
    """What was said so far, or since one looked. Provisional: the transcript of the recording replaces it."""

    call: str
    state: LiveState | None
    """None: there is nothing, for whoever asks."""
    note: str
    """What a reader must know, in Chinese; empty when there is nothing."""
    note_en: str
    demo_model: bool
    transcript: str | None
    """The transcript that has replaced it."""
    is_whole: bool
    """Everything is here; otherwise only what is new or different since the cursor."""
    segments: list[LiveLine]
    speaking: list[LiveLine]
    """What is being said just now. Always all of it."""
    next: str
    """The cursor to ask with next time."""


class LiveReader:
    """Looks at talks."""

    def __init__(
        self, live: LiveTranscripts, briefs: Briefs, tickets: TicketService, audit: Audit, clock: Clock
    ) -> None:
        self._live, self._briefs, self._tickets = live, briefs, tickets
        self._audit, self._clock = audit, clock

    async def look(self, call: str, after: str, who: Principal) -> LiveView:
        """What `who` may read of it. The first look of a person is audited, refusals are always."""
        ticket = await self._tickets.for_call(call)
        if ticket is None:
            return _nothing(call)
        seen = await self._sights(ticket, who)
        if not seen.transcript or seen.text < Sight.CLEAN:
            await self._audit.record(who, "transcript.live", call, result="refused")
            return _nothing(call)
        session = self._live.session(call)
        if session is None or ticket.transcript_state is TranscriptState.READY:
            return _nothing(call).model_copy(update={"transcript": ticket.transcript or None})
        if who.person not in session.readers:
            await self._audit.record(who, "transcript.live", call)
            session.readers.add(who.person)
        return self._view(session, after, ticket, seen)

    async def _sights(self, ticket: Ticket, who: Principal) -> Sights:
        took_part = await self._briefs.took_part(ticket.call, who)
        return sights(ticket, who, self._clock.now(), took_part=took_part)

    def _view(self, session: Session, after: str, ticket: Ticket, seen: Sights) -> LiveView:
        names = (ticket.caller_name, ticket.subject_name)
        found, state = session.look(after), self._live.state(session)
        is_clean = seen.text is Sight.CLEAN
        model = self._live.model
        note = live_label(state, model)
        return LiveView(
            call=session.call,
            state=state,
            note=note.zh,
            note_en=note.en,
            demo_model=is_demonstration(model),
            transcript=None,
            is_whole=found.is_whole,
            segments=[_line(one, names, is_clean=is_clean) for one in found.lines],
            speaking=[_line(one, names, is_clean=is_clean) for one in found.saying],
            next=found.cursor,
        )


def _line(shown: Shown, names: tuple[str, ...], *, is_clean: bool) -> LiveLine:
    line = shown.line
    return LiveLine(
        id=shown.id,
        party=shown.party,
        agent=shown.agent,
        start_ms=line.start_ms,
        end_ms=line.end_ms,
        text=clean(line.text, names) if is_clean else line.text,
        confidence=line.confidence,
        uncertain=line.uncertain,
        is_gap=not line.text,
    )


def _nothing(call: str) -> LiveView:
    """The same for a call that is not there, is over for long, or is not for the eyes of who asks."""
    return LiveView(
        call=call, state=None, note="", note_en="", demo_model=False, transcript=None, is_whole=True, segments=[],
        speaking=[], next="",
    )  # fmt: skip


def routes(reader: LiveReader) -> APIRouter:
    """The route below `/api/v1/calls`."""
    router = APIRouter(prefix="/api/v1/calls", tags=["transcripts"])

    @router.get("/{call}/transcript/live")
    async def live(call: CallId, who: Reader, response: Response, after: Cursor = "") -> LiveView:
        """What was said so far in a talk that goes on, or since the cursor `after`. The feed says `words` when there is
        more.

        For those who may read the call's transcript: its seat, whoever is called into it while the phone still rings,
        supervisors, dispatchers, quality staff. For everybody else there is nothing, as for a call that does not exist.
        It is there on the node that owns the call, for as long as that one lives."""
        response.headers["Cache-Control"] = "private, no-store"
        return await reader.look(call, after, who)

    return router
