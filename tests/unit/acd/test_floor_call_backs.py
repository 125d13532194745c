"""Places that are kept and calls that are promised, by example."""

from datetime import timedelta

import pytest

from acd import model as m
from tests.unit.acd.driver import Driver
from tests.unit.acd.hand import HOUSING, Hand, at

pytestmark = pytest.mark.unit

REJOINED, CALL_BACK, GIVEN_UP = m.LeaveReason.REJOINED, m.LeaveReason.CALL_BACK, m.LeaveReason.GIVEN_UP


def order(floor: Driver) -> list[str]:
    return [call.call for call in floor.floor.waiting()]


# ---- redial ---------------------------------------------------------------------------------------------------------


def hung_up_after_a_minute(**rules: object) -> Driver:
    floor = Driver(m.Rules(**rules))  # type: ignore[arg-type]
    floor.join("c1", "housing", caller="n1")
    floor.after(30)
    floor.join("other", "housing")
    floor.after(30)
    floor.do(m.Abandon(call="c1"))
    return floor


def test_who_rings_again_in_time_has_the_old_place() -> None:
    floor = hung_up_after_a_minute()
    floor.after(299.5)
    floor.join("c2", "housing", caller="n1")
    assert order(floor) == ["c2", "other"]
    joined = floor.last(m.Joined)
    assert (joined.kept_place, joined.priority, joined.arrived_at) == (True, 360, floor.now)


def test_place_is_kept_to_the_last_moment_and_not_longer() -> None:
    floor = hung_up_after_a_minute(redial=timedelta(minutes=1))
    assert floor.last(m.LeftQueue).place_until == floor.now + timedelta(minutes=1)
    assert floor.floor.next_due() == floor.now + timedelta(minutes=1)
    floor.now += timedelta(minutes=1)
    late = Driver()
    late.floor, late.now = type(floor.floor).load(floor.floor.dump(), floor.floor.rules), floor.now
    floor.join("c2", "housing", caller="n1")
    assert order(floor) == ["c2", "other"]
    late.after(1)
    late.join("c2", "housing", caller="n1")
    assert order(late) == ["other", "c2"]
    assert late.facts[0] == m.PlaceForgotten(at=floor.now, caller="n1")
    assert late.floor.next_due() is None


def test_place_that_nobody_cleared_away_is_not_given_back_late() -> None:
    floor = hung_up_after_a_minute(redial=timedelta(minutes=1))
    floor.now += timedelta(minutes=1, seconds=1)
    floor.join("c2", "housing", caller="n1")
    assert order(floor) == ["other", "c2"]
    assert not floor.last(m.Joined).kept_place


@pytest.mark.parametrize(
    ("queue", "caller", "reason", "redial"),
    [
        ("r", "n1", m.LeaveReason.ABANDONED, 5),
        ("q", "n2", m.LeaveReason.ABANDONED, 5),
        ("q", "", m.LeaveReason.ABANDONED, 5),
        ("q", "n1", m.LeaveReason.OVERFLOWED, 5),
        ("q", "n1", m.LeaveReason.ABANDONED, 0),
    ],
)
def test_place_belongs_to_one_caller_in_one_queue_who_hung_up(
    queue: str, caller: str, reason: m.LeaveReason, redial: float
) -> None:
    floor = Driver(m.Rules(redial=timedelta(minutes=redial)))
    floor.join("c1", "housing", caller="n1")
    floor.after(30)
    floor.join("other", "housing")
    floor.do(m.Abandon(call="c1", reason=reason))
    floor.do(m.Join(call="c2", queue=queue, needs=HOUSING, caller=caller))
    assert order(floor) == ["other", "c2"]
    assert not floor.last(m.Joined).kept_place


def test_nobody_in_particular_has_no_place() -> None:
    floor = Driver()
    floor.join("c1", "housing")
    floor.after(5)
    floor.do(m.Abandon(call="c1"))
    assert floor.last(m.LeftQueue).place_until is None
    floor.join("c2", "housing")
    assert not floor.last(m.Joined).kept_place


def test_place_is_given_back_once() -> None:
    floor = hung_up_after_a_minute()
    floor.join("c2", "housing", caller="n1")
    floor.join("c3", "housing", caller="n1")
    assert order(floor) == ["c2", "other", "c3"]


def test_head_start_of_the_call_counts_when_it_is_greater() -> None:
    floor = hung_up_after_a_minute()
    floor.join("c2", "housing", caller="n1", priority=500)
    assert floor.last(m.Joined).priority == 500
    floor.do(m.Abandon(call="c2"))
    floor.after(10)
    floor.join("c3", "housing", caller="n1", arrived_at=floor.now - timedelta(seconds=4))
    assert floor.last(m.Joined).priority == 506


# ---- promises -------------------------------------------------------------------------------------------------------


def promised() -> Hand:
    """c1 and c3 wait on the line, c2 between them was promised to be called back."""
    hand = Hand()
    for number in (1, 2, 3):
        hand.join(f"c{number}", "housing", caller=f"n{number}")
        hand.after(10)
    hand.do(m.PromiseCallBack(call="c2"))
    return hand


