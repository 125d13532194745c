"""A call as the hotline sees it: its phases, the facts that are kept of it, and the state they fold into.

Only facts are stored (stream `calls:NODE` of the event log); the state, the call's row, its ticket and its
recording are projections of them. Asterisk's channels do not appear here, only lines.
"""

from datetime import datetime

import msgspec

from acd.model import AbuseStep, Need, Step, StepKind
from calls.back import Asking, Back, Stage
from calls.legs import Party as Party  # whose voice a line carries
from calls.legs import Talk
from calls.orders import PassedOver, Purpose
from calls.words import Onwards as Onwards
from calls.words import Outcome as Outcome
from calls.words import Phase as Phase
from calls.words import RatedAspect as RatedAspect
from calls.words import Rating as Rating
from telephony.model import LineId


class CallFact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact"):
    """Something that happened to one call."""

    call: str
    at: datetime


class CallArrived(CallFact, frozen=True, kw_only=True, tag="call_arrived"):
    line: LineId
    dialled: str
    """The number as the catalogue writes it; the digits as they came when nobody declared it."""
    declared: bool
    caller: str = ""
    """Normalised calling number, empty when withheld. Personal data."""
    mark: str = ""
    """What stands for that number on the floor; not reversible, empty when withheld."""
    via: str = ""
    """Which part of the request named the number: `request`, `to`, `diversion`."""
    merge_mode: str = ""
    owner_unit: str = ""
    line_name: str = ""
    region: str = ""
    class_hint: str = ""
    flow: str = ""
    booted: str = ""
    """Start time of the Asterisk that holds the line: it dies with it."""


class Stepped(CallFact, frozen=True, kw_only=True, tag="stepped"):
    """The flow went on to another node. Which key led there is not kept beyond the node itself."""

    node: str
    heard: str = ""


class Dismissed(CallFact, frozen=True, kw_only=True, tag="dismissed"):
    """The flow came to its stated end without a human."""

    reason: str = ""


class Queued(CallFact, frozen=True, kw_only=True, tag="queued"):
    queue: str
    needs: tuple[Need, ...] = ()
    priority: int = 0
    recipe: tuple[Step, ...] = ()
    ring: int = 1
    """So many seats ring at once; the first that answers has the citizen."""
    topic: str = ""
    """What the caller chose in a menu, for whoever answers."""
    also: tuple[tuple[Need, ...], ...] = ()
    """Other demands of which one is enough as well."""
    prefer: tuple[str, ...] = ()
    """Agents who get it first: asked for by the caller, or of the citizen's open tickets."""
    prefer_s: float = 0
    """So long it waits for them alone."""
    back: str = ""
    """The seat whose page was lost in the middle of the talk, which may be back in a moment."""


class Announced(CallFact, frozen=True, kw_only=True, tag="announced"):
    """Something was said to the citizen who waits: the place and the estimated wait as they were told, or a prompt."""

    kind: StepKind
    prompt: str = ""
    ahead: int = 0
    estimate_s: float | None = None


class Remembered(CallFact, frozen=True, kw_only=True, tag="remembered"):
    """Agents who took tickets of this citizen that are still open, the newest first."""

    agents: tuple[str, ...]


class Ringing(CallFact, frozen=True, kw_only=True, tag="ringing"):
    """A seat rings; beside others where the queue lets several ring."""

    offer: str
    seat: str
    phone: str


class OfferMissed(CallFact, frozen=True, kw_only=True, tag="offer_missed"):
    """An offer ended without a talk; the call waits on in its place."""

    offer: str
    seat: str
    reason: str
    others: int = 0
    """So many seats ring on."""


class PickedUp(CallFact, frozen=True, kw_only=True, tag="picked_up"):
    """The seat's phone answered; the floor has the last word on whether the talk counts."""

    offer: str
    seat_line: LineId


class TalkStarted(CallFact, frozen=True, kw_only=True, tag="talk_started"):
    """A seat answered. The ticket is born here."""

    offer: str
    seat: str
    agent: str
    seat_line: LineId = LineId("")
    """Given only when it was found after we were away; otherwise `PickedUp` told it."""
    party: Party = Party.OPERATOR
    tracks: str = ""
    """Folder of the recording's tracks, relative to the data folder."""


