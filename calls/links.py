"""Where one room's news become another room's work: talk → ticket and recording, recording → transcript → ticket.

What must be exactly once is written in the projection's transaction; the rest are rounds that look for what is
still to be done, so that nothing depends on a message that can be lost.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import msgspec
import structlog
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.measures import SHORT_ABANDON
from calls import asks
from calls.leftovers import Leftovers
from calls.model import (
    AbuseNoted,
    AnyCallFact,
    CallBackPromised,
    CallEnded,
    CitizenDialled,
    CitizenMissed,
    CitizenReached,
    OnwardDialled,
    OnwardMissed,
    OnwardReached,
    Outcome,
    Party,
    PartyAsked,
    Phase,
    Rated,
    RatedAspect,
    RatingAsked,
    RecordingMuted,
    TalkChanged,
    TalkEnded,
    TalkStarted,
    TrackOpened,
)
from calls.rows import CallRow
from calls.tables import call_lines, call_mutes
from hotline.prepared import Prepared
from hotline.tasks import Tasks
from recordings import store_sql as recording_rows
from recordings.model import Muted, Recording, Track, Transcription
from recordings.model import Party as Voice
from recordings.service import RecordingService
from tickets import callbacks
from tickets.model import CallbackTry, Transcribed
from tickets.model import TranscriptState as OnTicket
from tickets.service import TicketService
from transcription.labels import label
from transcription.model import Order, Speaker, Transcript, TranscriptState
from transcription.service import TranscriptService

log = structlog.get_logger(__name__)
ROUND_S = 1.0
IDLE_S = 5.0
"""A transcript that nobody here waits for, because somebody asked for it again, is attached that late."""
SWEEP_S = 30.0

_WAITED = (Phase.QUEUED, Phase.RINGING)


def _waited(call: CallRow, ended: CallEnded) -> timedelta:
    return ended.at - (call.queued_at or ended.at)


_OUTCOMES = {
    TranscriptState.READY: Transcription.DONE,
    TranscriptState.NO_MODEL: Transcription.NO_MODEL,
    TranscriptState.FAILED: Transcription.FAILED,
}


_NEW_LINE = Prepared(insert(call_lines))
_LINES = Prepared(select(call_lines).where(call_lines.c.call == bindparam("key")))
_FORGET_LINES = Prepared(delete(call_lines).where(call_lines.c.call == bindparam("key")))
_NEW_MUTE = Prepared(insert(call_mutes))
_MUTES = Prepared(select(call_mutes).where(call_mutes.c.call == bindparam("key")))
_END_MUTES = Prepared(update(call_mutes).where(call_mutes.c.call == bindparam("key"), call_mutes.c.ended_at.is_(None)))


class Links:
    """The joints between the rooms, for the calls of one node."""

    def __init__(
        self,
        *,
        recordings: RecordingService,
        tickets: TicketService,
        transcripts: TranscriptService,
        leftovers: Leftovers,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._recordings, self._tickets, self._transcripts = recordings, tickets, transcripts
        self._leftovers, self._changed = leftovers, changed
        self._ended, self._closed = asyncio.Event(), asyncio.Event()
        self._asked: set[str] = set()
        """Recordings whose transcript was asked for and has not come; after a restart they are asked for again."""

    # Inside the projection's transaction -----------------------------------------------------------------------------

    async def consequence(self, connection: AsyncConnection, fact: AnyCallFact, call: CallRow) -> None:
        """What else follows from a fact, in the same transaction as the call's row; perhaps on another thread."""
        match fact:
            case TrackOpened():
                await _track_opened(connection, fact)
            case TalkStarted():
                await self._talk_started(connection, fact, call)
            case PartyAsked():
                await asks.asked(connection, fact)
            case TalkChanged():
                await self._talk_changed(connection, fact)
            case RecordingMuted():
                await _muted(connection, fact)
            case AbuseNoted():
                detail = {"step": fact.step.value, "code": fact.code}
                await self._tickets.note(connection, fact.call, "abuse", fact.at, agent=fact.seat, detail=detail)
            case RatingAsked(aspect=RatedAspect.SERVICE):
                await self._tickets.note(connection, fact.call, "rating_asked", fact.at, agent=call.seat)
            case Rated(rating=rating) if rating is not None:
                detail = {"aspect": fact.aspect.value, "rating": rating.value}
                await self._tickets.note(connection, fact.call, "rated", fact.at, agent=call.seat, detail=detail)
            case TalkEnded():
                await _seats_left(connection, fact)
            case CallBackPromised():  # what was heard while a phone rang is no part of the talk to come
                await _FORGET_LINES.run(connection, {"key": fact.call})
            case CitizenDialled(leg=leg, owed=owed, at=at, seat=seat):
                await callbacks.dialled(connection, CallbackTry(line=leg, call=owed, at=at, seat=seat))
            case CitizenReached(leg=leg, at=at):
                await callbacks.try_ended(connection, leg, callbacks.REACHED, at)
            case OnwardDialled() | OnwardMissed() | OnwardReached():
                await asks.onward(connection, fact)
            case CitizenMissed():
                await self._citizen_missed(connection, fact, call)
            case CallEnded():
                await self._call_ended(connection, fact, call)
            case _:
                pass

    async def _talk_started(self, connection: AsyncConnection, fact: TalkStarted, call: CallRow) -> None:
        recording = self._recordings.new(
            fact.call,
            arrived_at=call.arrived_at,
            answered_at=fact.at,
            tracks=await _tracks(connection, fact.call),
            agents=[fact.agent] if fact.agent else [],
        )
        recording = await recording_rows.open_recording(connection, recording)
        if fact.party is not Party.OUTSIDE:
            await callbacks.spoken_with(connection, call.caller, fact.call, fact.agent, fact.at)
        await self._tickets.born(
            connection, call, agent=fact.agent, at=fact.at, recording=recording.id, class_hint=call.class_hint
        )

    async def _talk_changed(self, connection: AsyncConnection, fact: TalkChanged) -> None:
        """Whoever left is not recorded any more; emergency lines that were called are told on the ticket."""
        here = {leg.line for leg in fact.talk.legs}
        for track in await _tracks(connection, fact.call):
            if track.line not in here and track.party is not Voice.CITIZEN:
                await recording_rows.end_track(connection, fact.call, track.line, fact.at)
        for ended in await asks.changed(connection, fact):
            asked = await asks.emergency(connection, ended.ask)
            if asked is not None:
                told = f"{asked} {ended.result}"
                await self._tickets.note(connection, fact.call, "emergency_called", fact.at, agent=fact.by, reason=told)
        if fact.what == "connected":
            told = ", ".join(leg.phone for leg in fact.talk.talking)
            await self._tickets.note(connection, fact.call, "connected_outside", fact.at, reason=told)
        if number := asks.handed_over(fact):
            action, agent = "emergency_handed_over", fact.by
            await self._tickets.note(connection, fact.call, action, fact.at, agent=agent, reason=number)

    async def _citizen_missed(self, connection: AsyncConnection, fact: CitizenMissed, call: CallRow) -> None:
        await callbacks.try_ended(connection, fact.leg, fact.result, fact.at)
        if fact.number:
            owed = msgspec.structs.replace(call, caller=fact.number)
            await self._tickets.call_back(connection, owed, "not_reached", fact.at)

    async def _call_ended(self, connection: AsyncConnection, fact: CallEnded, call: CallRow) -> None:
        if call.answered_at is not None:
            await _END_MUTES.run(connection, {"key": fact.call, "ended_at": fact.at})
            await recording_rows.end_recording(connection, fact.call, fact.at, await _mutes(connection, fact.call))
            await _FORGET_LINES.run(connection, {"key": fact.call})  # the recording knows them
        if fact.outcome is Outcome.FAILED:
            await self._tickets.call_back(connection, call, "failed_node", fact.at)
        elif fact.outcome is Outcome.ABANDONED and fact.phase in _WAITED and _waited(call, fact) > SHORT_ABANDON:
            await self._tickets.call_back(connection, call, "missed", fact.at)

    # After the projection's transaction ------------------------------------------------------------------------------

    def folded(self, facts: Sequence[AnyCallFact]) -> None:
        """These facts are in the tables now."""
        if any(isinstance(fact, CallEnded) for fact in facts):
            self._ended.set()

    # Rounds ----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Close recordings, ask for transcripts, attach them; until cancelled."""
        async with Tasks("links") as tasks:
            tasks.keep(self._close_recordings, "recordings", pause_s=ROUND_S)
            self._closed.set()  # before we came there may have been some
            tasks.keep(self._look_after_transcripts, "transcripts", pause_s=ROUND_S)
            tasks.keep(self._catch_up, "transcripts lost", pause_s=SWEEP_S)
            await asyncio.Event().wait()

    async def _close_recordings(self) -> None:
        """Soon after a call has ended, and every half minute for what was left over."""
        try:
            async with asyncio.timeout(SWEEP_S):
                await self._ended.wait()
                await asyncio.sleep(0.5)  # Asterisk writes a track's last samples after the hang-up
        except TimeoutError:
            pass
        self._ended.clear()
        await self._leftovers.tidy()
        swept = await self._recordings.sweep()
        if swept.closed:
            self._closed.set()
            await self._changed()

    async def _look_after_transcripts(self) -> None:
        """At once when recordings were closed, every second while a worker has something to do, and now and then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROUND_S if self._asked else IDLE_S):
                await self._closed.wait()
        self._closed.clear()
        await self._ask_for_transcripts()
        await self._attach_transcripts()

    async def _ask_for_transcripts(self) -> None:
        wanting = await self._recordings.pending_transcription()
        if new := [self._order(recording) for recording in wanting if recording.id not in self._asked]:
            await self._transcripts.request_all(new)
            self._asked |= {order.recording for order in new}

    def _order(self, recording: Recording) -> Order:
        return Order(
            recording=recording.id,
            call=recording.call,
            path=f"recordings/{recording.folder}/{recording.id}.wav",
            channels=tuple(Speaker(channel.party.value, channel.agent) for channel in recording.channels),
        )

    async def _attach_transcripts(self) -> None:
        if await self._transcripts.tell_finished(self._attach):
            await self._changed()

    async def _attach(self, several: Sequence[Transcript]) -> None:
        await self._tickets.attach_transcripts([_transcribed(transcript) for transcript in several])
        outcomes = {transcript.order.recording: _OUTCOMES[transcript.state] for transcript in several}
        await self._recordings.transcribed(outcomes)
        self._asked -= outcomes.keys()

    async def _catch_up(self) -> None:
        await self._transcripts.catch_up()


def _transcribed(transcript: Transcript) -> Transcribed:
    return Transcribed(
        call=transcript.order.call,
        transcript=transcript.id,
        state=OnTicket(transcript.state.value),
        label=label(transcript).zh,
        demo_model=transcript.model is not None and transcript.model.demonstration,
    )


async def _track_opened(connection: AsyncConnection, fact: TrackOpened) -> None:
    began = fact.at if fact.seen else None
    row = {"call": fact.call, "line": fact.line, "party": fact.party.value, "agent": fact.agent, "started_at": began}
    await _NEW_LINE.run(connection, row)
    ends = fact.at if fact.party is Party.ANNOUNCEMENT else None  # it is as long as it is
    track = Track(line=fact.line, party=Voice(fact.party.value), started_at=began, agent=fact.agent, ended_at=ends)
    await recording_rows.add_track(connection, fact.call, track)


async def _tracks(connection: AsyncConnection, call: str) -> list[Track]:
    return [
        Track(line=row["line"], party=Voice(row["party"]), started_at=row["started_at"], agent=row["agent"])
        for row in await _LINES.rows(connection, {"key": call})
    ]


async def _seats_left(connection: AsyncConnection, fact: TalkEnded) -> None:
    for track in await _tracks(connection, fact.call):
        if track.party.value != Party.CITIZEN.value:
            await recording_rows.end_track(connection, fact.call, track.line, fact.at)


async def _muted(connection: AsyncConnection, fact: RecordingMuted) -> None:
    if fact.muted:
        await _NEW_MUTE.run(connection, {"call": fact.call, "began_at": fact.at})
    else:
        await _END_MUTES.run(connection, {"key": fact.call, "ended_at": fact.at})


async def _mutes(connection: AsyncConnection, call: str) -> list[Muted]:
    spans = await _MUTES.rows(connection, {"key": call})
    lines = await _tracks(connection, call) if spans else []
    return [
        Muted(line=track.line, began_at=span["began_at"], ended_at=span["ended_at"])
        for span in spans
        for track in lines
    ]
