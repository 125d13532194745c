"""HCLr: from HMM transitions to words, a loop over all words with optional silence between them.

The word label sits on the first arc of each word, so the composition with the language model at run time (`Gr.fst`,
or the grammar given to a recogniser) never looks ahead in vain and needs no special look-ahead FST.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speech.make_model.espeak import SILENCE
from speech.make_model.fst import EPSILON, Fst
from speech.make_model.lexicon import Pronunciation
from speech.make_model.phones import NO_POSITION, Inventory, with_positions
from speech.make_model.transitions import SELF_LOOP, Transitions

UNKNOWN = "[unk]"
_SILENCE_CHANCE = 0.3
_STAY, _GO = -math.log(SELF_LOOP), -math.log(1 - SELF_LOOP)


@dataclass(frozen=True, slots=True)
class UnknownCost:
    """Cost of entering the word `[unk]`, and of each of its phones."""

    enter: float
    per_phone: float


class GraphBuilder:
    """Builds one HCLr."""

    def __init__(self, inventory: Inventory, transitions: Transitions) -> None:
        self._inventory, self._transitions = inventory, transitions
        self._phone_number = inventory.numbers()
        self._fst = Fst()
        self._start, self._loop, self._word_end = (self._fst.state() for _ in range(3))

    def build(
        self,
        pronunciations: Mapping[str, Sequence[Pronunciation]],
        word_number: Mapping[str, int],
        unknown: UnknownCost,
    ) -> Fst:
        """The transducer for these words and `[unk]`, sorted by output labels."""
        self._fst.start = self._start
        self._fst.final[self._loop] = 0.0
        self._optional_silence()
        for word in sorted(pronunciations):
            for pronunciation in pronunciations[word]:
                self._word(pronunciation, word_number[word], math.log(len(pronunciations[word])))
        self._unknown_word(word_number[UNKNOWN], unknown)
        self._fst.sort_by_output()
        return self._fst

    def _optional_silence(self) -> None:
        silence = self._states(SILENCE, NO_POSITION)
        for source in (self._start, self._word_end):
            self._fst.arc(source, self._loop, cost=-math.log(1 - _SILENCE_CHANCE))
            self._fst.arc(self._chain(source, silence, EPSILON, -math.log(_SILENCE_CHANCE)), self._loop)

    def _word(self, pronunciation: Pronunciation, number: int, cost: float) -> None:
        states = [state for phone, position in with_positions(pronunciation) for state in self._states(phone, position)]
        self._fst.arc(self._chain(self._loop, states, number, cost), self._word_end)

    def _unknown_word(self, number: int, cost: UnknownCost) -> None:
        """Any two or more phones."""
        hub = self._fst.state()
        for phone in sorted(self._inventory.phones):
            begin, internal, end = (self._states(phone, position) for position in "BIE")
            self._fst.arc(self._chain(self._loop, begin, number, cost.enter + cost.per_phone), hub)
            self._fst.arc(self._chain(hub, internal, EPSILON, cost.per_phone), hub)
            self._fst.arc(self._chain(hub, end, EPSILON, cost.per_phone), self._word_end)

    def _states(self, phone: str, position: str) -> list[tuple[int, int]]:
        number = self._phone_number[(phone, position)]
        count = 1 if phone == SILENCE else self._inventory.states(phone)
        return [(number, state) for state in range(count)]

    def _chain(self, source: int, states: Sequence[tuple[int, int]], olabel: int, cost: float) -> int:
        """HMM states in a row; the self-loop hangs on the arrival state (Kaldi's `reorder`). Returns the last."""
        for place, (phone, state) in enumerate(states):
            stay, go = self._transitions.of(phone, state)
            arrival = self._fst.state()
            first = place == 0
            self._fst.arc(source, arrival, go, olabel if first else EPSILON, _GO + (cost if first else 0.0))
            self._fst.arc(arrival, arrival, stay, EPSILON, _STAY)
            source = arrival
        return source
