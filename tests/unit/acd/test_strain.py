"""Who works too much, by example."""

from datetime import UTC, datetime, timedelta

import pytest

from acd import model as m
from acd import strain_watch
from acd.service import FloorKeeper
from acd.strain import EASE, Limits, Strain, StrainLedger
from hotline.clock import ManualClock
from hotline.ids import CountedIds
from hotline.settings import Settings
from tests.unit.acd.driver import Driver
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.unit

MINUTE = 60.0


def talked(floor: Driver, call: str, minutes: float) -> None:
    floor.do(m.Adopt(seat="a", call=call))
    floor.after(minutes * MINUTE)
    floor.do(m.Finish(call=call))


LIMITS = Limits(span=timedelta(hours=1))
BUSY, TIRED = (m.StrainKind.OCCUPANCY,), (m.StrainKind.NO_REST,)


def alarms(floor: Driver, raised: tuple[m.StrainKind, ...] = ()) -> tuple[m.StrainKind, ...]:
    return LIMITS.alarms(strain(floor), raised)


def strain(floor: Driver) -> Strain:
    ledger = StrainLedger(LIMITS)
    for fact in floor.facts:
        ledger.apply(fact)
    (found,) = ledger.strains(floor.now)
    return found


def at_work(wrap_up: float = 0) -> Driver:
    floor = Driver(m.Rules(wrap_up=timedelta(seconds=wrap_up)))
    floor.sign_in("a", law=1)
    return floor


def test_occupancy_is_talk_and_wrap_up_of_the_last_hour_without_pauses() -> None:
    floor = at_work(wrap_up=300)
    talked(floor, "c1", 60)
    floor.after(30 * MINUTE)
    assert strain(floor) == Strain(seat="a", occupancy=35 / 60, without_rest=timedelta(minutes=90))
    floor.do(m.Pause(seat="a", reason="rest"))
    floor.after(10 * MINUTE)
    assert strain(floor) == Strain(seat="a", occupancy=25 / 50, without_rest=timedelta())
    floor.do(m.Resume(seat="a"))
    floor.after(20 * MINUTE)
    assert strain(floor) == Strain(seat="a", occupancy=5 / 50, without_rest=timedelta(minutes=20))


def test_ringing_is_no_work() -> None:
    floor = Driver(m.Rules(ring=timedelta(minutes=40)))
    floor.sign_in("a", law=1)
    floor.join("c1", "law")
    floor.after(40 * MINUTE)
    assert strain(floor).occupancy == 0


def test_nothing_is_said_of_who_has_just_come() -> None:
    floor = at_work()
    talked(floor, "c1", 29)
    assert strain(floor).occupancy is None
    assert alarms(floor) == ()
    talked(floor, "c2", 1)
    assert strain(floor).occupancy == 1
    assert alarms(floor) == BUSY


def test_alarm_is_above_the_limit_and_not_at_it() -> None:
    floor = at_work()
    floor.after(9 * MINUTE)
    talked(floor, "c1", 51)
    assert strain(floor).occupancy == 0.85
    assert alarms(floor) == ()
    talked(floor, "c2", 1)
    assert alarms(floor) == BUSY


def test_two_hours_without_a_rest_are_an_alarm() -> None:
    floor = at_work()
    floor.after(LIMITS.without_rest.total_seconds())
    assert alarms(floor) == ()
    floor.after(1)
    assert alarms(floor) == TIRED
    floor.do(m.Pause(seat="a", reason="rest"))
    assert alarms(floor) == ()


def test_who_signed_out_is_at_home_and_facts_of_others_change_nothing() -> None:
    floor = at_work()
    floor.do(m.SignIn(seat="a", agent="a", phone="phone-a", skills={"law": 2}))
    floor.join("c1", "law")
    floor.after(5)
    ledger = StrainLedger()
    for fact in floor.facts[1:]:
        ledger.apply(fact)
    assert [each.without_rest for each in ledger.strains(floor.now)] == [timedelta(seconds=5)]
    ledger.apply(m.SignedOut(at=floor.now, seat="a"))
    ledger.apply(m.SignedOut(at=floor.now, seat="a"))
    ledger.apply(m.SeatChanged(at=floor.now, seat="a", state=m.SeatState.READY, previous=m.SeatState.PAUSED))
    assert ledger.strains(floor.now) == []


def test_seats_are_told_in_order_and_a_long_day_is_kept_short() -> None:
    floor = at_work()
    floor.sign_in("0")
    ledger = StrainLedger()
    for number in range(300):
        talked(floor, f"c{number}", 1)
    for fact in floor.facts:
        ledger.apply(fact)
    assert [each.seat for each in ledger.strains(floor.now)] == ["0", "a"]
    assert len(ledger._work["a"].states) < 130
    assert ledger.strains(floor.now)[1].occupancy == 1


# ---- the alarm ------------------------------------------------------------------------------------------------------


async def test_alarm_is_raised_once_and_is_over_once() -> None:
    clock = ManualClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    keeper, ledger = FloorKeeper(MemoryLog(), clock, CountedIds(), rules=m.Rules(wrap_up=timedelta())), StrainLedger()
    told: list[tuple[m.StrainKind, ...]] = []
    keeper.subscribe(ledger.apply)
    keeper.subscribe(lambda fact: told.append(fact.kinds) if isinstance(fact, m.StrainChanged) else None)

    async def minutes(count: int) -> None:
        for _ in range(count):
            clock.advance(timedelta(minutes=1))
            await strain_watch.look(keeper, ledger, clock)

    await keeper.do(m.SignIn(seat="a", agent="a", phone="p", skills={}))
    await keeper.do(m.Adopt(seat="a", call="c1"))
    await minutes(125)
    assert told == [BUSY, (*BUSY, *TIRED)]
    await keeper.do(m.Finish(call="c1"))
    await minutes(4)
    assert len(told) == 2, "a moment of rest is none"
    await minutes(4)
    assert told[2:] == [TIRED]
    await keeper.do(m.Pause(seat="a", reason="rest"))
    await minutes(2)
    assert told[3:] == [()]
    keeper.is_keeper = False
    await keeper.do(m.Resume(seat="a"))
    await minutes(125)
    assert told[4:] == [], "whoever does not keep the floor says nothing"


def test_alarm_does_not_outlive_the_sign_in() -> None:
    floor = at_work()
    floor.do(m.ReportStrain(seat="a", kinds=TIRED))
    assert floor.do(m.ReportStrain(seat="a", kinds=TIRED)) == ()
    assert floor.do(m.ReportStrain(seat="b", kinds=TIRED)) == ()
    floor.do(m.SignOut(seat="a"))
    floor.sign_in("a", law=1)
    assert floor.floor.seat("a").strain == ()  # type: ignore[union-attr]


def test_limits_are_as_the_settings_say() -> None:
    settings = Settings(occupancy_percent=70, occupancy_minutes=20, rest_minutes=45)
    assert Limits.of(settings) == Limits(span=timedelta(minutes=20), occupancy=0.7, without_rest=timedelta(minutes=45))
    assert Limits.of(Settings()) == Limits()


def test_an_alarm_that_is_on_goes_off_a_little_below_the_limit_only() -> None:
    under = Strain(seat="a", occupancy=LIMITS.occupancy - EASE / 2, without_rest=timedelta())
    assert LIMITS.alarms(under) == ()
    assert LIMITS.alarms(under, BUSY) == BUSY
    well_under = Strain(seat="a", occupancy=LIMITS.occupancy - EASE * 2, without_rest=timedelta())
    assert LIMITS.alarms(well_under, BUSY) == ()