class TrackOpened(CallFact, frozen=True, kw_only=True, tag="track_opened"):
    """Recording of one party began."""

    line: LineId
    party: Party
    agent: str = ""
    seen: bool = True
    """False: nobody saw it begin; its end is what aligns it."""


class RecordingMuted(CallFact, frozen=True, kw_only=True, tag="recording_muted"):
    """The recording became silent (keys are being pressed), or is whole again."""

    muted: bool


class TalkChanged(CallFact, frozen=True, kw_only=True, tag="talk_changed"):
    """Who takes part in the talk, and how, became different."""

    what: str
    """What was asked (`consult`, `merge`, …) or heard (`answered`, `gone`, …)."""
    talk: Talk
    """Everybody from now on."""
    by: str = ""
    """The seat that asked for it."""
    missed: LineId = LineId("")
    """Who was called and did not come."""
    why: str = ""
    """Why not: `busy`, `no_answer`, …"""


class PartyAsked(CallFact, frozen=True, kw_only=True, tag="party_asked"):
    """Somebody who is not a seat named by its number was asked for: a unit's expert, an emergency line, another one."""

    ask: str
    """The first line that is called for it; something else that is unique when nobody could be called."""
    by: str
    purpose: Purpose
    unit: str = ""
    number: str = ""
    private: bool = True
    callees: int = 0
    """How many can be called, one after the other."""
    passed_over: tuple[PassedOver, ...] = ()
    unclear: bool = False
    """Of an emergency line: called to find out whose matter it is."""


class AbuseNoted(CallFact, frozen=True, kw_only=True, tag="abuse_noted"):
    """A seat reported how far it went with a citizen who insults."""

    seat: str
    step: AbuseStep
    code: str = ""


class TalkEnded(CallFact, frozen=True, kw_only=True, tag="talk_ended"):
    by: Party | None = None
    """Who hung up; nothing when nobody knows."""


class RatingAsked(CallFact, frozen=True, kw_only=True, tag="rating_asked"):
    """The seat has hung up, and the citizen is asked how it was."""

    aspect: RatedAspect


class Rated(CallFact, frozen=True, kw_only=True, tag="rated"):
    """The citizen answered, or did not."""

    aspect: RatedAspect
    rating: Rating | None = None


class CallBackAsked(CallFact, frozen=True, kw_only=True, tag="call_back_asked"):
    """The citizen who waits is asked about a call-back."""

    stage: Stage
    number: str = ""
    """What a yes would be about. Personal data."""


class CallBackPromised(CallFact, frozen=True, kw_only=True, tag="call_back_promised"):
    """From now on the call waits without a line."""

    number: str
    """Whom to dial. Personal data."""
    owed: str = ""
    """The earlier call that somebody makes up for by this one; empty for a promise."""
    tracks: str = ""
    mark: str = ""  # as in `Back`


class LineLeft(CallFact, frozen=True, kw_only=True, tag="line_left"):
    """The citizen who was promised a call-back has hung up."""


class CitizenDialled(CallFact, frozen=True, kw_only=True, tag="citizen_dialled"):
    """The seat has picked up, and the citizen's telephone is called."""

    leg: LineId
    seat: str
    owed: str
    """The call that the attempt is noted with: this one, or an earlier one."""


class CitizenMissed(CallFact, frozen=True, kw_only=True, tag="citizen_missed"):
    """He was not reached, or the seat hung up before."""

    leg: LineId
    result: str
    """`busy`, `no_answer`, `rejected`, `unreachable`, `seat_left`, or what the guard says."""
    counted: bool = True
    """Whether it was a try: a guard that says no for now is none."""
    again_at: datetime | None = None
    """When he is called next; nothing: not by us. Then it is a task for people."""
    owed: str = ""
    number: str = ""
    """Of the last one: whom people are to call. Personal data."""


class CitizenReached(CallFact, frozen=True, kw_only=True, tag="citizen_reached"):
    """He answered: this is his line from now on."""

    leg: LineId
    booted: str = ""


class OnwardDialled(CallFact, frozen=True, kw_only=True, tag="onward_dialled"):
    """The citizen is to be connected with somebody outside without a seat of ours, and that line is called."""

    leg: LineId
    number: str
    """As the catalogue writes it."""
    why: Onwards


class OnwardMissed(CallFact, frozen=True, kw_only=True, tag="onward_missed"):
    """Nobody came, or nobody is needed any more (`cancelled`): the citizen waits, or the flow goes its own way on."""

    leg: LineId
    result: str


