"""Figures from facts: each formula by an example that can be worked out by hand."""

from datetime import timedelta

import pytest

from acd import measures
from acd import model as m
from acd.ledger import Ledger
from acd.measures import CallStay, Clock, ServiceLevelFormula
from tests.unit.acd.driver import NINE, Driver

pytestmark = pytest.mark.unit


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def stay(waited: float, reason: m.LeaveReason | None = m.LeaveReason.ANSWERED, menu: float = 0) -> CallStay:
    left_at = NINE + seconds(waited)
    called_at = NINE - seconds(menu)
    return CallStay(
        call="c", queue="q", called_at=called_at, joined_at=NINE, left_at=left_at, reason=reason, waited=seconds(waited)
    )


GONE = m.LeaveReason.ABANDONED
DAY = [
    stay(3),
    stay(10, menu=10),
    stay(18),
    stay(40),
    stay(2, GONE),
    stay(12, GONE),
    stay(50, GONE),
    stay(60, m.LeaveReason.OVERFLOWED),
]


def test_answer_rate_counts_everybody_who_asked_for_a_human() -> None:
    assert measures.answer_rate(DAY) == 4 / 8
    assert measures.answer_rate([]) is None
    assert measures.answer_rate([stay(5, None)]) is None


def test_answers_in_time_are_told_from_arrival_and_from_the_queue() -> None:
    assert measures.answered_within(DAY, clock=Clock.QUEUE) == 2 / 6
    assert measures.answered_within(DAY, clock=Clock.ARRIVAL) == 1 / 6


def test_four_service_levels() -> None:
    level = {formula: measures.service_level(DAY, seconds(20), formula) for formula in ServiceLevelFormula}
    assert level[ServiceLevelFormula.STANDARD] == 3 / 5
    assert level[ServiceLevelFormula.WITH_ABANDONED] == 5 / 7
    assert level[ServiceLevelFormula.OF_ANSWERED] == 3 / 4
    assert level[ServiceLevelFormula.OF_ALL] == 3 / 7


def test_speed_of_answer_has_a_mean_a_median_and_a_p95() -> None:
    spread = measures.speed_of_answer(DAY)
    assert spread is not None
    assert (spread.mean_s, spread.median_s, spread.p95_s) == (71 / 4, 10, 40)
    assert measures.spread(seconds(number) for number in range(1, 101)).p95_s == 95  # type: ignore[union-attr]
    assert measures.speed_of_answer([]) is None


def test_short_abandons_are_counted_apart() -> None:
    assert measures.abandon_rate(DAY) == 2 / 7
    assert measures.short_abandons(DAY) == 1


def test_target_itself_is_in_time() -> None:
    assert measures.answered_within([stay(15)], clock=Clock.QUEUE) == 1
    assert measures.service_level([stay(20)], seconds(20)) == 1
    assert measures.abandon_rate([stay(5, GONE)]) is None


def shift() -> tuple[Driver, Ledger]:
    floor = Driver()
    floor.sign_in("a")
    floor.after(10)
    floor.join("c1", called_at=NINE, dialled="12329")
    floor.after(5)
    floor.answer("c1")
    floor.after(60)
    floor.do(m.Finish(call="c1"))
    floor.after(30)
    floor.do(m.Pause(seat="a", reason="rest"))
    floor.after(100)
    return floor, Ledger().apply_all(floor.facts)


def test_stay_is_folded_from_its_facts() -> None:
    floor, ledger = shift()
    (only,) = ledger.stays(NINE)
    assert (only.dialled, only.answered_by, only.waited) == ("12329", "a", seconds(5))
    assert (only.from_arrival, only.talk, only.wrap_up) == (seconds(15), seconds(60), seconds(30))
    assert measures.handle_time([only]) == 90
    assert floor.now == NINE + seconds(205)


def test_occupancy_leaves_pauses_out() -> None:
    floor, ledger = shift()
    (time,) = ledger.seat_times(floor.now)
    assert (time.signed_in, time.talking, time.wrap_up) == (seconds(205), seconds(60), seconds(30))
    assert (time.paused, time.ringing) == (seconds(100), seconds(5))
    assert measures.occupancy([time]) == 90 / 105


def test_sign_out_ends_the_shift_and_the_talk_without_wrap_up() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.join("c1")
    floor.answer("c1")
    floor.do(m.SignOut(seat="a"))
    floor.after(20)
    floor.do(m.Finish(call="c1"))
    floor.after(500)
    ledger = Ledger().apply_all(floor.facts)
    (time,) = ledger.seat_times(floor.now)
    assert (time.signed_in, time.talking) == (seconds(20), seconds(20))
    assert measures.handle_time(ledger.stays(NINE)) == 20


def test_call_that_talks_is_not_handled_yet() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.join("c1")
    floor.answer("c1")
    ledger = Ledger().apply_all(floor.facts)
    assert measures.handle_time(ledger.stays(NINE)) is None
    floor.after(10)
    floor.do(m.Finish(call="c1"))
    ledger = Ledger().apply_all(floor.facts)
    assert measures.handle_time(ledger.stays(NINE)) is None, "its wrap-up goes on"


def test_adopted_call_was_answered() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.join("c1")
    floor.after(4)
    floor.do(m.Adopt(seat="b", call="c1"))
    floor.after(6)
    floor.do(m.Finish(call="c1"))
    (only,) = Ledger().apply_all(floor.facts).stays(NINE)
    assert (only.answered, only.answered_by, only.waited, only.talk) == (True, "b", seconds(4), seconds(6))


def test_each_stay_of_a_call_that_comes_back_is_counted() -> None:
    floor = Driver()
    floor.join("c1")
    floor.do(m.Abandon(call="c1", reason=m.LeaveReason.OVERFLOWED))
    floor.join("c1")
    floor.after(2)
    floor.do(m.Abandon(call="c1"))
    reasons = [each.reason for each in Ledger().apply_all(floor.facts).stays(NINE)]
    assert reasons == [m.LeaveReason.OVERFLOWED, m.LeaveReason.ABANDONED]


def test_what_ended_before_the_window_is_forgotten() -> None:
    floor, ledger = shift()
    floor.do(m.SignOut(seat="a"))
    ledger = Ledger().apply_all(floor.facts)
    ledger.forget(floor.now + timedelta(hours=23))
    assert len(ledger.stays(NINE)) == 1
    ledger.forget(floor.now + timedelta(hours=25))
    assert ledger.stays(NINE) == []
    assert ledger.seat_times(floor.now) == []


def test_stays_that_left_before_the_moment_asked_for_are_not_told() -> None:
    floor, ledger = shift()
    assert ledger.stays(NINE + seconds(15)) != []
    assert ledger.stays(NINE + seconds(16)) == []
    floor.join("c2")
    assert [each.call for each in Ledger().apply_all(floor.facts).stays(NINE + seconds(16))] == ["c2"]
