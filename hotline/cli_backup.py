"""`hotline backup FILE.tar.gz` and `hotline restore FILE.tar.gz`: the data folder, while it is in use, and back."""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hotline.backup import Manifest, elsewhere, make_backup
from hotline.clock import SystemClock
from hotline.errors import HotlineError
from hotline.restore import restore_backup
from hotline.settings import load_settings

Archive = Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="The archive.")]
Json = Annotated[bool, typer.Option("--json", help="Print what is in it as JSON.")]


def backup(
    file: Archive,
    without_recordings: Annotated[bool, typer.Option("--without-recordings", help="Leave the sound out.")] = False,
    as_json: Json = False,
) -> None:
    """Write everything that cannot be made again into an archive; the hotline may run meanwhile. It holds secrets."""
    try:
        told, notes = make_backup(load_settings(), file, SystemClock().now(), recordings=not without_recordings)
    except HotlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    _tell(told, f"{file} holds {_content(told)}. It holds secrets too: keep it safe.", as_json=as_json)
    for note in notes:
        typer.echo(note, err=True)


def restore(file: Archive, as_json: Json = False) -> None:
    """Put a backup into an empty data folder, when all of it is as it was written."""
    os.umask(0o077)
    try:
        settings = load_settings()
        told = restore_backup(settings, file)
    except HotlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    moment = f"{told.made_at:%Y-%m-%d %H:%M} UTC"
    _tell(told, f"{settings.data} holds what it held at {moment}: {_content(told)}.", as_json=as_json)
    if told.model:
        typer.echo("A speech model was installed: install it again with `hotline model install FILE.zip`.", err=True)
    for note in elsewhere(settings):
        typer.echo(note, err=True)


def _tell(told: Manifest, sentence: str, *, as_json: bool) -> None:
    typer.echo(msgspec.json.encode(told).decode() if as_json else sentence)


def _content(told: Manifest) -> str:
    size = sum(one.size for one in told.files) / (1 << 20)
    sound = "recordings included" if told.recordings else "without recordings"
    return f"{len(told.files)} files, {size:.1f} MiB, {sound}"
