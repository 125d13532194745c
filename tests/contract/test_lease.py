"""What every lease promises."""

import asyncio
from datetime import timedelta

import pytest

from hotline.ports import Fence, Lease

pytestmark = pytest.mark.contract

LONG = timedelta(seconds=30)
SHORT = timedelta(milliseconds=80)


async def _acquired(lease: Lease, owner: str) -> Fence:
    """Try until it is ours."""
    async with asyncio.timeout(5):
        while (fence := await lease.acquire("floor", owner, LONG)) is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    return fence


async def test_only_one_holds_it(lease: Lease) -> None:
    fences = await asyncio.gather(*(lease.acquire("floor", f"keeper{number}", LONG) for number in range(8)))
    assert sum(fence is not None for fence in fences) == 1
    assert await lease.acquire("other", "someone", LONG) is not None


async def test_the_holder_may_take_it_again_and_the_older_fence_is_void(lease: Lease) -> None:
    first = await lease.acquire("floor", "a", LONG)
    second = await lease.acquire("floor", "a", LONG)
    assert first
    assert second
    assert second.number > first.number
    assert not await lease.renew(first, LONG)
    assert await lease.renew(second, LONG)


async def test_it_falls_to_the_next_when_it_ran_out_with_a_higher_number(lease: Lease) -> None:
    first = await lease.acquire("floor", "a", SHORT)
    assert first
    second = await _acquired(lease, "b")
    assert second.number > first.number
    assert not await lease.renew(first, LONG)
    assert await lease.acquire("floor", "a", LONG) is None


async def test_renewing_keeps_it(lease: Lease) -> None:
    fence = await lease.acquire("floor", "a", timedelta(milliseconds=400))
    assert fence
    for _ in range(8):
        assert await lease.renew(fence, timedelta(milliseconds=400))
        assert await lease.acquire("floor", "b", LONG) is None
        await asyncio.sleep(0.1)


async def test_released_it_is_free_at_once_and_numbers_go_on_rising(lease: Lease) -> None:
    first = await lease.acquire("floor", "a", LONG)
    assert first
    await lease.release(first)
    assert not await lease.renew(first, LONG)
    second = await lease.acquire("floor", "b", LONG)
    assert second
    assert second.number > first.number


async def test_a_late_release_takes_nothing_away(lease: Lease) -> None:
    first = await lease.acquire("floor", "a", SHORT)
    assert first
    second = await _acquired(lease, "b")
    await lease.release(first)
    assert await lease.renew(second, LONG)
    assert await lease.acquire("floor", "c", LONG) is None
