"""A simulated telephone line: 8 kHz, band limit, colouring, noise, G.711."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal

from speech.make_model.mfcc import SAMPLE_RATE

Wave = NDArray[np.float64]
Random = np.random.Generator

_signal: Any = signal  # scipy's own annotations name types that do not exist
_FULL_SCALE = 32767
_TINY = 1e-9


def to_line_rate(pcm: ArrayLike, rate: int) -> Wave:
    """Resample from `rate` to 8 kHz."""
    up, down = (160, 441) if rate == 22050 else (SAMPLE_RATE, rate)
    resampled: Wave = _signal.resample_poly(np.asarray(pcm, np.float64), up, down)
    return resampled


def alaw(wave: Wave) -> Wave:
    """There and back through A-law (ITU-T G.711: 13-bit input), int16 scale on both sides."""
    samples: NDArray[np.int32] = np.clip(np.round(wave), -32768, 32767).astype(np.int32) >> 3
    negative = samples < 0
    magnitude = np.minimum(np.where(negative, -samples - 1, samples), 4095)
    exponent = np.where(magnitude >= 32, np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = np.where(exponent > 0, (magnitude >> np.maximum(exponent, 0)) & 15, (magnitude >> 1) & 15)
    decoded = np.where(exponent > 0, ((mantissa * 2 + 33) << np.maximum(exponent - 1, 0)), mantissa * 2 + 1) << 3
    return np.where(negative, -decoded, decoded).astype(np.float64)


def mulaw(wave: Wave) -> Wave:
    """There and back through mu-law in its continuous form (mu = 255), int16 scale on both sides."""
    scaled = np.clip(wave / 32768.0, -1, 1)
    quantised = np.round(np.sign(scaled) * np.log1p(255 * np.abs(scaled)) / np.log(256.0) * 127) / 127
    expanded: Wave = np.sign(quantised) * np.expm1(np.abs(quantised) * np.log(256.0)) / 255 * 32768.0
    return expanded


def noise(rng: Random, length: int) -> Wave:
    """White, pink, street rumble or mains hum, at an RMS of one."""
    kind = rng.integers(0, 4)
    wave: Any = rng.standard_normal(length)
    if kind == 1:
        wave = _signal.lfilter([0.05], [1, -0.95], wave)
    elif kind == 2:
        wave = _signal.lfilter([0.01], [1, -0.99], wave)
    elif kind == 3:
        time = np.arange(length) / SAMPLE_RATE
        wave = 0.2 * wave + np.sin(2 * np.pi * 50 * rng.integers(1, 7) * time + rng.uniform(0, 6))
    normalised: Wave = wave / (np.sqrt(np.mean(wave**2)) + _TINY)
    return normalised


def telephone(rng: Random, wave: Wave, lead_s: float, tail_s: float) -> Wave:
    """What arrives at the far end of a random line, with silence before and after.

    The draws from `rng` stand in a fixed order: another order gives another model.
    """
    line = np.concatenate([np.zeros(int(lead_s * SAMPLE_RATE)), wave, np.zeros(int(tail_s * SAMPLE_RATE))])
    line = _band_limited(rng, line)
    line = _coloured(rng, line)
    peak = np.max(np.abs(line)) + _TINY
    line = line * (_FULL_SCALE * 10 ** (rng.uniform(-26, -0.5) / 20) / peak)
    return _coded(rng, _noised(rng, line))


def band_pass(line: Wave, order: int, low_hz: float, high_hz: float) -> Wave:
    """A Butterworth band pass at 8 kHz."""
    nyquist = SAMPLE_RATE / 2
    numerator, denominator = _signal.butter(order, [low_hz / nyquist, high_hz / nyquist], "band")
    filtered: Wave = _signal.lfilter(numerator, denominator, line)
    return filtered


def _band_limited(rng: Random, line: Wave) -> Wave:
    if rng.random() >= 0.6:
        return line
    order = int(rng.integers(1, 4))
    return band_pass(line, order, rng.uniform(80, 320), rng.uniform(3200, 3900))


def _coloured(rng: Random, line: Wave) -> Wave:
    """Handset and room."""
    if rng.random() >= 0.5:
        return line
    gains = 10 ** (np.clip(rng.normal(0, 6, 8), -15, 12) / 20)
    taps: Wave = _signal.firwin2(65, np.linspace(0, 1, 8), gains)
    return np.convolve(line, taps, "same")


def _noised(rng: Random, line: Wave) -> Wave:
    loudness = np.sqrt(np.mean(line**2)) + _TINY
    if rng.random() >= 0.85:
        return line
    noised: Wave = line + noise(rng, len(line)) * loudness * 10 ** (-rng.uniform(8, 40) / 20)
    return noised


def _coded(rng: Random, line: Wave) -> Wave:
    choice = rng.random()
    if choice < 0.7:
        return alaw(line)
    if choice < 0.85:
        return mulaw(line)
    clipped: Wave = np.round(np.clip(line, -32768, 32767)).astype(np.float64)
    return clipped
