"""Prompts: rendered once, again when changed, replaced by recordings; files that Asterisk can play."""

import wave
from pathlib import Path

import numpy as np
import pytest

from hotline.errors import BadInput, Unavailable
from ivr.audio import RATE, read_wav, to_prompt, write_wav
from ivr.model import Catalogue, Entry, MergeMode
from ivr.prompt_script import load_script
from ivr.prompts import PromptSet, render_all
from ivr.voices import EspeakVoice, PiperVoice, choose
from tests.unit.ivr.conftest import ToneVoice

pytestmark = pytest.mark.unit

WHOLE = Entry(number="12336", name="x", owner_unit="u", mode=MergeMode.WHOLE)
LINE = Entry(number="07176123456", name="x", owner_unit="u", mode=MergeMode.WHOLE)


def tone(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    wave_ = np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * 440 / rate) * 12000
    return np.repeat(wave_.astype(np.int16), channels)


def recording(path: Path, samples: np.ndarray, rate: int, channels: int = 1, width: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    wide = samples.astype(np.int64)
    raw = {
        1: lambda: ((wide >> 8) + 128).astype(np.uint8).tobytes(),
        2: lambda: samples.astype("<i2").tobytes(),
        3: lambda: b"".join(int(one << 8).to_bytes(3, "little", signed=True) for one in wide),
        4: lambda: (wide << 16).astype("<i4").tobytes(),
    }[width]()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(raw)


def test_shipped_script_can_be_read_and_every_text_has_a_syllable_per_character() -> None:
    script = load_script()
    spoken = script.with_numbers([WHOLE, Entry(number="12329", name="x", mode=MergeMode.DUAL)])
    assert {
        "recording_notice",
        "out_of_hours",
        "all_busy",
        "waiting",
        "fallback",
        "bye",
        "apology",
        "menu_12329",
    } <= set(spoken)
    for name, one in spoken.items():
        characters = [letter for letter in one.text if letter.isalnum()]
        assert len(characters) == len(one.pinyin.replace(",", " ").replace(".", " ").split()), name


def test_number_is_read_digit_by_digit_with_yao_for_one() -> None:
    spoken = load_script().with_numbers([WHOLE])["merged_12336"]
    assert spoken.text == "您拨打的12336已并入12345。"
    assert "yao1 er4 san1 san1 liu4 yi3 bing4 ru4 yao1 er4 san1 si4 wu3" in spoken.pinyin


def test_long_number_is_not_read_out() -> None:
    spoken = load_script().with_numbers([LINE])["merged_07176123456"]
    assert "hao4 ma3" in spoken.pinyin
    assert "0717" not in spoken.text


def test_rendered_prompt_is_8_khz_mono_16_bit_and_its_path_has_no_extension(tmp_path: Path, voice: ToneVoice) -> None:
    prompts = render_all(tmp_path, [WHOLE], voice=voice)
    path = prompts.path("merged_12336")
    assert path.is_absolute()
    assert path.suffix == ""
    with wave.open(f"{path}.wav") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert prompts.length("merged_12336") == pytest.approx(file.getnframes() / 8000, abs=0.001)
    assert prompts.problems == ()


def test_prompts_are_rendered_once_and_again_only_when_text_voice_or_file_changed(
    tmp_path: Path, voice: ToneVoice
) -> None:
    first = render_all(tmp_path, [WHOLE], voice=voice)
    assert len(voice.spoken) == len(first.sounds)
    voice.spoken.clear()
    second = render_all(tmp_path, [WHOLE], voice=voice)
    assert (voice.spoken, second.sounds) == ([], first.sounds)
    (tmp_path / "prompts" / "bye.wav").unlink()
    render_all(tmp_path, [WHOLE], voice=voice)
    assert voice.spoken == ["感谢来电，再见。"]
    voice.spoken.clear()
    voice.name = "another"
    render_all(tmp_path, [WHOLE], voice=voice)
    assert len(voice.spoken) == len(first.sounds)


def test_unreadable_list_of_what_was_made_only_costs_time(tmp_path: Path, voice: ToneVoice) -> None:
    render_all(tmp_path, voice=voice)
    (tmp_path / "prompts" / "made.json").write_text("{broken")
    assert render_all(tmp_path, voice=voice).problems == ()


def test_prompt_that_cannot_be_rendered_is_a_problem_and_the_others_play(tmp_path: Path, voice: ToneVoice) -> None:
    render_all(tmp_path, voice=voice)
    voice.broken = True
    prompts = render_all(tmp_path, [WHOLE], voice=voice)
    assert prompts.problems == ("The prompt merged_12336 cannot be rendered: The voice is hoarse.",)
    assert prompts.path("bye").name == "bye"
    with pytest.raises(BadInput, match="merged_12336 does not exist"):
        prompts.path("merged_12336")


def test_missing_sound_file_is_told_in_one_sentence(tmp_path: Path, voice: ToneVoice) -> None:
    prompts = render_all(tmp_path, voice=voice)
    (tmp_path / "prompts" / "bye.wav").unlink()
    with pytest.raises(BadInput, match=r"The sound file bye\.wav of the prompt bye is missing"):
        prompts.path("bye")
    assert PromptSet().length("bye") is None


def test_studio_recording_of_the_right_form_is_played_as_it_is(tmp_path: Path, voice: ToneVoice) -> None:
    file = tmp_path / "prompts" / "studio" / "bye.wav"
    recording(file, tone(1.5, 8000), 8000)
    prompts = render_all(tmp_path, voice=voice)
    assert prompts.path("bye") == file.with_suffix("")
    assert prompts.length("bye") == 1.5
    assert "感谢来电，再见。" not in voice.spoken


@pytest.mark.parametrize(("rate", "channels", "width"), [(44100, 2, 2), (48000, 1, 3), (22050, 1, 1), (16000, 2, 4)])
def test_studio_recording_of_another_form_is_converted(
    tmp_path: Path, voice: ToneVoice, rate: int, channels: int, width: int
) -> None:
    recording(tmp_path / "prompts" / "studio" / "bye.wav", tone(1.0, rate, channels), rate, channels, width)
    prompts = render_all(tmp_path, voice=voice)
    samples, found_rate, fits = read_wav(prompts.path("bye").with_suffix(".wav"))
    assert (found_rate, fits) == (8000, True)
    assert len(samples) == pytest.approx(8000, abs=20)
    inner = samples[1000:7000].astype(float)
    assert np.abs(inner).max() == pytest.approx(12000, rel=0.05)
    peak = np.argmax(np.abs(np.fft.rfft(inner))) * 8000 / len(inner)
    assert peak == pytest.approx(440, abs=3)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound at all", b"RIFF\x24\0\0\0WAVEfmt "])
def test_unusable_recording_is_a_problem_and_the_rendered_prompt_plays(
    tmp_path: Path, voice: ToneVoice, content: bytes
) -> None:
    file = tmp_path / "prompts" / "studio" / "bye.wav"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    prompts = render_all(tmp_path, voice=voice)
    assert prompts.path("bye") == tmp_path / "prompts" / "bye"
    assert "not a WAV file" in prompts.problems[0]


def test_recording_that_no_script_names_is_a_prompt_as_well(tmp_path: Path, voice: ToneVoice) -> None:
    recording(tmp_path / "studio" / "our_own.wav", tone(1, 8000), 8000)
    assert render_all(tmp_path, voice=voice, studio=tmp_path / "studio").length("our_own") == 1.0


def test_silence_at_the_ends_is_cut_and_loudness_is_even() -> None:
    quiet = np.concatenate([np.zeros(16000, np.int16), tone(1.0, 16000) // 4, np.zeros(16000, np.int16)])
    made = to_prompt(quiet, 16000)
    assert len(made) / RATE == pytest.approx(1.08, abs=0.01)
    assert np.abs(made).max() == pytest.approx(20000, rel=0.05)
    with pytest.raises(BadInput, match="nothing to hear"):
        to_prompt(np.zeros(100, np.int16), 8000)


def test_sound_file_is_replaced_whole(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1, 8000))
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate: 9\n", "p.yaml:1:7: rate '9' is not a whole number"),
        ("digits: {'0': ling2}\n", "p.yaml:1:9: digits needs a pinyin word for each of 0 to 9"),
        ("prompts:\n  bye: {text: 再见}\n", "p.yaml:2:8: the prompt bye needs pinyin"),
        ("prompts:\n  bye: {text: 再见, pinyin: zai jian4}\n", "p.yaml:2:27: 'zai' is not a pinyin syllable"),
        ("prompts:\n  ../bye: {text: x, pinyin: x1}\n", "p.yaml:2:3: the prompt name '../bye'"),
        ("templates:\n  t: {text: x, pinyin: a1}\n", "p.yaml:2:6: the template t needs long"),
    ],
)
def test_mistake_in_the_script_is_told_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        load_script(file)
    assert any(problem.startswith(expected.replace("p.yaml", str(file))) for problem in caught.value.problems)


