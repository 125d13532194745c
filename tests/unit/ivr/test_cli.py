"""`hotline numbers` and `hotline ivr`: words, JSON and exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from sqlalchemy import create_engine
from typer.testing import CliRunner, Result

from hotline.database import metadata
from ivr import cli, cli_numbers, prompts, tables
from ivr.service import DATA
from tests.unit.ivr.conftest import ToneVoice

pytestmark = pytest.mark.unit

Run = Callable[..., Result]
BAD = "numbers:\n  - {number: 12399, name: x, mode: whole}\n  - {number: x, name: x, owner_unit: u, mode: dual}\n"
GOOD = "numbers:\n  - {number: 12399, name: 新号, owner_unit: u, mode: whole}\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, voice: ToneVoice) -> Run:
    """`hotline …` with a data folder of its own, its database made."""
    app = typer.Typer()
    app.add_typer(cli.app, name="ivr")
    app.add_typer(cli_numbers.app, name="numbers")
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path))
    monkeypatch.delenv("HOTLINE_DATABASE_URL", raising=False)
    monkeypatch.delenv("HOTLINE_REGION", raising=False)
    monkeypatch.setattr(prompts, "choose", lambda *_: voice)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def database(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'hotline.db'}")
    own = [tables.catalogue, tables.numbers, tables.hours, tables.days, tables.ledger]
    metadata.create_all(engine, tables=own)
    engine.dispose()


def test_simulation_in_words(run: Run) -> None:
    done = run("ivr", "simulate", "12329", "--keys", "1", "--at", "2026-02-14T20:00")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("12329 住房公积金 (双号并行), region 0717")
    assert "make_up Spring Festival day, the owner's seats do not answer now; flow menu_12329" in lines[1]
    words = [line.split(maxsplit=3)[3] for line in lines if " s  " in line]
    assert [said.split(" (")[0] for said in words] == [
        "plays recording_notice", "plays out_of_hours", "waits in the queue general for any seat",
    ]  # fmt: skip
    assert "with a person after " in done.stdout
    assert "keys that no menu asked for: 1" in done.stderr


def test_simulation_of_a_menu_in_words(run: Run) -> None:
    done = run("ivr", "simulate", "12329", "--keys", "1", "--at", "2026-02-14T10:00")
    (asked,) = [line for line in done.stdout.splitlines() if "asks with menu_12329" in line]
    assert asked.endswith("the caller presses 1")


def test_simulation_as_json(run: Run) -> None:
    done = run("ivr", "simulate", "0717-12329", "--keys", "9,2,7", "--at", "2026-02-14T10:00", "--json")
    found = json.loads(done.stdout)
    assert [moment["action"] for moment in found["moments"]] == ["play", "collect", "collect", "enter_queue"]
    assert (found["topic"], found["needs"], found["open"]) == ("withdrawal", ["housing_fund:1"], True)
    assert found["warnings"] == ["keys that no menu asked for: 7"]
    assert found["at"] == "2026-02-14T10:00:00+08:00"


def test_simulation_of_an_undeclared_number_and_of_an_unknown_year_warns(run: Run) -> None:
    done = run("ivr", "simulate", "12399", "--at", "2031-01-01")
    assert "nobody declared 12399" in done.stderr
    assert "holidays of 2031 are not known" in done.stderr


def test_simulation_with_a_catalogue_to_try(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "try.yaml"
    file.write_text(GOOD)
    assert "12399 新号 (整体并入)" in run("ivr", "simulate", "12399", "--file", file).stdout


@pytest.mark.parametrize("words", [["nonsense"], ["12345", "--at", "noon"], ["12345", "--file", "no-such-file.yaml"]])
def test_simulation_of_nonsense_fails_with_one_sentence(run: Run, words: list[str]) -> None:
    done = run("ivr", "simulate", *words)
    assert done.exit_code == 1
    assert done.stderr.strip().endswith(".")
    assert "Traceback" not in done.stderr


def test_check_of_the_flows_in_force_passes_with_advice(run: Run) -> None:
    done = run("ivr", "check")
    assert done.exit_code == 0
    assert "8 flows: 0 errors" in done.stdout


def test_check_of_a_wrong_flow_fails_with_every_place(run: Run, flow_file: Callable[..., Path]) -> None:
    path = flow_file("flow: own\nstart: a\nhuman: b\nnodes:\n  a: {play: [x], next: c}\n  b: {queue: q, spin: 1}\n")
    for target in (path, path.parent):
        done = run("ivr", "check", target)
        assert done.exit_code == 1
        assert f"{path}:5:1: the node a leads to 'c', which is no node" in done.stdout
        assert f"{path}:6:17: the node b has no field 'spin'" in done.stdout


def test_check_of_an_unwise_flow_fails_and_of_a_missing_sound_too(run: Run, flow_file: Callable[..., Path]) -> None:
    path = flow_file(
        "flow: own\nstart: a\nhuman: b\nnodes:\n  a: {menu: [no_such_prompt], keys: {'1': b}}\n  b: {queue: q}\n"
    )
    done = run("ivr", "check", path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["errors"] == [
        f"{path}:5:1: error: the menu a has no key 0 to a person",
        f"{path}:5:1: error: the prompt no_such_prompt of the node a has no sound file",
    ]


def test_broken_own_flow_fails_the_check_of_what_is_in_force(run: Run, flow_file: Callable[..., Path]) -> None:
    path = flow_file("flow: [")
    done = run("ivr", "check")
    assert done.exit_code == 1
    assert str(path) in done.stdout


def test_numbers_are_listed_for_a_day(run: Run) -> None:
    done = run("numbers", "list", "--mode", "whole", "--at", "2025-04-30")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["12336", "12356", "96119"]
    later = json.loads(run("numbers", "list", "--mode", "whole", "--at", "2025-05-01", "--json").stdout)
    assert [entry["number"] for entry in later] == ["12336", "96119"]
    assert run("numbers", "list", "--mode", "half").exit_code == 1


@pytest.mark.usefixtures("database")
def test_import_changes_what_is_listed_and_the_same_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "n.yaml"
    file.write_text(GOOD)
    first = run("numbers", "import", DATA / "common.yaml", file, "--json")
    assert (first.exit_code, json.loads(first.stdout)["changed"]) == (0, json.loads(first.stdout)["entries"] + 3)
    assert json.loads(run("numbers", "import", file, "--json").stdout)["changed"] == 0
    listed = run("numbers", "list")
    assert "12399" in listed.stdout
    assert "last in force" in listed.stderr


@pytest.mark.usefixtures("database")
def test_wrong_file_imports_nothing_and_tells_all_mistakes_of_all_files(run: Run, tmp_path: Path) -> None:
    good, bad, csv = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "bad.csv"
    good.write_text(GOOD)
    bad.write_text(BAD)
    csv.write_text("number,name,owner_unit,mode\n12398,x,u,wrong\n")
    done = run("numbers", "import", good, bad, csv)
    assert done.exit_code == 1
    for place in (f"{bad}:2:14: owner_unit is missing", f"{bad}:3:14: 'x' is not a", f"{csv}:2:4: mode 'wrong'"):
        assert place in done.stderr
    assert "12399" not in run("numbers", "list").stdout


def test_import_without_tables_says_what_to_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "n.yaml").write_text(GOOD)
    done = run("numbers", "import", tmp_path / "n.yaml")
    assert done.exit_code == 1
    assert "start `hotline serve` once" in done.stderr


def test_check_of_files_tells_mistakes_and_advice_without_changing_anything(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(BAD)
    done = run("numbers", "check", bad, DATA / "lanzhou.yaml", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, len(told["problems"])) == (1, 2)
    assert any("11 numbers of mode office_only are not known" in one for one in told["warnings"])
    assert run("numbers", "check", DATA / "lanzhou.yaml").exit_code == 0
    assert run("numbers", "check", tmp_path / "missing.yaml").exit_code == 1


def test_check_of_the_catalogue_in_force_gives_advice(run: Run) -> None:
    done = run("numbers", "check")
    assert done.exit_code == 0
    assert "12336: no end of the transition prompt is set" in done.stdout