class OnwardReached(CallFact, frozen=True, kw_only=True, tag="onward_reached"):
    """The line outside answered: `TalkStarted` and `TalkChanged` follow."""

    leg: LineId


class CallEnded(CallFact, frozen=True, kw_only=True, tag="call_ended"):
    outcome: Outcome
    phase: Phase
    """The phase it ended in."""
    cause: int = 16


AnyCallFact = (
    CallArrived | Stepped | Dismissed | Queued | Ringing | OfferMissed | PickedUp | TalkStarted | TrackOpened
    | RecordingMuted | TalkChanged | PartyAsked | TalkEnded | CallEnded
    | Announced | RatingAsked | Rated | AbuseNoted | Remembered
    | CallBackAsked | CallBackPromised | LineLeft | CitizenDialled | CitizenMissed | CitizenReached
    | OnwardDialled | OnwardMissed | OnwardReached
)  # fmt: skip


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One seat that rings."""

    offer: str
    seat: str
    phone: str


class CallState(msgspec.Struct, frozen=True, kw_only=True):
    """What the facts of one call fold into."""

    call: str
    line: LineId
    phase: Phase
    booted: str
    arrived_at: datetime
    arrived: CallArrived
    node: str = ""
    own: tuple[str, ...] = ()
    """Agents who know the citizen's open matters."""
    queued: Queued | None = None
    queued_at: datetime | None = None
    offer: str = ""
    seat: str = ""
    phone: str = ""
    others: tuple[Rung, ...] = ()
    """Seats that ring beside that one."""
    taken_back: tuple[str, ...] = ()
    """Offers that ended while others rang on."""
    agent: str = ""
    seat_line: LineId = LineId("")
    tracks: str = ""
    opened: tuple[LineId, ...] = ()
    """Lines whose recording began."""
    answered_at: datetime | None = None
    talk: Talk | None = None
    """Everybody in it, once others than citizen and operator are or were."""
    saying: bool = False
    """Something is said to the citizen who waits; music goes on afterwards."""
    dismissed: str = ""
    """Why the call was brought to an end without a human."""
    asked: RatedAspect | None = None
    """What the citizen was asked last after the talk."""
    rated: bool = False
    """That was answered, or not; nothing more is asked."""
    muted: bool = False
    """The recording is silent just now because keys are being pressed."""
    asking: Asking | None = None
    """What the citizen who waits was asked about a call-back."""
    back: Back | None = None
    """The citizen is to be called back, or was."""
    onward: LineId = LineId("")
    """The line outside that is called for the citizen alone; empty once it has come or given up."""
    onward_to: str = ""
    """Its number."""
    onwards: int = 0
    """How many were called so."""
    left_first: LineId = LineId("")
    """The line that left the talk first; known only to the process that saw it."""

    @property
    def rung(self) -> tuple[Rung, ...]:
        """Every seat that rings, and once it talks that one."""
        return (Rung(offer=self.offer, seat=self.seat, phone=self.phone), *self.others) if self.offer else ()

    @property
    def offers(self) -> tuple[str, ...]:
        """Every offer that is open, and once it talks that one."""
        return tuple(one.offer for one in self.rung)

    @property
    def rings(self) -> tuple[tuple[str, str], ...]:
        """Offers and their phones."""
        return tuple((one.offer, one.phone) for one in self.rung)

    @property
    def seats(self) -> frozenset[str]:
        """Every seat that the call rings at or talks with."""
        several = () if self.talk is None else (leg.seat for leg in self.talk.legs)
        return frozenset(seat for seat in (self.seat, *(one.seat for one in self.rung), *several) if seat)

    @property
    def party_lines(self) -> tuple[LineId, ...]:
        """Every line of the call."""
        several = () if self.talk is None else tuple(leg.line for leg in self.talk.legs)
        called = () if self.back is None else (self.seat_leg, self.back.leg)
        lines = (self.line, self.seat_line, self.onward, *called, *several)
        return tuple(dict.fromkeys(line for line in lines if line))

    @property
    def waits_for_call(self) -> bool:
        """It has no line of its own: the citizen is to be called back."""
        return self.back is not None and not self.back.reached

    @property
    def seat_leg(self) -> LineId:
        """The line of the seat that rings for a call-back; empty while none does."""
        return LineId(f"{self.offer}_s" if self.waits_for_call and self.offer else "")
