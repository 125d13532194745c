"""How a queue treats who waits in it: who gets its calls, how many may wait, what is said. Values only.

A plan is data that people change while calls wait; a call that has joined keeps what it joined with.
"""

from collections.abc import Container, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

import msgspec

from acd.expressions import parse
from acd.values import SeatChoice, Step, StepKind
from hotline.errors import BadInput

LONGEST_S = 1800.0
"""What is repeated is repeated for so long."""
MOST_STEPS = 60
MOST_RINGING = 8
MOST_GUESTS = 60
LONGEST_WAIT = timedelta(hours=1)
GENERAL = "general"
"""The queue that is always open."""


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happens to whoever has waited for so long."""

    after_s: float
    does: StepKind
    every_s: float = 0
    """Again after each further so many seconds; 0: once."""
    needs: str = ""
    """For `widen`: a demand like `housing>=3 and english`; empty: anybody."""
    by_s: int = 0
    """For `raise`: so many seconds of head start."""
    prompt: str = ""
    """For what speaks: the prompt's name; empty: the house's own."""
    number: str = ""
    """For `overflow`: the other centre's, as the catalogue writes it."""


class GuestWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody answers for the queue from one moment to another: a leader's day (领导接听日), a guest (嘉宾坐席)."""

    agent: str
    """工号."""
    begins_at: datetime
    ends_at: datetime
    """Nothing is offered from this moment on; a talk goes on."""
    title: str = ""

    def is_open(self, at: datetime) -> bool:
        return self.begins_at <= at < self.ends_at


class QueuePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One queue's."""

    ring: int = 1
    """So many idle seats ring at once; the first that answers has the citizen."""
    capacity: int = 0
    """How many may wait; 0: no limit. Who comes then is told so."""
    steps: tuple[PlanStep, ...] = ()
    rating: bool = False
    """Whether a citizen whose talk the seat has ended is asked how it was."""
    choice: SeatChoice | None = None
    """Whose turn it is among idle seats; nothing: as in the house."""
    own_s: float | None = None
    """So long a citizen with an open ticket waits for the agent who took it alone, while that agent is signed in; 0:
    only when that agent is idle; nothing: no agent is preferred."""
    hours: str = ""
    """When it takes calls in: an hours profile, or windows such as `workdays 08:30-12:00`; empty: always."""
    closed_to: str = GENERAL
    """The queue that takes its calls in outside of them."""
    closed_prompt: str = "out_of_hours"
    """What callers are told then; empty: nothing."""
    call_back_hours: str = ""
    """When its citizens are called back, `HH:MM-HH:MM`, never outside the house's own hours; empty: as in the house."""
    guests: tuple[GuestWindow, ...] = ()
    """Who answers besides, and before everybody else, in exact windows."""


ORDINARY = QueuePlan(steps=(PlanStep(after_s=45, does=StepKind.POSITION, every_s=90),), rating=True)
"""Of a queue that nobody made a plan for."""


def asks_guests(plan: QueuePlan, at: datetime) -> bool:
    """Whether a call that begins to wait may still wait while somebody is a guest."""
    return any(one.begins_at - LONGEST_WAIT <= at < one.ends_at for one in plan.guests)


def guest_of(plans: Mapping[str, QueuePlan], agent: str, at: datetime) -> tuple[str, ...]:
    """Queues that an agent answers for as a guest."""
    return tuple(sorted(q for q, plan in plans.items() if any(g.agent == agent and g.is_open(at) for g in plan.guests)))


def next_change(plans: Mapping[str, QueuePlan], after: datetime) -> datetime | None:
    """When the next window begins or ends."""
    windows = (window for plan in plans.values() for window in plan.guests)
    moments = (moment for window in windows for moment in (window.begins_at, window.ends_at))
    return min((moment for moment in moments if moment > after), default=None)


@lru_cache(maxsize=256)
def recipe(plan: QueuePlan) -> tuple[Step, ...]:
    """The plan's steps as the floor takes them, each repetition on its own, in the order of their times."""
    steps = [_step(step, at) for step in plan.steps for at in _times(step)]
    return tuple(sorted(steps, key=lambda step: step.after_s)[:MOST_STEPS])


