"""From utterances of one voice to lines that may be shown at once. Pure: no audio, no engine, no clock.

A secret may be told in several breaths, so what was said last is looked at together, and a line that was shown may
become another one. Digits at the end are hidden until it is clear that no secret has begun with them.
"""

from collections.abc import Iterator

import msgspec

from transcription.live.model import Line
from transcription.model import Segment, Speaker, Utterance, Word
from transcription.normalise import DigitRules
from transcription.redaction import masked_segments
from transcription.segments import Punctuation, dialogue, written

TOGETHER = 12
"""Lines that are looked at together."""
LONGEST = 2000
"""Characters of a line; people take a breath before."""
_NOBODY = Speaker("")


class Scribe:
    """Writes down what one voice says."""

    def __init__(self, rules: Punctuation, digits: DigitRules, first: int = 0) -> None:
        """`first`: number of the first line."""
        self._rules, self._digits = rules, digits
        self._recent: list[Segment] = []
        self._shown: list[str] = []
        self._next = first
        """Number of the line after the recent ones."""

    def add(self, utterance: Utterance, base_ms: int) -> list[Line]:
        """What became new or different; the utterance's times count from `base_ms`."""
        self._recent.append(_moved(self._segment(utterance), base_ms))
        self._shown.append("")
        self._next += 1
        del self._recent[:-TOGETHER], self._shown[:-TOGETHER]
        return list(self._changed(open_end=True))

    def end(self) -> list[Line]:
        """Nothing more is said: what was hidden only because it had not ended."""
        return list(self._changed(open_end=False))

    def gap(self, from_ms: int, to_ms: int) -> Line:
        """Something was passed over. What is said after it is no part of what was said before."""
        self._recent, self._shown = [], []
        self._next += 1
        return Line(number=self._next - 1, start_ms=from_ms, end_ms=to_ms, text="")

    def saying(self, partial: str) -> str:
        """What is being said, words parted by blanks, as it may be shown now."""
        words = tuple(Word(word, 0, 0, 1.0) for word in partial.split())
        if not words:
            return ""
        now = self._segment(Utterance(words))
        *_, last = masked_segments([*self._recent, now], self._digits, open_end=True)
        text = written([[word.word for word in last.words]], ended=False, rules=self._rules)
        return text.removesuffix(self._rules.pause)[:LONGEST]

    def _segment(self, utterance: Utterance) -> Segment:
        (segment,) = dialogue([[utterance]], [_NOBODY], self._rules)
        return segment

    def _changed(self, *, open_end: bool) -> Iterator[Line]:
        masked = masked_segments(self._recent, self._digits, open_end=open_end)
        first = self._next - len(self._recent)
        for place, segment in enumerate(masked):
            text = segment.text[:LONGEST]
            if text != self._shown[place]:
                self._shown[place] = text
                yield _line(first + place, segment, text)


def _moved(segment: Segment, by_ms: int) -> Segment:
    return msgspec.structs.replace(segment, start_ms=segment.start_ms + by_ms, end_ms=segment.end_ms + by_ms)


def _line(number: int, segment: Segment, text: str) -> Line:
    return Line(
        number=number,
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        text=text,
        confidence=segment.confidence,
        uncertain=segment.uncertain,
    )
