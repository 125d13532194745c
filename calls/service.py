"""The call controller of one Asterisk: routes news to mailboxes, takes over after an absence, and beats.

It decides nothing about a call (that is `script`) and nothing about seats (that is the floor).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
import structlog

from acd.model import AnyFloorFact, Reachability
from calls import events, fold, takeover
from calls.ledger import Ledger
from calls.mailbox import Mailbox
from calls.model import AnyCallFact, CallArrived, CallState
from calls.moving import Door
from calls.takeover import Believing, Numbers
from hotline.clock import Clock
from hotline.errors import Unavailable
from hotline.ids import Ids
from hotline.tasks import Tasks
from ivr.flow import FlowRun
from ivr.model import Dialled
from telephony.errors import AsteriskUnreachable
from telephony.model import (
    Arrived,
    Bridged,
    KeyPressed,
    LegAnswered,
    LegFailed,
    LegRang,
    LineGone,
    LineId,
    NodeDown,
    NodeUp,
    OfferEnded,
    PhoneChanged,
    Rang,
    ReturnedLine,
    SeatAnswered,
    SwitchFact,
    TrackStarted,
    TrackStopped,
    Unbridged,
)
from telephony.ports import Switch

log = structlog.get_logger(__name__)
BEAT_S = 2.0
REMEMBER_S = 2.0
Memory = Callable[[str], Awaitable[tuple[str, ...]]]
CALL_BACK = "call_back"
"""`CallArrived.via` of a call that did not come in."""


class Ivr(Numbers, Protocol):
    """The part of the IVR that the controller needs."""

    def caller(self, raw: str) -> str: ...

    def mark(self, caller: str) -> str: ...

    def prompts(self, names: Sequence[str]) -> list[str]: ...


class Keeper(Believing, Protocol):
    """The floor's keeper as the controller uses it."""

    def subscribe(self, callback: Callable[[AnyFloorFact], None]) -> None: ...


