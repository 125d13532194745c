"""Tickets in SQL. Every function takes a connection, so that it can share the caller's transaction.

What opens or attaches may be called again with the same arguments and then changes nothing more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Table,
    and_,
    bindparam,
    false,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.prepared import Prepared
from tickets.errors import Outdated
from tickets.model import OVER, CallbackTask, HistoryLine, State, Ticket, Urgency
from tickets.tables import callback_tasks, ticket_counters, ticket_history, tickets
from tickets.visibility import Scope

After = tuple[datetime, str]
"""Moment and id of the last row of the page before."""

# Statements of every call are made once: making one costs several times what running it does.
_BY_ID = Prepared(select(tickets).where(tickets.c.id == bindparam("key")))
_BY_CALL = Prepared(select(tickets).where(tickets.c.call == bindparam("key")))
_CHANGE = Prepared(update(tickets).where(tickets.c.id == bindparam("key")))
_NEW, _NEW_LINE = Prepared(insert(tickets)), Prepared(insert(ticket_history))
_LAST_LINE = Prepared(
    select(func.max(ticket_history.c.seq).label("seq")).where(ticket_history.c.ticket == bindparam("key"))
)
_FIRST_COUNT = Prepared(insert(ticket_counters))
_COUNT = Prepared(
    update(ticket_counters).where(ticket_counters.c.day == bindparam("key")).values(last=ticket_counters.c.last + 1)
)
_COUNTED = Prepared(select(ticket_counters.c.last).where(ticket_counters.c.day == bindparam("key")))


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which tickets a list shall show; empty fields do not restrict."""

    state: State | None = None
    dialled: str = ""
    call: str = ""
    request_type: str = ""
    urgency: Urgency | None = None
    category: str = ""
    """A class, or one above it: the first digits of the code."""
    since: datetime | None = None
    """Created at or after."""


async def get_ticket(connection: AsyncConnection, ticket: str) -> Ticket | None:
    return await _one(connection, _BY_ID, ticket)


async def ticket_for_call(connection: AsyncConnection, call: str) -> Ticket | None:
    return await _one(connection, _BY_CALL, call)


async def insert_ticket(connection: AsyncConnection, new: Ticket, line: HistoryLine) -> Ticket:
    """Add the ticket of a call with the first line of its history; returns the one that the call has already, if so.

    Raises:
        IntegrityError: another writer was faster; do the transaction again.
    """
    known = await ticket_for_call(connection, new.call)
    return known or await add_ticket(connection, new, line)


async def add_ticket(connection: AsyncConnection, new: Ticket, line: HistoryLine) -> Ticket:
    """Add a ticket of a call that has none. Raises: see `insert_ticket`."""
    await _NEW.run(connection, msgspec.to_builtins(new, builtin_types=(datetime,)))
    await _NEW_LINE.run(connection, {"ticket": new.id, **msgspec.structs.asdict(line), "seq": 1})
    return new


async def next_counter(connection: AsyncConnection, day: str) -> int:
    """The next counter of a day (`YYYY-MM-DD`), from 1."""
    if await _COUNT.run(connection, {"key": day}) == 0:
        await _FIRST_COUNT.run(connection, {"day": day, "last": 1})
    counted = await _COUNTED.row(connection, {"key": day})
    return int(counted["last"]) if counted else 1


async def append_history(connection: AsyncConnection, ticket: str, line: HistoryLine) -> HistoryLine:
    """Add a line to a ticket's history; it gets the next position."""
    last = await _LAST_LINE.row(connection, {"key": ticket})
    line = msgspec.structs.replace(line, seq=1 + int(last["seq"] or 0 if last else 0))
    await _NEW_LINE.run(connection, {"ticket": ticket, **msgspec.structs.asdict(line)})
    return line


async def attach(connection: AsyncConnection, call: str, values: Mapping[str, Any], line: HistoryLine) -> Ticket | None:
    """Put what the machine found out onto a call's ticket, with a line of history; nothing if it is there already.

    The version stays: an operator who is typing must not be told that somebody was faster.
    """
    known = await ticket_for_call(connection, call)
    if known is None or all(getattr(known, name) == value for name, value in values.items()):
        return known
    await _CHANGE.run(connection, {"key": known.id, "changed_at": line.at, **values})
    await append_history(connection, known.id, line)
    found: dict[str, Any] = {name: type(getattr(known, name))(value) for name, value in values.items()}
    return msgspec.structs.replace(known, changed_at=line.at, **found)


async def change(
    connection: AsyncConnection, ticket: str, version: int, values: Mapping[str, Any], line: HistoryLine
) -> Ticket:
    """Change a ticket that is still at `version`, with a line of history.

    Raises:
        Outdated: somebody changed it first.
    """
    still = and_(tickets.c.id == ticket, tickets.c.version == version)
    result = await connection.execute(
        update(tickets).where(still).values(version=version + 1, changed_at=line.at, **values)
    )
    if result.rowcount == 0:
        raise Outdated("The ticket was changed by somebody else: read it again, then change it.")
    await append_history(connection, ticket, line)
    changed = await get_ticket(connection, ticket)
    assert changed is not None  # noqa: S101 - it was just changed
    return changed


