"""Tracks that lie where no recording looks: of calls nobody answered, and of calls that only the fallback saw.

Every round starts from what the tables and the folders say, so a kill -9 between two steps leaves nothing behind.
"""

import asyncio
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.tables import call_lines, calls
from hotline.database import Database
from hotline.prepared import Prepared, Row
from recordings.service import RecordingService

log = structlog.get_logger(__name__)


_UNANSWERED = Prepared(
    select(calls.c.call, calls.c.arrived_at)
    .join(call_lines, call_lines.c.call == calls.c.call)
    .where(calls.c.ended_at.is_not(None), calls.c.answered_at.is_(None))
    .distinct()
)
"""Lines are kept while their call lives, and of an unanswered one until its tracks are gone: so this reads few rows."""


class Leftovers:
    """`fallback`: the folder in which the static dialplan records while our process is away, `LINE/LINE.sln`."""

    def __init__(self, database: Database, recordings: RecordingService, fallback: Path) -> None:
        self._database, self._recordings, self._fallback = database, recordings, fallback

    async def tidy(self) -> None:
        """Bring the fallback's tracks to their calls, then remove those of calls that nobody answered."""
        await self._bring_fallback_tracks()
        await self._discard_unanswered()

    async def _bring_fallback_tracks(self) -> None:
        for folder in await asyncio.to_thread(_folders, self._fallback):
            call = await self._database.read(partial(_ended_call, line=folder.name))
            if call is None:
                continue
            if call.answered_at is None:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                continue
            target = self._recordings.track_folder(call.call, call.arrived_at)
            await asyncio.to_thread(_move, folder, target)
            log.info("tracks of the fallback taken over", call=call.call)

    async def _discard_unanswered(self) -> None:
        """What a citizen said while a phone rang is not kept when nobody answered."""
        for call in await self._database.read(_unanswered):
            await self._recordings.discard(call["call"], call["arrived_at"])
            await self._database.write(partial(_forget_lines, call=call["call"]))


def _folders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []


def _move(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for track in folder.iterdir():
        if not (target / track.name).exists():
            shutil.move(track, target / track.name)
    shutil.rmtree(folder, ignore_errors=True)


async def _ended_call(connection: AsyncConnection, line: str) -> Any:
    query = select(calls).where(calls.c.line == line, calls.c.ended_at.is_not(None))
    return (await connection.execute(query)).first()


async def _unanswered(connection: AsyncConnection) -> Sequence[Row]:
    return await _UNANSWERED.rows(connection, {})


async def _forget_lines(connection: AsyncConnection, call: str) -> None:
    await connection.execute(delete(call_lines).where(call_lines.c.call == call))
