"""Queues' plans: what the floor makes of them, and what cannot be one."""

import pytest

from acd.plans import LONGEST_S, MOST_STEPS, ORDINARY, PlanStep, QueuePlan, check, recipe
from acd.values import Need, Step, StepKind
from hotline.errors import BadInput

pytestmark = pytest.mark.unit

WIDEN, POSITION, PROMPT, RAISE = StepKind.WIDEN, StepKind.POSITION, StepKind.PROMPT, StepKind.RAISE


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
    check(ORDINARY, frozenset())
    assert recipe(ORDINARY)[0] == Step(after_s=45, does=POSITION)


def test_every_mistake_of_a_plan_is_told_at_once() -> None:
    steps = (
        PlanStep(after_s=1, does=StepKind.OVERFLOW),
        PlanStep(after_s=2, does=RAISE),
        PlanStep(after_s=3, does=PROMPT),
        PlanStep(after_s=4, does=PROMPT, prompt="nonsense"),
        PlanStep(after_s=5, does=WIDEN, needs="english or yue"),
        PlanStep(after_s=6, does=WIDEN, needs="(("),
    )
    with pytest.raises(BadInput) as refused:
        check(QueuePlan(steps=steps), frozenset({"crisis"}))
    assert [problem.split(":")[0] for problem in refused.value.problems] == [f"Step {number}" for number in range(1, 7)]
    good = PlanStep(after_s=4, does=PROMPT, prompt="crisis")
    check(QueuePlan(steps=(good, PlanStep(after_s=2, does=RAISE, by_s=60))), frozenset({"crisis"}))
