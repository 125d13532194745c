"""`hotline doctor` on this machine: what is taken, wrong or not there is said in one line, and nothing is changed."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import console.cli
from telephony.identity import free_tcp_port
from tests.asterisk_node import AsteriskNode, free_rtp_ports, free_udp_port
from tests.servers import RedisServer

pytestmark = pytest.mark.integration


class Doctor:
    """The command, in an environment of its own."""

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data = data
        self._patch = monkeypatch
        for name in [name for name in os.environ if name.startswith("HOTLINE_") and name != "HOTLINE_ASTERISK"]:
            monkeypatch.delenv(name)
        self.set(
            HOTLINE_DATA=str(data),
            HOTLINE_HTTP_PORT=str(free_tcp_port()),
            HOTLINE_SIP_PORT=str(free_udp_port()),
            HOTLINE_RTP_PORTS=free_rtp_ports(),
        )

    def set(self, **environment: str) -> None:
        for name, value in environment.items():
            self._patch.setenv(name, value)

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and output."""
        app = typer.Typer()
        app.command()(console.cli.doctor)
        shown = CliRunner().invoke(app, list(words))
        return shown.exit_code, shown.stdout

    def finding(self, name: str, **environment: str) -> tuple[str, str]:
        """The verdict on one thing, and what was said."""
        self.set(**environment)
        code, shown = self.run("--json")
        told: dict[str, Any] = json.loads(shown)
        assert told["ok"] is (code == 0)
        one = next(one for one in told["findings"] if one["name"] == name)
        return one["verdict"], f"{one['found']} {one.get('todo', '')}"


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    return Doctor(tmp_path / "data", monkeypatch)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.kill()


def test_all_is_well_on_a_machine_that_is_set_up_and_nothing_is_made(doctor: Doctor) -> None:
    code, shown = doctor.run()
    assert code == 0, shown
    assert all(line.split()[0] in {"ok", "optional", "Everything"} for line in shown.splitlines())
    assert not doctor.data.exists()


def test_ports_that_others_use_are_named_with_the_setting(doctor: Doctor) -> None:
    with socket.socket() as web, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip:
        web.bind(("127.0.0.1", 0))
        web.listen()
        sip.bind(("127.0.0.1", 0))
        ports = {"HOTLINE_HTTP_PORT": str(web.getsockname()[1]), "HOTLINE_SIP_PORT": str(sip.getsockname()[1])}
        for name, setting in (("http port", "HOTLINE_HTTP_PORT"), ("sip port", "HOTLINE_SIP_PORT")):
            verdict, said = doctor.finding(name, **ports)
            assert verdict == "missing"
            assert setting in said
            assert ports[setting] in said


def test_media_ports_that_others_use_are_counted(doctor: Doctor) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        first = min(port, 65535 - 10)
        verdict, said = doctor.finding("media ports", HOTLINE_RTP_PORTS=f"{first}-{first + 10}")
    assert verdict == "optional"
    assert "taken" in said


def test_wrong_settings_are_a_finding_too(doctor: Doctor) -> None:
    verdict, said = doctor.finding("settings", HOTLINE_SIP_PORT="many")
    assert verdict == "missing"
    assert "HOTLINE_SIP_PORT" in said


@pytest.mark.parametrize(
    ("setting", "name"), [("HOTLINE_ASTERISK", "asterisk"), ("HOTLINE_VOSK_MODEL", "speech model")]
)
def test_a_folder_that_is_not_there_is_named(doctor: Doctor, tmp_path: Path, setting: str, name: str) -> None:
    verdict, said = doctor.finding(name, **{setting: str(tmp_path / "nowhere")})
    assert verdict == "missing"
    assert str(tmp_path / "nowhere") in said


@pytest.mark.parametrize(
    ("setting", "url", "name"),
    [
        ("HOTLINE_DATABASE_URL", "postgresql://hotline:secret@127.0.0.1:{port}/hotline", "database"),
        ("HOTLINE_REDIS_URL", "redis://:secret@127.0.0.1:{port}/0", "event log"),
        ("HOTLINE_AMI_URL", "ami://hotline:secret@127.0.0.1:{port}", "asterisk"),
    ],
)
def test_servers_that_do_not_answer_are_missing_and_no_secret_is_shown(
    doctor: Doctor, setting: str, url: str, name: str
) -> None:
    verdict, said = doctor.finding(name, **{setting: url.format(port=free_tcp_port())})
    assert verdict == "missing"
    assert "secret" not in said


def test_a_redis_that_answers_is_well(doctor: Doctor, redis: RedisServer) -> None:
    assert doctor.finding("event log", HOTLINE_REDIS_URL=redis.url) == ("ok", "Redis answers ")


def test_an_asterisk_of_somebody_else_is_asked_for_version_and_rights(
    doctor: Doctor, shared_asterisk_node: AsteriskNode
) -> None:
    ami = shared_asterisk_node.ami
    url = f"ami://{ami.user}:{{}}@{ami.host}:{ami.port}"
    verdict, said = doctor.finding("asterisk", HOTLINE_AMI_URL=url.format(ami.secret))
    assert verdict == "ok", said
    assert str(ami.port) in said
    verdict, said = doctor.finding("asterisk", HOTLINE_AMI_URL=url.format("wrong"))
    assert verdict == "missing"
    assert "refused the AMI account" in said
