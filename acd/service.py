"""The keeper of the floor: takes commands one after another, decides, appends, applies, tells.

Decides nothing itself (that is `floor`). The lease says which keeper wakes the floor when something is due; what
keeps two keepers from harming each other is the log's expected position alone.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from acd.floor import Floor
from acd.journal import Diverged, Journal
from acd.model import AnyCommand, AnyFloorFact, Reachability, Rules, Tick
from acd.records import Offer
from acd.steady import SteadyClock
from hotline.clock import Clock
from hotline.errors import Conflict, Unavailable
from hotline.ids import Ids
from hotline.ports import EventLog, Fence, Lease
from hotline.tasks import Tasks

log = structlog.get_logger(__name__)

Listener = Callable[[AnyFloorFact], None]

TRIES = 20
"""How often a command is decided again because somebody else wrote meanwhile."""
_SOON_S = 0.01
"""Least pause between two ticks: a tick that found nothing to do must not spin."""


class FloorKeeper:
    """One site's floor, kept in one stream of the event log."""

    def __init__(
        self,
        log_: EventLog,
        clock: Clock,
        ids: Ids,
        *,
        lease: Lease | None = None,
        owner: str = "",
        rules: Rules | None = None,
        stream: str = "floor",
        checkpoint_every: int = 1000,
        patience: timedelta = timedelta(seconds=5),
        lease_ttl: timedelta = timedelta(seconds=10),
        follow: timedelta = timedelta(seconds=0.5),
    ) -> None:
        """`owner` names this process to the lease, the same after a restart so that it has its lease back at once;
        without a lease it is the only keeper and always ticks. `patience`: the longest wait for the log. `follow`:
        how often what other keepers wrote is looked for; `nudge` looks at once."""
        self.rules = rules or Rules()
        self.floor = Floor(self.rules)
        self.is_keeper = lease is None
        self._journal = Journal(log_, stream, patience)
        self._clock = SteadyClock(clock)
        self._ids = ids
        self._lease, self._owner, self._ttl = lease, owner or ids.new("keeper"), lease_ttl
        self._follow_s = None if lease is None else follow.total_seconds()
        self._fence: Fence | None = None
        self._lease_is_away = False
        self._every, self._checkpoint_seq = checkpoint_every, 0
        self._listeners: list[Listener] = []
        self._phones: dict[str, bool] = {}
        self._nudged = False
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._tasks = Tasks("floor keeper")

    # Life ----------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the floor from the log and begin to keep it.

        Raises:
            Unavailable: the log does not answer.
        """
        async with self._turn:
            self.floor = await self._journal.load(self.rules)
            self._checkpoint_seq = self._journal.seq
        if self._lease is not None:
            await self._hold_lease()
            self._tasks.keep(self._hold_lease, "lease", pause_s=self._ttl.total_seconds() / 3)
        self._tasks.keep(self._wake, "ticks", pause_s=0)
        log.info("floor kept", facts=self._journal.seq, keeper=self.is_keeper)

    async def close(self) -> None:
        """Stop ticking, keep a checkpoint, give the lease back."""
        await self._tasks.close()
        async with self._turn:
            if not self._journal.unsaved and self._journal.seq > self._checkpoint_seq:
                await self._journal.save_checkpoint(self._journal.seq, self.floor.dump())
        if self._lease is not None and self._fence is not None:
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(self._ttl.total_seconds()):
                    await self._lease.release(self._fence)

    # What others ask -----------------------------------------------------------------------------------------------

    async def do(self, command: AnyCommand) -> tuple[AnyFloorFact, ...]:
        """Carry out a command; its facts are in the log and were told to every listener when this returns.

        A listener that wants to command in turn starts a task for it.

        Raises:
            Conflict: other keepers wrote faster, many times in a row.
            Unavailable: another keeper wrote, and the log does not tell what.
        """
        if isinstance(command, Reachability):
            self._phones[command.phone] = command.reachable
        async with self._turn:
            is_fresh = self._lease is None
            for _ in range(TRIES):
                facts = self.floor.decide(command, self._clock.now(), self._ids.new)
                if not facts and (is_fresh or not await self._look()):
                    return ()
                is_fresh = True
                if facts and await self._append(facts):
                    self._take(facts)
                    return facts
        raise Conflict("Other keepers of the floor were faster: try again.")

    def change_rules(self, rules: Rules) -> None:
        """Times and limits from the next decision on."""
        self.rules = self.floor.rules = rules

    def subscribe(self, callback: Listener) -> None:
        """Call `callback` with every fact from now on, in order, before the command's caller goes on."""
        self._listeners.append(callback)

    def unsubscribe(self, callback: Listener) -> None:
        """No more facts for `callback`."""
        if callback in self._listeners:
            self._listeners.remove(callback)

    def nudge(self) -> None:
        """Another keeper may have written: look at once."""
        self._nudged = True
        self._changed.set()

    @property
    def degraded(self) -> bool:
        """Facts are kept in memory only, because the log does not answer: a crash now would lose them."""
        return self._journal.unsaved > 0

    @property
    def seq(self) -> int:
        """Position of the last fact in the log."""
        return self._journal.seq

    def calls(self) -> dict[str, str]:
        """Calls that the floor knows: call id → `waiting` (rings included) or `talking`."""
        talking = {seat.call: "talking" for seat in self.floor.seats() if seat.call}
        return {**talking, **{waiting.call: "waiting" for waiting in self.floor.waiting()}}

    def seat_at(self, phone: str) -> str:
        """The seat that is signed in at a phone; the phone's own number when nobody is."""
        seat = self.floor.seat_at(phone)
        return seat.seat if seat is not None else phone

    def offers(self) -> tuple[Offer, ...]:
        """Offers that are open."""
        return tuple(self.floor.offers())

    def call_backs(self) -> tuple[str, ...]:
        """Calls that wait without a line."""
        return tuple(waiting.call for waiting in self.floor.waiting() if waiting.call_back)

    def phones(self) -> set[str]:
        """Phones of signed-in seats."""
        return {seat.phone for seat in self.floor.seats()}

    def is_reachable(self, phone: str) -> bool:
        """Whether the phone was last heard of as registered: for `SignIn.reachable`."""
        return self._phones.get(phone, False)

    # Turns ---------------------------------------------------------------------------------------------------------

    def _take(self, facts: tuple[AnyFloorFact, ...] | list[AnyFloorFact]) -> None:
        for fact in facts:
            self.floor.apply(fact)
        self._changed.set()
        for fact in facts:
            self._tell(fact)
        if self._journal.seq - self._checkpoint_seq >= self._every and not self._journal.unsaved:
            self._checkpoint_seq = self._journal.seq
            kept = self._journal.save_checkpoint(self._journal.seq, self.floor.dump())
            self._tasks.start(kept, "checkpoint")

    def _tell(self, fact: AnyFloorFact) -> None:
        for listener in list(self._listeners):
            try:
                listener(fact)
            except Exception:
                # One deaf listener must not keep the others, or the floor, from going on.
                log.exception("listener of the floor failed", fact=type(fact).__name__)

    async def _append(self, facts: tuple[AnyFloorFact, ...]) -> bool:
        """Write facts; `False` when somebody else wrote first and it must be decided again."""
        try:
            await self._journal.append(facts)
        except Conflict:
            await self._catch_up()
            return False
        return True

    async def _look(self) -> bool:
        """Whether other keepers wrote something that was not known here."""
        before = self._journal.seq
        with suppress(Unavailable):
            await self._catch_up()
        return self._journal.seq != before

    async def _catch_up(self) -> None:
        try:
            self._take(await self._journal.catch_up())
        except Diverged as error:
            log.error("floor diverged from its log, reading it again", reason=str(error))  # noqa: TRY400 no defect of ours
            self.floor = await self._journal.load(self.rules)
            self._changed.set()

    # Time ----------------------------------------------------------------------------------------------------------

    async def _wake(self) -> None:
        """Sleep until something is due or changes; tick when it is due, look for others' facts now and then."""
        self._changed.clear()
        due = self.floor.next_due() if self.is_keeper else None
        wait_s = None if due is None else (due - self._clock.now()).total_seconds()
        if wait_s is not None and wait_s <= 0:
            if not await self.do(Tick()):
                await asyncio.sleep(_SOON_S)
        elif not await self._changes(wait_s):
            self._nudged = False
            if self._lease is not None:
                async with self._turn:
                    await self._look()

    async def _changes(self, within_s: float | None) -> bool:
        """Whether something changes here before it is time to tick or to look."""
        limits = [limit for limit in (within_s, self._follow_s) if limit is not None]
        if not self._nudged:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(limits, default=None)):
                    await self._changed.wait()
        return self._changed.is_set() and not self._nudged

    async def _hold_lease(self) -> None:
        """Take or renew the lease; whoever takes it over reads what the last keeper wrote."""
        if self._lease is None:
            return
        held = False
        try:
            async with asyncio.timeout(self._ttl.total_seconds() / 3):
                held = self._fence is not None and await self._lease.renew(self._fence, self._ttl)
                if not held:
                    self._fence = await self._lease.acquire("floor", self._owner, self._ttl)
                    held = self._fence is not None
        except (Unavailable, TimeoutError) as error:
            # The log keeps us safe; without anybody ticking no offer would ever end.
            if not self._lease_is_away:
                log.warning("lease of the floor cannot be asked for", reason=str(error))
            self._lease_is_away = True
            held = self.is_keeper
        else:
            self._lease_is_away = False
        if held and not self.is_keeper:
            async with self._turn:
                await self._catch_up()
            log.info("floor taken over", owner=self._owner)
        self.is_keeper = held
        self._changed.set()
