"""The floor's keeper on a real SQLite log: what survives a process that is simply gone, and what a command costs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from acd import model as m
from acd.service import FloorKeeper
from hotline.clock import SystemClock
from hotline.ids import UlidIds
from hotline.local import LocalEventLog, LocalLease
from hotline.spool import SpooledLog

pytestmark = pytest.mark.integration


@asynccontextmanager
async def files(folder: Path) -> AsyncIterator[tuple[LocalEventLog, LocalLease]]:
    log, lease = LocalEventLog(folder / "events.db", SystemClock()), LocalLease(folder / "lease.db", SystemClock())
    try:
        yield log, lease
    finally:
        await log.close()
        await lease.close()


def sign_in(number: int) -> m.SignIn:
    return m.SignIn(seat=f"s{number}", agent=f"s{number}", phone=f"{8000 + number}", skills={"general": 1})


async def test_keeper_that_was_simply_gone_is_followed_by_one_that_knows_everything(tmp_path: Path) -> None:
    async with files(tmp_path) as (log, lease):
        gone = FloorKeeper(log, SystemClock(), UlidIds(), lease=lease, owner="gone", checkpoint_every=7)
        await gone.start()
        for number in range(10):
            await gone.do(sign_in(number))
        for number in range(30):
            await gone.do(m.Join(call=f"c{number}", queue="12345", needs=(m.Need("general"),)))
        for offer in list(gone.floor.offers())[:5]:
            await gone.do(m.Answer(offer=offer.offer))
        before, order = gone.floor.dump(), [call.call for call in gone.floor.waiting()]
        await gone._tasks.close()  # nothing is said, nothing is given back
        async with asyncio.timeout(10):
            keeper = FloorKeeper(
                log, SystemClock(), UlidIds(), lease=lease, owner="new", lease_ttl=timedelta(seconds=9)
            )
            await keeper.start()
        assert keeper.floor.dump() == before
        assert [call.call for call in keeper.floor.waiting()] == order
        await keeper.close()


async def test_two_keepers_on_one_log_never_offer_a_seat_twice(tmp_path: Path) -> None:
    async with files(tmp_path) as (log, _):
        keepers = [FloorKeeper(log, SystemClock(), UlidIds()) for _ in range(2)]
        for keeper in keepers:
            await keeper.start()
        for number in range(10):
            await keepers[number % 2].do(sign_in(number))
        joins = (m.Join(call=f"c{number}", queue="q", needs=(m.Need("general"),)) for number in range(40))
        await asyncio.gather(*(keepers[number % 2].do(join) for number, join in enumerate(joins)))
        last = FloorKeeper(log, SystemClock(), UlidIds())
        await last.start()
        offers = list(last.floor.offers())
        assert len(offers) == len({offer.seat for offer in offers}) == len({offer.call for offer in offers}) == 10
        assert sum(1 for _ in last.floor.waiting()) == 40
        for keeper in (*keepers, last):
            await keeper.close()


async def test_command_costs_little_with_the_spooling_sqlite_log(tmp_path: Path) -> None:
    async with (
        files(tmp_path) as (log, lease),
        SpooledLog(log, tmp_path / "spool.db", SystemClock()) as spooled,
    ):
        keeper = FloorKeeper(spooled, SystemClock(), UlidIds(), lease=lease)
        await keeper.start()
        for number in range(100):
            await keeper.do(sign_in(number))
        costs: list[float] = []
        for number in range(600):
            begin = time.perf_counter()
            await keeper.do(m.Join(call=f"c{number}", queue="q", needs=(m.Need("general"),)))
            costs.append(time.perf_counter() - begin)
        await keeper.close()
        p50_ms = sorted(costs)[len(costs) // 2] * 1000
        assert p50_ms < 3, "many times what it takes on an idle machine"
