"""Words of the floor: what seats have, what calls need, what recipes do, and the house's rules."""

from datetime import timedelta
from enum import StrEnum

import msgspec

from hotline.settings import Settings


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
    CALL_BACK = "call_back"  # the citizen was promised a call-back and hung up; the place is kept
    REJOINED = "rejoined"  # a promised call-back whose citizen rang again meanwhile, and waits again
    GIVEN_UP = "given_up"  # a promised call-back whose citizen could not be reached
    FULL = "full"  # the queue had no room


class AbuseStep(StrEnum):
    """How far it went with a citizen who insults: each step follows the one before it."""

    WARNED = "warned"  # 提醒: a warning was read or played
    SUPERVISOR = "supervisor"  # 报告班长
    ENDED = "ended"  # 终止服务: ended with a code; the agent may cool down


class StrainKind(StrEnum):
    """Why a seat should be sent for a rest."""

    OCCUPANCY = "occupancy"  # 利用率过高: hardly a moment without a call
    NO_REST = "no_rest"  # 连续工作过久: no pause for too long


class Need(msgspec.Struct, frozen=True, gc=False):
    """A skill at a level of at least `level` (1 to 10)."""

    skill: str
    level: int = 1


class StepKind(StrEnum):
    """What a step of a recipe does. The last four change nothing on the floor."""

    WIDEN = "widen"  # seats that meet the step's needs may take the call too
    RAISE = "raise"  # so many seconds more head start
    OVERFLOW = "overflow"  # another centre is called as well; who answers first has the citizen
    POSITION = "position"  # tell place and estimated wait
    CALL_BACK = "call_back"  # offer a call-back
    PROMPT = "prompt"  # say something: a crisis notice, another number


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One step of a recipe, due after `after_s` seconds of waiting.

    What a call needed before stays good: a step widens the choice, it never narrows it. To widen is to ask for a lower
    level, for one skill less, or for another group; no needs at all means everybody.
    """

    after_s: float
    needs: tuple[Need, ...] = ()
    """For `WIDEN`."""
    does: StepKind = StepKind.WIDEN
    by_s: int = 0
    """For `RAISE`."""
    to: str = ""
    """For `OVERFLOW`: which centre, by its number."""
    prompt: str = ""
    """For steps that speak: the name of what is said; empty: the house's own."""


class SeatChoice(StrEnum):
    """Whose turn it is among idle seats that can take a call."""

    LONGEST_IDLE = "longest_idle"  # then the fewest skills
    FEWEST_CALLS = "fewest_calls"  # since they signed in; then the longest idle
    SPECIALIST_FIRST = "specialist_first"  # the fewest skills, then the longest idle: generalists are kept free


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
    choice: SeatChoice = SeatChoice.LONGEST_IDLE
    choices: dict[str, SeatChoice] = {}
    """The same for single queues."""
    redial: timedelta = timedelta(minutes=5)
    """Who hung up while waiting and comes back to the same queue within this time has the old place (`Join.caller`)."""
    capacity: int = 0
    """How many may wait in one queue; 0: no limit. Call-backs that were promised do not count."""
    capacities: dict[str, int] = {}
    """The same for single queues."""
    wrap_up_extensions: int = 2
    """How often one wrap-up may be extended."""
    cool_down: timedelta = timedelta(minutes=5)
    """The wrap-up after a call that was ended for abuse, when it is longer than the usual one."""
    handling: timedelta = timedelta(minutes=5)
    """Talk and wrap-up of a usual call: for the estimated wait that callers are told."""

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """As the settings say."""
        choice = SeatChoice(settings.seat_choice)
        return cls(ring=settings.ring, wrap_up=settings.wrap_up, choice=choice, redial=settings.redial)

    def choice_for(self, queue: str) -> SeatChoice:
        """Whose turn it is for a call of this queue."""
        return self.choices.get(queue, self.choice)

    @property
    def choices_in_use(self) -> tuple[SeatChoice, ...]:
        """The house's, then those that single queues have besides."""
        return self.choice, *sorted({*self.choices.values()} - {self.choice})
