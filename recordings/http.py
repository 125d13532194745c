"""Routes of recordings: lists, one recording, and its sound by ranges. Every play is audited before its first byte."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field
from starlette.types import Message, Receive, Scope, Send

from hotline.audit import Audit
from hotline.clock import Clock
from hotline.errors import BadInput, HotlineError, NotFound
from hotline.http import Page, Paging, paging, problem
from hotline.security import Permission, Principal, require
from recordings.errors import SoundDamaged, SoundMissing
from recordings.model import Channel, Flag, Party, Recording, RecordingState, Span, Transcription, is_id
from recordings.playback import Playback, Sound
from recordings.ranges import ByteRange, Unsatisfiable, applies, parse_range
from recordings.retention import RetentionPolicy
from recordings.service import RecordingService
from recordings.store_sql import Wanted
from recordings.visibility import audible, may_know, scope

CHUNK = 1 << 18
SEND_TIMEOUT_S = 60
"""A listener who takes nothing for this long is let go."""

_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2990, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]
Player = Annotated[Principal, Depends(require(Permission.RECORDINGS_PLAY))]


class SpanView(BaseModel):
    """A stretch, milliseconds from the beginning."""

    from_ms: int
    to_ms: int


class ChannelView(BaseModel):
    """One party in the sound."""

    index: int
    party: Party
    agent: str
    spans: list[SpanView]
    flags: list[Flag]

    @classmethod
    def of(cls, channel: Channel) -> "ChannelView":
        spans = [SpanView(from_ms=span.from_ms, to_ms=span.to_ms) for span in channel.spans]
        return cls(
            index=channel.index, party=channel.party, agent=channel.agent, spans=spans, flags=list(channel.flags)
        )


class RecordingView(BaseModel):
    """A recording as the API shows it. It holds no data of the citizen."""

    id: str
    call: str
    state: RecordingState
    answered_at: datetime
    ended_at: datetime | None
    length_ms: int
    size_bytes: int
    sha256: str
    truncated: bool
    problem: str
    channels: list[ChannelView]
    muted_spans: int
    """How often it was silent because keys were pressed."""
    agents: list[str]
    retention_class: str
    legal_hold: bool
    kept_until: datetime
    transcription: Transcription


def routes(service: RecordingService, audit: Audit, clock: Clock, policy: RetentionPolicy) -> APIRouter:
    """The routes below `/api/v1/recordings`."""
    router = APIRouter(prefix="/api/v1/recordings", tags=["recordings"])
    playback = Playback(service.files)

    @router.get("")
    async def list_recordings(
        who: Player, page: Annotated[Paging, Depends(paging)], wanted: Annotated[Wanted, Depends(_wanted)]
    ) -> Page[RecordingView]:
        """Recordings that the asker may know of, newest answer first."""
        now = clock.now()
        rows = await service.find(wanted, scope(who, now), page.limit + 1, _after(page))
        shown = page.page(rows, lambda row: (row.answered_at.isoformat(), row.id))
        return Page(items=[_view(row, policy) for row in shown.items], next=shown.next)

    @router.get("/{recording}")
    async def one_recording(recording: str, who: Player) -> RecordingView:
        """One recording, without its sound."""
        row = await service.get(recording)
        if not may_know(row, who, clock.now()):
            raise NotFound("There is no such recording.")
        return _view(row, policy)

    @router.head("/{recording}/audio", include_in_schema=False)
    @router.get("/{recording}/audio", response_class=Response)
    async def audio(
        recording: Annotated[str, Path(max_length=48)],
        request: Request,
        who: Player,
        channel: Annotated[str, Query(pattern=r"^(|[0-9]{1,2}|citizen|operator|expert|supervisor|unknown)$")] = "",
    ) -> Response:
        """The sound (WAV), all channels or one party's; one `Range` at a time."""
        deed = _Deed(audit, who, recording, request, channel)
        row = await _row(service, recording, deed)
        spans = audible(row, who, clock.now())
        if not may_know(row, who, clock.now()):
            await deed.write("refused")
            raise NotFound("There is no such recording.")
        sound = await _open(playback, row, spans, channel, deed)
        try:
            return await _answer(sound, row, request, deed)
        except BaseException:
            sound.close()
            raise

    return router


