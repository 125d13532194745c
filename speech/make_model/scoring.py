"""`python -m speech.make_model.scoring MODEL`: character errors of a model on held-out sentences and voices.

Uses the real Vosk library. Every sentence is spoken by a voice variant that training never heard, band-limited,
levelled, noised and sent through A-law at 8 kHz. Sentences of the grammar are held out from the language model.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jiwer
import msgspec
import numpy as np
import vosk
from ruamel.yaml import YAML

from speech.make_model import espeak, telephone
from speech.make_model.grammar import Sentence, grammar, language_model_sentences
from speech.make_model.lexicon import Lexicon, read_lexicon
from speech.make_model.mfcc import SAMPLE_RATE
from speech.make_model.recipe import Manifest

PLAIN_VARIANTS = ("f3", "f5", "m4", "m6", "Henrique", "pablo", "steph2")
"""Voice variants that were never trained on and sound like people."""
_SENTENCES_FILE = Path(__file__).with_name("sentences.yaml")
_CHUNK = 800
_SHORTEST = 3

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Score:
    """Result on one set; the rate is edits per character of the reference (Levenshtein)."""

    name: str
    sentences: int
    cer: float


def score(folder: Path, sentences: int, seed: int = 99) -> list[Score]:
    """Score a model on `sentences` sentences of the grammar and on the hand-written final set."""
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(folder))
    rng = np.random.default_rng([seed, 1])
    lexicon = read_lexicon()
    sets = {
        "grammar, 15 dB": (list(_held_out(rng, sentences, Manifest.read(folder).inputs.recipe.seed)), 15.0),
        "hand-written, 25 dB": (_hand_written(lexicon), 25.0),
    }
    return [Score(name, len(said), _cer(model, rng, said, decibels)) for name, (said, decibels) in sets.items()]


def _held_out(rng: Random, count: int, seed: int) -> Iterator[Sentence]:
    seen = {" ".join(sentence) for sentence in language_model_sentences(seed)}
    while count:
        sentence = grammar().sentence(rng)
        if len(sentence) >= _SHORTEST and " ".join(sentence) not in seen:
            count -= 1
            yield sentence


def _hand_written(lexicon: Lexicon) -> list[Sentence]:
    lists = cast("dict[str, list[str]]", YAML(typ="safe").load(_SENTENCES_FILE))
    return [[word for word in sentence.split() if word in lexicon] for sentence in lists["final"]]


def _cer(model: Any, rng: Random, sentences: Sequence[Sentence], decibels: float) -> float:
    references = ["".join(sentence) for sentence in sentences]
    heard = [_recognise(model, _spoken(rng, reference, decibels)) for reference in references]
    return float(jiwer.cer(references, heard))


def _spoken(rng: Random, text: str, decibels: float) -> bytes:
    """A-law speech with noise `decibels` below it, as int16 samples at 8 kHz."""
    variant = PLAIN_VARIANTS[rng.integers(len(PLAIN_VARIANTS))]
    manner = espeak.Manner(int(rng.integers(130, 206)), int(rng.integers(25, 76)), int(rng.integers(30, 71)))
    spoken = espeak.speak(text, f"{espeak.PLAIN_VOICE}+{variant}", manner)
    wave = telephone.to_line_rate(spoken.pcm, espeak.sample_rate())
    wave = np.concatenate([np.zeros(2400), wave, np.zeros(3200)])
    wave = telephone.band_pass(wave, 2, 250.0, 3500.0)
    wave *= 32767 * 10 ** (rng.uniform(-20, -2) / 20) / (np.abs(wave).max() + 1e-9)
    loudness = np.sqrt(np.mean(wave**2))
    wave = wave + telephone.noise(rng, len(wave)) * loudness * 10 ** (-decibels / 20)
    return telephone.alaw(wave).astype(np.int16).tobytes()


def _recognise(model: Any, pcm: bytes) -> str:
    recogniser = vosk.KaldiRecognizer(model, SAMPLE_RATE)
    texts = [
        json.loads(recogniser.Result())["text"]
        for start in range(0, len(pcm), 2 * _CHUNK)
        if recogniser.AcceptWaveform(pcm[start : start + 2 * _CHUNK])
    ]
    texts.append(json.loads(recogniser.FinalResult())["text"])
    return "".join(texts).replace(" ", "")


def main() -> None:
    """Print the scores as JSON."""
    parser = argparse.ArgumentParser(prog="python -m speech.make_model.scoring", description="Score a speech model.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--sentences", type=int, default=200, help="how many sentences of the grammar")
    options = parser.parse_args()
    sys.stdout.write(msgspec.json.encode(score(options.model, options.sentences)).decode() + "\n")


if __name__ == "__main__":
    main()
