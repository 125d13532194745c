"""The call controller of one Asterisk: routes news to mailboxes, takes over after an absence, and beats.

It decides nothing about a call (that is `script`) and nothing about seats (that is the floor).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from acd.model import Abandon, Adopt, AnyFloorFact, Finish, LeaveReason, Reachability
from calls import events, recover, script
from calls.ledger import Ledger
from calls.mailbox import Floor, Mailbox
from calls.model import CallArrived, Phase, TalkStarted
from hotline.clock import Clock
from hotline.ids import Ids
from hotline.tasks import Tasks
from ivr.flow import FlowRun
from ivr.model import Dialled
from telephony.errors import AsteriskUnreachable
from telephony.model import (
    Arrived,
    Bridged,
    KeyPressed,
    LineGone,
    LineId,
    LineSnapshot,
    NodeDown,
    NodeUp,
    OfferEnded,
    PhoneChanged,
    Rang,
    ReturnedLine,
    SeatAnswered,
    Snapshot,
    SwitchFact,
    TrackStarted,
    TrackStopped,
    Unbridged,
)
from telephony.ports import Switch

log = structlog.get_logger(__name__)
BEAT_S = 2.0


class Ivr(Protocol):
    """The part of the IVR that the controller needs."""

    def identify(self, request: str, to: str, diversions: Sequence[str], at: datetime) -> Dialled: ...

    def caller(self, raw: str) -> str: ...

    def begin(self, dialled: Dialled, at: datetime) -> FlowRun: ...

    def prompts(self, names: Sequence[str]) -> list[str]: ...


class Keeper(Floor, Protocol):
    """The floor's keeper as the controller uses it."""

    def subscribe(self, callback: Callable[[AnyFloorFact], None]) -> None: ...

    def calls(self) -> dict[str, str]:
        """Calls that the floor knows: call id → `waiting` or `talking`."""
        ...


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
    ) -> None:
        self.switch, self.floor, self.ledger, self.clock, self.house = switch, floor, ledger, clock, house
        self._ivr, self._ids, self._data, self._timezone = ivr, ids, data, timezone
        self._boxes: dict[str, Mailbox] = {}
        self._lines: dict[LineId, str] = {}
        self._offers: dict[str, str] = {}
        self._tasks = Tasks("calls")
        self._booted = ""
        self.undeclared = 0
        """Calls to numbers that nobody declared, since the start."""

    # What mailboxes share ------------------------------------------------------------------------------------

    def folder(self, call: str) -> str:
        day = self.clock.now().astimezone(self._timezone).strftime("%Y/%m/%d")
        return f"recordings/{day}/{call}"

    def absolute(self, folder: str) -> str:
        return str((self._data / folder).absolute())

    def prompts(self, names: Sequence[str]) -> list[str]:
        return self._ivr.prompts(names)

    def expect_offer(self, offer: str, call: str) -> None:
        self._offers[offer] = call

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
        box = self._boxes.get(call)
        if box is None:
            return False
        box.post(event)
        return True

    async def _route(self, fact: SwitchFact) -> None:
        match fact:
            case Arrived():
                self._arrive(fact)
            case SeatAnswered():
                self._lines[fact.seat_line] = self._offers.get(fact.offer, "")
                self.post(self._offers.get(fact.offer, ""), fact)
            case OfferEnded():
                self.post(self._offers.pop(fact.offer, ""), fact)
            case LineGone():
                self.post(self._lines.pop(fact.line, ""), fact)
            case ReturnedLine() | TrackStarted() | KeyPressed():
                self.post(self._lines.get(fact.line, ""), fact)
            case PhoneChanged():
                await self.floor.do(Reachability(phone=fact.phone, reachable=fact.reachable))
            case NodeUp():
                await self._resynchronise()
            case NodeDown():
                log.warning("node down", why=fact.reason)
            case Rang() | Bridged() | Unbridged() | TrackStopped():
                pass

    def _floor_fact(self, fact: AnyFloorFact) -> None:
        call = getattr(fact, "call", "")
        if call:
            self.post(call, events.FloorSaid((fact,)))

    # Arrivals ----------------------------------------------------------------------------------------------------

    def _arrive(self, fact: Arrived) -> None:
        if fact.line in self._lines:
            return
        dialled = self._ivr.identify(fact.dialled, fact.called, fact.diverted_from, fact.at)
        run = self._ivr.begin(dialled, fact.at)
        self._open(self._arrived(fact, dialled), run).post(events.Begun(run))

    def _arrived(self, fact: Arrived, dialled: Dialled) -> CallArrived:
        if not dialled.declared:
            self.undeclared += 1
            log.warning("undeclared number dialled", total=self.undeclared)
        entry = dialled.entry
        return CallArrived(
            call=self._ids.new("call"),
            at=fact.at,
            line=fact.line,
            dialled=dialled.number,
            declared=dialled.declared,
            caller=self._ivr.caller(fact.caller),
            via=dialled.via.value,
            merge_mode=entry.mode.value,
            owner_unit=entry.owner_unit,
            line_name=entry.name,
            region=dialled.region,
            class_hint=entry.ticket_class,
            booted=self._booted,
        )

    def _open(self, arrived: CallArrived, run: FlowRun | None) -> Mailbox:
        return self._install(Mailbox(script.begin(arrived), self, run))

    def _install(self, box: Mailbox) -> Mailbox:
        call = box.call
        self._boxes[call.call] = box
        for line in (call.line, call.seat_line):
            if line:
                self._lines[line] = call.call
        if call.offer:
            self._offers[call.offer] = call.call
        self._tasks.start(self._work(box), call.call)
        return box

    async def _work(self, box: Mailbox) -> None:
        try:
            await box.work()
        finally:
            call = box.call
            self._boxes.pop(call.call, None)
            self._offers = {offer: owner for offer, owner in self._offers.items() if owner != call.call}
            for line in (call.line, call.seat_line):
                self._lines.pop(line, None)

    # After an absence ----------------------------------------------------------------------------------------------

    async def _resynchronise(self) -> None:
        """Compare what we believe with what lives, and make up for what was missed."""
        await self.switch.beat()
        snapshot = await self.switch.snapshot()
        self._booted = snapshot.booted
        live = {**self.ledger.live, **{name: box.call for name, box in self._boxes.items()}}
        made = recover.plan(live, snapshot)
        for name, call in live.items():
            if name not in self._boxes:
                self._install(Mailbox(call, self))
        await self._make_up(made)
        await self._settle_floor(set(live))
        for stray in made.strays:
            await self._take_in(stray, snapshot)
        await self._refresh_phones(snapshot)
        log.info("resynchronised", live=len(live), lines=len(snapshot.lines), strays=len(made.strays))

    async def _make_up(self, made: recover.Plan) -> None:
        for name, event in made.events:
            self.post(name, event)
        for name in made.restart:
            call = self._boxes[name].call
            self.post(name, events.Restarted(self._restart(call.arrived)))
        for name in made.rejoin:
            call = self._boxes[name].call
            if call.queued is not None:
                await self.floor.do(script.join(call, call.queued))
        for name in made.hold:
            await self.switch.hold(self._boxes[name].call.line)
        for name, seat in made.adopt:
            await self._adopt(self._boxes[name], seat)

    def _restart(self, arrived: CallArrived) -> FlowRun:
        dialled = self._ivr.identify(arrived.dialled, "", (), arrived.at)
        return self._ivr.begin(dialled, self.clock.now())

    async def _adopt(self, box: Mailbox, seat: LineSnapshot) -> None:
        """A talk that the fallback queue connected becomes an ordinary one, ticket and all."""
        call, now = box.call.call, self.clock.now()
        number = str(seat.phone)
        started = TalkStarted(
            call=call,
            at=now,
            offer="",
            seat=number,
            agent=number,
            seat_line=seat.line,
            party=self.house.party(number),
            tracks=self.folder(call),
        )
        await box.keep((started,))
        self._lines[seat.line] = call
        await self.floor.do(Adopt(seat=number, call=call))

    async def _settle_floor(self, live: set[str]) -> None:
        """Calls that ended while nobody could tell the floor."""
        for name, doing in self.floor.calls().items():
            if name not in live:
                late = Abandon(call=name, reason=LeaveReason.FAILED) if doing == "waiting" else Finish(call=name)
                await self.floor.do(late)

    async def _take_in(self, stray: LineSnapshot, snapshot: Snapshot) -> None:
        """A citizen who came while we were away: connected ones stay so, the others start their flow."""
        fact = Arrived(at=snapshot.at, line=stray.line, dialled=stray.dialled, caller=stray.caller)
        seat = recover.partner(stray, {line.line: line for line in snapshot.lines})
        if seat is None:
            self._arrive(fact)
            return
        dialled = self._ivr.identify(fact.dialled, "", (), fact.at)
        box = self._open(self._arrived(fact, dialled), None)
        await box.keep((box.call.arrived,))
        await self._adopt(box, seat)

    async def _refresh_phones(self, snapshot: Snapshot) -> None:
        for phone in snapshot.reachable:
            await self.floor.do(Reachability(phone=phone, reachable=True))


def phases(service: CallService) -> dict[str, Phase]:
    """Every live call's phase, for health checks."""
    return {name: call.phase for name, call in service.ledger.live.items()}
