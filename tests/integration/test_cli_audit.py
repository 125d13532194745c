"""`hotline audit verify` on a data folder, without a server."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from hotline import cli_audit, schema
from hotline.audit_sql import SqlAudit
from hotline.clock import SystemClock
from hotline.identity_service import SYSTEM
from hotline.sql import connect

pytestmark = pytest.mark.integration


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three lines of audit in a data folder."""
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path))
    for name in ("HOTLINE_CONFIG", "HOTLINE_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    url = f"sqlite:///{tmp_path / 'hotline.db'}"
    schema.upgrade(url)
    asyncio.run(_write(url))
    return tmp_path / "hotline.db"


async def _write(url: str) -> None:
    database = connect(url)
    for subject in ("ticket_1", "ticket_2", "ticket_3"):
        await SqlAudit(database, SystemClock()).record(SYSTEM, "ticket.view", subject)
    await database.close()


def run(*words: str) -> Result:
    app = typer.Typer()
    app.add_typer(cli_audit.app, name="audit")
    return CliRunner().invoke(app, ["audit", "verify", *words])


def change(database: Path, statement: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(statement)
    connection.close()


def head(database: Path) -> str:
    assert database.is_file()
    told = json.loads(run("--json").stdout)
    return f"{told['lines']}:{told['digest']}"


def test_an_untouched_audit_is_as_it_was_written(database: Path) -> None:
    done = run("--expect", head(database))
    assert done.exit_code == 0
    assert done.stdout.startswith("3 lines, all as they were written; head 3:")


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET subject = 'ticket_9' WHERE seq = 2", 2),
        ("UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("UPDATE audit SET seq = 9 WHERE seq = 3", 3),
    ],
)
def test_a_line_that_was_changed_or_taken_out_is_found(database: Path, statement: str, broken_at: int) -> None:
    change(database, statement)
    done = run("--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["broken_at"] == broken_at
    assert f"Line {broken_at} is not as it was written" in run().stdout


def test_an_end_that_was_cut_off_is_found_by_a_head_that_was_noted(database: Path) -> None:
    noted = head(database)
    change(database, "DELETE FROM audit WHERE seq = 3")
    assert run().exit_code == 0
    assert run("--expect", noted).exit_code == 1


@pytest.mark.parametrize("expect", ["x", "1", "1:", ":x", "٣:x", "9" * 40 + ":x"])
def test_a_head_that_cannot_be_read_is_one_sentence(database: Path, expect: str) -> None:
    assert database.is_file()
    done = run("--expect", expect)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


def test_a_folder_without_a_database_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path / "nowhere"))
    monkeypatch.delenv("HOTLINE_DATABASE_URL", raising=False)
    done = run()
    assert done.exit_code == 2
    assert "start `hotline serve` once" in done.stderr
    assert not (tmp_path / "nowhere").exists()
