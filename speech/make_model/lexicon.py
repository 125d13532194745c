"""The vocabulary: every word with its pinyin, and how espeak-ng pronounces it."""

import multiprocessing
from pathlib import Path

from speech.make_model import espeak

LEXICON_FILE = Path(__file__).with_name("lexicon.tsv")

Lexicon = dict[str, list[str]]
"""Word to its pinyin syllables, in the order of the file."""
Pronunciation = tuple[str, ...]
Pronunciations = dict[str, list[Pronunciation]]
"""Word to the phones that it may be spoken with."""


def read_lexicon(file: Path = LEXICON_FILE) -> Lexicon:
    """Lines of `word TAB syllables`; `#` begins a comment line."""
    lexicon: Lexicon = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            word, pinyin = line.split("\t")
            lexicon[word] = pinyin.split()
    return lexicon


def pronunciations(lexicon: Lexicon, jobs: int) -> Pronunciations:
    """What espeak-ng says for pinyin in parts, pinyin in one, and characters: they differ for polyphones."""
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        spoken = pool.map(_pronounce, lexicon.items(), chunksize=20)
    return dict(zip(lexicon, spoken, strict=True))


def _pronounce(entry: tuple[str, list[str]]) -> list[Pronunciation]:
    word, pinyin = entry
    return list(dict.fromkeys([_phones(" ".join(pinyin)), _phones("".join(pinyin)), _phones(word)]))


def _phones(text: str) -> Pronunciation:
    spoken = espeak.speak(text)
    return tuple(phoneme.name for phoneme in spoken.phonemes if not espeak.is_pause(phoneme.name))
