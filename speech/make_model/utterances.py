"""Training speech: random sentences, voices and telephone lines, with the phone of every 10 ms frame."""

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.make_model import espeak, telephone
from speech.make_model.grammar import Sentence, grammar
from speech.make_model.lexicon import Lexicon
from speech.make_model.mfcc import Features, mfcc

_NAMES = (
    "m1 m2 m3 m5 m7 m8 f1 f2 f4 Alex Annie antonio belinda Michael linda Lee Denis Andrea john steph zac Mike Alicia"
    " Marco Jacky miguel Nguyen quincy Tweaky grandpa norbert shelby travis victor adam ed boris benjamin caleb"
    " kaukovalta klatt3 steph3 sandro robosoft3 RicishayMax iven2 Diogo edward Mario announcer klatt5 klatt6 robosoft6"
    " UniRobot Gene2 michel robert pedro paul marcelo gustave"
)
TRAINING_VARIANTS = ["", *_NAMES.split()]
"""espeak-ng's voice variants that the model hears; the first is the plain voice."""

_CONSONANTS = "b p m f d t n l g k h j q x zh ch sh r z c s y w"
_INITIALS = [*_CONSONANTS.split(), ""]
_RHYMES = "a o e i u v ai ei ui ao ou iu ie ve er an en in un ang eng ing ong ia iao ian iang iong ua uo uai uan uang"
_FINALS = _RHYMES.split()
_SENTENCES, _WORDS = 0.5, 0.85
"""Shares: up to the first, sentences of the grammar; up to the second, random words; the rest, random syllables."""
_FRAME_S, _FRAME_CENTRE_S = 0.01, 0.0125

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Utterance:
    """Features (frames, 24), and for every frame its phone and which half of the phone it is in."""

    features: Features
    phones: NDArray[np.str_]
    halves: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class _Order:
    seed: int
    index: int
    lexicon: Lexicon


def make_utterances(seed: int, count: int, lexicon: Lexicon, jobs: int) -> list[Utterance]:
    """Speak `count` utterances in `jobs` processes; the result does not depend on `jobs`."""
    orders = [_Order(seed, index, lexicon) for index in range(count)]
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        return pool.map(_make, orders, chunksize=20)


def spell(rng: Random, lexicon: Lexicon, words: Sequence[str]) -> str:
    """The words for espeak-ng: mostly pinyin, sometimes characters; commas at random."""
    characters = rng.random() < 0.35
    parts: list[str] = []
    for place, word in enumerate(words):
        text = word if characters else (" " if rng.random() < 0.7 else "").join(lexicon[word])
        if place and rng.random() < 0.1:
            text = ("," if characters else ", ") + text
        parts.append(text)
    return ("" if characters else " ").join(parts)


def _make(order: _Order) -> Utterance:
    rng = np.random.default_rng([order.seed, order.index])
    text = _random_text(rng, order.lexicon)
    spoken = _say(rng, text)
    lead, tail = rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.6)
    warp = rng.choice([1.0, rng.uniform(0.84, 1.2)])  # another vocal tract: as if recorded at another rate
    rate = round(espeak.sample_rate() * warp / 50) * 50
    line = telephone.telephone(rng, telephone.to_line_rate(spoken.pcm, rate), lead, tail)
    return _labelled(mfcc(line), spoken, lead, rate / espeak.sample_rate())


def _random_text(rng: Random, lexicon: Lexicon) -> str:
    kind = rng.random()
    if kind < _SENTENCES:
        return spell(rng, lexicon, grammar().sentence(rng))
    if kind < _WORDS:
        return spell(rng, lexicon, _random_words(rng, lexicon))
    return _random_syllables(rng)


def _random_words(rng: Random, lexicon: Lexicon) -> Sentence:
    vocabulary = list(lexicon)
    return [vocabulary[place] for place in rng.integers(len(vocabulary), size=rng.integers(2, 8))]


def _random_syllables(rng: Random) -> str:
    """Any Mandarin syllables at all, so that new words need no new training."""
    return " ".join(
        _INITIALS[rng.integers(len(_INITIALS))] + _FINALS[rng.integers(len(_FINALS))] + str(rng.integers(1, 5))
        for _ in range(rng.integers(4, 11))
    )


def _say(rng: Random, text: str) -> espeak.Spoken:
    variant = TRAINING_VARIANTS[rng.integers(len(TRAINING_VARIANTS))]
    manner = espeak.Manner(
        rate=int(rng.integers(120, 221)),
        pitch=int(rng.integers(10, 96)),
        pitch_range=int(rng.integers(15, 91)),
        gap=int(rng.choice([0, 0, 0, 1, 3])),
    )
    try:
        return espeak.speak(text, f"{espeak.PLAIN_VOICE}+{variant}" if variant else espeak.PLAIN_VOICE, manner)
    except espeak.SpeechFailed:  # 1.51 crashes on a few pairs of text and voice
        return espeak.speak(text, espeak.PLAIN_VOICE, manner)


def _labelled(features: Features, spoken: espeak.Spoken, lead_s: float, stretch: float) -> Utterance:
    phones: NDArray[Any] = np.zeros(len(features), "U5")
    phones[:] = espeak.SILENCE
    halves = np.zeros(len(features), np.int8)
    centres = (np.arange(len(features)) * _FRAME_S + _FRAME_CENTRE_S - lead_s) * stretch
    for span in espeak.phone_spans(spoken):
        if span.phone != espeak.SILENCE:
            inside = (centres >= span.start) & (centres < span.end)
            phones[inside] = span.phone
            halves[inside & (centres >= (span.start + span.end) / 2)] = 1
    return Utterance(features, phones, halves)
