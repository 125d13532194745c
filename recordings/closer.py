"""Closes the recordings of calls that are over, several at a time: compose, verify, seal, remove the raw tracks.

Blocking work runs in a thread, for all of them in one go; rows change in one transaction. A recording that fails
keeps no other waiting, and whatever happens, a call's raw tracks stay until its sound is composed, read back and
sealed. It knows no calls.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Conflict, HotlineError, Unavailable
from recordings import store_sql as store
from recordings.closing import Composed, compose, is_whole
from recordings.model import SEALED, Recording, RecordingState, Transcription
from recordings.store_files import RecordingFiles
from recordings.writes import write

log = structlog.get_logger(__name__)

T = TypeVar("T")

Outcome = Recording | Exception
"""The row as it is afterwards, or why it could not be looked after."""


class Closer:
    """Two batches at a time."""

    def __init__(self, database: Database, files: RecordingFiles, clock: Clock) -> None:
        self._database, self._files, self._clock = database, files, clock
        self._slots = asyncio.Semaphore(2)

    async def close(self, rows: Sequence[Recording]) -> dict[str, Outcome]:
        """What became of each recording, by its id. Safe to repeat, and to be killed in; `rows`: as they looked a
        moment ago.

        A full or broken disk leaves one `PENDING` with a sentence in `problem`; one that another process is closing
        stays as it is.
        """
        async with self._slots:
            held = await _in_thread(lambda row: self._files.hold(row.folder, row.call), rows)
            holds = [hold for hold in held.values() if isinstance(hold, int)]
            try:
                return await self._close(rows, held)
            finally:
                for hold in holds:
                    os.close(hold)

    async def _close(self, rows: Sequence[Recording], held: dict[str, int | Exception]) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        for row in rows:
            if isinstance(hold := held[row.id], Exception):
                outcomes[row.id] = row if isinstance(hold, Conflict) else await self._put_off(row, hold)
        mine = [row.id for row in rows if row.id not in outcomes]
        # Whoever held one before may have closed it: only what the rows say now counts.
        now = await self._database.read(partial(store.get_recordings, several=mine)) if mine else []
        pending = [row for row in now if row.state is RecordingState.PENDING]
        for row in now:
            if row.state is not RecordingState.PENDING:
                outcomes[row.id] = await self._not_pending(row)
        return {**outcomes, **(await self._close_pending(pending) if pending else {})}

    async def _not_pending(self, row: Recording) -> Outcome:
        if row.state not in SEALED:
            return Conflict("The call still runs, or its recording was removed; there is nothing to close.")
        left = await _in_thread(self._clear, [row])
        return left[row.id] if isinstance(left[row.id], Exception) else row  # type: ignore[return-value]

    async def _close_pending(self, pending: Sequence[Recording]) -> dict[str, Outcome]:
        made = await _in_thread(partial(compose, self._files), pending)
        composed = {key: one for key, one in made.items() if isinstance(one, Composed)}
        outcomes: dict[str, Outcome] = {
            row.id: await self._put_off(row, error) for row in pending if isinstance(error := made[row.id], Exception)
        }
        done = [self._sealed(row, composed[row.id]) for row in pending if row.id in composed]
        outcomes |= await self._seal(done)
        sealed = [row for row in done if outcomes[row.id] is row]
        removed = await _in_thread(lambda row: self._delete(row, composed[row.id].lines), sealed)
        outcomes |= {key: error for key, error in removed.items() if isinstance(error, Exception)}
        return outcomes

    async def _seal(self, done: Sequence[Recording]) -> dict[str, Outcome]:
        """All in one transaction; each alone when that does not succeed, so that none keeps back the others."""
        if not done:
            return {}
        try:
            sealed = await write(self._database, partial(store.seal, several=done, at=self._clock.now()))
        except Unavailable as error:
            return {row.id: error for row in done}
        except Exception as error:  # noqa: BLE001 - it is one row's, and told to whoever asked for that
            if len(done) == 1:
                return {done[0].id: error}
            return {key: outcome for row in done for key, outcome in (await self._seal([row])).items()}
        log.info("recordings closed", recordings=len(sealed), truncated=sum(row.truncated for row in sealed))
        others = [row.id for row in done if row not in sealed]
        now = await self._database.read(partial(store.get_recordings, several=others)) if others else []
        return {row.id: row for row in (*sealed, *now)}

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

    async def _put_off(self, row: Recording, error: Exception) -> Outcome:
        if not isinstance(error, HotlineError):
            return error
        log.error("recording not closed", recording=row.id, call=row.call, problem=str(error))
        await write(self._database, lambda connection: store.note_problem(connection, row.id, str(error)))
        return (await self._database.read(partial(store.get_recordings, several=[row.id])))[0]

    def _clear(self, row: Recording) -> None:
        """Remove raw tracks beside a sealed sound, after a look whether that is really there. Blocking."""
        heard = {line for channel in row.channels for line in channel.lines}
        there = self._files.tracks(row.folder, row.call)
        left = tuple(line for line, file in there.items() if line in heard and file.plain)
        if not left or is_whole(self._files, row):
            self._delete(row, left)

    def _delete(self, row: Recording, lines: tuple[str, ...]) -> None:
        try:
            self._files.delete_tracks(row.folder, row.call, lines)
        except HotlineError as error:  # the sweep removes them later
            log.warning("raw tracks left behind", recording=row.id, problem=str(error))


async def _in_thread(do: Callable[[Recording], T], rows: Sequence[Recording]) -> dict[str, T | Exception]:
    """What `do` says of each, one after another, by its id."""
    return await asyncio.to_thread(_each, do, rows) if rows else {}


def _each(do: Callable[[Recording], T], rows: Sequence[Recording]) -> dict[str, T | Exception]:
    found: dict[str, T | Exception] = {}
    for row in rows:
        try:
            found[row.id] = do(row)
        except Exception as error:  # noqa: BLE001 - it is this one's, and told to whoever asked for it
            found[row.id] = error
    return found
