"""News for one listener: *that* something changed, in bursts, for as long as the listener is somebody.

Knows neither how they are carried (`http.py`: server-sent events, `live.py`: a socket) nor what changed. What is not
told yet is a set of kinds, so a listener who reads slowly costs no more than one who reads at once.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from typing import Any

import structlog

from console.news import TOPIC
from hotline.errors import Unavailable
from hotline.ports import Broadcast

log = structlog.get_logger(__name__)

KEEP_ALIVE_S = 15.0
LOOK_AGAIN_S = 4.0
"""How often a feed asks whether the one who listens is still somebody."""
QUIET_S = 0.25
"""News within this time are one message: a page asks again anyway."""
SOON_S = 0.03
"""As above, for news of the own seat."""
GOLDEN = 0.618034
"""Multiples of the golden ratio, taken modulo 1, fill the unit interval evenly however many they are."""
OWN = "own"
"""The kind of news that is about the seat of who listens."""
WORDS = "words"
"""The kind of news that something was said in a talk: for who takes part in it, and for who may read every talk."""


class _Heard:
    """What was heard and not told yet."""

    def __init__(self, seat: str, *, reads_all: bool) -> None:
        self._seat, self._reads_all = seat, reads_all
        self.some, self.own, self.kinds = asyncio.Event(), asyncio.Event(), set[str]()
        self.ended = False

    def take(self, news: Mapping[str, Any]) -> None:
        self.kinds.update(news.get("kinds", ()))
        if self._seat and self._seat in news.get("seats", ()):
            self.kinds.add(OWN)
            self.own.set()
        if (said := news.get("words")) is not None:
            self._said(said)
        if self.kinds:
            self.some.set()

    def end(self) -> None:
        """There is nothing more to hear: whoever listens must ask anew."""
        self.ended = True
        self.some.set()

    def _said(self, seats: Collection[str]) -> None:
        """Words were recognised in a talk of these seats."""
        is_mine = bool(self._seat) and self._seat in seats
        if is_mine or self._reads_all:
            self.kinds.add(WORDS)
        if is_mine:
            self.own.set()

    def told(self) -> list[str]:
        self.some.clear()
        self.own.clear()
        kinds = sorted(self.kinds)
        self.kinds.clear()
        return kinds


class Audience:
    """Everybody in this process who listens. One subscription serves them all, for as long as anybody does: two
    hundred desks would otherwise be woken for each of fifty changes a second that concern one of them."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._here = set[_Heard]()
        self._came = 0
        self._hearing: asyncio.Task[None] | None = None

    def join(self, heard: _Heard) -> float:
        """A number from 0 to 1 that spreads those who listen evenly, so that they do not all act in the same moment."""
        self._here.add(heard)
        self._came += 1
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._listen(self._here), name="feed")
        return self._came * GOLDEN % 1

    async def leave(self, heard: _Heard) -> None:
        """The last one who leaves ends the subscription."""
        self._here.discard(heard)
        hearing = self._hearing
        if hearing is None or self._here:
            return
        self._hearing, self._here = None, set()
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)

    async def _listen(self, here: set[_Heard]) -> None:
        try:
            async for news in self._broadcast.subscribe(TOPIC):
                for heard in here:
                    heard.take(news)
        except Unavailable as error:
            log.info("news cannot be heard", reason=str(error))
        finally:
            if self._here is here:  # else nobody was left, and whoever came since has a subscription of his own
                self._hearing, self._here = None, set()
            for heard in here:
                heard.end()


async def changes(
    audience: Audience, is_known: Callable[[], Awaitable[bool]], seat: str, *, reads_all: bool = False
) -> AsyncGenerator[list[str], None]:
    """The kinds of each burst of news, an empty list at the beginning, and one now and then, so that nothing between us
    takes the line for dead. What is about `seat` comes at once. `reads_all`: words of every talk
    are news. Ends when `is_known` says no, and when there is nothing
    more to hear."""
    heard, clock = _Heard(seat, reads_all=reads_all), asyncio.get_running_loop().time
    turn = audience.join(heard)
    quiet_s = QUIET_S * (0.7 + 0.3 * turn)
    looked, said = clock() - LOOK_AGAIN_S * turn, clock()
    try:
        yield []
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(looked + LOOK_AGAIN_S):
                    await heard.some.wait()
            if clock() >= looked + LOOK_AGAIN_S:
                if not await is_known():
                    return
                looked = clock()
            if heard.kinds:
                yield heard.told()
                said = clock()
                await asyncio.sleep(SOON_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(quiet_s - SOON_S):
                        await heard.own.wait()
            elif heard.ended:
                return
            elif clock() >= said + KEEP_ALIVE_S:
                yield []
                said = clock()
    finally:
        await audience.leave(heard)
