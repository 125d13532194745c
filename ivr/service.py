"""The IVR room's shell: catalogue, flows and prompts kept fresh; calls identified and begun without waiting.

`identify` and `begin` only look at memory. The catalogue comes from the database, and from the last snapshot while
the database is down; flows from files that are watched; both change under running calls, which keep what they began
with. It refuses to know how a flow's actions are performed.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from hotline.clock import Clock
from hotline.errors import BadInput, Conflict, Unavailable
from hotline.tasks import Tasks
from ivr import shelf, snapshot
from ivr.calendar import Calendar
from ivr.catalogue_file import parse
from ivr.flow import ClosedWay, FlowRun
from ivr.lint import Finding, lint
from ivr.model import Catalogue, Dialled, LedgerLine
from ivr.numbers import identify, local_day, normalise, warnings
from ivr.ports import NumberStore, Voice
from ivr.prompts import PromptSet, render_all
from ivr.simulate import Simulation, simulate

log = structlog.get_logger(__name__)

DATA = Path(__file__).parent / "data"
"""Catalogues that come with the product."""
COMMON, DEMO = ("common.yaml",), ("common.yaml", "yichang.yaml")
SNAPSHOT = "catalogue.json"
_TRIES = 3


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    changed: int
    """Entries, hours profiles and days that are new or differ."""
    entries: int
    """Entries in the catalogue now."""
    revision: int
    warnings: tuple[str, ...] = ()


class IvrState(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force, for the status page and for alarms."""

    revision: int
    source: str
    """Where the catalogue came from: `database`, `snapshot` or `nothing`."""
    entries: int
    flows: dict[str, str]
    """Flow to version."""
    problems: tuple[str, ...]
    """Flow files that were not taken, prompts that cannot be played, a database that does not answer."""
    undeclared: int
    """Calls since the start to numbers that nobody declared."""


