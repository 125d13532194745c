"""`hotline recordings`: whether every recording is there, whole, and as it was sealed."""

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from sqlalchemy.exc import SQLAlchemyError

from hotline import schema
from hotline.errors import BadInput, HotlineError
from hotline.settings import Settings, load_settings
from hotline.sql import connect
from recordings.integrity import Head
from recordings.store_files import RecordingFiles
from recordings.verify import Report, verify

app = typer.Typer(help="Recordings: verify that every one is there and unchanged.", no_args_is_help=True)


@app.callback()
def recordings() -> None:
    """Recordings of calls."""


@app.command(name="verify")
def verify_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    expect: Annotated[
        str, typer.Option(help="SEQ:HASH of a head that was written down before; it must be in the chain.")
    ] = "",
) -> None:
    """Compare every row with its file and with the hash chain. Exits 1 when anything does not fit."""
    try:
        report = asyncio.run(_verify(load_settings(), _head(expect)))
    except HotlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except SQLAlchemyError as error:
        typer.echo("The database has no tables of recordings: start `hotline serve` once.", err=True)
        raise typer.Exit(2) from error
    typer.echo(msgspec.json.encode(_as_json(report)).decode() if as_json else _as_text(report))
    raise typer.Exit(0 if report.well else 1)


async def _verify(settings: Settings, expected: Head | None) -> Report:
    schema.check_there(settings.sqlalchemy_url)
    database = connect(settings.sqlalchemy_url)
    files = RecordingFiles(settings.data / "recordings", ZoneInfo(settings.timezone))
    try:
        return await verify(database, files, expected)
    finally:
        await database.close()


def _head(text: str) -> Head | None:
    if not text:
        return None
    seq, _, digest = text.partition(":")
    if not seq.isdigit() or not digest:
        raise BadInput("Write the expected head as SEQ:HASH, as an earlier run printed it.")
    return Head(int(seq), digest)


def _as_json(report: Report) -> dict[str, object]:
    return {"ok": report.well, **msgspec.structs.asdict(report)}


def _as_text(report: Report) -> str:
    lines = [f"{trouble.finding}: {trouble.subject} {trouble.detail}".rstrip() for trouble in report.troubles]
    head = f"{report.head.seq}:{report.head.hash}" if report.head else "none"
    lines.append(f"{report.recordings} recordings, {report.links} links, head {head}, {len(lines)} troubles")
    return "\n".join(lines)
