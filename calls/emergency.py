"""One-key hand-over to 110, 119, 120 and 122: asked for twice, because nobody may be put through by a slip of the hand.

The first asking gives a word that holds for some seconds, for this call, seat and number only; the second brings it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from calls.legs import Callee, Party
from hotline.clock import Clock
from hotline.errors import Conflict

HOLDS = timedelta(seconds=30)
TRIES = 2
"""How often a line is dialled before a supervisor is called."""


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A word that has been given out."""

    word: str
    call: str
    seat: str
    number: str
    expires_at: datetime


class Confirmations:
    """Words that are out. In memory: after a restart one asks again."""

    def __init__(self, clock: Clock, new_word: Callable[[], str]) -> None:
        self._clock, self._new_word = clock, new_word
        self._out: dict[str, Confirmation] = {}

    def ask(self, call: str, seat: str, number: str) -> Confirmation:
        """The first asking."""
        now = self._clock.now()
        self._out = {word: one for word, one in self._out.items() if one.expires_at > now}
        given = Confirmation(
            word=self._new_word(), call=call, seat=seat, number=number, expires_at=now + HOLDS
        )  # fmt: skip
        self._out[given.word] = given
        return given

    def take(self, word: str, call: str, seat: str, number: str) -> None:
        """The second asking; a word counts once.

        Raises:
            Conflict: it is none, or one for something else, or too old.
        """
        given = self._out.pop(word, None)
        wanted = None if given is None else (given.call, given.seat, given.number)
        if given is None or wanted != (call, seat, number) or given.expires_at <= self._clock.now():
            raise Conflict("This confirmation does not count, or not any more: ask again, then confirm.")


def next_ones(number: str, supervisors: Iterable[tuple[str, str]]) -> tuple[Callee, ...]:
    """Who is called when the line does not answer: the line again, then a supervisor (seat and phone) who is free."""
    again = tuple(Callee(phone=number, party=Party.OUTSIDE) for _ in range(TRIES - 1))
    helper = next(iter(sorted(supervisors)), None)
    return again if helper is None else (*again, Callee(seat=helper[0], phone=helper[1], party=Party.SUPERVISOR))
