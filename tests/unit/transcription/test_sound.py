"""WAV files are read whatever wrote them, block by block, or refused with a sentence."""

import struct
from pathlib import Path

import numpy as np
import pytest

from transcription.errors import SoundUnusable
from transcription.sound import Sound, alaw_table, mulaw_table

pytestmark = pytest.mark.unit


def wav(
    samples: bytes, *, coding: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16, declared: int = -1
) -> bytes:
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    size = len(samples) if declared < 0 else declared
    return b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + samples


def written(folder: Path, content: bytes) -> Path:
    file = folder / "a.wav"
    file.write_bytes(content)
    return file


def test_channels_are_kept_apart(tmp_path: Path) -> None:
    samples = np.array([[1, -1], [2, -2], [3, -3]], "<i2")
    with Sound(written(tmp_path, wav(samples.tobytes(), channels=2))) as sound:
        assert (sound.rate, sound.channels, sound.frames) == (8000, 2, 3)
        assert np.concatenate(list(sound.blocks())).tolist() == samples.tolist()


def test_blocks_are_no_longer_than_asked_for(tmp_path: Path) -> None:
    with Sound(written(tmp_path, wav(bytes(2 * 20000)))) as sound:
        assert [len(block) for block in sound.blocks()] == [8000, 8000, 4000]
        assert sound.duration_ms == 2500


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF, 10**6])
def test_a_header_of_a_killed_writer_does_not_count(tmp_path: Path, declared: int) -> None:
    with Sound(written(tmp_path, wav(bytes(200), declared=declared))) as sound:
        assert sum(len(block) for block in sound.blocks()) == 100


def test_chunks_before_the_sound_are_skipped(tmp_path: Path) -> None:
    content = wav(bytes(4))
    extra = content[:36] + b"LIST" + struct.pack("<I", 3) + b"abc\0" + content[36:]
    with Sound(written(tmp_path, extra)) as sound:
        assert sound.frames == 2


def test_chunks_after_the_sound_are_no_sound(tmp_path: Path) -> None:
    content = wav(b"\1\0" * 100) + b"LIST" + struct.pack("<I", 4000) + bytes(4000)
    with Sound(written(tmp_path, content)) as sound:
        assert [len(block) for block in sound.blocks(seconds=0.005)] == [40, 40, 20]


def test_alaw_and_mulaw_are_decoded_as_the_standard_says(tmp_path: Path) -> None:
    """Values of ITU-T G.711, tables 1a to 2b, on the 16-bit scale."""
    assert alaw_table()[[0xD5, 0x55, 0xAA, 0x2A, 0xC5]].tolist() == [8, -8, 32256, -32256, 264]
    assert mulaw_table()[[0xFF, 0x7F, 0x80, 0x00]].tolist() == [0, 0, 32124, -32124]
    with Sound(written(tmp_path, wav(b"\xd5\x55", coding=6, bits=8))) as sound:
        assert next(sound.blocks())[:, 0].tolist() == [8, -8]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"not a sound file at all", "not a WAV file"),
        (wav(b"")[:30], "header"),
        (wav(b"")[:40], "not complete"),
        (wav(b"\0" * 8, coding=3, bits=32), "format 3 with 32 bits"),
        (wav(b"\0" * 8, channels=0), "0 channels"),
        (wav(b"\0" * 8, rate=1), "1 Hz"),
    ],
)
def test_what_is_no_sound_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(SoundUnusable, match=sentence):
        Sound(written(tmp_path, content))


def test_a_missing_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SoundUnusable, match="cannot be opened"):
        Sound(tmp_path / "none.wav")
