"""What one command costs the floor: decide and apply, at growing numbers of seats and waiting calls.

Every seat has four skills at levels 1 to 10. Three mixes:

* `houses`: 20 skills, 16 demands of one skill each, as a city's queues ask for them.
* `pairs`: 20 skills, every call needs two of them at random levels, so that almost every demand is different.
* `four`: all seats have the same four skills, calls need up to three of them at once.

Each is measured twice: with a backlog (calls came until as many waited as there are seats, so that whoever is idle
meets nothing that waits) and with idle seats. Commands come as a shift sees them: joins, answers, refusals, finished
talks, ended wrap-ups, pauses, hang-ups, ticks. Times are CPU time of this thread: a busy machine does not count.
"""

import argparse
import gc
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from acd import model as m
from acd.floor import Floor
from hotline.ids import CountedIds

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Mix:
    """Who can do what, and what is asked for."""

    name: str
    chance: random.Random
    pool: int
    demands: list[tuple[m.Need, ...]] = field(default_factory=list)

    def skills(self) -> dict[str, int]:
        chosen = self.chance.sample(range(self.pool), 4)
        return {f"skill{number}": self.chance.randint(1, 10) for number in chosen}

    def needs(self) -> tuple[m.Need, ...]:
        if self.demands:
            return self.chance.choice(self.demands)
        count = 2 if self.name == "pairs" else self.chance.randint(1, 3)
        chosen = self.chance.sample(range(self.pool), count)
        return tuple(m.Need(f"skill{number}", self.chance.randint(1, 10)) for number in chosen)


def mixes(seed: int) -> Iterator[Mix]:
    chance = random.Random(seed)
    demands: list[tuple[m.Need, ...]] = [(m.Need(f"skill{number}", chance.randint(1, 6)),) for number in range(16)]
    yield Mix("houses", random.Random(seed), 20, demands)
    yield Mix("pairs", random.Random(seed), 20)
    yield Mix("four", random.Random(seed), 4)


class Shift:
    """A floor under load, with the cost of every command in µs."""

    def __init__(self, mix: Mix, size: int) -> None:
        self.mix, self.size = mix, size
        self.floor, self.ids, self.now = Floor(), CountedIds(), START
        self.cost: dict[str, list[float]] = defaultdict(list)
        self.calls = 0
        self.talking: list[str] = []
        self.ringing: list[str] = []

    def do(self, command: m.AnyCommand) -> tuple[m.AnyFloorFact, ...]:
        self.now += timedelta(milliseconds=1)
        begin = time.thread_time()
        facts = self.floor.decide(command, self.now, self.ids.new)
        for fact in facts:
            self.floor.apply(fact)
        self.cost[type(command).__name__].append((time.thread_time() - begin) * 1e6)
        for fact in facts:
            if isinstance(fact, m.Offered):
                self.ringing.append(fact.offer)
            elif isinstance(fact, m.Answered):
                self.talking.append(fact.call)
        return facts

    def join(self) -> str:
        self.calls += 1
        call = f"call{self.calls}"
        self.do(m.Join(call=call, queue="q", needs=self.mix.needs(), priority=self.mix.chance.choice((0, 0, 60))))
        return call

    def answer_all(self) -> None:
        while self.ringing:
            self.do(m.Answer(offer=self.ringing.pop()))

    def fill(self, waiting: int) -> None:
        """Sign everybody in, then let calls come until `waiting` of them wait."""
        for number in range(self.size):
            self.do(m.SignIn(seat=f"s{number}", agent=f"s{number}", phone=f"p{number}", skills=self.mix.skills()))
        while sum(1 for call in self.floor.waiting()) < waiting:
            for _ in range(max(1, waiting // 4)):
                self.join()
            self.answer_all()

    def work(self, rounds: int) -> None:
        chance = self.mix.chance
        for number in range(rounds):
            self.join()
            if self.talking:
                call = self.talking.pop(chance.randrange(len(self.talking)))
                seats = self.floor.talking_with(call)
                self.do(m.Finish(call=call))
                for seat in seats:
                    self.do(m.EndWrapUp(seat=seat))
            if self.ringing and number % 5 == 0:
                self.do(m.Refuse(offer=self.ringing.pop(0), reason=m.RefuseReason.REJECTED))
            self.answer_all()
            seat = f"s{chance.randrange(self.size)}"
            self.do(m.Pause(seat=seat, reason="rest"))
            self.do(m.Resume(seat=seat))
            if number % 3 == 0:
                self.do(m.Abandon(call=f"call{chance.randint(max(1, self.calls - self.size), self.calls)}"))
            self.do(m.Tick())


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(mix: Mix, size: int, rounds: int, *, backlog: bool) -> None:
    shift = Shift(mix, size)
    shift.fill(size if backlog else 0)
    shift.cost.clear()
    gc.collect()
    shift.work(rounds)
    costs = [cost for values in shift.cost.values() for cost in values]
    slowest = max(shift.cost, key=lambda name: quantile(shift.cost[name], 0.99))
    idle = sum(1 for seat in shift.floor.seats() if seat.idle)
    waiting = sum(1 for _ in shift.floor.waiting())
    print(
        f"{mix.name:8} {size:6} seats {idle:6} idle {waiting:6} waiting {len(costs):7} commands "
        f"p50 {quantile(costs, 0.5):7.0f} µs  p99 {quantile(costs, 0.99):7.0f} µs  max {max(costs):7.0f} µs  "
        f"slowest {slowest} p99 {quantile(shift.cost[slowest], 0.99):.0f} µs"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Cost of one command on the floor.")
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for size in map(int, options.sizes.split(",")):
        for backlog in (True, False):
            for mix in mixes(options.seed):
                measure(mix, size, options.rounds, backlog=backlog)


if __name__ == "__main__":
    main()
