"""The table of seats with its indices: who is idle, who is signed in, by skill and level, by phone, by call."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from acd.ranked import Ranked
from acd.records import Needs, Seat, SeatTurn, meets
from acd.values import SeatChoice

_NO_TURN = datetime.min.replace(tzinfo=UTC)


class SkillIndex:
    """Seats in order of their turn, by each skill at its level.

    The first seat for one need is found by looking at the head of each level's list: O(log n). With several
    needs at once, the seats with the rarest of them are looked through in order until one has all.
    """

    def __init__(self) -> None:
        self._all: Ranked[SeatTurn] = Ranked()
        self._levels: dict[str, dict[int, Ranked[SeatTurn]]] = {}
        self._skills: dict[str, dict[str, int]] = {}

    def add(self, seat: str, turn: SeatTurn, skills: dict[str, int], *, anyone: bool = True) -> None:
        """`anyone`: it takes what anybody may take."""
        if anyone:
            self._all.add(turn)
        self._skills[seat] = skills
        for skill, level in skills.items():
            levels = self._levels.get(skill)
            if levels is None:
                levels = self._levels[skill] = {}
            ranked = levels.get(level)
            if ranked is None:
                ranked = levels[level] = Ranked()
            ranked.add(turn)

    def discard(self, seat: str, turn: SeatTurn) -> None:
        self._all.discard(turn)
        for skill, level in self._skills.pop(seat, {}).items():
            levels = self._levels[skill]
            levels[level].discard(turn)
            if not len(levels[level]):
                del levels[level]

    def first(self, needs: Needs, accept: Callable[[str], bool]) -> str | None:
        """The seat whose turn it is, among those that meet `needs` and that `accept` agrees to."""
        best: SeatTurn | None = None
        for ranked in self._with_rarest(needs):
            for turn in ranked:
                if best is not None and turn > best:
                    break
                if meets(self._skills[turn[2]], needs) and accept(turn[2]):
                    best = turn
                    break
        return best[2] if best else None

    def at_most(self, needs: Needs) -> int:
        """How many seats have the rarest of these skills at its level: no more than these meet them all."""
        return sum(map(len, self._with_rarest(needs)))

    def _with_rarest(self, needs: Needs) -> list[Ranked[SeatTurn]]:
        if not needs:
            return [self._all]
        choices = [
            [ranked for level, ranked in self._levels.get(need.skill, {}).items() if level >= need.level]
            for need in needs
        ]
        return min(choices, key=lambda lists: sum(map(len, lists)))

    def entries(self) -> set[tuple[str, int, SeatTurn]]:
        """Every entry as (skill, level, turn), for checks."""
        return {
            (skill, level, turn)
            for skill, levels in self._levels.items()
            for level, ranked in levels.items()
            for turn in ranked
        }


class Seats:
    """Every signed-in seat. `put` is the only change; the indices follow from the records."""

    def __init__(self, choice: SeatChoice = SeatChoice.LONGEST_IDLE, *others: SeatChoice) -> None:
        """`choice` is the house's; idle seats stand in as many orders as there are choices in use."""
        self._choice = choice
        self._seats: dict[str, Seat] = {}
        self._idle = {each: SkillIndex() for each in (choice, *others)}
        self._signed_in = SkillIndex()
        self._by_phone: dict[str, str] = {}
        self._by_call: dict[str, tuple[str, ...]] = {}

    def put(self, seat: str, new: Seat | None) -> None:
        """Replace the record of `seat`; `None` removes it."""
        old = self._seats.get(seat)
        self._index_turns(old, new)
        self._index_names(old, new)
        if new is None:
            self._seats.pop(seat, None)
        else:
            self._seats[seat] = new

    def _index_turns(self, old: Seat | None, new: Seat | None) -> None:
        was_idle, is_idle = old is not None and old.idle, new is not None and new.idle
        same_skills = old is not None and new is not None and _skills(old) == _skills(new)
        if same_skills and not was_idle and not is_idle:
            return
        abilities = new.abilities if new is not None else {}
        if not same_skills:
            self._index_signed_in(old, new, abilities)
        for choice, index in self._idle.items():
            before = old.turn_by(choice) if old is not None and was_idle else None
            after = new.turn_by(choice) if new is not None and is_idle else None
            if before == after and same_skills:
                continue
            if old is not None and before is not None:
                index.discard(old.seat, before)
            if new is not None and after is not None:
                index.add(new.seat, after, abilities, anyone=not new.guest)

    def _index_signed_in(self, old: Seat | None, new: Seat | None, abilities: dict[str, int]) -> None:
        if old is not None:
            self._signed_in.discard(old.seat, _signed_in_turn(old))
        if new is not None:
            self._signed_in.add(new.seat, _signed_in_turn(new), abilities, anyone=not new.guest)

    def _index_names(self, old: Seat | None, new: Seat | None) -> None:
        if old is not None and self._by_phone.get(old.phone) == old.seat:
            del self._by_phone[old.phone]
        if new is not None:
            self._by_phone[new.phone] = new.seat
        if old is not None and old.call:
            rest = tuple(seat for seat in self._by_call.pop(old.call, ()) if seat != old.seat)
            if rest:
                self._by_call[old.call] = rest
        if new is not None and new.call:
            self._by_call[new.call] = tuple(sorted({*self._by_call.get(new.call, ()), new.seat}))

    def get(self, seat: str) -> Seat | None:
        return self._seats.get(seat)

    def __getitem__(self, seat: str) -> Seat:
        return self._seats[seat]

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._seats.values())

    def __len__(self) -> int:
        return len(self._seats)

    def on_phone(self, phone: str) -> Seat | None:
        """The seat at this phone; a phone has at most one."""
        seat = self._by_phone.get(phone)
        return self._seats[seat] if seat is not None else None

    def talking_with(self, call: str) -> tuple[str, ...]:
        """Seats that talk with this call, in order of their names."""
        return self._by_call.get(call, ())

    def first_idle(
        self, options: tuple[Needs, ...], accept: Callable[[str], bool], choice: SeatChoice | None = None
    ) -> str | None:
        """Whose turn it is for a call with these options: the first option that somebody idle meets decides. `choice`
        is one of those in use; `None`: the house's."""
        index = self._idle[choice or self._choice]
        for needs in options:
            seat = index.first(needs, accept)
            if seat is not None:
                return seat
        return None

    def anyone_signed_in(self, needs: Needs) -> bool:
        """Whether some signed-in seat meets `needs`, whatever it does just now."""
        return self._signed_in.first(needs, _anyone) is not None

    def signed_in_at_most(self, needs: Needs) -> int:
        """How many signed-in seats could meet `needs`: the number of those with the rarest of the skills."""
        return self._signed_in.at_most(needs)

    def in_turn(self, names: Iterable[str]) -> list[Seat]:
        """Those of them that are idle, in the order of the house."""
        found = (self._seats.get(name) for name in names)
        return sorted((seat for seat in found if seat and seat.idle), key=self._turn)

    def _turn(self, seat: Seat) -> SeatTurn:
        return seat.turn_by(self._choice)

    def index_entries(self) -> tuple[set[tuple[str, int, SeatTurn]], ...]:
        """Entries of the idle indices, the house's first, and of the signed-in index, for checks."""
        return *(index.entries() for index in self._idle.values()), self._signed_in.entries()


def _signed_in_turn(seat: Seat) -> SeatTurn:
    return _NO_TURN, 0, seat.seat


def _skills(seat: Seat) -> tuple[dict[str, int], str, bool, tuple[str, ...]]:
    return seat.skills, seat.agent, seat.guest, seat.guest_of


def _anyone(_seat: str) -> bool:
    return True
