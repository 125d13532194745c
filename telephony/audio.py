"""Telephone audio: 8 kHz, 16-bit signed little-endian, mono PCM, in slots of 20 ms.

Knows G.711, WAV files of any rate, levels and single tones. Refuses to know where audio comes from or goes to.
"""

import math
import warnings
import wave
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from hotline.errors import BadInput

with warnings.catch_warnings():
    # Python 3.11 and 3.12 announce its removal; 3.13 gets the same module from `audioop-lts`.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

RATE: Final = 8000
"""Samples per second on the telephone network (G.711)."""
SLOT_SAMPLES: Final = 160
SLOT_BYTES: Final = 2 * SLOT_SAMPLES
SLOT_SECONDS: Final = 0.02
BYTES_PER_SECOND: Final = 2 * RATE
SILENCE: Final = bytes(SLOT_BYTES)
FULL_SCALE: Final = 32768

Samples = npt.NDArray[np.int16]
Curve = npt.NDArray[np.float64]


def to_alaw(pcm: bytes) -> bytes:
    """G.711 A-law, one byte for each 16-bit sample (13 significant bits)."""
    return audioop.lin2alaw(pcm, 2)


def from_alaw(payload: bytes) -> bytes:
    return audioop.alaw2lin(payload, 2)


def to_ulaw(pcm: bytes) -> bytes:
    """G.711 μ-law, one byte for each 16-bit sample (14 significant bits)."""
    return audioop.lin2ulaw(pcm, 2)


def from_ulaw(payload: bytes) -> bytes:
    return audioop.ulaw2lin(payload, 2)


def samples(pcm: bytes) -> Samples:
    """PCM bytes as an array; a half sample at the end is dropped."""
    return np.frombuffer(pcm[: len(pcm) & ~1], dtype="<i2")


def seconds(pcm: bytes) -> float:
    return len(pcm) / BYTES_PER_SECOND


def silence(duration: float) -> bytes:
    """`duration` seconds of digital silence."""
    return bytes(2 * round(duration * RATE))


def tone(frequency: float, duration: float, amplitude: float = 8000.0) -> bytes:
    """A sine of `frequency` Hz for `duration` seconds; `amplitude` in sample units (32767 is full scale)."""
    time = np.arange(round(duration * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype("<i2").tobytes()


def rms(pcm: bytes) -> float:
    """Root mean square in sample units, 0 for nothing."""
    return float(audioop.rms(pcm[: len(pcm) & ~1], 2))


def dbfs(level: float) -> float:
    """Level in dB below full scale; silence is -96 (one bit of sixteen is 6 dB)."""
    return max(-96.0, 20 * math.log10(level / FULL_SCALE)) if level > 0 else -96.0


def envelope(pcm: bytes) -> Curve:
    """RMS of each whole slot of 20 ms."""
    values = samples(pcm).astype(np.float64)
    slots = len(values) // SLOT_SAMPLES
    curve: Curve = np.sqrt(np.mean(values[: slots * SLOT_SAMPLES].reshape(slots, SLOT_SAMPLES) ** 2, axis=1))
    return curve


def tone_level(pcm: bytes, frequency: float) -> float:
    """Amplitude of one frequency in sample units: one bin of the discrete Fourier transform at exactly
    `frequency` (what Goertzel's recurrence computes)."""
    values = samples(pcm).astype(np.float64)
    if not len(values):
        return 0.0
    phase = np.exp(-2j * np.pi * frequency * np.arange(len(values)) / RATE)
    return float(2 * abs(np.dot(values, phase)) / len(values))


def read_wav(path: Path) -> bytes:
    """The file as telephone audio, whatever its rate, width (8 to 32 bits) and number of channels.

    Raises:
        BadInput: there is no such file, or it is no PCM WAV file.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            data = file.readframes(file.getnframes())
    except FileNotFoundError as error:
        raise BadInput(f"There is no sound file {path}: give the name of a WAV file.") from error
    except (OSError, EOFError, wave.Error) as error:
        raise BadInput(f"{path} cannot be read as a WAV file with PCM samples ({error}): convert it first.") from error
    if not rate or not channels:
        raise BadInput(f"{path} has no sampling rate or no channels: it is damaged.")
    return _resample(_mono(_sixteen_bits(data, width), channels), rate)


def write_wav(path: Path, pcm: bytes) -> None:
    """Write telephone audio to a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)


def _sixteen_bits(data: bytes, width: int) -> bytes:
    whole = data[: len(data) - len(data) % width]
    if width == 1:  # WAV's 8-bit samples are unsigned
        return audioop.lin2lin(audioop.bias(whole, 1, -128), 1, 2)
    return whole if width == 2 else audioop.lin2lin(whole, width, 2)


def _mono(pcm: bytes, channels: int) -> Samples:
    values = samples(pcm)
    whole = values[: len(values) - len(values) % channels].reshape(-1, channels)
    mixed: Samples = whole.mean(axis=1).astype("<i2")
    return mixed


def _resample(values: Samples, rate: int) -> bytes:
    if rate == RATE or not len(values):
        return values.tobytes()
    resampled: Curve = soxr.resample(values.astype(np.float64), rate, RATE)
    return np.clip(np.rint(resampled), -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()
