"""The inventory of phones: numbers, HMM states and the pdfs (outputs of the net) that they share.

Consonants have one HMM state, vowels two. A phone exists once for each position in the word (begin, internal, end,
singleton), as Vosk's word times need it; the four share their pdfs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from speech.make_model.espeak import SILENCE

_VOWEL_LIKE = frozenset(
    "@ @r A Au a ai e ei i i. iA iE i[ io iou o o- ong ou u u@ ua uai uei uo v y y& y@ yE yi yu".split()  # noqa: SIM905
)
_POSITIONS = {"B": "begin", "I": "internal", "E": "end", "S": "singleton"}
NO_POSITION = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Phones in order; `SIL` is not among them, but has number 1 and pdf 0."""

    phones: tuple[str, ...]

    @classmethod
    def of(cls, labels: Iterable[str]) -> "Inventory":
        """The inventory of whatever was heard in training."""
        return cls(tuple(sorted(set(labels) - {SILENCE})))

    def states(self, phone: str) -> int:
        """How many HMM states `phone` has."""
        return 2 if phone in _VOWEL_LIKE else 1

    def pdfs(self) -> dict[str, list[int]]:
        """The pdf of each state of each phone."""
        table, number = {SILENCE: [0]}, 1
        for phone in self.phones:
            table[phone] = list(range(number, number + self.states(phone)))
            number += self.states(phone)
        return table

    def pdf_of_half(self) -> dict[tuple[str, int], int]:
        """The pdf for the first (0) and second (1) half of each phone."""
        return {(phone, half): pdfs[min(half, len(pdfs) - 1)] for phone, pdfs in self.pdfs().items() for half in (0, 1)}

    @property
    def pdf_count(self) -> int:
        return 1 + sum(self.states(phone) for phone in self.phones)

    def numbers(self) -> dict[tuple[str, str], int]:
        """Kaldi's phone number for `(phone, position)`; silence has no position."""
        table = {(SILENCE, NO_POSITION): 1}
        for phone in self.phones:
            for position in _POSITIONS:
                table[(phone, position)] = len(table) + 1
        return table

    def numbered_pdfs(self) -> list[tuple[int, list[int]]]:
        """`(phone number, its pdfs)` in order of the numbers."""
        pdfs = self.pdfs()
        return [(number, pdfs[phone]) for (phone, _), number in self.numbers().items()]

    def word_boundaries(self) -> str:
        """The text of `graph/phones/word_boundary.int`."""
        kinds = {NO_POSITION: "nonword", **_POSITIONS}
        return "".join(f"{number} {kinds[position]}\n" for (_, position), number in self.numbers().items())


def with_positions(pronunciation: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each phone of a word with its position letter."""
    if len(pronunciation) == 1:
        return [(pronunciation[0], "S")]
    last = len(pronunciation) - 1
    letters = ["B" if place == 0 else "E" if place == last else "I" for place in range(len(pronunciation))]
    return list(zip(pronunciation, letters, strict=True))
