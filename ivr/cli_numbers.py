"""`hotline numbers`: list what the numbers mean on a day, import a catalogue, check one."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hotline.clock import SystemClock
from hotline.errors import BadInput, HotlineError
from hotline.settings import load_settings
from ivr import snapshot
from ivr.catalogue_file import parse, read_catalogue
from ivr.cli_support import catalogue_at_hand, fail, read_files, with_store
from ivr.loader import read_limited
from ivr.model import Catalogue, Entry, MergeMode
from ivr.moments import moment
from ivr.numbers import local_day, warnings
from ivr.service import SNAPSHOT, differences
from ivr.store_sql import SqlNumberStore

app = typer.Typer(help="Legacy numbers: what a dialled number means.", no_args_is_help=True)

At = Annotated[str, typer.Option("--at", help="A day such as 2026-02-14; now when left out.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_numbers(
    at: At = "",
    mode: Annotated[str, typer.Option(help="Only numbers of this mode, e.g. whole.")] = "",
    as_json: Json = False,
) -> None:
    """Numbers that hold on a day."""
    try:
        catalogue, source = catalogue_at_hand(load_settings())
        day = local_day(moment(at, SystemClock().now()))
    except HotlineError as error:
        fail(error)
    if mode and mode not in set(MergeMode):
        typer.echo(f"The mode {mode} is unknown; use one of {', '.join(MergeMode)}.", err=True)
        raise typer.Exit(1)
    entries = [one for one in catalogue.entries if one.holds_on(day) and mode in {"", one.mode}]
    if as_json:
        typer.echo(json.dumps([msgspec.to_builtins(one) for one in entries], ensure_ascii=False, indent=1))
        return
    for entry in entries:
        where = entry.region or "-"
        typer.echo(f"{entry.number:12} {where:5} {entry.mode.chinese}  {entry.name}  {entry.owner_unit}")
    typer.echo(f"{len(entries)} numbers on {day} ({source})", err=True)


@app.command("import")
def import_numbers(
    files: Annotated[list[Path], typer.Argument(help="YAML or CSV files.")],
    who: Annotated[str, typer.Option(help="Name for the ledger.")] = "command line",
    as_json: Json = False,
) -> None:
    """Import files into the database: each of them whole or not at all; all mistakes at once."""
    settings, clock = load_settings(), SystemClock()

    async def work(store: SqlNumberStore) -> tuple[int, Catalogue]:
        changed = 0
        revision, catalogue = await store.load(settings.region)
        new = read_files(files, catalogue)
        if differences(catalogue, new):
            changed = await store.save(new, expected=revision, who=who, at=clock.now())
            revision, new = await store.load(settings.region)
            snapshot.write(settings.data / SNAPSHOT, revision, new)
        return changed, new

    try:
        changed, catalogue = with_store(settings, work)
    except HotlineError as error:
        fail(error)
    told = {"changed": changed, "entries": len(catalogue.entries)}
    typer.echo(json.dumps(told) if as_json else f"{changed} changed, {len(catalogue.entries)} entries now")


@app.command("check")
def check_numbers(
    files: Annotated[list[Path] | None, typer.Argument(help="Files to check; the catalogue in force without.")] = None,
    at: At = "",
    as_json: Json = False,
) -> None:
    """Find mistakes (exit code 1) and what should be looked at, without changing anything."""
    try:
        catalogue, source = catalogue_at_hand(load_settings())
        day = local_day(moment(at, SystemClock().now()))
    except HotlineError as error:
        fail(error)
    problems, advice = _check_files(files, catalogue, day) if files else ([], _advice(catalogue.entries, day))
    if as_json:
        typer.echo(json.dumps({"problems": problems, "warnings": advice}, ensure_ascii=False, indent=1))
    else:
        for line in [*problems, *(f"warning: {told}" for told in advice)]:
            typer.echo(line)
        checked = f"{len(files)} files" if files else source
        typer.echo(f"{checked}: {len(problems)} mistakes, {len(advice)} warnings")
    if problems:
        raise typer.Exit(1)


def _check_files(files: list[Path], base: Catalogue, day: date) -> tuple[list[str], list[str]]:
    """Mistakes and advice of every file, each joined to what came before it."""
    problems: list[str] = []
    advice: list[str] = []
    for file in files:
        try:
            content = read_limited(file)
            base = parse(content, str(file), base)
            found = read_catalogue(content, str(file), base.home)
        except BadInput as error:
            problems += error.problems or (str(error),)
            continue
        advice += (f"{file}: {told}" for told in found.unknown)
        advice += _advice([entry for entry, _ in found.entries], day)
    return problems, advice


def _advice(entries: Iterable[Entry], day: date) -> list[str]:
    """What should be looked at on that day."""
    return [f"{entry.number}: {told}" for entry in entries for told in warnings(entry, day)]
