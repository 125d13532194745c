"""Citizens who are owed a call: tasks for people, and every try to reach them. Rows; nobody is dialled here.

One open task to one number is enough: who was missed three times is called once, and who was spoken with meanwhile,
called back or by ringing again, is owed nothing more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.prepared import Prepared
from tickets.model import CallbackReason, CallbackTask, CallbackTry
from tickets.tables import callback_tasks, callback_tries

REACHED = "reached"
ONCE = (CallbackReason.MISSED, CallbackReason.NOT_REACHED)
"""One open task to one number is enough for these; whom our own failure cut off is told of each time."""
_OPEN = Prepared(
    select(callback_tasks).where(callback_tasks.c.caller == bindparam("key"), callback_tasks.c.done_at.is_(None))
)
_DONE = Prepared(
    update(callback_tasks).where(callback_tasks.c.caller == bindparam("key"), callback_tasks.c.done_at.is_(None))
)
_NEW_TRY = Prepared(insert(callback_tries))
_END_TRY = Prepared(
    update(callback_tries).where(callback_tries.c.line == bindparam("key"), callback_tries.c.ended_at.is_(None))
)


async def open_for(connection: AsyncConnection, caller: str) -> CallbackTask | None:
    """The open task to this number, if there is one."""
    row = await _OPEN.row(connection, {"key": caller})
    return None if row is None else msgspec.convert(dict(row), CallbackTask)


async def spoken_with(connection: AsyncConnection, caller: str, call: str, by: str, at: datetime) -> None:
    """Somebody talks with the citizen: what was owed is done."""
    if caller:
        await _DONE.run(connection, {"key": caller, "done_at": at, "done_by": by, "reached_call": call})


async def dialled(connection: AsyncConnection, new: CallbackTry) -> None:
    """The citizen's telephone is called."""
    await _NEW_TRY.run(connection, msgspec.structs.asdict(new))


async def try_ended(connection: AsyncConnection, line: str, result: str, at: datetime) -> None:
    """What came of it. The first word counts."""
    await _END_TRY.run(connection, {"key": line, "ended_at": at, "result": result})


async def joined(connection: AsyncConnection, call: str, known: str) -> None:
    """The tries of `call` are those of the task that stands for another call of the same citizen."""
    await connection.execute(update(callback_tries).where(callback_tries.c.call == call).values(call=known))


async def get(connection: AsyncConnection, task: str) -> CallbackTask | None:
    """One task."""
    found = (await connection.execute(select(callback_tasks).where(callback_tasks.c.id == task))).mappings().first()
    return None if found is None else msgspec.convert({str(name): value for name, value in found.items()}, CallbackTask)


async def tries_of(connection: AsyncConnection, calls: Sequence[str]) -> dict[str, list[CallbackTry]]:
    """The tries of several calls, oldest first."""
    tries: dict[str, list[CallbackTry]] = {}
    query = select(callback_tries).where(callback_tries.c.call.in_(calls)).order_by(callback_tries.c.at)
    for row in (await connection.execute(query)).mappings() if calls else ():
        fields: dict[str, Any] = {str(name): value for name, value in row.items()}
        tries.setdefault(fields["call"], []).append(CallbackTry(**fields))
    return tries
