"""`hotline audit`: whether every line is there and as it was written, without a running server."""

import asyncio
from typing import Annotated

import msgspec
import typer

from hotline import schema
from hotline.audit_sql import SqlAudit
from hotline.clock import SystemClock
from hotline.errors import BadInput, HotlineError
from hotline.settings import load_settings
from hotline.sql import connect

app = typer.Typer(help="The audit: verify that nobody changed or removed a line.", no_args_is_help=True)


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    ok: bool
    lines: int
    digest: str
    """Seal of the last line."""
    broken_at: int | None
    """Position of the first line that is not as it was written, or is missing."""


@app.callback()
def audit() -> None:
    """Who saw, played and changed what."""


@app.command("verify")
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    expect: Annotated[
        str, typer.Option(help="SEQ:DIGEST of a head that was written down before; it must be in the chain.")
    ] = "",
) -> None:
    """Recompute every line's seal. Exits 1 when a line was changed or removed, 2 when it cannot be looked at."""
    try:
        found = asyncio.run(_verify(load_settings().sqlalchemy_url, _head(expect)))
    except HotlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(msgspec.json.encode(found).decode() if as_json else _sentence(found))
    raise typer.Exit(0 if found.ok else 1)


async def _verify(url: str, noted: tuple[int, str] | None) -> Verified:
    schema.check(url)
    database = connect(url)
    try:
        chain = SqlAudit(database, SystemClock())
        seq, digest = await chain.head()
        broken_at = await chain.verify(noted)
    finally:
        await database.close()
    return Verified(ok=broken_at is None, lines=seq, digest=digest, broken_at=broken_at)


def _head(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    seq, _, digest = text.partition(":")
    if not (seq.isascii() and seq.isdigit() and len(seq) < 19 and digest):
        raise BadInput("Write the expected head as SEQ:DIGEST, as an earlier run printed it.")
    return int(seq), digest


def _sentence(found: Verified) -> str:
    if found.ok:
        return f"{found.lines} lines, all as they were written; head {found.lines}:{found.digest}"
    return f"Line {found.broken_at} is not as it was written, or is missing; head {found.lines}:{found.digest}"
