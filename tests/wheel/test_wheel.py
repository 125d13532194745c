"""The built wheel, in an environment that does not know the checkout, started from `/`."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from telephony.find import find_asterisk
from telephony.identity import free_tcp_port
from tests.asterisk_node import free_rtp_ports, free_udp_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROOT = Path(__file__).parent.parent.parent
OURS = (
    "app",
    "hotline",
    "telephony",
    "ivr",
    "acd",
    "agents",
    "recordings",
    "transcription",
    "tickets",
    "quality",
    "calls",
    "console",
)


class Installed:
    """The wheel and the environment that it is installed in."""

    def __init__(self, folder: Path) -> None:
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
        subprocess.run(build, check=True, capture_output=True, timeout=120)
        self.wheel = next(folder.glob("*.whl"))
        self.home = folder / "env"
        venv.create(self.home, with_pip=False)
        libraries = Path(sysconfig.get_paths(vars={"base": str(self.home), "platbase": str(self.home)})["purelib"])
        with zipfile.ZipFile(self.wheel) as archive:
            archive.extractall(libraries)
        # The dependencies as they are; a path added this way does not bring the checkout's editable install along.
        (libraries / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        self.libraries = libraries

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), *words], cwd="/", env=self.environment | environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    @property
    def python(self) -> Path:
        return self.home / "bin" / "python"

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "HOTLINE_DATA": str(self.home / "data")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("wheel"))


def test_each_of_our_names_is_ours(installed: Installed) -> None:
    names = ", ".join(OURS)
    shown = installed.run("-c", f"import {names}\nfor one in ({names}): print(one.__file__)")
    assert shown.returncode == 0, shown.stderr
    assert all(line.startswith(str(installed.libraries)) for line in shown.stdout.split())


def test_the_command_starts_from_anywhere(installed: Installed) -> None:
    shown = installed.run("-m", "app", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "serve" in shown.stdout


def test_shipped_flows_and_prompts_are_there(installed: Installed) -> None:
    shown = installed.run("-m", "app", "ivr", "simulate", "12329", "--at", "2026-02-14T20:00")
    assert shown.returncode == 0, shown.stderr + shown.stdout


def test_the_configuration_of_asterisk_is_there(installed: Installed) -> None:
    shown = installed.run("-c", "from telephony.config import templates; print(len(templates()))")
    assert shown.returncode == 0, shown.stderr
    assert int(shown.stdout) > 15


def test_the_demonstration_model_is_there(installed: Installed) -> None:
    shown = installed.run("-m", "app", "model", "check", "--json", HOTLINE_DEMO="1")
    assert shown.returncode == 0, shown.stderr + shown.stdout
    assert json.loads(shown.stdout)["folder"].startswith(str(installed.libraries))


def test_everything_that_is_no_code_is_there_and_nothing_of_the_workshop(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
    sources = ROOT / "console" / "web"
    data = {file.relative_to(ROOT).as_posix() for package in OURS[1:] for file in (ROOT / package).rglob("*")
            if file.is_file() and file.suffix != ".pyc" and not file.is_relative_to(sources)}  # fmt: skip
    assert data <= names
    pages = {"console/static/index.html", "console/dist/index.html"}
    assert pages | {"hotline/migrations/env.py", "hotline/py.typed"} <= names
    outside = ("tests/", "bench/", "scripts/", "speech/", "var/", "console/web/")
    assert not [name for name in names if name.startswith(outside) or "node_modules" in name]


def test_the_whole_hotline_starts_from_it_and_ends_at_ctrl_c(installed: Installed) -> None:
    environment = installed.environment | {
        "HOTLINE_ASTERISK": os.environ.get("HOTLINE_ASTERISK") or find_asterisk("").origin,
        "HOTLINE_HTTP_PORT": str(free_tcp_port()),
        "HOTLINE_SIP_PORT": str(free_udp_port()),
        "HOTLINE_RTP_PORTS": free_rtp_ports(),
    }
    with subprocess.Popen(
        [str(installed.python), "-m", "app", "serve", "--demo"], cwd="/", env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as serving:  # fmt: skip
        assert serving.stdout is not None
        said = list(_until_ready(serving.stdout))
        serving.send_signal(signal.SIGINT)
        said += serving.stdout
    assert any(line.startswith("READY") for line in said), "".join(said)
    assert serving.returncode == 0, "".join(said)
    assert "Traceback" not in "".join(said)


def _until_ready(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if line.startswith("READY"):
            return
