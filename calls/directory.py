"""Whom a talk can be widened by: what seats, the catalogue and the guard know, made into one answer for who asks.

Finds who is to be called; whether the talk allows it is decided by `parties`.
"""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
from prometheus_client import CollectorRegistry

from agents.model import SeatState, SeatStatus
from agents.roster import Candidate, Ranks, ranks
from agents.roster_service import REFRESH_S, RosterService
from calls import outside
from calls.back import clock_hours
from calls.legs import Callee, Party
from calls.model import CallState
from calls.orders import PassedOver, Purpose
from calls.outside import Kind, Rules, Target, Why, read
from calls.service import CallService
from calls.trunk import Trunk
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Conflict, NotFound
from hotline.settings import Settings
from hotline.tasks import Tasks
from ivr import hours_text as hours_of
from ivr.model import Catalogue, Entry, MergeMode
from ivr.numbers import local_day

KINDS: Mapping[MergeMode, Kind] = {
    MergeMode.EMERGENCY: Kind.EMERGENCY,
    MergeMode.UTILITY: Kind.UTILITY,
    MergeMode.SUBCENTER: Kind.SUBCENTER,
    MergeMode.EXTERNAL: Kind.EXTERNAL,
}
"""Modes whose numbers are answered elsewhere. A number that is answered here is never dialled: it would come back."""
_BUSY = (SeatState.TALKING, SeatState.OFFERED, SeatState.UNREACHABLE)


class SeatsPort(Protocol):
    """Seats that are signed in."""

    @property
    def supervisors(self) -> Container[str]: ...

    def seat(self, seat: str) -> SeatStatus | None: ...

    def seats(self) -> Sequence[SeatStatus]: ...


