"""The life of recordings: opened at the answer, composed after the call, sealed, listed.

Blocking work runs in threads, two recordings at a time. Whatever happens, a call's raw tracks stay until its sound
is composed, read back, and sealed.
"""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
import structlog

from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Conflict, HotlineError, NotFound
from hotline.ids import Ids
from recordings import store_sql as store
from recordings.closing import Composed, compose, is_whole
from recordings.model import SEALED, Muted, Recording, RecordingState, Track, Transcription, is_id
from recordings.store_files import RecordingFiles
from recordings.store_sql import Wanted
from recordings.visibility import Scope
from recordings.writes import write

log = structlog.get_logger(__name__)

BATCH = 100
LOOK_EVERY_S = 3600.0
"""Looking through the folders costs time in proportion to all recordings that there are."""
_PENDING = (RecordingState.PENDING,)


class Swept(msgspec.Struct, frozen=True):
    """What a sweep did."""

    closed: int = 0
    """Recordings that were pending and are sealed now."""
    waiting: int = 0
    """Recordings that still cannot be closed."""
    cleaned: int = 0
    """Sealed recordings beside which raw tracks had been left."""
    strays: int = 0
    """Folders of raw tracks of calls without a recording: still running, or never taken up again."""


class RecordingService:
    """Everything about recordings that needs a database and a disk."""

    def __init__(self, database: Database, files: RecordingFiles, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._slots = asyncio.Semaphore(2)
        self._next_look = clock.monotonic()
        self._finishing: dict[str, asyncio.Task[Recording]] = {}
        self.files = files

    def track_folder(self, call: str, arrived_at: datetime) -> Path:
        """Absolute folder for the tracks of a call: always the same for the same call."""
        return self.files.track_folder(self.files.day(arrived_at), call)

    def new(
        self,
        call: str,
        *,
        arrived_at: datetime,
        answered_at: datetime,
        tracks: Sequence[Track] = (),
        agents: Sequence[str] = (),
    ) -> Recording:
        """The row for a call that was just answered, to be given to `store_sql.open_recording`."""
        return Recording(
            id=self._ids.new("rec"),
            call=call,
            folder=self.files.day(arrived_at),
            state=RecordingState.OPEN,
            opened_at=self._clock.now(),
            answered_at=answered_at,
            tracks=tuple(tracks),
            agents=tuple(dict.fromkeys([*agents, *(track.agent for track in tracks if track.agent)])),
        )

    async def open(
        self,
        call: str,
        *,
        arrived_at: datetime,
        answered_at: datetime,
        tracks: Sequence[Track] = (),
        agents: Sequence[str] = (),
    ) -> Recording:
        """Open the recording of a call, once; opening it again returns the same one."""
        new = self.new(call, arrived_at=arrived_at, answered_at=answered_at, tracks=tracks, agents=agents)
        return await write(self._database, lambda connection: store.open_recording(connection, new))

    async def close(self, call: str, *, ended_at: datetime, muted: Sequence[Muted] = ()) -> Recording | None:
        """The call is over: compose and seal its sound. Nothing for a call that was never answered."""
        known = await write(self._database, lambda connection: store.close_recording(connection, call, ended_at, muted))
        return None if known is None else await self.finish(known.id)

    async def finish(self, recording: str) -> Recording:
        """Compose, verify and seal a recording whose call is over. Safe to repeat, to cancel and to be killed in.

        A full or broken disk leaves it `PENDING` with a sentence in `problem`; `sweep` tries again.

        Raises:
            NotFound: there is no such recording.
            Conflict: its call still runs.
        """
        return await self._finish_once(recording, None)

    async def _finish_once(self, recording: str, row: Recording | None) -> Recording:
        """`row`: how it looked a moment ago, if that is known."""
        task = self._finishing.get(recording)
        if task is None:
            task = asyncio.create_task(self._finish(recording, row), name=f"finish {recording}")
            self._finishing[recording] = task
            task.add_done_callback(partial(self._finished, recording))
        return await asyncio.shield(task)

    async def sweep(self) -> Swept:
        """Finish what is pending. At the first time, and then once an hour, also look through the folders for raw
        tracks that a killed process left beside a sealed recording."""
        rows = await self._pending()
        closed = sum([await self._try_to_finish(row) for row in rows])
        cleaned, strays = await self._look_through_folders()
        return Swept(closed, len(rows) - closed, cleaned, strays)

    async def _try_to_finish(self, row: Recording) -> bool:
        """One that fails must not keep the others waiting."""
        try:
            return (await self._finish_once(row.id, row)).state in SEALED
        except Exception:
            log.exception("recording not closed", recording=row.id, call=row.call)
            return False

    async def _look_through_folders(self) -> tuple[int, int]:
        if self._clock.monotonic() < self._next_look:
            return 0, 0
        self._next_look = self._clock.monotonic() + LOOK_EVERY_S
        cleaned = strays = 0
        for _, call in await asyncio.to_thread(list, self.files.call_folders()):
            known = await self.for_call(call)
            strays += known is None
            if known is not None and known.state in SEALED:
                cleaned += await self._try_to_finish(known)
        return cleaned, strays

    async def discard(self, call: str, arrived_at: datetime) -> None:
        """Remove the tracks of a call that nobody answered: what was heard while it rang is not kept."""
        if await self.for_call(call) is None:
            day = self.files.day(arrived_at)
            lines = tuple(await asyncio.to_thread(self.files.tracks, day, call))
            await asyncio.to_thread(self.files.delete_tracks, day, call, lines)

    async def get(self, recording: str) -> Recording:
        """Raises:
        NotFound: there is none with this id.
        """
        found = None
        if is_id(recording):
            found = await self._database.read(lambda connection: store.get_recording(connection, recording))
        if found is None:
            raise NotFound("There is no such recording.")
        return found

    async def for_call(self, call: str) -> Recording | None:
        """The recording of a call, if it was answered."""
        return await self._database.read(lambda connection: store.recording_for_call(connection, call))

    async def find(
        self, wanted: Wanted, scope: Scope, limit: int, after: tuple[datetime, str] | None = None
    ) -> list[Recording]:
        """Recordings within `scope`, newest first."""
        return await self._database.read(
            lambda connection: store.list_recordings(connection, wanted, scope, limit, after)
        )

    async def pending_transcription(self, limit: int = BATCH) -> list[Recording]:
        """Sealed recordings that nobody transcribed yet, oldest first."""
        return await self._database.read(lambda connection: store.wanting_transcription(connection, limit))

    async def transcribed(self, recording: str, outcome: Transcription) -> None:
        """Keep what became of the transcript."""
        await write(self._database, lambda connection: store.set_transcription(connection, recording, outcome))

    def sound_path(self, recording: Recording) -> Path:
        """Where the finished sound lies, for a worker process that reads it."""
        return self.files.root / recording.folder / f"{recording.id}.wav"

    def _finished(self, recording: str, task: asyncio.Task[Recording]) -> None:
        self._finishing.pop(recording, None)
        if not task.cancelled():
            task.exception()  # whoever waited for it has it; nobody waiting is no reason for noise

    async def _finish(self, recording: str, row: Recording | None) -> Recording:
        async with self._slots:
            row = row or await self.get(recording)
            try:
                hold = await asyncio.to_thread(self.files.hold, row.folder, row.call)
            except Conflict:
                return row
            except HotlineError as error:
                return await self._put_off(row, error)
            try:
                return await self._finish_held(await self.get(recording))
            finally:
                os.close(hold)

    async def _finish_held(self, row: Recording) -> Recording:
        if row.state in SEALED:
            await self._clear(row)
            return row
        if row.state is not RecordingState.PENDING:
            raise Conflict("The call still runs, or its recording was removed; there is nothing to close.")
        try:
            composed = await asyncio.to_thread(compose, self.files, row)
        except HotlineError as error:
            return await self._put_off(row, error)
        done = self._sealed(row, composed)
        sealed = await write(self._database, lambda connection: store.seal(connection, done, self._now_of(done)))
        if sealed:
            await self._delete(done, composed.lines)
            log.info("recording closed", recording=done.id, call=done.call, truncated=done.truncated)
        return done if sealed else await self.get(row.id)

    def _sealed(self, row: Recording, composed: Composed) -> Recording:
        return msgspec.structs.replace(
            row,
            state=RecordingState.CLOSED if composed.has_sound else RecordingState.LOST,
            closed_at=self._clock.now(),
            channels=composed.channels,
            length_ms=composed.length_ms,
            size_bytes=composed.size_bytes,
            sha256=composed.sha256,
            truncated=composed.truncated,
            problem="",
            transcription=Transcription.WANTED if composed.has_sound else Transcription.NONE,
        )

    def _now_of(self, done: Recording) -> datetime:
        return done.closed_at or self._clock.now()

    async def _put_off(self, row: Recording, error: HotlineError) -> Recording:
        log.error("recording not closed", recording=row.id, call=row.call, problem=str(error))
        await write(self._database, lambda connection: store.note_problem(connection, row.id, str(error)))
        return await self.get(row.id)

    async def _clear(self, row: Recording) -> None:
        """Remove raw tracks beside a sealed sound, after a look whether that is really there."""
        heard = {line for channel in row.channels for line in channel.lines}
        there = await asyncio.to_thread(self.files.tracks, row.folder, row.call)
        left = tuple(line for line, file in there.items() if line in heard and file.plain)
        if not left or await asyncio.to_thread(is_whole, self.files, row):
            await self._delete(row, left)

    async def _delete(self, row: Recording, lines: tuple[str, ...]) -> None:
        try:
            await asyncio.to_thread(self.files.delete_tracks, row.folder, row.call, lines)
        except HotlineError as error:  # the sweep removes them later
            log.warning("raw tracks left behind", recording=row.id, problem=str(error))

    async def _pending(self) -> list[Recording]:
        rows: list[Recording] = []
        while True:
            after = rows[-1].id if rows else ""
            more = await self._database.read(partial(store.recordings_in, states=_PENDING, limit=BATCH, after=after))
            rows.extend(more)
            if len(more) < BATCH:
                return rows
