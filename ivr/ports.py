"""What the IVR room needs from outside: where the catalogue is kept, and a voice that speaks prompts."""

from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ivr.model import Catalogue, LedgerLine

Samples = NDArray[np.int16]


class NumberStore(Protocol):
    """Keeps one catalogue and the ledger of its changes. Every method may raise `Unavailable`."""

    async def revision(self) -> int:
        """Rises by one with every change; 0: nothing was ever stored."""
        ...

    async def load(self, home: str) -> tuple[int, Catalogue]:
        """The stored catalogue and its revision."""
        ...

    async def save(self, catalogue: Catalogue, *, expected: int, who: str, at: datetime) -> int:
        """Store what differs, with a ledger line for each difference, all or nothing. Returns how many differ.

        Raises:
            Conflict: the stored revision is not `expected`: load and decide again.
        """
        ...

    async def ledger(self, subject: str, *, after: int = 0, limit: int = 100) -> list[LedgerLine]:
        """Changes of a number (or `hours:NAME`, `day:DATE`), oldest first; of everything for an empty subject."""
        ...


class Voice(Protocol):
    """Turns a prompt into sound."""

    name: str
    """Engine and voice; a prompt is rendered again when it changes."""

    def speak(self, text: str, pinyin: str, rate: int) -> tuple[Samples, int]:
        """Samples (mono) and their rate in Hz. Blocks. `rate`: words a minute, where the engine knows that.

        Raises:
            Unavailable: the engine is missing, failed, or took too long.
        """
        ...
