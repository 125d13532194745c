"""A day of calls as facts of the floor, written before the hotline starts, so that today's figures and charts have
something to show. The same seed makes the same day; only its end is the present."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from acd import model as m
from acd.floor import Floor
from hotline.clock import SystemClock
from hotline.ids import CountedIds
from hotline.local import LocalEventLog

ZONE = ZoneInfo("Asia/Shanghai")
LINES = (("12345", 50), ("12329", 12), ("12333", 14), ("12315", 11), ("12369", 7), ("12348", 6))
"""Dialled numbers and how many of a hundred calls come by them."""
BUSY = (2, 1, 1, 1, 1, 2, 5, 14, 34, 46, 44, 38, 24, 26, 40, 42, 36, 28, 18, 14, 11, 8, 5, 3)
"""Calls by the hour of the day."""
SEATS = ("8002", "8003", "8004", "8102", "8103")
AFTERNOON = 16
"""So late it is at least in the written day: pictures that are made at night show a busy floor too."""
BATCH = 500


class Day:
    """Drives a floor through a day."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - nothing is secret about a demonstration
        self._floor, self._ids = Floor(m.Rules(wrap_up=timedelta(seconds=20))), CountedIds()
        self.facts: list[m.AnyFloorFact] = []
        self._hang_ups: list[tuple[datetime, str]] = []
        self._talks: list[tuple[datetime, str]] = []
        self._answers: dict[str, datetime] = {}
        self._calls = 0
        self._later = 0
        """Hours by which the written day is ahead of the clock."""

    def run(self, begin: datetime, end: datetime) -> None:
        """From `begin` to `end`, until the last call is over."""
        self._later = max(0, AFTERNOON - end.astimezone(ZONE).hour)
        for seat in SEATS:
            skills = {"general": 5}
            self._do(m.SignIn(seat=seat, agent=seat, phone=seat, skills=skills), begin)
        for at in self._arrivals(begin, end - timedelta(minutes=12)):
            self._advance(at)
            self._join(at)
        self._advance(end - timedelta(seconds=30))
        for seat in SEATS:
            self._do(m.SignOut(seat=seat), end - timedelta(seconds=20))

    def _arrivals(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        at = begin
        while True:
            at += timedelta(
                seconds=self._chance.expovariate(BUSY[(at.astimezone(ZONE).hour + self._later) % 24] / 3600)
            )
            if at >= end:
                return
            yield at

    def _join(self, at: datetime) -> None:
        self._calls += 1
        call = f"day_{self._calls}"
        (number,) = self._chance.choices([name for name, _ in LINES], [share for _, share in LINES])
        menu = timedelta(seconds=self._chance.uniform(2, 6))
        self._do(m.Join(call=call, queue="general", called_at=at - menu, dialled=number), at)
        self._hang_ups.append((at + timedelta(seconds=self._chance.choice([8, 25, 40, 90, 240, 240, 240, 240])), call))

    def _advance(self, to: datetime) -> None:
        """Let everything happen that is due before `to`, in order."""
        while (coming := self._next()) is not None and coming[0] <= to:
            at, what, key = coming
            if what == "tick":
                self._do(m.Tick(), at)
            elif what == "gone":
                self._hang_ups.remove((at, key))
                if self._floor.call(key) is not None:
                    self._do(m.Abandon(call=key), at)
            elif what == "answer":
                self._answer(key, at)
            else:
                self._talks.remove((at, key))
                self._do(m.Finish(call=key), at)

    def _next(self) -> tuple[datetime, str, str] | None:
        for offer in self._floor.offers():
            if offer.offer not in self._answers:
                self._answers[offer.offer] = offer.since + timedelta(seconds=self._chance.uniform(1.5, 5))
        due = [(at, "gone", call) for at, call in self._hang_ups] + [(at, "over", call) for at, call in self._talks]
        due += [(at, "answer", offer) for offer, at in self._answers.items()]
        tick = self._floor.next_due()
        if tick is not None:
            due.append((tick, "tick", ""))
        return min(due, default=None)

    def _answer(self, offer: str, at: datetime) -> None:
        del self._answers[offer]
        found = self._floor.offer(offer)
        if found is not None:
            self._do(m.Answer(offer=offer), at)
            self._talks.append((at + timedelta(seconds=self._chance.uniform(60, 420)), found.call))

    def _do(self, command: m.AnyCommand, at: datetime) -> None:
        for fact in self._floor.decide(command, at, self._ids.new):
            self._floor.apply(fact)
            self.facts.append(fact)


async def write_day(data: Path) -> int:
    """Write today's calls into the event log of a data folder that no hotline uses yet; how many facts."""
    now = SystemClock().now()
    begin = max(now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0), now - timedelta(hours=23))
    day = Day(seed=12345)
    day.run(begin.astimezone(now.tzinfo), now)
    log = LocalEventLog(data / "events.db", SystemClock())
    position = 0
    for first in range(0, len(day.facts), BATCH):
        bodies = [msgspec.json.encode(fact) for fact in day.facts[first : first + BATCH]]
        position = await log.append("floor", position, bodies)
    await log.close()
    return position
