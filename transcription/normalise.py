"""Spoken digits become written ones: 幺三九 is 139. Only strings of digits; amounts, dates and idioms are left alone.

Pure. Each character of the result tells which characters of the source it stands for, so that what is found in the
result (an ID card, a phone number) can be found in the source, and through word times in the sound.
"""

import re
from functools import cache
from pathlib import Path

import msgspec


class DigitRules(msgspec.Struct, frozen=True, kw_only=True):
    """How digits are spoken, as data (`spoken_digits.json`)."""

    digits: dict[str, str]
    check_letters: dict[str, str]
    """Spoken names of the letter that may end an ID card number."""
    fillers: str
    """Characters that may stand within a string of digits and mean nothing."""
    amount_words: str
    """Units: digits beside one of them are an amount."""
    shortest: int
    """A shorter string is no number but words like 一三."""

    def pattern(self) -> re.Pattern[str]:
        digit = "[0-9" + re.escape("".join(self.digits)) + "]"
        filler = "[" + re.escape(self.fillers) + "]?"
        letter = "|".join(map(re.escape, self.check_letters))
        return re.compile(f"{digit}(?:{filler}{digit}){{{self.shortest - 1},}}(?:{filler}(?:{letter}|[Xx]))?")


class Normalised(msgspec.Struct, frozen=True):
    """`text` with digits written; character `i` of it stands for `source[origin[i] : origin[i + 1]]`."""

    text: str
    origin: tuple[int, ...]
    """One longer than `text`; the last is the length of the source."""

    def in_source(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the source behind the characters from `start` up to `end`."""
        return self.origin[start], self.origin[end]


@cache
def default_rules() -> DigitRules:
    """The rules that ship with the product."""
    file = Path(__file__).with_name("spoken_digits.json")
    return msgspec.json.decode(file.read_bytes(), type=DigitRules)


def digits(source: str, rules: DigitRules) -> Normalised:
    """Write every string of at least `rules.shortest` spoken digits in figures, without fillers inside.

    A string beside one of the `amount_words` (十, 百, 千 …) belongs to an amount and stays in words.
    """
    text, origin, at = "", list[int](), 0
    for match in rules.pattern().finditer(source):
        if _is_amount(source, match, rules):
            continue
        text += source[at : match.start()]
        origin += range(at, match.start())
        for place, figure in _figures(match, rules):
            text += figure
            origin.append(place)
        at = match.end()
    return Normalised(text + source[at:], (*origin, *range(at, len(source) + 1)))


def _is_amount(source: str, match: re.Match[str], rules: DigitRules) -> bool:
    around = source[max(match.start() - 1, 0) : match.start()] + source[match.end() : match.end() + 1]
    return any(letter in rules.amount_words for letter in around)


def _figures(match: re.Match[str], rules: DigitRules) -> list[tuple[int, str]]:
    """Each written figure with the place in the source where it begins."""
    found: list[tuple[int, str]] = []
    tokens = re.compile("|".join([*map(re.escape, rules.check_letters), "."]))
    for token in tokens.finditer(match.group()):
        word = token.group()
        if word not in rules.fillers:
            figure = rules.check_letters.get(word) or rules.digits.get(word) or word.upper()
            found.append((match.start() + token.start(), figure))
    return found
