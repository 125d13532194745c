"""The floor in virtual time against queueing theory: Poisson arrivals, exponential talks, patience.

The floor that is simulated is the product's own (`acd.floor`), command by command; phones answer at once and
there is no wrap-up, so that the model's assumptions hold. Formulas, with arrival rate λ, talk rate μ = 1 / mean
talk, n seats, offered load a = λ / μ, impatience rate θ = 1 / mean patience:

* Erlang B, the share of time in which all are busy without a queue: B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1)).
* Erlang C, the share of calls that wait: C = n B(n) / (n - a (1 - B(n))); the mean wait of all calls is
  C / (n μ - λ); the share answered within t is 1 - C exp(-(n μ - λ) t).
* Erlang A (M/M/n+M): a birth-death chain with births λ and deaths min(k, n) μ + max(k - n, 0) θ in state k. From
  its stationary p(k): the share that waits Σ p(k≥n), the share that abandons θ E[queue] / λ, and the mean time in
  queue of all calls E[queue] / λ (Little).
* Ten pools of five seats at 0.9: apart, as a chain in which every seat has two neighbouring skills, and as one pool
  with all skills. A chain keeps most of what pooling gains whichever idle seat is chosen, but not all: a surplus has
  to travel around the ring, seat by seat. With the house's recipe — after so many seconds anybody may answer — nearly
  all of it is kept, and the share answered outside their own pool is told beside it.
* Starvation is bounded: with a constant head start for some calls, nobody is overtaken by a call that came later
  than that, however many of them come.
"""

import argparse
import heapq
import math
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import mean, stdev

from acd import model as m
from acd.floor import Floor
from hotline.ids import CountedIds

START = datetime(2026, 1, 1, tzinfo=UTC)
WARM_UP = 0.1
"""Share of the calls at the beginning that are not counted."""


@dataclass(frozen=True, slots=True)
class Load:
    """Rates per second."""

    seats: int
    arrivals: float
    talk_s: float
    patience_s: float = math.inf
    pools: int = 1
    """Calls of pool i need skill i."""
    skills_each: int = 1
    """Neighbouring skills of a seat."""
    anyone_after_s: float = math.inf
    """After so long anybody may answer."""
    choice: m.SeatChoice = m.SeatChoice.LONGEST_IDLE
    head_start_s: int = 0
    """Of every second call."""

    @property
    def offered(self) -> float:
        return self.arrivals * self.talk_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of one run, or of theory."""

    mean_wait_s: float
    waits: float
    """Share of calls that wait at all."""
    abandons: float = 0.0
    in_20_s: float = math.nan
    """Share of calls that waited no longer than this."""
    outside: float = 0.0
    """Share of calls answered by a seat without the skill that was asked for first."""
    overtaken_s: float = 0.0
    """How much later, at most, somebody came who was answered before a caller of the same pool that waited."""


def erlang_b(seats: int, offered: float) -> float:
    """The share of calls lost by `seats` without a queue."""
    blocked = 1.0
    for count in range(1, seats + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return blocked


def erlang_c(seats: int, offered: float) -> float:
    """The share of calls that wait. Only for `offered < seats`."""
    blocked = erlang_b(seats, offered)
    return seats * blocked / (seats - offered * (1 - blocked))


def answered_within(load: Load, limit_s: float) -> float:
    """Erlang C's share of calls answered within `limit_s`."""
    spare = load.seats / load.talk_s - load.arrivals
    return 1 - erlang_c(load.seats, load.offered) * math.exp(-spare * limit_s)


def theory(load: Load) -> Outcome:
    """Erlang C without impatience, else Erlang A."""
    if math.isinf(load.patience_s):
        waits = erlang_c(load.seats, load.offered)
        return Outcome(waits / (load.seats / load.talk_s - load.arrivals), waits)
    chain = _stationary(load)
    queue = sum((count - load.seats) * share for count, share in enumerate(chain) if count > load.seats)
    return Outcome(queue / load.arrivals, sum(chain[load.seats :]), queue / load.patience_s / load.arrivals)


def _stationary(load: Load) -> list[float]:
    weights = [1.0]
    while len(weights) <= load.seats or weights[-1] > 1e-15 * max(weights):
        count = len(weights)
        deaths = min(count, load.seats) / load.talk_s + max(count - load.seats, 0) / load.patience_s
        weights.append(weights[-1] * load.arrivals / deaths)
    total = sum(weights)
    return [weight / total for weight in weights]


