"""What changed is told once in a while, with everything that changed since."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from acd.model import ReachabilityChanged, SeatChanged
from acd.values import SeatState
from console.news import News, of_seat
from hotline.ports import Broadcast
from tests.unit.calls.phases import NOW

pytestmark = pytest.mark.unit


class Told(list[Mapping[str, Any]]):
    """A `Broadcast` that keeps what is published."""

    async def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        assert topic == "changes"
        self.append(message)

    def subscribe(self, topic: str) -> Any:
        raise AssertionError(topic)


async def test_what_changed_meanwhile_is_told_together() -> None:
    told = Told()
    broadcast: Broadcast = told
    news = News(broadcast)
    news.add("tickets")
    news.add(seats=("8001", ""))
    news.add(seats=("8001", "8002"))
    await news.publish()
    news.add()
    await news.publish()
    assert told == [
        {"kinds": ["floor", "tickets"], "seats": ["8001", "8002"]},
        {"kinds": ["floor"], "seats": []},
    ]


async def test_nothing_is_told_while_nothing_changes() -> None:
    told = Told()
    waiting = asyncio.create_task(News(told).publish())
    await asyncio.wait({waiting}, timeout=0.05)
    assert not told
    waiting.cancel()


def test_a_fact_of_a_phone_is_about_whoever_sits_there() -> None:
    came = ReachabilityChanged(at=NOW, phone="p1", reachable=True)
    assert of_seat(came, {"p1": "8001"}.__getitem__) == ("8001",)
    assert of_seat(object(), str) == ()


def test_a_fact_of_a_seat_is_about_that_seat() -> None:
    changed = SeatChanged(at=NOW, seat="8001", state=SeatState.READY, previous=SeatState.WRAP_UP)
    assert of_seat(changed, str) == ("8001",)
