"""Whom nobody answered, by example."""

from datetime import timedelta

import pytest

from acd import model as m
from acd.missed import Missed, MissedCaller
from tests.unit.acd.driver import NINE, Driver

pytestmark = pytest.mark.unit


def tried(floor: Driver, call: str, caller: str, waits: float, reason: m.LeaveReason = m.LeaveReason.ABANDONED) -> None:
    floor.do(m.Join(call=call, queue="q", needs=(m.Need("law"),), caller=caller))
    floor.after(waits)
    floor.do(m.Abandon(call=call, reason=reason))


def missed(floor: Driver) -> Missed:
    found = Missed()
    for fact in floor.facts:
        found.apply(fact)
    return found


def names(floor: Driver) -> list[str]:
    return [each.caller for each in missed(floor).to_call(floor.now)]


def test_caller_who_tried_twice_is_called_once_in_the_order_of_the_first_try() -> None:
    floor = Driver()
    tried(floor, "c1", "n1", 20)
    tried(floor, "c2", "n2", 20)
    tried(floor, "c3", "n1", 30)
    first = MissedCaller(
        caller="n1", queue="q", call="c3", first_at=NINE, last_at=NINE + timedelta(seconds=70), tries=2
    )
    assert missed(floor).to_call(floor.now)[0] == first
    assert names(floor) == ["n1", "n2"]
    assert missed(floor).missed == 2


@pytest.mark.parametrize(
    ("waits", "reason", "is_missed"),
    [
        (5, m.LeaveReason.ABANDONED, False),
        (5.1, m.LeaveReason.ABANDONED, True),
        (9, m.LeaveReason.FAILED, True),
        (9, m.LeaveReason.FULL, True),
        (9, m.LeaveReason.OVERFLOWED, False),
        (9, m.LeaveReason.GIVEN_UP, False),
    ],
)
def test_short_tries_and_calls_that_went_elsewhere_were_not_missed(
    waits: float, reason: m.LeaveReason, is_missed: bool
) -> None:
    floor = Driver()
    tried(floor, "c1", "n1", waits, reason)
    assert names(floor) == (["n1"] if is_missed else [])


def test_callers_without_a_mark_cannot_be_told_apart_and_are_not_listed() -> None:
    floor = Driver()
    tried(floor, "c1", "", 20)
    assert names(floor) == []
    assert missed(floor).rate is None


def test_who_was_answered_later_is_not_called_again() -> None:
    floor = Driver()
    tried(floor, "c1", "n1", 20)
    tried(floor, "c2", "n2", 20)
    tried(floor, "c3", "n1", 3, m.LeaveReason.ANSWERED)
    assert names(floor) == ["n2"]
    assert missed(floor).rate == 1 / 2
    tried(floor, "c4", "n1", 3, m.LeaveReason.ANSWERED)
    assert missed(floor).rate == 1 / 2
    tried(floor, "c5", "n3", 3, m.LeaveReason.ANSWERED)
    assert missed(floor).rate == 1 / 2


def test_who_was_not_reached_within_a_day_is_dropped() -> None:
    floor = Driver()
    tried(floor, "c1", "n1", 20)
    found = missed(floor)
    assert [each.call for each in found.to_call(floor.now + timedelta(hours=24))] == ["c1"]
    assert found.to_call(floor.now + timedelta(hours=24, seconds=1)) == []
    assert found.rate == 0


def test_call_is_looked_at_once_when_it_leaves() -> None:
    floor = Driver()
    tried(floor, "c1", "n1", 20)
    found = missed(floor)
    found.apply(floor.last(m.LeftQueue))
    assert found.to_call(floor.now)[0].tries == 1
