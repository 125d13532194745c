"""A track that grows: raw samples, 8 kHz, 16 bit, mono, as the telephone system writes them, block by block.

Asterisk's writer keeps 32 KiB back (2.05 s of sound) before they come to the file; there is no setting for that.
"""

import os
import stat
from collections.abc import Iterable

import numpy as np

from transcription.sound import Pcm

RATE = 8000
SAMPLE_BYTES = 2
_PER_MS = RATE * SAMPLE_BYTES // 1000


class Tail:
    """An open track. Blocking; belongs to one thread at a time."""

    def __init__(self, descriptor: int, from_ms: int = 0) -> None:
        self._descriptor = descriptor
        self._at = from_ms * _PER_MS

    @classmethod
    def open(cls, path: str, from_ms: int = 0) -> "Tail | None":
        """The track, or nothing while it is not there. A link or a pipe never is."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        return cls(descriptor, from_ms)

    def close(self) -> None:
        """The track is of no use afterwards."""
        os.close(self._descriptor)

    @property
    def at_ms(self) -> int:
        """How far it was read."""
        return self._at // _PER_MS

    @property
    def length_ms(self) -> int:
        """How much there is."""
        return os.fstat(self._descriptor).st_size // _PER_MS

    @property
    def behind_ms(self) -> int:
        """How much there is to be read."""
        return max(self.length_ms - self.at_ms, 0)

    def skip(self, to_ms: int) -> None:
        """Go on from there."""
        self._at = to_ms * _PER_MS

    def read(self, most_ms: int) -> Pcm:
        """The next samples; empty when there are none."""
        raw = os.pread(self._descriptor, most_ms * _PER_MS, self._at)
        whole = len(raw) // SAMPLE_BYTES * SAMPLE_BYTES
        self._at += whole
        return np.frombuffer(raw[:whole], "<i2").astype(np.int16)


def silenced(pcm: Pcm, at_ms: int, hushed: Iterable[tuple[int, int | None]]) -> Pcm:
    """`pcm`, which begins at `at_ms`, without what lies in one of the stretches (from, to), in milliseconds."""
    for from_ms, to_ms in hushed:
        first = max((from_ms - at_ms) * RATE // 1000, 0)
        last = len(pcm) if to_ms is None else (to_ms - at_ms) * RATE // 1000
        if first < last:
            pcm[first:last] = 0
    return pcm