def test_every_number_of_the_shipped_catalogues_has_its_prompts(
    tmp_path: Path, voice: ToneVoice, demo: Catalogue
) -> None:
    names = set(render_all(tmp_path, demo.entries, voice=voice).sounds)
    assert {"merged_12336", "merged_96119", "brand_12333", "brand_12356", "brand_12319"} <= names
    assert "merged_12333" not in names


def test_missing_programs_are_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="apt-get install espeak-ng"):
        EspeakVoice("no-such-espeak").speak("x", "x1", 200)
    with pytest.raises(Unavailable, match="correct HOTLINE_PIPER_VOICE"):
        PiperVoice(tmp_path / "none.onnx").speak("x", "x1", 200)
    (tmp_path / "v.onnx").write_bytes(b"x")
    with pytest.raises(Unavailable, match="pip install"):
        PiperVoice(tmp_path / "v.onnx", "no-such-piper").speak("x", "x1", 200)


def test_piper_is_chosen_when_its_voice_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOTLINE_PIPER_VOICE", raising=False)
    assert isinstance(choose(), EspeakVoice)
    assert isinstance(choose(str(tmp_path / "v.onnx")), PiperVoice)
    monkeypatch.setenv("HOTLINE_PIPER_VOICE", str(tmp_path / "v.onnx"))
    assert isinstance(choose(), PiperVoice)
