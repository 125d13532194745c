"""The way out: asks the guard with what is known now, counts, and keeps a row of every call that was admitted.

Today's counts are kept in memory and read from the rows at a start, so that a database that is away keeps nobody from
calling an ambulance; rows that could not be written yet are tried again.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Figure
from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls import outside
from calls.moves import Invite
from calls.moving import NotCalled
from calls.outside import SENTENCES, Kind, Permitted, Rules, Target, Usage, Why
from calls.tables import outside_calls
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import BadInput, Conflict, HotlineError, NotAllowed, Unavailable
from telephony.model import Admitted

log = structlog.get_logger(__name__)

_ERRORS: Mapping[Why, type[HotlineError]] = {Why.MALFORMED: BadInput}
_FOR_NOW = frozenset(
    {Why.NO_TRUNK, Why.NIGHT, Why.LINES_BUSY, Why.DAY_FULL, Why.SEAT_DAY_FULL, Why.OFF_HOURS, Why.NUMBER_DAY_FULL}
)


class Row(msgspec.Struct, frozen=True):
    """One call that was admitted."""

    line: str
    at: datetime
    day: str
    seat: str
    number: str
    kind: str


class FreeSeats(Protocol):
    """Whether a seat can be called now."""

    def is_free(self, seat: str) -> bool: ...


class Trunk:
    """`moving.Door`: what is dialled out passes here, twice: when somebody asks, and when it is dialled."""

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        zone: ZoneInfo,
        database: Database,
        registry: CollectorRegistry,
        *,
        targets: Callable[[datetime], Mapping[str, Target]],
        seats: FreeSeats,
    ) -> None:
        self.rules, self._clock, self._zone, self._database = rules, clock, zone, database
        self._targets, self._seats = targets, seats
        self.ours: Callable[[str], bool] = lambda _number: False
        """Whether the hotline itself answers a number."""
        self.lines: Callable[[], int] = lambda: 0
        """How many of our talks' lines are outside, or ring there."""
        self._day = ""
        self._today: Counter[str] = Counter()
        self._citizens: Counter[str] = Counter()
        """Calls to citizens today, by what was dialled; they count for no seat."""
        self._unsaved: list[Row] = []
        self._made = Figure("hotline_outside_calls", "Calls to the outside, by kind.", ["kind"], registry=registry)
        told = "Calls to the outside that the guard refused, by reason."
        self._refused = Figure("hotline_outside_refused", told, ["why"], registry=registry)

    async def load(self) -> None:
        """Count what was dialled today before we were started."""
        day = self._local().date().isoformat()
        to_citizen = outside_calls.c.kind == Kind.CITIZEN.value

        async def read(connection: AsyncConnection) -> tuple[Counter[str], Counter[str]]:
            seats = await _counted(connection, outside_calls.c.seat, day, ~to_citizen)
            return seats, await _counted(connection, outside_calls.c.number, day, to_citizen)

        self._day, (self._today, self._citizens) = day, await self._database.read(read)

    def _local(self) -> datetime:
        return self._clock.now().astimezone(self._zone)

    def usage(self, seat: str = "", citizen: str = "") -> Usage:
        """What goes on, and went on today. `citizen`: what would be dialled."""
        today = self._local().date().isoformat()
        if today != self._day:
            self._day, self._today, self._citizens = today, Counter(), Counter()
        return Usage(
            lines=self.lines(),
            today=self._today.total(),
            today_of_seat=self._today[seat] if seat else 0,
            today_alone=self._today[""],
            citizens_today=self._citizens.total(),
            today_of_number=self._citizens[citizen],
        )

    def targets(self) -> Mapping[str, Target]:
        """Whom the catalogue and the roster name now, by every way to write their numbers."""
        return self._targets(self._clock.now())

    def look(self, number: str, seat: str, *, lines: int = 0) -> Permitted | Why:
        """What the guard says now. `lines`: of those in use, how many are the one that is asked about."""
        usage = self.usage(seat)
        usage = msgspec.structs.replace(usage, lines=max(0, usage.lines - lines))
        return outside.decide(number, self.targets(), self.rules, usage, self._local().time())

    def look_unattended(self, number: str, *, lines: int = 0) -> Permitted | Why:
        """The same about a citizen who is connected with somebody outside without a seat of ours."""
        usage = self.usage()
        usage = msgspec.structs.replace(usage, lines=max(0, usage.lines - lines))
        why = self.why_unattended(number) or outside.share(self.rules, usage)
        return self.look(number, "", lines=lines) if why is None else why

    def why_unattended(self, number: str) -> Why | None:
        """Why nobody would ever be connected with this number so, whatever the limits."""
        ours = self.ours(outside.read(number) or "")
        return outside.unattended(number, self.targets(), self.rules, ours=ours)

    def look_citizen(self, number: str, *, lines: int = 0) -> Permitted | Why:
        """The same about a citizen who is to be called back."""
        digits = outside.read(number) or ""
        usage = self.usage(citizen=self.rules.prefix + digits)
        usage = msgspec.structs.replace(usage, lines=max(0, usage.lines - lines))
        return outside.call_back(number, self.rules, usage, self._local().time(), ours=self.ours(digits))

    def refusal(self, why: Why) -> HotlineError:
        """The refusal as an error for whoever asked; counted."""
        self._refused.labels(why.value).inc()
        kind = _ERRORS.get(why) or (Conflict if why in _FOR_NOW else NotAllowed)
        return kind(SENTENCES[why])

    def admit(self, invite: Invite) -> Admitted | None:
        """See `moving.Door`. Counted here, because now it is dialled."""
        if invite.seat and not self._seats.is_free(invite.seat):
            raise NotCalled("seat_busy")
        if not (invite.outside or invite.citizen):
            return None
        found = self._look_at(invite)
        if isinstance(found, Why):
            self._refused.labels(found.value).inc()
            raise NotCalled(found.value)
        kind, number = found.target.kind.value, found.admitted.digits
        counter, counted = (self._citizens, number) if invite.citizen else (self._today, invite.asked_by)
        counter[counted] += 1
        self._made.labels(kind).inc()
        self._unsaved.append(Row(str(invite.line), self._clock.now(), self._day, invite.asked_by, number, kind))
        return found.admitted

    def _look_at(self, invite: Invite) -> Permitted | Why:
        """The line that is asked about is counted as in use already."""
        if invite.citizen:
            return self.look_citizen(invite.phone, lines=1)
        if not invite.asked_by:
            return self.look_unattended(invite.phone, lines=1)
        return self.look(invite.phone, invite.asked_by, lines=1)

    async def save(self) -> None:
        """Write the rows that are not written yet; while the database does not answer they are kept."""
        if not (rows := self._unsaved[:]):
            return

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(insert(outside_calls), [msgspec.structs.asdict(row) for row in rows])

        try:
            await self._database.write(write)
        except Unavailable as error:
            log.warning("calls to the outside not written yet", rows=len(rows), why=str(error))
            return
        del self._unsaved[: len(rows)]


async def _counted(
    connection: AsyncConnection, what: ColumnElement[str], day: str, which: ColumnElement[bool]
) -> Counter[str]:
    query = select(what, func.count()).where(outside_calls.c.day == day, which).group_by(what)
    return Counter({str(row[0]): int(row[1]) for row in await connection.execute(query)})
