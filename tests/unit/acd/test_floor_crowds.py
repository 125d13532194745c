"""Many at once: nobody there, everybody leaving, a thousand who come together, one who always comes first."""

from datetime import timedelta
from typing import Any

import pytest

from acd import model as m
from tests.unit.acd.driver import Driver

pytestmark = pytest.mark.unit


def crowd(floor: Driver, count: int, **more: Any) -> None:
    for number in range(count):
        floor.join(f"c{number}", "general", **more)


def test_nothing_is_due_and_nothing_spins_while_nobody_is_there() -> None:
    floor = Driver()
    crowd(floor, 50)
    assert floor.floor.next_due() is None
    assert floor.do(m.Tick()) == ()


def test_all_who_wait_stay_when_everybody_pauses_or_leaves() -> None:
    floor = Driver()
    for seat in ("a", "b", "c"):
        floor.sign_in(seat, general=1)
    crowd(floor, 50)
    for seat in ("a", "b"):
        floor.do(m.SignOut(seat=seat))
    floor.do(m.Pause(seat="c", reason="meal"))
    assert len(floor.floor.waiting()) == 50
    assert list(floor.floor.offers()) == []
    assert floor.floor.next_due() is None
    floor.do(m.Resume(seat="c"))
    assert floor.rings_at("c0") == "c"


def test_all_go_on_at_once_when_the_last_who_could_take_them_leaves() -> None:
    floor = Driver()
    floor.sign_in("a", general=1)
    floor.do(m.Pause(seat="a", reason="meal"))
    onward = m.Step(after_s=600, does=m.StepKind.OVERFLOW, to="province")
    crowd(floor, 50, recipe=(onward,))
    assert len(floor.floor.waiting()) == 50
    floor.do(m.SignOut(seat="a"))
    assert floor.count(m.Prompted) == 50
    assert len(floor.floor.waiting()) == 50


def test_a_thousand_come_and_go_at_once() -> None:
    """Every offer is to a call that is there, and nothing is left behind."""
    floor = Driver()
    for number in range(20):
        floor.sign_in(f"s{number}", general=1)
    crowd(floor, 1000)
    assert floor.count(m.Offered) == 20
    for number in range(999, -1, -1):
        floor.do(m.Abandon(call=f"c{number}"))
    assert floor.count(m.Offered) == 20, "who waited longest rings to the end"
    assert floor.floor.waiting() == []
    assert list(floor.floor.offers()) == []
    assert [seat.state.value for seat in floor.floor.seats()] == ["ready"] * 20


def test_calls_with_a_head_start_never_starve_the_others() -> None:
    """More urgent calls than the seat can take come all the time: an ordinary one is passed for a minute at most."""
    floor = Driver(m.Rules(wrap_up=timedelta()))
    floor.sign_in("a", general=1)
    floor.do(m.Adopt(seat="a", call="first"))
    floor.join("ordinary", "general")
    for number in range(1, 40):
        floor.join(f"urgent{number}", "general", priority=60)
        floor.after(10)
        talking = floor.floor.seat("a")
        assert talking is not None
        if number % 2 == 0:
            floor.do(m.Finish(call=talking.call))
            ringing = next(iter(floor.floor.offers()))
            floor.answer(ringing.call)
            if ringing.call == "ordinary":
                break
    waited_s = next(fact.waited_s for fact in floor.facts if isinstance(fact, m.Answered) and fact.call == "ordinary")
    assert 60 <= waited_s <= 160
    passed = {fact.call for fact in floor.facts if isinstance(fact, m.Answered)} - {"ordinary"}
    assert passed == {f"urgent{number}" for number in range(1, 7)}
