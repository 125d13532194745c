"""What a command about a call leads to, word for word: every fact in its order, with every field."""

from datetime import timedelta

import pytest

from acd import model as m
from tests.unit.acd.hand import (
    HOUSING,
    OFFERED,
    PAUSED,
    READY,
    TALKING,
    WRAP_UP,
    Hand,
    adopted,
    at,
    finished,
    ringing,
    talking,
)

pytestmark = pytest.mark.unit


# ---- calls ----------------------------------------------------------------------------------------------------------


def test_a_call_joins_with_all_that_it_brought() -> None:
    hand = Hand()
    hand.after(9)
    recipe = (m.Step(after_s=5), m.Step(after_s=6))
    command = m.Join(
        call="c1",
        queue="q1",
        needs=HOUSING,
        priority=3,
        arrived_at=at(4),
        exclude=("x", "y"),
        called_at=at(2),
        dialled="12329",
        recipe=recipe,
    )
    joined = m.Joined(
        at=at(9),
        call="c1",
        queue="q1",
        needs=HOUSING,
        priority=3,
        arrived_at=at(4),
        exclude=("x", "y"),
        retry_at=at(16),
        recipe=recipe,
        called_at=at(2),
        dialled="12329",
    )
    widened = [m.Widened(at=at(9), call="c1", needs=(), nobody=True) for _ in recipe]
    assert hand.do(command) == (joined, *widened)
    assert hand.do(command) == ()


def test_a_call_that_brought_nothing_joins_now_and_rings_where_it_can() -> None:
    hand = Hand()
    hand.sign_in("a")
    hand.after(2)
    joined = m.Joined(at=at(2), call="c1", queue="q", needs=(), priority=0, arrived_at=at(2))
    assert hand.do(m.Join(call="c1", queue="q")) == (joined, *hand.offered("c1", "a"))


def test_a_waiting_call_leaves_without_a_ringing_phone() -> None:
    hand = Hand()
    hand.join("c1")
    hand.after(4)
    left = m.LeftQueue(at=at(4), call="c1", reason=m.LeaveReason.OVERFLOWED, waited_s=4)
    assert hand.do(m.Abandon(call="c1", reason=m.LeaveReason.OVERFLOWED)) == (left,)
    assert hand.do(m.Abandon(call="c1")) == ()


def test_a_call_that_leaves_while_it_rings_frees_the_seat_for_the_next() -> None:
    hand = Hand()
    hand.sign_in("a")
    hand.join("c1")
    hand.join("c2")
    hand.after(5)
    left = m.LeftQueue(at=at(5), call="c1", reason=m.LeaveReason.ABANDONED, waited_s=5)
    freed = (hand.withdrawn("c1", "a"), left, hand.changed("a", READY, OFFERED))
    assert hand.do(m.Abandon(call="c1")) == (*freed, *hand.offered("c2", "a", 2))


def test_an_answer_ends_the_waiting_and_begins_the_talk() -> None:
    hand = ringing()
    answered = m.Answered(at=at(5), offer="offer_1", call="c1", seat="a", waited_s=5)
    left = m.LeftQueue(at=at(5), call="c1", reason=m.LeaveReason.ANSWERED, waited_s=5)
    assert hand.do(m.Answer(offer="offer_1")) == (answered, left, hand.changed("a", TALKING, OFFERED))
    assert hand.do(m.Answer(offer="offer_1")) == ()
    assert hand.floor.talking_with("c1") == ("a",)


def test_an_answer_before_the_arrival_waited_no_time() -> None:
    hand = ringing()
    hand.now -= timedelta(hours=1)
    answered, left, _ = hand.do(m.Answer(offer="offer_1"))
    assert isinstance(answered, m.Answered)
    assert isinstance(left, m.LeftQueue)
    assert (answered.waited_s, left.waited_s) == (0.0, 0.0)


def test_a_refused_offer_goes_on_and_the_seat_is_ready_again() -> None:
    hand = ringing()
    facts = hand.do(m.Refuse(offer="offer_1", reason=m.RefuseReason.BUSY))
    refused = hand.refused("c1", "a", m.RefuseReason.BUSY)
    assert facts == (refused, hand.changed("a", READY, OFFERED), *hand.offered("c1", "b", 2))
    assert hand.do(m.Refuse(offer="offer_1", reason=m.RefuseReason.BUSY)) == ()