@dataclass
class Run:
    """One simulated day."""

    load: Load
    chance: random.Random
    now_s: float = 0.0
    floor: Floor = field(default_factory=Floor)
    ids: CountedIds = field(default_factory=CountedIds)
    events: list[tuple[float, int, m.AnyCommand]] = field(default_factory=list)
    joined_s: dict[str, float] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)
    abandoned: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    asked: dict[str, str] = field(default_factory=dict)
    overtaken_s: float = 0.0
    count: int = 0

    def go(self, calls: int) -> Outcome:
        self.floor.rules = m.Rules(wrap_up=timedelta(), choice=self.load.choice)
        for seat in range(self.load.seats):
            first = seat % self.load.pools
            skills = {f"s{(first + step) % self.load.pools}": 1 for step in range(self.load.skills_each)}
            self.do(m.SignIn(seat=f"a{seat}", agent=f"a{seat}", phone=f"p{seat}", skills=skills))
        for number in range(calls):
            self._until(self.now_s + self.chance.expovariate(self.load.arrivals))
            self._arrive(f"c{number}")
        self._until(math.inf)
        counted = [f"c{number}" for number in range(int(calls * WARM_UP), calls)]
        times = [self.waits[call] for call in counted]
        gone = sum(call in self.abandoned for call in counted)
        outside = sum(call in self.outside for call in counted)
        return Outcome(
            mean_wait_s=mean(times),
            waits=sum(time > 1e-5 for time in times) / len(times),
            abandons=gone / len(times),
            in_20_s=sum(time <= 20 for time in times) / len(times),
            outside=outside / len(times),
            overtaken_s=self.overtaken_s,
        )

    def _arrive(self, call: str) -> None:
        self.joined_s[call] = self.now_s
        if not math.isinf(self.load.patience_s):
            self._later(self.chance.expovariate(1 / self.load.patience_s), m.Abandon(call=call))
        self.asked[call] = f"s{self.chance.randrange(self.load.pools)}"
        after_s = self.load.anyone_after_s
        recipe = () if math.isinf(after_s) else (m.Step(after_s=after_s),)
        head_start = self.load.head_start_s * (self.count % 2)
        needs = (m.Need(self.asked[call]),)
        self.do(m.Join(call=call, queue="q", needs=needs, recipe=recipe, priority=head_start))
        if recipe and (waiting := self.floor.call(call)) is not None and waiting.waits:
            self._later(after_s, m.Tick())
        self.count += 1

    def _until(self, moment_s: float) -> None:
        while self.events and self.events[0][0] <= moment_s:
            self.now_s, _, command = heapq.heappop(self.events)
            self.do(command)
        if not math.isinf(moment_s):
            self.now_s = moment_s

    def _later(self, seconds: float, command: m.AnyCommand) -> None:
        self.count += 1
        heapq.heappush(self.events, (self.now_s + seconds, self.count, command))

    def _note(self, offered: m.Offered) -> None:
        seat, asked = self.floor.seat(offered.seat), self.asked[offered.call]
        if seat is not None and asked not in seat.skills:
            self.outside.add(offered.call)
        if self.load.head_start_s:
            here = (call.call for call in self.floor.waiting() if call.waits)
            late = (self.joined_s[offered.call] - self.joined_s[call] for call in here if self.asked[call] == asked)
            self.overtaken_s = max(self.overtaken_s, *late, 0.0)

    def do(self, command: m.AnyCommand) -> None:
        facts = self.floor.decide(command, START + timedelta(seconds=self.now_s), self.ids.new)
        for fact in facts:
            self.floor.apply(fact)
        for fact in facts:
            if isinstance(fact, m.Offered):
                self._note(fact)
                self.do(m.Answer(offer=fact.offer))
                self._later(self.chance.expovariate(1 / self.load.talk_s), m.Finish(call=fact.call))
            elif isinstance(fact, m.LeftQueue):
                self.waits[fact.call] = self.now_s - self.joined_s[fact.call]
                if fact.reason is m.LeaveReason.ABANDONED:
                    self.abandoned.add(fact.call)


def simulate(load: Load, calls: int, seed: int) -> Outcome:
    """One run of `calls` calls."""
    return Run(load, random.Random(seed)).go(calls)


def runs(load: Load, calls: int, seeds: int, workers: int) -> list[Outcome]:
    """One run for each seed, several at a time."""
    if workers < 2:
        return [simulate(load, calls, seed) for seed in range(seeds)]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(partial(simulate, load, calls), range(seeds)))


