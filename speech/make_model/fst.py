"""Weighted finite-state transducers, as far as a decoding graph needs them, in OpenFst's `vector` file format."""

import math
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

_MAGIC, _VERSION, _NO_FLAGS, _PROPERTIES = 2125659606, 2, 0, 3
EPSILON = 0


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc to state `to`; `cost` is a negative logarithm."""

    ilabel: int
    olabel: int
    cost: float
    to: int


@dataclass(slots=True)
class Fst:
    """A mutable transducer over the tropical semiring."""

    start: int = 0
    arcs: list[list[Arc]] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    """Cost of ending in each state; infinite where one may not."""

    def state(self) -> int:
        """A new state."""
        self.arcs.append([])
        self.final.append(math.inf)
        return len(self.arcs) - 1

    def arc(self, source: int, to: int, ilabel: int = EPSILON, olabel: int = EPSILON, cost: float = 0.0) -> None:
        self.arcs[source].append(Arc(ilabel, olabel, cost, to))

    def sort_by_input(self) -> None:
        """One side of a composition must be sorted: the right one by input labels."""
        for arcs in self.arcs:
            arcs.sort(key=lambda arc: (arc.ilabel, arc.olabel, arc.to))

    def sort_by_output(self) -> None:
        for arcs in self.arcs:
            arcs.sort(key=lambda arc: (arc.olabel, arc.ilabel, arc.to))

    @property
    def arc_count(self) -> int:
        return sum(map(len, self.arcs))

    def write(self, file: Path) -> None:
        """The layout of OpenFst's `FstHeader` and `VectorFst::Write`."""
        header = struct.pack("<i", _MAGIC) + _text("vector") + _text("standard")
        header += struct.pack("<iiQqqq", _VERSION, _NO_FLAGS, _PROPERTIES, self.start, len(self.arcs), self.arc_count)
        with file.open("wb") as out:
            out.write(header)
            for arcs, final in zip(self.arcs, self.final, strict=True):
                out.write(struct.pack("<fq", final, len(arcs)))
                out.write(b"".join(struct.pack("<iifi", arc.ilabel, arc.olabel, arc.cost, arc.to) for arc in arcs))


def _text(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()


def compose(left: Fst, right: Fst) -> Fst:
    """`left` with `right` as one transducer, only the states that can be reached.

    Epsilons on either side need no filter: costs are idempotent. `right` backs off only where a word may start or
    the utterance may end, which keeps the result small.
    """
    composed = Fst()
    numbers: dict[tuple[int, int], int] = {}
    todo: list[tuple[int, int]] = []

    def state(pair: tuple[int, int]) -> int:
        if pair not in numbers:
            numbers[pair] = composed.state()
            todo.append(pair)
        return numbers[pair]

    composed.start = state((left.start, right.start))
    while todo:
        pair = todo.pop()
        source = numbers[pair]
        composed.final[source] = left.final[pair[0]] + right.final[pair[1]]
        for arc, to in _joint_arcs(left, right, pair):
            composed.arc(source, state(to), arc.ilabel, arc.olabel, arc.cost)
    return composed


def _joint_arcs(left: Fst, right: Fst, pair: tuple[int, int]) -> list[tuple[Arc, tuple[int, int]]]:
    by_label: defaultdict[int, list[Arc]] = defaultdict(list)
    for arc in right.arcs[pair[1]]:
        by_label[arc.ilabel].append(arc)
    joint: list[tuple[Arc, tuple[int, int]]] = []
    for first in left.arcs[pair[0]]:
        if first.olabel == EPSILON:
            joint.append((first, (first.to, pair[1])))
            continue
        for second in by_label[first.olabel]:
            arc = Arc(first.ilabel, second.olabel, first.cost + second.cost, 0)
            joint.append((arc, (first.to, second.to)))
    if left.final[pair[0]] < math.inf or any(arc.olabel != EPSILON for arc in left.arcs[pair[0]]):
        joint += [(Arc(EPSILON, arc.olabel, arc.cost, 0), (pair[0], arc.to)) for arc in by_label[EPSILON]]
    return joint
