"""Keeps the event log from growing for ever: what nobody will read again is forgotten.

A fact goes when it is older than the setting says, behind the newest checkpoint of its stream (so a start does not
replay it) and behind every projection's cursor (so it is in SQL). It refuses to know what a fact says.
"""

from collections.abc import Collection
from datetime import timedelta

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.tables import cursors
from hotline.clock import Clock
from hotline.database import Database
from hotline.ports import EventLog

log = structlog.get_logger(__name__)

_CURSORS = select(cursors.c.seq).where(cursors.c.stream == bindparam("name"))


class Trimmer:
    """Trims streams of one log."""

    def __init__(
        self,
        event_log: EventLog,
        database: Database,
        clock: Clock,
        keep: timedelta,
        *,
        streams: Collection[str],
        projected: Collection[str],
    ) -> None:
        """`streams`: what is trimmed. `projected`: those of them that SQL must know before anything of them goes."""
        self._log, self._database, self._clock, self._keep = event_log, database, clock, keep
        self._streams, self._projected = streams, projected

    async def round(self) -> int:
        """Forget what may go now. Returns how many facts went.

        Raises:
            Unavailable: the log or the database does not answer; the next round tries again.
        """
        gone = 0
        for stream in self._streams:
            kept = await self._log.load_checkpoint(stream)
            if kept is not None:
                upto = await self._folded(stream, kept[0])
                gone += await self._log.trim(stream, upto, self._clock.now() - self._keep)
        if gone:
            log.info("event log trimmed", facts=gone)
        return gone

    async def _folded(self, stream: str, upto: int) -> int:
        """How far, at most `upto`, every projection of the stream has come."""

        async def read(connection: AsyncConnection) -> list[int]:
            return list((await connection.execute(_CURSORS, {"name": stream})).scalars())

        reached = await self._database.read(read)
        return min([upto, *reached]) if reached or stream not in self._projected else 0
