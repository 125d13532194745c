"""`hotline agents`: list the profiles, load them from a file."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import msgspec
import typer

from agents import loader
from agents.store_sql import SqlAgents
from hotline import schema
from hotline.errors import BadInput, HotlineError
from hotline.settings import load_settings
from hotline.sql import connect

T = TypeVar("T")

app = typer.Typer(help="Who may sit at a seat: list the agents, load them from a file.", no_args_is_help=True)


@app.command("list")
def list_agents(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print every agent with phone, units and skills."""
    try:
        agents = _with_store(lambda store: store.all())
    except HotlineError as error:
        _fail(error)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(agents)))
        return
    for agent in agents:
        skills = " ".join(f"{skill}:{level}" for skill, level in sorted(agent.skills.items()))
        left = "" if agent.active else "  (not active)"
        typer.echo(f"{agent.agent:<8} {agent.kind:<10} phone {agent.phone or '-':<8} {agent.name}  {skills}{left}")
    typer.echo(f"{len(agents)} agents")


@app.command("import")
def import_agents(file: Annotated[Path, typer.Argument(help="A YAML list of agents.")]) -> None:
    """Add the agents of a file, or replace those with the same work number."""
    try:
        agents = loader.load(file)
        _with_store(lambda store: store.put(agents))
    except HotlineError as error:
        _fail(error)
    typer.echo(f"{len(agents)} agents loaded; they count from their next sign-in.")


def _with_store(work: Callable[[SqlAgents], Awaitable[T]]) -> T:
    url = load_settings().sqlalchemy_url
    schema.check(url)

    async def run() -> T:
        database = connect(url)
        try:
            return await work(SqlAgents(database))
        finally:
            await database.close()

    return asyncio.run(run())


def _fail(error: HotlineError) -> NoReturn:
    if isinstance(error, BadInput) and error.problems:
        for problem in error.problems:
            typer.echo(problem, err=True)
    else:
        typer.echo(str(error), err=True)
    raise typer.Exit(1)
