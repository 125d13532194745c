"""The loudest samples of each party, as a waveform is drawn from them."""

from typing import cast

import numpy as np
import pytest

from console import peaks
from recordings import wav
from recordings.playback import Sound

pytestmark = pytest.mark.unit


class Kept:
    """A sound in memory."""

    def __init__(self, samples: "np.ndarray[tuple[int, int], np.dtype[np.int16]]") -> None:
        frames, channels = samples.shape
        self._bytes = wav.header(channels, frames) + samples.astype("<i2").tobytes()
        self.view = wav.View(wav.Shape(channels, frames), tuple(range(channels)), ((0, frames),))
        self.size = self.view.size

    def read(self, offset: int, count: int) -> bytes:
        return self._bytes[offset : offset + count]


def loudest(samples: "np.ndarray[tuple[int, int], np.dtype[np.int16]]", step: int) -> list[list[float]]:
    found: list[list[float]] = peaks.loudest(cast("Sound", Kept(samples)), step).tolist()
    return found


def test_each_party_has_a_row_of_its_own_and_a_negative_sample_is_as_loud() -> None:
    samples = np.zeros((250, 2), np.int16)
    samples[10, 0], samples[120, 1], samples[249, 0] = 16384, -32768, 8192
    assert loudest(samples, 100) == [[0.5, 0.0, 0.25], [0.0, 1.0, 0.0]]


def test_a_long_sound_read_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32767, (10_000, 3)).astype(np.int16)
    whole = loudest(samples, 80)
    monkeypatch.setattr(peaks, "CHUNK", 1000)
    assert loudest(samples, 80) == whole
    assert [len(row) for row in whole] == [125, 125, 125]


def test_silence_of_no_length_has_no_rows() -> None:
    assert loudest(np.zeros((0, 2), np.int16), 80) == [[], []]
