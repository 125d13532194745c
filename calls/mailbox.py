"""One mailbox per call: its events are decided and performed one after another, calls side by side."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog

from acd.model import AnyCommand, AnyFloorFact, Refuse, RefuseReason
from calls import events, fold, moves, moving, script
from calls.ledger import Ledger
from calls.model import AnyCallFact, CallState, Phase
from hotline.clock import Clock
from ivr.flow import FlowRun
from telephony.errors import ActionRefused, AsteriskUnreachable, LineGoneError
from telephony.model import Collected, Heard, LegAnswered, LineId, PhoneId, Unbridged
from telephony.ports import Switch

log = structlog.get_logger(__name__)


_BIRTHS = events.Begun | events.TalkFound | events.CallOut


class Floor(Protocol):
    """The part of the floor's keeper that a call needs."""

    async def do(self, command: AnyCommand) -> tuple[AnyFloorFact, ...]: ...


class Surroundings(Protocol):
    """What every mailbox shares."""

    booted: str
    """Start time of the Asterisk that we command."""

    @property
    def switch(self) -> Switch: ...
    @property
    def floor(self) -> Floor: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def house(self) -> events.House: ...
    @property
    def door(self) -> moving.Door:
        """Who may be called into talks."""
        ...

    def folder(self, call: CallState) -> str:
        """Folder of the call's tracks, relative to the data folder."""
        ...

    def absolute(self, folder: str) -> str: ...

    def prompts(self, names: Sequence[str]) -> list[str]:
        """Files of prompts, absolute, without extension; a missing one is left out and reported."""
        ...

    def expect_offer(self, offer: str, call: str) -> None:
        """News of this offer belong to this call."""
        ...

    def expect_line(self, line: LineId, call: str) -> None:
        """News of this line belong to this call."""
        ...


