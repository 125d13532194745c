"""Reads WAV files block by block: 16-bit PCM, A-law and mu-law, any rate, any number of channels.

A writer that was killed leaves wrong lengths in the header: what is on the disk counts.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from transcription.errors import SoundUnusable

Pcm = NDArray[np.int16]
"""Samples of one channel, or (frames, channels)."""

_PCM, _ALAW, _MULAW, _EXTENSIBLE = 1, 6, 7, 0xFFFE
_MOST_CHANNELS = 16
_RATES = range(4000, 192001)


@dataclass(frozen=True, slots=True)
class _Form:
    coding: int
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


class Sound:
    """An open WAV file; use it in a `with` block. Blocks of one second keep memory small for hours of sound."""

    def __init__(self, path: Path) -> None:
        """Open `path` and read its header.

        Raises:
            SoundUnusable: the file is missing, empty, no WAV file, or coded in a way that is not understood.
        """
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise SoundUnusable(f"The recording cannot be opened: {error.strerror}.") from error
        try:
            self._form, self._start, self._bytes = _read_header(self._file, path.stat().st_size)
        except SoundUnusable:
            self._file.close()
            raise

    @property
    def rate(self) -> int:
        """Frames per second."""
        return self._form.rate

    @property
    def channels(self) -> int:
        return self._form.channels

    @property
    def frames(self) -> int:
        return self._bytes // self._form.frame_bytes

    @property
    def duration_ms(self) -> int:
        return self.frames * 1000 // self.rate

    def blocks(self, seconds: float = 1.0) -> Iterator[Pcm]:
        """The whole sound in arrays (frames, channels) of at most `seconds`.

        Raises:
            SoundUnusable: the disk failed.
        """
        self._file.seek(self._start)
        left, size = self.frames, max(int(self.rate * seconds), 1)
        while left > 0:
            raw = self._read(min(size, left) * self._form.frame_bytes)
            whole = len(raw) // self._form.frame_bytes
            if whole == 0:
                return
            left -= whole
            yield _decoded(raw[: whole * self._form.frame_bytes], self._form)

    def _read(self, count: int) -> bytes:
        try:
            return self._file.read(count)
        except OSError as error:
            raise SoundUnusable(f"The recording cannot be read: {error.strerror}.") from error

    def __enter__(self) -> "Sound":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _read_header(file: BinaryIO, size: int) -> tuple[_Form, int, int]:
    """The form, where the samples begin, and how many bytes of them there are."""
    if size == 0:
        raise SoundUnusable("The recording is empty: the file has no bytes.")
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise SoundUnusable("The recording is not a WAV file.")
    form: _Form | None = None
    while len(chunk := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", chunk)
        if name == b"fmt ":
            form = _read_form(file.read(length + length % 2))
        elif name == b"data":
            if form is None:
                break
            start = file.tell()
            present = size - start
            declared = length if 0 < length <= present else present
            return form, start, declared
        else:
            file.seek(length + length % 2, 1)
    raise SoundUnusable("The recording has no sound in it: its WAV header is not complete.")


def _read_form(chunk: bytes) -> _Form:
    if len(chunk) < 16:
        raise SoundUnusable("The recording's WAV header is damaged.")
    coding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if coding == _EXTENSIBLE and len(chunk) >= 26:
        (coding,) = struct.unpack("<H", chunk[24:26])
    if (coding, bits) not in {(_PCM, 16), (_ALAW, 8), (_MULAW, 8)}:
        raise SoundUnusable(f"The recording is coded as WAV format {coding} with {bits} bits, which is not understood.")
    if not 1 <= channels <= _MOST_CHANNELS or rate not in _RATES:
        raise SoundUnusable(f"The recording's WAV header is damaged: {channels} channels at {rate} Hz.")
    return _Form(coding, channels, rate, bits)


def _decoded(raw: bytes, form: _Form) -> Pcm:
    if form.coding == _PCM:
        samples = np.frombuffer(raw, "<i2").astype(np.int16)
    else:
        table = alaw_table() if form.coding == _ALAW else mulaw_table()
        samples = table[np.frombuffer(raw, np.uint8)]
    return samples.reshape(-1, form.channels)


@cache
def alaw_table() -> Pcm:
    """The 256 values of A-law (ITU-T G.711), on the int16 scale."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = np.where(exponent > 0, (mantissa * 16 + 264) << np.maximum(exponent - 1, 0), mantissa * 16 + 8)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


@cache
def mulaw_table() -> Pcm:
    """The 256 values of mu-law (ITU-T G.711), on the int16 scale."""
    code = np.arange(256) ^ 0xFF
    magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