def _times(step: PlanStep) -> list[float]:
    if not step.every_s:
        return [step.after_s]
    repeated = int(max(0.0, LONGEST_S - step.after_s) // step.every_s)
    return [step.after_s + number * step.every_s for number in range(repeated + 1)]


def _step(step: PlanStep, after_s: float) -> Step:
    needs = parse(step.needs)[0] if step.does is StepKind.WIDEN else ()
    return Step(after_s=after_s, does=step.does, needs=needs, by_s=step.by_s, prompt=step.prompt, to=step.number)


_NO_WAY_OUT = "Step {at}: nobody can be called without an outgoing trunk, leave it out or set HOTLINE_TRUNK_HOST."


class Known(Protocol):
    """What a plan may name."""

    def prompts(self) -> Container[str]: ...

    def queues(self) -> Container[str]: ...

    def hours_problem(self, hours: str) -> str:
        """What is wrong with hours, one sentence; empty: nothing."""
        ...

    def can_dial(self) -> bool:
        """Whether there is a way out."""
        ...

    def number_problem(self, number: str) -> str:
        """Why citizens cannot be connected with a number, one sentence; empty: they can."""
        ...


def check(queue: str, plan: QueuePlan, known: Known) -> None:
    """Refuse what could not be performed.

    Raises:
        BadInput: with every problem, each a sentence that says what to correct.
    """
    prompts = known.prompts()
    problems = [problem for number, step in enumerate(plan.steps, 1) for problem in _wrong(number, step, prompts)]
    problems += _wrong_hours(queue, plan, known) if plan.hours else []
    problems += [
        f"Guest {number}: the window ends before it begins."
        for number, one in enumerate(plan.guests, 1)
        if one.ends_at <= one.begins_at
    ]
    problems += _wrong_calls(plan, known)
    first, _, last = plan.call_back_hours.partition("-")
    problems += (
        ["Say in call_back_hours from when to when, not twice the same time."] if first and first == last else []
    )
    if problems:
        raise BadInput("This plan cannot be used: " + " ".join(problems), tuple(problems))


def _wrong_calls(plan: QueuePlan, known: Known) -> list[str]:
    calls = [(at, one) for at, one in enumerate(plan.steps, 1) if one.does in (StepKind.CALL_BACK, StepKind.OVERFLOW)]
    if not known.can_dial():
        return [_NO_WAY_OUT.format(at=at) for at, _ in calls]
    sent = [(at, one) for at, one in calls if one.does is StepKind.OVERFLOW]
    return [f"Step {at}: {problem}" for at, one in sent if (problem := known.number_problem(one.number))]


def _wrong_hours(queue: str, plan: QueuePlan, known: Known) -> list[str]:
    found = [problem] if (problem := known.hours_problem(plan.hours)) else []
    if queue == GENERAL:
        found.append(f"The queue {GENERAL} is always open: leave out its hours.")
    elif plan.closed_to == queue or (plan.closed_to != GENERAL and plan.closed_to not in known.queues()):
        found.append(f"Say in closed_to which other queue takes the calls in: {plan.closed_to!r} does not.")
    if plan.closed_prompt and plan.closed_prompt not in known.prompts():
        found.append(f"There is no prompt {plan.closed_prompt}, record it or correct the name.")
    return found


def _wrong(number: int, step: PlanStep, prompts: Container[str]) -> list[str]:
    found: list[str] = []
    if step.does is StepKind.RAISE and step.by_s <= 0:
        found.append(f"Step {number}: say in by_s how many seconds the call is raised by.")
    if step.does is StepKind.PROMPT and not step.prompt:
        found.append(f"Step {number}: name the prompt that is played.")
    if step.prompt and step.prompt not in prompts:
        found.append(f"Step {number}: there is no prompt {step.prompt}, record it or correct the name.")
    if step.does is StepKind.WIDEN:
        try:
            one_demand = len(parse(step.needs)) == 1
        except BadInput as error:
            found.append(f"Step {number}: {error}")
        else:
            found += [] if one_demand else [f"Step {number}: a step widens to one demand, leave out 'or'."]
    return found
