"""The table of waiting calls with its indices: one line for each demand, in order of rank."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from acd.ranked import Ranked
from acd.records import CallRank, Needs, Seat, Waiting, meets
from acd.values import Need


class Line:
    """Calls with the same demand."""

    __slots__ = ("calls", "name", "needs")

    def __init__(self, needs: Needs) -> None:
        self.needs = needs
        self.name = _name(needs)
        self.calls: Ranked[CallRank] = Ranked()


Head = tuple[CallRank, str]
"""The first call of a line, and the line's name."""


class Shelf:
    """Lines whose hardest need is the same, in order of their first calls."""

    __slots__ = ("heads", "lines")

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.heads: Ranked[Head] = Ranked()

    def add(self, line: Line, rank: CallRank) -> None:
        before = line.calls.first()
        line.calls.add(rank)
        self._head_moves(line, before)

    def discard(self, line: Line, rank: CallRank) -> None:
        before = line.calls.first()
        line.calls.discard(rank)
        self._head_moves(line, before)

    def _head_moves(self, line: Line, before: CallRank | None) -> None:
        after = line.calls.first()
        if before == after:
            return
        if before is not None:
            self.heads.discard((before, line.name))
        if after is not None:
            self.heads.add((after, line.name))


class WaitingCalls:
    """Every call that waits or rings. `put` is the only change; the lines follow from the records.

    Calls with the same demand stand in one line; a call that was widened stands in several, a call that rings in
    none. Lines are shelved by their hardest need, so a seat looks only at shelves whose skill it has at the
    level, and there at the first calls in order of rank until it meets a whole demand: O(log n) in calls, and at
    most one look at each different demand.
    """

    def __init__(self) -> None:
        self._calls: dict[str, Waiting] = {}
        self._lines: dict[Needs, Line] = {}
        self._shelves: dict[str, dict[int, Shelf]] = {}
        """By the skill and the level of the hardest need; `""` and 0 for the demand of nothing."""
        self._sizes: Counter[str] = Counter()
        self._promised: dict[str, str] = {}

    def put(self, call: str, new: Waiting | None) -> None:
        """Replace the record of `call`; `None` removes it."""
        old = self._calls.get(call)
        self._count(old, new)
        if old is not None and old.waits:
            for needs in old.options:
                self._leave_line(needs, old.rank)
        if new is None:
            self._calls.pop(call, None)
            return
        self._calls[call] = new
        if new.waits:
            for needs in new.options:
                self._join_line(needs, new.rank)

    def _count(self, old: Waiting | None, new: Waiting | None) -> None:
        """Keep the numbers of those on the line, and the call-backs by their callers."""
        if old is not None and old.call_back:
            self._promised.pop(old.caller, None)
        elif old is not None:
            self._sizes[old.queue] -= 1
        if new is not None and new.call_back:
            self._promised[new.caller] = new.call
        elif new is not None:
            self._sizes[new.queue] += 1

    def on_the_line(self, queue: str) -> int:
        """How many wait or ring in this queue, call-backs left out."""
        return self._sizes[queue]

    def call_back_for(self, caller: str) -> Waiting | None:
        """The call-back that this caller was promised; nobody in particular has none."""
        call = self._promised.get(caller) if caller else None
        return self._calls[call] if call is not None else None

    def _join_line(self, needs: Needs, rank: CallRank) -> None:
        hardest = _hardest(needs)
        line = self._lines.get(needs)
        shelf = self._shelves.setdefault(hardest.skill, {}).setdefault(hardest.level, Shelf())
        if line is None:
            line = self._lines[needs] = Line(needs)
            shelf.lines[line.name] = line
        shelf.add(line, rank)

    def _leave_line(self, needs: Needs, rank: CallRank) -> None:
        hardest = _hardest(needs)
        shelf, line = self._shelves[hardest.skill][hardest.level], self._lines[needs]
        shelf.discard(line, rank)
        if not len(line.calls):
            del self._lines[needs], shelf.lines[line.name]
        if not shelf.lines:
            del self._shelves[hardest.skill][hardest.level]

    def get(self, call: str) -> Waiting | None:
        return self._calls.get(call)

    def __getitem__(self, call: str) -> Waiting:
        return self._calls[call]

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._calls.values())

    def __len__(self) -> int:
        return len(self._calls)

    def next_for(self, seat: Seat) -> Waiting | None:
        """The call of lowest rank that this seat can take and has not just refused."""
        best: CallRank | None = None
        skills = seat.abilities
        for shelf in self._shelves_for(skills, anyone=not seat.guest):
            best = self._first_on(shelf, seat.seat, skills, best)
        return self._calls[best[2]] if best else None

    def _first_on(self, shelf: Shelf, seat: str, skills: dict[str, int], best: CallRank | None) -> CallRank | None:
        """The better of `best` and the first call on this shelf for `seat`."""
        for rank, name in shelf.heads:
            if best is not None and rank >= best:
                break
            line = shelf.lines[name]
            if meets(skills, line.needs):
                mine = self._first_not_refused(line, seat)
                if mine is not None and (best is None or mine < best):
                    best = mine
        return best

    def _first_not_refused(self, line: Line, seat: str) -> CallRank | None:
        for rank in line.calls:
            if seat not in self._calls[rank[2]].refused:
                return rank
        return None

    def _shelves_for(self, skills: dict[str, int], *, anyone: bool = True) -> Iterator[Shelf]:
        for skill, has in (*((("", 0),) if anyone else ()), *skills.items()):
            for level, shelf in self._shelves.get(skill, {}).items():
                if level <= has:
                    yield shelf

    def lines_for(self, skills: dict[str, int]) -> Iterator[tuple[Needs, Ranked[CallRank]]]:
        """Lines whose demand somebody with `skills` meets."""
        for shelf in self._shelves_for(skills):
            for line in shelf.lines.values():
                if meets(skills, line.needs):
                    yield line.needs, line.calls

    def demands(self) -> Iterator[tuple[Needs, Ranked[CallRank]]]:
        """Every line with its demand."""
        for line in self._lines.values():
            yield line.needs, line.calls

    def heads(self) -> dict[tuple[str, int], list[Head]]:
        """The first calls of each shelf, for checks."""
        return {
            (skill, level): list(shelf.heads)
            for skill, shelves in self._shelves.items()
            for level, shelf in shelves.items()
        }

    def ahead_of(self, call: str) -> int:
        """How many calls wait before this one in its own line; 0 when it rings or does not wait."""
        waiting = self._calls.get(call)
        if waiting is None or not waiting.waits:
            return 0
        return self._lines[waiting.options[0]].calls.before(waiting.rank)


@lru_cache(4096)
def _name(needs: Needs) -> str:
    """Kept, because lines come and go with every call that rings and waits again."""
    return ",".join(f"{need.skill}:{need.level}" for need in needs)


_NOTHING = Need("", 0)


def _hardest(needs: Needs) -> Need:
    """The need of the highest level, which the fewest seats meet."""
    return max(needs, key=_level, default=_NOTHING)


def _level(need: Need) -> int:
    return need.level
