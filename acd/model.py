"""What the floor is asked to do and what happens on it: commands go in, facts come out. Its words are in `values`."""

from datetime import datetime

import msgspec

from acd.values import AbuseStep as AbuseStep
from acd.values import LeaveReason as LeaveReason
from acd.values import Need as Need
from acd.values import RefuseReason as RefuseReason
from acd.values import Rules as Rules
from acd.values import SeatChoice as SeatChoice
from acd.values import SeatState as SeatState
from acd.values import Step as Step
from acd.values import StepKind as StepKind


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="command"):
    """What the floor is asked to do. A late or repeated command yields no facts."""


class SignIn(Command, frozen=True, kw_only=True, tag="sign_in"):
    """Open a seat for an agent. A second sign-in of a seat updates its skills."""

    seat: str
    agent: str
    phone: str
    skills: dict[str, int]
    reachable: bool = True


class SignOut(Command, frozen=True, kw_only=True, tag="sign_out"):
    seat: str
    reason: str = ""


class Pause(Command, frozen=True, kw_only=True, tag="pause"):
    """Takes effect at once, or after the present talk and wrap-up."""

    seat: str
    reason: str


class Resume(Command, frozen=True, kw_only=True, tag="resume"):
    """Back to ready; also ends a wrap-up early, and takes back a pause that was asked for."""

    seat: str


class Reachability(Command, frozen=True, kw_only=True, tag="reachability"):
    """The seat's phone registered or vanished."""

    phone: str
    reachable: bool


class Join(Command, frozen=True, kw_only=True, tag="join"):
    """A call starts to wait."""

    call: str
    queue: str
    needs: tuple[Need, ...] = ()
    priority: int = 0
    """Seconds of head start over calls of priority 0: a constant rate of ageing keeps the order static."""
    arrived_at: datetime | None = None
    """When it began to wait, if that was earlier (a re-queued or re-adopted call keeps its place)."""
    exclude: tuple[str, ...] = ()
    """Seats that have just refused this call: not offered it for `Rules.retry_after`."""
    recipe: tuple[Step, ...] = ()
    """What widens while it waits, in this order; times count from `arrived_at`. A step is taken at once while no
    signed-in seat meets the needs."""
    called_at: datetime | None = None
    """When the call reached the hotline, before any menu: the clock of the 15-second answer from arrival."""
    dialled: str = ""
    """The published number by which it came, for figures per number. Never the citizen's number."""
    also: tuple[tuple[Need, ...], ...] = ()
    """Other demands of which one is enough as well; earlier ones are preferred (`expressions.parse`)."""
    prefer: tuple[str, ...] = ()
    """Agents who get it first when they meet the needs: of the citizen's open ticket, or asked for by their number."""
    prefer_s: float = 0
    """How long it waits for them alone while one of them is signed in; 0: only while one of them is idle."""
    ring: int = 1
    """So many seats ring at once when so many are idle; the first answer wins."""
    caller: str = ""
    """Who calls, as an opaque mark: for places that are kept and call-backs. Never the citizen's number."""
    call_back: bool = False
    """There is no line: the citizen is to be called (again) when a seat has answered."""
    not_before: datetime | None = None
    """For a call-back: not offered before then."""
    returns: bool = False
    """It waited or talked before: a full queue takes it in."""


class Reroute(Command, frozen=True, kw_only=True, tag="reroute"):
    """Give a waiting call another queue, other needs or another priority; `None`: as it was. It keeps its arrival."""

    call: str
    queue: str | None = None
    needs: tuple[Need, ...] | None = None
    priority: int | None = None


class PromiseCallBack(Command, frozen=True, kw_only=True, tag="promise_call_back"):
    """The citizen accepted to be called back: the call keeps its place without a line. One per `caller` and queue."""

    call: str
    not_before: datetime | None = None


class ExtendWrapUp(Command, frozen=True, kw_only=True, tag="extend_wrap_up"):
    """More time to finish the ticket, at most `Rules.wrap_up_extensions` times."""

    seat: str
    by_s: float


class ReportAbuse(Command, frozen=True, kw_only=True, tag="report_abuse"):
    """The next step with a citizen who insults; nothing is left out and nothing taken back."""

    seat: str
    step: AbuseStep
    code: str = ""


class Abandon(Command, frozen=True, kw_only=True, tag="abandon"):
    """The citizen hung up, or the call leaves for another reason. Hanging up does not end a promised call-back."""

    call: str
    reason: LeaveReason = LeaveReason.ABANDONED


class Answer(Command, frozen=True, kw_only=True, tag="answer"):
    offer: str


class Refuse(Command, frozen=True, kw_only=True, tag="refuse"):
    """The offer was not answered: the next seat is offered at once, the call keeps its place."""

    offer: str
    reason: RefuseReason


class Finish(Command, frozen=True, kw_only=True, tag="finish"):
    """The talk is over: the seats that talk with this call wrap up."""

    call: str
    seat: str = ""
    """Only this seat's part of the talk is over (it left a three-way); empty: everybody's."""


class EndWrapUp(Command, frozen=True, kw_only=True, tag="end_wrap_up"):
    seat: str


class Adopt(Command, frozen=True, kw_only=True, tag="adopt"):
    """A talk that was found alive (after we were away, or answered too late for its offer): it is the truth.

    The call stops waiting, and what the seat was believed to do ends."""

    seat: str
    call: str


class Tick(Command, frozen=True, kw_only=True, tag="tick"):
    """Time passed: offers, wrap-ups and refusal pauses that are due end, and recipes go on."""


AnyCommand = (
    SignIn | SignOut | Pause | Resume | Reachability | Join | Abandon | Answer | Refuse | Finish
    | EndWrapUp | Adopt | Tick | Reroute | PromiseCallBack | ExtendWrapUp | ReportAbuse
)  # fmt: skip


class FloorFact(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="fact"):
    """Something that happened on the floor. Only these are stored; replaying them gives the same floor."""

    at: datetime


class SignedIn(FloorFact, frozen=True, kw_only=True, tag="signed_in"):
    seat: str
    agent: str
    phone: str
    skills: dict[str, int]
    reachable: bool = True


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


class CallBackDue(FloorFact, frozen=True, kw_only=True, tag="call_back_due"):
    """The time before which the call-back was not to be offered has come."""

    call: str


class PlaceForgotten(FloorFact, frozen=True, kw_only=True, tag="place_forgotten"):
    """Who hung up did not come back in time."""

    caller: str


class Raised(FloorFact, frozen=True, kw_only=True, tag="raised"):
    """A step of the recipe gave the call so many seconds more head start."""

    call: str
    by_s: int


class Prompted(FloorFact, frozen=True, kw_only=True, tag="prompted"):
    """A step of the recipe speaks to the caller, who stays in the queue meanwhile."""

    call: str
    kind: StepKind
    prompt: str
    ahead: int
    """How many with the same demand wait before it."""
    estimate_s: float | None
    """(ahead + 1) × `Rules.handling` ÷ seats that may take it; `None`: nobody is signed in who may."""


class AbuseReported(FloorFact, frozen=True, kw_only=True, tag="abuse_reported"):
    """Warn, call the supervisor, or end the call with its announcement. A call that was ended counts in no figure."""

    seat: str
    call: str
    step: AbuseStep
    code: str = ""


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
)  # fmt: skip
