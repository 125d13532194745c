"""A seat that answers by itself and talks back, so that a newcomer sees a whole call without any phone.

It is a client like every other: it signs in through the HTTP API, registers a softphone and keeps itself ready.
Knows no room's inside. `hotline demo-seat` runs it until SIGTERM.
"""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import structlog
import typer
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hotline.clock import Clock, SystemClock
from hotline.errors import BadInput, HotlineError
from hotline.log import set_up
from hotline.parent import end_with
from hotline.settings import Settings, load_settings
from telephony.audio import read_wav
from telephony.cli import sip_address
from telephony.samples import Sample, render_sample
from telephony.softphone import Account, Call, CallState, IncomingCall, Softphone
from telephony.softphone.turns import Turns

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).with_name("demo_seat.yaml")
TOKEN = "HOTLINE_TOKEN"  # noqa: S105  # the name of an environment variable
UPKEEP = 2.0
"""Seconds between two looks at the seat's state."""
PATIENCE = 4.0
"""Seconds of silence after which it speaks, although nothing was heard."""
PAUSE = 1.0
LONGEST_TALK = 60.0
FAREWELL = 0.5

app = typer.Typer()


class Talk(msgspec.Struct, frozen=True):
    """What the seat says."""

    lines: tuple[str, ...]
    voice: str
    answer_after: float = 1.0


class _Sip(msgspec.Struct, frozen=True):
    username: str
    secret: str


class _SignedIn(msgspec.Struct, frozen=True):
    sip: _Sip


class _Seat(msgspec.Struct, frozen=True):
    seat: str
    state: str | None = None


class _Seats(msgspec.Struct, frozen=True):
    items: tuple[_Seat, ...]


class SeatApi:
    """The routes that a seat needs. `client` has the base address and the bearer token.

    Every method raises httpx.HTTPError when the hotline does not answer or refuses."""

    def __init__(self, client: httpx.Client, seat: str) -> None:
        self._client, self._seat = client, seat

    def state(self) -> str:
        """The seat's state, empty when nobody is signed in."""
        answer = self._client.get("/api/v1/seats", params={"limit": 200}).raise_for_status()
        seats = msgspec.json.decode(answer.content, type=_Seats).items
        return next((one.state or "" for one in seats if one.seat == self._seat), "")

    def sign_in(self) -> Account:
        """Open the seat; its SIP account."""
        answer = self._post("sign-in")
        sip = msgspec.json.decode(answer.content, type=_SignedIn).sip
        return Account(sip.username, sip.secret)

    def resume(self) -> None:
        self._post("resume")

    def end_wrap_up(self) -> None:
        self._post("end-wrap-up")

    def sign_out(self) -> None:
        self._post("sign-out")

    def _post(self, action: str) -> httpx.Response:
        return self._client.post(f"/api/v1/seats/{self._seat}/{action}", json={}).raise_for_status()


