"""The demonstration seat as the product runs it: a process that signs in over HTTP, answers over SIP and goes on
SIGTERM. The API is a double that keeps one seat's state; Asterisk is real."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from telephony.audio import rms, seconds
from telephony.softphone import CallState, EndedBy
from tests.integration.telephony.softphone_switch import PASSWORD, Switch, running_switch
from tests.phones import Citizen, ended, eventually
from tests.speech import mandarin

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
TOKEN = "a token of the tests"


class SeatDouble:
    """One seat behind the product's routes."""

    def __init__(self) -> None:
        self.state = ""
        self.actions: list[str] = []
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({"items": [{"seat": "8001", "state": double.state or None}], "next": None})

            def do_POST(self) -> None:
                assert self.headers["authorization"] == f"Bearer {TOKEN}"
                self.rfile.read(int(self.headers["content-length"]))
                action = self.path.removeprefix("/api/v1/seats/8001/")
                double.actions.append(action)
                double.state = "" if action == "sign-out" else "ready"
                self._answer({"sip": {"username": "seat8001", "secret": PASSWORD}, "more": "later"})

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
                """Keep quiet."""

            def _answer(self, body: object) -> None:
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self) -> "SeatDouble":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    with running_switch(tmp_path / "asterisk") as running:
        yield running


@pytest.fixture
def api() -> Iterator[SeatDouble]:
    with SeatDouble() as double:
        yield double


@pytest.fixture
def seat(switch: Switch, api: SeatDouble, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    server = f"{switch.server[0]}:{switch.server[1]}"
    url = f"http://127.0.0.1:{api.server.server_address[1]}"
    process = subprocess.Popen(
        [sys.executable, "-c", "from agents.demo_seat import app; app()", "--server", server, "--api", url],
        cwd=ROOT, env={**os.environ, "HOTLINE_DATA": str(tmp_path / "data"), "HOTLINE_TOKEN": TOKEN}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_seat_answers_talks_back_in_turn_and_hangs_up(
    switch: Switch, api: SeatDouble, seat: "subprocess.Popen[str]"
) -> None:
    with Citizen(switch.server) as citizen:
        eventually(lambda: api.state == "ready", "the seat signs in", 20)
        eventually(lambda: _is_registered(citizen), "its phone is registered", 10)
        words = mandarin("公积金提取需要什么材料", "f5")
        call = citizen.talk("8001", saying=words)
        api.state = "talking"
        assert call.wait_until(CallState.ENDED, 40)
        assert call.ending is not None
        assert call.ending.by is EndedBy.THEM
        assert rms(call.ear.pcm()) > 500, "it spoke"
        assert 5 < seconds(call.ear.pcm(on_time=True)) < 40
        api.state = "wrap_up"
        eventually(lambda: api.state == "ready", "it ends its wrap-up", 10)
        assert api.actions[-1] == "end-wrap-up"
        api.state = "paused"
        eventually(lambda: api.state == "ready", "it resumes after a pause", 10)
        api.state = ""
        eventually(lambda: api.state == "ready", "it signs in again when the hotline forgot it", 10)
    seat.terminate()
    output, _ = seat.communicate(timeout=10)
    assert seat.returncode == 0, output
    assert api.actions[-1] == "sign-out"


def test_termination_in_the_middle_of_a_talk_ends_the_call_and_the_seat(
    switch: Switch, api: SeatDouble, seat: "subprocess.Popen[str]"
) -> None:
    with Citizen(switch.server) as citizen:
        eventually(lambda: _is_registered(citizen), "its phone is registered", 20)
        call = citizen.talk("8001")
        seat.send_signal(signal.SIGTERM)
        output, _ = seat.communicate(timeout=10)
        assert seat.returncode == 0, output
        ended(call)
        assert api.actions[-1] == "sign-out"


def test_seat_without_a_token_says_so(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HOTLINE_TOKEN"}
    environment["HOTLINE_DATA"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", "from agents.demo_seat import app; app()"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "HOTLINE_TOKEN" in done.stderr


def _is_registered(citizen: Citizen) -> bool:
    """The seat's phone rings when it is called."""
    call = citizen.dial("8001")
    rang = call.wait_until(CallState.RINGING, 1)
    call.hang_up()
    ended(call)
    return rang
