"""Prompts spoken by a real espeak-ng, and through piper's command line by a stand-in program."""

import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from hotline.errors import Unavailable
from ivr.audio import read_wav
from ivr.catalogue_file import parse
from ivr.lint import Severity, lint
from ivr.loader import SHIPPED, load_folder
from ivr.model import Catalogue
from ivr.prompt_script import load_script
from ivr.prompts import LONGEST_S, render_all
from ivr.service import DATA
from ivr.voices import EspeakVoice, PiperVoice

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    catalogue = Catalogue(home="0717")
    for name in ("common.yaml", "yichang.yaml", "lanzhou.yaml"):
        catalogue = parse((DATA / name).read_bytes(), name, catalogue)
    return catalogue


def test_every_shipped_prompt_is_spoken_in_less_than_six_seconds(tmp_path: Path, catalogue: Catalogue) -> None:
    prompts = render_all(tmp_path, catalogue.entries)
    assert prompts.problems == ()
    assert set(prompts.sounds) == set(load_script().with_numbers(catalogue.entries))
    for name, sound in prompts.sounds.items():
        samples, rate, fits = read_wav(sound.file)
        assert (rate, fits) == (8000, True), name
        shortest = 0.15 if name.startswith(("number_", "digit_")) else 0.5  # a digit is a word of its own
        assert shortest < len(samples) / rate < LONGEST_S, name
        assert sound.seconds == pytest.approx(len(samples) / rate, abs=0.001), name
        assert np.abs(samples.astype(int)).max() > 15000, name


def test_shipped_flows_pass_their_check_with_the_real_lengths(tmp_path: Path, catalogue: Catalogue) -> None:
    prompts = render_all(tmp_path, catalogue.entries)
    flows, problems = load_folder(SHIPPED)
    findings = lint(flows, catalogue, prompts.length)
    assert problems == {}
    assert [one for one in findings if one.severity is Severity.ERROR] == []
    assert {Path(one.file).name for one in findings} <= {"menu_12329.yaml"}


def test_pinyin_is_read_as_syllables_and_not_as_letters() -> None:
    one, rate = EspeakVoice().speak("", "nin2 hao3.", 200)
    many, _ = EspeakVoice().speak("", "nin2 hao3, nin2 hao3, nin2 hao3.", 200)
    assert 0.3 < len(one) / rate < 1.5
    assert len(many) > 2 * len(one)


STAND_IN = """#!{python}
\"\"\"Not piper: a stand-in that beeps for 0.2 s per character and tells so on standard error.\"\"\"
import math, struct, sys, wave
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
sys.stderr.write("stand-in for piper\\n")
if set(arguments) != {{"--model", "--output_file"}} or open(arguments["--model"]).read() != "a voice":
    sys.exit(2)
text = sys.stdin.buffer.read().decode()
if "{fail}" and "{fail}" in text:
    sys.exit(3)
beep = b"".join(struct.pack("<h", int(9000 * math.sin(n / 5))) for n in range(int(22050 * 0.2 * len(text))))
with wave.open(arguments["--output_file"], "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(22050)
    file.writeframes(beep)
"""


def stand_in(folder: Path, fail: str = "") -> PiperVoice:
    program, voice = folder / "piper", folder / "zh.onnx"
    program.write_text(STAND_IN.format(python=sys.executable, fail=fail))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    voice.write_text("a voice")
    return PiperVoice(voice, str(program))


def test_piper_speaks_the_characters_of_every_prompt_at_8_khz(tmp_path: Path) -> None:
    script = load_script()
    few = type(script)(rate=script.rate, digits=script.digits, prompts={"bye": script.prompts["bye"]}, templates=())
    prompts = render_all(tmp_path, voice=stand_in(tmp_path), script=few)
    assert prompts.problems == ()
    length = prompts.length("bye")
    assert length == pytest.approx(0.2 * len("感谢来电，再见。") + 0.08, abs=0.02)


def test_piper_that_fails_is_told_in_its_own_last_words(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="stand-in for piper"):
        stand_in(tmp_path, fail="感谢").speak("感谢来电", "", 200)


def test_changing_the_voice_renders_again(tmp_path: Path) -> None:
    script = load_script()
    few = type(script)(rate=script.rate, digits=script.digits, prompts={"bye": script.prompts["bye"]}, templates=())
    by_espeak = render_all(tmp_path, script=few).length("bye")
    assert render_all(tmp_path, voice=stand_in(tmp_path), script=few).length("bye") != by_espeak
