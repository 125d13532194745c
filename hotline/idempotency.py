"""What creates answered, kept for a day, so that a retry with the same `Idempotency-Key` creates nothing more."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import BadInput, Conflict
from hotline.tables import answers

KEPT = timedelta(hours=24)
PATIENCE_S = 2.0
"""How long a retry waits for the first request before it is told to come again."""

Answer = tuple[int, bytes]


class SqlIdempotency:
    """Implements `hotline.http.Idempotency`. A place is taken before the work begins; the answer fills it.

    When the process dies between, the place stays without an answer: nobody knows whether the work was done,
    so a retry is told so instead of doing it twice.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def once(self, scope: str, key: str, fingerprint: str, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """See `Idempotency.once`. When `make` raises, the key is free again: nothing was created."""
        place = hashlib.sha256(f"{scope}\n{key}".encode()).hexdigest()
        if not await self._take(place, fingerprint):
            return await self._answer_of_the_first(place, fingerprint)
        try:
            status, body = await make()
        except Exception:
            await self._database.write(lambda c: c.execute(delete(answers).where(answers.c.id == place)))
            raise
        filled = update(answers).where(answers.c.id == place).values(status=status, body=body)
        await self._database.write(lambda c: c.execute(filled))
        return status, body

    async def _take(self, place: str, fingerprint: str) -> bool:
        now = self._clock.now()

        async def take(connection: AsyncConnection) -> bool:
            await connection.execute(delete(answers).where(answers.c.at < now - KEPT))
            if (await connection.execute(select(answers.c.id).where(answers.c.id == place))).first():
                return False
            await connection.execute(insert(answers).values(id=place, fingerprint=fingerprint, at=now))
            return True

        try:
            return await self._database.write(take)
        except Conflict:
            return False  # another process took it in the same moment

    async def _answer_of_the_first(self, place: str, fingerprint: str) -> Answer:
        until = self._clock.monotonic() + PATIENCE_S
        while self._clock.monotonic() < until:
            row = await self._database.read(lambda c: _row(c, place))
            if row is None:
                break
            if row[0] != fingerprint:
                raise BadInput("This Idempotency-Key was used for another request: take a new one.")
            if row[1] is not None:
                return row[1]
            await asyncio.sleep(0.05)
        raise Conflict("The first request with this Idempotency-Key has no answer yet: look whether it took effect.")


async def _row(connection: AsyncConnection, place: str) -> tuple[str, Answer | None] | None:
    row = (await connection.execute(select(answers).where(answers.c.id == place))).first()
    if row is None:
        return None
    return row.fingerprint, None if row.status is None else (int(row.status), bytes(row.body))
