"""From the utterances of each channel to one dialogue. Pure: no audio, no engine, no clock.

An utterance is cut at its pauses; the pieces of all channels are put in order of time; pieces of one utterance that
nobody came between are joined again. So "yes, yes" said into somebody's pause stands where it was said.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import msgspec

from transcription.model import UNKNOWN_SPEAKER, UNKNOWN_WORD, Segment, Speaker, Utterance, Word


class Punctuation(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of the written form, as data (`punctuation.json`)."""

    pause_ms: int
    """A gap between words that becomes a comma, and where another speaker may come between."""
    pause: str
    end: str
    question: str
    question_words: frozenset[str]
    unknown_mark: str
    uncertain_below: float
    """Confidence under which a segment is called uncertain."""


class _Piece(msgspec.Struct, frozen=True):
    """Words without a pause between them, and where they come from."""

    channel: int
    utterance: int
    words: tuple[Word, ...]
    last: bool
    """It ends its utterance."""

    def continues(self, other: "_Piece") -> bool:
        return (self.channel, self.utterance) == (other.channel, other.utterance)


@cache
def default_punctuation() -> Punctuation:
    """The rules that ship with the product."""
    file = Path(__file__).with_name("punctuation.json")
    return msgspec.json.decode(file.read_bytes(), type=Punctuation)


def dialogue(
    channels: Sequence[Sequence[Utterance]], speakers: Sequence[Speaker], rules: Punctuation
) -> tuple[Segment, ...]:
    """One dialogue in order of time from the utterances of every channel."""
    pieces = [piece for channel, said in enumerate(channels) for piece in _pieces(channel, said, rules.pause_ms)]
    pieces.sort(key=lambda piece: (piece.words[0].start_ms, piece.channel))
    return tuple(_segment(turn, _speaker(speakers, turn[0].channel), rules) for turn in _turns(pieces))


def written(pieces: Sequence[Sequence[str]], ended: bool, rules: Punctuation) -> str:
    """Words as people write them: `pieces` are parted by pauses, `ended` says that the speaker was through."""
    text = rules.pause.join(_joined(words, rules.unknown_mark) for words in pieces)
    if not ended:
        return text + rules.pause
    asks = not rules.question_words.isdisjoint(word for words in pieces for word in words)
    return text + (rules.question if asks else rules.end)


def _pieces(channel: int, utterances: Sequence[Utterance], pause_ms: int) -> Iterator[_Piece]:
    for number, utterance in enumerate(utterances):
        words = utterance.words
        gaps = [place for place, (one, two) in enumerate(pairwise(words), 1) if two.start_ms - one.end_ms > pause_ms]
        bounds = [0, *gaps, len(words)]
        for start, end in pairwise(bounds):
            yield _Piece(channel, number, words[start:end], end == len(words))


def _turns(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    turns: list[list[_Piece]] = []
    for piece in pieces:
        if turns and piece.continues(turns[-1][-1]):
            turns[-1].append(piece)
        else:
            turns.append([piece])
    return turns


def _segment(turn: Sequence[_Piece], speaker: Speaker, rules: Punctuation) -> Segment:
    words = tuple(word for piece in turn for word in piece.words)
    confidence = fmean(word.confidence for word in words)
    return Segment(
        party=speaker.party,
        agent=speaker.agent,
        channel=turn[0].channel,
        start_ms=words[0].start_ms,
        end_ms=words[-1].end_ms,
        text=written([[word.word for word in piece.words] for piece in turn], turn[-1].last, rules),
        confidence=round(confidence, 3),
        words=words,
        uncertain=confidence < rules.uncertain_below or any(word.word == UNKNOWN_WORD for word in words),
    )


def _speaker(speakers: Sequence[Speaker], channel: int) -> Speaker:
    return speakers[channel] if channel < len(speakers) else UNKNOWN_SPEAKER


def _joined(words: Sequence[str], unknown_mark: str) -> str:
    """Without blanks, but for those between words in Latin letters."""
    text = ""
    for word in words:
        shown = unknown_mark if word == UNKNOWN_WORD else word
        text += f" {shown}" if text and _latin(text[-1]) and _latin(shown[0]) else shown
    return text


def _latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")
