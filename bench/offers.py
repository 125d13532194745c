"""Calls through the product and through `app_queue`, in turn: first offer, refill, order, CPU.

Both sides answer at once, record (the product a track for each party, the baseline one mix), queue with music, ring
the longest idle of the same number of phones, and play the same good-bye when the seat has hung up. Both servers live
through all rounds; while one is measured the other has nothing to do.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from bench.capture import Capture, Reader, Seen
from bench.load import Citizens, Farm, Used, cpu_seconds
from bench.media import PACKET_S
from bench.plain import PlainAsterisk
from bench.product import Product
from bench.row import Row, compare, percentile
from tests.asterisk_node import free_udp_port


class Side(Protocol):
    """A server under load."""

    @property
    def sip(self) -> int: ...
    @property
    def number(self) -> str: ...
    @property
    def accounts(self) -> Path | None:
        """The phones' accounts; `None`: they need not register."""
        ...

    @property
    def asterisk(self) -> int: ...
    @property
    def controller(self) -> int | None: ...

    def ready(self) -> None:
        """Wait until every seat can be offered a call."""
        ...


@dataclass(frozen=True, slots=True)
class Load:
    """Times in seconds, rate in calls a second."""

    name: str
    seats: int
    rate: float
    ring: float
    talk: float
    seconds: float
    """How long calls come, or how long a backlog is watched."""
    spread: str = "fixed"
    waiting: int = 0
    """A closed loop that keeps this many callers waiting; 0: calls come at `rate` and meet free seats."""
    voices: bool = False
    queues: int = 1
    """Queues that every seat serves; calls enter one of them."""
    several: int = 1
    """So many seats ring for one call; the baseline's `ringall` always rings all that are free."""

    @property
    def ideal(self) -> float:
        """Answers a second when no seat is ever idle."""
        return self.seats / (self.ring + self.talk)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run on one side."""

    seen: Seen
    seconds: float
    asterisk_s: float
    """CPU time."""
    controller_s: float
    failed: bool
    double: int
    answered_in_all: int
    """Answers of seats, whenever."""

    def ms(self, name: str, percent: float) -> float:
        """A percentile of a latency in ms."""
        return 1000 * percentile(getattr(self.seen, name), percent)

    def per_call(self, seconds: float) -> float:
        """CPU time as ms per answered call."""
        return 1000 * seconds / max(1, self.seen.answered)

    def busy_share(self, seats: int) -> float:
        """Answers against those of seats that never wait for a call: the share of their time in which they ring or
        talk. Counting answers would say the same with an error of several percent in so short a time."""
        return self.seen.busy_s / (seats * self.seconds)

    @property
    def overtaken_percent(self) -> float:
        return 100 * self.seen.overtaken / max(1, self.seen.offered)


LOADS = {
    load.name: load
    for load in (
        Load("first_offer_20", seats=20, rate=10, ring=0.2, talk=1.0, seconds=15),
        Load("first_offer_100", seats=100, rate=30, ring=0.2, talk=1.0, seconds=15),
        Load("refill", seats=100, rate=100, ring=0.1, talk=12.0, spread="uniform", seconds=36, waiting=100),
        Load(
            "many_seats_100",
            seats=400,
            rate=40,
            ring=0.1,
            talk=30.0,
            spread="uniform",
            seconds=36,
            waiting=100,
            queues=6,
        ),
        Load(
            "many_seats_500",
            seats=400,
            rate=40,
            ring=0.1,
            talk=30.0,
            spread="uniform",
            seconds=36,
            waiting=500,
            queues=6,
        ),
        Load(
            "ring_several", seats=100, rate=40, ring=0.1, talk=5.0, spread="uniform", seconds=20, waiting=50, several=3
        ),
        Load("cpu_per_call", seats=20, rate=10, ring=0.2, talk=1.0, seconds=15, voices=True),
    )
}
FIRST_OFFER_RATIO, REFILL_RATIO, CONTROLLER_MS, OVERTAKEN_PERCENT = 1.3, 1 / 30, 4.0, 0.5
BUSY_SHARE, MANY_SEATS_CPU_RATIO, SEVERAL_RATIO = 0.98, 0.6, 5.0
COMFORT_S = 5.0
"""Between two packets of a seat without a voice: a phone that sends nothing has died, to the product."""
GOODBYE_S = 2.5
"""Longest part of a call after its seat has hung up."""


def measure(load: Load, rounds: int) -> list[Row]:
    """Product and baseline in turn, `rounds` times each."""
    ours: list[Measured] = []
    theirs: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name, sides(load, Path(name)) as both:
        for number in range(rounds):
            for side, found, port in zip(both[0], (ours, theirs), both[1], strict=True):
                one = run(load, side, port, Path(name) / f"{number}-{port}.pcap")
                found.append(one)
                tell(load, one, "ours    " if found is ours else "baseline")
    return rows(load, ours, theirs)


@contextmanager
def sides(load: Load, folder: Path) -> Iterator[tuple[tuple[Side, Side], tuple[int, int]]]:
    """Product and baseline, and the ports where each expects its seats' phones."""
    ports = free_udp_port(), free_udp_port()
    with (
        Product(folder / "ours", load.seats, load.queues, load.several) as product,
        PlainAsterisk(
            folder / "plain", farm=ports[1], seats=load.seats, goodbye=product.goodbye, queues=load.queues,
            strategy="ringall" if load.several > 1 else "leastrecent",
        ) as plain,
    ):  # fmt: skip
        yield (product, plain), ports


