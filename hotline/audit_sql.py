"""The audit as rows that only grow, each sealed with a hash over itself and its predecessor's seal.

Changing, removing or inserting a line breaks the chain from there on. Cutting off its end does not: whoever
wants to notice that notes `head()` elsewhere from time to time and gives it to `verify`.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Conflict, Unavailable
from hotline.security import Principal
from hotline.tables import audit

BATCH = 1000
TRIES = 10


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One deed."""

    seq: int
    at: datetime
    person: str
    roles: tuple[str, ...]
    action: str
    subject: str
    result: str
    detail: dict[str, Any]
    digest: str


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted; an empty field does not restrict."""

    person: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


class SqlAudit:
    """Implements `hotline.audit.Audit`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # Lines of this process are chained one after another here rather than by failing transactions.
        self._turn = asyncio.Lock()

    async def record(
        self,
        who: Principal,
        action: str,
        subject: str,
        *,
        result: str = "ok",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """See `Audit.record`."""

        async def add(connection: AsyncConnection) -> None:
            seq, previous = await _head(connection)
            values = {
                "seq": seq + 1,
                "at": self._clock.now(),
                "person": who.person,
                "roles": _canonical(sorted(who.roles)),
                "action": action,
                "subject": subject,
                "result": result,
                "detail": _canonical(dict(detail or {})),
            }
            await connection.execute(insert(audit).values(**values, digest=seal_of(previous, values)))

        async with self._turn:
            for _ in range(TRIES):
                try:
                    return await self._database.write(add)
                except Conflict:
                    continue  # another process took this place in the chain
        raise Unavailable("The audit is too busy to take this deed, so it was not done.")

    async def lines(self, query: AuditQuery, before: int | None = None, limit: int = 50) -> list[AuditLine]:
        """The newest first; `before`: only those with a smaller position."""
        conditions = _conditions(query)
        if before is not None:
            conditions.append(audit.c.seq < before)
        wanted = select(audit).where(*conditions).order_by(audit.c.seq.desc()).limit(limit)

        async def fetch(connection: AsyncConnection) -> list[AuditLine]:
            return [_line(row) for row in await connection.execute(wanted)]

        return await self._database.read(fetch)

    async def head(self) -> tuple[int, str]:
        """Position and seal of the last line, to be noted elsewhere."""
        return await self._database.read(_head)

    async def verify(self, noted: tuple[int, str] | None = None) -> int | None:
        """Recompute every seal.

        `noted`: what `head` said earlier; it proves that the end was not cut off since.

        Returns:
            The position of the first line that is not as it was written or is missing; `None` when all is well.
        """
        position, seal = 0, ""
        while rows := await self._rows_after(position):
            for row in rows:
                if row.seq != position + 1 or row.digest != seal_of(seal, _values(row)):
                    return position + 1
                position, seal = int(row.seq), str(row.digest)
                if noted is not None and noted[0] == position and noted[1] != seal:
                    return position
        return position + 1 if noted is not None and noted[0] > position else None

    async def _rows_after(self, position: int) -> Sequence[Row[Any]]:
        wanted = select(audit).where(audit.c.seq > position).order_by(audit.c.seq).limit(BATCH)

        async def fetch(connection: AsyncConnection) -> Sequence[Row[Any]]:
            return (await connection.execute(wanted)).all()

        return await self._database.read(fetch)


async def _head(connection: AsyncConnection) -> tuple[int, str]:
    last = select(audit.c.seq, audit.c.digest).order_by(audit.c.seq.desc()).limit(1)
    row = (await connection.execute(last)).first()
    return (int(row.seq), str(row.digest)) if row else (0, "")


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def seal_of(previous: str, values: Mapping[str, Any]) -> str:
    """SHA-256 over the predecessor's seal and the line's own columns."""
    line = _canonical([previous, *(str(_plain(values[name])) for name in SEALED)])
    return hashlib.sha256(line.encode()).hexdigest()


def _plain(value: object) -> object:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


SEALED = ("seq", "at", "person", "roles", "action", "subject", "result", "detail")


def _values(row: Row[Any]) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in SEALED}


def _line(row: Row[Any]) -> AuditLine:
    return AuditLine(
        seq=row.seq,
        at=row.at,
        person=row.person,
        roles=tuple(json.loads(row.roles)),
        action=row.action,
        subject=row.subject,
        result=row.result,
        detail=json.loads(row.detail),
        digest=row.digest,
    )


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    names = ("person", "action", "subject")
    found = [audit.c[name] == getattr(query, name) for name in names if getattr(query, name)]
    if query.since is not None:
        found.append(audit.c.at >= query.since)
    if query.until is not None:
        found.append(audit.c.at < query.until)
    return found
