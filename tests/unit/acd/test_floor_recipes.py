"""What changes while a caller waits: recipes, by example."""

import pytest

from acd import model as m
from tests.unit.acd.driver import Driver

pytestmark = pytest.mark.unit

HOUSING = (m.Need("housing"),)
GENERAL = (m.Need("general"),)
TO_GENERAL = (m.Step(after_s=20, needs=GENERAL),)


def busy_expert() -> Driver:
    floor = Driver()
    floor.sign_in("expert", housing=5)
    floor.join("earlier", "housing")
    floor.answer("earlier")
    return floor


def test_call_widens_from_the_owner_to_everybody_after_its_time() -> None:
    floor = busy_expert()
    floor.sign_in("operator", general=1)
    floor.join("c1", "housing", recipe=TO_GENERAL)
    floor.after(19.9)
    assert floor.rings_at("c1") == ""
    floor.after(0.1)
    assert floor.rings_at("c1") == "operator"
    assert not floor.last(m.Widened).nobody


def test_step_is_taken_at_once_when_nobody_signed_in_meets_the_needs() -> None:
    floor = Driver()
    floor.sign_in("operator", general=1)
    floor.join("c1", "housing", recipe=TO_GENERAL)
    assert floor.rings_at("c1") == "operator"
    assert floor.last(m.Widened).nobody


def test_step_is_taken_at_once_when_the_last_who_met_the_needs_signs_out() -> None:
    floor = busy_expert()
    floor.sign_in("operator", general=1)
    floor.join("c1", "housing", recipe=TO_GENERAL)
    floor.do(m.SignOut(seat="expert"))
    floor.do(m.Finish(call="earlier"))
    assert floor.rings_at("c1") == "operator"


def test_step_is_taken_at_once_when_the_last_who_met_the_needs_loses_the_skill() -> None:
    floor = busy_expert()
    floor.sign_in("operator", general=1)
    floor.join("c1", "housing", recipe=TO_GENERAL)
    floor.sign_in("expert", law=1)
    assert floor.rings_at("c1") == "operator"


def test_paused_expert_is_waited_for() -> None:
    floor = Driver()
    floor.sign_in("expert", housing=5)
    floor.do(m.Pause(seat="expert", reason="meal"))
    floor.sign_in("operator", general=1)
    floor.join("c1", "housing", recipe=TO_GENERAL)
    assert floor.rings_at("c1") == ""


def test_widened_call_still_goes_to_the_expert_who_becomes_free_first() -> None:
    floor = busy_expert()
    floor.join("c1", "housing", recipe=TO_GENERAL)
    floor.after(25)
    floor.do(m.Finish(call="earlier"))
    floor.do(m.EndWrapUp(seat="expert"))
    assert floor.rings_at("c1") == "expert"


def test_owner_is_preferred_over_everybody_else_even_if_idle_for_a_shorter_time() -> None:
    floor = busy_expert()
    floor.join("c1", "housing", recipe=TO_GENERAL)
    floor.after(20)
    floor.sign_in("operator", general=1)
    floor.sign_in("other", general=1)
    floor.after(1)
    floor.sign_in("colleague", housing=1)
    assert floor.rings_at("c1") == "operator"
    floor.refuse("c1")
    assert floor.rings_at("c1") == "colleague"


def test_steps_that_fell_due_while_it_rang_are_taken_when_it_waits_again() -> None:
    floor = Driver()
    floor.sign_in("expert", housing=5)
    floor.join("c1", "housing", recipe=(m.Step(after_s=5, needs=GENERAL),))
    floor.after(14)
    floor.sign_in("operator", general=1)
    floor.refuse("c1")
    floor.after(0)
    assert floor.rings_at("c1") == "operator"


def test_call_that_was_widened_stands_in_the_order_of_its_arrival() -> None:
    floor = Driver()
    floor.sign_in("expert", housing=5)
    floor.do(m.Pause(seat="expert", reason="meal"))
    floor.join("c1", "housing", recipe=TO_GENERAL)
    floor.after(1)
    floor.join("c2", "general")
    floor.after(30)
    floor.sign_in("operator", general=1)
    assert floor.rings_at("c1") == "operator"


def test_step_that_asks_for_nothing_new_changes_nothing() -> None:
    floor = busy_expert()
    floor.join("c1", "housing", recipe=(m.Step(after_s=3, needs=HOUSING), m.Step(after_s=6)))
    floor.after(4)
    assert floor.floor.call("c1").options == (HOUSING,)  # type: ignore[union-attr]
    floor.sign_in("operator")
    floor.after(2)
    assert floor.rings_at("c1") == "operator"
