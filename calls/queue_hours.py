"""Queues' hours: what their plans say of them, as the IVR takes it, and what a plan may name. Rooms never meet."""

from collections.abc import Callable, Mapping

from acd.plans import QueuePlan
from ivr import hours_text
from ivr.flow import ClosedWay
from ivr.service import IvrService


def closed_ways(plans: Mapping[str, QueuePlan]) -> Callable[[], dict[str, ClosedWay]]:
    """The way of callers outside of a queue's hours, for each queue that has some; `plans` changes while we live."""
    return lambda: {
        queue: ClosedWay(plan.hours, plan.closed_to, plan.closed_prompt) for queue, plan in plans.items() if plan.hours
    }


class Words:
    """`acd.plans.Known` by what the IVR knows."""

    def __init__(self, ivr: IvrService) -> None:
        self._ivr = ivr

    def prompts(self) -> frozenset[str]:
        return frozenset(self._ivr.prompts.sounds)

    def queues(self) -> frozenset[str]:
        return frozenset(self._ivr.queue_names())

    def hours_problem(self, hours: str) -> str:
        return hours_text.problem(hours, self._ivr.catalogue)