class IvrService:
    """Keeps what the calls need in memory."""

    def __init__(
        self,
        store: NumberStore,
        clock: Clock,
        data: Path,
        *,
        home: str,
        voice: Voice | None = None,
        poll_s: float = 2.0,
    ) -> None:
        """`data`: the data folder. Own flows are in `data/flows`, studio recordings in `data/prompts/studio`."""
        self._store, self._clock, self._data, self._voice, self._poll_s = store, clock, data, voice, poll_s
        self._revision, self._source, self._unreachable = 0, "nothing", ""
        self._undeclared = 0
        self._seen: shelf.Signature = ()
        self._rendering = asyncio.Lock()
        self.catalogue = Catalogue(home=home)
        self.queues: Callable[[], dict[str, ClosedWay]] = dict
        """Queues that have hours, as they are in force."""
        self.guests: Callable[[str, datetime], tuple[str, ...]] = _nobody
        """Who is a queue's guest at a moment."""
        self.shelf = shelf.Shelf()
        self.prompts = PromptSet()

    async def start(self, tasks: Tasks) -> None:
        """Load everything, then watch for changes. Neither a broken file nor a missing database stops it."""
        await asyncio.to_thread(self._load_shelf)
        await self._load_first()
        await self.render()
        tasks.keep(self.refresh, "ivr refresh", self._poll_s)

    async def refresh(self) -> None:
        """Take over what changed since the last look: flow files, recordings, the stored catalogue."""
        if await asyncio.to_thread(self._signature) != self._seen:
            await asyncio.to_thread(self._load_shelf)
            await self.render()
        try:
            if await self._store.revision() != self._revision or self._source != "database":
                await self.reload_catalogue()
            self._unreachable = ""
        except Unavailable as error:
            self._note_unreachable(error)

    def identify(self, request: str, to: str, diversions: Sequence[str], at: datetime) -> Dialled:
        """What was dialled (`ivr.numbers.identify`); never fails. Undeclared numbers are counted."""
        dialled = identify(self.catalogue, request, to, diversions, at)
        if not dialled.declared:
            self._undeclared += 1
            log.info("undeclared number dialled", pii_number=dialled.number, found_in=dialled.via.value)
        return dialled

    def begin(self, dialled: Dialled, at: datetime) -> FlowRun:
        """The caller's way through the flow of the dialled number, before its first step; never fails."""
        calendar = Calendar(profiles=self.catalogue.profiles, days=self.catalogue.days)
        flow, queues = self.shelf.for_entry(dialled.entry), self.queues()
        return FlowRun(flow=flow, dialled=dialled, at=at, calendar=calendar, queues=queues)

    def simulate(self, number: str, at: datetime, keys: Sequence[str] = ()) -> Simulation:
        """What a call to `number` at `at` would meet.

        Raises:
            BadInput: `number` is not a telephone number.
        """
        found = simulate(self.begin(self.look_up(number, at), at), keys, self.prompts.length)
        return msgspec.structs.replace(found, guests=self.guests(found.queue, at))

    def look_up(self, number: str, at: datetime) -> Dialled:
        """As `identify`, for a person who asks: nothing is counted.

        Raises:
            BadInput: `number` is not a telephone number.
        """
        if normalise(number, self.catalogue.home) is None:
            raise BadInput("This is not a telephone number.")
        return identify(self.catalogue, number, "", (), at)

    def unit_of(self, number: str, at: datetime) -> str:
        """The unit that answers for a dialled number, for one that nobody declared the house; nothing for no number."""
        try:
            return self.look_up(number, at).entry.owner_unit
        except BadInput:
            return ""

    def lint(self) -> list[Finding]:
        """Everything that should be looked at in the flows in force."""
        return lint(self.shelf.flows, self.catalogue, self.prompts.length)

    def state(self) -> IvrState:
        problems = (*self.shelf.problems, *self.prompts.problems)
        return IvrState(
            revision=self._revision,
            source=self._source,
            entries=len(self.catalogue.entries),
            flows={name: flow.version for name, flow in self.shelf.flows.items()},
            problems=(*problems, self._unreachable) if self._unreachable else problems,
            undeclared=self._undeclared,
        )

    def queue_names(self) -> dict[str, str]:
        """Every queue that a number in the catalogue leads to."""
        return {queue: queue for queue in sorted({one.queue for one in self.catalogue.entries})}

    async def reload_catalogue(self) -> None:
        """Take the stored catalogue, keep a snapshot of it, and render what its numbers need.

        Raises:
            Unavailable: the database does not answer; the catalogue in force stays.
        """
        revision, catalogue = await self._store.load(self.catalogue.home)
        self._take(revision, catalogue, "database")
        await asyncio.to_thread(snapshot.write, self._data / SNAPSHOT, revision, catalogue)
        await self.render()

    async def import_catalogue(self, content: bytes, file: str, who: str, *, check_only: bool = False) -> Imported:
        """Import a YAML or (by the name's ending) CSV file: all of it or nothing. The same again changes nothing.

        Raises:
            BadInput: mistakes; `problems` has every one as `file:line:column: sentence`.
            Conflict: somebody else kept changing the catalogue meanwhile.
            Unavailable: the database does not answer.
        """
        return await self.change(
            lambda stored: parse(content, file, stored, self.shelf.flows.keys() or None),
            file,
            who,
            check_only=check_only,
        )

    async def change(
        self, make: Callable[[Catalogue], Catalogue], what: str, who: str, *, check_only: bool = False
    ) -> Imported:
        """Store what `make` makes of the stored catalogue, or only try.

        Raises: as `make`, and as `import_catalogue`.
        """
        for attempt in range(_TRIES):
            revision, stored = await self._store.load(self.catalogue.home)
            new = await asyncio.to_thread(make, stored)
            changed = differences(stored, new)
            try:
                if changed and not check_only:
                    await self._store.save(new, expected=revision, who=who, at=self._clock.now())
                    await self.reload_catalogue()
            except Conflict:
                if attempt == _TRIES - 1:
                    raise
                continue
            log.info("catalogue changed", what=what, changed=changed, by=who, check_only=check_only)
            return self._imported(new, changed)
        raise Conflict("The catalogue is being changed by somebody else: try again.")

    def _imported(self, new: Catalogue, changed: int) -> Imported:
        today = local_day(self._clock.now())
        found = tuple(f"{entry.number}: {told}" for entry in new.entries for told in warnings(entry, today))
        return Imported(changed=changed, entries=len(new.entries), revision=self._revision, warnings=found)

    async def seed(self, who: str, *, demo: bool) -> bool:
        """Import the shipped catalogues into an empty database; returns whether it was empty.

        Raises:
            Unavailable: the database does not answer.
        """
        if await self._store.revision() > 0:
            return False
        for name in DEMO if demo else COMMON:
            await self.import_catalogue(await asyncio.to_thread((DATA / name).read_bytes), name, who)
        return True

    async def ledger(self, subject: str, *, after: int = 0, limit: int = 100) -> list[LedgerLine]:
        """Changes of a number, oldest first."""
        return await self._store.ledger(subject, after=after, limit=limit)

    async def render(self) -> None:
        """Make the prompts that are missing; what cannot be made is a problem in `state()`."""
        async with self._rendering:
            try:
                entries = self.catalogue.entries
                self.prompts = await asyncio.to_thread(render_all, self._data, entries, voice=self._voice)
            except BadInput as error:
                self.prompts = msgspec.structs.replace(self.prompts, problems=error.problems or (str(error),))

    async def _load_first(self) -> None:
        try:
            await self.reload_catalogue()
        except Unavailable as error:
            self._note_unreachable(error)
            kept = await asyncio.to_thread(snapshot.read, self._data / SNAPSHOT, self.catalogue.home)
            if kept:
                self._take(kept.revision, kept.catalogue, "snapshot")

    def _take(self, revision: int, catalogue: Catalogue, source: str) -> None:
        self._revision, self._source, self.catalogue = revision, source, catalogue

    def _note_unreachable(self, error: Unavailable) -> None:
        if not self._unreachable:
            log.warning("catalogue not refreshed", error=str(error), in_force=self._source)
        self._unreachable = f"The catalogue in force is the last known one: {error}"

    def _signature(self) -> shelf.Signature:
        watched = dict.fromkeys(shelf.folders(self._data / "flows"), "*.yaml")
        return shelf.signature(watched | {self._data / "prompts" / "studio": "*.wav"})

    def _load_shelf(self) -> None:
        self._seen = self._signature()
        before = self.shelf
        self.shelf = shelf.load(shelf.folders(self._data / "flows"), before)
        for problem in self.shelf.problems:
            log.error("flow file not taken", problem=problem)


def _nobody(_queue: str, _at: datetime) -> tuple[str, ...]:
    return ()


def differences(stored: Catalogue, new: Catalogue) -> int:
    """How many entries, profiles and days of `new` are not in `stored` as they are, and days that are there no more."""
    pairs = ((stored.entries, new.entries), (stored.profiles, new.profiles), (stored.days, new.days))
    taken_back = {one.day for one in stored.days} - {one.day for one in new.days}
    return len(taken_back) + sum(1 for old, now in pairs for one in now if one not in old)
