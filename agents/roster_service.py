"""The roster in memory, kept fresh, and changed as a whole per unit; the one question that calls ask of it is answered
without waiting for a database."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents import roster, roster_file
from agents.presence import DATA
from agents.roster import RosterPlace
from agents.tables import roster as table
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Unavailable
from hotline.security import Principal

log = structlog.get_logger(__name__)
DEMO = DATA / "demo_roster.yaml"
REFRESH_S = 5.0
_COLUMNS = [table.c[name] for name in RosterPlace.__struct_fields__]


class Judge(Protocol):
    """What is wrong with hours and numbers, one sentence; empty when nothing is."""

    def hours(self, hours: str) -> str: ...

    def number(self, number: str) -> str: ...


class RosterService:
    """Keeps the roster."""

    def __init__(self, database: Database, clock: Clock, judge: Judge) -> None:
        self._database, self._clock, self._judge = database, clock, judge
        self.places: tuple[RosterPlace, ...] = ()
        """Everybody, by unit and rank."""

    def of_unit(self, unit: str) -> list[RosterPlace]:
        """A unit's places, the first in rank first."""
        return [place for place in self.places if place.unit == unit]

    def units(self) -> list[str]:
        """Every unit that has a roster, in order."""
        return list(dict.fromkeys(place.unit for place in self.places))

    async def load(self) -> None:
        """Take what is stored.

        Raises:
            Unavailable: the database does not answer.
        """
        query = select(*_COLUMNS).order_by(table.c.unit, table.c.rank)

        async def read(connection: AsyncConnection) -> tuple[RosterPlace, ...]:
            rows = (await connection.execute(query)).mappings()
            return tuple(RosterPlace(**{str(name): value for name, value in row.items()}) for row in rows)

        self.places = await self._database.read(read)

    async def refresh(self) -> None:
        """Take over what another process changed; the last known roster stays while the database is away."""
        try:
            await self.load()
        except Unavailable as error:
            log.debug("roster not refreshed", why=str(error))

    async def seed(self, file: Path = DEMO) -> int:
        """Load the demonstration's roster where there is none yet. Returns how many places were loaded."""
        await self.load()
        if self.places:
            return 0
        return await self.import_file(await asyncio.to_thread(file.read_bytes), file.name, "system")

    async def import_file(self, content: bytes, name: str, who: str, *, check_only: bool = False) -> int:
        """Import CSV or YAML (by the name's ending): the units in it are replaced, all of it or nothing. Returns how
        many places.

        Raises:
            BadInput: mistakes, every one.
        """
        places = roster_file.parse(content, name, self._judge.hours, self._judge.number)
        if not check_only:
            await self._store({place.unit for place in places}, places, who)
        return len(places)

    async def put(self, unit: str, places: Sequence[RosterPlace], who: Principal) -> list[RosterPlace]:
        """Replace a unit's places; none takes the unit out.

        Raises:
            BadInput: mistakes, every one.
        """
        roster.refuse(roster.check(places, self._judge.hours, self._judge.number, lambda at: f"place {at + 1}"))
        await self._store({unit}, places, who.person)
        return self.of_unit(unit)

    async def _store(self, units: set[str], places: Sequence[RosterPlace], who: str) -> None:
        now = self._clock.now()
        rows: list[dict[str, Any]] = [
            {**msgspec.structs.asdict(place), "changed_at": now, "changed_by": who} for place in places
        ]

        async def change(connection: AsyncConnection) -> None:
            await connection.execute(delete(table).where(table.c.unit.in_(sorted(units))))
            if rows:
                await connection.execute(insert(table), rows)

        await self._database.write(change)
        await self.load()
        log.info("roster changed", units=len(units), places=len(rows), by=who)
