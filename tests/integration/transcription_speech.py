"""Mandarin speech for tests: espeak-ng with voices that the demonstration model never heard, through A-law at 8 kHz."""

import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np
import soxr
from numpy.typing import NDArray

from transcription.model import Segment
from transcription.sound import Sound, alaw_table

LINE_RATE = 8000
UNSEEN_VOICES = ("f3", "f5", "m4", "m6")

CITIZEN = ("你好我要投诉小区楼下半夜施工噪音扰民", "我的电话是幺三九零零幺二三四五六", "谢谢再见")
OPERATOR = ("您好请问需要什么", "好的请问是哪里", "我们已经登记了")

Wave = NDArray[np.int16]


def say(text: str, variant: str, folder: Path) -> Wave:
    """`text` at 8 kHz, not yet coded."""
    assert shutil.which("espeak-ng"), "espeak-ng is missing: apt-get install espeak-ng"
    file = folder / "said.wav"
    voice = f"cmn-latn-pinyin+{variant}"
    subprocess.run(["espeak-ng", "-v", voice, "-s", "160", "-w", str(file), text], check=True, timeout=30)
    with Sound(file) as sound:
        pcm = np.concatenate([block[:, 0] for block in sound.blocks()])
        loud = pcm * (23000 / max(int(np.abs(pcm).max()), 1))
        resampled: Wave = soxr.resample(loud.astype(np.float32), sound.rate, LINE_RATE).astype(np.int16)
    return resampled


def alaw(pcm: Wave) -> bytes:
    """The nearest code of G.711 for each sample."""
    table = alaw_table().astype(np.int32)
    order = np.argsort(table)
    middles = (table[order][1:] + table[order][:-1]) / 2
    codes: NDArray[np.uint8] = order[np.searchsorted(middles, pcm)].astype(np.uint8)
    return codes.tobytes()


def conversation(folder: Path, turns: Sequence[tuple[int, str, str]], gap_s: float = 0.7, channels: int = 2) -> Wave:
    """`turns` are `(channel, voice variant, text)`, one after another; the result is (frames, channels)."""
    silence = np.zeros((int(gap_s * LINE_RATE), channels), np.int16)
    parts = [silence]
    for channel, variant, text in turns:
        spoken = say(text, variant, folder)
        both = np.zeros((len(spoken), channels), np.int16)
        both[:, channel] = spoken
        parts += [both, silence]
    return np.concatenate(parts)


def write_alaw(file: Path, sound: Wave) -> Path:
    """A WAV file of format 6, 8 kHz, as a telephone recorder would write it."""
    channels = sound.shape[1]
    samples = alaw(sound.reshape(-1))
    form = struct.pack("<HHIIHH", 6, channels, LINE_RATE, LINE_RATE * channels, channels, 8)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"RIFF" + struct.pack("<I", len(head) + len(samples)) + head + samples)
    return file


def write_pcm(file: Path, sound: Wave, rate: int = LINE_RATE) -> Path:
    """A WAV file of 16-bit PCM."""
    channels, samples = sound.shape[1], sound.astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"RIFF" + struct.pack("<I", len(head) + len(samples)) + head + samples)
    return file


def heard(segments: Sequence[Segment], party: str) -> str:
    """Everything that one party said, without punctuation."""
    return "".join(word.word for segment in segments if segment.party == party for word in segment.words)


def character_errors(said: Sequence[str], segments: Sequence[Segment], party: str) -> float:
    """Character error rate, blanks stripped."""
    return float(jiwer.cer("".join(said), heard(segments, party)))


def two_party_turns(citizen: str, operator: str) -> list[tuple[int, str, str]]:
    """The citizen on channel 0 and the operator on channel 1 in turn."""
    turns: list[tuple[int, str, str]] = []
    for asked, told in zip(OPERATOR, CITIZEN, strict=True):
        turns += [(1, operator, asked), (0, citizen, told)]
    return turns
