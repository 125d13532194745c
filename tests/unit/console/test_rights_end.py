"""How soon a socket ends whose rights do, by the clock of a loop that counts its waiting and does not wait."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from fastapi import FastAPI

from console import live, softphone
from hotline.security import Role
from tests.unit.console.test_live import Line, Socket, Watcher

pytestmark = pytest.mark.unit

WITHIN_S = 5.0
MOMENTS = (0.1, 1.1, 2.3, 3.9, 4.1, 6.6, 33.3)
"""Seconds after its beginning at which somebody loses the rights."""


class Hurried(asyncio.SelectorEventLoop):
    """A loop that does not wait for its timers: its clock jumps to the next one."""

    passed = 0.0

    def __init__(self) -> None:
        super().__init__(Selector(self))

    def time(self) -> float:
        return self.passed


class Selector(selectors.DefaultSelector):
    """Waits for nothing that the clock brings."""

    def __init__(self, loop: Hurried) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0 if timeout is not None else 10)
        if not found:
            assert timeout is not None, "nothing would ever happen again"
            self._loop.passed += timeout
        return found


def hurried(story: Coroutine[Any, Any, float]) -> float:
    with asyncio.Runner(loop_factory=Hurried) as runner:
        return runner.run(story)


async def lost(served: "asyncio.Task[None]", watcher: Watcher, moment: float) -> float:
    """Seconds from the loss of the rights to the socket's end."""
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(moment)
    assert not served.done(), "whoever has the rights goes on"
    watcher.roles = frozenset({Role.UNIT})
    began = clock()
    await asyncio.wait_for(served, 60)
    return clock() - began


async def chat(line: Line) -> None:
    """Something changes all the time."""
    while True:
        line.news.put_nowait({"kinds": ["floor"], "seats": ["8001"]})
        await asyncio.sleep(0.03)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("is_busy", [False, True])
def test_the_socket_of_changes_is_closed_within_five_seconds(moment: float, *, is_busy: bool) -> None:
    async def story() -> float:
        watcher, line = Watcher(), Line()
        socket = Socket(watcher, line)
        chats = asyncio.create_task(chat(line)) if is_busy else None
        took = await lost(socket.start(), watcher, moment)
        if chats is not None:
            chats.cancel()
        assert socket.closed() == [live.POLICY]
        return took

    assert hurried(story()) <= WITHIN_S


class Exchange:
    """Asterisk's end of the line: it says nothing, and hears everything."""

    async def __aiter__(self) -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield ""

    async def send(self, message: str) -> None:
        raise AssertionError(message)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_softphones_socket_is_closed_within_five_seconds(moment: float, monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(where: str) -> Exchange:
        assert where == "ws://exchange"
        return Exchange()

    async def at_once(find: Callable[[], str | None]) -> str | None:
        return find()

    async def story() -> float:
        watcher = Watcher()
        socket = Socket(watcher, Line())
        socket.app = FastAPI()
        socket.app.state.identity = watcher
        socket.app.include_router(softphone.routes(lambda: "ws://exchange"))
        took = await lost(
            asyncio.create_task(socket.app(socket.scope() | {"path": "/sip"}, socket.said.get, socket.send)),
            watcher,
            moment,
        )
        assert socket.closed() == [softphone.POLICY]
        return took

    monkeypatch.setattr(softphone, "_connect", connect)
    monkeypatch.setattr(asyncio, "to_thread", at_once)  # the clock does not wait for threads
    assert hurried(story()) <= WITHIN_S
