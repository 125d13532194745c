"""What the floor is asked to do and what happens on it: commands go in, facts come out.

The commands are in `orders`, the words in `values`; here are the facts."""

from datetime import datetime

import msgspec

from acd.orders import Abandon as Abandon
from acd.orders import Adopt as Adopt
from acd.orders import Answer as Answer
from acd.orders import AnyCommand as AnyCommand
from acd.orders import Command as Command
from acd.orders import EndWrapUp as EndWrapUp
from acd.orders import ExtendOffer as ExtendOffer
from acd.orders import ExtendWrapUp as ExtendWrapUp
from acd.orders import Finish as Finish
from acd.orders import Invite as Invite
from acd.orders import Join as Join
from acd.orders import Pause as Pause
from acd.orders import PromiseCallBack as PromiseCallBack
from acd.orders import PutOffCallBack as PutOffCallBack
from acd.orders import Reachability as Reachability
from acd.orders import Refuse as Refuse
from acd.orders import ReportAbuse as ReportAbuse
from acd.orders import ReportStrain as ReportStrain
from acd.orders import Reroute as Reroute
from acd.orders import Resume as Resume
from acd.orders import SignIn as SignIn
from acd.orders import SignOut as SignOut
from acd.orders import Tick as Tick
from acd.values import AbuseStep as AbuseStep
from acd.values import LeaveReason as LeaveReason
from acd.values import Need as Need
from acd.values import RefuseReason as RefuseReason
from acd.values import Rules as Rules
from acd.values import SeatChoice as SeatChoice
from acd.values import SeatState as SeatState
from acd.values import Step as Step
from acd.values import StepKind as StepKind
from acd.values import StrainKind as StrainKind


class FloorFact(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="fact"):
    """Something that happened on the floor. Only these are stored; replaying them gives the same floor."""

    at: datetime


class SignedIn(FloorFact, frozen=True, kw_only=True, tag="signed_in"):
    seat: str
    agent: str
    phone: str
    skills: dict[str, int]
    reachable: bool = True
    guest: bool = False


class GuestChanged(FloorFact, frozen=True, kw_only=True, tag="guest_changed"):
    """A window of a queue's plan began or ended: the seat answers for these queues from now on."""

    seat: str
    queues: tuple[str, ...]


class SignedOut(FloorFact, frozen=True, kw_only=True, tag="signed_out"):
    seat: str
    reason: str = ""


class SeatChanged(FloorFact, frozen=True, kw_only=True, tag="seat_changed"):
    """A seat went from one state to another."""

    seat: str
    state: SeatState
    previous: SeatState
    reason: str = ""
    until: datetime | None = None
    """When it ends by itself (an offer's ring, a wrap-up)."""


class ReachabilityChanged(FloorFact, frozen=True, kw_only=True, tag="reachability_changed"):
    phone: str
    reachable: bool


class PauseAsked(FloorFact, frozen=True, kw_only=True, tag="pause_asked"):
    """The seat will pause after its present work; an empty reason: it was taken back."""

    seat: str
    reason: str


class SignOutAsked(FloorFact, frozen=True, kw_only=True, tag="sign_out_asked"):
    """The seat will sign out when its present talk ends."""

    seat: str
    reason: str = ""


class Joined(FloorFact, frozen=True, kw_only=True, tag="joined"):
    call: str
    queue: str
    needs: tuple[Need, ...]
    priority: int
    arrived_at: datetime
    exclude: tuple[str, ...] = ()
    retry_at: datetime | None = None
    """When the excluded seats may be offered the call."""
    recipe: tuple[Step, ...] = ()
    called_at: datetime | None = None
    dialled: str = ""
    also: tuple[tuple[Need, ...], ...] = ()
    ring: int = 1
    caller: str = ""
    call_back: bool = False
    not_before: datetime | None = None
    kept_place: bool = False
    """It waited before: `priority` makes up for the time away."""


class TurnedAway(FloorFact, frozen=True, kw_only=True, tag="turned_away"):
    """The queue is full: the call does not wait. Say so to the caller, or send the call elsewhere."""

    call: str
    queue: str
    limit: int
    called_at: datetime | None = None
    dialled: str = ""


class Rerouted(FloorFact, frozen=True, kw_only=True, tag="rerouted"):
    """A waiting call has this queue, these needs and this priority from now on, and no recipe if its needs changed."""

    call: str
    queue: str
    needs: tuple[Need, ...] | None
    priority: int


class CallBackPromised(FloorFact, frozen=True, kw_only=True, tag="call_back_promised"):
    """The call waits without a line: say so and hang up. `Offered.call_back` tells when to dial."""

    call: str
    not_before: datetime | None = None
    caller: str = ""
    """Whose promise it is, when it is another number's citizen than the call's."""


