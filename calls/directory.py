"""Whom a talk can be widened by: what seats, the catalogue and the guard know, made into one answer for who asks.

Finds who is to be called; whether the talk allows it is decided by `parties`.
"""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
from prometheus_client import CollectorRegistry

from agents.model import SeatState, SeatStatus
from calls.legs import Callee, Party
from calls.model import CallState
from calls.orders import Purpose
from calls.outside import Kind, Rules, Target, Why, read
from calls.service import CallService
from calls.trunk import Trunk
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Conflict
from hotline.settings import Settings
from hotline.tasks import Tasks
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

    def seat(self, seat: str) -> SeatStatus | None: ...


class CataloguePort(Protocol):
    """The catalogue in force."""

    @property
    def catalogue(self) -> Catalogue: ...


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call."""

    callee: Callee
    purpose: Purpose = Purpose.SEAT
    unit: str = ""
    number: str = ""


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
    first, _, last = settings.trunk_night.partition("-")
    return Rules(
        trunk=bool(settings.trunk_host),
        region=settings.region,
        prefix=settings.trunk_prefix,
        allow=settings.trunk_allow,
        lines=settings.trunk_lines,
        daily=settings.trunk_daily,
        daily_seat=settings.trunk_daily_seat,
        night=(time.fromisoformat(first), time.fromisoformat(last)) if last else None,
    )


def outside_lines(call: CallState) -> int:
    """Lines of a call that are outside, or ring there."""
    return 0 if call.talk is None else sum(leg.outside for leg in call.talk.legs)


class Directory:
    """Answers for people at their desks."""

    def __init__(
        self, settings: Settings, clock: Clock, database: Database, registry: CollectorRegistry, seats: SeatsPort,
        ivr: CataloguePort,
    ) -> None:  # fmt: skip
        self._seats, self._ivr = seats, ivr
        self.trunk = Trunk(
            rules(settings), clock, ZoneInfo(settings.timezone), database, registry, targets=self.targets, seats=self
        )

    async def start(self, calls: CallService, tasks: Tasks) -> None:
        """Know what was dialled today, and what is dialled now."""
        self.trunk.lines = lambda: sum(outside_lines(box.call) for box in calls.boxes.values())
        await self.trunk.load()
        tasks.keep(self.trunk.save, "calls to the outside", pause_s=1.0)

    def targets(self, at: datetime) -> dict[str, Target]:
        """Everybody outside who may be called, if the limits allow it."""
        return targets(self._ivr.catalogue, at)

    def is_free(self, seat: str) -> bool:
        """Whether a seat can be called now."""
        status = self._seats.seat(seat)
        return status is not None and status.reachable and status.state not in _BUSY

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
