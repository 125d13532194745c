"""Queues' plans on every database: in force at once, here and in other processes, and kept through an outage."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine

from acd.plan_service import QueuePlans
from acd.plans import ORDINARY, GuestWindow, PlanStep, QueuePlan
from acd.service import FloorKeeper
from acd.tables import queue_plans
from acd.values import SeatChoice, StepKind
from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.errors import Unavailable
from hotline.ids import CountedIds
from hotline.sql import OpenDatabase
from hotline.sql_urls import synchronous
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.contract

CLOCK = ManualClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
PLAN = QueuePlan(
    ring=3,
    capacity=20,
    steps=(PlanStep(after_s=30, does=StepKind.POSITION, every_s=90),),
    rating=True,
    choice=SeatChoice.FEWEST_CALLS,
    guests=(GuestWindow(agent="8080", begins_at=CLOCK.now(), ends_at=CLOCK.now() + timedelta(hours=2), title="x"),),
)


@pytest.fixture
def plans(database: OpenDatabase, database_url: str) -> QueuePlans:
    engine = create_engine(synchronous(database_url))
    metadata.create_all(engine, tables=[queue_plans])
    engine.dispose()
    return QueuePlans(database, CLOCK, FloorKeeper(MemoryLog(), CLOCK, CountedIds()))


async def test_a_plan_is_in_force_at_once_and_the_ordinary_one_when_it_is_taken_back(plans: QueuePlans) -> None:
    assert plans.of("general") == ORDINARY
    await plans.put("general", PLAN, "person_1")
    assert plans.of("general") == PLAN
    assert plans.of("other") == ORDINARY
    await plans.put("general", QueuePlan(), "person_1")
    assert plans.of("general") == QueuePlan()
    await plans.put("general", None, "person_1")
    assert plans.of("general") == ORDINARY


async def test_another_process_learns_of_a_plan_and_of_how_many_may_wait(
    plans: QueuePlans, database: OpenDatabase
) -> None:
    keeper = FloorKeeper(MemoryLog(), CLOCK, CountedIds())
    other = QueuePlans(database, CLOCK, keeper)
    await plans.put("general", PLAN, "person_1")
    await other.refresh()
    assert other.of("general") == PLAN
    assert keeper.floor.rules.capacities == {"general": 20}
    assert keeper.floor.rules.choice_for("general") is SeatChoice.FEWEST_CALLS
    await plans.put("general", None, "person_1")
    await other.refresh()
    assert keeper.floor.rules.choice_for("general") is SeatChoice.LONGEST_IDLE


async def test_the_plans_in_force_outlive_a_database_that_is_away(
    plans: QueuePlans, database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> None:
        raise Unavailable("The database does not answer.")

    await plans.put("general", PLAN, "person_1")
    monkeypatch.setattr(database, "read", away)
    monkeypatch.setattr(database, "write", away)
    await plans.refresh()
    assert plans.of("general") == PLAN
    with pytest.raises(Unavailable):
        await plans.put("general", None, "person_1")
    assert plans.of("general") == PLAN
