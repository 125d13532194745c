"""What seats go through on the floor, by example."""

from datetime import timedelta

import pytest

from acd import model as m
from tests.unit.acd.driver import NINE, Driver

pytestmark = pytest.mark.unit


def talking(seat: str = "a", **rules: object) -> Driver:
    floor = Driver(m.Rules(**rules))  # type: ignore[arg-type]
    floor.sign_in(seat)
    floor.join("c1")
    floor.answer("c1")
    return floor


def test_wrap_up_follows_the_talk_and_ends_by_itself() -> None:
    floor = talking()
    floor.do(m.Finish(call="c1"))
    assert floor.last(m.SeatChanged).until == NINE + timedelta(seconds=30)
    floor.join("c2")
    floor.after(29)
    assert (floor.state("a"), floor.rings_at("c2")) == ("wrap_up", "")
    floor.after(1)
    assert floor.rings_at("c2") == "a"


def test_wrap_up_of_no_length_is_left_out() -> None:
    floor = talking(wrap_up=timedelta())
    floor.do(m.Finish(call="c1"))
    assert floor.state("a") == "ready"
    assert all(fact.state is not m.SeatState.WRAP_UP for fact in floor.facts if isinstance(fact, m.SeatChanged))


def test_wrap_up_ends_early_on_demand() -> None:
    floor = talking()
    floor.do(m.Finish(call="c1"))
    floor.do(m.EndWrapUp(seat="a"))
    assert floor.state("a") == "ready"
    assert floor.do(m.EndWrapUp(seat="a")) == ()


def test_pause_during_a_talk_comes_after_the_wrap_up() -> None:
    floor = talking()
    floor.do(m.Pause(seat="a", reason="meal"))
    assert floor.state("a") == "talking"
    floor.do(m.Finish(call="c1"))
    assert floor.state("a") == "wrap_up"
    floor.after(30)
    seat = floor.floor.seat("a")
    assert seat is not None
    assert (seat.state, seat.reason) == (m.SeatState.PAUSED, "meal")
    floor.do(m.Resume(seat="a"))
    assert floor.state("a") == "ready"


def test_resume_takes_back_a_pause_that_was_asked_for() -> None:
    floor = talking()
    floor.do(m.Pause(seat="a", reason="meal"))
    floor.do(m.Resume(seat="a"))
    floor.do(m.Finish(call="c1"))
    floor.after(30)
    assert floor.state("a") == "ready"


def test_pause_while_it_rings_sends_the_call_to_the_next_seat() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.join("c1")
    floor.do(m.Pause(seat="a", reason="meal"))
    assert (floor.state("a"), floor.rings_at("c1")) == ("paused", "b")


def test_another_reason_begins_another_pause() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.do(m.Pause(seat="a", reason="meal"))
    floor.after(60)
    facts = floor.do(m.Pause(seat="a", reason="training"))
    assert [type(fact) for fact in facts] == [m.SeatChanged]
    assert floor.floor.seat("a").since == floor.now  # type: ignore[union-attr]
    assert floor.do(m.Pause(seat="a", reason="training")) == ()


def test_pause_without_a_reason_is_a_pause_all_the_same() -> None:
    floor = talking()
    floor.do(m.Pause(seat="a", reason=""))
    floor.do(m.Finish(call="c1"))
    floor.after(30)
    assert floor.state("a") == "paused"


def test_seat_that_leaves_two_offers_unanswered_is_paused() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.join("c1")
    floor.refuse("c1", m.RefuseReason.NO_ANSWER)
    assert floor.state("a") == "ready"
    floor.join("c2")
    floor.refuse("c2", m.RefuseReason.NO_ANSWER)
    seat = floor.floor.seat("a")
    assert seat is not None
    assert (seat.state, seat.reason) == (m.SeatState.PAUSED, "no_answer")


def test_an_answer_or_a_return_from_pause_forgives_unanswered_offers() -> None:
    floor = Driver(m.Rules(wrap_up=timedelta()))
    floor.sign_in("a")
    for call in ("c1", "c2"):
        floor.join(call)
        floor.refuse(call, m.RefuseReason.NO_ANSWER)
        floor.do(m.Abandon(call=call))
        floor.do(m.Pause(seat="a", reason="rest"))
        floor.do(m.Resume(seat="a"))
    floor.join("c3")
    floor.refuse("c3", m.RefuseReason.NO_ANSWER)
    floor.do(m.Abandon(call="c3"))
    floor.join("c4")
    floor.answer("c4")
    floor.do(m.Finish(call="c4"))
    floor.join("c5")
    floor.refuse("c5", m.RefuseReason.NO_ANSWER)
    assert floor.state("a") == "ready"


def test_seat_that_refuses_goes_to_the_end_of_the_line() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.after(1)
    floor.sign_in("b")
    floor.after(1)
    floor.join("c1")
    floor.refuse("c1")
    floor.do(m.Abandon(call="c1"))
    floor.join("c2")
    assert floor.rings_at("c2") == "b"


