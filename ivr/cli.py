"""`hotline ivr`: check the flows, simulate a call."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hotline.clock import SystemClock
from hotline.errors import HotlineError
from hotline.settings import load_settings
from ivr import shelf
from ivr.calendar import Calendar
from ivr.catalogue_file import parse
from ivr.cli_support import catalogue_at_hand, fail
from ivr.flow import Flow, FlowRun
from ivr.lint import Finding, Severity, lint
from ivr.loader import load_flow, load_folder, read_limited
from ivr.model import Catalogue
from ivr.moments import moment
from ivr.numbers import identify, normalise
from ivr.prompts import PromptSet, render_all
from ivr.simulate import Simulation, simulate

app = typer.Typer(help="What callers hear: check the flows, simulate a call.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("check")
def check(
    path: Annotated[Path | None, typer.Argument(help="A flow's file or a folder; the flows in force without.")] = None,
    as_json: Json = False,
    language: Annotated[
        str, typer.Option(envvar=["HOTLINE_LANGUAGE", "LC_ALL", "LANG"], help="zh for findings in Chinese.")
    ] = "",
) -> None:
    """Find mistakes in flows (exit code 1) and what is unwise."""
    try:
        settings = load_settings()
        catalogue, _ = catalogue_at_hand(settings)
        flows, problems = _flows(path, settings.data / "flows")
        prompts = render_all(settings.data, catalogue.entries)
    except HotlineError as error:
        fail(error)
    findings = lint(flows, catalogue, prompts.length)
    if path:
        findings = [one for one in findings if one.file in {flow.file for flow in _under(path, flows)}]
    chinese = language.startswith("zh")
    _report(problems, findings, prompts, len(_under(path, flows)), as_json=as_json, chinese=chinese)


def _flows(path: Path | None, tenant: Path) -> tuple[dict[str, Flow], list[str]]:
    """The flows to look at, beside the ones in force that they belong to."""
    in_force = shelf.load(shelf.folders(tenant))
    if path is None:
        return in_force.flows, list(in_force.problems)
    if path.is_dir():
        found, wrong = load_folder(path)
        return in_force.flows | found, [problem for problems in wrong.values() for problem in problems]
    try:
        flow = load_flow(read_limited(path), str(path))
    except HotlineError as error:
        return in_force.flows, list(getattr(error, "problems", ()) or (str(error),))
    return in_force.flows | {flow.name: flow}, []


def _under(path: Path | None, flows: dict[str, Flow]) -> list[Flow]:
    if path is None:
        return list(flows.values())
    return [flow for flow in flows.values() if Path(flow.file) == path or Path(flow.file).parent == path]


def _report(
    problems: list[str], findings: list[Finding], prompts: PromptSet, flows: int, *, as_json: bool, chinese: bool
) -> None:
    told = [(one.severity, one.told(chinese=chinese)) for one in findings]
    errors = [*problems, *(sentence for severity, sentence in told if severity is Severity.ERROR)]
    advice = [*(sentence for severity, sentence in told if severity is Severity.WARNING), *prompts.problems]
    if as_json:
        typer.echo(json.dumps({"errors": errors, "warnings": advice, "flows": flows}, ensure_ascii=False, indent=1))
    else:
        for line in (*errors, *advice):
            typer.echo(line)
        typer.echo(f"{flows} flows: {len(errors)} errors, {len(advice)} warnings")
    if errors:
        raise typer.Exit(1)


@app.command("simulate")
def simulate_call(
    number: Annotated[str, typer.Argument(help="The dialled number, as citizens dial it.")],
    keys: Annotated[str, typer.Option(help="Keys the caller presses, one per question, e.g. 1,2.")] = "",
    at: Annotated[str, typer.Option(help="Time of the call, e.g. 2026-02-14T20:00; now when left out.")] = "",
    file: Annotated[Path | None, typer.Option(help="A catalogue file to try instead of the one in force.")] = None,
    as_json: Json = False,
) -> None:
    """Say in words what a call would meet, up to a person or an end."""
    try:
        settings = load_settings()
        catalogue, source = catalogue_at_hand(settings)
        if file:
            catalogue, source = parse(read_limited(file), str(file), Catalogue(home=settings.region)), str(file)
        if normalise(number, settings.region) is None:
            typer.echo("This is not a telephone number.", err=True)
            raise typer.Exit(1)
        dialled = identify(catalogue, number, "", (), when := moment(at, SystemClock().now()))
        flows = shelf.load(shelf.folders(settings.data / "flows"))
        prompts = render_all(settings.data, catalogue.entries)
    except HotlineError as error:
        fail(error)
    calendar = Calendar(profiles=catalogue.profiles, days=catalogue.days)
    run = FlowRun(flow=flows.for_entry(dialled.entry), dialled=dialled, at=when, calendar=calendar)
    found = simulate(run, [key.strip() for key in keys.split(",") if key.strip()], prompts.length)
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(found) | {"catalogue": source}, ensure_ascii=False, indent=1))
    else:
        _tell(found, dialled.entry.mode.chinese, source)


def _tell(found: Simulation, mode: str, source: str) -> None:
    owner = {
        True: "the owner's seats answer now",
        False: "the owner's seats do not answer now",
        None: "no office hours",
    }
    typer.echo(f"{found.number} {found.name} ({mode}), region {found.region}; catalogue: {source}")
    typer.echo(f"{found.at}: {found.day} day, {owner[found.open]}; flow {found.flow} {found.version}")
    for one in found.moments:
        typer.echo(f"{one.after_s:6.1f} s  {one.node:18} {one.words}")
    typer.echo(f"{found.outcome}{f'; topic {found.topic}' if found.topic else ''}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
