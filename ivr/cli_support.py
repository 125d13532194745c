"""What the room's commands share: where the catalogue comes from without a running server, and how they fail."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

from hotline.errors import BadInput, HotlineError, Unavailable
from hotline.settings import Settings
from hotline.sql import connect
from ivr import snapshot
from ivr.catalogue_file import parse
from ivr.loader import read_limited
from ivr.model import Catalogue
from ivr.service import DATA, DEMO, SNAPSHOT
from ivr.store_sql import SqlNumberStore

T = TypeVar("T")


def fail(error: HotlineError) -> NoReturn:
    """Say every mistake on standard error and exit with 1."""
    for problem in getattr(error, "problems", ()):
        typer.echo(problem, err=True)
    typer.echo(str(error), err=True)
    raise typer.Exit(1)


def with_store(settings: Settings, work: Callable[[SqlNumberStore], Awaitable[T]]) -> T:
    """Run `work` on the stored catalogue.

    Raises:
        Unavailable: there is no usable database.
    """

    async def run() -> T:
        database = connect(settings.sqlalchemy_url)
        try:
            return await work(SqlNumberStore(database))
        except SQLAlchemyError as error:
            message = "The database has no tables for numbers: start `hotline serve` once, it makes them."
            raise Unavailable(message) from error
        finally:
            await database.close()

    return asyncio.run(run())


def catalogue_at_hand(settings: Settings) -> tuple[Catalogue, str]:
    """The catalogue and where it comes from: the last one in force here, else the shipped demonstration data."""
    kept = snapshot.read(settings.data / SNAPSHOT, settings.region)
    if kept:
        return kept.catalogue, "last in force"
    return shipped(settings.region), "shipped demonstration data"


def shipped(home: str) -> Catalogue:
    """The demonstration catalogue."""
    catalogue = Catalogue(home=home)
    for name in DEMO:
        catalogue = parse((DATA / name).read_bytes(), name, catalogue)
    return catalogue


def read_files(files: list[Path], base: Catalogue) -> Catalogue:
    """Files joined to `base`, one after the other; every mistake of every file at once.

    Raises:
        BadInput: mistakes.
    """
    problems: list[str] = []
    for file in files:
        try:
            base = parse(read_limited(file), str(file), base)
        except BadInput as error:
            problems += error.problems or (str(error),)
    if problems:
        raise BadInput(f"{len(problems)} mistakes were found; nothing was changed.", tuple(problems))
    return base
