"""Sentences of a hotline call, drawn from the templates of `grammar.yaml`."""

import functools
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from ruamel.yaml import YAML

GRAMMAR_FILE = Path(__file__).with_name("grammar.yaml")
LM_SENTENCES = 40_000
"""How many drawn sentences the language model counts."""
_LM_STREAM = 4242

Sentence = list[str]


class Grammar(msgspec.Struct, frozen=True):
    """Slots with their alternatives, and templates with their weights."""

    slots: dict[str, list[str]]
    templates: list[tuple[int, str]]

    def sentence(self, rng: np.random.Generator) -> Sentence:
        """One random sentence as a list of words, never empty."""
        while True:
            words = self._expand(rng, self._template(rng))
            if words:
                return words

    def vocabulary(self) -> set[str]:
        """Every word that a slot may produce."""
        tokens = (token for alternatives in self.slots.values() for text in alternatives for token in text.split())
        return {token for token in tokens if not token.startswith("<")}

    def _template(self, rng: np.random.Generator) -> str:
        draw = int(rng.integers(sum(weight for weight, _ in self.templates)))
        for weight, template in self.templates:
            if draw < weight:
                return template
            draw -= weight
        raise AssertionError("the draw is below the sum of the weights")

    def _expand(self, rng: np.random.Generator, text: str) -> Sentence:
        words: Sentence = []
        for token in text.split():
            if token.startswith("<"):
                alternatives = self.slots[token[1:-1]]
                words += self._expand(rng, alternatives[rng.integers(len(alternatives))])
            else:
                words.append(token)
        return words


@functools.cache
def grammar() -> Grammar:
    """The grammar of `grammar.yaml`."""
    return msgspec.convert(cast("object", YAML(typ="safe").load(GRAMMAR_FILE)), Grammar)


def language_model_sentences(seed: int) -> list[Sentence]:
    """What the bigram counts; a sentence that is not among these is held out."""
    rng = np.random.default_rng([seed, _LM_STREAM])
    return [grammar().sentence(rng) for _ in range(LM_SENTENCES)]
