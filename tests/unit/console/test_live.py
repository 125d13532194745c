"""The live floor's socket: news for whoever may watch, while that lasts, and no backlog for who does not read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

import pytest
from fastapi import FastAPI, WebSocket

from console import feed, live
from console.feed import Audience
from hotline.security import Permission, Principal, Role, SocketGuard

pytestmark = pytest.mark.unit


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 the application under test tells nobody
            await asyncio.sleep(0.005)


class Line:
    """`Broadcast` that says what is put into it."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()

    async def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        raise AssertionError(topic, message)

    async def subscribe(self, topic: str) -> AsyncIterator[Mapping[str, Any]]:
        assert topic == "changes"
        while (said := await self.news.get()) is not None:
            yield said


class Watcher:
    """`Identity` of one person at seat 8001, who may lose every role."""

    def __init__(self) -> None:
        self.roles = frozenset({Role.SUPERVISOR})

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        return Principal(person="p", name="n", roles=self.roles, agent="8001")


class Socket:
    """The application's side of a connection: what it sent, and what the other side says."""

    def __init__(self, watcher: Watcher, line: Line) -> None:
        self.app = FastAPI()
        self.app.state.identity = watcher
        self.app.include_router(live.routes(Audience(line)))
        self.sent: list[dict[str, Any]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.said.put_nowait({"type": "websocket.connect"})

    async def send(self, message: Any) -> None:
        await self.reads.wait()
        self.sent.append(dict(message))

    def scope(self) -> dict[str, Any]:
        return {
            "type": "websocket",
            "path": "/ws/desk",
            "headers": [(b"host", b"hotline"), (b"authorization", b"Bearer t")],
            "query_string": b"",
            "subprotocols": [],
            "app": self.app,
        }

    def start(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self.app(self.scope(), self.said.get, self.send))

    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message["type"] == "websocket.send"]

    def closed(self) -> list[int]:
        return [message["code"] for message in self.sent if message["type"] == "websocket.close"]

    async def told(self, text: str) -> None:
        await until(lambda: text in self.texts())


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def socket(watcher: Watcher, line: Line, monkeypatch: pytest.MonkeyPatch) -> Socket:
    monkeypatch.setattr(feed, "LOOK_AGAIN_S", 0.02)
    return Socket(watcher, line)


async def test_news_come_in_bursts_and_the_own_seat_is_told_as_such(socket: Socket, line: Line) -> None:
    served = socket.start()
    await socket.told('{"kinds":[]}')
    line.news.put_nowait({"kinds": ["tickets"], "seats": ["8002"]})
    await socket.told('{"kinds":["tickets"]}')
    line.news.put_nowait({"kinds": ["floor"], "seats": ["8001"]})
    await socket.told('{"kinds":["floor","own"]}')
    socket.said.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(served, 20)


async def test_socket_is_closed_when_the_rights_end(socket: Socket, watcher: Watcher) -> None:
    served = socket.start()
    await socket.told('{"kinds":[]}')
    watcher.roles = frozenset({Role.UNIT})
    await asyncio.wait_for(served, 20)
    assert socket.closed() == [live.POLICY]


async def test_who_does_not_read_is_closed_and_costs_one_message(
    socket: Socket, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SEND_S", 0.05)
    served = socket.start()
    await socket.told('{"kinds":[]}')
    socket.reads.clear()
    for _ in range(1000):
        line.news.put_nowait({"kinds": ["floor"]})
    await until(line.news.empty)
    await asyncio.sleep(0.1)
    socket.reads.set()  # what is kept for it goes out now
    await asyncio.wait_for(served, 20)
    assert len(socket.texts()) <= 2
    assert socket.closed() == [live.TRY_LATER]


async def test_whoever_says_something_is_closed(socket: Socket) -> None:
    served = socket.start()
    await socket.told('{"kinds":[]}')
    socket.said.put_nowait({"type": "websocket.receive", "text": "hello"})
    await asyncio.wait_for(served, 20)
    assert socket.closed() == [live.POLICY]


async def test_when_there_is_nothing_more_to_hear_it_says_to_come_again(socket: Socket, line: Line) -> None:
    served = socket.start()
    await socket.told('{"kinds":[]}')
    line.news.put_nowait(None)
    await asyncio.wait_for(served, 20)
    assert socket.closed() == [live.GOING_AWAY]


async def test_five_seconds_are_enough_to_lose_the_rights() -> None:
    assert feed.LOOK_AGAIN_S < 5
    guard = SocketGuard(Permission.QUEUES_WATCH)
    socket = Socket(Watcher(), Line())
    assert await guard.still_allowed(WebSocket(socket.scope(), socket.said.get, cast("Any", socket.send)))
