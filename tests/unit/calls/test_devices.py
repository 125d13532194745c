"""Two telephones of one agent: the first rings while it is there, else the second, and never both."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from acd import model as m
from acd.service import FloorKeeper
from calls.devices import PATIENCE, Devices
from hotline.clock import ManualClock
from hotline.ids import CountedIds
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.unit

PAGE, DESK, THIRD = "8001", "98001", "7007"


class House:
    """A floor with one agent who has two phones."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        rules = m.Rules(wrap_up=timedelta())
        self.keeper = FloorKeeper(MemoryLog(), self.clock, CountedIds(), rules=rules)
        self.devices = Devices(self.keeper, {"8001": (PAGE, DESK)}, self.clock)

    async def is_there(self, phone: str, reachable: bool = True) -> None:
        await self.keeper.do(m.Reachability(phone=phone, reachable=reachable))
        await self.devices.look()
        self.clock.advance(PATIENCE)
        await self.devices.look()

    async def sign_in(self, phone: str = PAGE, seat: str = "8001") -> None:
        reachable = self.keeper.is_reachable(phone)
        await self.keeper.do(m.SignIn(seat=seat, agent=seat, phone=phone, skills={"x": 1}, reachable=reachable))
        await self.devices.look()

    @property
    def seat(self) -> tuple[str, str, bool]:
        found = self.keeper.floor.seat("8001")
        assert found is not None
        return found.phone, found.state.value, found.reachable

    def rings(self) -> list[str]:
        return [offer.phone for offer in self.keeper.offers()]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    for phone in (PAGE, DESK):
        await made.is_there(phone)
    await made.sign_in()
    yield made
    await made.keeper.close()


async def test_lost_phone_falls_to_the_other_and_the_first_takes_over_again(house: House) -> None:
    assert house.seat == (PAGE, "ready", True)
    await house.is_there(PAGE, False)
    assert house.seat == (DESK, "ready", True)
    await house.is_there(PAGE)
    assert house.seat == (PAGE, "ready", True)
    await house.is_there(DESK, False)
    assert house.seat == (PAGE, "ready", True)
    await house.is_there(PAGE, False)
    assert house.seat == (PAGE, "ready", False)
    await house.is_there(DESK)
    assert house.seat == (DESK, "ready", True)


async def test_call_that_rings_at_a_lost_phone_rings_at_the_other_and_nowhere_else(house: House) -> None:
    await house.keeper.do(m.Join(call="c1", queue="q"))
    assert house.rings() == [PAGE]
    await house.is_there(PAGE, False)
    assert house.rings() == [DESK]
    await house.is_there(PAGE)
    assert house.rings() == [DESK], "who rings is not moved"
    assert house.keeper.floor.call("c1") is not None


async def test_who_talks_is_not_moved_before_the_talk_is_over(house: House) -> None:
    await house.is_there(PAGE, False)
    await house.keeper.do(m.Adopt(seat="8001", call="c1"))
    await house.is_there(PAGE)
    assert house.seat == (DESK, "talking", True)
    await house.keeper.do(m.Finish(call="c1"))
    await house.devices.look()
    assert house.seat == (PAGE, "ready", True)


async def test_pause_stays_a_pause_but_for_one_that_was_the_phones_fault(house: House) -> None:
    await house.keeper.do(m.Pause(seat="8001", reason="meal"))
    await house.is_there(PAGE, False)
    assert house.seat == (DESK, "paused", True)
    await house.keeper.do(m.Pause(seat="8001", reason="unreachable"))
    await house.is_there(DESK, False)
    await house.is_there(PAGE)
    assert house.seat == (PAGE, "ready", True)


async def test_whoever_sits_elsewhere_or_at_a_taken_phone_is_left_alone(house: House) -> None:
    await house.is_there(THIRD)
    await house.sign_in(THIRD)
    await house.is_there(THIRD, False)
    assert house.seat == (THIRD, "ready", False)
    await house.sign_in()
    await house.sign_in(DESK, "8002")
    await house.is_there(PAGE, False)
    assert house.seat == (PAGE, "ready", False)


async def test_only_the_floors_keeper_moves_anybody(house: House) -> None:
    house.keeper.is_keeper = False
    await house.is_there(PAGE, False)
    assert house.seat == (PAGE, "ready", False)


async def test_a_page_that_is_loaded_anew_is_waited_for(house: House) -> None:
    await house.keeper.do(m.Reachability(phone=PAGE, reachable=False))
    await house.devices.look()
    house.clock.advance(PATIENCE - timedelta(seconds=1))
    await house.devices.look()
    assert house.seat == (PAGE, "ready", False)
    await house.keeper.do(m.Reachability(phone=PAGE, reachable=True))
    await house.devices.look()
    house.clock.advance(timedelta(seconds=2))
    await house.keeper.do(m.Reachability(phone=PAGE, reachable=False))
    await house.devices.look()
    assert house.seat == (PAGE, "ready", False), "the time begins anew"
