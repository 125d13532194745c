"""What a command about a seat leads to, word for word, and who is matched at the end of a turn."""

import pytest

from acd import model as m
from acd.floor import Floor
from tests.unit.acd.driver import NINE
from tests.unit.acd.hand import OFFERED, PAUSED, READY, RULES, WRAP_UP, Hand, at, ringing, talking

pytestmark = pytest.mark.unit


# ---- seats ----------------------------------------------------------------------------------------------------------


def test_a_seat_signs_in_with_all_that_it_brought_and_takes_who_waits() -> None:
    hand = Hand()
    hand.join("c1", "law:2")
    hand.after(1)
    command = m.SignIn(seat="a", agent="8001", phone="phone-a", skills={"law": 2}, reachable=True)
    signed_in = m.SignedIn(at=at(1), seat="a", agent="8001", phone="phone-a", skills={"law": 2}, reachable=True)
    assert hand.do(command) == (signed_in, *hand.offered("c1", "a"))
    assert hand.do(command) == ()


@pytest.mark.parametrize(
    "change",
    [{"agent": "8002"}, {"skills": {"law": 2}}, {"reachable": False}, {"phone": "p9"}],
    ids=["agent", "skills", "reachable", "phone"],
)
def test_a_second_sign_in_is_one_when_anything_changed(change: dict[str, object]) -> None:
    hand = Hand()
    first = {"seat": "a", "agent": "8001", "phone": "p1", "skills": {"law": 1}, "reachable": True}
    hand.do(m.SignIn(**first))  # type: ignore[arg-type]
    second = first | change
    assert hand.do(m.SignIn(**second)) == (m.SignedIn(at=NINE, **second),)  # type: ignore[arg-type]


def test_a_seat_that_asked_to_leave_may_sign_in_again_unchanged() -> None:
    hand = talking()
    hand.do(m.SignOut(seat="a"))
    again = m.SignIn(seat="a", agent="a", phone="phone-a", skills={"general": 1})
    stays = m.SignedIn(at=at(5), seat="a", agent="a", phone="phone-a", skills={"general": 1})
    assert hand.do(again) == (stays,)


def test_a_ringing_seat_that_changes_its_skills_rings_on_and_one_that_changes_its_phone_does_not() -> None:
    hand = ringing()
    skilled = {"seat": "a", "agent": "a", "phone": "phone-a", "skills": {"law": 1}}
    assert hand.do(m.SignIn(**skilled)) == (m.SignedIn(at=at(5), **skilled),)  # type: ignore[arg-type]
    moved = skilled | {"phone": "p9"}
    facts = hand.do(m.SignIn(**moved))  # type: ignore[arg-type]
    assert facts[:3] == (
        hand.withdrawn("c1", "a"),
        hand.changed("a", READY, OFFERED),
        m.SignedIn(at=at(5), **moved),  # type: ignore[arg-type]
    )


def test_a_taken_phone_signs_its_former_seat_out() -> None:
    hand = ringing()
    signed_in = m.SignedIn(at=at(5), seat="z", agent="z", phone="phone-b", skills={})
    assert hand.do(m.SignIn(seat="z", agent="z", phone="phone-b", skills={})) == (
        m.SignedOut(at=at(5), seat="b", reason="phone_taken"),
        signed_in,
    )
    assert hand.do(m.SignIn(seat="y", agent="y", phone="phone-a", skills={}))[:2] == (
        hand.withdrawn("c1", "a"),
        m.SignedOut(at=at(5), seat="a", reason="phone_taken"),
    )


def test_whoever_could_be_served_by_the_former_skills_only_is_widened_at_once() -> None:
    hand = Hand()
    hand.sign_in("a", housing=1)
    hand.do(m.Pause(seat="a", reason="meal"))
    hand.join("c1", "housing", recipe=(m.Step(after_s=60),))
    hand.join("c2", "housing")
    facts = hand.do(m.SignIn(seat="a", agent="a", phone="phone-a", skills={"law": 1}))
    assert facts[1:] == (m.Widened(at=NINE, call="c1", needs=(), nobody=True),)
    hand.join("c3", "law", recipe=(m.Step(after_s=60),))
    assert hand.do(m.SignOut(seat="a", reason="home")) == (
        m.SignedOut(at=NINE, seat="a", reason="home"),
        m.Widened(at=NINE, call="c3", needs=(), nobody=True),
    )


def test_nobody_is_widened_while_somebody_else_has_the_skill() -> None:
    hand = Hand()
    for seat in ("a", "b"):
        hand.sign_in(seat, housing=1)
        hand.do(m.Pause(seat=seat, reason="meal"))
    hand.join("c1", "housing", recipe=(m.Step(after_s=60),))
    assert hand.do(m.SignOut(seat="a")) == (m.SignedOut(at=NINE, seat="a", reason=""),)


def test_a_pause_begins_at_once_or_is_asked_for() -> None:
    hand = ringing()
    assert hand.do(m.Pause(seat="b", reason="")) == (hand.changed("b", PAUSED, READY, reason="unstated"),)
    assert hand.do(m.Pause(seat="b", reason="")) == ()
    assert hand.do(m.Pause(seat="b", reason="meal")) == (hand.changed("b", PAUSED, PAUSED, reason="meal"),)
    facts = (hand.withdrawn("c1", "a"), hand.changed("a", PAUSED, OFFERED, reason="meal"))
    assert hand.do(m.Pause(seat="a", reason="meal")) == facts


