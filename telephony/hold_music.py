"""The music that a waiting caller hears: our own, rendered once, replaceable by any file in the same folder.

A slow sequence of four soft chords that never resolves loudly, 32 s, loops without a seam. Made for a telephone's
300-3400 Hz: no bass that it cannot carry, no bright partials that G.711 turns into noise.
"""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 8000
_BAR_S = 8
_CHORDS = (
    (261.63, 329.63, 392.00, 493.88),  # C E G B
    (220.00, 329.63, 392.00, 523.25),  # A E G C
    (349.23, 440.00, 523.25, 659.26),  # F A C E
    (293.66, 349.23, 392.00, 587.33),  # D F G D
)
_PEAK = 0.22
"""-13 dBFS: some 6 dB below a prompt, so that an announcement stands out."""


def render_hold_music(folder: Path) -> None:
    """Write `calm.wav` (16 bit) and `calm.alaw` (the trunk's codec: nothing to transcode) unless they are there."""
    if any(folder.glob("*.wav")) or any(folder.glob("*.alaw")):
        return
    samples = hold_music()
    with wave.open(str(folder / "calm.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    (folder / "calm.alaw").write_bytes(to_alaw(samples).tobytes())


def hold_music() -> npt.NDArray[np.int16]:
    """32 s of music at 8 kHz; the last bar fades into the first."""
    total = np.zeros(RATE * _BAR_S * len(_CHORDS))
    for bar, chord in enumerate(_CHORDS):
        for voice, pitch in enumerate(chord):
            note = _note(pitch, delay_s=0.35 * voice)
            start = bar * RATE * _BAR_S
            places = (start + np.arange(note.size)) % total.size
            total[places] += note
    return np.asarray(total / np.abs(total).max() * _PEAK * 32767, dtype=np.int16)


def _note(pitch: float, delay_s: float) -> npt.NDArray[np.float64]:
    """One voice: two slightly detuned strings with a soft attack that ring into the next bar."""
    t = np.arange(int(RATE * (_BAR_S + 3.0 - delay_s))) / RATE
    swell = np.minimum(t / 0.9, 1.0) ** 2 * np.exp(-t / 4.0) * np.minimum((t[-1] - t) / 1.0, 1.0)
    tone = sum(
        weight * np.sin(2 * np.pi * pitch * partial * detune * t)
        for partial, weight in ((1, 1.0), (2, 0.28), (3, 0.07))
        for detune in (0.9985, 1.0015)
    )
    return np.concatenate([np.zeros(int(RATE * delay_s)), swell * tone])


def to_alaw(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """G.711 A-law of 16-bit samples (ITU-T G.711 table 1a, even bits inverted)."""
    wide = samples.astype(np.int32) >> 3
    negative = wide < 0
    size = np.where(negative, -wide - 1, wide)
    exponent = np.maximum(np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 4, 0)
    mantissa = (size >> np.maximum(exponent, 1)) & 0x0F
    code = (exponent << 4) | mantissa
    return np.asarray(np.where(negative, code, code | 0x80) ^ 0x55, dtype=np.uint8)
