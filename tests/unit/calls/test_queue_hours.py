"""A call to a queue that is closed: its plan is what the IVR takes, and the call waits in the other queue."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from acd.plans import GuestWindow, QueuePlan
from calls.events import Begun, Listened, Play
from calls.model import Phase
from calls.queue_hours import closed_ways, guests
from ivr.flow import ClosedWay
from telephony.model import Collected, Heard
from tests.unit.calls.test_script import NOW, Told, run_of

pytestmark = pytest.mark.unit


def test_plans_with_hours_are_what_the_ivr_takes_also_when_they_change() -> None:
    plans = {"12329": QueuePlan(hours="office", closed_prompt="told"), "12348": QueuePlan()}
    ways = closed_ways(plans)
    assert ways() == {"12329": ClosedWay("office", "general", "told")}
    plans["12348"] = QueuePlan(hours="workdays 08:30-12:00", closed_to="12329")
    assert ways()["12348"] == ClosedWay("workdays 08:30-12:00", "12329", "out_of_hours")
    plans.clear()
    assert ways() == {}


@pytest.mark.parametrize("heard", [Heard.SILENCE, Heard.FAILED, Heard.KEYS])
def test_a_call_to_a_closed_queue_is_told_so_and_waits_in_the_other(heard: Heard) -> None:
    shut = ClosedWay("daily 03:00-03:01", "night", "out_of_hours")
    told = Told(replace(run_of(), queues={"general": shut}))
    assert told.tell(Begun(told.run)).actions == (Play(("out_of_hours",)),)
    phases = [told.call.phase]
    told.tell(Listened(Collected(heard, "5" if heard is Heard.KEYS else "")))
    phases.append(told.call.phase)
    assert phases == [Phase.IN_IVR, Phase.QUEUED]
    assert told.call.queued is not None
    assert told.call.queued.queue == "night"


def test_hours_are_those_of_the_moment_when_the_call_came() -> None:
    shut = ClosedWay("daily 00:00-20:00", "night", "out_of_hours")  # 20:00 in Shanghai is NOW
    told = Told(replace(run_of(), queues={"general": shut}, at=NOW - timedelta(seconds=1)))
    told.begin()
    assert told.call.queued is not None
    assert told.call.queued.queue == "general"


def test_the_simulation_is_told_who_answers_for_a_queue_at_a_moment() -> None:
    window = GuestWindow(agent="8080", begins_at=NOW, ends_at=NOW + timedelta(hours=1), title="Mayor")
    at = guests({"general": QueuePlan(guests=(window, replace(window, agent="8081", title="")))})
    assert at("general", NOW) == ("8080 Mayor", "8081")
    assert at("general", NOW + timedelta(hours=1)) == at("12329", NOW) == ()