async def list_tickets(
    connection: AsyncConnection, wanted: Wanted, scope: Scope, limit: int, after: After | None = None
) -> list[Ticket]:
    """Newest first."""
    query = select(tickets).where(*_matches(wanted), _within(scope), *_beyond(tickets, after))
    query = query.order_by(tickets.c.created_at.desc(), tickets.c.id.desc()).limit(limit)
    return [_ticket(row) for row in (await connection.execute(query)).mappings()]


async def of_caller(connection: AsyncConnection, caller: str, but_call: str, limit: int) -> list[Ticket]:
    """Tickets of calls from one number but for this call's, newest first."""
    query = select(tickets).where(tickets.c.caller == caller, tickets.c.call != but_call)
    query = query.order_by(tickets.c.created_at.desc(), tickets.c.id.desc()).limit(limit)
    return [_ticket(row) for row in (await connection.execute(query)).mappings()]


async def open_agents(connection: AsyncConnection, caller: str, limit: int) -> tuple[str, ...]:
    """Who took the tickets of a calling number that are still open, the newest first, each once."""
    is_open = tickets.c.state.not_in(OVER) & (tickets.c.agent != "")
    query = select(tickets.c.agent).where(tickets.c.caller == caller, is_open)
    query = query.order_by(tickets.c.created_at.desc(), tickets.c.id.desc()).limit(limit)
    return tuple(dict.fromkeys((await connection.execute(query)).scalars()))


async def history(connection: AsyncConnection, ticket: str) -> list[HistoryLine]:
    """Everything that happened to a ticket, in order."""
    columns = [column for column in ticket_history.c if column.name != "ticket"]
    query = select(*columns).where(ticket_history.c.ticket == ticket).order_by(ticket_history.c.seq)
    return [HistoryLine(**_plain(row)) for row in (await connection.execute(query)).mappings()]


async def insert_callback(connection: AsyncConnection, new: CallbackTask) -> CallbackTask:
    """Add a call-back task; returns the one that the call has already, if so."""
    known = await _callback(connection, callback_tasks.c.call == new.call)
    if known is not None:
        return known
    await connection.execute(insert(callback_tasks).values(**msgspec.to_builtins(new, builtin_types=(datetime,))))
    return new


async def finish_callback(connection: AsyncConnection, task: str, at: datetime, by: str) -> CallbackTask | None:
    """Say that the citizen was called. The first word counts; nothing: there is no such task."""
    waiting = and_(callback_tasks.c.id == task, callback_tasks.c.done_at.is_(None))
    await connection.execute(update(callback_tasks).where(waiting).values(done_at=at, done_by=by))
    return await _callback(connection, callback_tasks.c.id == task)


async def list_callbacks(
    connection: AsyncConnection, *, waiting_only: bool, limit: int, after: After | None = None
) -> list[CallbackTask]:
    """Oldest first: who waits longest is called first."""
    conditions: list[ColumnElement[bool]] = []
    if waiting_only:
        conditions.append(callback_tasks.c.done_at.is_(None))
    if after is not None:
        at, last = after
        same = and_(callback_tasks.c.created_at == at, callback_tasks.c.id > last)
        conditions.append(or_(callback_tasks.c.created_at > at, same))
    query = select(callback_tasks).where(*conditions)
    query = query.order_by(callback_tasks.c.created_at, callback_tasks.c.id).limit(limit)
    return [msgspec.convert(_plain(row), CallbackTask) for row in (await connection.execute(query)).mappings()]


def _matches(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(tickets.c.state == wanted.state.value)
    if wanted.dialled:
        conditions.append(tickets.c.dialled == wanted.dialled)
    if wanted.call:
        conditions.append(tickets.c.call == wanted.call)
    if wanted.request_type:
        conditions.append(tickets.c.request_type == wanted.request_type)
    if wanted.urgency is not None:
        conditions.append(tickets.c.urgency == wanted.urgency.value)
    if wanted.category:
        conditions.append(tickets.c.category_code.startswith(wanted.category, autoescape=True))
    if wanted.since is not None:
        conditions.append(tickets.c.created_at >= wanted.since)
    return conditions


def _within(scope: Scope) -> ColumnElement[bool]:
    if scope.everything:
        return tickets.c.id.is_not(None)
    granted = [
        column == value
        for column, value in (
            (tickets.c.agent, scope.agent),
            (tickets.c.owner_unit, scope.owner_unit),
            (tickets.c.lead_unit, scope.lead_unit),
        )
        if value
    ]
    return or_(*granted) if granted else false()


def _beyond(table: Table, after: After | None) -> Sequence[ColumnElement[bool]]:
    if after is None:
        return []
    at, last = after
    return [or_(table.c.created_at < at, and_(table.c.created_at == at, table.c.id < last))]


async def _one(connection: AsyncConnection, query: Prepared, key: str) -> Ticket | None:
    row = await query.row(connection, {"key": key})
    return None if row is None else msgspec.convert(row, Ticket)


async def _callback(connection: AsyncConnection, condition: ColumnElement[bool]) -> CallbackTask | None:
    row = (await connection.execute(select(callback_tasks).where(condition))).mappings().first()
    return None if row is None else msgspec.convert(_plain(row), CallbackTask)


def _ticket(row: RowMapping) -> Ticket:
    return msgspec.convert(_plain(row), Ticket)


def _plain(row: RowMapping) -> dict[str, Any]:
    """The row with names that msgspec takes for strings."""
    return {str(name): value for name, value in row.items()}