def run(load: Load, side: Side, port: int, file: Path) -> Measured:
    """One run on one side."""
    farm = Farm(
        port=port, sip=side.sip, ring=load.ring, talk=load.talk, spread=load.spread, accounts=side.accounts,
        media=free_udp_port(), every=PACKET_S if load.voices else COMFORT_S,
    )  # fmt: skip
    callers = free_udp_port()
    count = 0 if load.waiting else round(load.rate * load.seconds)
    at_once = load.seats + load.waiting + round(GOODBYE_S * load.ideal) if load.waiting else 2 * count
    citizens = Citizens(
        sip=side.sip, port=callers, media=free_udp_port(), number=side.number, rate=load.rate, at_once=at_once,
        total=count,
    )  # fmt: skip
    with farm:
        side.ready()
        with Capture(side.sip, file):
            used, worked, failed = _backlog(load, side, citizens) if load.waiting else _stream(load, side, citizens)
    seen = Reader(side.sip, callers, port, used.window).read(file)
    file.unlink()
    window = used.window[1] - used.window[0]
    return Measured(
        seen, window, used.seconds, worked.seconds, failed, farm.counters["double"], farm.counters["answered"]
    )


def _stream(load: Load, side: Side, citizens: Citizens) -> tuple[Used, Used, bool]:
    """Calls at a steady rate until all are over, and until the controller has nothing left to do for them."""
    worked = Used(*_controller(side))
    with worked:
        with Used(side.asterisk) as used, citizens:
            failed = citizens.wait(load.seconds + 60) != 0
        _settle(side)
    return used, worked, failed


def _backlog(load: Load, side: Side, citizens: Citizens) -> tuple[Used, Used, bool]:
    """A closed loop; what happens in `seconds` of its steady state."""
    with citizens:
        time.sleep((load.seats + load.waiting) / load.rate + 2 * load.talk)
        with Used(side.asterisk) as used, Used(*_controller(side)) as worked:
            time.sleep(load.seconds)
    _settle(side)
    return used, worked, False


def _controller(side: Side) -> Sequence[int]:
    return () if side.controller is None else (side.controller,)


def _settle(side: Side) -> None:
    """Until the controller has closed recordings and the like: two seconds of rest, at most half a minute."""
    pids = _controller(side)
    deadline, rest = time.monotonic() + 30, 0
    while pids and rest < 2 and time.monotonic() < deadline:
        before = cpu_seconds(pids)
        time.sleep(1)
        rest = rest + 1 if cpu_seconds(pids) - before < 0.04 else 0


