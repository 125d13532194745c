"""Finds what must not be shown: ID cards, mobile and landline numbers, bank cards, spoken or written. Pure.

Patterns after normalisation of spoken digits; a checksum decides where there is one. It finds too much rather than
too little: a landline is any number with an area code.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from itertools import accumulate

import msgspec

from transcription.model import Segment, Word
from transcription.normalise import DigitRules, Normalised, digits

MARGIN_MS = 100
"""Word times are right within 20 ms for 95 of 100 words; the rest is for the ear."""


class Secret(StrEnum):
    """What kind of personal data a stretch is."""

    ID_CARD = "id_card"  # 公民身份号码
    MOBILE = "mobile"  # 手机号码
    LANDLINE = "landline"  # 固定电话
    BANK_CARD = "bank_card"  # 银行卡号
    UNFINISHED = "unfinished"  # 还没说完的号码


class Span(msgspec.Struct, frozen=True):
    """A stretch of a text, end exclusive."""

    kind: Secret
    start: int
    end: int


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the recording to be muted, margins included."""

    kind: Secret
    channel: int
    start_ms: int
    end_ms: int


def valid_id_card(number: str) -> bool:
    """Whether a number of 18 characters has a date of birth and the check character of GB 11643 (ISO 7064 MOD 11-2)."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17].upper()


def valid_bank_card(number: str) -> bool:
    """The Luhn check of ISO/IEC 7812-1."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _always(_: str) -> bool:
    return True


_NOT_IN_NUMBER, _NUMBER_ENDS = r"(?<![0-9])", r"(?![0-9])"
_KINDS: tuple[tuple[Secret, re.Pattern[str], Callable[[str], bool]], ...] = (
    (Secret.ID_CARD, re.compile(rf"{_NOT_IN_NUMBER}[1-9][0-9]{{16}}[0-9Xx]{_NUMBER_ENDS}"), valid_id_card),
    (Secret.BANK_CARD, re.compile(rf"{_NOT_IN_NUMBER}[3-9][0-9]{{14,18}}{_NUMBER_ENDS}"), valid_bank_card),
    (Secret.MOBILE, re.compile(rf"(?:{_NOT_IN_NUMBER}|(?<=86))1[3-9][0-9]{{9}}{_NUMBER_ENDS}"), _always),
    (Secret.LANDLINE, re.compile(rf"{_NOT_IN_NUMBER}0[1-9][0-9]{{1,2}}[- ]?[2-9][0-9]{{6,7}}{_NUMBER_ENDS}"), _always),
)
"""In order of certainty: a stretch that one kind took is not looked at again."""
_AT_END = re.compile(r"[0-9][0-9 -]{1,}[0-9Xx]$")
"""Three digits and more, which is as few as are written in figures (`DigitRules.shortest`)."""


def find(text: str, rules: DigitRules) -> tuple[Span, ...]:
    """Every secret in `text`, in order, as stretches of `text` itself."""
    normalised = digits(text, rules)
    spans = [Span(kind, *normalised.in_source(start, end)) for kind, start, end in _found(normalised)]
    return tuple(sorted(spans, key=lambda span: span.start))


def _found(normalised: Normalised) -> Iterator[tuple[Secret, int, int]]:
    free = normalised.text
    for kind, pattern, valid in _KINDS:
        for match in pattern.finditer(free):
            if valid(match.group()):
                yield kind, match.start(), match.end()
                free = free[: match.start()] + "\0" * len(match.group()) + free[match.end() :]


def masked(text: str, rules: DigitRules, mark: str = "*") -> str:
    """`text` with every secret replaced, each character by one `mark`."""
    for span in find(text, rules):
        text = text[: span.start] + mark * (span.end - span.start) + text[span.end :]
    return text


def _unfinished(text: str, rules: DigitRules) -> tuple[Span, ...]:
    """The digits that `text` ends with, when they are so many that a secret may have begun."""
    normalised = digits(text, rules)
    match = _AT_END.search(normalised.text)
    if match is None:
        return ()
    return (Span(Secret.UNFINISHED, *normalised.in_source(match.start(), match.end())),)


class _Heard(msgspec.Struct, frozen=True):
    """A word and where it stands among the segments."""

    segment: int
    place: int
    word: Word


class _Secret(msgspec.Struct, frozen=True):
    kind: Secret
    channel: int
    words: tuple[_Heard, ...]


def stretches(segments: Sequence[Segment], rules: DigitRules) -> tuple[Stretch, ...]:
    """What to mute, in order of time."""
    found = [
        Stretch(
            kind=secret.kind,
            channel=secret.channel,
            start_ms=max(secret.words[0].word.start_ms - MARGIN_MS, 0),
            end_ms=secret.words[-1].word.end_ms + MARGIN_MS,
        )
        for secret in _secrets(segments, rules)
    ]
    return tuple(sorted(found, key=lambda stretch: stretch.start_ms))


def masked_segments(
    segments: Sequence[Segment], rules: DigitRules, mark: str = "*", *, open_end: bool = False
) -> tuple[Segment, ...]:
    """The same dialogue with every word of a secret replaced by `mark`, in the text and in the words.

    `open_end`: more will be said, so digits at the very end of a voice may be the beginning of a secret: hidden.
    """
    hidden: dict[int, set[int]] = {}
    for secret in _secrets(segments, rules, open_end=open_end):
        for heard in secret.words:
            hidden.setdefault(heard.segment, set()).add(heard.place)
    return tuple(_without(segment, hidden.get(number, set()), mark) for number, segment in enumerate(segments))


def _without(segment: Segment, places: set[int], mark: str) -> Segment:
    """The words stand in the text in their order, only with other signs between them."""
    if not places:
        return segment
    text, words, at = segment.text, list(segment.words), 0
    for place, word in enumerate(segment.words):
        found = text.find(word.word, at)
        if found < 0:  # an unknown word, shown as a mark
            continue
        at = found + len(word.word)
        if place in places:
            blank = mark * len(word.word)
            text = text[:found] + blank + text[at:]
            words[place] = msgspec.structs.replace(word, word=blank)
    return msgspec.structs.replace(segment, text=text, words=tuple(words))


def _secrets(segments: Sequence[Segment], rules: DigitRules, *, open_end: bool = False) -> Iterator[_Secret]:
    """The segments of each channel are read together: people pause, and are interrupted, within a number."""
    for channel in sorted({segment.channel for segment in segments}):
        heard = [
            _Heard(number, place, word)
            for number, segment in enumerate(segments)
            if segment.channel == channel
            for place, word in enumerate(segment.words)
        ]
        ends = list(accumulate(len(one.word.word) for one in heard))
        said = "".join(one.word.word for one in heard)
        for span in (*find(said, rules), *(_unfinished(said, rules) if open_end else ())):
            first, last = bisect_right(ends, span.start), bisect_left(ends, span.end)
            yield _Secret(span.kind, channel, tuple(heard[first : last + 1]))
