"""The floor's keeper: order, replay, rivals, a log that fails, and time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from acd import model as m
from acd.floor import Floor
from acd.service import FloorKeeper
from acd.steady import SteadyClock
from hotline.clock import ManualClock, SystemClock
from hotline.ids import CountedIds, UlidIds
from hotline.ports import Fence
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.unit


@asynccontextmanager
async def keeping(log: MemoryLog, **more: object) -> AsyncIterator[FloorKeeper]:
    keeper = FloorKeeper(log, SystemClock(), UlidIds(), **more)  # type: ignore[arg-type]
    await keeper.start()
    try:
        yield keeper
    finally:
        await keeper.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 there is nothing to wait on but the condition
            await asyncio.sleep(0.002)


def sign_in(seat: str) -> m.SignIn:
    return m.SignIn(seat=seat, agent=seat, phone=f"p{seat}", skills={})


def stored(log: MemoryLog) -> list[m.AnyFloorFact]:
    return [msgspec.json.decode(body, type=m.AnyFloorFact) for body in log.bodies]


async def test_facts_are_in_the_log_and_on_the_floor_before_anybody_is_told() -> None:
    log = MemoryLog()
    seen: list[tuple[str, int, bool]] = []
    async with keeping(log) as keeper:
        await keeper.do(sign_in("a"))
        keeper.subscribe(
            lambda fact: seen.append((type(fact).__name__, len(log.bodies), bool(keeper.floor.call("c1"))))
        )
        facts = await keeper.do(m.Join(call="c1", queue="q"))
    assert [type(fact).__name__ for fact in facts] == ["Joined", "Offered", "SeatChanged"]
    assert seen == [("Joined", 4, True), ("Offered", 4, True), ("SeatChanged", 4, True)]
    assert stored(log)[1:] == list(facts)


async def test_commands_at_once_are_carried_out_one_after_another() -> None:
    log = MemoryLog()
    async with keeping(log) as keeper:
        told: list[m.AnyFloorFact] = []
        keeper.subscribe(told.append)
        await asyncio.gather(*(keeper.do(sign_in(f"s{n}")) for n in range(20)))
        await asyncio.gather(*(keeper.do(m.Join(call=f"c{n}", queue="q")) for n in range(40)))
        assert told == stored(log)
        offers = list(keeper.floor.offers())
        assert len({offer.seat for offer in offers}) == 20
        assert [offer.call for offer in sorted(offers, key=lambda o: o.since)] == [f"c{n}" for n in range(20)]


async def test_restart_gives_the_same_floor_from_facts_and_from_a_checkpoint() -> None:
    log = MemoryLog()
    async with keeping(log, checkpoint_every=5) as keeper:
        for n in range(3):
            await keeper.do(sign_in(f"s{n}"))
            await keeper.do(m.Join(call=f"c{n}", queue="q"))
        await until(lambda: log.checkpoint is not None)
        log.checkpoint = log.checkpoint or (0, b"")
        before = keeper.floor.dump()
        middle = log.checkpoint
    assert middle[0] < len(log.bodies)
    for checkpoint in (None, middle, log.checkpoint, (4, b'{"version":0}')):
        log.checkpoint = checkpoint
        async with keeping(log) as keeper:
            assert keeper.floor.dump() == before
            assert keeper.seq == len(log.bodies)


async def test_late_keeper_reads_what_the_other_wrote_and_decides_again() -> None:
    log = MemoryLog()
    async with keeping(log) as first, keeping(log) as second:
        await first.do(sign_in("a"))
        told: list[m.AnyFloorFact] = []
        second.subscribe(told.append)
        await first.do(m.Join(call="c1", queue="q"))
        await second.do(m.Join(call="c2", queue="q"))
        assert told == stored(log)
        offered = [fact for fact in stored(log) if isinstance(fact, m.Offered)]
        assert [(fact.call, fact.seat) for fact in offered] == [("c1", "a")]
        await first.do(m.Abandon(call="c1"))
        assert first.floor.dump() != second.floor.dump()
        await second.do(m.Pause(seat="a", reason="meal"))
        assert Floor().dump() != second.floor.dump()
        replayed = Floor()
        for fact in stored(log):
            replayed.apply(fact)
        assert replayed.dump() == second.floor.dump()


async def test_log_away_goes_on_in_memory_and_is_written_once_when_it_is_back() -> None:
    log = MemoryLog()
    async with keeping(log) as keeper:
        told: list[m.AnyFloorFact] = []
        keeper.subscribe(told.append)
        await keeper.do(sign_in("a"))
        log.is_away = True
        await keeper.do(m.Join(call="c1", queue="q"))
        assert keeper.degraded
        assert len(list(keeper.floor.offers())) == 1
        log.is_away = False
        await keeper.do(m.Join(call="c2", queue="q"))
        assert not keeper.degraded
        assert stored(log) == told


@pytest.mark.parametrize("trouble", ["answer_is_lost", "hangs"])
async def test_append_whose_answer_was_lost_is_not_written_twice(trouble: str) -> None:
    log = MemoryLog()
    async with keeping(log, patience=timedelta(seconds=0.05)) as keeper:
        told: list[m.AnyFloorFact] = []
        keeper.subscribe(told.append)
        setattr(log, trouble, True)
        await keeper.do(sign_in("a"))
        assert keeper.degraded
        setattr(log, trouble, False)
        await keeper.do(m.Join(call="c1", queue="q"))
        assert stored(log) == told
        assert not keeper.degraded


async def test_facts_lost_to_another_keeper_are_given_up_for_what_the_log_says() -> None:
    log = MemoryLog()
    async with keeping(log) as keeper:
        await keeper.do(sign_in("a"))
        log.is_away = True
        await keeper.do(sign_in("lost"))
        log.is_away = False
        log.bodies.append(msgspec.json.encode(m.SignedOut(at=datetime(2026, 1, 1, tzinfo=UTC), seat="a")))
        await keeper.do(sign_in("b"))
        assert {seat.seat for seat in keeper.floor.seats()} == {"b"}
        assert not keeper.degraded


async def test_log_that_was_exchanged_is_read_again() -> None:
    log = MemoryLog()
    async with keeping(log) as keeper:
        await keeper.do(sign_in("a"))
        await keeper.do(sign_in("b"))
        fact = m.SignedIn(at=datetime(2026, 1, 1, tzinfo=UTC), seat="z", agent="z", phone="9", skills={})
        log.bodies[:] = [msgspec.json.encode(fact)]
        await keeper.do(sign_in("c"))
        assert {seat.seat for seat in keeper.floor.seats()} == {"z", "c"}


async def test_listener_that_fails_keeps_nobody_from_hearing() -> None:
    log = MemoryLog()
    async with keeping(log) as keeper:
        told: list[m.AnyFloorFact] = []

        def deaf(_fact: m.AnyFloorFact) -> None:
            raise ValueError("deaf")

        keeper.subscribe(deaf)
        keeper.subscribe(told.append)
        await keeper.do(sign_in("a"))
        assert len(told) == 1
        keeper.unsubscribe(told.append)
        await keeper.do(sign_in("b"))
        assert len(told) == 1


async def test_what_is_due_happens_without_anybody_asking() -> None:
    rules = m.Rules(
        ring=timedelta(seconds=0.02),
        grace=timedelta(seconds=0.01),
        retry_after=timedelta(seconds=0.02),
        unanswered_limit=2,
    )
    async with keeping(MemoryLog(), rules=rules) as keeper:
        await keeper.do(sign_in("a"))
        await keeper.do(m.Join(call="c1", queue="q"))
        await until(lambda: keeper.floor.seat("a").state is m.SeatState.PAUSED)  # type: ignore[union-attr]
        assert keeper.floor.call("c1") is not None


async def test_nothing_due_costs_nothing() -> None:
    async with keeping(MemoryLog()) as keeper:
        ticks = 0

        async def count(_command: m.AnyCommand) -> tuple[m.AnyFloorFact, ...]:
            nonlocal ticks
            ticks += 1
            return ()

        await keeper.do(m.Join(call="c1", queue="q"))
        keeper.do = count  # type: ignore[method-assign, assignment]
        await asyncio.sleep(0.1)
        assert ticks == 0


class OneLease:
    """A lease that one owner at a time can have."""

    def __init__(self) -> None:
        self.holder: Fence | None = None
        self.number = 0

    async def acquire(self, name: str, owner: str, ttl: timedelta) -> Fence | None:  # noqa: ARG002
        if self.holder is not None and self.holder.owner != owner:
            return None
        self.number += 1
        self.holder = Fence(name, owner, self.number)
        return self.holder

    async def renew(self, fence: Fence, ttl: timedelta) -> bool:  # noqa: ARG002
        return self.holder == fence

    async def release(self, fence: Fence) -> None:
        if self.holder == fence:
            self.holder = None


async def test_who_has_no_lease_does_not_tick_and_takes_over_when_it_is_free() -> None:
    log, lease = MemoryLog(), OneLease()
    rules = m.Rules(ring=timedelta(seconds=0.01), grace=timedelta(seconds=0.01))
    times = {"lease": lease, "rules": rules, "lease_ttl": timedelta(seconds=0.06)}
    async with keeping(log, owner="second", **times) as holder:
        assert holder.is_keeper
        async with keeping(log, owner="first", **times) as waiting:
            assert not waiting.is_keeper
            await waiting.do(sign_in("a"))
            await waiting.do(m.Join(call="c1", queue="q"))
            await asyncio.sleep(0.05)
            assert len(list(waiting.floor.offers())) == 1
            await holder.close()
            await until(lambda: waiting.is_keeper)
            await until(lambda: not list(waiting.floor.offers()))


async def test_keepers_hear_of_each_other_without_a_command_and_at_once_when_nudged() -> None:
    log, lease = MemoryLog(), OneLease()
    async with (
        keeping(log, lease=lease, owner="a", follow=timedelta(seconds=0.02)) as first,
        keeping(log, lease=lease, owner="b", follow=timedelta(hours=1)) as second,
    ):
        told: list[m.AnyFloorFact] = []
        second.subscribe(told.append)
        await first.do(sign_in("a"))
        second.nudge()
        await until(lambda: told == stored(log))
        await second.do(sign_in("b"))
        await until(lambda: first.floor.dump() == second.floor.dump())


async def test_answer_to_an_offer_that_another_keeper_made_counts() -> None:
    log, lease = MemoryLog(), OneLease()
    async with (
        keeping(log, lease=lease, owner="a", follow=timedelta(hours=1)) as first,
        keeping(log, lease=lease, owner="b", follow=timedelta(hours=1)) as second,
    ):
        await first.do(sign_in("a"))
        await first.do(m.Join(call="c1", queue="q"))
        (offer,) = first.floor.offers()
        await second.do(m.Answer(offer=offer.offer))
        assert second.calls() == {"c1": "talking"}
        log.is_away = True
        assert await second.do(m.Answer(offer=offer.offer)) == ()


async def test_phones_are_remembered_for_seats_that_sign_in_later() -> None:
    async with keeping(MemoryLog()) as keeper:
        assert not keeper.is_reachable("8001")
        await keeper.do(m.Reachability(phone="8001", reachable=True))
        assert keeper.is_reachable("8001")


async def test_calls_on_the_floor_are_told_by_what_they_do() -> None:
    async with keeping(MemoryLog()) as keeper:
        await keeper.do(sign_in("a"))
        facts = await keeper.do(m.Join(call="c1", queue="q"))
        await keeper.do(m.Join(call="c2", queue="q"))
        offer = next(fact.offer for fact in facts if isinstance(fact, m.Offered))
        await keeper.do(m.Answer(offer=offer))
        assert keeper.calls() == {"c1": "talking", "c2": "waiting"}


def test_clock_that_jumps_does_not_move_the_floors_time() -> None:
    clock = ManualClock(datetime(2026, 3, 2, tzinfo=UTC))
    steady = SteadyClock(clock)
    clock._start += timedelta(hours=1)
    clock.advance(timedelta(seconds=2))
    assert steady.now() == datetime(2026, 3, 2, 0, 0, 2, tzinfo=UTC)


def test_counted_ids_name_offers() -> None:
    facts = Floor().decide(m.Join(call="c", queue="q"), datetime(2026, 1, 1, tzinfo=UTC), CountedIds().new)
    assert len(facts) == 1
