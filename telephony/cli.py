"""`hotline dial`: a real telephone call from the command line. `app` is merged into the product's own."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hotline.errors import BadInput, HotlineError
from hotline.settings import Settings, load_settings
from telephony import dial as dialling
from telephony.audio import write_wav
from telephony.samples import ANY, what_to_say
from telephony.softphone import Softphone, diversion
from telephony.softphone.model import check_keys, check_number

CALLER = "13900012345"
"""The calling number unless another is given."""
BARS = "▁▂▃▄▅▆▇█"

app = typer.Typer()


@app.command("dial")
def dial(
    number: Annotated[str, typer.Argument(help="The number to call, for example 12329.")],
    say: Annotated[
        str, typer.Option(help=f"A WAV file, or the name of a sample ({ANY} for the first), said when it is our turn.")
    ] = "",
    keys: Annotated[str, typer.Option(help="Keys to press, groups separated by commas, each when a menu waits.")] = "",
    hold: Annotated[float, typer.Option(min=0, help="Seconds after the answer at which we hang up.")] = 60.0,
    after: Annotated[
        float | None, typer.Option(min=0, help="Seconds after the answer at which we speak, instead of in turn.")
    ] = None,
    repeat: Annotated[bool, typer.Option("--repeat/--once", help="Speak again at every later turn.")] = True,
    caller: Annotated[str, typer.Option("--from", help="The calling number; empty to withhold it.")] = CALLER,
    diverted_from: Annotated[str, typer.Option(help="The number that forwarded the call (Diversion).")] = "",
    server: Annotated[str, typer.Option(help="HOST:PORT of SIP; the running hotline's unless given.")] = "",
    listen: Annotated[Path | None, typer.Option(help="Write what was heard to this WAV file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Place a real call, print what was heard and how it ended; fails when nobody answers."""
    try:
        settings = load_settings()
        wish = dialling.Wish(
            number=check_number(number), caller=caller and check_number(caller), hold=hold, after=after, repeat=repeat,
            keys=tuple(check_keys(group.strip()) for group in keys.split(",") if group.strip()),
            say=what_to_say(say, settings.data) if say else b"",
            headers=(diversion(diverted_from),) if diverted_from else (),
        )  # fmt: skip
        known = dialling.known_prompts(settings.data / "prompts")
        with Softphone(sip_address(server, settings)) as phone:
            report, heard = dialling.dial(phone, wish, known)
        if listen:
            _write(listen, heard)
    except HotlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json or report.answered:
        typer.echo(msgspec.json.encode(report).decode() if as_json else text(report))
    if not report.answered:
        typer.echo(dialling.sentence(report), err=True)
        raise typer.Exit(1)


def sip_address(server: str, settings: Settings) -> tuple[str, int]:
    """Where to call: `HOST:PORT` as given, else where the hotline of these settings listens.

    Raises:
        BadInput: it is no HOST:PORT.
    """
    if not server:
        return ("127.0.0.1" if settings.bind == "0.0.0.0" else settings.bind), settings.sip_port  # noqa: S104
    host, colon, port = server.rpartition(":")
    if not (colon and host and port.isdigit() and 0 < int(port) < 65536):
        raise BadInput(f"{server} is no address: write it as HOST:PORT, for example 127.0.0.1:5060.")
    return host, int(port)


def text(report: dialling.Report) -> str:
    """The report of an answered call for a person."""
    heard = "nothing" if report.first_audio_ms is None else f"first after {report.first_audio_ms} ms"
    return "\n".join(
        [
            dialling.sentence(report),
            f"  answered  {report.answer_ms} ms after dialling",
            f"  heard     {heard}  {bars(report.loudness)}  (half seconds)",
            *(
                f"  prompt    {p.at:5.1f} s  {p.name}{'' if p.whole else ' (cut off)'}  {p.score:.2f}"
                for p in report.prompts
            ),
            *(f"  we spoke  {moment:5.1f} s" for moment in report.said),
            f"  packets   {report.sent} sent, {report.received} received, {report.lost} lost",
            f"            longest gap {report.max_gap_ms} ms",
            f"  ended     {report.ended_by} (SIP {report.status} {report.phrase}, cause {report.cause})",
        ]
    )


def bars(loudness: tuple[float, ...]) -> str:
    """-60 dBFS and less is the lowest bar, -10 and more the highest."""
    return "".join(BARS[min(len(BARS) - 1, max(0, round((level + 60) / 50 * (len(BARS) - 1))))] for level in loudness)


def _write(file: Path, pcm: bytes) -> None:
    try:
        write_wav(file, pcm)
    except OSError as error:
        raise BadInput(f"What was heard cannot be written to {file}: {error.strerror}.") from error
