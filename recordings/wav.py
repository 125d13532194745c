"""The shape of our WAV files, and views of them: one channel, some stretches, without making another file.

Knows bytes and frames; no files, no recordings.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from recordings.model import RATE, SAMPLE_BYTES

HEADER_BYTES = 44
MAX_DATA_BYTES = 0xFFFFFFFF - HEADER_BYTES
"""RIFF counts bytes in 32 bits."""
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def header(channels: int, frames: int) -> bytes:
    """The 44 bytes before the samples of a PCM file of 8 kHz, 16 bit.

    Raises:
        ValueError: more than RIFF can count (74 hours in two channels).
    """
    data = frames * channels * SAMPLE_BYTES
    if data > MAX_DATA_BYTES:
        raise ValueError(f"{frames} frames of {channels} channels are more than a WAV file can hold")
    frame = channels * SAMPLE_BYTES
    return _HEADER.pack(
        b"RIFF", 36 + data, b"WAVE", b"fmt ", 16, 1, channels, RATE, RATE * frame, frame, 16, b"data", data
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """What a header says."""

    channels: int
    frames: int


def parse(head: bytes) -> Shape:
    """The shape of a file that `header` began.

    Raises:
        ValueError: it is not one of ours.
    """
    if len(head) < HEADER_BYTES:
        raise ValueError("shorter than a header")
    riff, _, wave, _, _, coding, channels, rate, _, frame, bits, _, data = _HEADER.unpack(head[:HEADER_BYTES])
    if (riff, wave, coding, rate, bits) != (b"RIFF", b"WAVE", 1, RATE, 16) or frame != channels * SAMPLE_BYTES:
        raise ValueError("not a WAV file of 8 kHz and 16 bit")
    return Shape(channels, data // frame)


Read = Callable[[int, int], bytes]
"""`read(offset, count)`: bytes of the stored file."""


@dataclass(frozen=True, slots=True)
class View:
    """A WAV file that exists only while it is read: chosen channels and stretches of a stored one."""

    shape: Shape
    """Of the stored file."""
    channels: tuple[int, ...]
    """Which of its channels, in order."""
    stretches: tuple[tuple[int, int], ...]
    """Which of its frames, `(first, past the last)`, one after the other."""

    @property
    def frames(self) -> int:
        return sum(end - start for start, end in self.stretches)

    @property
    def size(self) -> int:
        """Bytes of the view, header included."""
        return HEADER_BYTES + self.frames * len(self.channels) * SAMPLE_BYTES

    def read(self, stored: Read, offset: int, count: int) -> bytes:
        """Bytes `offset` to `offset + count` of the view, made from the stored file."""
        end = min(offset + count, self.size)
        if offset >= end:
            return b""
        head = header(len(self.channels), self.frames)[offset:end]
        first, last = max(offset, HEADER_BYTES) - HEADER_BYTES, end - HEADER_BYTES
        if first >= last:
            return head
        frame = len(self.channels) * SAMPLE_BYTES
        whole = b"".join(self._frames(stored, first // frame, -(-last // frame)))
        skip = first % frame
        return head + whole[skip : skip + last - first]

    def _frames(self, stored: Read, first: int, last: int) -> Iterator[bytes]:
        """Frames `first` to `last` of the view."""
        wide = self.shape.channels * SAMPLE_BYTES
        passed = 0
        for start, end in self.stretches:
            low, high = max(first - passed, 0), min(last - passed, end - start)
            if low < high:
                raw = stored(HEADER_BYTES + (start + low) * wide, (high - low) * wide)
                yield np.frombuffer(raw, "<i2").reshape(-1, self.shape.channels)[:, list(self.channels)].tobytes()
            passed += end - start
