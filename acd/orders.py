"""What the floor is asked to do. What comes of it is in `model`."""

from datetime import datetime

import msgspec

from acd.values import AbuseStep, LeaveReason, Need, RefuseReason, Step, StrainKind


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="command"):
    """What the floor is asked to do. A late or repeated command yields no facts."""


class SignIn(Command, frozen=True, kw_only=True, tag="sign_in"):
    """Open a seat for an agent. A second sign-in of a seat updates its skills."""

    seat: str
    agent: str
    phone: str
    skills: dict[str, int]
    reachable: bool = True
    guest: bool = False
    """It gets calls only as a guest (`Invite`), whatever its skills."""


class Invite(Command, frozen=True, kw_only=True, tag="invite"):
    """The queues that the seat answers for as a guest, from now on; a call that rings there by nothing else goes on."""

    seat: str
    queues: tuple[str, ...]


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
    """The citizen accepted to be called back: the call keeps its place without a line. One per `caller`."""

    call: str
    not_before: datetime | None = None
    caller: str = ""
    """Who is to be called, when it is another number's citizen than the call's."""


class ExtendWrapUp(Command, frozen=True, kw_only=True, tag="extend_wrap_up"):
    """More time to finish the ticket, at most `Rules.wrap_up_extensions` times."""

    seat: str
    by_s: float


class ReportAbuse(Command, frozen=True, kw_only=True, tag="report_abuse"):
    """The next step with a citizen who insults; nothing is left out and nothing taken back."""

    seat: str
    step: AbuseStep
    code: str = ""


class ReportStrain(Command, frozen=True, kw_only=True, tag="report_strain"):
    """Why the seat should be sent for a rest, now; nothing: it need not be."""

    seat: str
    kinds: tuple[StrainKind, ...]


class Abandon(Command, frozen=True, kw_only=True, tag="abandon"):
    """The citizen hung up, or the call leaves for another reason. Hanging up does not end a promised call-back."""

    call: str
    reason: LeaveReason = LeaveReason.ABANDONED
    to: str = ""
    """Of a call that another centre has answered: which one."""


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


class ExtendOffer(Command, frozen=True, kw_only=True, tag="extend_offer"):
    """The seat has picked up and the citizen of its call-back is being dialled: the offer stays open for so long."""

    offer: str
    by_s: float


class PutOffCallBack(Command, frozen=True, kw_only=True, tag="put_off_call_back"):
    """The citizen was not reached: the seat is free again, and the call-back rests until then in its place."""

    call: str
    not_before: datetime


AnyCommand = (
    SignIn | SignOut | Pause | Resume | Reachability | Join | Abandon | Answer | Refuse | Finish
    | Invite | EndWrapUp | Adopt | Tick | Reroute | PromiseCallBack | ExtendWrapUp | ReportAbuse | ReportStrain
    | ExtendOffer | PutOffCallBack
)  # fmt: skip
