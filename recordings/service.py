"""The life of recordings: opened at the answer, composed after the call, sealed, listed.

How recordings are closed is `closer`'s; here is which, and that each is closed once at a time.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
import structlog

from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import NotFound
from hotline.ids import Ids
from recordings import store_sql as store
from recordings.closer import Closer, Outcome
from recordings.model import SEALED, Muted, Recording, RecordingState, Track, Transcription, is_id
from recordings.store_files import RecordingFiles
from recordings.store_sql import Wanted
from recordings.visibility import Scope
from recordings.workshop import Threads, Workshop
from recordings.writes import write

log = structlog.get_logger(__name__)

BATCH = 100
LOOK_EVERY_S = 3600.0
"""Looking through the folders costs time in proportion to all recordings that there are."""
AT_ONCE = 16
"""Recordings closed together: one transaction, and the first of them waits for the last."""


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

    def __init__(
        self, database: Database, files: RecordingFiles, clock: Clock, ids: Ids, workshop: Workshop | None = None
    ) -> None:
        """`workshop`: where sound is composed; by default threads of this process."""
        self._database = database
        self._clock = clock
        self._ids = ids
        self._workshop = workshop or Threads(files)
        self._closer = Closer(database, self._workshop, clock)
        self._next_look = clock.monotonic()
        self._finishing: dict[str, asyncio.Task[dict[str, Outcome]]] = {}
        self.files = files

    async def stop(self) -> None:
        """Break off what is being closed, so that nothing goes on behind our back; the next start closes it."""
        tasks = set(self._finishing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._workshop.close()

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
        outcome = (await self._finish([await self.get(recording)]))[recording]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _finish(self, rows: Sequence[Recording]) -> dict[str, Outcome]:
        """Each is finished once, however many ask for it at the same time."""
        fresh = [row for row in rows if row.id not in self._finishing]
        if fresh:
            several = [row.id for row in fresh]
            task = asyncio.create_task(self._closer.close(fresh), name="finish recordings")
            self._finishing |= dict.fromkeys(several, task)
            task.add_done_callback(partial(self._finished, several))
        outcomes: dict[str, Outcome] = {}
        for task in {self._finishing[row.id] for row in rows}:
            outcomes |= await asyncio.shield(task)
        return {row.id: outcomes[row.id] for row in rows}

    async def sweep(self) -> Swept:
        """Finish what is pending. At the first time, and then once an hour, also look through the folders for raw
        tracks that a killed process left beside a sealed recording."""
        closed = waiting = 0
        async for rows in self._pending():
            done = await self._try_to_finish(rows)
            closed, waiting = closed + done, waiting + len(rows) - done
        cleaned, strays = await self._look_through_folders()
        return Swept(closed, waiting, cleaned, strays)

    async def _try_to_finish(self, rows: Sequence[Recording]) -> int:
        """How many are sealed now. One that fails must not keep the others waiting."""
        done = 0
        for recording, outcome in (await self._finish(rows)).items():
            if isinstance(outcome, Exception):
                log.error("recording not closed", recording=recording, exc_info=outcome)
            done += isinstance(outcome, Recording) and outcome.state in SEALED
        return done

    async def _look_through_folders(self) -> tuple[int, int]:
        if self._clock.monotonic() < self._next_look:
            return 0, 0
        self._next_look = self._clock.monotonic() + LOOK_EVERY_S
        cleaned = strays = 0
        for _, call in await asyncio.to_thread(list, self.files.call_folders()):
            known = await self.for_call(call)
            strays += known is None
            if known is not None and known.state in SEALED:
                cleaned += await self._try_to_finish([known])
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

    async def transcribed(self, outcomes: Mapping[str, Transcription]) -> None:
        """Keep what became of the transcripts, by the recording's id."""
        await write(self._database, partial(store.set_transcriptions, outcomes=outcomes))

    def sound_path(self, recording: Recording) -> Path:
        """Where the finished sound lies, for a worker process that reads it."""
        return self.files.root / recording.folder / f"{recording.id}.wav"

    def _finished(self, several: Sequence[str], task: asyncio.Task[dict[str, Outcome]]) -> None:
        for recording in several:
            self._finishing.pop(recording, None)
        if not task.cancelled():
            task.exception()  # whoever waited for it has it; nobody waiting is no reason for noise

    async def _pending(self) -> AsyncGenerator[list[Recording]]:
        rows: list[Recording] = []
        while True:
            after = rows[-1].id if rows else ""
            rows = await self._database.read(partial(store.pending, limit=AT_ONCE, after=after))
            if rows:
                yield rows
            if len(rows) < AT_ONCE:
                return
