"""A newcomer with a fresh checkout does what the README says, word for word; packages are those here already."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from console.pages import LANDING
from hotline.security import Role
from telephony.identity import free_tcp_port
from tests.asterisk_node import free_rtp_ports, free_udp_port
from tests.house import ROOT, end_asterisk
from tests.phones import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

READY_S = 90.0
SECOND_S = 30.0
ACCOUNT = re.compile(r"^  ([a-z]+) +(\S+)   \(([a-z, ]+)\)$")


class Checkout:
    """A clone of what is committed, whose `.venv` is this one's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", folder], check=True, timeout=60)
        binaries = folder / ".venv" / "bin"
        binaries.mkdir(parents=True)
        python = ROOT / ".venv" / "bin" / "python"
        self._script(binaries / "python", f'exec {python} "$@"')
        self._script(binaries / "hotline", f'export PYTHONPATH={folder}\nexec {python} -m app "$@"')
        for lock in ("requirements", "requirements-dev"):
            (folder / ".venv" / f"installed-{lock}").write_text(self._sum(f"{lock}.lock") + "\n")
        self.http_port = free_tcp_port()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")} | {
            "HOTLINE_HTTP_PORT": str(self.http_port),
            "HOTLINE_SIP_PORT": str(free_udp_port()),
            "HOTLINE_RTP_PORTS": free_rtp_ports(),
        }
        # The pages as they are built here; set-up builds them anew only when the commit has others.
        shutil.copytree(ROOT / "console" / "dist", folder / "console" / "dist")
        self.readme = (folder / "README.md").read_text("utf-8")
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @staticmethod
    def _script(path: Path, body: str) -> None:
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def _sum(self, lock: str) -> str:
        # What scripts/setup asks: the lock, the project file and the place.
        words = f"{{ cat {lock} pyproject.toml; pwd; }} | sha256sum | cut -c1-64"
        done = subprocess.run(["sh", "-c", words], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def says(self, command: str) -> str:
        """A command, if the README has it on a line of its own."""
        assert re.search(rf"^{re.escape(command)}( |$)", self.readme, re.MULTILINE), (
            f"the README does not say {command}"
        )
        return command

    def start(self, command: str) -> float:
        """Run it as a terminal does, until it is ready; the seconds it took."""
        before, began = len(self.lines), time.monotonic()
        self.process = subprocess.Popen(
            ["sh", "-c", f"exec env {command}"], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        eventually(lambda: self._is_ready(before), "the hotline is ready", READY_S)
        return time.monotonic() - began

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip("\n"))
        process.stdout.close()

    def _is_ready(self, before: int) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "it ended:\n" + "\n".join(self.lines[-40:])
        return any(line.startswith("READY") for line in self.lines[before:])

    def press_control_c(self) -> None:
        """What a terminal does: everybody in the foreground gets SIGINT."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(30)

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """A command in a second terminal."""
        return subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.environment, text=True, capture_output=True, timeout=120,
            check=False,
        )  # fmt: skip

    def left_over(self) -> list[str]:
        """Processes of this checkout that are still there."""
        found: list[str] = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                place = str((path.parent / "cwd").readlink())
            except OSError:
                continue
            if str(self.folder) in words or place.startswith(str(self.folder)):
                found.append(words)
        return found

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        end_asterisk(self.folder / "var")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path / "checkout")
    yield made
    made.end()


def page(checkout: Checkout) -> httpx.Client:
    """A browser's way of asking."""
    base = f"http://127.0.0.1:{checkout.http_port}"
    return httpx.Client(base_url=base, headers={"origin": base}, timeout=10)


def log_in(browser: httpx.Client, login: str, password: str) -> None:
    answer = browser.post("/api/v1/login", json={"login": login, "password": password})
    assert answer.status_code == 200, answer.text


def test_a_newcomers_first_five_minutes(checkout: Checkout) -> None:
    checkout.start(checkout.says("HOTLINE_DEMO_SEAT=1 make run"))
    accounts = {found[1]: (found[2], found[3]) for line in checkout.lines if (found := ACCOUNT.match(line))}
    assert len(accounts) == 8
    assert any(f"http://127.0.0.1:{checkout.http_port}/" in line for line in checkout.lines)
    for login, (password, roles) in accounts.items():
        see_the_page(checkout, login, password, roles)

    dialled = checkout.run(checkout.says(".venv/bin/hotline dial 12329 --say SAMPLE") + " --hold 34")
    assert dialled.returncode == 0, dialled.stdout + dialled.stderr
    with page(checkout) as browser:
        log_in(browser, "supervisor", accounts["supervisor"][0])
        read_the_ticket(browser)

    checkout.press_control_c()
    eventually(lambda: not checkout.left_over(), f"nothing is left: {checkout.left_over()}", 10)
    before = len(checkout.lines)
    assert checkout.start(checkout.says("make run")) < SECOND_S
    told = "\n".join(checkout.lines[before:])
    assert not any(password in told for password, _ in accounts.values())
    with page(checkout) as browser:
        log_in(browser, "supervisor", accounts["supervisor"][0])
        read_the_ticket(browser)
    checkout.press_control_c()
    eventually(lambda: not checkout.left_over(), f"nothing is left: {checkout.left_over()}", 10)
    assert not any("Traceback" in line for line in checkout.lines)


def see_the_page(checkout: Checkout, login: str, password: str, roles: str) -> None:
    """Log in, look at the page with everything it needs, log out."""
    with page(checkout) as browser:
        assert browser.get("/").headers["location"] == "/login"
        assert "登录" in browser.get("/login").text
        log_in(browser, login, password)
        home = browser.get("/", follow_redirects=True)
        status = browser.get("/status")
        assert (status.status_code, "运行状态" in status.text) == (200, True)
        for asset in set(re.findall(r'"(/assets/[^"]+)"', home.text + status.text)):
            assert browser.get(asset).status_code == 200
        assert home.url.path == LANDING.get(Role(roles), "/status")
        assert browser.get("/api/v1/me").json()["roles"] == roles.split(", ")
        cookie = {"cookie": f"hotline_session={browser.cookies['hotline_session']}"}
        assert browser.post("/api/v1/logout").status_code == 204
        assert httpx.get(str(browser.base_url) + "/api/v1/me", headers=cookie).status_code == 401


def read_the_ticket(browser: httpx.Client) -> None:
    """The newest ticket has what both said, and says what kind of model heard it."""

    def transcribed() -> bool:
        tickets = browser.get("/api/v1/tickets?limit=1").json()["items"]
        return bool(tickets) and tickets[0]["transcript_state"] == "ready"

    eventually(transcribed, "the ticket with its transcript", 20)
    ticket = browser.get("/api/v1/tickets?limit=1").json()["items"][0]
    assert (ticket["dialled"], ticket["agent"]) == ("12329", "8001")
    assert "300" in ticket["transcript_label"]
    segments = browser.get(f"/api/v1/transcripts/{ticket['transcript']}").json()["segments"]
    assert {segment["party"] for segment in segments} == {"citizen", "operator"}
