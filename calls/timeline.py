"""What happened to each live call, step by step, for a supervisor who asks why it waits.

Kept in memory while the call lives. Of what was before this process, only what the call's state still tells. Holds
no number of anybody and no key.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from calls import model as m
from calls.ledger import Ledger

MOST = 200
"""Steps kept of one call; the first ones stay."""


class StepView(BaseModel):
    """One step; `detail`: a node of the flow, a queue, why an offer was missed, what changed in the talk."""

    at: datetime
    what: str
    seat: str = ""
    detail: str = ""


class Timelines:
    """Listens to the ledger's facts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._steps: dict[str, list[StepView]] = {}
        ledger.listen(self._heard)

    def of(self, call: str) -> list[StepView]:
        """The steps of a live call, in order; nothing of one that does not live."""
        state = self._ledger.live.get(call)
        if state is None:
            return []
        steps = self._steps.get(call, [])
        if steps and steps[0].what == "arrived":
            return steps
        return [*_known(state), *steps]

    def _heard(self, facts: Sequence[m.AnyCallFact]) -> None:
        for fact in facts:
            if isinstance(fact, m.CallEnded):
                self._steps.pop(fact.call, None)
            elif (step := step_of(fact)) is not None:
                steps = self._steps.setdefault(fact.call, [])
                if len(steps) < MOST:
                    steps.append(step)


def step_of(fact: m.AnyCallFact) -> StepView | None:
    """A fact as a step; nothing of what says nothing about waiting and talking."""
    match fact:
        case m.CallArrived():
            return StepView(at=fact.at, what="arrived", detail=fact.flow)
        case m.Stepped():
            return StepView(at=fact.at, what="stepped", detail=fact.node)
        case m.Queued():
            return StepView(at=fact.at, what="queued", detail=fact.queue)
        case m.Ringing():
            return StepView(at=fact.at, what="ringing", seat=fact.seat)
        case m.OfferMissed():
            return StepView(at=fact.at, what="missed", seat=fact.seat, detail=fact.reason)
        case m.CallBackPromised():
            return StepView(at=fact.at, what="call_back_promised")
        case m.CitizenDialled():
            return StepView(at=fact.at, what="citizen_dialled", seat=fact.seat)
        case m.CitizenMissed():
            return StepView(at=fact.at, what="citizen_missed", detail=fact.result)
        case m.OnwardDialled():
            return StepView(at=fact.at, what="onward_dialled", detail=fact.number)
        case m.OnwardMissed():
            return StepView(at=fact.at, what="onward_missed", detail=fact.result)
        case m.TalkStarted():
            return StepView(at=fact.at, what="answered", seat=fact.seat)
        case m.TalkChanged():
            return StepView(at=fact.at, what="talk", seat=fact.by, detail=fact.what)
        case m.TalkEnded():
            return StepView(at=fact.at, what="talk_ended", detail=fact.by.value if fact.by else "")
        case _:
            return None


def _known(state: m.CallState) -> list[StepView]:
    """What a call's state tells of its past."""
    steps = [StepView(at=state.arrived_at, what="arrived", detail=state.arrived.flow)]
    if state.queued is not None and state.queued_at is not None:
        steps.append(StepView(at=state.queued_at, what="queued", detail=state.queued.queue))
    if state.answered_at is not None:
        steps.append(StepView(at=state.answered_at, what="answered", seat=state.seat))
    return steps
