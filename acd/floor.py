"""The floor: which call rings at which seat, and when. Synchronous; no clock, no chance, no IO.

`decide` says what a command leads to and changes nothing; `apply` plays a fact. Only facts are stored: replaying
them gives an equal floor. What may be asked of it:

* No call waits beside an idle, reachable seat that can take it, but for the pause after that seat refused it.
* A seat has one live offer or call. A call that is offered or answered leaves the queue exactly once; of several
  seats that ring for one call, the first answer wins.
* A seat gets the first call that it can take: lowest effective arrival (`arrived_at` minus priority seconds). Calls
  to be called back stand in the same order.
* A call goes to the first of its options that somebody idle meets, and there to the seat whose turn it is
  (`Rules.choice_for` its queue). Of several seats that become free together, a call has its first choice of those
  for whom no call before it is.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from acd.commands import take
from acd.evolve import evolve
from acd.model import AnyCommand, AnyFloorFact
from acd.records import Offer, Seat, Waiting
from acd.state import State, Stored
from acd.turn import Turn
from acd.values import Rules


class Floor:
    """All seats and waiting calls of one site."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._state = State(*self._rules.choices_in_use)

    @property
    def rules(self) -> Rules:
        """Times, limits and whose turn it is, from the next decision on."""
        return self._rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        if rules.choices_in_use != self._rules.choices_in_use:
            self._state = State.of(self._state.stored(), *rules.choices_in_use)
        self._rules = rules

    def decide(self, command: AnyCommand, now: datetime, new_id: Callable[[str], str]) -> tuple[AnyFloorFact, ...]:
        """What `command` leads to at `now` (aware, UTC); `()` for a late or repeated one. `new_id("offer")` names
        an offer."""
        with self._state.trial():
            turn = Turn(self._state, self.rules, now, new_id)
            take(turn, command)
            turn.match()
            return tuple(turn.facts)

    def apply(self, fact: AnyFloorFact) -> None:
        """Let `fact` have happened."""
        evolve(self._state, fact)

    def next_due(self) -> datetime | None:
        """When the next `Tick` has something to do; `None`: never, as things stand."""
        first = self._state.agenda.first()
        return first[0] if first is not None else None

    def seat(self, seat: str) -> Seat | None:
        return self._state.seats.get(seat)

    def seat_at(self, phone: str) -> Seat | None:
        """The seat signed in at this phone."""
        return self._state.seats.on_phone(phone)

    def seats(self) -> Iterator[Seat]:
        return iter(self._state.seats)

    def talking_with(self, call: str) -> tuple[str, ...]:
        """The seats that talk with this call."""
        return self._state.seats.talking_with(call)

    def call(self, call: str) -> Waiting | None:
        """The call, while it waits or rings."""
        return self._state.waiting.get(call)

    def waiting(self) -> list[Waiting]:
        """Calls that wait or ring, in the order in which they are served."""
        return sorted(self._state.waiting, key=lambda waiting: waiting.rank)

    def ahead_of(self, call: str) -> int:
        """How many calls with the same demand wait before this one."""
        return self._state.waiting.ahead_of(call)

    def offer(self, offer: str) -> Offer | None:
        return self._state.offers.get(offer)

    def offers(self) -> Iterator[Offer]:
        return iter(self._state.offers.values())

    def dump(self) -> bytes:
        """Everything, for a checkpoint. Equal floors give equal bytes."""
        return msgspec.json.encode(self._state.stored(), order="sorted")

    @classmethod
    def load(cls, dumped: bytes, rules: Rules | None = None) -> "Floor":
        """The floor that was dumped.

        Raises:
            msgspec.ValidationError: these bytes are no dump of this version; replay the log instead.
        """
        floor = cls(rules)
        floor._state = State.of(msgspec.json.decode(dumped, type=Stored), *floor.rules.choices_in_use)
        return floor
