"""Values of the floor: what seats have, what calls need, what commands go in and which facts come out."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class SeatState(StrEnum):
    """What a signed-in seat is doing."""

    READY = "ready"  # 就绪: may be offered a call
    OFFERED = "offered"  # 振铃: one call rings here
    TALKING = "talking"  # 通话
    WRAP_UP = "wrap_up"  # 话后处理: finishing the ticket, not offered calls
    PAUSED = "paused"  # 小休/示忙: away for a stated reason


class RefuseReason(StrEnum):
    """Why an offer was not answered."""

    BUSY = "busy"
    REJECTED = "rejected"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"


class LeaveReason(StrEnum):
    """Why a call stopped waiting."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"  # the citizen hung up
    OVERFLOWED = "overflowed"
    FAILED = "failed"  # its Asterisk went down


class Need(msgspec.Struct, frozen=True, gc=False):
    """A skill at a level of at least `level` (1 to 10)."""

    skill: str
    level: int = 1


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One step of a recipe: from `after_s` seconds of waiting on, seats that meet `needs` may take the call too.

    What it needed before stays good: a step widens the choice, it never narrows it.
    """

    after_s: float
    needs: tuple[Need, ...] = ()


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The floor's times and limits. A change applies from the next decision on."""

    ring: timedelta = timedelta(seconds=15)
    """How long one offer rings (`Offered.expires_at`)."""
    grace: timedelta = timedelta(seconds=1)
    """How long after `expires_at` the floor waits for the switch's own word before it ends an offer itself."""
    wrap_up: timedelta = timedelta(seconds=30)
    retry_after: timedelta = timedelta(seconds=10)
    """How long a seat is not offered a call again that it has just refused."""
    unanswered_limit: int = 2
    """After so many offers in a row that it did not answer, a seat is paused; the reason is the last refusal's."""


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


class Abandon(Command, frozen=True, kw_only=True, tag="abandon"):
    """The citizen hung up, or the call leaves for another reason."""

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
    | EndWrapUp | Adopt | Tick
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


class Widened(FloorFact, frozen=True, kw_only=True, tag="widened"):
    """The next step of the call's recipe was taken: seats that meet `needs` may take it too."""

    call: str
    needs: tuple[Need, ...]
    nobody: bool = False
    """True: before its time, because no signed-in seat met the needs."""


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
)  # fmt: skip
