"""A hotline, a browser, and people at its pages; whatever the browser complains about fails the test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser import chrome
from tests.browser.chrome import Person
from tests.house import Server
from tests.speech import mandarin

OPERATOR_SAYS = "好的,请问您的地址和电话号码是多少"
EXPERT_SAYS = "您好,请带身份证和合同到窗口办理"


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running hotline with demonstration data and its built pages."""
    settings = {"HOTLINE_WRAP_UP_SECONDS": "60", "HOTLINE_RING_SECONDS": "40", "HOTLINE_LIVE_TRANSCRIPTS": "2"}
    with Server(tmp_path_factory.mktemp("hotline") / "data", settings) as server:
        yield server


@pytest.fixture(scope="module")
def player() -> Iterator[Playwright]:
    if chrome.program() is None:
        pytest.skip("no Chromium or Chrome on this machine: install one, or name it in HOTLINE_CHROMIUM")
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        yield playwright


@pytest.fixture(scope="module")
def opened(player: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    speaks = chrome.microphone(tmp_path_factory.mktemp("voice") / "operator.wav", mandarin(OPERATOR_SAYS, "m4"))
    with chrome.browser(player, speaks) as started:
        yield started


@pytest.fixture(scope="module")
def expert_browser(player: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A second browser: every browser has one microphone."""
    speaks = chrome.microphone(tmp_path_factory.mktemp("voice") / "expert.wav", mandarin(EXPERT_SAYS, "f5"))
    with chrome.browser(player, speaks) as started:
        yield started


@pytest.fixture
def enter(hotline: Server, opened: Browser) -> Iterator[Callable[..., Person]]:
    """`enter(role, browser)`: that person, logged in. Afterwards nobody's browser may have complained."""
    people: list[Person] = []

    def entered(login: str, browser: Browser | None = None, port: int | None = None) -> Person:
        people.append(Person(hotline, browser or opened, login, port))
        return people[-1]

    yield entered
    complaints = [complaint for person in people for complaint in person.complaints]
    for person in people:
        person.close()
    assert hotline.process.poll() is None, "the hotline ended:\n" + "\n".join(hotline.lines[-40:])
    assert not complaints, "\n".join(complaints)
