"""`hotline doctor`: what was found on this machine, which version, and what is missing."""

from typing import Annotated

import msgspec
import typer

from console.doctor import missing, report, text
from console.probes import examine
from hotline.errors import HotlineError
from hotline.settings import load_settings


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Say what was found, which version, what is missing and what to do; exits 1 when something needed is missing."""
    try:
        told = report(examine(load_settings()))
    except HotlineError as error:
        told = report([missing("settings", str(error))])
    typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode() if as_json else text(told))
    raise typer.Exit(0 if told.ok else 1)
