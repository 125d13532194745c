"""`hotline model install` and `check` on real archives, and the product without a model."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from transcription.cli import app
from transcription.model_folder import demonstration_model

pytestmark = pytest.mark.integration


def model_folder() -> Path:
    folder = demonstration_model()
    assert folder is not None
    return folder


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("HOTLINE_DATA", str(folder))
    for name in ("HOTLINE_VOSK_MODEL", "HOTLINE_DEMO", "HOTLINE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return folder


def archive_of(folder: Path, file: Path, within: str = "vosk-model-tiny-cn-0.1/", leave_out: str = "") -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for member in folder.rglob("*"):
            name = member.relative_to(folder).as_posix()
            if member.is_file() and name not in {leave_out, "model-card.json"}:
                archive.write(member, within + name)
    return file


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def assert_one_sentence(result: Result, part: str) -> None:
    assert result.exit_code == 1
    assert part in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def left_behind(data: Path) -> list[str]:
    return sorted(path.name for path in data.iterdir()) if data.exists() else []


def test_a_model_is_installed_and_then_found(data: Path, tmp_path: Path) -> None:
    result = run("install", archive_of(model_folder(), tmp_path / "m.zip"), "--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 0
    assert answer["usable"] is True
    assert (answer["model"]["name"], answer["model"]["rate"]) == ("vosk-model-tiny-cn-0.1", 8000)
    assert answer["model"]["demonstration"] is False
    assert left_behind(data) == ["model"]
    checked = run("check")
    assert checked.exit_code == 0
    assert "a speech model that works: vosk-model-tiny-cn-0.1, 8000 Hz" in checked.stdout


def test_a_second_model_takes_the_place_of_the_first(data: Path, tmp_path: Path) -> None:
    run("install", archive_of(model_folder(), tmp_path / "one.zip", "one/"))
    result = run("install", archive_of(model_folder(), tmp_path / "two.zip", ""), "--json")
    assert json.loads(result.stdout)["model"]["name"] == "two"
    assert left_behind(data) == ["model"]


@pytest.mark.parametrize(
    ("leave_out", "sentence"),
    [
        ("am/final.mdl", "am/final.mdl is missing"),
        ("conf/mfcc.conf", "conf/mfcc.conf is missing"),
        ("graph/Gr.fst", "graph/HCLr.fst with graph/Gr.fst, is missing"),
        ("graph/words.txt", "graph/words.txt is missing"),
    ],
)
def test_a_model_that_is_not_complete_is_refused_and_the_old_one_stays(
    data: Path, tmp_path: Path, leave_out: str, sentence: str
) -> None:
    run("install", archive_of(model_folder(), tmp_path / "good.zip"))
    broken = archive_of(model_folder(), tmp_path / "broken.zip", leave_out=leave_out)
    assert_one_sentence(run("install", broken), sentence)
    assert left_behind(data) == ["model"]
    assert run("check").exit_code == 0


def test_a_model_that_fails_its_trial_is_refused(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deadly"
    shutil.copytree(model_folder(), folder)
    (folder / "conf" / "model.conf").write_text("--frame-subsampling-factor=0\n")
    assert_one_sentence(run("install", archive_of(folder, tmp_path / "m.zip")), "broke down on it")
    assert left_behind(data) == []


@pytest.mark.parametrize("content", [b"", b"no archive at all"])
def test_what_is_no_archive_is_refused(data: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.zip").write_bytes(content)
    assert_one_sentence(run("install", tmp_path / "m.zip"), "m.zip is no ZIP file")
    assert left_behind(data) == []


def test_a_damaged_archive_is_refused(data: Path, tmp_path: Path) -> None:
    archive = archive_of(model_folder(), tmp_path / "m.zip")
    archive.write_bytes(archive.read_bytes()[: 1 << 20])
    assert_one_sentence(run("install", archive), "damaged")
    assert left_behind(data) == []


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert_one_sentence(run("install", tmp_path / "none.zip"), "There is no file")


def test_check_says_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    assert_one_sentence(run("check", tmp_path), "is not a Vosk model")
    answer = json.loads(run("check", tmp_path, "--json").stdout)
    assert answer["usable"] is False
    assert len(answer["problems"]) == 3


def test_check_without_any_model_says_how_to_get_one() -> None:
    assert_one_sentence(run("check"), "hotline model install FILE.zip")


def test_a_setting_that_leads_nowhere_is_said_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("install", archive_of(model_folder(), tmp_path / "good.zip"))
    monkeypatch.setenv("HOTLINE_VOSK_MODEL", str(tmp_path / "nowhere"))
    assert_one_sentence(run("check"), "There is no folder")


def test_an_unknown_engine_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_SPEECH_ENGINE", "parrot")
    assert_one_sentence(run("check", model_folder()), "There is no speech engine")
