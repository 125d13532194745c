"""The feed of changes: for whoever is logged in, and only for as long as that lasts."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from console import feed, http
from hotline.headers import SafeHeaders
from hotline.http import install_problems
from hotline.security import Principal, Role

pytestmark = pytest.mark.unit


class News:
    """`Broadcast` that says one thing and then nothing more."""

    def __init__(self, message: Mapping[str, Any] | None = None) -> None:
        self._message = message

    async def publish(self, channel: str, message: Mapping[str, Any]) -> None:
        raise AssertionError(channel, message)

    async def subscribe(self, channel: str) -> AsyncIterator[Mapping[str, Any]]:
        yield self._message or {"kinds": [channel], "seats": ["8001"]}
        await asyncio.Event().wait()


class Desk:
    """`Identity` of one person, who may be shown out."""

    def __init__(self) -> None:
        self.roles = frozenset({Role.UNIT})
        self.seat = ""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        return Principal(person="p", name="n", roles=self.roles, agent=self.seat) if self.roles else None


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None)
    install_problems(app)
    app.add_middleware(SafeHeaders)
    app.state.identity = desk
    app.include_router(http.routes(feed.Audience(News())))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hotline") as made:
        yield made


async def test_a_feed_ends_when_the_log_in_does(
    client: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK_AGAIN_S", 0.02)
    listening = asyncio.create_task(client.get("/api/v1/feed"))
    done, _ = await asyncio.wait({listening}, timeout=0.2)
    assert not done, "whoever is logged in goes on hearing"
    desk.roles = frozenset()
    answer = await asyncio.wait_for(listening, 5)
    assert answer.status_code == 200
    assert answer.text.count('data: {"kinds": ["changes"]}') == 1


async def test_a_feed_is_for_nobody_unknown(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.roles = frozenset()
    answer = await client.get("/api/v1/feed")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_every_answer_says_what_it_is_and_the_api_is_kept_by_nobody(client: httpx.AsyncClient) -> None:
    api, page = await client.get("/api/v1/nothing"), await client.get("/login")
    assert (api.headers["x-content-type-options"], api.headers["cache-control"]) == ("nosniff", "private, no-store")
    assert (page.headers["x-content-type-options"], page.headers["cache-control"]) == ("nosniff", "no-cache")


@pytest.mark.parametrize(("seat", "told"), [("8001", ["changes", "own"]), ("8002", ["changes"]), ("", ["changes"])])
async def test_news_of_the_own_seat_are_told_as_such(
    client: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch, seat: str, told: list[str]
) -> None:
    monkeypatch.setattr(feed, "LOOK_AGAIN_S", 0.02)
    desk.seat = seat
    listening = asyncio.create_task(client.get("/api/v1/feed"))
    await asyncio.wait({listening}, timeout=0.2)
    desk.roles = frozenset()
    answer = await asyncio.wait_for(listening, 5)
    assert f"data: {json.dumps({'kinds': told})}" in answer.text


@pytest.mark.parametrize(
    ("seat", "role", "told"),
    [
        ("8001", Role.OPERATOR, True),
        ("8002", Role.OPERATOR, False),
        ("", Role.SUPERVISOR, True),
        ("", Role.UNIT, False),
    ],
)
async def test_words_of_a_talk_are_news_for_who_is_in_it_and_for_who_reads_every_talk(
    monkeypatch: pytest.MonkeyPatch, seat: str, role: Role, told: bool
) -> None:
    monkeypatch.setattr(feed, "LOOK_AGAIN_S", 0.02)
    known = True

    async def is_known() -> bool:
        return known

    words = News({"kinds": [], "seats": [], "words": ["8001"]})
    changes = feed.changes(feed.Audience(words), is_known, seat, reads_all=role is Role.SUPERVISOR)
    assert await anext(changes) == []
    waiting = asyncio.ensure_future(anext(changes, None))
    await asyncio.wait({waiting}, timeout=5 if told else 0.2)
    known = False
    assert await asyncio.wait_for(waiting, 5) == (["words"] if told else None)
    await changes.aclose()


class Line:
    """`Broadcast` whose listeners can be counted and whose news are said when the test says so."""

    def __init__(self) -> None:
        self.listening, self._said = 0, asyncio.Queue[Mapping[str, Any] | None]()

    def say(self, message: Mapping[str, Any] | None) -> None:
        self._said.put_nowait(message)

    async def publish(self, channel: str, message: Mapping[str, Any]) -> None:
        raise AssertionError(channel, message)

    async def subscribe(self, channel: str) -> AsyncIterator[Mapping[str, Any]]:
        assert channel == "changes"
        self.listening += 1
        try:
            while (message := await self._said.get()) is not None:
                yield message
        finally:
            self.listening -= 1


async def known() -> bool:
    return True


async def test_many_share_one_subscription_and_the_last_one_ends_it() -> None:
    line = Line()
    audience = feed.Audience(line)
    desks = [feed.changes(audience, known, seat) for seat in ("8001", "8002")]
    assert [await anext(desk) for desk in desks] == [[], []]
    line.say({"kinds": ["floor"], "seats": ["8002"]})
    assert [await asyncio.wait_for(anext(desk), 5) for desk in desks] == [["floor"], ["floor", "own"]]
    assert line.listening == 1
    await desks[0].aclose()
    assert line.listening == 1
    await desks[1].aclose()
    assert line.listening == 0


async def test_when_there_is_nothing_more_to_hear_everybody_asks_anew_and_is_heard_again() -> None:
    line = Line()
    audience = feed.Audience(line)
    desks = [feed.changes(audience, known, seat) for seat in ("8001", "8002")]
    for desk in desks:
        await anext(desk)
    line.say(None)
    assert [await asyncio.wait_for(anext(desk, None), 5) for desk in desks] == [None, None]
    again = feed.changes(audience, known, "8001")
    await anext(again)
    line.say({"kinds": ["floor"], "seats": []})
    assert await asyncio.wait_for(anext(again), 5) == ["floor"]
    await again.aclose()
