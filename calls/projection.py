"""Folds call facts into SQL: the call's row here, tickets and recordings through `links`.

A batch of facts and the cursor behind it are written in one transaction, so a database outage or a kill -9
loses nothing and repeats nothing: what is not yet folded is read from the log again. The first fact after a pause
is written at once; the next are gathered for a moment, because a call's facts come in bursts and its row should
change once for each.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from calls import rows
from calls.model import AnyCallFact, CallArrived, CallEnded
from calls.rows import CallRow
from calls.tables import calls, cursors
from hotline.database import Database
from hotline.errors import NotFound, Unavailable
from hotline.ports import Entry, EventLog
from hotline.prepared import Prepared

log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder(AnyCallFact).decode
BATCH = 200
GATHER_S, GATHER_LONG_S = 0.2, 0.5
"""How long facts are gathered after others were written: what people see may be that old. The first fact after a pause
is written at once."""
MANY = 12
"""Facts in one go: when there are that many, the next are gathered for longer."""
IDLE_S = 1.0

BORN = frozenset(CallArrived.__struct_fields__) & frozenset(CallRow.__struct_fields__) | {"arrived_at"}
"""Columns that the first fact fills and no other changes; most are indexed, and an update had to look after each."""

Consequence = Callable[[AsyncConnection, AnyCallFact, CallRow], Awaitable[None]]

_CURSOR = Prepared(select(cursors.c.seq).where(cursors.c.stream == bindparam("name")))
_FIRST_CURSOR = Prepared(insert(cursors))
_NEXT_CURSOR = Prepared(
    update(cursors).where(cursors.c.stream == bindparam("name"), cursors.c.seq == bindparam("before"))
)
_ROW = Prepared(select(calls).where(calls.c.call == bindparam("key")))
_NEW_ROW = Prepared(insert(calls))
_CHANGED_ROW = Prepared(update(calls).where(calls.c.call == bindparam("key")))


class Projection:
    """One stream of call facts, on its way into SQL."""

    def __init__(self, event_log: EventLog, stream: str, database: Database, consequence: Consequence) -> None:
        self._log, self._stream, self._database, self._consequence = event_log, stream, database, consequence
        self._nudged = asyncio.Event()
        self._problem = ""
        self._listeners: list[Callable[[Sequence[AnyCallFact]], None]] = []
        self._live: dict[str, CallRow] = {}
        self._after: int | None = None

    def nudge(self) -> None:
        """There are new facts."""
        self._nudged.set()

    def listen(self, listener: Callable[[Sequence[AnyCallFact]], None]) -> None:
        """Call `listener` with facts whose rows were written."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Fold whatever comes, until cancelled; an unavailable database is tried again."""
        while True:
            self._nudged.clear()
            folded, problem = await self._fold_all()
            self._report(problem)
            if problem:
                await asyncio.sleep(IDLE_S)
            elif folded:
                await asyncio.sleep(GATHER_LONG_S if folded >= MANY else GATHER_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._nudged.wait()

    async def _fold_all(self) -> tuple[int, str]:
        """Fold until nothing is left; how many facts it were, and why it could not go on, empty when it could."""
        folded = 0
        try:
            while several := await self.fold():
                folded += several
                if several < BATCH:
                    break
        except Unavailable as error:
            return folded, str(error)
        return folded, ""

    def _report(self, problem: str) -> None:
        """One line when it begins and one when it is over, however often it was tried."""
        if problem and not self._problem:
            log.warning("call rows wait for the database", why=problem)
        if self._problem and not problem:
            log.info("call rows are written again")
        self._problem = problem

    async def fold(self) -> int:
        """Fold the next batch. Returns how many facts it held.

        A batch that cannot be folded is folded fact by fact; a fact that cannot be folded at all is reported and
        passed over (it stays in the log), because one broken row must not keep back everybody's tickets.
        """
        entries = await self._log.read(self._stream, await self._position() or 0, BATCH)
        if not entries:
            return 0
        try:
            await self._write(entries)
        except Unavailable:
            raise
        except Exception:
            log.exception("facts not folded together", stream=self._stream, facts=len(entries))
            await self._one_by_one(entries)
        return len(entries)

    async def _position(self) -> int | None:
        if self._after is None:
            self._after = await self._database.read(self._cursor)
        return self._after

    async def _one_by_one(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            try:
                await self._write([entry])
            except Unavailable:
                raise
            except Exception:
                log.exception("fact passed over", stream=self._stream, seq=entry.seq)
                await self._write([], entry.seq)

    async def _write(self, entries: Sequence[Entry], seq: int = 0) -> None:
        """Facts, their rows and the cursor together; nothing when somebody else was faster."""
        facts = [_decode(entry.body) for entry in entries]
        before, upto = await self._position(), seq or entries[-1].seq

        async def write(connection: AsyncConnection) -> dict[str, CallRow] | None:
            if not await self._advance(connection, before, upto):
                return None
            return await self._apply(connection, facts)

        self._after = None  # until it is known how this ended
        touched = await self._database.write(write)
        if touched is None:
            self._live.clear()
            return
        self._after = upto
        self._live.update(touched)
        for fact in facts:
            if isinstance(fact, CallEnded):
                self._live.pop(fact.call, None)
        for listener in self._listeners:
            listener(facts)

    async def _apply(self, connection: AsyncConnection, facts: Sequence[AnyCallFact]) -> dict[str, CallRow]:
        """Write what the facts change; the rows that they touched."""
        touched: dict[str, CallRow] = {}
        new: list[str] = []
        for fact in facts:
            if isinstance(fact, CallArrived):
                row = rows.arrived(fact)
                new.append(fact.call)
            else:
                row = touched.get(fact.call) or self._live.get(fact.call) or await row_of(connection, fact.call)
                row = rows.fold(row, fact)
            touched[fact.call] = row
            await self._consequence(connection, fact, row)
        await _NEW_ROW.run_all(connection, [msgspec.structs.asdict(touched[call]) for call in new])
        changed = [row for call, row in touched.items() if call not in new and row != self._live.get(call)]
        await _CHANGED_ROW.run_all(connection, [_changes(row) for row in changed])
        return touched

    async def _cursor(self, connection: AsyncConnection) -> int | None:
        found = await _CURSOR.row(connection, {"name": self._stream})
        return None if found is None else int(found["seq"])

    async def _advance(self, connection: AsyncConnection, before: int | None, seq: int) -> bool:
        """Move the cursor, unless it is not where it was: then these facts are folded already."""
        if before is None:
            if await self._cursor(connection) is not None:
                return False
            await _FIRST_CURSOR.run(connection, {"stream": self._stream, "seq": seq})
            return True
        return await _NEXT_CURSOR.run(connection, {"name": self._stream, "before": before, "seq": seq}) == 1


def _changes(row: CallRow) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    return {"key": row.call, **{name: value for name, value in values.items() if name not in BORN}}


async def row_of(connection: AsyncConnection, call: str) -> CallRow:
    """The call's row as it is stored.

    Raises:
        NotFound: it is not.
    """
    found = await _ROW.row(connection, {"key": call})
    if found is None:
        raise NotFound("There is no row of this call.")
    return CallRow(**found)
