"""After an absence: what lives at the switch is compared with the ledger, and what was missed is made up for.

Nothing that still has a line is dropped: waiting citizens keep their place, talks go on as they are, and
whoever came meanwhile becomes an ordinary call.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from acd.model import Abandon, Adopt, CallBackPromised, Finish, LeaveReason, Offered, Reachability
from acd.records import Offer
from calls import events, recover, several
from calls.mailbox import Floor, Mailbox, Surroundings
from calls.model import CallArrived, Phase
from ivr.flow import FlowRun
from ivr.model import Dialled
from telephony.model import Arrived, LineId, LineSnapshot, Snapshot

log = structlog.get_logger(__name__)


class Numbers(Protocol):
    """The part of the IVR that begins a call."""

    def identify(self, request: str, to: str, diversions: Sequence[str], at: datetime) -> Dialled: ...

    def begin(self, dialled: Dialled, at: datetime) -> FlowRun: ...


class Believing(Floor, Protocol):
    """The floor's keeper, and what it believes."""

    def calls(self) -> dict[str, str]:
        """Calls that the floor knows: call id → `waiting` or `talking`."""
        ...

    def seat_at(self, phone: str) -> str:
        """The seat that is signed in at a phone; the phone's own number when nobody is."""
        ...

    def offers(self) -> tuple[Offer, ...]:
        """Offers that are open."""
        ...

    def phones(self) -> set[str]:
        """Phones of signed-in seats."""
        ...

    def call_backs(self) -> tuple[str, ...]:
        """Calls that wait without a line."""
        ...


class Controller(Surroundings, Protocol):
    """The controller of one node's calls, as a takeover needs it."""

    @property
    def boxes(self) -> dict[str, Mailbox]: ...
    @property
    def lines(self) -> dict[LineId, str]: ...
    @property
    def floor(self) -> Believing: ...
    @property
    def ivr(self) -> Numbers: ...

    def post(self, call: str, event: events.Event) -> bool: ...

    def install(self, box: Mailbox) -> Mailbox: ...

    def open(self, arrived: CallArrived, run: FlowRun | None) -> Mailbox: ...

    def arrive(self, fact: Arrived) -> None: ...

    def arrived(self, fact: Arrived, dialled: Dialled) -> CallArrived: ...


async def resynchronise(service: Controller) -> None:
    """Compare what we believe with what lives, and make up for what was missed.

    Raises:
        AsteriskUnreachable: it went away again; the next `NodeUp` starts anew.
    """
    await service.switch.beat()
    snapshot = await service.switch.snapshot()
    service.booted = snapshot.booted
    live = {**service.ledger.live, **{name: box.call for name, box in service.boxes.items()}}
    made = recover.plan(live, snapshot)
    for name, call in live.items():
        if name not in service.boxes:
            service.install(Mailbox(call, service))
    await _make_up(service, made)
    await _settle_floor(service)
    for stray in made.strays:
        await _take_in(service, stray, snapshot)
    await _refresh_phones(service, snapshot)
    log.info("resynchronised", live=len(live), lines=len(snapshot.lines), strays=len(made.strays))


async def _make_up(service: Controller, made: recover.Plan) -> None:
    for name, event in made.events:
        service.post(name, event)
    for name in made.restart:
        service.post(name, events.Restarted(_restart(service, service.boxes[name].call.arrived)))
    for name in made.rejoin:
        call = service.boxes[name].call
        if call.queued is not None:
            await service.floor.do(several.join(call, call.queued))
    for name in made.hold:
        await service.switch.hold(service.boxes[name].call.line)
    for name, seat in made.adopt:
        _adopt(service, service.boxes[name], seat)


def _restart(service: Controller, arrived: CallArrived) -> FlowRun:
    dialled = service.ivr.identify(arrived.dialled, "", (), arrived.at)
    return service.ivr.begin(dialled, service.clock.now())


def _adopt(service: Controller, box: Mailbox, seat: LineSnapshot) -> None:
    """A talk that began without us becomes an ordinary one, ticket and all."""
    number = service.floor.seat_at(str(seat.phone))
    service.lines[seat.line] = box.call.call
    box.post(events.TalkFound(number, seat.line, service.folder(box.call)))


async def _settle_floor(service: Controller) -> None:
    """Where a call and the floor were parted between two of their facts, the call's own come first."""
    for name, doing in service.floor.calls().items():
        if (late := _late(service, name, doing)) is not None:
            await service.floor.do(late)
    for name in service.floor.call_backs():
        box = service.boxes.get(name)
        if box is not None and box.call.back is None and box.call.phase is Phase.QUEUED:  # promised, and not yet said
            promise = CallBackPromised(at=service.clock.now(), call=name)
            box.post(events.FloorSaid((promise,), service.folder(box.call)))
    for offer in service.floor.offers():
        box = service.boxes.get(offer.call)
        if box is not None and offer.offer not in box.call.offers:  # it was offered, and nobody let the phone ring
            at, ends = offer.since, offer.expires_at
            again = Offered(
                at=at, offer=offer.offer, call=offer.call, seat=offer.seat, phone=offer.phone, expires_at=ends
            )
            box.post(events.FloorSaid((again,)))


def _late(service: Controller, name: str, doing: str) -> Abandon | Adopt | Finish | None:
    box = service.boxes.get(name)
    if box is None:
        return Abandon(call=name, reason=LeaveReason.FAILED) if doing == "waiting" else Finish(call=name)
    if box.call.phase is Phase.CLOSING:
        return Abandon(call=name) if doing == "waiting" else Finish(call=name)
    talks = box.call.phase is Phase.TALKING and doing == "waiting"
    if talks and not box.call.seat:  # another centre has it
        return Abandon(call=name, reason=LeaveReason.OVERFLOWED, to=box.call.onward_to)
    return Adopt(seat=box.call.seat, call=name) if talks else None


async def _take_in(service: Controller, stray: LineSnapshot, snapshot: Snapshot) -> None:
    """A citizen who came while we were away: connected ones stay so, the others start their flow."""
    fact = Arrived(at=snapshot.at, line=stray.line, dialled=stray.dialled, caller=stray.caller)
    seat = recover.partner(stray, {line.line: line for line in snapshot.lines})
    if seat is None:
        service.arrive(fact)
        if stray.place == "fallback":  # whose queue records
            service.post(service.lines[stray.line], events.TrackFound(stray.line))
        return
    dialled = service.ivr.identify(fact.dialled, "", (), fact.at)
    box = service.open(service.arrived(fact, dialled), None)
    _adopt(service, box, seat)


async def _refresh_phones(service: Controller, snapshot: Snapshot) -> None:
    """Phones that came or vanished while we were away."""
    for phone in snapshot.reachable:
        await service.floor.do(Reachability(phone=phone, reachable=True))
    for vanished in service.floor.phones() - {str(phone) for phone in snapshot.reachable}:
        await service.floor.do(Reachability(phone=vanished, reachable=False))
