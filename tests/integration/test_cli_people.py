"""`hotline people` and `hotline token` on a data folder, without a server."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hotline import cli_people, schema
from hotline.audit_sql import AuditQuery, SqlAudit
from hotline.clock import SystemClock
from hotline.identity_service import IdentityService
from hotline.ids import UlidIds
from hotline.security import Principal, Role
from hotline.sql import connect

pytestmark = pytest.mark.integration

Run = Callable[..., str]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path))
    for name in ("HOTLINE_CONFIG", "HOTLINE_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return f"sqlite:///{tmp_path / 'hotline.db'}"


@pytest.fixture
def run(url: str) -> Run:
    schema.upgrade(url)
    return _run


def _run(*words: str, code: int = 0) -> str:
    app = typer.Typer()
    app.add_typer(cli_people.app, name="people")
    app.command("token")(cli_people.token)
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


def _principal(url: str, token: str) -> Principal | None:
    async def ask() -> Principal | None:
        database = connect(url)
        clock = SystemClock()
        service = IdentityService(database, clock, UlidIds(), SqlAudit(database, clock))
        try:
            return await service.principal(cookie=None, token=token)
        finally:
            await database.close()

    return asyncio.run(ask())


def _audited(url: str) -> list[tuple[str, str]]:
    async def ask() -> list[tuple[str, str]]:
        database = connect(url)
        lines = await SqlAudit(database, SystemClock()).lines(AuditQuery())
        await database.close()
        return [(line.person, line.action) for line in lines]

    return asyncio.run(ask())


def test_a_token_is_one_line_that_a_script_can_use(run: Run, url: str) -> None:
    token = run("token", "--role", "operator", "--role", "qa").strip()
    principal = _principal(url, token)
    assert principal
    assert principal.roles == {"operator", "qa"}
    made: dict[str, Any] = json.loads(run("token", "--role", "auditor", "--name", "backup", "--days", "3", "--json"))
    backup = Principal(person="token:backup", name="backup", roles=frozenset({Role.AUDITOR}))
    assert _principal(url, made["token"]) == backup
    assert ("system", "token.add") in _audited(url)


def test_people_are_added_listed_and_disabled(run: Run, url: str) -> None:
    run("people", "add", "root.one", "--role", "administrator")
    made = json.loads(
        run("people", "add", "wang.li", "--role", "operator", "--name", "王丽", "--agent", "1007", "--json")
    )
    assert len(made["password"]) == 19
    assert run("people", "list").count("\n") == 2
    assert "王丽" in run("people", "list")
    run("people", "disable", "wang.li")
    listed = {person["login"]: person["disabled"] for person in json.loads(run("people", "list", "--json"))}
    assert listed == {"root.one": False, "wang.li": True}
    assert made["password"] not in run("people", "list")
    assert ("system", "person.change") in _audited(url)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("people", "disable", "nobody"), "Nobody has the login nobody."),
        (("people", "add", "Wang", "--role", "operator"), "A login has"),
        (("people", "add", "wang", "--role", "administrator", "--role", "auditor"), "cannot be both"),
        (("token", "--role", "administrator", "--role", "auditor"), "cannot be both"),
    ],
)
def test_a_mistake_is_one_sentence_and_a_failure(run: Run, words: tuple[str, ...], sentence: str) -> None:
    said = run(*words, code=1)
    assert sentence in said
    assert said.count("\n") == 1


def test_the_last_administrator_stays(run: Run) -> None:
    run("people", "add", "root.one", "--role", "administrator")
    assert "Nobody would be left" in run("people", "disable", "root.one", code=1)


def test_a_data_folder_that_was_never_started_says_what_to_do(url: str) -> None:
    assert url
    assert "start `hotline serve` once" in _run("token", "--role", "qa", code=1)
