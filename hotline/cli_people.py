"""`hotline people …` and `hotline token`: accounts without a running server.

They work on the data folder, so whoever may read it may use them; every use is audited as `system`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer

from hotline import schema
from hotline.audit_sql import SqlAudit
from hotline.clock import SystemClock
from hotline.errors import HotlineError, NotFound
from hotline.identity_service import SYSTEM, IdentityService
from hotline.ids import UlidIds
from hotline.people import NewPerson, Person, PersonChange
from hotline.security import Role
from hotline.settings import load_settings
from hotline.sql import connect

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Accounts of the people who may log in.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Roles = Annotated[list[Role], typer.Option("--role", help="May be given several times.")]


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(help="What they type to log in: a-z, 0-9, . _ -")],
    role: Roles,
    name: Annotated[str, typer.Option(help="Shown to colleagues; the login when left out.")] = "",
    agent: Annotated[str, typer.Option(help="Work number of somebody who sits at a seat.")] = "",
    unit: Annotated[str, typer.Option(help="Handling unit that they belong to.")] = "",
    as_json: Json = False,
) -> None:
    """Make an account; its random password is shown once."""
    new = NewPerson(login=login, name=name or login, roles=frozenset(role), agent=agent, unit=unit)
    person, password = _run(lambda service: service.add(SYSTEM, new))
    if as_json:
        typer.echo(json.dumps(_as_dict(person) | {"password": password}, ensure_ascii=False))
    else:
        typer.echo(f"{person.login} may log in with the password {password} (it is not shown again).")


@app.command("list")
def list_people(as_json: Json = False) -> None:
    """Everybody with an account."""
    found = _run(_everybody)
    if as_json:
        typer.echo(json.dumps([_as_dict(person) for person in found], ensure_ascii=False))
        return
    for person in found:
        state = "disabled" if person.disabled_at else ""
        typer.echo(f"{person.login:<20} {person.agent:<8} {','.join(sorted(person.roles)):<30} {person.name} {state}")


@app.command("disable")
def disable(login: Annotated[str, typer.Argument()]) -> None:
    """End somebody's log-ins and let them in no more."""

    async def change(service: IdentityService) -> Person:
        matching = [person for person in await _everybody(service) if person.login == login]
        if not matching:
            raise NotFound(f"Nobody has the login {login}.")
        return await service.change(SYSTEM, matching[0].id, PersonChange(is_disabled=True))

    _run(change)
    typer.echo(f"{login} is disabled.")


def token(
    role: Roles,
    name: Annotated[str, typer.Option(help="What it is for; shown in the audit.")] = "script",
    days: Annotated[int, typer.Option(help="How long it counts.", min=1, max=366)] = 30,
    as_json: Json = False,
) -> None:
    """Print an API token for a script."""
    made, secret = _run(lambda service: service.add_token(SYSTEM, name, frozenset(role), timedelta(days=days)))
    if as_json:
        expires = made.expires_at.isoformat()
        typer.echo(json.dumps({"token": secret, "id": made.id, "name": made.name, "expires_at": expires}))
    else:
        typer.echo(secret)


async def _everybody(service: IdentityService) -> list[Person]:
    found: list[Person] = []
    while batch := await service.people(found[-1].login if found else "", 200):
        found += batch
    return found


def _run(work: Callable[[IdentityService], Awaitable[T]]) -> T:
    try:
        url = load_settings().sqlalchemy_url
        schema.check(url)
        return asyncio.run(_with_service(url, work))
    except HotlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


async def _with_service(url: str, work: Callable[[IdentityService], Awaitable[T]]) -> T:
    database = connect(url)
    clock = SystemClock()
    try:
        return await work(IdentityService(database, clock, UlidIds(), SqlAudit(database, clock)))
    finally:
        await database.close()


def _as_dict(person: Person) -> dict[str, str | list[str] | bool]:
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "roles": sorted(person.roles),
        "agent": person.agent,
        "unit": person.unit,
        "disabled": person.disabled_at is not None,
    }
