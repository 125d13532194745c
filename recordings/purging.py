"""Removes recordings whose time is over: first the intent, then the file, then a certificate in the hash chain.

Killed in between, the next run goes on where it stopped; what is certified is really gone.
"""

import asyncio
from datetime import datetime

import structlog

from hotline.audit import Audit
from hotline.clock import Clock
from hotline.database import Database
from hotline.security import Principal
from recordings import store_sql as store
from recordings.model import Certificate, Recording, RecordingState
from recordings.retention import RetentionPolicy, Verdict
from recordings.store_files import RecordingFiles
from recordings.writes import write

log = structlog.get_logger(__name__)

SYSTEM = Principal(person="system:retention", name="retention", roles=frozenset())
"""Who removes recordings when nobody asked for it by hand."""

_BATCH = 100
_CANDIDATES = (RecordingState.CLOSED, RecordingState.LOST, RecordingState.PURGING)


class Purger:
    """Applies a retention policy."""

    def __init__(
        self, database: Database, files: RecordingFiles, policy: RetentionPolicy, clock: Clock, audit: Audit
    ) -> None:
        self._database = database
        self._files = files
        self._policy = policy
        self._clock = clock
        self._audit = audit

    async def purge_due(self, who: Principal = SYSTEM) -> list[Certificate]:
        """Remove every recording whose time is over. Each removal is audited before it happens.

        Raises:
            Unavailable: database, audit or disk do not answer; what was begun is finished by the next run.
        """
        done: list[Certificate] = []
        now, after = self._clock.now(), ""
        while batch := await self._candidates(now - self._policy.shortest, after):
            after = batch[-1].id
            due = [row for row in batch if self._is_due(row, now)]
            done.extend([certificate for row in due if (certificate := await self._purge(row, who)) is not None])
        return done

    def _is_due(self, row: Recording, now: datetime) -> bool:
        return row.state is RecordingState.PURGING or self._policy.verdict(row, now) is Verdict.PURGE

    async def _candidates(self, before: datetime, after: str) -> list[Recording]:
        return await self._database.read(
            lambda connection: store.ended_before(connection, before, _CANDIDATES, _BATCH, after)
        )

    async def _purge(self, row: Recording, who: Principal) -> Certificate | None:
        days = self._policy.keep_days(row.retention_class)
        await self._audit.record(
            who, "recording.purge", row.id, detail={"class": row.retention_class, "keep_days": days}
        )
        going = row.state is RecordingState.PURGING
        if not going and not await write(self._database, lambda connection: store.mark_purging(connection, row.id)):
            return None
        await asyncio.to_thread(self._files.delete_sound, row.folder, row.id)
        certificate = self._certificate(row, days, who)
        if not await write(self._database, lambda connection: store.certify(connection, row, certificate)):
            return None
        log.info("recording purged", recording=row.id, keep_days=days)
        return certificate

    def _certificate(self, row: Recording, days: int, who: Principal) -> Certificate:
        return Certificate(
            recording=row.id,
            call=row.call,
            retention_class=row.retention_class,
            keep_days=days,
            kept_until=self._policy.kept_until(row),
            purged_at=self._clock.now(),
            purged_by=who.person,
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            length_ms=row.length_ms,
        )
