"""A time-out that costs nothing while nothing has to be waited for.

`asyncio.timeout` arms a timer and disarms it again, which is most of the work of an append that is done on the spot.
"""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, doing: Coroutine[Any, Any, T]) -> T:
    """Await `doing`, at most `seconds` from the moment when it first has to wait for something.

    Raises:
        TimeoutError: it took longer; it has been cancelled.
    """
    try:
        awaited = doing.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # a coroutine's value travels untyped
    async with asyncio.timeout(seconds):
        return await _go_on(doing, awaited)


@types.coroutine
def _go_on(doing: Coroutine[Any, Any, T], awaited: object) -> Generator[Any, Any, T]:
    """The rest of a coroutine that has begun and waits for `awaited`."""
    step: Callable[[Any], object]
    while True:
        try:
            sent = yield awaited
        except GeneratorExit:
            doing.close()
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the coroutine's to handle
            step, given = doing.throw, error
        else:
            step, given = doing.send, sent
        try:
            awaited = step(given)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