@pytest.mark.parametrize("wrapping", [False, True])
def test_a_pause_is_asked_for_once_and_taken_back_by_resuming(wrapping: bool) -> None:
    hand = talking()
    if wrapping:
        hand.do(m.Finish(call="c1"))
    asked = m.PauseAsked(at=at(5), seat="a", reason="meal")
    assert hand.do(m.Pause(seat="a", reason="meal")) == (asked,)
    assert hand.do(m.Pause(seat="a", reason="meal")) == ()
    taken_back = m.PauseAsked(at=at(5), seat="a", reason="")
    ready = (hand.changed("a", READY, WRAP_UP),) if wrapping else ()
    assert hand.do(m.Resume(seat="a")) == (taken_back, *ready)
    assert hand.do(m.Resume(seat="a")) == ()


def test_a_paused_seat_resumes_and_takes_who_waits() -> None:
    hand = Hand()
    hand.sign_in("a")
    hand.do(m.Pause(seat="a", reason="meal"))
    hand.join("c1")
    assert hand.do(m.Resume(seat="a")) == (hand.changed("a", READY, PAUSED), *hand.offered("c1", "a"))


def test_a_phone_that_goes_gives_back_what_rings_and_takes_who_waits_when_it_comes() -> None:
    hand = ringing()
    away = m.ReachabilityChanged(at=at(5), phone="phone-a", reachable=False)
    facts = (away, hand.withdrawn("c1", "a"), hand.changed("a", READY, OFFERED), *hand.offered("c1", "b", 2))
    assert hand.do(m.Reachability(phone="phone-a", reachable=False)) == facts
    assert hand.do(m.Reachability(phone="phone-a", reachable=False)) == ()
    hand.join("c2")
    back = m.ReachabilityChanged(at=at(5), phone="phone-a", reachable=True)
    assert hand.do(m.Reachability(phone="phone-a", reachable=True)) == (back, *hand.offered("c2", "a", 3))


def test_a_phone_that_is_back_ends_only_the_pause_that_its_absence_began() -> None:
    back = m.ReachabilityChanged(at=NINE, phone="phone-a", reachable=True)
    for reason, more in (("unreachable", True), ("meal", False)):
        hand = Hand()
        hand.sign_in("a")
        hand.do(m.Pause(seat="a", reason=reason))
        gone = m.ReachabilityChanged(at=NINE, phone="phone-a", reachable=False)
        assert hand.do(m.Reachability(phone="phone-a", reachable=False)) == (gone,)
        facts = (back, hand.changed("a", READY, PAUSED)) if more else (back,)
        assert hand.do(m.Reachability(phone="phone-a", reachable=True)) == facts


# ---- matching -------------------------------------------------------------------------------------------------------


def test_seats_that_become_free_together_take_the_first_calls_longest_idle_first() -> None:
    hand = Hand()
    for seat in ("b", "a"):
        hand.sign_in(seat)
        hand.do(m.Adopt(seat=seat, call="c0"))
    hand.join("c1")
    hand.after(1)
    hand.join("c2")
    hand.do(m.Finish(call="c0", seat="b"))
    hand.after(1)
    hand.do(m.Finish(call="c0", seat="a"))
    hand.now = at(30)
    assert hand.do(m.Tick()) == (
        hand.changed("b", READY, WRAP_UP),
        hand.changed("a", READY, WRAP_UP),
        *hand.offered("c1", "a"),
        *hand.offered("c2", "b", 2),
    )


def test_calls_that_become_free_together_go_in_their_order() -> None:
    hand = Hand()
    hand.sign_in("a", housing=1)
    hand.do(m.Pause(seat="a", reason="meal"))
    hand.sign_in("b")
    hand.do(m.Adopt(seat="b", call="c0"))
    hand.join("late", "housing", recipe=(m.Step(after_s=60),))
    hand.join("early", "housing", recipe=(m.Step(after_s=60),), priority=5)
    hand.do(m.Pause(seat="b", reason="meal"))
    hand.sign_in("c")
    facts = hand.do(m.SignOut(seat="a"))
    assert [fact.call for fact in facts if isinstance(fact, m.Widened)] == ["early", "late"]
    assert facts[-2:] == hand.offered("early", "c")


def test_a_floor_without_rules_has_the_usual_ones_and_a_loaded_one_its_own() -> None:
    assert Floor().rules == m.Rules()
    hand = ringing()
    loaded = Floor.load(hand.floor.dump(), RULES)
    assert (loaded.rules, loaded.dump()) == (RULES, hand.floor.dump())
    assert Floor.load(hand.floor.dump()).rules == m.Rules()
    assert loaded.seat_at("phone-a") == loaded.seat("a") is not None
    assert loaded.seat_at("phone-x") is None
    assert [seat.seat for seat in loaded.seats()] == ["a", "b"]
    assert [offer.offer for offer in loaded.offers()] == ["offer_1"]
    assert loaded.offer("offer_1") == next(loaded.offers())
    assert Floor().next_due() is None
    assert hand.floor.dump().startswith(b'{"joined":1,"offers":[{"call":"c1"')
