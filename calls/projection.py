"""Folds call facts into SQL: the call's row here, tickets and recordings through `links`.

A batch of facts and the cursor behind it are written in one transaction, so a database outage or a kill -9
loses nothing and repeats nothing: what is not yet folded is read from the log again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.model import (
    AnyCallFact,
    CallArrived,
    CallEnded,
    Dismissed,
    OfferMissed,
    Phase,
    PickedUp,
    Queued,
    RecordingMuted,
    Ringing,
    Stepped,
    TalkEnded,
    TalkStarted,
    TrackOpened,
)
from calls.tables import calls, cursors
from hotline.database import Database
from hotline.errors import Unavailable
from hotline.ports import Entry, EventLog

log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder(AnyCallFact).decode
BATCH = 200
IDLE_S = 1.0

Consequence = Callable[[AsyncConnection, AnyCallFact], Awaitable[None]]


class Projection:
    """One stream of call facts, on its way into SQL."""

    def __init__(self, event_log: EventLog, stream: str, database: Database, consequence: Consequence) -> None:
        self._log, self._stream, self._database, self._consequence = event_log, stream, database, consequence
        self._nudged = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def nudge(self) -> None:
        """There are new facts."""
        self._nudged.set()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after rows changed."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Fold whatever comes, until cancelled; an unavailable database is tried again."""
        while True:
            try:
                while await self.fold():
                    for listener in self._listeners:
                        listener()
            except Unavailable as error:
                log.warning("call rows wait for the database", why=str(error))
                await asyncio.sleep(IDLE_S)
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()

    async def fold(self) -> int:
        """Fold the next batch. Returns how many facts it held.

        A batch that cannot be folded is folded fact by fact; a fact that cannot be folded at all is reported and
        passed over (it stays in the log), because one broken row must not keep back everybody's tickets.
        """
        after = await self._database.read(self._cursor)
        entries = await self._log.read(self._stream, after or 0, BATCH)
        if not entries:
            return 0
        try:
            await self._write(entries, after)
        except Unavailable:
            raise
        except Exception:
            log.exception("facts not folded together", stream=self._stream, facts=len(entries))
            await self._one_by_one(entries, after)
        return len(entries)

    async def _one_by_one(self, entries: Sequence[Entry], after: int | None) -> None:
        for entry in entries:
            try:
                await self._write([entry], after)
            except Unavailable:
                raise
            except Exception:
                log.exception("fact passed over", stream=self._stream, seq=entry.seq)
                await self._write([], after, entry.seq)
            after = entry.seq

    async def _write(self, entries: Sequence[Entry], after: int | None, seq: int = 0) -> None:
        facts = [_decode(entry.body) for entry in entries]

        async def write(connection: AsyncConnection) -> None:
            if await self._cursor(connection) != after:
                return
            for fact in facts:
                await apply(connection, fact)
                await self._consequence(connection, fact)
            await self._advance(connection, after, seq or entries[-1].seq)

        await self._database.write(write)

    async def _cursor(self, connection: AsyncConnection) -> int | None:
        found = await connection.execute(select(cursors.c.seq).where(cursors.c.stream == self._stream))
        return found.scalar_one_or_none()

    async def _advance(self, connection: AsyncConnection, before: int | None, seq: int) -> None:
        if before is None:
            await connection.execute(insert(cursors).values(stream=self._stream, seq=seq))
        else:
            await connection.execute(update(cursors).where(cursors.c.stream == self._stream).values(seq=seq))


async def apply(connection: AsyncConnection, fact: AnyCallFact) -> None:
    """Fold one fact into the call's row."""
    if isinstance(fact, CallArrived):
        await connection.execute(insert(calls).values(**_first(fact)))
    elif changes := await _changes(connection, fact):
        await connection.execute(update(calls).where(calls.c.call == fact.call).values(**changes))


def _first(fact: CallArrived) -> dict[str, Any]:
    return {
        "call": fact.call,
        "line": fact.line,
        "dialled": fact.dialled,
        "declared": fact.declared,
        "caller": fact.caller,
        "via": fact.via,
        "merge_mode": fact.merge_mode,
        "owner_unit": fact.owner_unit,
        "line_name": fact.line_name,
        "region": fact.region,
        "class_hint": fact.class_hint,
        "phase": Phase.ARRIVED.value,
        "arrived_at": fact.at,
    }


async def _changes(connection: AsyncConnection, fact: AnyCallFact) -> dict[str, Any]:
    match fact:
        case Stepped():
            return {"phase": Phase.IN_IVR.value}
        case Dismissed():
            return {"phase": Phase.CLOSING.value}
        case Queued():
            return {"phase": Phase.QUEUED.value, "queue": fact.queue, "queued_at": fact.at}
        case Ringing():
            return {"phase": Phase.RINGING.value, "seat": fact.seat}
        case OfferMissed():
            return {"phase": Phase.QUEUED.value, "seat": "", "offers_missed": calls.c.offers_missed + 1}
        case TalkStarted():
            row = await row_of(connection, fact.call)
            since = row.queued_at or row.arrived_at
            waited = max(0.0, (fact.at - since).total_seconds())
            phase = Phase.TALKING.value
            return {"phase": phase, "seat": fact.seat, "answered_at": fact.at, "waited_s": waited}
        case TalkEnded():
            row = await row_of(connection, fact.call)
            talked = max(0.0, (fact.at - row.answered_at).total_seconds()) if row.answered_at else None
            return {"phase": Phase.CLOSING.value, "talk_ended_at": fact.at, "talked_s": talked}
        case CallEnded():
            return {"phase": Phase.ENDED.value, "outcome": fact.outcome.value, "ended_at": fact.at}
        case CallArrived() | PickedUp() | TrackOpened() | RecordingMuted():
            return {}


async def row_of(connection: AsyncConnection, call: str) -> Any:
    """The call's row inside the running transaction."""
    found = await connection.execute(select(calls).where(calls.c.call == call))
    return found.one()
