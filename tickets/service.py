"""The shell of tickets: born at the answer, filled by machine and people, moved by the table, never forgotten.

Methods that take a connection write inside the caller's transaction (the call controller's projection).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, TypeVar

import msgspec
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import BadInput, Conflict, NotFound
from hotline.ids import Ids
from hotline.security import Principal, Role
from tickets import callbacks
from tickets import store_sql as store
from tickets.classification import Classification, shipped
from tickets.errors import Incomplete, NotYours, StepNotAllowed
from tickets.lifecycle import EDITABLE, Facts, step
from tickets.model import (
    CONCLUDED,
    CONCLUSION,
    EDITED,
    REQUIRED,
    Action,
    CallbackReason,
    CallbackTask,
    CallbackTry,
    HistoryLine,
    State,
    Ticket,
    Transcribed,
    is_id,
)
from tickets.numbering import NumberFormat
from tickets.ports import AnsweredCall
from tickets.visibility import Scope, may_know

log = structlog.get_logger(__name__)

T = TypeVar("T")

SYSTEM = "system"
MOST_OPEN = 3
_ANYONES = frozenset({Role.SUPERVISOR, Role.DISPATCHER})
"""Roles that may work on tickets of others."""


class TicketService:
    """Everything about tickets that needs a database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        *,
        numbers: NumberFormat,
        zone: tzinfo,
        classes: Classification | None = None,
    ) -> None:
        self.classes = classes or shipped()
        self._database = database
        self._clock = clock
        self._ids = ids
        self._numbers = numbers
        self._zone = zone

    # Inside the caller's transaction ---------------------------------------------------------------------------------

    async def open_agents(self, caller: str) -> tuple[str, ...]:
        """Agents who took tickets of a calling number that are still open, the newest first; at most three tickets.

        Raises:
            Unavailable: the database does not answer.
        """
        return await self._database.read(lambda connection: store.open_agents(connection, caller, MOST_OPEN))

    async def born(
        self,
        connection: AsyncConnection,
        call: AnsweredCall,
        *,
        agent: str,
        at: datetime,
        recording: str = "",
        class_hint: str = "",
        caller_name: str = "",
    ) -> Ticket:
        """The ticket of a call that `agent` answered at `at`. Repeated, it gives the same ticket."""
        known = await store.ticket_for_call(connection, call.call)
        if known is not None:
            return known
        new = Ticket(
            id=self._ids.new("ticket"),
            number=await self._number(connection, at),
            state=State.DRAFT,
            created_at=at,
            changed_at=at,
            call=call.call,
            dialled=call.dialled,
            line_name=call.line_name,
            owner_unit=call.owner_unit,
            class_hint=class_hint,
            agent=agent,
            recording=recording,
            caller=call.caller,
            caller_name=caller_name,
        )
        detail = {"call": call.call, "dialled": call.dialled, "recording": recording}
        line = _line(at, "created", agent=agent, to_state=State.DRAFT, detail=detail)
        return await store.add_ticket(connection, new, line)

    async def call_back(
        self, connection: AsyncConnection, call: AnsweredCall, reason: str, at: datetime
    ) -> CallbackTask | None:
        """The citizen of this call is owed a call. Nothing when the number was withheld. One task per call; who was
        missed once more, or called in vain, has one already."""
        if not call.caller:
            return None
        if reason in callbacks.ONCE and (known := await callbacks.open_for(connection, call.caller)) is not None:
            await callbacks.joined(connection, call.call, known.call)
            return known
        new = CallbackTask(
            id=self._ids.new("callback"),
            call=call.call,
            caller=call.caller,
            dialled=call.dialled,
            reason=CallbackReason(reason),
            created_at=at,
        )
        return await store.insert_callback(connection, new)

    async def note(
        self,
        connection: AsyncConnection,
        call: str,
        action: str,
        at: datetime,
        *,
        agent: str = "",
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a line to the history of a call's ticket: what happened, never what was said."""
        known = await store.ticket_for_call(connection, call)
        if known is not None:
            await store.append_history(
                connection, known.id, _line(at, action, agent=agent, reason=reason, detail=detail)
            )

    # Transactions of their own ---------------------------------------------------------------------------------------

    async def open_for_call(
        self,
        call: AnsweredCall,
        *,
        agent: str,
        at: datetime,
        recording: str = "",
        class_hint: str = "",
        caller_name: str = "",
    ) -> Ticket:
        """See `born`."""

        async def change(connection: AsyncConnection) -> Ticket:
            return await self.born(
                connection,
                call,
                agent=agent,
                at=at,
                recording=recording,
                class_hint=class_hint,
                caller_name=caller_name,
            )

        return await self._write(change)

    async def ask_callback(self, call: AnsweredCall, reason: str, at: datetime) -> CallbackTask | None:
        """See `call_back`."""
        return await self._write(lambda connection: self.call_back(connection, call, reason, at))

    async def attach_recording(self, call: str, recording: str) -> Ticket | None:
        """Name the recording of a call on its ticket; nothing for a call without one."""
        line = _line(self._clock.now(), "recording_attached", detail={"recording": recording})
        return await self._write(lambda connection: store.attach(connection, call, {"recording": recording}, line))

    async def attach_transcripts(self, several: Sequence[Transcribed]) -> list[Ticket | None]:
        """Name the transcripts of calls on their tickets, or say why there is none; nothing for a call without a
        ticket."""
        at = self._clock.now()

        async def change(connection: AsyncConnection) -> list[Ticket | None]:
            return [await store.attach(connection, one.call, *_of_transcript(one, at)) for one in several]

        return await self._write(change)

    async def edit(self, ticket: str, version: int, changes: Mapping[str, str], who: Principal) -> Ticket:
        """Change fields of the registration.

        Raises:
            NotFound: there is no such ticket, or not for `who`.
            NotYours: the role, or the ticket of somebody else.
            StepNotAllowed: its state does not allow changes any more.
            Outdated: somebody changed it since `version`.
            BadInput: no such field, or values that the classification does not know; all are named.
        """
        known = await self.visible(ticket, who)
        wrong = tuple(f"{name}: not a field of the registration" for name in changes if name not in EDITED)
        wrong += self.classes.problems(changes)
        if wrong:
            raise BadInput("These fields cannot be changed: " + "; ".join(wrong), wrong)
        _check_editable(known, who)
        touched = {name: [getattr(known, name), new] for name, new in changes.items() if getattr(known, name) != new}
        if not touched and known.version == version:
            return known
        line = _line(self._clock.now(), "edited", who=who, detail=touched)
        return await self._write(lambda connection: store.change(connection, ticket, version, changes, line))

    async def submit(self, ticket: str, version: int, who: Principal) -> Ticket:
        """Register a draft.

        Raises:
            NotFound, NotYours, StepNotAllowed, Outdated: as for `edit`.
            Incomplete: fields that every registration has are empty; all are named.
        """
        return await self.act(ticket, version, Action.SUBMIT, who)

    async def act(self, ticket: str, version: int, action: Action, who: Principal, reason: str = "") -> Ticket:
        """Take a step of the life-cycle. Raises: see `submit` and `lifecycle.step`."""
        known = await self.visible(ticket, who)
        to = step(known.state, action, who.roles, _facts(known), reason)
        _check_own(known, who)
        if action is Action.SUBMIT:
            _check_complete(known)
        line = _line(self._clock.now(), action, who=who, from_state=known.state, to_state=to, reason=reason, detail={})
        return await self._write(
            lambda connection: store.change(connection, ticket, version, {"state": to.value}, line)
        )

    async def conclude(
        self, ticket: str, text: str, who: Principal, *, name: str = "", unit: str = "", action: str = CONCLUDED
    ) -> None:
        """Write down what somebody who was asked concluded, or what a citizen added (`SUPPLEMENTED`).

        The version stays: whoever types is not disturbed. Who may is decided by who calls this, because only the call
        knows who took part in it.
        """
        detail = {CONCLUSION: {"text": text, "name": name}}
        made = _line(self._clock.now(), action, who=who, detail=detail)
        line = msgspec.structs.replace(made, unit=made.unit or unit)
        await self._write(lambda connection: store.append_history(connection, ticket, line))

    async def visible(self, ticket: str, who: Principal) -> Ticket:
        """Raises:
        NotFound: there is no such ticket, or not for `who`: both look the same.
        """
        known = None
        if is_id(ticket):
            known = await self._database.read(lambda connection: store.get_ticket(connection, ticket))
        if known is None or not may_know(known, who):
            raise NotFound("There is no such ticket.")
        return known

    async def for_call(self, call: str) -> Ticket | None:
        """The ticket of a call."""
        return await self._database.read(lambda connection: store.ticket_for_call(connection, call))

    async def find(
        self, wanted: store.Wanted, scope: Scope, limit: int, after: store.After | None = None
    ) -> list[Ticket]:
        """Tickets within `scope`, newest first."""
        return await self._database.read(lambda connection: store.list_tickets(connection, wanted, scope, limit, after))

    async def history(self, ticket: str) -> list[HistoryLine]:
        """Everything that happened to a ticket, in order."""
        return await self._database.read(lambda connection: store.history(connection, ticket))

    async def callbacks(
        self, *, waiting_only: bool = True, limit: int = 100, after: store.After | None = None
    ) -> Sequence[CallbackTask]:
        """Citizens who are owed a call, who waits longest first."""
        return await self._database.read(
            lambda connection: store.list_callbacks(connection, waiting_only=waiting_only, limit=limit, after=after)
        )

    async def callback_tries(self, calls: Sequence[str]) -> dict[str, list[CallbackTry]]:
        """How often the citizens of these calls were called, oldest first."""
        return await self._database.read(lambda connection: callbacks.tries_of(connection, calls))

    async def callback(self, task: str) -> CallbackTask:
        """One task.

        Raises:
            NotFound: there is no such task.
        """
        found = await self._database.read(lambda connection: callbacks.get(connection, task)) if is_id(task) else None
        if found is None:
            raise NotFound("There is no such call-back task.")
        return found

    async def callback_done(self, task: str, who: Principal) -> CallbackTask:
        """The citizen was called.

        Raises:
            NotFound: there is no such task.
        """
        if not is_id(task):
            raise NotFound("There is no such call-back task.")
        at = self._clock.now()
        done = await self._write(lambda connection: store.finish_callback(connection, task, at, who.person))
        if done is None:
            raise NotFound("There is no such call-back task.")
        return done

    async def _number(self, connection: AsyncConnection, at: datetime) -> str:
        day = at.astimezone(self._zone).date()
        return self._numbers.number(day, await store.next_counter(connection, day.isoformat()))

    async def _write(self, change: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """One transaction; again when another process stored the same row first, because then it is found."""
        for _ in range(4):
            try:
                return await self._database.write(change)
            except Conflict as error:
                if not isinstance(error.__cause__, IntegrityError):
                    raise
                await asyncio.sleep(0)
        return await self._database.write(change)


def _line(
    at: datetime,
    action: str,
    *,
    who: Principal | None = None,
    agent: str = "",
    from_state: str = "",
    to_state: str = "",
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> HistoryLine:
    """A line whose position the store will fill in."""
    return HistoryLine(
        seq=0,
        at=at,
        action=str(action),
        actor=who.person if who else SYSTEM,
        agent=who.agent if who else agent,
        unit=who.unit if who else "",
        from_state=str(from_state),
        to_state=str(to_state),
        reason=reason,
        detail=dict(detail or {}),
    )


def _of_transcript(one: Transcribed, at: datetime) -> tuple[dict[str, Any], HistoryLine]:
    """What is written on the ticket, and the line about it."""
    known = {"transcript": one.transcript, "demo_model": one.demo_model}
    values = {**known, "transcript_state": one.state.value, "transcript_label": one.label}
    return values, _line(at, "transcript_attached", detail={**known, "state": one.state.value})


def _facts(ticket: Ticket) -> Facts:
    names = ("contacted", "extended", "overdue", "approvals")
    known: dict[str, Any] = {name: ticket.details[name] for name in names if name in ticket.details}
    known |= {"designated": ticket.designated, "dispatch_count": ticket.dispatch_count}
    return msgspec.convert(known, Facts)


def _check_editable(ticket: Ticket, who: Principal) -> None:
    allowed = EDITABLE.get(ticket.state)
    if allowed is None:
        raise StepNotAllowed(f"The registration of a ticket that is {ticket.state} does not change any more.")
    if not who.roles & allowed:
        raise NotYours("This ticket is not yours to change.")
    _check_own(ticket, who)


def _check_own(ticket: Ticket, who: Principal) -> None:
    """Desk staff work on their own tickets, supervisors and dispatchers on all; units on what they were given."""
    if who.roles & _ANYONES or (who.agent and who.agent == ticket.agent):
        return
    if Role.UNIT in who.roles and who.unit and who.unit == ticket.lead_unit:
        return
    raise NotYours("This ticket belongs to somebody else.")


def _check_complete(ticket: Ticket) -> None:
    missing = tuple(f"{name}: missing" for name in REQUIRED if not getattr(ticket, name).strip())
    if missing:
        raise Incomplete("Fill in what is missing, then submit: " + "; ".join(missing), missing)
