"""Figures from facts: each formula by an example that can be worked out by hand."""

from datetime import timedelta

import msgspec
import pytest

from acd import measures
from acd import model as m
from acd.figures import figures
from acd.ledger import Ledger
from acd.measures import CallStay, Clock, OfferEnd, ServiceLevelFormula
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


# ---- call-backs, offers and losses -----------------------------------------------------------------------------------


def a_promise_kept() -> Driver:
    """c1 waits 40 s, is promised a call-back, is answered 100 s later and talks for 20 s; c2 is turned away."""
    floor = Driver(m.Rules(capacity=1))
    floor.join("c1", "law", dialled="12348", called_at=NINE - seconds(9), caller="n1")
    floor.do(m.Join(call="c2", queue="q", dialled="12348", called_at=NINE - seconds(3)))
    floor.after(40)
    floor.do(m.PromiseCallBack(call="c1"))
    floor.after(90)
    floor.sign_in("a", law=1)
    floor.after(10)
    floor.answer("c1")
    floor.after(20)
    floor.do(m.Finish(call="c1"))
    floor.after(30)
    return floor


def test_call_back_is_a_stay_of_its_own_whose_waiting_counts_nowhere() -> None:
    ledger = Ledger().apply_all(a_promise_kept().facts)
    line, full, back = ledger.stays(NINE)
    assert (line.reason, line.waited, line.call_back) == (m.LeaveReason.CALL_BACK, seconds(40), False)
    assert (full.reason, full.waited, full.left_at, full.dialled) == (m.LeaveReason.FULL, seconds(0), NINE, "12348")
    assert (full.called_at, full.joined_at, full.queue, full.call) == (NINE - seconds(3), NINE, "q", "c2")
    assert (back.call_back, back.dialled, back.called_at) == (True, "12348", NINE - seconds(9))
    assert (back.talk, back.wrap_up, back.answered_by, back.queue) == (seconds(20), seconds(30), "a", "q")
    stays = [line, full, back]
    assert (measures.answer_rate(stays), measures.speed_of_answer(stays)) == (1 / 2, None), "answered, by a call-back"
    assert (measures.handle_time(stays), measures.talk_time(stays), measures.wrap_up_time(stays)) == (50, 20, 30)
    assert measures.call_back_rate(stays) == 1
    assert measures.losses(stays) == {m.LeaveReason.CALL_BACK: 1, m.LeaveReason.FULL: 1}


def test_call_backs_that_were_given_up_count_and_those_that_became_calls_do_not() -> None:
    def back(reason: m.LeaveReason | None) -> CallStay:
        return msgspec.structs.replace(stay(60, reason), call_back=True)

    answered, given_up = back(m.LeaveReason.ANSWERED), back(m.LeaveReason.GIVEN_UP)
    assert measures.call_back_rate([answered, given_up, back(m.LeaveReason.REJOINED), back(None), stay(1)]) == 1 / 2
    assert measures.call_back_rate([stay(1), back(None), back(m.LeaveReason.REJOINED)]) is None


def test_missed_call_that_is_called_back_was_never_on_the_line() -> None:
    floor = Driver()
    floor.join("c1", "law", call_back=True)
    floor.do(m.Abandon(call="c1", reason=m.LeaveReason.GIVEN_UP))
    (only,) = Ledger().apply_all(floor.facts).stays(NINE)
    assert only.call_back
    assert measures.losses([only]) == {}
    assert measures.call_back_rate([only]) == 0


def test_losses_are_told_by_reason() -> None:
    assert measures.losses(DAY) == {GONE: 3}
    assert measures.overflowed(DAY) == 1, "another centre answered: its own column"
    assert measures.losses([stay(3, None)]) == {}
    assert (measures.talk_time(DAY), measures.wrap_up_time(DAY)) == (None, None)


