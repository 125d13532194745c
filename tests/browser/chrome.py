"""A real browser with a microphone that speaks, and everything it complained about."""

import os
import re
import shutil
import wave
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, expect

from tests.house import ROOT, Server

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
WAIT_MS = 20_000
ACCOUNT = re.compile(r"^  ([a-z]+) +(\S+)   \(")
AXE = ROOT / "console" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


def program() -> str | None:
    """The browser of this machine, if it has one."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("HOTLINE_CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


def microphone(file: Path, pcm: bytes) -> Path:
    """Speech (8 kHz, 16 bit) as the file that a browser's microphone hears again and again."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    wide = soxr.resample(samples, 8000, 48000)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48000)
        sound.writeframes((wide * 32767).astype("<i2").tobytes())
    return file


@contextmanager
def browser(playwright: Playwright, speaks: Path) -> Generator[Browser]:
    """A browser whose microphone hears this file."""
    arguments = [*ARGUMENTS, f"--use-file-for-fake-audio-capture={speaks}"]
    opened = playwright.chromium.launch(executable_path=program(), args=arguments)
    try:
        yield opened
    finally:
        opened.close()


class Person:
    """Somebody at a page, logged in. What the browser complains about is kept in `complaints`."""

    def __init__(self, server: Server, opened: Browser, login: str, port: int | None = None) -> None:
        """`port`: where the pages come from, when not straight from the hotline."""
        self.complaints: list[str] = []
        self._port = port or server.http_port
        self._context = opened.new_context(
            permissions=["microphone"],
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport={"width": 1366, "height": 768},
            reduced_motion="reduce",  # what fades in has no contrast yet when axe looks
        )
        self._context.set_default_timeout(WAIT_MS)
        self.page = self._opened()
        self.page.fill("input[name=login]", login)
        self.page.fill("input[name=password]", password(server, login))
        self.page.click("button[type=submit]")
        expect(self.page.get_by_test_id("logout")).to_be_visible(timeout=WAIT_MS)

    def _opened(self) -> Page:
        page = self._context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.goto(self.url("/"))
        return page

    def crash(self) -> None:
        """As when the browser kills a page that has no memory left."""
        with pytest.raises(Error):
            self.page.goto("chrome://crash")

    def again(self) -> None:
        """Another page of the same browser and log-in, as after a crash."""
        self.page = self._opened()
        expect(self.page.get_by_test_id("logout")).to_be_visible(timeout=WAIT_MS)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.page.url} {message.type}: {message.text} {message.location}")

    def sees(self, test_id: str, **attributes: str) -> None:
        """Wait until the element is there with these `data-…` attributes."""
        found = self.page.get_by_test_id(test_id)
        expect(found).to_be_visible(timeout=WAIT_MS)
        for name, value in attributes.items():
            expect(found).to_have_attribute(f"data-{name}", value, timeout=WAIT_MS)

    def barriers(self) -> list[str]:
        """What keeps people with a disability out of this page, as axe finds it."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules, preload: false})", list(RULES))
        return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]

    def close(self) -> None:
        self._context.close()


def password(server: Server, login: str) -> str:
    """As it was shown at the first start."""
    shown = (match for line in server.lines if (match := ACCOUNT.match(line)))
    return next(match[2] for match in shown if match[1] == login)
