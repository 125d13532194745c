"""`make bench`: product and baseline, interleaved in one run; a table on the screen, rows in var/bench/results.json."""

import argparse
import os
import platform
from collections.abc import Callable
from pathlib import Path

from bench import desk, feed, intake, offers, overload
from bench.row import Row, table, write

RESULTS = Path("var/bench/results.json")


def measures(rounds: int) -> dict[str, Callable[[], list[Row]]]:
    """Every benchmark by its name."""
    found: dict[str, Callable[[], list[Row]]] = {"ami_intake": lambda: intake.measure(rounds)}
    for name, load in offers.LOADS.items():
        found[name] = lambda load=load: offers.measure(load, rounds)  # type: ignore[misc]
    found["overload"] = lambda: overload.measure(rounds)
    found["desk"] = lambda: desk.measure(rounds)
    found["feed"] = lambda: feed.measure(rounds)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="one benchmark, or those whose names begin so")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    chosen = {name: run for name, run in measures(arguments.rounds).items() if name.startswith(arguments.only)}
    if not chosen:
        parser.error(f"no benchmark is named {arguments.only}: choose of {', '.join(measures(1))}")
    print(f"{platform.platform()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
    rows: list[Row] = []
    for name, run in chosen.items():
        print(name, flush=True)
        rows += run()
        write(rows, RESULTS)
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
