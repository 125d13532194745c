"""Who gets a call before everybody else: the agent whom the caller names, or who took the citizen's open ticket."""

from datetime import timedelta

import msgspec
import pytest

from acd.model import Join, Need
from acd.plans import GuestWindow, QueuePlan
from calls import events, script, several
from calls.events import Decision, OwnFound, Tell
from calls.model import CallState, Phase, Queued, Remembered
from ivr.calendar import Calendar
from ivr.flow import AnyNode, Flow, FlowRun, Keys, QueueNode, Silence
from ivr.interpreter import step
from ivr.model import DEFAULT_ENTRY, Dialled, Via
from telephony.model import Collected, Heard
from tests.unit.calls.phases import ARRIVED, HOUSE, NOW, call_in

pytestmark = pytest.mark.unit


class Prefers:
    """`Plans` of which one prefers."""

    remembers = True

    def of(self, queue: str) -> QueuePlan:
        if queue == "mayor":
            return QueuePlan(guests=(GuestWindow(agent="8080", begins_at=NOW, ends_at=NOW + timedelta(hours=1)),))
        return QueuePlan(own_s=25 if queue == "general" else None)


PREFERRING = msgspec.structs.replace(HOUSE, plans=Prefers())


def run_to(queue: str = "general", **more: object) -> FlowRun:
    nodes: dict[str, AnyNode] = {"seats": QueueNode(name="seats", queue=queue, **more)}  # type: ignore[arg-type]
    flow = Flow(name="f", version="1", start="seats", human="seats", nodes=nodes)
    dialled = Dialled(number="12345", entry=DEFAULT_ENTRY, declared=True, region="0717", via=Via.REQUEST)
    return FlowRun(flow=flow, dialled=dialled, at=ARRIVED, calendar=Calendar())


def joined(call: CallState, run: FlowRun) -> tuple[Queued, Join]:
    decision = script.decide(call, run, events.Begun(run), PREFERRING, NOW)
    (queued,) = [fact for fact in decision.facts if isinstance(fact, Queued)]
    (tell,) = [action for action in decision.actions if isinstance(action, Tell)]
    assert isinstance(tell.command, Join)
    assert several.join(call, queued) == tell.command
    return queued, tell.command


def test_agents_of_open_tickets_are_remembered_while_the_citizen_listens_and_not_later() -> None:
    found = OwnFound(("8001", "8002"))
    fact = Remembered(call="c1", at=NOW, agents=("8001", "8002"))
    for phase in (Phase.ARRIVED, Phase.IN_IVR):
        assert script.decide(call_in(phase), None, found, HOUSE, NOW) == Decision((fact,))
    for phase in (Phase.QUEUED, Phase.RINGING, Phase.TALKING, Phase.CLOSING, Phase.ENDED):
        assert script.decide(call_in(phase), None, found, HOUSE, NOW) == script.NOTHING


def test_queue_that_prefers_waits_for_them_as_long_as_its_plan_says() -> None:
    call = call_in(Phase.IN_IVR, own=("8001", "8002"))
    queued, join = joined(call, run_to())
    assert (queued.prefer, queued.prefer_s) == (join.prefer, join.prefer_s) == (("8001", "8002"), 25)
    assert joined(call, run_to("12329"))[1].prefer == ()
    assert joined(call_in(Phase.IN_IVR), run_to())[1].prefer == ()


def test_agent_whom_the_caller_names_comes_before_the_one_of_the_ticket() -> None:
    call, run = call_in(Phase.IN_IVR, own=("8001",)), run_to(ask=("ask_agent",), agent_s=40)
    asked = script.decide(call, run, events.Begun(run), PREFERRING, NOW)
    assert asked.run is not None
    (question,) = asked.actions
    assert isinstance(question, events.Collect)
    assert (question.prompts, question.max_keys) == (("ask_agent",), 4)
    heard = events.Listened(Collected(Heard.KEYS, "8003"))
    (_, queued) = script.decide(call, asked.run, heard, PREFERRING, NOW).facts
    assert isinstance(queued, Queued)
    assert (queued.prefer, queued.prefer_s) == (("8003",), 40)


@pytest.mark.parametrize("heard", [Silence(), Keys("0"), Keys("8*"), Keys("")])
def test_who_names_nobody_waits_for_anybody(heard: Silence | Keys) -> None:
    run, _ = step(run_to(ask=("ask_agent",)), Silence())
    _, queue = step(run, heard)
    assert (getattr(queue, "queue", ""), getattr(queue, "agent", None)) == ("general", "")


def test_calls_of_a_queue_with_a_guest_ask_for_the_guest_and_then_for_whom_they_ask_anyway() -> None:
    queued, join = joined(call_in(Phase.IN_IVR), run_to("mayor"))
    assert (queued.needs, queued.also) == (join.needs, join.also) == ((Need("guest:mayor"),), (HOUSE.general,))
    assert joined(call_in(Phase.IN_IVR), run_to("12329"))[1].needs == HOUSE.general
