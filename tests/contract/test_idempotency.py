"""A create that is sent again with its key creates nothing more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
from fastapi import Depends, Request, Response
from pydantic import BaseModel

from hotline.clock import ManualClock
from hotline.errors import Unavailable
from hotline.http import RequestBody, create
from hotline.identity_service import SYSTEM
from hotline.security import Principal, Role, SignedIn
from tests.kernel import Kernel, kernel

pytestmark = pytest.mark.contract


class Wish(RequestBody):
    word: str


class Made(BaseModel):
    number: int
    word: str


class Maker:
    """Counts what was created."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.is_failing = False
        self.pause = asyncio.Event()
        self.pause.set()

    async def __call__(self, word: str) -> Made:
        await self.pause.wait()
        if self.is_failing:
            raise Unavailable("Not now.")
        self.made.append(word)
        return Made(number=len(self.made), word=word)


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 2, 14, tzinfo=UTC))


@pytest.fixture
async def house(database_url: str, maker: Maker, clock: ManualClock) -> AsyncIterator[Kernel]:
    async with kernel(database_url, clock) as made:

        @made.app.post("/things", status_code=201, response_model=Made)
        async def make(request: Request, body: Wish, who: Annotated[Principal, Depends(SignedIn())]) -> Response:
            return await create(request, who, lambda: maker(body.word))

        yield made


async def _headers(house: Kernel, name: str = "script", key: str = "") -> dict[str, str]:
    _, secret = await house.identity.add_token(SYSTEM, name, frozenset({Role.OPERATOR}), timedelta(days=9))
    return {"Authorization": f"Bearer {secret}"} | ({"Idempotency-Key": key} if key else {})


async def test_the_same_key_gets_the_same_answer(house: Kernel, maker: Maker) -> None:
    async with house.client(**await _headers(house, key="k1")) as client:
        answers = [await client.post("/things", json={"word": "一"}) for _ in range(3)]
    assert maker.made == ["一"]
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, '{"number":1,"word":"一"}')}


async def test_a_hundred_at_once_create_one(house: Kernel, maker: Maker) -> None:
    async with house.client(**await _headers(house, key="k1")) as client:
        answers = await asyncio.gather(*(client.post("/things", json={"word": "x"}) for _ in range(100)))
    assert maker.made == ["x"]
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    assert sum(answer.status_code == 201 for answer in answers) >= 1


async def test_keys_belong_to_a_person_and_no_key_creates_each_time(house: Kernel, maker: Maker) -> None:
    for name in ("one", "two"):
        async with house.client(**await _headers(house, name, "k1")) as client:
            await client.post("/things", json={"word": "x"})
    async with house.client(**await _headers(house)) as client:
        for _ in range(2):
            assert (await client.post("/things", json={"word": "x"})).status_code == 201
    assert len(maker.made) == 4


async def test_another_body_under_the_same_key_is_refused(house: Kernel, maker: Maker) -> None:
    async with house.client(**await _headers(house, key="k1")) as client:
        await client.post("/things", json={"word": "x"})
        assert (await client.post("/things", json={"word": "y"})).status_code == 400
        assert (
            await client.post("/things", json={"word": "y"}, headers={"Idempotency-Key": "k" * 201})
        ).status_code == 400
    assert maker.made == ["x"]


async def test_what_failed_may_be_tried_again_with_the_same_key(house: Kernel, maker: Maker) -> None:
    async with house.client(**await _headers(house, key="k1")) as client:
        maker.is_failing = True
        assert (await client.post("/things", json={"word": "x"})).status_code == 503
        maker.is_failing = False
        assert (await client.post("/things", json={"word": "x"})).status_code == 201
    assert maker.made == ["x"]


async def test_a_key_whose_first_request_never_ended_says_so(house: Kernel, maker: Maker, clock: ManualClock) -> None:
    maker.pause.clear()
    async with house.client(**await _headers(house, key="k1")) as client:
        first = asyncio.create_task(client.post("/things", json={"word": "x"}))
        async with asyncio.timeout(10):
            second = asyncio.create_task(client.post("/things", json={"word": "x"}))
            while not second.done():
                clock.advance(timedelta(seconds=1))
                await asyncio.sleep(0.02)
        assert second.result().status_code == 409
        maker.pause.set()
        assert (await first).status_code == 201
    assert maker.made == ["x"]


async def test_a_key_is_forgotten_after_a_day(house: Kernel, maker: Maker, clock: ManualClock) -> None:
    async with house.client(**await _headers(house, key="k1")) as client:
        await client.post("/things", json={"word": "x"})
        clock.advance(timedelta(hours=25))
        await client.post("/things", json={"word": "x"})
    assert len(maker.made) == 2