def test_promised_call_keeps_its_place_without_a_line() -> None:
    hand = promised()
    assert hand.facts[-1] == m.CallBackPromised(at=hand.now, call="c2")
    assert hand.do(m.Abandon(call="c2")) == (), "the citizen hung up, as was agreed"
    assert order(hand) == ["c1", "c2", "c3"]
    for seat, call in (("s1", "c1"), ("s2", "c2"), ("s3", "c3")):
        hand.sign_in(seat, housing=1)
        assert hand.rings_at(call) == seat
        assert hand.last(m.Offered).call_back is (call == "c2")


def test_promise_takes_no_seat_from_who_came_before_and_no_more_seats_than_there_are() -> None:
    hand = promised()
    hand.sign_in("a", housing=1)
    assert hand.rings_at("c1") == "a"
    assert [offer.call for offer in hand.floor.offers()] == ["c1"]


def test_promise_for_later_rests_until_then_and_has_its_old_place() -> None:
    hand = promised()
    hand.do(m.Abandon(call="c2", reason=GIVEN_UP))
    hand.do(m.PromiseCallBack(call="c1", not_before=hand.now + timedelta(minutes=5)))
    assert hand.last(m.CallBackPromised).not_before == hand.now + timedelta(minutes=5)
    hand.sign_in("a", housing=1)
    assert hand.rings_at("c3") == "a"
    hand.answer("c3")
    hand.join("c4", "housing")
    hand.after(300)
    assert hand.facts[-1] == m.CallBackDue(at=at(330), call="c1")
    assert order(hand) == ["c1", "c4"]
    hand.do(m.Finish(call="c3"))
    hand.do(m.EndWrapUp(seat="a"))
    assert hand.rings_at("c1") == "a"


def test_due_promise_rings_at_once_when_somebody_is_idle() -> None:
    hand = Hand()
    hand.sign_in("a", housing=1)
    hand.join("c1", "housing", call_back=True, not_before=at(60))
    assert hand.rings_at("c1") == ""
    assert hand.floor.ahead_of("c1") == 0
    hand.after(60)
    assert hand.rings_at("c1") == "a"


def test_moment_that_has_passed_is_no_reason_to_rest() -> None:
    hand = promised()
    hand.do(m.PromiseCallBack(call="c1", not_before=hand.now))
    assert hand.last(m.CallBackPromised).not_before is None
    hand.do(m.Join(call="c9", queue="q", call_back=True, not_before=hand.now))
    assert hand.last(m.Joined).not_before is None


def test_only_a_call_back_can_rest() -> None:
    hand = Hand()
    hand.do(m.Join(call="c1", queue="q", not_before=at(60)))
    assert hand.last(m.Joined).not_before is None


def test_one_promise_for_one_caller() -> None:
    hand = promised()
    assert hand.do(m.PromiseCallBack(call="c2")) == ()
    assert hand.do(m.PromiseCallBack(call="x")) == ()
    hand.do(m.Join(call="again", queue="r", caller="n2"))
    assert hand.do(m.PromiseCallBack(call="again")) == ()
    assert hand.do(m.Join(call="missed", queue="r", caller="n2", call_back=True)) == ()
    assert hand.do(m.Join(call="missed", queue="r", caller="n9", call_back=True)) != ()
    assert hand.do(m.Join(call="missed2", queue="r", call_back=True)) != ()
    assert hand.do(m.Join(call="missed3", queue="r", call_back=True)) != (), "nobody in particular may be many"


def test_one_promise_for_one_number_whoever_asked_for_it() -> None:
    hand = promised()
    assert hand.do(m.PromiseCallBack(call="c1", caller="n9"))
    assert hand.do(m.PromiseCallBack(call="c3", caller="n9")) == (), "two citizens named the same number"
    assert hand.do(m.PromiseCallBack(call="c3", caller="n2")) == (), "it is that of who was promised before"
    hand.join("again", "housing", caller="n1")
    assert hand.floor.call("c1") is not None, "it is not this line that is to be called"
    hand.join("named", "housing", caller="n9")
    assert hand.floor.call("c1") is None, "its citizen has rung"
    assert hand.last(m.Joined).kept_place


def test_who_rings_again_before_the_call_back_has_its_place_and_is_not_called_as_well() -> None:
    hand = promised()
    hand.sign_in("a", housing=1)
    hand.do(m.Abandon(call="c1"))
    assert hand.rings_at("c2") == "a"
    hand.join("again", "housing", caller="n2")
    assert hand.last(m.LeftQueue).reason is REJOINED
    assert (hand.last(m.Joined).kept_place, hand.last(m.Joined).priority) == (True, 20)
    assert hand.floor.call("c2") is None
    assert hand.rings_at("again") == "a"
    assert order(hand) == ["again", "c3"]


def test_who_rings_another_queue_keeps_the_promise() -> None:
    hand = promised()
    hand.do(m.Join(call="law", queue="r", caller="n2"))
    assert not hand.last(m.Joined).kept_place
    assert hand.floor.call("c2") is not None


