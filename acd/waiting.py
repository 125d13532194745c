"""The table of waiting calls with its indices: one line for each demand, in order of rank."""

from collections.abc import Iterator

from acd.ranked import Ranked
from acd.records import CallRank, Needs, Seat, Waiting, meets

Line = Ranked[CallRank]


class WaitingCalls:
    """Every call that waits or rings. `put` is the only change; the lines follow from the records.

    Calls with the same demand stand in one line; a call that was widened stands in several, a call that rings in
    none. A seat looks at the heads of the lines it can serve, so finding its next call costs O(log n) in calls
    and O(d) in different demands that begin with one of its skills.
    """

    def __init__(self) -> None:
        self._calls: dict[str, Waiting] = {}
        self._lines: dict[str, dict[Needs, Line]] = {}
        """Lines by the first skill of their demand; `""` for the demand of nothing."""

    def put(self, call: str, new: Waiting | None) -> None:
        """Replace the record of `call`; `None` removes it."""
        old = self._calls.get(call)
        if old is not None and not old.offer:
            for needs in old.options:
                self._leave_line(needs, old.rank)
        if new is None:
            self._calls.pop(call, None)
            return
        self._calls[call] = new
        if not new.offer:
            for needs in new.options:
                self._lines.setdefault(_first_skill(needs), {}).setdefault(needs, Ranked()).add(new.rank)

    def _leave_line(self, needs: Needs, rank: CallRank) -> None:
        lines = self._lines[_first_skill(needs)]
        lines[needs].discard(rank)
        if not len(lines[needs]):
            del lines[needs]

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
        for needs, line in self._lines_beginning_with(seat.skills):
            head = line.first()
            if head is None or (best is not None and head >= best) or not meets(seat.skills, needs):
                continue
            mine = self._first_not_refused(line, seat.seat)
            if mine is not None and (best is None or mine < best):
                best = mine
        return self._calls[best[2]] if best else None

    def _lines_beginning_with(self, skills: dict[str, int]) -> Iterator[tuple[Needs, Line]]:
        for skill in ("", *skills):
            lines = self._lines.get(skill)
            if lines:
                yield from lines.items()

    def _first_not_refused(self, line: Line, seat: str) -> CallRank | None:
        for rank in line:
            if seat not in self._calls[rank[2]].refused:
                return rank
        return None

    def lines_for(self, skills: dict[str, int]) -> Iterator[tuple[Needs, Line]]:
        """Lines whose demand somebody with `skills` meets."""
        for needs, line in self._lines_beginning_with(skills):
            if meets(skills, needs):
                yield needs, line

    def demands(self) -> Iterator[tuple[Needs, Line]]:
        """Every line with its demand."""
        for lines in self._lines.values():
            yield from lines.items()

    def ahead_of(self, call: str) -> int:
        """How many calls wait before this one in its own line; 0 when it rings or does not wait."""
        waiting = self._calls.get(call)
        if waiting is None or waiting.offer:
            return 0
        return self._lines[_first_skill(waiting.options[0])][waiting.options[0]].before(waiting.rank)


def _first_skill(needs: Needs) -> str:
    return needs[0].skill if needs else ""