def test_the_last_offer_that_a_seat_may_leave_unanswered_pauses_it_for_its_reason() -> None:
    hand = Hand()
    hand.sign_in("a")
    hand.join("c1")
    hand.refuse("c1", m.RefuseReason.BUSY)
    hand.join("c2")
    refused = hand.refused("c2", "a", m.RefuseReason.REJECTED, 2)
    assert hand.do(m.Refuse(offer="offer_2", reason=m.RefuseReason.REJECTED)) == (
        refused,
        hand.changed("a", PAUSED, OFFERED, reason="rejected"),
    )


def test_an_offer_that_nobody_ended_is_ended_after_its_grace() -> None:
    hand = ringing()
    assert hand.floor.next_due() == at(14)
    hand.now = at(13.999)
    assert hand.do(m.Tick()) == ()
    hand.now = at(14)
    refused = hand.refused("c1", "a", m.RefuseReason.NO_ANSWER)
    assert hand.do(m.Tick()) == (refused, hand.changed("a", READY, OFFERED), *hand.offered("c1", "b", 2))


def test_seats_that_refused_are_asked_again_when_their_time_is_over() -> None:
    hand = Hand()
    hand.sign_in("b")
    hand.sign_in("a")
    hand.join("c1", exclude=("b", "a"))
    hand.after(3)
    hand.join("c2", exclude=("b",))
    hand.now = at(7)
    allowed = m.RetryAllowed(at=at(7), call="c1", seats=("a", "b"))
    assert hand.rings_at("c2") == "a"
    assert hand.do(m.Tick()) == (allowed, *hand.offered("c1", "b", 2))


def test_only_the_seats_whose_time_is_over_are_asked_again() -> None:
    hand = Hand()
    hand.join("c1", exclude=("a",))
    hand.after(1)
    hand.sign_in("b")
    hand.refuse("c1")
    hand.now = at(7)
    assert hand.do(m.Tick()) == (m.RetryAllowed(at=at(7), call="c1", seats=("a",)),)
    assert hand.floor.next_due() == at(8)


def test_a_recipe_goes_on_by_the_clock() -> None:
    hand = Hand()
    hand.sign_in("a", housing=1)
    hand.sign_in("b")
    hand.do(m.Pause(seat="a", reason="meal"))
    hand.join("c1", "housing", recipe=(m.Step(after_s=5, needs=HOUSING), m.Step(after_s=6)))
    hand.now = at(5)
    assert hand.do(m.Tick()) == (m.Widened(at=at(5), call="c1", needs=HOUSING),)
    hand.now = at(6)
    assert hand.do(m.Tick()) == (m.Widened(at=at(6), call="c1", needs=()), *hand.offered("c1", "b"))


def test_all_that_fell_due_is_done_in_one_tick_in_its_order() -> None:
    hand = talking()
    hand.do(m.Finish(call="c1"))
    hand.do(m.Pause(seat="b", reason="meal"))
    hand.join("c2", exclude=("a",))
    hand.now = at(60)
    allowed = m.RetryAllowed(at=at(60), call="c2", seats=("a",))
    assert hand.do(m.Tick()) == (allowed, hand.changed("a", READY, WRAP_UP), *hand.offered("c2", "a", 2))


# ---- the talk's end -------------------------------------------------------------------------------------------------


def test_a_finished_talk_is_wrapped_up() -> None:
    hand = talking()
    wrap_up = hand.changed("a", WRAP_UP, TALKING, until=at(25))
    assert hand.do(m.Finish(call="c1")) == (finished(hand), wrap_up)
    assert hand.do(m.Finish(call="c1")) == ()
    assert hand.do(m.EndWrapUp(seat="a")) == (hand.changed("a", READY, WRAP_UP),)
    assert hand.do(m.EndWrapUp(seat="a")) == ()


def test_a_talk_is_finished_for_one_seat_or_for_all() -> None:
    hand = talking()
    hand.do(m.Adopt(seat="b", call="c1"))
    assert hand.do(m.Finish(call="c1", seat="x")) == ()
    assert [fact.seat for fact in hand.do(m.Finish(call="c1", seat="b"))] == ["b", "b"]  # type: ignore[union-attr]
    hand.do(m.Adopt(seat="b", call="c1"))
    assert [fact.seat for fact in hand.do(m.Finish(call="c1"))] == ["a", "a", "b", "b"]  # type: ignore[union-attr]


