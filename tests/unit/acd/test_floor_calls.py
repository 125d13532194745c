"""What calls go through on the floor, by example."""

from datetime import timedelta

import pytest

from acd import model as m
from tests.unit.acd.driver import NINE, Driver

pytestmark = pytest.mark.unit


def test_call_rings_at_the_seat_that_has_been_idle_longest() -> None:
    floor = Driver()
    floor.sign_in("b")
    floor.after(1)
    floor.sign_in("a")
    floor.join("c1")
    assert floor.rings_at("c1") == "b"
    offered = floor.last(m.Offered)
    assert offered.phone == "phone-b"
    assert offered.expires_at == floor.now + timedelta(seconds=15)


def test_of_two_seats_idle_equally_long_the_specialist_is_offered_first() -> None:
    floor = Driver()
    floor.sign_in("a", english=1, housing=1)
    floor.sign_in("b", housing=1)
    floor.join("c1", "housing")
    assert floor.rings_at("c1") == "b"


def test_seat_must_have_every_needed_skill_at_its_level() -> None:
    floor = Driver()
    floor.sign_in("a", housing=4, english=9)
    floor.sign_in("b", housing=5)
    floor.join("c1", "housing:5", "english:2")
    assert floor.rings_at("c1") == ""
    floor.sign_in("c", housing=5, english=2)
    assert floor.rings_at("c1") == "c"


def test_callers_are_served_in_the_order_in_which_they_came() -> None:
    floor = Driver()
    floor.join("c1")
    floor.after(1)
    floor.join("c2")
    floor.sign_in("a")
    assert (floor.rings_at("c1"), floor.rings_at("c2")) == ("a", "")


def test_priority_is_a_constant_head_start_in_seconds() -> None:
    floor = Driver()
    floor.join("old")
    floor.after(31)
    floor.join("urgent", priority=30)
    floor.after(28)
    floor.join("more_urgent", priority=60)
    assert [call.call for call in floor.floor.waiting()] == ["more_urgent", "old", "urgent"]


def test_requeued_call_keeps_the_place_of_its_arrival() -> None:
    floor = Driver()
    floor.after(10)
    floor.join("c1")
    floor.after(10)
    floor.join("back", arrived_at=NINE)
    assert [call.call for call in floor.floor.waiting()] == ["back", "c1"]


def test_arrival_in_the_future_counts_as_now() -> None:
    floor = Driver()
    floor.join("c1", arrived_at=NINE + timedelta(hours=1))
    assert floor.last(m.Joined).arrived_at == NINE


def test_refused_call_goes_to_the_next_seat_and_not_back() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.after(1)
    floor.sign_in("b")
    floor.join("c1")
    floor.refuse("c1")
    assert floor.rings_at("c1") == "b"
    assert floor.last(m.OfferRefused).seat == "a"
    floor.refuse("c1")
    assert floor.rings_at("c1") == ""


def test_refused_call_keeps_its_place() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.join("c1")
    floor.after(1)
    floor.join("c2")
    floor.refuse("c1")
    assert floor.rings_at("c2") == "a"
    floor.sign_in("b")
    assert floor.rings_at("c1") == "b"


def test_the_only_seat_is_asked_again_after_a_pause_and_not_in_a_loop() -> None:
    floor = Driver(m.Rules(retry_after=timedelta(seconds=10), unanswered_limit=9))
    floor.sign_in("a")
    floor.join("c1")
    floor.refuse("c1")
    assert floor.floor.next_due() == NINE + timedelta(seconds=10)
    floor.after(9)
    assert floor.count(m.Offered) == 1
    floor.after(1)
    assert floor.rings_at("c1") == "a"
    assert floor.count(m.Offered) == 2


def test_seat_that_refused_takes_another_call_at_once() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.join("c1")
    floor.join("c2")
    floor.refuse("c1")
    assert floor.rings_at("c2") == "a"


def test_excluded_seat_is_passed_over_until_the_refusal_pause_is_over() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.join("c1", exclude=("a",))
    assert floor.rings_at("c1") == ""
    floor.after(10)
    assert floor.rings_at("c1") == "a"


def test_offer_that_nobody_reports_on_ends_as_unanswered() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.join("c1")
    floor.after(15)
    assert floor.rings_at("c1") == "a"
    floor.after(1)
    assert floor.last(m.OfferRefused).reason is m.RefuseReason.NO_ANSWER
    assert floor.rings_at("c1") == "b"


