"""The floor's seats as the agents' room sees them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from acd.model import Reachability, SignIn
from acd.service import FloorKeeper
from calls.seats import Seats
from hotline.clock import ManualClock
from hotline.ids import CountedIds
from telephony.model import PhoneId
from telephony.provisioning import Provisioning, Transport, create_tables
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.unit


async def test_a_seat_is_told_as_ready_only_once_the_floor_counts_its_phone(tmp_path: Path) -> None:
    keeper = FloorKeeper(MemoryLog(), ManualClock(datetime(2026, 3, 2, 9, tzinfo=UTC)), CountedIds())
    await keeper.start()
    seats = Seats(keeper, Provisioning(tmp_path / "seats.db"), ("127.0.0.1", 5060), lambda: "s")
    await seats.sign_in("8001", "8001", "8001", {"general": 5})
    assert [(seat.state.value, seat.reachable) for seat in seats.seats()] == [("unreachable", False)]
    await keeper.do(Reachability(phone="8001", reachable=True))
    assert [(seat.state.value, seat.reachable) for seat in seats.seats()] == [("ready", True)]
    await keeper.do(SignIn(seat="8001", agent="8001", phone="8002", skills={"general": 5}, reachable=False))
    assert [(seat.state.value, seat.reachable) for seat in seats.seats()] == [("unreachable", False)]
    await keeper.close()


async def test_an_account_is_one_for_a_phone_on_the_desk_until_a_page_says_otherwise(tmp_path: Path) -> None:
    create_tables(tmp_path / "seats.db")
    keeper = FloorKeeper(MemoryLog(), ManualClock(datetime(2026, 3, 2, 9, tzinfo=UTC)), CountedIds())
    provisioning, secrets = Provisioning(tmp_path / "seats.db"), iter(("first-secret", "other-secret"))
    seats, phone = Seats(keeper, provisioning, ("127.0.0.1", 5060), lambda: next(secrets)), PhoneId("8001")
    assert (await seats.account("8001")).secret == "first-secret"
    await provisioning.add(phone, "first-secret", transport=Transport.WS)
    assert (await seats.account("8001")).secret == "first-secret"
    assert not await provisioning.is_for_browser(phone)