def test_a_broken_phone_does_not_run_through_the_whole_queue() -> None:
    floor = Driver()
    floor.sign_in("a")
    for number in range(50):
        floor.join(f"c{number}")
    for _ in range(50):
        for offer in list(floor.floor.offers()):
            floor.do(m.Refuse(offer=offer.offer, reason=m.RefuseReason.UNREACHABLE))
    assert floor.count(m.Offered) == 2
    assert floor.floor.seat("a").reason == "unreachable"  # type: ignore[union-attr]


def test_seat_paused_because_its_phone_was_away_is_ready_when_the_phone_is_back() -> None:
    floor = Driver(m.Rules(unanswered_limit=1))
    floor.sign_in("a")
    floor.join("c1")
    floor.refuse("c1", m.RefuseReason.UNREACHABLE)
    floor.do(m.Reachability(phone="phone-a", reachable=False))
    floor.after(20)
    floor.do(m.Reachability(phone="phone-a", reachable=True))
    assert floor.rings_at("c1") == "a"


def test_own_pause_is_not_ended_by_the_phone() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.do(m.Pause(seat="a", reason="meal"))
    floor.do(m.Reachability(phone="phone-a", reachable=False))
    floor.do(m.Reachability(phone="phone-a", reachable=True))
    assert floor.state("a") == "paused"


def test_unreachable_phone_is_not_offered_a_call_until_it_is_back() -> None:
    floor = Driver()
    floor.do(m.SignIn(seat="a", agent="a", phone="8001", skills={}, reachable=False))
    floor.join("c1")
    assert floor.rings_at("c1") == ""
    floor.do(m.Reachability(phone="8001", reachable=True))
    assert floor.rings_at("c1") == "a"


def test_phone_that_vanishes_while_it_rings_gives_the_call_to_the_next_seat() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.join("c1")
    floor.do(m.Reachability(phone="phone-a", reachable=False))
    assert floor.last(m.OfferWithdrawn).seat == "a"
    assert floor.rings_at("c1") == "b"


def test_sign_out_while_it_rings_withdraws_and_offers_to_the_next_seat_at_once() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.sign_in("b")
    floor.join("c1")
    facts = floor.do(m.SignOut(seat="a"))
    assert [type(fact) for fact in facts] == [m.OfferWithdrawn, m.SignedOut, m.Offered, m.SeatChanged]
    assert floor.rings_at("c1") == "b"


def test_sign_out_during_a_talk_waits_for_its_end() -> None:
    floor = talking()
    floor.do(m.SignOut(seat="a", reason="shift_over"))
    assert floor.do(m.SignOut(seat="a", reason="shift_over")) == ()
    assert floor.state("a") == "talking"
    floor.do(m.Finish(call="c1"))
    assert floor.state("a") == "signed_out"
    assert floor.last(m.SignedOut).reason == "shift_over"


def test_second_sign_in_takes_back_a_sign_out_that_was_asked_for() -> None:
    floor = talking()
    floor.do(m.SignOut(seat="a"))
    floor.sign_in("a")
    floor.do(m.Finish(call="c1"))
    assert floor.state("a") == "wrap_up"


def test_second_sign_in_updates_skills_and_finds_work_for_them_at_once() -> None:
    floor = Driver()
    floor.sign_in("a", housing=1)
    floor.join("c1", "english")
    floor.sign_in("a", english=1)
    assert floor.rings_at("c1") == "a"


def test_second_sign_in_leaves_a_pause_as_it_is() -> None:
    floor = Driver()
    floor.sign_in("a")
    floor.do(m.Pause(seat="a", reason="meal"))
    floor.sign_in("a", english=1)
    assert floor.state("a") == "paused"


def test_sign_in_at_the_phone_of_another_seat_signs_that_seat_out() -> None:
    floor = Driver()
    floor.sign_in("a", phone="8001")
    floor.join("c1")
    floor.sign_in("b", phone="8001")
    assert floor.state("a") == "signed_out"
    assert floor.last(m.SignedOut).reason == "phone_taken"
    assert floor.rings_at("c1") == "b"


def test_phone_that_talks_is_not_taken_over() -> None:
    floor = Driver()
    floor.sign_in("a", phone="8001")
    floor.join("c1")
    floor.answer("c1")
    assert floor.do(m.SignIn(seat="b", agent="b", phone="8001", skills={})) == ()


def test_agent_who_changes_phones_while_it_rings_is_rung_at_the_new_one() -> None:
    floor = Driver()
    floor.sign_in("a", phone="8001")
    floor.join("c1")
    floor.sign_in("a", phone="8002")
    assert floor.count(m.OfferWithdrawn) == 1
    assert floor.last(m.Offered).phone == "8002"


def test_commands_for_seats_and_offers_that_do_not_exist_lead_to_nothing() -> None:
    floor = Driver()
    for command in (
        m.SignOut(seat="x"),
        m.Pause(seat="x", reason="meal"),
        m.Resume(seat="x"),
        m.EndWrapUp(seat="x"),
        m.Reachability(phone="x", reachable=True),
        m.Abandon(call="x"),
        m.Answer(offer="x"),
        m.Refuse(offer="x", reason=m.RefuseReason.BUSY),
        m.Finish(call="x"),
        m.Adopt(seat="x", call="x"),
        m.Tick(),
    ):
        assert floor.do(command) == ()
