"""One line of the results, and how several runs become one."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of ours beside the baseline's, from runs made in turn."""

    name: str
    unit: str
    ours: float
    baseline: float
    target: str
    """The target in words; empty when there is none."""
    met: bool | None
    runs: int
    spread: str
    """Least and greatest figure of the runs, ours / baseline."""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.baseline if self.baseline else None


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of 100 lie (nearest rank)."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def compare(
    name: str, unit: str, ours: Sequence[float], baseline: Sequence[float], *, at_most_ratio: float | None = None,
    at_most: float | None = None, at_least: float | None = None, at_least_ratio: float | None = None,
) -> Row:  # fmt: skip
    """The medians of both sides; the target is a ratio of them or an absolute figure of ours."""
    mine, theirs = statistics.median(ours), statistics.median(baseline) if baseline else 0.0
    target, met = "", None
    if at_most_ratio is not None:
        target, met = f"ratio ≤ {at_most_ratio:.3g}", bool(theirs) and mine <= at_most_ratio * theirs
    elif at_most is not None:
        target, met = f"≤ {at_most:.3g} {unit}", mine <= at_most
    elif at_least is not None:
        target, met = f"≥ {at_least:.3g} {unit}", mine >= at_least
    elif at_least_ratio is not None:
        target, met = f"ratio ≥ {at_least_ratio:.3g}", bool(theirs) and mine >= at_least_ratio * theirs
    spread = f"{min(ours):.3g}–{max(ours):.3g}"
    if baseline:
        spread += f" / {min(baseline):.3g}–{max(baseline):.3g}"
    return Row(name, unit, mine, theirs, target, met, len(ours), spread)


def write(rows: Sequence[Row], file: Path) -> None:
    """Keep the rows as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rounded = [
        {**asdict(row), "ours": round(row.ours, 4), "baseline": round(row.baseline, 4), "ratio": _short(row.ratio)}
        for row in rows
    ]
    file.write_text(json.dumps(rounded, indent=2, ensure_ascii=False) + "\n")


def _short(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, 5)


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| figure | unit | ours | baseline | ratio | target | met | runs | spread |",
        "|---|---|--:|--:|--:|---|---|--:|---|",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
        baseline = f"{row.baseline:.3g}" if row.baseline else "–"
        met = "" if row.met is None else ("yes" if row.met else "NO")
        cells = (row.name, row.unit, f"{row.ours:.3g}", baseline, ratio, row.target, met, str(row.runs), row.spread)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