def test_promise_while_it_rings_frees_the_seat_which_then_rings_for_the_call_back() -> None:
    hand = Hand()
    hand.sign_in("a", housing=1)
    hand.join("c1", "housing")
    hand.after(3)
    facts = hand.do(m.PromiseCallBack(call="c1"))
    assert [type(fact).__name__ for fact in facts] == [
        *("OfferWithdrawn", "CallBackPromised", "SeatChanged", "Offered", "SeatChanged")
    ]
    assert hand.last(m.Offered).call_back


def test_promised_call_hears_nothing_and_is_not_sent_on_but_widens() -> None:
    hand = Hand()
    hand.sign_in("expert", housing=1)
    hand.do(m.Pause(seat="expert", reason="rest"))
    recipe = (
        m.Step(after_s=5, does=m.StepKind.POSITION),
        m.Step(after_s=10, does=m.StepKind.RAISE, by_s=3),
        m.Step(after_s=15, does=m.StepKind.OVERFLOW),
        m.Step(after_s=20, needs=()),
        m.Step(after_s=25, does=m.StepKind.PROMPT),
    )
    hand.join("c1", "housing", recipe=recipe)
    hand.join("c2", "housing", recipe=recipe, call_back=True)
    hand.do(m.PromiseCallBack(call="c1"))
    for call in ("c1", "c2"):
        found = hand.floor.call(call)
        assert found is not None
        assert [step.after_s for step in found.recipe] == [10, 20]
    hand.after(20)
    assert hand.count(m.Prompted) == 0
    assert hand.count(m.Widened) == 2


def test_promises_take_no_room_in_the_queue() -> None:
    floor = Driver(m.Rules(capacity=1))
    floor.join("c1", "housing")
    floor.do(m.PromiseCallBack(call="c1"))
    floor.join("c2", "housing")
    floor.do(m.Join(call="c3", queue="q", call_back=True))
    assert order(floor) == ["c1", "c2", "c3"]
    floor.join("c4", "housing")
    assert floor.floor.call("c4") is None


def test_promise_that_was_answered_or_given_up_leaves_the_queue() -> None:
    hand = promised()
    hand.do(m.Abandon(call="c2", reason=GIVEN_UP))
    assert order(hand) == ["c1", "c3"]
    hand.do(m.PromiseCallBack(call="c1"))
    hand.sign_in("a", housing=1)
    hand.answer("c1")
    assert hand.last(m.LeftQueue).reason is m.LeaveReason.ANSWERED
    assert hand.do(m.Join(call="later", queue="q", caller="n1", call_back=True))


def test_missed_caller_is_called_in_the_order_of_the_first_call() -> None:
    hand = promised()
    hand.do(m.Join(call="missed", queue="q", needs=HOUSING, call_back=True, arrived_at=at(-60)))
    assert order(hand) == ["missed", "c1", "c2", "c3"]


def test_while_the_citizen_is_dialled_the_offer_stays_open_and_then_the_seat_is_free_and_the_place_kept() -> None:
    hand = promised()
    hand.do(m.PromiseCallBack(call="c1"))
    hand.sign_in("a", housing=1)
    offer = hand.last(m.Offered)
    assert (offer.call, offer.call_back) == ("c1", True)
    hand.do(m.ExtendOffer(offer=offer.offer, by_s=45))
    assert hand.do(m.ExtendOffer(offer=offer.offer, by_s=45)) == ()
    hand.after(40)
    assert hand.floor.offer(offer.offer) is not None, "it does not end as one that nobody answers"
    later = hand.now + timedelta(minutes=10)
    facts = hand.do(m.PutOffCallBack(call="c1", not_before=later))
    assert [type(fact) for fact in facts[:3]] == [m.OfferWithdrawn, m.CallBackPutOff, m.SeatChanged]
    assert hand.last(m.Offered).call == "c2", "the seat takes the next one meanwhile"
    assert hand.do(m.PutOffCallBack(call="c1", not_before=later)) == ()
    hand.answer("c2")
    hand.do(m.Finish(call="c2"))
    hand.after(590)
    assert order(hand)[0] == "c1", "its place is that of its arrival"


def test_an_offer_is_extended_only_for_a_call_back_and_ends_when_nobody_says_how_it_went() -> None:
    hand = promised()
    hand.sign_in("a", housing=1)
    plain = hand.last(m.Offered)
    assert hand.do(m.ExtendOffer(offer=plain.offer, by_s=45)) == ()
    assert hand.do(m.ExtendOffer(offer="none", by_s=45)) == ()
    assert hand.do(m.PutOffCallBack(call=plain.call, not_before=hand.now + timedelta(hours=1))) == ()
    hand.do(m.PromiseCallBack(call="c1"))
    offer = hand.last(m.Offered)
    hand.do(m.ExtendOffer(offer=offer.offer, by_s=45))
    hand.after(46)
    assert hand.last(m.OfferRefused).offer == offer.offer
