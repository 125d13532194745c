"""Overload: calls come 1.2 times as fast as where `app_queue` collapses, to the same seats on both sides.

Calls come at a steady rate to few seats with short talks. `app_queue` has callers look again once a second, so as soon
as a few wait, freed seats stay idle, more callers wait, and it does not recover. The rate rises by steps of a twentieth
of the ideal until the median first offer takes longer than half a second: there it has collapsed. Nothing may fail of
ours beyond that: every citizen is answered once, by one seat, and none of sipp's calls ends otherwise.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.offers import Load, Measured, Side, run, sides, tell
from bench.row import Row, compare

LOAD = Load("overload", seats=16, rate=0, ring=0.1, talk=0.7, seconds=20, spread="uniform")
FIRST, STEP, LAST, BEYOND = 0.5, 0.05, 1.0, 1.2
"""Shares of the ideal rate, and how far beyond the collapse both are measured."""
COLLAPSED_MS = 500.0
RATIO = 1 / 20


@dataclass(frozen=True, slots=True)
class Server:
    """A side, and the port where it expects its seats' phones."""

    side: Side
    port: int


def measure(rounds: int) -> list[Row]:
    """The rate at which the baseline collapses, then both beyond it, `rounds` times in turn."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name, sides(LOAD, Path(name)) as both:
        file = Path(name) / "sip.pcap"
        ours, plain = (Server(side, port) for side, port in zip(*both, strict=True))
        collapse = _collapse(plain, file)
        beyond = replace(LOAD, rate=BEYOND * collapse)
        found: tuple[list[Measured], list[Measured]] = ([], [])
        for _ in range(rounds):
            for server, list_of in zip((ours, plain), found, strict=True):
                list_of.append(_run(server, beyond, file, "ours    " if server is ours else "baseline"))
    return rows(collapse, beyond, *found)


def _collapse(plain: Server, file: Path) -> float:
    """Calls a second."""
    steps = round((LAST - FIRST) / STEP)
    rates = [LOAD.ideal * (FIRST + STEP * step) for step in range(steps + 1)]
    for rate in rates:
        if (
            _run(plain, replace(LOAD, rate=rate), file, f"baseline at {rate:.1f}/s").ms("first_offer", 50)
            > COLLAPSED_MS
        ):
            return rate
    return rates[-1]


def _run(server: Server, load: Load, file: Path, name: str) -> Measured:
    one = run(load, server.side, server.port, file)
    tell(load, one, name)
    return one


def rows(collapse: float, load: Load, ours: Sequence[Measured], theirs: Sequence[Measured]) -> list[Row]:
    """What is shown."""
    found = [compare("overload_collapse", "calls/s", [load.rate], [collapse])]
    for percent in (50, 99):
        mine, other = ([one.ms("first_offer", percent) for one in side] for side in (ours, theirs))
        limit = RATIO if percent == 50 else None
        found.append(compare(f"overload_p{percent}", "ms", mine, other, at_most_ratio=limit))
    mine, other = ([float(_failed(load, one)) for one in side] for side in (ours, theirs))
    return [*found, compare("overload_failed", "calls", mine, other, at_most=0)]


def _failed(load: Load, one: Measured) -> int:
    """Calls that nobody answered, that were answered more than once, or offered to a seat that had one."""
    return abs(round(load.rate * load.seconds) - one.answered_in_all) + one.double + one.failed
