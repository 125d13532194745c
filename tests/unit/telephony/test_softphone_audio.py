"""The softphone's audio without a network: levels, files, sources, ears, keys, agreements, prompts."""

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import BadInput
from telephony.audio import (
    SLOT_BYTES,
    dbfs,
    envelope,
    from_alaw,
    from_ulaw,
    read_wav,
    rms,
    seconds,
    silence,
    to_alaw,
    to_ulaw,
    tone,
    tone_level,
    write_wav,
)
from telephony.prompt_match import heard_prompts
from telephony.softphone import Clip, Ear, Feed, Tone
from telephony.softphone.keys import KeyReader, KeySender
from telephony.softphone.model import KEYS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("encode", "decode"), [(to_alaw, from_alaw), (to_ulaw, from_ulaw)])
@pytest.mark.parametrize("level", [8000.0, 800.0])
def test_g711_keeps_a_tone_within_its_noise(encode: object, decode: object, level: float) -> None:
    """16 bits in and out: the signal-to-noise ratio of G.711 is near 38 dB at usual levels (ITU-T G.712)."""
    pcm = tone(1000, 0.5, level)
    back = decode(encode(pcm))  # type: ignore[operator]
    noise = np.frombuffer(back, "<i2").astype(float) - np.frombuffer(pcm, "<i2").astype(float)
    assert 20 * np.log10(rms(pcm) / np.sqrt((noise**2).mean())) > 33


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_wav_of_any_shape_becomes_telephone_audio(tmp_path: Path, rate: int, channels: int, width: int) -> None:
    file = tmp_path / "any.wav"
    time = np.arange(rate // 2) / rate
    values = 0.25 * np.sin(2 * np.pi * 600 * time)
    whole = np.rint(values * (2 ** (8 * width - 1) - 1)).astype(np.int64) + (128 if width == 1 else 0)
    data = b"".join(int(v).to_bytes(width, "little", signed=width > 1) * channels for v in whole)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(data)
    pcm = read_wav(file)
    assert seconds(pcm) == pytest.approx(0.5, abs=0.01)
    assert tone_level(pcm[1600:-1600], 600) == pytest.approx(0.25 * 32768, rel=0.03)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound at all" * 10])
def test_damaged_sound_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "damaged.wav"
    file.write_bytes(content)
    with pytest.raises(BadInput, match="damaged"):
        read_wav(file)
    with pytest.raises(BadInput, match="no sound file"):
        read_wav(tmp_path / "missing.wav")


def test_levels() -> None:
    assert dbfs(0) == -96
    assert dbfs(32768) == 0
    assert dbfs(rms(tone(1000, 0.1, 32767))) == pytest.approx(-3.01, abs=0.05)
    assert envelope(silence(0.1) + tone(1000, 0.1))[[0, 9]] == pytest.approx([0, 8000 / 2**0.5], rel=0.01)
    assert tone_level(b"", 600) == 0


def test_tones_are_told_apart() -> None:
    pcm = tone(600, 0.2)
    assert tone_level(pcm, 600) == pytest.approx(8000, rel=0.02)
    assert tone_level(pcm, 1300) < 50


def test_clip_ends_and_repeats_with_its_gap() -> None:
    once = Clip(tone(600, 0.05))
    assert [len(once.read() or b"") for _ in range(4)] == [SLOT_BYTES, SLOT_BYTES, SLOT_BYTES, 0]
    assert once.read() is None
    again = Clip(b"\1" * SLOT_BYTES, repeat=True, gap=0.02)
    assert [again.read() == b"\1" * SLOT_BYTES for _ in range(4)] == [True, False, True, False]
    assert Clip(b"", repeat=True).read() is None


def test_tone_has_no_click_where_it_begins_again() -> None:
    source = Tone(600)
    pcm = b"".join(source.read() or b"" for _ in range(75))
    assert tone_level(pcm[15000:17000], 600) == pytest.approx(8000, rel=0.01)
    steps = np.abs(np.diff(np.frombuffer(pcm, "<i2").astype(int)))
    assert steps.max() < 8000 * 2 * np.pi * 600 / 8000 * 1.05


def test_feed_gives_what_was_written_then_silence_then_ends() -> None:
    feed = Feed(most_seconds=0.06)
    feed.write(b"\1" * 100)
    assert feed.read() == bytes(SLOT_BYTES)
    feed.write(b"\1" * (SLOT_BYTES - 100))
    assert feed.read() == b"\1" * SLOT_BYTES
    feed.write(b"".join(bytes([n]) * SLOT_BYTES for n in range(1, 6)))
    assert feed.pending == pytest.approx(0.06)
    assert [(feed.read() or b"\0")[0] for _ in range(4)] == [3, 4, 5, 0]
    feed.close()
    assert feed.read() is None


def test_ear_forgets_the_oldest_and_keeps_the_time() -> None:
    ear = Ear(most_seconds=0.06)
    for slot in range(5):
        ear.put(float(slot), bytes([slot]) * SLOT_BYTES)
    assert [at for at, _ in ear.frames()] == [2.0, 3.0, 4.0]
    assert ear.dropped == 2
    assert ear.pcm(3.0, 4.0) == bytes([3]) * SLOT_BYTES


def test_ear_on_time_fills_what_the_sender_left_out_and_not_what_came_late() -> None:
    ear = Ear()
    for at, pause in ((0.0, 5.0), (0.4, 0.0), (0.4, 0.0), (1.0, 0.54)):
        ear.put(at, tone(600, 0.02), pause)
    assert seconds(ear.pcm(on_time=True)) == pytest.approx(0.08 + 0.54)
    assert seconds(ear.pcm()) == pytest.approx(0.08)


def test_ear_knows_when_it_was_loud() -> None:
    ear = Ear()
    assert ear.quiet_for(5.0) == float("inf")
    ear.put(1.0, silence(0.02))
    ear.put(2.0, tone(600, 0.02))
    ear.put(3.0, silence(0.02))
    assert ear.first_loud() == 2.0
    assert ear.first_loud(since=2.5) is None
    assert ear.quiet_for(5.0) == 3.0


def _packets(sender: KeySender, slots: int, start: int = 1000) -> list[tuple[int, bool, bytes]]:
    return [packet for slot in range(slots) for packet in sender.slot(start + 160 * slot)]


@given(st.text(alphabet=KEYS, min_size=1, max_size=12))
def test_every_key_is_read_once_and_in_order(keys: str) -> None:
    sender, reader = KeySender(), KeyReader()
    sender.press(keys, 0.1, 0.06)
    packets = _packets(sender, 20 * len(keys))
    assert "".join(reader.read(timestamp, payload) for timestamp, _, payload in packets) == keys
    assert not sender.busy


@given(st.text(alphabet=KEYS, min_size=1, max_size=12), st.data())
def test_key_survives_the_loss_of_any_packets_but_its_last(keys: str, data: st.DataObject) -> None:
    sender, reader = KeySender(), KeyReader()
    sender.press(keys, 0.1, 0.06)
    by_key: dict[int, list[tuple[int, bool, bytes]]] = {}
    for packet in _packets(sender, 20 * len(keys)):
        by_key.setdefault(packet[0], []).append(packet)
    read = ""
    for packets in by_key.values():
        kept = data.draw(st.lists(st.sampled_from(packets), min_size=1))
        read += "".join(reader.read(timestamp, payload) for timestamp, _, payload in kept)
    assert read == keys


def test_event_begins_marked_grows_and_ends_three_times() -> None:
    """RFC 4733 §2.5: one time stamp, rising duration, the end bit on each of the last three."""
    sender = KeySender()
    sender.press("5", 0.1, 0.04)
    packets = _packets(sender, 10)
    fields = [struct.unpack("!BBH", payload) for _, _, payload in packets]
    assert {timestamp for timestamp, _, _ in packets} == {1000}
    assert [first for _, first, _ in packets] == [True] + [False] * 6
    assert [duration for _, _, duration in fields] == [160, 320, 480, 640, 800, 800, 800]
    assert [bool(flags & 0x80) for _, flags, _ in fields] == [False] * 4 + [True] * 3


@pytest.mark.parametrize("payload", [b"", b"\x05", b"\xff\x0a\x00\xa0"])
def test_broken_event_is_no_key(payload: bytes) -> None:
    assert KeyReader().read(1, payload) == ""


def _speechlike(seed: int, length: float) -> bytes:
    """Noise whose loudness wanders as syllables do."""
    random = np.random.default_rng(seed)
    steps = round(length / 0.1)
    curve = np.repeat(random.uniform(0, 1, steps) ** 2, 800)
    return (curve * random.normal(0, 6000, steps * 800)).clip(-32768, 32767).astype("<i2").tobytes()


KNOWN = {name: envelope(_speechlike(seed, 3.0)) for seed, name in enumerate(("welcome", "menu", "bye"))}


def _on_the_phone(pcm: bytes) -> bytes:
    return from_alaw(to_alaw(pcm))


def test_prompts_are_recognised_in_order_wherever_they_begin() -> None:
    heard = silence(0.513) + _speechlike(0, 3.0) + silence(0.3) + _speechlike(2, 3.0) + silence(1)
    found = heard_prompts(envelope(_on_the_phone(heard)), KNOWN)
    assert [prompt.name for prompt in found] == ["welcome", "bye"]
    assert all(prompt.whole for prompt in found)
    assert found[1].at - found[0].at == pytest.approx(3.3, abs=0.15)


def test_prompt_that_a_key_cut_off_is_recognised_as_such() -> None:
    heard = _speechlike(1, 3.0)[: 2 * 8000 * 2] + silence(1) + _speechlike(7, 2.0)
    (found,) = heard_prompts(envelope(_on_the_phone(heard)), KNOWN)
    assert (found.name, found.whole) == ("menu", False)


def test_other_speech_and_silence_are_no_prompt() -> None:
    assert heard_prompts(envelope(_speechlike(50, 20.0)), KNOWN) == ()
    assert heard_prompts(envelope(silence(5)), KNOWN) == ()
    assert heard_prompts(envelope(b""), KNOWN) == ()
    assert heard_prompts(envelope(_speechlike(1, 3.0)), {"silent": envelope(silence(3))}) == ()


def test_file_written_is_the_file_read(tmp_path: Path) -> None:
    pcm = tone(600, 0.1)
    write_wav(tmp_path / "same.wav", pcm)
    assert read_wav(tmp_path / "same.wav") == pcm
