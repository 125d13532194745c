"""Values of the floor: what seats have, what calls need, what commands go in and which facts come out."""

from datetime import datetime
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


class Need(msgspec.Struct, frozen=True):
    """A skill at a level of at least `level` (1 to 10)."""

    skill: str
    level: int = 1


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="command"):
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
    """Back to ready; also ends a wrap-up early."""

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
    """Seats not to be offered this call (who has just refused it)."""


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
    """The talk is over: the seat that has this offer or call wraps up."""

    call: str


class EndWrapUp(Command, frozen=True, kw_only=True, tag="end_wrap_up"):
    seat: str


class Adopt(Command, frozen=True, kw_only=True, tag="adopt"):
    """A talk that was found alive after we were away: the seat is talking with this call."""

    seat: str
    call: str


class Tick(Command, frozen=True, kw_only=True, tag="tick"):
    """Time passed: offers and wrap-ups that are due end."""


AnyCommand = (
    SignIn | SignOut | Pause | Resume | Reachability | Join | Abandon | Answer | Refuse | Finish
    | EndWrapUp | Adopt | Tick
)  # fmt: skip


class FloorFact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact"):
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
    """The seat will pause after its present work."""

    seat: str
    reason: str


class Joined(FloorFact, frozen=True, kw_only=True, tag="joined"):
    call: str
    queue: str
    needs: tuple[Need, ...]
    priority: int
    arrived_at: datetime
    exclude: tuple[str, ...] = ()


class Offered(FloorFact, frozen=True, kw_only=True, tag="offered"):
    """The only fact that makes a phone ring."""

    offer: str
    call: str
    seat: str
    phone: str
    expires_at: datetime


class OfferRefused(FloorFact, frozen=True, kw_only=True, tag="offer_refused"):
    offer: str
    call: str
    seat: str
    reason: RefuseReason


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
    SignedIn | SignedOut | SeatChanged | ReachabilityChanged | PauseAsked | Joined | Offered | OfferRefused
    | OfferWithdrawn | Answered | LeftQueue | Finished | Adopted
)  # fmt: skip