def offered() -> tuple[Driver, list[OfferEnd]]:
    """`a` refuses after 3 s, `b` answers after 4 s; what rang for c2 is withdrawn."""
    floor = Driver()
    floor.sign_in("a", law=1)
    floor.after(1)
    floor.sign_in("b", law=1)
    floor.join("c1", "law")
    floor.after(3)
    floor.refuse("c1", m.RefuseReason.NO_ANSWER)
    floor.after(4)
    floor.answer("c1")
    floor.join("c2", "law")
    floor.do(m.Abandon(call="c2"))
    return floor, Ledger().apply_all(floor.facts).offers(NINE)


def test_offers_end_answered_or_not() -> None:
    _, ends = offered()
    assert ends == [
        OfferEnd(at=NINE + seconds(4), seat="a", queue="q", rang=seconds(3), reason="no_answer"),
        OfferEnd(at=NINE + seconds(8), seat="b", queue="q", rang=seconds(4), reason=""),
    ]
    assert (measures.reach_rate(ends), measures.ring_time(ends)) == (1 / 2, 4)
    assert (measures.reach_rate([]), measures.ring_time(ends[:1])) == (None, None)


def test_offers_of_another_day_are_forgotten() -> None:
    floor, _ = offered()
    ledger = Ledger().apply_all(floor.facts)
    assert len(ledger.offers(NINE + seconds(5))) == 1
    ledger.forget(NINE + seconds(8) + timedelta(hours=24))
    assert len(ledger.offers(NINE)) == 1
    ledger.forget(NINE + seconds(9) + timedelta(hours=24))
    assert ledger.offers(NINE) == []


def test_end_of_an_offer_that_nobody_saw_begin_is_no_offer() -> None:
    floor, _ = offered()
    ends = Ledger().apply_all(fact for fact in floor.facts if not isinstance(fact, m.Offered)).offers(NINE)
    assert ends == []


def test_replay_of_the_log_gives_the_same_figures() -> None:
    facts = [*a_promise_kept().facts, *offered()[0].facts, *shift()[0].facts]
    written = [msgspec.json.encode(fact) for fact in facts]
    live, replayed = Ledger(), Ledger()
    for fact in facts:
        live.apply(fact)
    replayed.apply_all(msgspec.json.decode(body, type=m.AnyFloorFact) for body in written)
    now = NINE + timedelta(hours=1)
    for queue, dialled in ((None, None), ("q", None), (None, "12348"), ("x", None)):
        told = figures(live, now, timedelta(hours=24), queue, dialled)
        assert told == figures(replayed, now, timedelta(hours=24), queue, dialled)
    values = {item.name: item.value for item in figures(live, now, timedelta(hours=24), None, None).items}
    assert (values["reach_rate"], values["call_back_rate"], values["lost_full"]) == (3 / 4, 1, 1)
    assert all(item.formula for item in figures(live, now, timedelta(hours=24), None, None).items)
    of_unit = figures(
        live, now, timedelta(hours=24), None, None, "law", lambda number, _at: {"12348": "law"}.get(number, "")
    )
    of_number = figures(live, now, timedelta(hours=24), None, "12348")
    assert (of_unit.items, of_unit.calls) == (of_number.items, of_number.calls), "the unit has this number alone"
    assert of_number.calls == 2, "the call-back is no further call"
    assert {item.name: item.value for item in of_number.items}["reach_rate"] is None


@pytest.mark.parametrize(("steps", "counts"), [(2, True), (3, False)])
def test_call_that_was_ended_for_abuse_counts_in_no_figure_of_its_agent(steps: int, counts: bool) -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.join("c1")
    floor.answer("c1")
    for step in list(m.AbuseStep)[:steps]:
        floor.do(m.ReportAbuse(seat="a", step=step))
    floor.after(50)
    floor.do(m.Finish(call="c1"))
    floor.after(500)
    stays = Ledger().apply_all(floor.facts).stays(NINE)
    told = (measures.talk_time(stays), measures.wrap_up_time(stays), measures.handle_time(stays))
    assert told == ((50, 30, 80) if counts else (None, None, None))
    assert measures.answer_rate(stays) == 1
