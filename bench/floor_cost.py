"""What one command costs the floor: decide and apply, at growing numbers of seats and waiting calls.

Every seat has four skills at levels 1 to 10. Three mixes:

* `houses`: 20 skills, 16 demands of one skill each, as a city's queues ask for them.
* `pairs`: 20 skills, every call needs two of them at random levels, so that almost every demand is different.
* `four`: all seats have the same four skills, calls need up to three of them at once.

Each is measured twice: with a backlog (calls came until as many waited as there are seats, so that whoever is idle
meets nothing that waits) and with idle seats. Commands come as a shift sees them: joins, answers, refusals, finished
talks, ended wrap-ups, pauses, hang-ups, ticks. Times are CPU time of this thread: a busy machine does not count.
Collections of garbage do, at the moments when the interpreter makes them.
"""

import argparse
import gc
import json
import math
import random
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

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

    def __init__(self, mix: Mix, size: int, choices: int = 1) -> None:
        """`choices`: so many queues take turns, each with a choice of its own of whose turn it is."""
        self.mix, self.size, self.choices = mix, size, choices
        own = {f"q{number}": choice for number, choice in enumerate(list(m.SeatChoice)[:choices])}
        self.floor, self.ids, self.now = Floor(m.Rules(choices=own)), CountedIds(), START
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
        call, queue = f"call{self.calls}", f"q{self.calls % self.choices}"
        self.do(m.Join(call=call, queue=queue, needs=self.mix.needs(), priority=self.mix.chance.choice((0, 0, 60))))
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


@dataclass(frozen=True)
class Cost:
    """One mix at one size. Times in µs of CPU."""

    mix: str
    size: int
    """Seats, and with a backlog as many waiting calls."""
    backlog: bool
    commands: int
    p50: float
    p99: float
    longest: float
    by_command: dict[str, float]
    """The 99th percentile of each command."""


def measure(mix: Mix, size: int, rounds: int, *, backlog: bool, choices: int = 1) -> Cost:
    shift = Shift(mix, size, choices)
    shift.fill(size if backlog else 0)
    shift.cost.clear()
    gc.collect()
    shift.work(rounds)
    costs = [cost for values in shift.cost.values() for cost in values]
    by_command = {name: quantile(values, 0.99) for name, values in sorted(shift.cost.items())}
    p50, p99 = quantile(costs, 0.5), quantile(costs, 0.99)
    return Cost(mix.name, size, backlog, len(costs), p50, p99, max(costs), by_command)


def memory_per_waiting(calls: int, seed: int) -> float:
    """Bytes of one waiting call with a recipe of three steps: everything the floor keeps for it."""
    mix = list(mixes(seed))[1]
    shift = Shift(mix, 0)
    recipe = tuple(m.Step(after_s=after, needs=mix.needs()) for after in (20.0, 60.0, 120.0))
    shift.do(m.SignIn(seat="s", agent="s", phone="p", skills={f"skill{number}": 10 for number in range(20)}))
    shift.do(m.Pause(seat="s", reason="rest"))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(calls):
        shift.do(m.Join(call=f"call_{number:026}", queue="12345", needs=mix.needs(), recipe=recipe, dialled="12345"))
        shift.cost.clear()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / calls


def growth(costs: Sequence[Cost]) -> list[str]:
    """How much the cost grew from the smallest to the largest size, beside the growth of the logarithm."""
    lines: list[str] = []
    for mix, backlog in sorted({(cost.mix, cost.backlog) for cost in costs}):
        mine = [cost for cost in costs if (cost.mix, cost.backlog) == (mix, backlog)]
        small, large = min(mine, key=_size), max(mine, key=_size)
        load = "backlog" if backlog else "idle"
        lines.append(
            f"{mix:8} {load:8} p50 × {large.p50 / small.p50:4.2f}  p99 × {large.p99 / small.p99:4.2f}  "
            f"logarithm × {math.log(large.size) / math.log(small.size):4.2f}"
        )
    return lines


def _size(cost: Cost) -> int:
    return cost.size


def _row(cost: Cost) -> str:
    name = max(cost.by_command, key=lambda name: cost.by_command[name])
    slowest = f"slowest {name} p99 {cost.by_command[name]:.0f} µs  longest {cost.longest:.0f} µs"
    load = "backlog" if cost.backlog else "idle"
    return (
        f"{cost.mix:8} {cost.size:6} {load:8} {cost.commands:6} commands  p50 {cost.p50:5.0f} µs  "
        f"p99 {cost.p99:5.0f} µs  {slowest}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Cost of one command on the floor.")
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--choices", type=int, default=1, choices=range(1, 4), help="queues that choose seats apart")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    options = parser.parse_args()
    costs: list[Cost] = []
    for size in map(int, options.sizes.split(",")):
        for backlog in (True, False):
            for mix in mixes(options.seed):
                cost = measure(mix, size, options.rounds, backlog=backlog, choices=options.choices)
                costs.append(cost)
                print(_row(costs[-1]), flush=True)
    print(*growth(costs), sep="\n")
    memory = memory_per_waiting(max(cost.size for cost in costs), options.seed)
    print(f"one waiting call: {memory:.0f} bytes")
    if options.json:
        found = {"costs_us": [asdict(cost) for cost in costs], "bytes_per_waiting_call": memory}
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
