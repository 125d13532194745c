"""What a call needs, written as an expression: `housing>=3 and (dialect.yue or english)`, for flows and people.

    expression = term {"or" term}        term = factor {"and" factor}
    factor     = "(" expression ")" | skill [">=" level]

The result is a choice of demands, of which a seat must meet one (`Join.needs` and `Join.also`), in the order in which
they were written: earlier ones are preferred. Knows no seats and no calls.
"""

import re
from collections.abc import Iterator
from itertools import product

from acd.records import Needs, canonical
from acd.values import Need
from hotline.errors import BadInput

MOST = 32
"""Demands that one expression may stand for."""
LONGEST = 149
"""Words and signs of one expression."""
LEVELS = range(1, 11)
_TOKEN = re.compile(r"\s*(?:>=|\(|\)|[\w.@-]+)")
_WORDS = ("and", "or")


def parse(text: str) -> tuple[Needs, ...]:
    """The demands that `text` stands for, each once; `((),)` for an empty text: anybody may take the call.

    Raises:
        BadInput: it is not an expression, a level is not 1 to 10, or it stands for more than `MOST` demands.
    """
    tokens = list(_tokens(text))
    if not tokens:
        return ((),)
    if len(tokens) > LONGEST:
        raise _wrong(f"has more than {LONGEST} words")
    reader = _Reader(tokens)
    found = reader.expression()
    reader.end()
    return tuple(dict.fromkeys(found))


def _tokens(text: str) -> Iterator[str]:
    at, text = 0, text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _wrong(f"cannot be read from {text[at:].strip()!r} on")
        yield token.group().strip()
        at = token.end()


def _wrong(why: str) -> BadInput:
    return BadInput(f"The expression {why}.")


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def expression(self) -> list[Needs]:
        found = self._term()
        while self._next("or"):
            found = _few([*found, *self._term()])
        return found

    def _term(self) -> list[Needs]:
        found = self._factor()
        while self._next("and"):
            both = product(found, self._factor())
            found = _few([canonical((*one, *other)) for one, other in both])
        return found

    def _factor(self) -> list[Needs]:
        if self._next("("):
            found = self.expression()
            self._expect(")")
            return found
        skill = self._take("a skill")
        if skill in (">=", ")", *_WORDS) or skill.isdecimal():
            raise _wrong(f"has {skill!r} where a skill belongs")
        return [(Need(skill, self._level() if self._next(">=") else LEVELS[0]),)]

    def _level(self) -> int:
        level = self._take("a level")
        if not level.isdecimal() or int(level) not in LEVELS:
            raise _wrong(f"has {level!r} where a level from {LEVELS[0]} to {LEVELS[-1]} belongs")
        return int(level)

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise _wrong(f"has {self._tokens[self._at]!r} where 'and', 'or' or the end belongs")

    def _next(self, wanted: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == wanted
        self._at += found
        return found

    def _expect(self, wanted: str) -> None:
        if not self._next(wanted):
            raise _wrong(f"lacks {wanted!r}")

    def _take(self, what: str) -> str:
        if self._at == len(self._tokens):
            raise _wrong(f"ends where {what} belongs")
        self._at += 1
        return self._tokens[self._at - 1]


def _few(found: list[Needs]) -> list[Needs]:
    if len(found) > MOST:
        raise _wrong(f"stands for more than {MOST} demands")
    return found