class CataloguePort(Protocol):
    """The catalogue in force."""

    @property
    def catalogue(self) -> Catalogue: ...


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call, and who comes next."""

    callee: Callee
    then: tuple[Callee, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    purpose: Purpose = Purpose.SEAT
    unit: str = ""
    number: str = ""


class NobodyToCall(Conflict):
    """A unit was asked for, and nobody of its roster can be called."""

    def __init__(self, told: str, unit: str, passed_over: tuple[PassedOver, ...]) -> None:
        super().__init__(told)
        self.unit, self.passed_over = unit, passed_over


def targets(catalogue: Catalogue, at: datetime) -> dict[str, Target]:
    """Numbers of the catalogue that are answered elsewhere, on the day of `at`, by every way to write them."""
    day = local_day(at)
    ours = [one for one in catalogue.entries if one.region in ("", catalogue.home) and one.holds_on(day)]
    found: dict[str, Target] = {}
    for entry in sorted(ours, key=lambda one: bool(one.region)):  # the city's own word comes last and counts
        for name in (entry.number, *entry.aliases):
            found.pop(name, None)
            if (kind := KINDS.get(entry.mode)) is not None:
                found[name] = _target(entry, kind)
    for target in tuple(found.values()):
        found.setdefault(target.dial, target)
    return found


def _target(entry: Entry, kind: Kind) -> Target:
    dial = read(entry.external) or entry.number
    return Target(number=entry.number, dial=dial, kind=kind, name=entry.name, unit=entry.owner_unit)


def rules(settings: Settings) -> Rules:
    """What the settings allow."""
    return Rules(
        trunk=bool(settings.trunk_host),
        region=settings.region,
        prefix=settings.trunk_prefix,
        allow=settings.trunk_allow,
        lines=settings.trunk_lines,
        daily=settings.trunk_daily,
        daily_seat=settings.trunk_daily_seat,
        night=clock_hours(settings.trunk_night),
        call_back=clock_hours(settings.call_back_hours),
        citizens_daily=settings.call_back_daily,
        number_daily=settings.call_back_daily_number,
    )


def outside_lines(call: CallState) -> int:
    """Lines of a call that are outside, or ring there; that of a citizen who was called back too."""
    called = int(call.back is not None and bool(call.back.leg)) + bool(call.onward)
    return called if call.talk is None else called + sum(leg.outside for leg in call.talk.legs)


class Judge:
    """`agents.roster_service.Judge` by what the catalogue and the guard say."""

    def __init__(self, directory: "Directory") -> None:
        self._directory = directory

    def hours(self, hours: str) -> str:
        return self._directory.hours_problem(hours)

    def number(self, number: str) -> str:
        return self._directory.number_problem(number)


class Directory:
    """Answers for people at their desks."""

    def __init__(
        self, settings: Settings, clock: Clock, database: Database, registry: CollectorRegistry, seats: SeatsPort,
        ivr: CataloguePort,
    ) -> None:  # fmt: skip
        self._seats, self._ivr, self.clock, self._demo = seats, ivr, clock, settings.demo
        self.zone = ZoneInfo(settings.timezone)
        self.roster = RosterService(database, clock, Judge(self))
        self.trunk = Trunk(rules(settings), clock, self.zone, database, registry, targets=self.targets, seats=self)

    async def start(self, calls: CallService, tasks: Tasks) -> None:
        """Know what was dialled today, and what is dialled now."""
        self.trunk.ours = self._is_ours
        self.trunk.lines = lambda: sum(outside_lines(box.call) for box in calls.boxes.values())
        await self.trunk.load()
        await (self.roster.seed() if self._demo else self.roster.load())
        tasks.keep(self.roster.refresh, "roster", pause_s=REFRESH_S)
        tasks.keep(self.trunk.save, "calls to the outside", pause_s=1.0)

    def targets(self, at: datetime) -> dict[str, Target]:
        """Everybody outside who may be called, if the limits allow it."""
        found = targets(self._ivr.catalogue, at)
        for place in self.roster.places:
            if (number := read(place.number)) is not None:
                found.setdefault(number, Target(number=number, dial=number, kind=Kind.ROSTER, unit=place.unit))
        return found

    def _is_ours(self, number: str) -> bool:
        """Whether the hotline answers this number: one of the catalogue that is answered nowhere else."""
        local = number.removeprefix(self.trunk.rules.region)
        written = {number, local}
        return any(
            entry.mode not in KINDS and written & {entry.number, *entry.aliases}
            for entry in self._ivr.catalogue.entries
        )

    def hours_problem(self, hours: str) -> str:
        """What is wrong with hours of the roster."""
        return hours_of.problem(hours, self._ivr.catalogue)

    def number_problem(self, number: str) -> str:
        """What is wrong with a number of the roster: it would never be dialled."""
        digits = read(number)
        if digits is None:
            return outside.SENTENCES[Why.MALFORMED]
        found = outside.look_up(digits, {}, self.trunk.rules)
        never = isinstance(found, Why) and found is not Why.NOT_LISTED
        return outside.SENTENCES[found] if isinstance(found, Why) and never else ""

    # for people at their desks

    def ranks(self, unit: str, by: str) -> Ranks:
        """Who of a unit's roster would be called now, and who not and why.

        Raises:
            NotFound: nobody is in the roster of this unit.
        """
        places = self.roster.of_unit(unit)
        if not places:
            raise NotFound("Nobody of this unit is in the roster: an administrator or a supervisor adds somebody.")
        catalogue, now = self._ivr.catalogue, self.clock.now()

        def number(one: str) -> str:
            found = self.trunk.look(one, by)
            return found.value if isinstance(found, Why) else ""

        return ranks(places, lambda hours: hours_of.is_open(hours, now, catalogue), self._seat_says, number)

    def _seat_says(self, seat: str) -> str:
        status = self._seats.seat(seat)
        if status is None:
            return "not_signed_in"
        if not status.reachable:
            return "unreachable"
        return "busy" if status.state in _BUSY else ""

    def unit(self, unit: str, by: str) -> Found:
        """A unit's expert: everybody of the roster who can be called now, one after the other.

        Raises:
            NotFound: nobody is in the roster of this unit.
            NobodyToCall: nobody can be called; the sentence says why of everybody.
        """
        found = self.ranks(unit, by)
        over = tuple(PassedOver(rank=o.rank, person=o.person, how=o.how, why=o.why) for o in found.passed_over)
        callees = tuple(callee for one in found.candidates if (callee := self._callee(one)) is not None)
        if not callees:
            told = "; ".join(f"place {one.rank} {one.how}: {one.why}" for one in over)
            raise NobodyToCall(f"Nobody of this unit can be called now ({told}): take the matter down.", unit, over)
        return Found(callee=callees[0], then=callees[1:], passed_over=over, purpose=Purpose.UNIT, unit=unit)

    def _callee(self, one: Candidate) -> Callee | None:
        status = self._seats.seat(one.seat) if one.seat else None
        phone = one.number if status is None else status.phone
        return Callee(seat=one.seat, phone=phone, person=one.person, rank=one.rank) if phone else None

    def is_free(self, seat: str) -> bool:
        """Whether a seat can be called now."""
        status = self._seats.seat(seat)
        return status is not None and status.reachable and status.state not in _BUSY

    def free_supervisors(self) -> list[tuple[str, str]]:
        """Seat and phone of every supervisor who can be called now."""
        signed_in = [one for one in self._seats.seats() if one.seat in self._seats.supervisors]
        return [(one.seat, one.phone) for one in signed_in if self.is_free(one.seat)]

    def phone(self, seat: str) -> str:
        """Where a seat can be called now.

        Raises:
            Conflict: it cannot.
        """
        status = self._seats.seat(seat)
        if status is None or not status.reachable:
            raise Conflict("That seat is not signed in, or its phone is not registered: choose another one.")
        if status.state in _BUSY:
            raise Conflict("That seat is busy: choose another one, or wait.")
        return status.phone

    def ready(self, seat: str) -> None:
        """Make sure that a seat can be given a call now.

        Raises:
            Conflict: it cannot.
        """
        self.own_phone(seat)
        status = self._seats.seat(seat)
        if status is None or status.state is not SeatState.READY:
            raise Conflict("Your seat is busy or on a break: be ready first.")

    def own_phone(self, seat: str) -> str:
        """The phone of whoever asks.

        Raises:
            Conflict: there is none just now.
        """
        status = self._seats.seat(seat)
        if status is None or not status.reachable:
            raise Conflict("You are not signed in at a phone that is registered: sign in first.")
        return status.phone

    def number(self, number: str, by: str) -> Found:
        """Somebody outside.

        Raises:
            HotlineError: the guard refuses it; the sentence says why and whose move it is.
        """
        permitted = self.trunk.look(number, by)
        if isinstance(permitted, Why):
            raise self.trunk.refusal(permitted)
        target = permitted.target
        purpose = Purpose.EMERGENCY if target.kind is Kind.EMERGENCY else Purpose.LINE
        callee = Callee(phone=target.number, party=Party.OUTSIDE)
        return Found(callee=callee, purpose=purpose, unit=target.unit, number=target.number)