def compare(found: list[Outcome], expected: Outcome) -> Iterator[tuple[str, float, float, float, float]]:
    """(figure, simulated mean, standard error, theory, distance in standard errors) for each figure."""
    figures: dict[str, Callable[[Outcome], float]] = {
        "mean wait s": lambda outcome: outcome.mean_wait_s,
        "share waiting": lambda outcome: outcome.waits,
        "share abandoned": lambda outcome: outcome.abandons,
    }
    for name, figure in figures.items():
        values, theirs = [figure(outcome) for outcome in found], figure(expected)
        error = stdev(values) / math.sqrt(len(values))
        if error or mean(values) != theirs:
            yield name, mean(values), error, theirs, abs(mean(values) - theirs) / error if error else math.inf


SCENES = {
    "M/M/10 at 0.85": Load(seats=10, arrivals=8.5 / 180, talk_s=180),
    "M/M/50 at 0.95": Load(seats=50, arrivals=47.5 / 240, talk_s=240),
    "M/M/50+M, 48 a minute": Load(seats=50, arrivals=48 / 60, talk_s=60, patience_s=120),
    "M/M/70+M at 1.14": Load(seats=70, arrivals=20 / 60, talk_s=240, patience_s=90),
}
POOLED = Load(seats=50, arrivals=45 / 180, talk_s=180)
CHAIN = Load(seats=50, arrivals=45 / 180, talk_s=180, pools=10, skills_each=2)
APART = Load(seats=50, arrivals=45 / 180, talk_s=180, pools=10, skills_each=1)
BUSY = Load(seats=10, arrivals=11 / 180, talk_s=180, patience_s=300, head_start_s=60)
POOLS = {
    "ten pools apart": APART,
    "chain of two skills": CHAIN,
    "chain, specialists first": replace(CHAIN, choice=m.SeatChoice.SPECIALIST_FIRST),
    "chain, fewest calls": replace(CHAIN, choice=m.SeatChoice.FEWEST_CALLS),
    "chain of three skills": replace(CHAIN, skills_each=3),
    "chain, anybody after 20 s": replace(CHAIN, anyone_after_s=20),
    "chain, anybody after 10 s": replace(CHAIN, anyone_after_s=10),
    "one pool": POOLED,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="The floor against Erlang C and Erlang A, in virtual time.")
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", default="", help="scenes with this in their names, and nothing else")
    options = parser.parse_args()
    for scene, load in SCENES.items():
        if options.only not in scene:
            continue
        found = runs(load, options.calls, options.seeds, options.workers)
        for name, ours, error, theirs, distance in compare(found, theory(load)):
            verdict = "within 3 standard errors" if distance <= 3 else "OUTSIDE 3 standard errors"
            figure = f"{scene:24} {name:16} {ours:10.4f} ± {error:.4f}"
            print(f"{figure}  theory {theirs:10.4f}  {distance:4.1f}  {verdict}", flush=True)
    if options.only:
        return
    chains(options.calls, options.seeds, options.workers)
    overtaken = max(outcome.overtaken_s for outcome in runs(BUSY, options.calls, options.seeds, options.workers))
    print(
        f"with {BUSY.head_start_s} s of head start nobody was overtaken by who came more than {overtaken:.3f} s later"
    )


def chains(calls: int, seeds: int, workers: int) -> None:
    """Print what pools lose by being apart, and what chains of them keep."""
    apart, pooled = theory(replace(POOLED, seats=5, arrivals=POOLED.arrivals / 10)), theory(POOLED)
    for name, load in POOLS.items():
        found = runs(load, calls, seeds, workers)
        wait = mean(outcome.mean_wait_s for outcome in found)
        print(
            f"{name:26} mean wait {wait:7.1f} s  within 20 s {mean(outcome.in_20_s for outcome in found):6.1%}  "
            f"outside {mean(outcome.outside for outcome in found):6.1%}  "
            f"keeps {kept(wait, apart, pooled):6.1%} of what pooling gains",
            flush=True,
        )
    print(f"{'Erlang C':26} apart {apart.mean_wait_s:.1f} s, one pool {pooled.mean_wait_s:.1f} s")


def kept(wait_s: float, apart: Outcome, pooled: Outcome) -> float:
    """Which share of what pooling gains this mean wait keeps: 0 as apart, 1 as pooled."""
    return (apart.mean_wait_s - wait_s) / (apart.mean_wait_s - pooled.mean_wait_s)


if __name__ == "__main__":
    main()
