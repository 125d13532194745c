"""What the floor remembers of a seat, a waiting call and an offer: frozen records, changed by replacement only."""

from datetime import datetime, timedelta

import msgspec

from acd.values import AbuseStep, Need, SeatChoice, SeatState, Step, StrainKind

Needs = tuple[Need, ...]
"""All of them must be met. Sorted by skill, each skill once: equal demands are equal tuples (`canonical`)."""


class Seat(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A signed-in agent at a phone."""

    seat: str
    agent: str
    phone: str
    skills: dict[str, int]
    reachable: bool
    state: SeatState = SeatState.READY
    since: datetime
    """In this state (or this pause reason) since."""
    idle_since: datetime
    """Its place in the longest-idle order: the last return to ready or refusal. An offer that was withdrawn from
    it costs it nothing."""
    until: datetime | None = None
    reason: str = ""
    offer: str = ""
    call: str = ""
    unanswered: int = 0
    """Offers in a row that it did not answer."""
    pause_asked: str = ""
    leaving: bool = False
    leaving_reason: str = ""
    answered: int = 0
    """Calls that it answered since it signed in."""
    abuse: AbuseStep | None = None
    """How far it went with the citizen it talks with, or talked with last."""
    extended: int = 0
    """How often its present wrap-up was extended."""
    strain: tuple[StrainKind, ...] = ()
    """Why it should be sent for a rest."""
    guest: bool = False
    """It gets calls only as a guest: nothing that anybody may take, and nothing by its skills."""
    guest_of: tuple[str, ...] = ()
    """Queues that it answers for just now, by a window of their plans."""

    @property
    def idle(self) -> bool:
        """May be offered a call now."""
        return self.state is SeatState.READY and self.reachable and not self.offer

    @property
    def abilities(self) -> dict[str, int]:
        """Its skills, that of being itself (what a call for this very agent needs), and those of a guest."""
        asked = {guest_skill(queue): 1 for queue in self.guest_of}
        return asked if self.guest else {**self.skills, personal(self.agent): 1, **asked}

    def can_take(self, options: "tuple[Needs, ...]") -> bool:
        """Whether it meets one of them."""
        skills = self.abilities
        return any(meets(skills, needs) for needs in options if needs or not self.guest)

    @property
    def turn(self) -> "SeatTurn":
        """Its place among idle seats: longest idle first, then fewest skills."""
        return self.turn_by(SeatChoice.LONGEST_IDLE)

    def turn_by(self, choice: SeatChoice) -> "SeatTurn":
        """Its place among idle seats when this decides: the lowest is first."""
        match choice:
            case SeatChoice.LONGEST_IDLE:
                return self.idle_since, len(self.skills), self.seat
            case SeatChoice.FEWEST_CALLS:
                return self.answered, self.idle_since, self.seat
            case SeatChoice.SPECIALIST_FIRST:
                return len(self.skills), self.idle_since, self.seat


SeatTurn = tuple[datetime, int, str] | tuple[int, datetime, str]
"""The last is the seat. Turns of one choice are of one kind."""


def personal(agent: str) -> str:
    """The skill that this agent alone has."""
    return f"@{agent}"


def guest_skill(queue: str) -> str:
    """The skill that a queue's guests have while a window is open."""
    return f"guest:{queue}"


class Waiting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call that waits, or rings at a seat."""

    call: str
    queue: str
    options: tuple[Needs, ...]
    """A seat may take the call when it meets any of these; earlier ones are preferred."""
    priority: int
    arrived_at: datetime
    number: int
    """How many calls joined before it: the order of those that arrived at the same moment."""
    recipe: tuple[Step, ...] = ()
    """Steps still to come."""
    refused: dict[str, datetime] = {}
    """Seats not to be offered this call until then."""
    offer: str = ""
    others: tuple[str, ...] = ()
    """More offers that ring at the same time."""
    ring: int = 1
    caller: str = ""
    call_back: bool = False
    not_before: datetime | None = None
    sent_on: bool = False
    """Another centre was called for it."""

    @property
    def waits(self) -> bool:
        """May be offered now: it neither rings nor is a call-back whose time has not come."""
        return not self.offer and self.not_before is None

    @property
    def offers(self) -> tuple[str, ...]:
        """Everything that rings for it."""
        return (self.offer, *self.others) if self.offer else ()

    @property
    def rank(self) -> "CallRank":
        """Its place among waiting calls: a priority is a constant head start, so the order never changes."""
        return self.arrived_at - timedelta(seconds=self.priority), self.number, self.call

    @property
    def widens_at(self) -> datetime:
        """When the next step of its recipe is due. Only for a call that has one."""
        return self.arrived_at + timedelta(seconds=self.recipe[0].after_s)


CallRank = tuple[datetime, int, str]


class Offer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call ringing at one seat."""

    offer: str
    call: str
    seat: str
    phone: str
    since: datetime
    expires_at: datetime
    ends_at: datetime


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The place of somebody who hung up while waiting."""

    caller: str
    queue: str
    effective: datetime
    """Arrival less head start."""
    until: datetime


def canonical(needs: tuple[Need, ...]) -> Needs:
    """The same demand in its one form: sorted by skill, the highest level where a skill comes twice."""
    levels: dict[str, int] = {}
    for need in needs:
        levels[need.skill] = max(need.level, levels.get(need.skill, need.level))
    return tuple(Need(skill, level) for skill, level in sorted(levels.items()))


def meets(skills: dict[str, int], needs: Needs) -> bool:
    """Whether somebody with `skills` can take a call with `needs`: each of them at its level or above."""
    for need in needs:  # noqa: SIM110 a loop costs half of what all() does, and this is the innermost one
        if skills.get(need.skill, 0) < need.level:
            return False
    return True
