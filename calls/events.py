"""What a call's script hears (events), orders (actions) and decides. Values only."""

from collections.abc import Callable, Container
from datetime import timedelta
from typing import Protocol

import msgspec

from acd.model import AnyCommand, AnyFloorFact, Need
from acd.plans import QueuePlan
from calls.back import BackRules, clock_hours
from calls.model import AnyCallFact, CallState, Party
from calls.moves import Move
from calls.orders import Command, Found, Sought
from hotline.settings import Settings
from ivr.flow import FlowRun
from telephony.model import (
    Collected,
    KeyPressed,
    LegAnswered,
    LegFailed,
    LineGone,
    LineId,
    OfferEnded,
    ReturnedLine,
    SeatAnswered,
    TrackStarted,
    Unbridged,
)

PROMISE = "promise"
UNMUTE = "unmute"
CLOSE = "close"


class Plans(Protocol):
    """Queues' plans."""

    @property
    def remembers(self) -> bool:
        """Whether any queue prefers the agent of a citizen's open ticket."""
        ...

    def of(self, queue: str) -> QueuePlan: ...


def _nobody(_number: str) -> str:
    return ""


class House(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every call of this installation."""

    ring: timedelta
    bye: str
    """Prompt that ends a talk."""
    mute_after_key: timedelta = timedelta(seconds=1.5)
    """How long the recording stays silent after a key, so that a typed card number is not kept; zero:
    keys change nothing."""
    closing: timedelta = timedelta(seconds=10)
    """A citizen whose talk is over and whose line nobody returned is hung up after this."""
    hold: timedelta = timedelta(minutes=3)
    """Longest time on hold in a talk of several."""
    ring_party: timedelta = timedelta(seconds=25)
    """How long somebody rings who is called into a talk."""
    page_back: timedelta = timedelta(seconds=8)
    """A citizen whose seat's page is gone waits so long for the page, and then so long for that seat alone. A page that
    was loaded anew is back in two seconds."""
    experts: Container[str] = frozenset()
    """Seats that experts sit at, as known now."""
    general: tuple[Need, ...] = (Need("general"),)
    """What a call needs that asks for nothing in particular: somebody who is there for everybody."""
    anyone_after: timedelta = timedelta(seconds=60)
    """From then on whoever is signed in may take it; at once while nobody of the general seats is."""

    plans: Plans | None = None
    """How each queue treats its calls, as known now; nothing: no queue does anything of its own."""
    can_dial: bool = False
    """Whether there is a way out."""
    back: BackRules = BackRules()
    """How citizens are called back."""
    mark: Callable[[str], str] = _nobody
    """What stands for a citizen's number on the floor."""
    rating: timedelta = timedelta(seconds=5)
    """How long a key is waited for after each question about the talk."""

    @classmethod
    def of(cls, settings: Settings, experts: Container[str], plans: Plans) -> "House":
        """As the settings say."""
        muting, back = settings.mute_after_key, BackRules.of(settings)
        return cls(
            ring=settings.ring,
            bye="bye",
            hold=timedelta(seconds=settings.longest_hold_seconds),
            ring_party=timedelta(seconds=settings.ring_party_seconds),
            experts=experts,
            mute_after_key=muting,
            plans=plans,
            back=back,
            can_dial=bool(settings.trunk_host),
        )

    def plan(self, queue: str) -> QueuePlan:
        return QueuePlan() if self.plans is None else self.plans.of(queue)

    def back_of(self, call: CallState) -> BackRules:
        """How this call's citizen is called back: the queue may have hours of its own."""
        hours = self.plan(call.queued.queue).call_back_hours if call.queued is not None else ""
        return msgspec.structs.replace(self.back, queue_hours=clock_hours(hours)) if hours else self.back

    @property
    def remembers(self) -> bool:
        return self.plans is not None and self.plans.remembers

    def party(self, seat: str) -> Party:
        return Party.EXPERT if seat in self.experts else Party.OPERATOR


class Begun(msgspec.Struct, frozen=True):
    """A new call, with the flow that its number starts."""

    run: FlowRun


class Restarted(msgspec.Struct, frozen=True):
    """We were away while the citizen listened to the flow: it begins again."""

    run: FlowRun


class OwnFound(msgspec.Struct, frozen=True):
    """Who took the citizen's open tickets."""

    agents: tuple[str, ...]


class FloorSaid(msgspec.Struct, frozen=True):
    """Facts of the floor that concern this call, in order."""

    facts: tuple[AnyFloorFact, ...]
    folder: str = ""
    """Where tracks go if it is offered now, relative to the data folder."""


class Listened(msgspec.Struct, frozen=True):
    """A prompt or a menu came to its end."""

    collected: Collected


class Woke(msgspec.Struct, frozen=True):
    """A wake-up asked for earlier."""

    tag: str


class NodeLost(msgspec.Struct, frozen=True):
    """The Asterisk that held this call is gone, and the call with it."""


class TalkFound(msgspec.Struct, frozen=True):
    """The citizen talks with a seat, and nobody saw it begin: the fallback connected them, or we were away."""

    seat: str
    seat_line: LineId
    folder: str
    """Where its tracks lie, relative to the data folder."""


class TrackFound(msgspec.Struct, frozen=True):
    """A line is being recorded, and nobody saw it begin."""

    line: LineId


class Asked(msgspec.Struct, frozen=True):
    """Somebody with the right to do so asks something of the talk."""

    command: Command | Sought


class CallOut(msgspec.Struct, frozen=True):
    """Somebody of ours took a task: the citizen of an earlier call is called from this seat."""

    seat: str
    owed: str
    """That earlier call."""
    number: str
    folder: str


class CitizenUp(msgspec.Struct, frozen=True):
    """The citizen who was called back answered."""

    leg: LineId
    booted: str


class OutsideUp(msgspec.Struct, frozen=True):
    """The line outside that was called for the citizen alone has answered."""

    leg: LineId
    folder: str
    """Where tracks go, relative to the data folder."""


class NotRung(msgspec.Struct, frozen=True):
    """Somebody who was to be called into the talk could not be, or may not be."""

    leg: LineId
    why: str


class PageGone(msgspec.Struct, frozen=True):
    """The page that a seat talks in is closed or loaded anew; its line is still up, and nobody is there."""

    seat: str


class PageBack(msgspec.Struct, frozen=True):
    """A page of that seat is there again, with a telephone that can be rung."""

    seat: str


class PartiesFound(msgspec.Struct, frozen=True):
    """After we were away: who of a talk of several is still there."""

    found: Found
    displaced: frozenset[LineId] = frozenset()
    """Lines that are not where the ledger says."""


class Ordered(msgspec.Struct, frozen=True):
    """A person with the right to do so ends the call, or with it only the part of one who talks."""

    cause: int = 16
    line: LineId = LineId("")
    """Only this line is hung up, as if its phone had been; empty: the citizen's."""


Event = (
    Begun | Restarted | FloorSaid | Listened | Woke | NodeLost | Ordered | TalkFound | TrackFound | Asked
    | PageGone | PageBack | PartiesFound | NotRung | LegAnswered | LegFailed | CallOut | CitizenUp | OutsideUp
    | OwnFound | SeatAnswered | OfferEnded | LineGone | ReturnedLine | TrackStarted | KeyPressed | Unbridged
)  # fmt: skip


class Play(msgspec.Struct, frozen=True):
    prompts: tuple[str, ...]
    cut: bool = False
    """A key cuts it short."""


class Speak(msgspec.Struct, frozen=True):
    """Say something into the talk that goes on."""

    prompts: tuple[str, ...]


class Collect(msgspec.Struct, frozen=True):
    prompts: tuple[str, ...]
    max_keys: int
    timeout: timedelta


class Hold(msgspec.Struct, frozen=True):
    """Music for the citizen; a ringing seat stops."""


class Ring(msgspec.Struct, frozen=True):
    """The phones of these offers ring, all at once; nothing else rings for the call any more."""

    offers: tuple[tuple[str, str], ...]
    """Offer and phone."""
    folder: str = ""
    """Where tracks go, relative to the data folder; empty: where the call's always do."""


class StopRinging(msgspec.Struct, frozen=True):
    """One of several phones stops; the others ring on."""

    offer: str


class Tell(msgspec.Struct, frozen=True):
    """A command for the floor."""

    command: AnyCommand


class Mute(msgspec.Struct, frozen=True):
    muted: bool


class Wake(msgspec.Struct, frozen=True):
    """Come back with `Woke(tag)`; a later wake-up with the same tag replaces this one."""

    tag: str
    after: timedelta


class ForgetTracks(msgspec.Struct, frozen=True):
    """What was recorded of these lines is nobody's talk."""

    lines: tuple[LineId, ...]


class HangUp(msgspec.Struct, frozen=True):
    line: LineId
    cause: int = 16


Action = Play | Speak | Collect | Hold | Ring | StopRinging | Tell | Mute | Wake | HangUp | ForgetTracks | Move


class Decision(msgspec.Struct, frozen=True):
    """Facts to append first, then actions to perform in order."""

    facts: tuple[AnyCallFact, ...] = ()
    actions: tuple[Action, ...] = ()
    run: FlowRun | None = None
    """The flow from now on; nothing: unchanged."""
