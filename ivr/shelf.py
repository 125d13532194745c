"""The flows in force: shipped ones, replaced by the tenant's own of the same name, reloaded when a file changes.

A file that cannot be used leaves its old version in force. It refuses to know callers: they carry their version.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from ivr.flow import Flow, QueueNode
from ivr.loader import SHIPPED, load_folder
from ivr.model import FLOW_OF_MODE, GENERAL_QUEUE, Entry, MergeMode

Signature = tuple[tuple[str, int, int, int], ...]

LAST_RESORT = Flow(
    name="last_resort",
    version="0",
    start="seats",
    human="seats",
    nodes={"seats": QueueNode(name="seats", queue=GENERAL_QUEUE)},
)
"""For an installation whose every file is unusable: a person at once."""


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """Flows by name, and what is wrong with files that were not taken."""

    flows: dict[str, Flow] = {}
    problems: tuple[str, ...] = ()

    def for_entry(self, entry: Entry) -> Flow:
        """The flow that callers of `entry` run through; never none."""
        names = (entry.flow_name, FLOW_OF_MODE[entry.mode], FLOW_OF_MODE[MergeMode.SELF])
        return next((self.flows[name] for name in names if name in self.flows), LAST_RESORT)


def load(folders: Iterable[Path], previous: Shelf | None = None) -> Shelf:
    """Read all folders; later ones replace flows of earlier ones. Flows of unusable files come from `previous`."""
    flows: dict[str, Flow] = {}
    problems: dict[str, tuple[str, ...]] = {}
    for folder in folders:
        found, wrong = load_folder(folder)
        flows |= found
        problems |= wrong
    old = previous.flows if previous else {}
    flows |= {name: flow for name, flow in old.items() if flow.file in problems}
    return Shelf(flows=flows, problems=tuple(problem for found in problems.values() for problem in found))


def folders(tenant: Path) -> tuple[Path, ...]:
    """Where flows are, the more important ones last."""
    return SHIPPED, tenant


def signature(watched: dict[Path, str]) -> Signature:
    """What changes when a file of a folder's pattern does: names, times, sizes and file numbers."""
    found: list[tuple[str, int, int, int]] = []
    for folder, pattern in watched.items():
        for file in folder.glob(pattern):
            try:
                known = file.stat()
            except OSError:
                continue
            found.append((str(file), known.st_mtime_ns, known.st_size, known.st_ino))
    return tuple(sorted(found))
