"""What every broadcast promises."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from hotline.ports import Broadcast

pytestmark = pytest.mark.contract


async def _next(listener: AsyncIterator[Mapping[str, Any]]) -> Mapping[str, Any]:
    async with asyncio.timeout(5):
        return await anext(listener)


async def test_every_listener_of_the_topic_hears_everything_in_order(broadcast: Broadcast) -> None:
    first, second = broadcast.subscribe("desk"), broadcast.subscribe("desk")
    for number in range(20):
        await broadcast.publish("desk", {"number": number, "字": "好"})
    for listener in (first, second):
        assert [(await _next(listener))["number"] for _ in range(20)] == list(range(20))


async def test_other_topics_and_earlier_news_are_not_heard(broadcast: Broadcast) -> None:
    early = broadcast.subscribe("desk")
    await broadcast.publish("desk", {"when": "before"})
    assert await _next(early) == {"when": "before"}
    listener = broadcast.subscribe("desk")
    await broadcast.publish("other", {"when": "now"})
    await broadcast.publish("desk", {"when": "later"})
    assert await _next(listener) == {"when": "later"}


async def test_a_listener_that_lags_is_ended_and_the_others_are_not(broadcast: Broadcast) -> None:
    slow, quick = broadcast.subscribe("desk"), broadcast.subscribe("desk")
    for number in range(150):
        await broadcast.publish("desk", {"number": number})
        assert (await _next(quick))["number"] == number
    heard = [message["number"] async for message in slow]
    assert heard == list(range(100))


async def test_what_is_not_json_is_refused_where_it_is_sent(broadcast: Broadcast) -> None:
    listener = broadcast.subscribe("desk")
    with pytest.raises(TypeError):
        await broadcast.publish("desk", {"thing": object()})
    await broadcast.publish("desk", {"thing": 1})
    assert await _next(listener) == {"thing": 1}


async def test_what_one_listener_does_to_a_message_stays_with_it(broadcast: Broadcast) -> None:
    first, second = broadcast.subscribe("desk"), broadcast.subscribe("desk")
    await broadcast.publish("desk", {"list": [1]})
    (await _next(first))["list"].append(2)
    assert await _next(second) == {"list": [1]}
