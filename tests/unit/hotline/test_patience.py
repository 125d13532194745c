import asyncio

import pytest

from hotline.patience import within

pytestmark = pytest.mark.unit


class Armed(Exception):
    pass


async def test_what_is_done_at_once_arms_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once() -> int:
        return 7

    def arm(_: float) -> None:
        raise Armed

    monkeypatch.setattr(asyncio, "timeout", arm)
    assert await within(1.0, at_once()) == 7


async def test_what_waits_is_awaited_to_its_end() -> None:
    async def wait_twice() -> list[str]:
        heard = [await asyncio.sleep(0, "first")]
        heard.append(await asyncio.sleep(0.001, "second"))
        return heard

    assert await within(5.0, wait_twice()) == ["first", "second"]


async def test_what_takes_too_long_is_cancelled() -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    with pytest.raises(TimeoutError):
        await within(0.01, forever())
    assert ended == ["cancelled"]


async def test_an_error_comes_through_before_and_after_the_first_wait() -> None:
    async def fail(waits: bool) -> None:
        if waits:
            await asyncio.sleep(0)
        raise ValueError

    for waits in (False, True):
        with pytest.raises(ValueError):  # noqa: PT011 - our own
            await within(1.0, fail(waits))


async def test_an_error_of_what_it_waits_for_can_be_handled_inside() -> None:
    async def recover() -> str:
        broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(broken.set_exception, OSError())
        try:
            return await broken
        except OSError:
            return await asyncio.sleep(0, "recovered")

    assert await within(1.0, recover()) == "recovered"


async def test_cancelling_the_one_who_waits_cancels_what_is_waited_for() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def forever() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(within(60.0, forever()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