class Mailbox:
    """A call's inbox and the task that empties it."""

    def __init__(self, call: CallState, around: Surroundings, run: FlowRun | None = None) -> None:
        self.call = call
        self._around = around
        self._run = run
        self._inbox: deque[events.Event] = deque()
        self._floor: deque[events.FloorSaid] = deque()
        self._filled = asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._listening: asyncio.Task[None] | None = None

    def post(self, event: events.Event) -> None:
        """Take an event in. What the floor has decided is heard before anything else that waits, because the floor
        believes it already: an answer that it counted is a talk, even when the citizen left a moment later."""
        if isinstance(event, events.FloorSaid):
            self._floor.append(event)
        else:
            self._inbox.append(event)
        self._filled.set()

    async def work(self) -> None:
        """Handle events until the call has ended. One faulty event never ends the call's mailbox."""
        try:
            while self.call.phase is not Phase.ENDED:
                event = await self._next()
                try:
                    await self._handle(event)
                except (LineGoneError, AsteriskUnreachable) as error:
                    log.info("step not performed", call=self.call.call, why=type(error).__name__)
                except Exception:
                    log.exception("step failed", call=self.call.call, event_kind=type(event).__name__)
        finally:
            self._stop_listening()
            for timer in self._timers.values():
                timer.cancel()

    async def _next(self) -> events.Event:
        """The next event; facts of the floor that wait together are one word of the floor."""
        while not self._inbox and not self._floor:
            self._filled.clear()
            await self._filled.wait()
        if not self._floor:
            return self._inbox.popleft()
        facts = tuple(fact for said in self._floor for fact in said.facts)
        self._floor.clear()
        return events.FloorSaid(facts, self._around.folder(self.call))

    async def _handle(self, event: events.Event) -> None:
        around = self._around
        if isinstance(event, Unbridged):
            self.call = fold.left_bridge(self.call, event)
        if isinstance(event, LegAnswered) and self.call.back is not None and event.leg == self.call.back.leg:
            event = events.CitizenUp(event.leg, around.booted)
        if isinstance(event, LegAnswered) and event.leg == self.call.onward:
            event = events.OutsideUp(event.leg, around.folder(self.call))
        decision = script.decide(self.call, self._run, event, around.house, around.clock.now())
        if decision.run is not None:
            self._run = decision.run
        born = (self.call.arrived,) if self.call.phase is Phase.ARRIVED and isinstance(event, _BIRTHS) else ()
        if facts := (*born, *decision.facts):
            await self.keep(facts)
        for action in decision.actions:
            await self._perform(action)

    async def keep(self, facts: tuple[AnyCallFact, ...]) -> None:
        """Store facts, then believe them."""
        await self._around.ledger.record(facts)
        for fact in facts:
            self.call = fold.evolve(self.call, fact)
        if self.call.talk is not None or self.call.back is not None or self.call.onward:
            for line in self.call.party_lines:
                self._around.expect_line(line, self.call.call)

    async def _perform(self, action: events.Action) -> None:
        switch, line = self._around.switch, self.call.line
        match action:
            case events.Play(prompts, cut):
                self._listen(self._announce(prompts, cut))
            case events.Speak(prompts):
                await switch.speak(line, self._around.prompts(prompts))
            case events.Collect(prompts, keys, patience):
                files = self._around.prompts(prompts)
                self._listen(switch.collect(line, files, max_keys=keys, timeout=patience))
            case events.Hold():
                self._stop_listening()
                await switch.hold(line)
            case events.Ring():
                await self._ring(action)
            case events.StopRinging(offer):
                await switch.withdraw(offer)
            case events.Tell(command):
                await self._around.floor.do(command)
            case events.Mute(muted):
                await self._mute(muted)
            case events.Wake(tag, after):
                self._wake(tag, after)
            case events.ForgetTracks(lines):
                await self._forget(lines)
            case events.HangUp(gone, cause):
                await switch.hang_up(gone, cause)
            case moves.Announce():
                await self._say(action)
            case moves.Put(fresh=True):
                self._stop_listening()
                await self._move(action)
            case moves.Put() | moves.Arrive() | moves.Invite() | moves.Eavesdrop() | moves.Murmur() | moves.Release():
                await self._move(action)

    async def _move(self, move: moves.Move) -> None:
        around = self._around
        folder = around.absolute(self.call.tracks or around.folder(self.call))
        ring = around.house.ring_party
        rooms, door = around.switch.rooms, around.door
        await moving.perform(move, rooms, door, folder=folder, ring=ring, failed=self._never_rang)

    async def _say(self, move: moves.Announce) -> None:
        around = self._around
        folder = around.absolute(self.call.tracks or around.folder(self.call))
        await moving.announce(move, around.switch.rooms, around.prompts([move.prompt]), folder)

    async def _forget(self, lines: Sequence[LineId]) -> None:
        folder = Path(self._around.absolute(self._around.folder(self.call)))
        for line in lines:
            await asyncio.to_thread((folder / f"{line}.sln").unlink, missing_ok=True)

    def _never_rang(self, leg: LineId, why: str) -> None:
        self.post(events.NotRung(leg, why))

    async def _ring(self, ring: events.Ring) -> None:
        around = self._around
        self._stop_listening()
        offers = {offer: PhoneId(phone) for offer, phone in ring.offers}
        for offer in offers:
            around.expect_offer(offer, self.call.call)
        folder = around.absolute(ring.folder or around.folder(self.call))
        try:
            await around.switch.offer(self.call.line, offers=offers, ring=around.house.ring, track_folder=folder)
        except ActionRefused as error:
            log.warning("offer refused by the switch", call=self.call.call, offers=list(offers), why=str(error))
            for offer in offers:
                await around.floor.do(Refuse(offer=offer, reason=RefuseReason.UNREACHABLE))

    async def _mute(self, muted: bool) -> None:
        for line in self.call.party_lines:
            await self._mute_line(line, muted)

    async def _mute_line(self, line: LineId, muted: bool) -> None:
        try:
            await self._around.switch.mute_recording(line, muted=muted)
        except (ActionRefused, LineGoneError) as error:  # it is not recorded, or not yet, or no more: now the next line
            log.info("recording not muted", call=self.call.call, muted=muted, why=str(error))

    def _wake(self, tag: str, after: timedelta) -> None:
        if tag in self._timers:
            self._timers[tag].cancel()
        loop = asyncio.get_running_loop()
        self._timers[tag] = loop.call_later(after.total_seconds(), self.post, events.Woke(tag))

    async def _announce(self, prompts: Sequence[str], cut: bool) -> Collected:
        """Play what there is; a call without any sound for it goes on at once."""
        files = self._around.prompts(prompts)
        return await self._around.switch.play(self.call.line, files, cut=cut) if files else Collected(Heard.FAILED)

    def _listen(self, listening: Coroutine[Any, Any, Collected]) -> None:
        self._stop_listening()
        self._listening = asyncio.create_task(self._hear(listening), name=f"listen:{self.call.call}")

    async def _hear(self, listening: Coroutine[Any, Any, Collected]) -> None:
        try:
            collected = await listening
        except (LineGoneError, AsteriskUnreachable):
            return  # LineGone, or the resynchronisation after NodeUp, says how it goes on
        except ActionRefused as error:
            log.warning("prompt refused by the switch", call=self.call.call, why=str(error))
            collected = Collected(Heard.FAILED)
        self.post(events.Listened(collected))

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
