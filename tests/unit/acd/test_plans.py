"""Queues' plans: what the floor makes of them, and what cannot be one."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from acd.plans import LONGEST_S, MOST_STEPS, ORDINARY, GuestWindow, PlanStep, QueuePlan, check, recipe
from acd.values import Need, Step, StepKind
from hotline.errors import BadInput

pytestmark = pytest.mark.unit

WIDEN, POSITION, PROMPT, RAISE = StepKind.WIDEN, StepKind.POSITION, StepKind.PROMPT, StepKind.RAISE


class House:
    """`Known`: two prompts, one queue beside the general one, hours of which one cannot be read, and a way out."""

    trunk = True

    def prompts(self) -> frozenset[str]:
        return frozenset({"crisis", "out_of_hours"})

    def queues(self) -> frozenset[str]:
        return frozenset({"12329", "12348"})

    def hours_problem(self, hours: str) -> str:
        return "The hours cannot be read." if hours == "whenever" else ""

    def can_dial(self) -> bool:
        return self.trunk

    def number_problem(self, number: str) -> str:
        return "" if number == "12366" else "This number is in neither the catalogue nor the roster."


def test_steps_come_in_the_order_of_their_times_and_repetitions_each_on_their_own() -> None:
    place = PlanStep(after_s=30, does=POSITION, every_s=600)
    wider = PlanStep(after_s=40, does=WIDEN, needs="english>=3")
    assert recipe(QueuePlan(steps=(wider, place))) == (
        Step(after_s=30, does=POSITION),
        Step(after_s=40, does=WIDEN, needs=(Need("english", 3),)),
        Step(after_s=630, does=POSITION),
        Step(after_s=1230, does=POSITION),
    )


def test_what_is_repeated_ends() -> None:
    steps = recipe(QueuePlan(steps=(PlanStep(after_s=0, does=POSITION, every_s=1),)))
    assert len(steps) == MOST_STEPS
    assert all(step.after_s <= LONGEST_S for step in steps)
    assert recipe(QueuePlan(steps=(PlanStep(after_s=LONGEST_S + 1, does=POSITION, every_s=60),))) != ()
    assert recipe(QueuePlan()) == ()


def test_the_ordinary_plan_can_be_performed() -> None:
    check("general", ORDINARY, House())
    assert recipe(ORDINARY)[0] == Step(after_s=45, does=POSITION)


def test_every_mistake_of_a_plan_is_told_at_once() -> None:
    steps = (
        PlanStep(after_s=2, does=RAISE),
        PlanStep(after_s=3, does=PROMPT),
        PlanStep(after_s=4, does=PROMPT, prompt="nonsense"),
        PlanStep(after_s=5, does=WIDEN, needs="english or yue"),
        PlanStep(after_s=6, does=WIDEN, needs="(("),
        PlanStep(after_s=7, does=StepKind.OVERFLOW, number="12399"),
    )
    with pytest.raises(BadInput) as refused:
        check("12329", QueuePlan(steps=steps), House())
    assert [problem.split(":")[0] for problem in refused.value.problems] == [f"Step {number}" for number in range(1, 7)]
    good = PlanStep(after_s=4, does=PROMPT, prompt="crisis")
    check("12329", QueuePlan(steps=(good, PlanStep(after_s=2, does=RAISE, by_s=60))), House())


def test_a_queue_with_hours_says_who_takes_its_calls_in() -> None:
    for to in ("general", "12348"):
        check("12329", QueuePlan(hours="office", closed_to=to), House())
    check("12329", QueuePlan(hours="office", closed_prompt=""), House())


@pytest.mark.parametrize(
    ("queue", "plan", "wrong"),
    [
        ("general", QueuePlan(hours="office"), "always open"),
        ("12329", QueuePlan(hours="office", closed_to="12329"), "which other queue"),
        ("12329", QueuePlan(hours="office", closed_to="12350"), "which other queue"),
        ("12329", QueuePlan(hours="whenever"), "cannot be read"),
        ("12329", QueuePlan(hours="office", closed_prompt="nonsense"), "no prompt nonsense"),
    ],
)
def test_hours_that_would_leave_callers_nowhere_are_refused(queue: str, plan: QueuePlan, wrong: str) -> None:
    with pytest.raises(BadInput, match=wrong) as refused:
        check(queue, plan, House())
    assert len(refused.value.problems) == 1


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    begins = datetime(2026, 3, 2, 9, tzinfo=UTC)
    window = GuestWindow(agent="8080", begins_at=begins, ends_at=begins)
    with pytest.raises(BadInput, match="Guest 1: the window ends before it begins"):
        check("general", QueuePlan(guests=(window,)), House())
    check("general", QueuePlan(guests=(replace(window, ends_at=begins + timedelta(seconds=1)),)), House())


def test_hours_of_call_backs_that_never_begin_are_refused() -> None:
    check("general", QueuePlan(call_back_hours="22:00-06:00"), House())
    with pytest.raises(BadInput, match="not twice the same time"):
        check("general", QueuePlan(call_back_hours="09:00-09:00"), House())


def test_nobody_is_promised_a_call_back_without_a_way_out() -> None:
    plan, house = QueuePlan(steps=(PlanStep(after_s=60, does=StepKind.CALL_BACK),)), House()
    check("12329", plan, house)
    house.trunk = False
    with pytest.raises(BadInput, match="HOTLINE_TRUNK_HOST"):
        check("12329", plan, house)
