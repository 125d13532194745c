"""Collects what changed in this process, and tells the pages of every process *that* it did, and for which seats.

Knows nothing of what changed: pages ask for that through the API.
"""

import asyncio
from collections.abc import Callable, Iterable

from hotline.ports import Broadcast

TOPIC = "changes"
GAP_S = 0.005
"""Least time between two messages: what changes meanwhile is in the next one."""


class News:
    """What is to be told next."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._fresh = asyncio.Event()
        self._kinds: set[str] = set()
        self._seats: set[str] = set()
        self._words: set[str] = set()
        self._has_words = False

    def add(self, kind: str = "floor", seats: Iterable[str] = ()) -> None:
        """Something of this kind changed, for these seats in particular."""
        self._kinds.add(kind)
        self._seats.update(seat for seat in seats if seat)
        self._fresh.set()

    def say(self, seats: Iterable[str]) -> None:
        """Words were recognised in a talk; these seats take part in it, or are called to it."""
        self._words.update(seats)
        self._has_words = True
        self._fresh.set()

    async def publish(self) -> None:
        """Wait for something new and tell it; to be called again and again, `GAP_S` apart."""
        await self._fresh.wait()
        self._fresh.clear()
        message: dict[str, list[str]] = {"kinds": sorted(self._kinds), "seats": sorted(self._seats)}
        if self._has_words:
            message["words"] = sorted(self._words)
        self._kinds, self._seats, self._words, self._has_words = set(), set(), set(), False
        await self._broadcast.publish(TOPIC, message)


def of_seat(fact: object, seat_at: Callable[[str], str]) -> tuple[str, ...]:
    """The seat that a fact of the floor is about, if any; `seat_at`: who sits at a phone."""
    seat, phone = getattr(fact, "seat", ""), getattr(fact, "phone", "")
    return (seat or seat_at(phone),) if seat or phone else ()