def test_late_answer_leads_to_nothing() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.join("c1")
    late = floor.offer_of("c1")
    floor.refuse("c1", m.RefuseReason.NO_ANSWER)
    assert floor.do(m.Answer(offer=late)) == ()
    assert floor.rings_at("c1") == "b"


def test_answer_tells_how_long_the_citizen_waited() -> None:
    floor = Driver()
    floor.join("c1")
    floor.after(20)
    floor.sign_in("a")
    floor.after(5)
    floor.answer("c1")
    assert floor.last(m.Answered).waited_s == 25
    left = floor.last(m.LeftQueue)
    assert (left.reason, left.waited_s) == (m.LeaveReason.ANSWERED, 25)
    assert floor.floor.talking_with("c1") == ("a",)


def test_hang_up_while_it_rings_stops_the_ringing_and_frees_the_seat_without_losing_its_turn() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.after(1)
    floor.sign_in("b")
    floor.join("c1")
    floor.after(3)
    floor.do(m.Abandon(call="c1"))
    assert floor.last(m.OfferWithdrawn).seat == "a"
    assert floor.last(m.LeftQueue).reason is m.LeaveReason.ABANDONED
    floor.join("c2")
    assert floor.rings_at("c2") == "a"


def test_call_that_talks_cannot_be_abandoned_and_joins_once_only() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.join("c1")
    assert floor.do(m.Join(call="c1", queue="q")) == ()
    floor.answer("c1")
    assert floor.do(m.Abandon(call="c1")) == ()


def test_talk_found_alive_after_a_restart_is_the_truth() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.join("c1")
    floor.join("c2")
    assert (floor.rings_at("c1"), floor.rings_at("c2")) == ("a", "b")
    floor.do(m.Adopt(seat="b", call="c1"))
    assert floor.state("b") == "talking"
    assert floor.floor.call("c1") is None
    assert floor.rings_at("c2") == "a"
    assert floor.do(m.Adopt(seat="b", call="c1")) == ()


def test_pause_survives_a_talk_that_was_found_alive() -> None:
    floor = Driver(m.Rules(wrap_up=timedelta()))
    floor.sign_in("a")
    floor.do(m.Pause(seat="a", reason="meal"))
    floor.do(m.Adopt(seat="a", call="c1"))
    floor.do(m.Finish(call="c1"))
    assert floor.state("a") == "paused"


def test_one_party_of_a_three_way_leaves_and_the_other_talks_on() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.join("c1")
    floor.answer("c1")
    floor.do(m.Adopt(seat="b", call="c1"))
    floor.do(m.Finish(call="c1", seat="a"))
    assert (floor.state("a"), floor.state("b")) == ("wrap_up", "talking")
    floor.do(m.Finish(call="c1"))
    assert floor.state("b") == "wrap_up"


def test_callers_ahead_are_those_with_the_same_demand_that_came_before() -> None:
    floor = Driver()
    for call, need in (("c1", "housing"), ("c2", "english"), ("c3", "housing")):
        floor.join(call, need)
    assert [floor.floor.ahead_of(call) for call in ("c1", "c2", "c3", "nobody")] == [0, 0, 1, 0]


def test_time_set_back_gives_no_negative_waits() -> None:
    floor = Driver()
    floor.join("c1")
    floor.now -= timedelta(hours=1)
    floor.do(m.Abandon(call="c1"))
    assert floor.last(m.LeftQueue).waited_s == 0


def test_end_of_a_three_way_is_the_end_for_every_seat_in_it() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.do(m.Adopt(seat="a", call="c1"))
    floor.do(m.Adopt(seat="b", call="c1"))
    floor.do(m.Finish(call="c1"))
    assert (floor.state("a"), floor.state("b")) == ("wrap_up", "wrap_up")


def test_call_that_comes_back_does_not_overtake_when_a_seat_becomes_free_in_the_same_moment() -> None:
    floor = Driver(m.Rules(wrap_up=timedelta(seconds=16)))
    floor.sign_in("expert", housing=1)
    floor.join("c0", "housing")
    floor.answer("c0")
    floor.join("earlier", "housing")
    floor.sign_in("operator")
    floor.after(1)
    floor.join("later")
    floor.do(m.Finish(call="c0"))
    assert floor.rings_at("later") == "operator"
    floor.after(16)
    assert floor.rings_at("earlier") == "expert"