class _Deed:
    """One attempt to play, as the audit sees it."""

    def __init__(self, audit: Audit, who: Principal, recording: str, request: Request, channel: str) -> None:
        self._audit = audit
        self._who = who
        self._recording = recording if is_id(recording) else "invalid"
        self._detail: dict[str, Any] = {"channel": channel, "method": request.method}

    async def write(self, result: str, **detail: Any) -> None:
        """Raises:
        Unavailable: it could not be written, so it must not happen.
        """
        detail = {**self._detail, **detail}
        await self._audit.record(self._who, "recording.play", self._recording, result=result, detail=detail)


def _wanted(
    call: Annotated[str, Query(max_length=48, pattern=r"^[0-9a-z_]*$")] = "",
    agent: Annotated[str, Query(max_length=32, pattern=r"^[^\x00-\x1f]*$")] = "",
    state: RecordingState | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Wanted:
    return Wanted(call=call, agent=agent, state=state, since=since, until=until)


def _after(page: Paging) -> tuple[datetime, str] | None:
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


async def _row(service: RecordingService, recording: str, deed: _Deed) -> Recording:
    try:
        return await service.get(recording)
    except NotFound:
        await deed.write("refused")
        raise


async def _open(playback: Playback, row: Recording, spans: tuple[Span, ...], channel: str, deed: _Deed) -> Sound:
    try:
        return await asyncio.to_thread(playback.open, row, spans, channel)
    except SoundDamaged:
        await deed.write("damaged")
        raise
    except SoundMissing:
        await deed.write("missing")
        raise
    except HotlineError:
        await deed.write("failed")
        raise


async def _answer(sound: Sound, row: Recording, request: Request, deed: _Deed) -> Response:
    """200, 206 or 416; the audit comes first."""
    wanted = request.headers.get("range") if request.method == "GET" else None
    try:
        asked = parse_range(wanted, sound.size) if applies(request.headers.get("if-range"), sound.etag) else None
    except Unsatisfiable as error:
        await deed.write("bad_range")
        sound.close()
        return problem(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, str(error), headers={"Content-Range": f"bytes */{sound.size}"}
        )
    stretch = asked or ByteRange(0, sound.size - 1)
    await deed.write("ok", first=stretch.first, last=stretch.last)
    headers = _headers(sound, row, stretch)
    if asked is not None:
        headers["Content-Range"] = stretch.content_range(sound.size)
    status = HTTPStatus.OK if asked is None else HTTPStatus.PARTIAL_CONTENT
    return _SoundResponse(sound, stretch, status, headers, empty=request.method == "HEAD")


def _headers(sound: Sound, row: Recording, stretch: ByteRange) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'inline; filename="{row.id}.wav"',
        "Content-Length": str(stretch.length),
        "ETag": sound.etag,
        "X-Content-Type-Options": "nosniff",
    }


class _SoundResponse(StreamingResponse):
    """Sends a stretch of a sound and closes its file whatever happens to the listener."""

    def __init__(
        self, sound: Sound, stretch: ByteRange, status: HTTPStatus, headers: dict[str, str], *, empty: bool
    ) -> None:
        self._sound = sound
        content = _chunks(sound, ByteRange(0, -1) if empty else stretch)
        super().__init__(content, int(status), headers, media_type="audio/wav")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: Message) -> None:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await send(message)

        try:
            await super().__call__(scope, receive, patient)
        finally:
            self._sound.close()


async def _chunks(sound: Sound, stretch: ByteRange) -> AsyncIterator[bytes]:
    offset, end = stretch.first, stretch.last + 1
    while offset < end:
        part = await asyncio.to_thread(sound.read, offset, min(CHUNK, end - offset))
        if not part:
            return
        yield part
        offset += len(part)


def _view(row: Recording, policy: RetentionPolicy) -> RecordingView:
    return RecordingView(
        id=row.id,
        call=row.call,
        state=row.state,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        length_ms=row.length_ms,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        truncated=row.truncated,
        problem=row.problem,
        channels=[ChannelView.of(channel) for channel in row.channels],
        muted_spans=len(row.muted),
        agents=list(row.agents),
        retention_class=row.retention_class,
        legal_hold=row.legal_hold,
        kept_until=policy.kept_until(row),
        transcription=row.transcription,
    )