def rows(load: Load, ours: Sequence[Measured], theirs: Sequence[Measured]) -> list[Row]:
    """What is shown of a load."""
    if load.several > 1:
        return _several(load, ours, theirs)
    if load.waiting:
        return _refill(load, ours, theirs)
    return _cpu(load, ours, theirs) if load.voices else _first_offer(load, ours, theirs)


def _first_offer(load: Load, ours: Sequence[Measured], theirs: Sequence[Measured]) -> list[Row]:
    found = []
    for percent in (50, 99):
        mine, other = ([one.ms("first_offer", percent) for one in side] for side in (ours, theirs))
        limit = FIRST_OFFER_RATIO if percent == 50 else None
        found.append(compare(f"{load.name}_p{percent}", "ms", mine, other, at_most_ratio=limit))
    return found


def _refill(load: Load, ours: Sequence[Measured], theirs: Sequence[Measured]) -> list[Row]:
    found = []
    for percent in (50, 95, 99):
        mine, other = ([one.ms("refill", percent) for one in side] for side in (ours, theirs))
        found.append(compare(f"{load.name}_p{percent}", "ms", mine, other, at_most_ratio=REFILL_RATIO))
    mine, other = ([one.busy_share(load.seats) for one in side] for side in (ours, theirs))
    found.append(compare(f"{load.name}_throughput", "of ideal", mine, other, at_least=BUSY_SHARE))
    mine, other = ([one.overtaken_percent for one in side] for side in (ours, theirs))
    found.append(compare(f"{load.name}_overtaken", "% of calls", mine, other, at_most=OVERTAKEN_PERCENT))
    mine, other = ([float(one.double) for one in side] for side in (ours, theirs))
    found.append(compare(f"{load.name}_double", "offers", mine, other, at_most=0))
    mine, other = ([one.per_call(one.asterisk_s) for one in side] for side in (ours, theirs))
    limit = MANY_SEATS_CPU_RATIO if load.queues > 1 else None
    found.append(compare(f"{load.name}_asterisk_cpu", "ms/call", mine, other, at_most_ratio=limit))
    spent = [one.per_call(one.controller_s) for one in ours]
    return [*found, compare(f"{load.name}_controller_cpu", "ms/call", spent, [])]


def _several(load: Load, ours: Sequence[Measured], theirs: Sequence[Measured]) -> list[Row]:
    mine, other = ([one.seen.offered / one.seconds for one in side] for side in (ours, theirs))
    found = [compare(f"{load.name}_callers", "/s", mine, other, at_least_ratio=SEVERAL_RATIO)]
    mine, other = ([one.busy_share(load.seats) for one in side] for side in (ours, theirs))
    found.append(compare(f"{load.name}_throughput", "of ideal", mine, other))
    mine, other = ([one.per_call(one.asterisk_s) for one in side] for side in (ours, theirs))
    return [*found, compare(f"{load.name}_asterisk_cpu", "ms/call", mine, other)]


def _cpu(load: Load, ours: Sequence[Measured], theirs: Sequence[Measured]) -> list[Row]:
    mine, other = ([one.per_call(one.asterisk_s) for one in side] for side in (ours, theirs))
    spent = [one.per_call(one.controller_s) for one in ours]
    return [
        compare(f"{load.name}_asterisk", "ms/call", mine, other),
        compare(f"{load.name}_controller", "ms/call", spent, [], at_most=CONTROLLER_MS),
    ]


def tell(load: Load, one: Measured, side: str) -> None:
    """A line on the screen."""
    latency = "refill" if load.waiting else "first_offer"
    print(
        f"  {load.name} {side} answered {one.seen.answered} in {one.seconds:.1f} s, {latency} p50 "
        f"{one.ms(latency, 50):.1f} p99 {one.ms(latency, 99):.1f} ms, asterisk {one.per_call(one.asterisk_s):.2f} "
        f"controller {one.per_call(one.controller_s):.2f} ms/call, overtaken {one.seen.overtaken}, "
        f"double {one.double}" + (", SOME CALLS FAILED" if one.failed else ""),
        flush=True,
    )


def smaller(load: Load, seconds: float) -> Load:
    """The same load, for a shorter time."""
    return replace(load, seconds=seconds)