class DemoSeat:
    """One seat that answers. `lines` is telephone audio, said one after the other in turn."""

    def __init__(
        self, api: SeatApi, sip: tuple[str, int], lines: tuple[bytes, ...], *, answer_after: float, clock: Clock
    ) -> None:
        self._api, self._sip, self._lines, self._clock = api, sip, lines, clock
        self._answer_after = answer_after
        self._phone: Softphone | None = None
        self._talks: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._look = threading.Event()

    def run(self) -> None:
        """Be a seat until `stop()`; a hotline that does not answer is tried again."""
        try:
            while not self._stopping.is_set():
                _patiently(self._keep_ready)
                self._look.wait(UPKEEP)
                self._look.clear()
        finally:
            self._leave()

    def stop(self) -> None:
        """Ask for the end; allowed in a signal handler."""
        self._stopping.set()
        self._look.set()

    def _keep_ready(self) -> None:
        state = self._api.state()
        if not state or self._phone is None:
            self._sign_in()
        elif state == "paused":
            self._api.resume()
        elif state == "wrap_up" and not self._talking:
            self._api.end_wrap_up()

    @property
    def _talking(self) -> bool:
        self._talks = [talk for talk in self._talks if talk.is_alive()]
        return bool(self._talks)

    def _sign_in(self) -> None:
        account = self._api.sign_in()
        if self._phone is not None and self._phone.account == account:
            return
        if self._phone is not None:
            self._phone.stop()
            self._phone = None
        phone = Softphone(self._sip, account=account, on_call=self._rings, ear_seconds=LONGEST_TALK)
        phone.start()
        self._phone = phone
        log.info("demonstration seat ready", account=account.user)

    def _rings(self, call: IncomingCall) -> None:
        if self._phone is not None:
            self._phone.after(self._answer_after, lambda: self._answer(call))

    def _answer(self, call: IncomingCall) -> None:
        if call.state is CallState.RINGING and not self._stopping.is_set():
            call.answer()
            talk = threading.Thread(target=self._talk, args=(call,), name="demo-talk")
            self._talks.append(talk)
            talk.start()

    def _talk(self, call: Call) -> None:
        """Say the lines in turn, then hang up; the citizen may do so at any time."""
        began = call.times[CallState.TALKING]
        until = began + LONGEST_TALK
        turns = Turns(call, self._clock)
        for number, line in enumerate(self._lines):
            if number and not turns.wait(PAUSE, until, patience=PATIENCE):
                break
            turns.say(line, until)
        turns.pause(self._clock.monotonic() + FAREWELL)
        call.hang_up()
        log.info("demonstration seat talked", seconds=round(self._clock.monotonic() - began, 1))
        self._look.set()

    def _leave(self) -> None:
        if self._phone is not None:
            self._phone.stop()
            _patiently(self._api.sign_out)
        for talk in self._talks:
            talk.join()


def load_talk(file: Path = SHIPPED) -> Talk:
    """What the seat says.

    Raises:
        BadInput: the file cannot be used.
    """
    try:
        return msgspec.convert(YAML(typ="safe").load(file.read_text("utf-8")), Talk)
    except (OSError, YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"{file} does not say what the demonstration seat says: {error}") from error


def render_talk(talk: Talk, folder: Path) -> tuple[bytes, ...]:
    """The lines as telephone audio, rendered into `folder` when they are missing there.

    Raises:
        Unavailable: there is no espeak-ng.
        BadInput: a line cannot be said, or the folder cannot be written.
    """
    samples = [Sample(f"demo_seat_{number}", line, talk.voice) for number, line in enumerate(talk.lines, 1)]
    return tuple(read_wav(render_sample(folder, sample)) for sample in samples)


@app.command("demo-seat")
def demo_seat(
    seat: Annotated[str, typer.Option(help="The seat to sign in at.")] = "8001",
    api: Annotated[str, typer.Option(help="Address of the HTTP API; this machine's unless given.")] = "",
    server: Annotated[str, typer.Option(help="HOST:PORT of SIP; the running hotline's unless given.")] = "",
    parent: Annotated[int, typer.Option(hidden=True, help="End when this process does.")] = 0,
) -> None:
    """Be a seat that answers and talks back, until it is ended. The bearer token is read from HOTLINE_TOKEN."""
    if parent:
        end_with(parent, signal.SIGTERM)
    try:
        headers, settings, talk = _credentials(), load_settings(), load_talk()
        set_up(is_json=settings.log_json)
        lines = render_talk(talk, settings.data / "prompts" / "samples")
        with httpx.Client(base_url=api or _own_api(settings), headers=headers, timeout=10) as client:
            seated = DemoSeat(
                SeatApi(client, seat), sip_address(server, settings), lines, answer_after=talk.answer_after,
                clock=SystemClock(),
            )  # fmt: skip
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda _number, _frame: seated.stop())
            seated.run()
    except HotlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _credentials() -> dict[str, str]:
    token = os.environ.get(TOKEN, "")
    if not token:
        raise BadInput(
            f"The demonstration seat has no token: set {TOKEN}, for example to `hotline token --role operator`."
        )
    return {"authorization": f"Bearer {token}"}


def _own_api(settings: Settings) -> str:
    host = "127.0.0.1" if settings.bind == "0.0.0.0" else settings.bind  # noqa: S104
    return f"http://{host}:{settings.http_port}"


def _patiently(action: Callable[[], None]) -> None:
    """Do it; a hotline that is not there yet, or not any more, is no reason to end."""
    try:
        action()
    except (httpx.HTTPError, msgspec.MsgspecError, HotlineError) as error:
        log.warning("demonstration seat waits for the hotline", reason=type(error).__name__)
