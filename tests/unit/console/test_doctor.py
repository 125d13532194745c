"""Findings: one line each, what to do, and a verdict on the whole."""

from pathlib import Path

import pytest

from console import probes
from console.doctor import Verdict, good, missing, optional, report, text
from hotline.settings import Settings
from ivr.prompt_script import load_script
from recordings.disk import GIB, Room

pytestmark = pytest.mark.unit


def settings_of(data: Path, **more: object) -> Settings:
    return Settings(data=data, **more)  # type: ignore[arg-type]


def test_something_optional_that_is_absent_is_no_failure_and_something_needed_is() -> None:
    assert report([good("python", "3.12"), optional("model", "none")]).ok
    assert not report([good("python", "3.12"), missing("voice", "none")]).ok


def test_each_finding_is_one_line_that_says_what_to_do() -> None:
    told = text(report([good("python", "3.12"), missing("voice", "espeak-ng was not found.", "install it")]))
    assert told.splitlines() == [
        "ok        python  3.12",
        "missing   voice   espeak-ng was not found: install it",
        "1 missing: see the lines above.",
    ]


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ((3, 10, 9), Verdict.MISSING),
        ((3, 11, 0), Verdict.OK),
        ((3, 13, 2), Verdict.OK),
        ((3, 14, 0), Verdict.OPTIONAL),
    ],
)
def test_python_is_one_of_those_that_are_tested(version: tuple[int, int, int], verdict: Verdict) -> None:
    assert probes.python(version).verdict is verdict


def test_a_machine_without_voice_or_test_programs_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HOTLINE_PIPER_VOICE", raising=False)
    assert (probes.voice().verdict, probes.voice().todo) == (Verdict.MISSING, "apt-get install espeak-ng")
    found = probes.test_tools()
    assert found.verdict is Verdict.OPTIONAL
    assert "sipp" in found.found


def test_a_piper_voice_that_is_not_there_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = tmp_path / "zh.onnx"
    monkeypatch.setenv("HOTLINE_PIPER_VOICE", str(voice))
    assert probes.voice().verdict is Verdict.MISSING
    voice.touch()
    assert probes.voice().verdict is Verdict.OK


def test_the_data_folder_must_be_a_folder_with_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    assert probes.data_folder(settings_of(tmp_path / "file" / "var")).verdict is Verdict.MISSING
    free = {"bytes": 50 * GIB}
    monkeypatch.setattr(probes, "room", lambda _: Room(free["bytes"], 100 * GIB))
    told = probes.data_folder(settings_of(tmp_path / "new" / "var"))
    assert (told.verdict, "made at the first start" in told.found) == (Verdict.OK, True)
    for size, verdict in ((2 * GIB, Verdict.OPTIONAL), (1 << 20, Verdict.MISSING)):
        free["bytes"] = size
        assert probes.data_folder(settings_of(tmp_path)).verdict is verdict


def test_a_new_installation_has_prompts_and_database_yet_to_be_made(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "var")
    assert probes.prompts(settings).verdict is Verdict.OK
    assert "first start" in probes.database(settings).found
    assert not (tmp_path / "var").exists()


def test_prompts_that_were_lost_are_counted(tmp_path: Path) -> None:
    names = list(load_script().prompts)
    (tmp_path / "prompts" / "studio").mkdir(parents=True)
    for name in names[1:-1]:
        (tmp_path / "prompts" / f"{name}.wav").touch()
    (tmp_path / "prompts" / "studio" / f"{names[-1]}.wav").touch()
    told = probes.prompts(settings_of(tmp_path))
    assert (told.verdict, told.found) == (Verdict.OPTIONAL, f"1 of {len(names)} are not rendered")


def test_without_a_speech_model_tickets_say_so(tmp_path: Path) -> None:
    assert probes.speech_model(settings_of(tmp_path)).verdict is Verdict.OPTIONAL
