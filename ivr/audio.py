"""Sound of prompts: cut silence, bring to 8 kHz, read and write WAV. Mono 16-bit samples throughout.

It knows no prompt and no voice.
"""

import wave
from pathlib import Path

import numpy as np
import soxr

from hotline.errors import BadInput
from ivr.ports import Samples

RATE = 8000
"""Hz: what a telephone carries."""

LONGEST_S = 120.0
_QUIET = 250
"""Below this (of 32768) at a prompt's ends there is nothing to hear."""
_MARGIN_S = 0.04
_PEAK = 20_000
"""Loudest sample of a rendered prompt, -4 dB of full scale."""


def to_prompt(samples: Samples, rate: int) -> Samples:
    """A rendered voice as a prompt: 8 kHz, even loudness, 40 ms of silence at both ends.

    Raises:
        BadInput: there is nothing to hear.
    """
    heard = np.flatnonzero(np.abs(samples.astype(np.int32)) > _QUIET)
    if heard.size == 0:
        raise BadInput("There is nothing to hear in it.")
    cut = samples[heard[0] : heard[-1] + 1].astype(np.float64)
    resampled = resample(cut, rate)
    scaled = resampled * (_PEAK / max(1.0, float(np.abs(resampled).max())))
    margin = np.zeros(int(_MARGIN_S * RATE), dtype=np.int16)
    return np.concatenate([margin, scaled.astype(np.int16), margin])


def resample(samples: np.ndarray[tuple[int, ...], np.dtype[np.float64]], rate: int) -> Samples:
    """Samples of any rate at 8 kHz."""
    found = samples if rate == RATE else np.asarray(soxr.resample(samples, rate, RATE), dtype=np.float64)
    return np.clip(np.round(found), -32768, 32767).astype(np.int16)


def write_wav(path: Path, samples: Samples) -> None:
    """A WAV of 8 kHz, mono, 16 bit; other readers see the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with wave.open(str(partial), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    partial.replace(path)


def seconds(samples: Samples) -> float:
    return len(samples) / RATE


def read_wav(path: Path) -> tuple[Samples, int, bool]:
    """Samples (several channels are averaged), their rate, and whether the file is 8 kHz mono 16-bit already.

    Raises:
        BadInput: not a PCM WAV, empty, or longer than two minutes.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, frames = (
                file.getnchannels(),
                file.getsampwidth(),
                file.getframerate(),
                file.getnframes(),
            )
            if not 0 < frames <= LONGEST_S * rate:
                raise BadInput(f"{path} is empty or longer than {LONGEST_S:.0f} seconds.")
            raw = file.readframes(frames)
    except (wave.Error, EOFError, OSError) as error:
        raise BadInput(f"{path} is not a WAV file with PCM samples: save it as 16-bit PCM.") from error
    samples = _samples(raw, width, channels)
    if samples.size == 0:
        raise BadInput(f"{path} is cut off: it has no samples.")
    return samples, rate, (channels, width, rate) == (1, 2, RATE)


def _samples(raw: bytes, width: int, channels: int) -> Samples:
    raw = raw[: len(raw) - len(raw) % (width * channels)]
    match width:
        case 1:
            wide = (np.frombuffer(raw, np.uint8).astype(np.int32) - 128) << 8
        case 2:
            wide = np.frombuffer(raw, "<i2").astype(np.int32)
        case 3:
            packed = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.int32)
            wide = (packed[:, 2].astype(np.int8).astype(np.int32) << 8) | packed[:, 1]
        case _:
            wide = np.frombuffer(raw, "<i4") >> 16
    mixed: Samples = wide.reshape(-1, channels).mean(axis=1).round().astype(np.int16)
    return mixed