def test_without_a_wrap_up_a_seat_is_ready_or_pauses_as_it_asked() -> None:
    hand = Hand(m.Rules(wrap_up=timedelta()))
    hand.sign_in("a")
    for asked, after in (
        ("", hand.changed("a", READY, TALKING)),
        ("m", hand.changed("a", PAUSED, TALKING, reason="m")),
    ):
        hand.do(m.Adopt(seat="a", call="c1"))
        if asked:
            hand.do(m.Pause(seat="a", reason=asked))
        assert hand.do(m.Finish(call="c1")) == (finished(hand), after)


def test_a_pause_that_was_asked_for_comes_with_the_end_of_the_wrap_up() -> None:
    hand = talking()
    hand.do(m.Pause(seat="a", reason="meal"))
    hand.do(m.Finish(call="c1"))
    assert hand.do(m.EndWrapUp(seat="a")) == (hand.changed("a", PAUSED, WRAP_UP, reason="meal"),)


def test_a_seat_that_asked_to_leave_signs_out_with_the_end_of_its_talk() -> None:
    hand = talking()
    asked = m.SignOutAsked(at=at(5), seat="a", reason="home")
    assert hand.do(m.SignOut(seat="a", reason="home")) == (asked,)
    assert hand.do(m.SignOut(seat="a", reason="home")) == ()
    signed_out = m.SignedOut(at=at(5), seat="a", reason="home")
    assert hand.do(m.Finish(call="c1")) == (finished(hand), signed_out)


# ---- adopting -------------------------------------------------------------------------------------------------------


def test_an_idle_seat_is_found_talking() -> None:
    hand = ringing()
    assert hand.do(m.Adopt(seat="b", call="c9")) == (adopted(hand, "b", "c9"), hand.changed("b", TALKING, READY))
    assert hand.do(m.Adopt(seat="b", call="c9")) == ()
    assert hand.do(m.Adopt(seat="x", call="c9")) == ()


def test_the_ringing_seat_found_talking_with_its_caller_has_answered() -> None:
    hand, other = ringing(), ringing()
    assert hand.do(m.Adopt(seat="a", call="c1")) == other.do(m.Answer(offer="offer_1"))


def test_a_ringing_call_found_with_another_seat_leaves_and_frees_the_first() -> None:
    hand = ringing()
    left = m.LeftQueue(at=at(5), call="c1", reason=m.LeaveReason.ANSWERED, waited_s=5)
    assert hand.do(m.Adopt(seat="b", call="c1")) == (
        hand.withdrawn("c1", "a"),
        left,
        hand.changed("a", READY, OFFERED),
        adopted(hand, "b", "c1"),
        hand.changed("b", TALKING, READY),
    )


def test_a_ringing_seat_found_with_another_call_gives_its_offer_to_the_next() -> None:
    hand = ringing()
    assert hand.do(m.Adopt(seat="a", call="c9")) == (
        hand.withdrawn("c1", "a"),
        adopted(hand, "a", "c9"),
        hand.changed("a", TALKING, OFFERED),
        *hand.offered("c1", "b", 2),
    )


def test_a_call_found_at_a_phone_where_nobody_is_signed_in_waits_no_longer() -> None:
    hand = ringing()
    left = m.LeftQueue(at=at(5), call="c1", reason=m.LeaveReason.ANSWERED, waited_s=5)
    freed = hand.changed("a", READY, OFFERED)
    assert hand.do(m.Adopt(seat="x", call="c1")) == (hand.withdrawn("c1", "a"), left, freed)
    assert hand.do(m.Adopt(seat="x", call="c1")) == ()


def test_a_talking_seat_found_with_another_call_has_finished_the_first() -> None:
    hand = talking()
    assert hand.do(m.Adopt(seat="a", call="c9")) == (finished(hand), adopted(hand, "a", "c9"))


def test_a_paused_seat_found_talking_pauses_again_afterwards() -> None:
    hand = ringing()
    hand.do(m.Pause(seat="b", reason="meal"))
    assert hand.do(m.Adopt(seat="b", call="c9")) == (
        m.PauseAsked(at=at(5), seat="b", reason="meal"),
        adopted(hand, "b", "c9"),
        hand.changed("b", TALKING, PAUSED),
    )
