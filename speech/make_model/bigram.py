"""A bigram language model: absolute discounting, interpolated with a flattened unigram (Ney, Essen & Kneser 1994)."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from speech.make_model.fst import Fst

_BEGIN, _END = "<s>", "</s>"
_UNIFORM = 0.25
"""Share of the unigram that is spread evenly over the vocabulary."""
_DISCOUNT = 0.5
_LEAST_BACK_OFF = 0.02
"""Unseen word pairs stay cheap: callers do not keep to templates."""


class Bigram:
    """Probabilities of words after words, for a closed vocabulary."""

    def __init__(self, sentences: Iterable[Sequence[str]], vocabulary: Sequence[str]) -> None:
        self._vocabulary = list(vocabulary)
        followers, counts = _count(sentences)
        self._unigram = self._flattened(counts)
        self._seen: dict[str, dict[str, float]] = {}
        self._back_off: dict[str, float] = {}
        for word in (_BEGIN, *self._vocabulary):
            self._discount(word, followers[word])

    def _flattened(self, counts: Counter[str]) -> dict[str, float]:
        total, events = sum(counts.values()), [*self._vocabulary, _END]
        return {word: (1 - _UNIFORM) * counts[word] / total + _UNIFORM / len(events) for word in events}

    def _discount(self, word: str, followers: Counter[str]) -> None:
        total = sum(followers.values())
        if total == 0:
            self._seen[word], self._back_off[word] = {}, 1.0
            return
        free = _DISCOUNT * len(followers) / total
        back_off = min(free + _LEAST_BACK_OFF, 0.9)
        keep = (1 - back_off) / (1 - free) if free < 1 else 0.0
        self._seen[word] = {
            follower: (count - _DISCOUNT) / total * keep + back_off * self._unigram[follower]
            for follower, count in sorted(followers.items())
        }
        self._back_off[word] = back_off

    def fst(self, number: Mapping[str, int], scale: float) -> Fst:
        """The model as an acceptor: one state for each history, one for the unigram that all back off to."""
        graph = Fst()
        states = {history: graph.state() for history in (_BEGIN, *self._vocabulary)}
        unigram = graph.state()
        graph.start = states[_BEGIN]
        for word in self._vocabulary:
            graph.arc(unigram, states[word], number[word], number[word], _cost(self._unigram[word], scale))
        graph.final[unigram] = _cost(self._unigram[_END], scale)
        for history, source in states.items():
            for word, chance in self._seen[history].items():
                if word == _END:
                    graph.final[source] = _cost(chance, scale)
                else:
                    graph.arc(source, states[word], number[word], number[word], _cost(chance, scale))
            graph.arc(source, unigram, cost=_cost(self._back_off[history], scale))
        graph.sort_by_input()
        return graph


def _cost(chance: float, scale: float) -> float:
    return -scale * math.log(chance)


def _count(sentences: Iterable[Sequence[str]]) -> tuple[defaultdict[str, Counter[str]], Counter[str]]:
    followers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    counts: Counter[str] = Counter()
    for sentence in sentences:
        previous = _BEGIN
        for word in (*sentence, _END):
            counts[word] += 1
            followers[previous][word] += 1
            previous = word
    return followers, counts
