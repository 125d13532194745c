"""Closes the recordings of calls that are over, several at a time: compose, verify, seal, remove the raw tracks.

Blocking work is the workshop's; rows change in one transaction. A recording that fails keeps no other waiting, and
whatever happens, a call's raw tracks stay until its sound is composed, read back and sealed. It knows no calls.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import msgspec
import structlog

from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Conflict, Unavailable
from recordings import store_sql as store
from recordings.closing import Composed
from recordings.model import SEALED, Recording, RecordingState, Transcription
from recordings.workbench import Done, Order
from recordings.workshop import Gone, Workshop
from recordings.writes import write

log = structlog.get_logger(__name__)

Outcome = Recording | Exception
"""The row as it is afterwards, or why it could not be looked after."""

_Lines = dict[str, tuple[str, ...]]


class Closer:
    """Two batches at a time."""

    def __init__(self, database: Database, workshop: Workshop, clock: Clock) -> None:
        self._database, self._workshop, self._clock = database, workshop, clock
        self._slots = asyncio.Semaphore(2)

    async def close(self, rows: Sequence[Recording]) -> dict[str, Outcome]:
        """What became of each recording, by its id. Safe to repeat, and to be killed in; `rows`: as they looked a
        moment ago.

        A full or broken disk leaves one `PENDING` with a sentence in `problem`; one that another process is closing
        stays as it is.
        """
        try:
            async with self._slots:
                return await self._close(rows)
        except Gone as error:
            if len(rows) == 1:
                return {rows[0].id: await self._put_off(rows[0], Done(problem=str(error)))}
        outcomes: dict[str, Outcome] = {}
        for row in rows:  # whichever it died over shall not keep the others waiting
            outcomes |= await self.close([row])
        return outcomes

    async def _close(self, rows: Sequence[Recording]) -> dict[str, Outcome]:
        held = await self._workshop.do(Order("hold", tuple(rows)))
        mine = tuple(row for row in rows if not held[row.id].problem)
        outcomes: dict[str, Outcome] = {
            row.id: row if held[row.id].is_held_elsewhere else await self._put_off(row, held[row.id])
            for row in rows
            if row not in mine
        }
        if not mine:
            return outcomes
        heard: _Lines = {}
        try:
            outcomes |= await self._close_held(mine, heard)
        finally:
            left = await self._workshop.do(Order("leave", mine, heard))
        return {**outcomes, **_left_behind(left)}

    async def _close_held(self, mine: Sequence[Recording], heard: _Lines) -> dict[str, Outcome]:
        """`heard`: here goes which tracks are in a sealed sound."""
        # Whoever held one before may have closed it: only what the rows say now counts.
        now = await self._database.read(partial(store.get_recordings, several=[row.id for row in mine]))
        pending = tuple(row for row in now if row.state is RecordingState.PENDING)
        outcomes = {row.id: await self._not_pending(row) for row in now if row not in pending}
        if not pending:
            return outcomes
        made = await self._workshop.do(Order("compose", pending))
        sounds = {row.id: sound for row in pending if (sound := made[row.id].composed) is not None}
        outcomes |= {row.id: await self._put_off(row, made[row.id]) for row in pending if row.id not in sounds}
        done = [self._sealed(row, sounds[row.id]) for row in pending if row.id in sounds]
        outcomes |= await self._seal(done) if done else {}
        heard |= {row.id: sounds[row.id].lines for row in done if outcomes[row.id] is row}
        return outcomes

    async def _not_pending(self, row: Recording) -> Outcome:
        if row.state not in SEALED:
            return Conflict("The call still runs, or its recording was removed; there is nothing to close.")
        left = await self._workshop.do(Order("clear", (row,)))
        return _left_behind(left).get(row.id, row)

    async def _seal(self, done: Sequence[Recording]) -> dict[str, Outcome]:
        """All in one transaction; each alone when that does not succeed, so that none keeps back the others."""
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

    def _sealed(self, row: Recording, sound: Composed) -> Recording:
        return msgspec.structs.replace(
            row,
            state=RecordingState.CLOSED if sound.has_sound else RecordingState.LOST,
            closed_at=self._clock.now(),
            channels=sound.channels,
            length_ms=sound.length_ms,
            size_bytes=sound.size_bytes,
            sha256=sound.sha256,
            truncated=sound.truncated,
            problem="",
            transcription=Transcription.WANTED if sound.has_sound else Transcription.NONE,
        )

    async def _put_off(self, row: Recording, done: Done) -> Outcome:
        if done.is_held_elsewhere:
            return row
        if done.is_unforeseen:
            return RuntimeError(done.problem)
        log.error("recording not closed", recording=row.id, call=row.call, problem=done.problem)
        await write(self._database, lambda connection: store.note_problem(connection, row.id, done.problem))
        return (await self._database.read(partial(store.get_recordings, several=[row.id])))[0]


def _left_behind(left: dict[str, Done]) -> dict[str, Outcome]:
    """Mistakes of ours. Tracks that the disk does not let go are reported; the sweep removes them later."""
    for recording, done in left.items():
        if done.problem and not done.is_unforeseen:
            log.warning("raw tracks left behind", recording=recording, problem=done.problem)
    return {key: RuntimeError(done.problem) for key, done in left.items() if done.is_unforeseen}
