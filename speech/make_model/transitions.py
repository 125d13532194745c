"""HMMs from left to right with one or two emitting states, numbered as Kaldi's `TransitionModel` numbers them."""

from collections.abc import Sequence

SELF_LOOP = 0.5
"""Chance of staying in a state for another frame."""


class Transitions:
    """Numbers of all transitions. `numbered_pdfs` is `(phone number, its pdfs)` in order, from number 1."""

    def __init__(self, numbered_pdfs: Sequence[tuple[int, Sequence[int]]]) -> None:
        self.numbered_pdfs = numbered_pdfs
        self.triples = sorted((phone, state, pdf) for phone, pdfs in numbered_pdfs for state, pdf in enumerate(pdfs))
        """`(phone number, state, pdf)`."""
        self._numbers = {
            (phone, state): (2 * place + 1, 2 * place + 2) for place, (phone, state, _) in enumerate(self.triples)
        }

    def of(self, phone: int, state: int) -> tuple[int, int]:
        """The numbers of the self-loop and of the way forward."""
        return self._numbers[(phone, state)]

    @property
    def count(self) -> int:
        return 2 * len(self.triples)