class CallBackDue(FloorFact, frozen=True, kw_only=True, tag="call_back_due"):
    """The time before which the call-back was not to be offered has come."""

    call: str


class CallBackPutOff(FloorFact, frozen=True, kw_only=True, tag="call_back_put_off"):
    """The citizen was not reached: the call-back is offered again from then on, in its place."""

    call: str
    not_before: datetime


class PlaceForgotten(FloorFact, frozen=True, kw_only=True, tag="place_forgotten"):
    """Who hung up did not come back in time."""

    caller: str


class Raised(FloorFact, frozen=True, kw_only=True, tag="raised"):
    """A step of the recipe gave the call so many seconds more head start."""

    call: str
    by_s: int


class Prompted(FloorFact, frozen=True, kw_only=True, tag="prompted"):
    """A step of the recipe speaks to the caller, or calls another centre; the caller stays in the queue meanwhile."""

    call: str
    kind: StepKind
    prompt: str
    ahead: int
    """How many with the same demand wait before it."""
    estimate_s: float | None
    """(ahead + 1) × `Rules.handling` ÷ seats that may take it; `None`: nobody is signed in who may."""
    to: str = ""
    """For an overflow: which centre is to be called; the call waits on meanwhile, and afterwards if nobody comes."""


class AbuseReported(FloorFact, frozen=True, kw_only=True, tag="abuse_reported"):
    """Warn, call the supervisor, or end the call with its announcement. A call that was ended counts in no figure."""

    seat: str
    call: str
    step: AbuseStep
    code: str = ""


class StrainChanged(FloorFact, frozen=True, kw_only=True, tag="strain_changed"):
    """An alarm was raised, or is over: these are on from now on."""

    seat: str
    kinds: tuple[StrainKind, ...]


class Widened(FloorFact, frozen=True, kw_only=True, tag="widened"):
    """The next step of the call's recipe was taken: seats that meet `needs` may take it too."""

    call: str
    needs: tuple[Need, ...]
    nobody: bool = False
    """True: before its time, because no signed-in seat met the needs."""
    step: int = 0
    """Which of the steps that were left: those before it speak, and keep their time."""


class RetryAllowed(FloorFact, frozen=True, kw_only=True, tag="retry_allowed"):
    """The refusal pause is over: these seats may be offered the call again."""

    call: str
    seats: tuple[str, ...]


class Offered(FloorFact, frozen=True, kw_only=True, tag="offered"):
    """The only fact that makes a phone ring."""

    offer: str
    call: str
    seat: str
    phone: str
    expires_at: datetime
    """When the phone stops to ring."""
    ends_at: datetime | None = None
    """When the floor ends the offer itself if nobody reported its end (`Rules.grace` later)."""
    call_back: bool = False
    """There is no line yet: when the seat has answered, dial the citizen."""


class OfferRefused(FloorFact, frozen=True, kw_only=True, tag="offer_refused"):
    offer: str
    call: str
    seat: str
    reason: RefuseReason
    retry_at: datetime | None = None
    """When this seat may be offered this call again; until then it goes to others only."""


class OfferWithdrawn(FloorFact, frozen=True, kw_only=True, tag="offer_withdrawn"):
    """The call left, or the seat did, while it rang: stop the ringing."""

    offer: str
    call: str
    seat: str


class OfferExtended(FloorFact, frozen=True, kw_only=True, tag="offer_extended"):
    """The seat picked up a call-back: its citizen is being dialled."""

    offer: str
    call: str
    seat: str
    ends_at: datetime
    """When the floor ends the offer itself if nobody reported how it went."""


class Answered(FloorFact, frozen=True, kw_only=True, tag="answered"):
    offer: str
    call: str
    seat: str
    waited_s: float
    """Seconds from `Joined.arrived_at` to the answer."""


class LeftQueue(FloorFact, frozen=True, kw_only=True, tag="left_queue"):
    call: str
    reason: LeaveReason
    waited_s: float
    to: str = ""
    """For an overflow: which centre."""
    place_until: datetime | None = None
    """Until then the caller's place is kept."""


class Finished(FloorFact, frozen=True, kw_only=True, tag="finished"):
    call: str
    seat: str


class Adopted(FloorFact, frozen=True, kw_only=True, tag="adopted"):
    """A seat was found talking with a call after a restart."""

    seat: str
    call: str


AnyFloorFact = (
    SignedIn | SignedOut | SeatChanged | ReachabilityChanged | PauseAsked | SignOutAsked | Joined | Widened
    | RetryAllowed | Offered | OfferRefused | OfferWithdrawn | Answered | LeftQueue | Finished | Adopted
    | TurnedAway | Rerouted | CallBackPromised | CallBackDue | PlaceForgotten | Raised | Prompted | AbuseReported
    | StrainChanged | GuestChanged | OfferExtended | CallBackPutOff
)  # fmt: skip
