"""Queues' hours and guests: what their plans say, as the IVR takes it, and what a plan may name. Rooms never meet."""

from collections.abc import Callable, Mapping
from datetime import datetime

from acd.plans import QueuePlan
from calls.outside import SENTENCES
from calls.trunk import Trunk
from ivr import hours_text
from ivr.flow import ClosedWay
from ivr.service import IvrService


def closed_ways(plans: Mapping[str, QueuePlan]) -> Callable[[], dict[str, ClosedWay]]:
    """The way of callers outside of a queue's hours, for each queue that has some; `plans` changes while we live."""
    return lambda: {
        queue: ClosedWay(plan.hours, plan.closed_to, plan.closed_prompt) for queue, plan in plans.items() if plan.hours
    }


def guests(plans: Mapping[str, QueuePlan]) -> Callable[[str, datetime], tuple[str, ...]]:
    """Who is a queue's guest at a moment: 工号 and the window's title."""

    def at(queue: str, moment: datetime) -> tuple[str, ...]:
        windows = plans[queue].guests if queue in plans else ()
        return tuple(f"{one.agent} {one.title}".strip() for one in windows if one.is_open(moment))

    return at


def tell(ivr: IvrService, plans: Mapping[str, QueuePlan]) -> None:
    """Let the IVR know what queues' plans say of hours and guests, now and later."""
    ivr.queues, ivr.guests = closed_ways(plans), guests(plans)


class Words:
    """`acd.plans.Known` by what the IVR and the guard know."""

    def __init__(self, ivr: IvrService, trunk: Trunk) -> None:
        self._ivr, self._trunk = ivr, trunk

    def prompts(self) -> frozenset[str]:
        return frozenset(self._ivr.prompts.sounds)

    def queues(self) -> frozenset[str]:
        return frozenset(self._ivr.queue_names())

    def hours_problem(self, hours: str) -> str:
        return hours_text.problem(hours, self._ivr.catalogue)

    def can_dial(self) -> bool:
        return self._trunk.rules.trunk

    def number_problem(self, number: str) -> str:
        why = self._trunk.why_unattended(number)
        return "" if why is None else SENTENCES[why]
