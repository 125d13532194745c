"""The built wheel, in an environment that does not know the checkout, started from `/`."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

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

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.home / "bin" / "python"), *words]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "HOTLINE_DATA": str(self.home / "data")}
        return subprocess.run(
            command, cwd="/", env=environment, capture_output=True, text=True, timeout=120, check=False
        )


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
    shown = installed.run("-m", "app", "model", "check", "--json")
    assert shown.returncode == 0, shown.stderr + shown.stdout


def test_pages_and_migrations_are_there(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
    assert {"console/static/index.html", "console/static/status.js", "hotline/migrations/env.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "var/"))]
