"""Leaders' days and guests' seats: calls of one queue in an exact window, and nothing before and after."""

from datetime import UTC, datetime, timedelta

import pytest

from acd import model as m
from acd.guests import Guests
from acd.plans import GuestWindow, QueuePlan, asks_guests, guest_of, next_change
from acd.records import guest_skill
from acd.service import FloorKeeper
from hotline.clock import ManualClock
from hotline.ids import CountedIds
from tests.unit.acd.driver import Driver
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.unit

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
MAYORS = (m.Need(guest_skill("mayor")),)
GENERAL = (m.Need("general"),)


def house() -> Driver:
    floor = Driver(m.Rules(wrap_up=timedelta()))
    floor.do(m.SignIn(seat="8080", agent="8080", phone="p8080", skills={"general": 9}, guest=True))
    return floor


def ask(floor: Driver, call: str, **more: object) -> None:
    floor.do(m.Join(call=call, queue="mayor", needs=MAYORS, also=(GENERAL,), **more))  # type: ignore[arg-type]


def test_guest_gets_nothing_outside_the_window_whatever_is_asked_for() -> None:
    floor = house()
    ask(floor, "c1", recipe=(m.Step(after_s=0),))
    floor.join("anybody")
    floor.join("skilled", "general")
    floor.join("by number", prefer=("8080",), prefer_s=60)
    assert list(floor.floor.offers()) == []
    floor.do(m.Invite(seat="8080", queues=("mayor",)))
    assert floor.rings_at("c1") == "8080"


def test_guest_is_asked_before_the_seats_and_they_answer_when_the_guest_talks() -> None:
    floor = house()
    floor.sign_in("a", general=1)
    floor.after(5)
    floor.do(m.Invite(seat="8080", queues=("mayor",)))
    ask(floor, "c1")
    ask(floor, "c2")
    assert (floor.rings_at("c1"), floor.rings_at("c2")) == ("8080", "a")
    floor.join("other", "general")
    assert floor.rings_at("other") == ""


def test_what_rings_at_the_end_goes_on_and_who_talks_goes_on_talking() -> None:
    floor = house()
    floor.do(m.Invite(seat="8080", queues=("mayor",)))
    ask(floor, "c1")
    ended = m.Invite(seat="8080", queues=())
    floor.do(ended)
    assert (floor.rings_at("c1"), floor.state("8080")) == ("", "ready")
    assert floor.count(m.OfferRefused) == 0, "nobody is to blame"
    floor.sign_in("a", general=1)
    assert floor.rings_at("c1") == "a"
    floor.do(m.Invite(seat="8080", queues=("mayor",)))
    ask(floor, "c2")
    floor.answer("c2")
    floor.do(ended)
    assert floor.state("8080") == "talking"
    floor.do(m.Finish(call="c2"))
    ask(floor, "c3")
    assert floor.rings_at("c3") == ""


def test_a_seat_with_skills_of_its_own_keeps_what_rings_by_them() -> None:
    floor = Driver()
    floor.sign_in("a", general=1)
    floor.do(m.Invite(seat="a", queues=("mayor",)))
    floor.join("c1", "general")
    assert floor.do(m.Invite(seat="a", queues=("mayor",))) == ()
    floor.do(m.Invite(seat="a", queues=()))
    assert floor.rings_at("c1") == "a"
    assert floor.do(m.Invite(seat="nobody", queues=("mayor",))) == ()


def test_calls_that_nobody_else_can_take_go_on_with_their_recipe_when_the_window_ends() -> None:
    floor = house()
    floor.do(m.Invite(seat="8080", queues=("mayor",)))
    floor.do(m.Pause(seat="8080", reason="rest"))
    ask(floor, "c1", recipe=(m.Step(after_s=60, needs=(m.Need("law"),)),))
    assert floor.count(m.Widened) == 0
    floor.do(m.Invite(seat="8080", queues=()))
    assert floor.last(m.Widened).nobody


# ---- windows --------------------------------------------------------------------------------------------------------

DAY = GuestWindow(agent="8080", begins_at=NINE, ends_at=NINE + HOUR, title="Mayor's day")
PLANS = {"mayor": QueuePlan(guests=(DAY,)), "law": QueuePlan(guests=(DAY,)), "general": QueuePlan()}


@pytest.mark.parametrize(
    ("at", "queues"),
    [(-SECOND, ()), (0 * SECOND, ("law", "mayor")), (HOUR - SECOND, ("law", "mayor")), (HOUR, ())],
)
def test_windows_begin_and_end_at_the_exact_moment(at: timedelta, queues: tuple[str, ...]) -> None:
    assert guest_of(PLANS, "8080", NINE + at) == queues
    assert guest_of(PLANS, "8081", NINE + at) == ()


def test_the_next_moment_is_known_and_calls_that_may_still_wait_then_ask_before() -> None:
    moments = [next_change(PLANS, NINE + at) for at in (-SECOND, 0 * SECOND, HOUR)]
    assert moments == [NINE, NINE + HOUR, None]
    asked = [asks_guests(PLANS["mayor"], NINE + at) for at in (-HOUR - SECOND, -HOUR, HOUR - SECOND, HOUR)]
    assert asked == [False, True, True, False]
    assert not asks_guests(PLANS["general"], NINE)


async def test_the_floor_hears_of_windows_at_their_moments_and_of_guests_who_sit_down_in_between() -> None:
    clock = ManualClock(NINE - SECOND)
    keeper = FloorKeeper(MemoryLog(), clock, CountedIds())
    told: list[tuple[str, tuple[str, ...], datetime]] = []

    def hear(fact: m.AnyFloorFact) -> None:
        if isinstance(fact, m.GuestChanged):
            told.append((fact.seat, fact.queues, fact.at))

    keeper.subscribe(hear)
    guests = Guests(keeper, PLANS, clock)

    async def sit_down(seat: str, agent: str) -> None:
        guests.changed.clear()
        await keeper.do(m.SignIn(seat=seat, agent=agent, phone=f"p{seat}", skills={}, guest=True))
        assert guests.changed.is_set()
        await guests.look()

    await sit_down("1", "8080")
    assert told == []
    clock.advance(SECOND)
    await guests.look()
    await guests.look()
    clock.advance(SECOND)
    await sit_down("2", "8080")
    await sit_down("3", "8081")
    both = ("law", "mayor")
    assert told == [("1", both, NINE), ("2", both, NINE + SECOND)]
    keeper.is_keeper = False
    clock.advance(HOUR)
    await guests.look()
    assert len(told) == 2, "whoever does not keep the floor says nothing"
    keeper.is_keeper = True
    await guests.look()
    assert [queues for _, queues, _ in told[2:]] == [(), ()]