class CallService:
    """Owns the mailboxes of one node's calls."""

    def __init__(
        self,
        *,
        switch: Switch,
        floor: Keeper,
        ivr: Ivr,
        ledger: Ledger,
        clock: Clock,
        ids: Ids,
        house: events.House,
        data: Path,
        timezone: ZoneInfo,
        door: Door,
        check_node: Callable[[], Awaitable[None]] | None = None,
        memory: Memory | None = None,
    ) -> None:
        """`check_node` looks whether an Asterisk that has just come up is what we need; it may take its time.
        `memory`: agents of the open tickets of a calling number."""
        self.switch, self.floor, self.ledger, self.clock = switch, floor, ledger, clock
        self.house = msgspec.structs.replace(house, mark=self._mark)
        self.door = door
        self.ivr, self._ids, self._data, self._timezone = ivr, ids, data, timezone
        self.boxes: dict[str, Mailbox] = {}
        self.lines: dict[LineId, str] = {}
        self._offers: dict[str, str] = {}
        self._check_node, self._memory = check_node, memory
        self._tasks = Tasks("calls")
        self.booted = ""

    # What mailboxes share ------------------------------------------------------------------------------------

    def folder(self, call: CallState) -> str:
        day = call.arrived_at.astimezone(self._timezone).strftime("%Y/%m/%d")
        return f"recordings/{day}/{call.call}"

    def absolute(self, folder: str) -> str:
        return str((self._data / folder).absolute())

    def prompts(self, names: Sequence[str]) -> list[str]:
        return self.ivr.prompts(names)

    def expect_offer(self, offer: str, call: str) -> None:
        self._offers[offer] = call

    def expect_line(self, line: LineId, call: str) -> None:
        self.lines[line] = call

    # Running ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the switch until cancelled. The ledger must be loaded and the floor's keeper started."""
        self.floor.subscribe(self._floor_fact)
        async with self._tasks:
            self._tasks.keep(self._beat, "heartbeat", pause_s=BEAT_S)
            async for fact in self.switch.facts():
                try:
                    await self._route(fact)
                except AsteriskUnreachable as error:
                    log.warning("node lost while resynchronising", why=str(error))

    async def _beat(self) -> None:
        try:
            await self.switch.beat()
        except AsteriskUnreachable:
            log.debug("no heartbeat: node is down")

    def post(self, call: str, event: events.Event) -> bool:
        """Give an event to a call's mailbox; `False` when the call has ended."""
        box = self.boxes.get(call)
        if box is None:
            return False
        box.post(event)
        return True

    def seats_of(self, facts: Sequence[AnyCallFact]) -> set[str]:
        """Every seat that takes part in the calls of these facts, or rings for them."""
        boxes = (self.boxes.get(call) for call in {fact.call for fact in facts})
        return {seat for box in boxes if box is not None for seat in box.call.seats}

    async def _route(self, fact: SwitchFact) -> None:
        match fact:
            case Arrived():
                self.arrive(fact)
            case SeatAnswered():
                self.lines[fact.seat_line] = self._offers.get(fact.offer, "")
                self.post(self._offers.get(fact.offer, ""), fact)
            case OfferEnded():
                self.post(self._offers.pop(fact.offer, ""), fact)
            case LineGone():
                self.post(self.lines.pop(fact.line, ""), fact)
            case ReturnedLine() | TrackStarted() | KeyPressed() | Unbridged():
                self.post(self.lines.get(fact.line, ""), fact)
            case PhoneChanged():
                await self.floor.do(Reachability(phone=fact.phone, reachable=fact.reachable))
            case NodeUp():
                if self._check_node is not None:
                    self._tasks.start(_quietly(self._check_node), "node check")
                await takeover.resynchronise(self)
            case NodeDown():
                log.warning("node down", why=fact.reason)
            case LegAnswered():
                if not self.post(self.lines.get(fact.leg, ""), fact):
                    await self.switch.rooms.cancel(fact.leg)  # nobody is left whom it could talk with
            case LegFailed():
                self.post(self.lines.pop(fact.leg, ""), fact)
            case Rang() | Bridged() | TrackStopped() | LegRang():
                pass

    def _floor_fact(self, fact: AnyFloorFact) -> None:
        call = getattr(fact, "call", "")
        if call:
            self.post(call, events.FloorSaid((fact,)))

    # Arrivals ----------------------------------------------------------------------------------------------------

    def arrive(self, fact: Arrived) -> None:
        if fact.line in self.lines:
            return
        dialled = self.ivr.identify(fact.dialled, fact.called, fact.diverted_from, fact.at)
        run = self.ivr.begin(dialled, fact.at)
        box = self.open(self.arrived(fact, dialled), run)
        box.post(events.Begun(run))
        caller = box.call.arrived.caller
        if caller and self._memory is not None and self.house.remembers:
            self._tasks.start(self._remember(self._memory, box, caller), "open tickets of a caller")

    async def _remember(self, memory: Memory, box: Mailbox, caller: str) -> None:
        """Who knows the citizen's open matters; the call goes its way meanwhile, and without it."""
        try:
            async with asyncio.timeout(REMEMBER_S):
                agents = await memory(caller)
        except (Unavailable, TimeoutError) as error:
            log.warning("open tickets not looked for", call=box.call.call, why=type(error).__name__)
            return
        if agents:
            box.post(events.OwnFound(agents))

    def _mark(self, number: str) -> str:
        return self.ivr.mark(self.ivr.caller(number))

    def arrived(self, fact: Arrived, dialled: Dialled) -> CallArrived:
        entry, caller = dialled.entry, self.ivr.caller(fact.caller)
        return CallArrived(
            call=self._ids.new("call"),
            at=fact.at,
            line=fact.line,
            dialled=dialled.number,
            declared=dialled.declared,
            caller=caller,
            mark=self.ivr.mark(caller),
            via=dialled.via.value,
            merge_mode=entry.mode.value,
            owner_unit=entry.owner_unit,
            line_name=entry.name,
            region=dialled.region,
            class_hint=entry.ticket_class,
            flow=entry.flow_name,
            booted=self.booted,
        )

    def call_back(self, number: str, dialled: str, owed: str, seat: str) -> str:
        """Call the citizen of an earlier call from a seat: a call of its own, whose id is returned."""
        now = self.clock.now()
        known = self.ivr.identify(dialled, "", (), now)
        fact = Arrived(at=now, line=LineId(""), dialled=dialled, caller=number)
        arrived = msgspec.structs.replace(self.arrived(fact, known), via=CALL_BACK)
        box = self.open(arrived, None)
        box.post(events.CallOut(seat, owed, number, self.folder(box.call)))
        return box.call.call

    def open(self, arrived: CallArrived, run: FlowRun | None) -> Mailbox:
        return self.install(Mailbox(fold.begin(arrived), self, run))

    def install(self, box: Mailbox) -> Mailbox:
        call = box.call
        self.boxes[call.call] = box
        for line in call.party_lines:
            self.lines[line] = call.call
        for offer in call.offers:
            self._offers[offer] = call.call
        self._tasks.start(self._work(box), call.call)
        return box

    async def _work(self, box: Mailbox) -> None:
        try:
            await box.work()
        finally:
            call = box.call
            self.boxes.pop(call.call, None)
            self._offers = {offer: owner for offer, owner in self._offers.items() if owner != call.call}
            for line in call.party_lines:
                self.lines.pop(line, None)


async def _quietly(check: Callable[[], Awaitable[None]]) -> None:
    try:
        await check()
    except AsteriskUnreachable as error:
        log.warning("node not checked", why=str(error))
