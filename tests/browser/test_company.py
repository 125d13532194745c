"""An operator calls an expert into the talk, from page to page; then each of them leaves first."""

import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from telephony.softphone import CallState, OutgoingCall
from tests.asterisk_node import free_udp_port
from tests.browser.chrome import WAIT_MS, Person
from tests.browser.test_desk import SPOKEN, hears_speech, ready, tracks
from tests.browser.wire import Wire
from tests.house import Server
from tests.phones import Carrier, ended, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Enter = Callable[..., Person]
LONG_WAIT_S = 6.0
"""Whoever hangs up sooner is owed nothing."""


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running hotline with a way out."""
    settings = {"HOTLINE_WRAP_UP_SECONDS": "60", "HOTLINE_RING_SECONDS": "40", "HOTLINE_TRUNK_NIGHT": "",
                "HOTLINE_LIVE_TRANSCRIPTS": "2", "HOTLINE_CALL_BACK_HOURS": ""}  # fmt: skip
    server = Server(tmp_path_factory.mktemp("hotline") / "data", settings)
    first, last = (int(one) for one in server.environment["HOTLINE_RTP_PORTS"].split("-"))
    port = next(one for one in iter(free_udp_port, 0) if not first <= one <= last)
    server.environment["HOTLINE_TRUNK_HOST"] = f"127.0.0.1:{port}"
    with server:
        yield server


@dataclass
class Company:
    """Three people, each at a device of their own."""

    operator: Person
    expert: Person
    citizen: OutgoingCall

    def situation(self, wanted: str) -> None:
        for person in (self.operator, self.expert):
            person.sees("company", situation=wanted)

    def find(self, typed: str) -> None:
        """Open the dialog and find the expert in it."""
        self.operator.sees("transfer-open")
        self.operator.page.keyboard.press("F9")
        expect(self.operator.page.get_by_test_id("transfer-search")).to_be_focused(timeout=WAIT_MS)
        self.operator.page.keyboard.type(typed)
        self.operator.sees("choice-seat-8011", presence="free")
        expect(self.operator.page.get_by_role("option")).to_have_count(1, timeout=WAIT_MS)

    def ring(self) -> None:
        """The operator finds the expert by name, all by keyboard, and asks him."""
        self.find("周文")
        self.operator.page.keyboard.press("Enter")
        self.operator.sees("company", situation="asking")
        self.expert.sees("call", talk="ringing")

    def consult(self) -> None:
        """The expert is asked and answers."""
        self.ring()
        self.expert.page.keyboard.press("F2")
        self.situation("consulting")

    def merge(self) -> None:
        self.operator.page.keyboard.press("Alt+m")
        self.situation("three")
        eventually(lambda: level(self.expert.page) > 0.2, "the expert's page hears somebody", 20)


def level(page: Page) -> float:
    return float(page.get_by_test_id("their-level").evaluate("meter => meter.value"))


@pytest.fixture
def desks(enter: Enter, expert_browser: Browser) -> tuple[Person, Person]:
    """Operator and expert, each in a browser with a voice of its own."""
    operator, expert = enter("operator"), enter("expert", expert_browser)
    for person in (operator, expert):
        at_work(person)
    return operator, expert


def at_work(person: Person) -> None:
    expect(person.page.get_by_test_id("state")).to_be_visible(timeout=WAIT_MS)
    if person.page.get_by_test_id("state").get_attribute("data-state") == "none":
        ready(person)
    person.sees("state", state="ready")


@contextmanager
def company(hotline: Server, operator: Person, expert: Person) -> Generator[Company]:
    """A citizen talks with the operator. Afterwards everybody is free again."""
    with hotline.citizen() as citizen:
        call = citizen.dial("110")
        operator.sees("call", talk="ringing")
        operator.page.keyboard.press("F2")
        operator.sees("call", talk="talking")
        yield Company(operator, expert, call)
        assert call.wait_until(CallState.ENDED, 20), call.state
    for person in (operator, expert):
        free(person)


def free(person: Person) -> None:
    """Ready for the next call."""
    person.sees("call", talk="none")
    state = person.page.get_by_test_id("state")
    expect(state).to_have_attribute("data-state", re.compile("wrap_up|ready"), timeout=WAIT_MS)
    if state.get_attribute("data-state") == "wrap_up":
        person.page.keyboard.press("F10")
    person.sees("state", state="ready")


def test_each_of_three_leaves_first_and_the_others_talk_on(hotline: Server, desks: tuple[Person, Person]) -> None:
    operator, expert = desks
    with company(hotline, operator, expert) as three:
        said = operator.page.get_by_test_id("live-words")
        expect(said.get_by_role("button").first).to_be_visible(timeout=2 * WAIT_MS)
        expect(said).to_contain_text("实时转写")
        operator.page.fill("input[name=matter]", "公积金提取材料")
        sentence = said.get_by_role("button").first.inner_text()
        said.get_by_role("button").first.click()
        expect(operator.page.locator("input[name=matter]")).to_have_value(re.compile(re.escape(sentence)))
        three.ring()
        expect(expert.page.get_by_test_id("live-words")).to_contain_text(sentence, timeout=WAIT_MS)
        expect(expert.page.get_by_test_id("invite-goal")).to_contain_text("李娟", timeout=WAIT_MS)
        expect(expert.page.get_by_test_id("brief-fields")).to_contain_text("公积金提取材料", timeout=WAIT_MS)
        assert expert.barriers() == []
        expert.page.keyboard.press("F2")
        three.situation("consulting")
        assert operator.barriers() + expert.barriers() == []
        expert.page.fill("textarea[name=conclusion]", "凭租赁备案即可办理")
        expert.page.keyboard.press("Control+Enter")
        for person in (expert, operator):
            expect(person.page.get_by_test_id("conclusions")).to_contain_text("凭租赁备案即可办理", timeout=WAIT_MS)
        three.merge()
        operator.page.keyboard.press("Alt+l")
        operator.sees("call", talk="none")
        expert.sees("call", talk="talking")
        eventually(lambda: hears_speech(three.citizen), "the citizen hears the expert", 20)
        expert.page.keyboard.press("F4")
    check_channels(hotline, ["citizen", "operator", "expert"])

    with company(hotline, operator, expert) as three:
        three.consult()
        three.merge()
        expert.page.keyboard.press("F4")
        expert.sees("call", talk="none")
        expect(operator.page.get_by_test_id("company")).to_be_hidden(timeout=WAIT_MS)
        eventually(lambda: hears_speech(three.citizen), "the citizen hears the operator", 20)
        operator.page.keyboard.press("F4")

    with company(hotline, operator, expert) as three:
        three.consult()
        three.merge()
        three.citizen.hang_up()


def test_one_of_three_waits_is_fetched_and_taken_out(hotline: Server, desks: tuple[Person, Person]) -> None:
    operator, expert = desks
    keys = operator.page.keyboard
    with company(hotline, operator, expert) as three:
        operator.page.get_by_test_id("transfer-open").click()
        operator.page.get_by_test_id("group-expert").click()
        operator.page.get_by_test_id("choice-seat-8011").click()
        operator.page.get_by_test_id("invite").click()
        operator.sees("company", situation="inviting")
        expert.sees("call", talk="ringing")
        expert.page.get_by_test_id("answer").click()
        three.situation("three")
        operator.page.get_by_test_id("hold-8011").click()
        three.situation("swapped")
        keys.press("F7")
        three.situation("consulting")
        keys.press("F7")
        three.situation("swapped")
        assert operator.barriers() == []
        keys.press("Alt+m")
        three.situation("three")
        keys.press("Alt+x")
        expert.sees("call", talk="none")
        expect(operator.page.get_by_test_id("company")).to_be_hidden(timeout=WAIT_MS)
        wait_talks(three)
        keys.press("F4")


def test_who_does_not_answer_is_named_and_a_transfer_needs_no_word(
    hotline: Server, desks: tuple[Person, Person]
) -> None:
    operator, expert = desks
    with company(hotline, operator, expert) as three:
        keys = operator.page.keyboard
        three.ring()
        expert.page.get_by_test_id("refuse").click()
        expect(operator.page.get_by_text("周文 未接听")).to_be_visible(timeout=WAIT_MS)
        expect(operator.page.get_by_test_id("company")).to_be_hidden(timeout=WAIT_MS)
        wait_talks(three)

        three.find("8011")
        keys.press("Alt+Enter")
        operator.sees("call", talk="none")
        expert.sees("call", talk="ringing")
        expert.page.keyboard.press("F2")
        expert.sees("call", talk="talking")
        eventually(lambda: hears_speech(three.citizen), "the citizen hears the expert", 20)
        expert.page.keyboard.press("F4")


def test_a_page_that_is_lost_leaves_the_others_talking_and_says_so(
    hotline: Server, enter: Enter, expert_browser: Browser
) -> None:
    with Wire(hotline.http_port) as wire:
        operator, expert = enter("operator", port=wire.port), enter("expert", expert_browser)
        for person in (operator, expert):
            at_work(person)
        with company(hotline, operator, expert) as three:
            three.consult()
            wire.cut()
            operator.sees("phone", registration="lost")
            three.situation("consulting")
            eventually(lambda: level(expert.page) > 0.2, "the expert goes on hearing the operator", 20)
            wire.mend()
            registered = operator.page.get_by_test_id("phone")
            expect(registered).to_have_attribute("data-registration", "registered", timeout=2 * WAIT_MS)
            three.merge()
            wire.cut()
            operator.sees("phone", registration="lost")
            eventually(lambda: level(expert.page) > 0.2, "the expert goes on hearing the others", 20)
            wire.mend()
            expect(registered).to_have_attribute("data-registration", "registered", timeout=2 * WAIT_MS)
            three.situation("three")
            expert.page.reload()
            expect(operator.page.get_by_test_id("company")).to_be_hidden(timeout=WAIT_MS)
            wait_talks(three)
            expect(expert.page.get_by_text("刚才的通话没有接回")).to_be_visible(timeout=2 * WAIT_MS)
            expert.sees("call", talk="none")
            operator.page.keyboard.press("F4")
        with company(hotline, operator, expert) as three:
            three.consult()
            operator.page.reload()
            expect(operator.page.get_by_text("刚才的通话没有接回")).to_be_visible(timeout=2 * WAIT_MS)
            expert.sees("call", talk="talking")
            eventually(lambda: hears_speech(three.citizen), "the citizen hears the expert", 20)
            expert.page.keyboard.press("F4")
        operator.complaints[:] = [one for one in operator.complaints if "net::" not in one and "WebSocket" not in one]


@pytest.mark.parametrize("situation", ["consulting", "three"])
def test_whoever_crashes_out_of_a_talk_of_three_leaves_the_other_two(
    hotline: Server, desks: tuple[Person, Person], situation: str
) -> None:
    operator, expert = desks
    with hotline.citizen() as citizen:
        call = citizen.dial("110")
        operator.sees("call", talk="ringing")
        operator.page.keyboard.press("F2")
        operator.sees("call", talk="talking")
        three = Company(operator, expert, call)
        three.consult()
        if situation == "three":
            three.merge()
        operator.crash()
        expect(expert.page.get_by_test_id("company")).to_be_hidden(timeout=2 * WAIT_MS)
        expert.sees("call", talk="talking")
        eventually(lambda: hears_speech(call), "the citizen hears the expert", 20)
        eventually(lambda: level(expert.page) > 0.2, "the expert hears the citizen", 20)
        expert.page.keyboard.press("F4")
        ended(call, 40)
    free(expert)
    hotline.ask("POST", "/api/v1/seats/8001/sign-out", json={"reason": ""})
    eventually(lambda: not hotline.seat_state("8001"), "nobody is at the operator's seat", 40)


def test_help_is_called_by_a_key_that_is_confirmed_and_insults_end_in_steps(
    hotline: Server, desks: tuple[Person, Person]
) -> None:
    operator, expert = desks
    page = operator.page
    with Carrier(hotline.sip, sip_port=carrier_port(hotline)) as carrier, company(hotline, operator, expert):
        operator.sees("emergency-open")
        page.keyboard.press("F3")
        expect(page.get_by_test_id("emergency-110")).to_be_focused(timeout=WAIT_MS)
        page.keyboard.press("1")
        operator.sees("emergency-confirm")
        assert carrier.numbers() == [], "a slip of the hand dials nothing"
        page.keyboard.press("Control+Enter")
        carrier.wait_talks("110")
        operator.sees("company", situation="three")
        page.keyboard.press("Alt+x")
        expect(page.get_by_test_id("company")).to_be_hidden(timeout=WAIT_MS)
        for words in ("辱骂警示", "报告班长", "终止服务"):
            expect(page.get_by_test_id("abuse")).to_contain_text(words, timeout=WAIT_MS)
            page.get_by_test_id("abuse").click()
            page.get_by_role("dialog").get_by_role("button", name=words).click()
        operator.sees("call", talk="none")
    assert hotline.calls()[0]["ended_at"]


def test_who_was_missed_is_called_back_by_a_click(hotline: Server, enter: Enter) -> None:
    operator = enter("operator")
    page, number = operator.page, "13900005555"
    at_work(operator)
    page.keyboard.press("F10")
    operator.sees("state", state="paused")
    with hotline.citizen(number) as citizen:
        missed = citizen.dial("12345")
        hotline.wait_call("queued")
        since = time.monotonic()
        eventually(lambda: time.monotonic() - since > LONG_WAIT_S, "he waits for longer than a moment", 20)
        missed.hang_up()
        ended(missed)
    eventually(lambda: bool(hotline.get("/api/v1/callbacks")["items"]), "he is owed a call", 20)
    page.get_by_role("tab", name="待回拨").click()
    owed = page.get_by_test_id("owed")
    expect(owed).to_contain_text("139****5555", timeout=WAIT_MS)
    expect(owed.get_by_test_id("owed-call")).to_be_disabled()
    page.keyboard.press("F10")
    operator.sees("state", state="ready")
    assert operator.barriers() == []
    with Carrier(hotline.sip, sip_port=carrier_port(hotline)) as carrier:
        owed.get_by_test_id("owed-call").click()
        operator.sees("call", talk="ringing")
        page.keyboard.press("F2")
        outside = carrier.wait_talks(number)
        eventually(lambda: hears_speech(outside), "the citizen hears the operator", 20)
        expect(page.get_by_test_id("dialled")).to_have_text("12345", timeout=WAIT_MS)
        page.get_by_role("tab", name="待回拨").click()
        expect(owed).to_be_hidden(timeout=WAIT_MS)
        page.keyboard.press("F4")
        ended(outside, 20)
    operator.sees("call", talk="none")


def carrier_port(hotline: Server) -> int:
    return int(hotline.environment["HOTLINE_TRUNK_HOST"].rpartition(":")[2])


def wait_talks(three: Company) -> None:
    """Citizen and operator hear each other; the music is over."""
    eventually(lambda: level(three.operator.page) > 0.2, "the operator's page hears the citizen", 20)
    eventually(lambda: hears_speech(three.citizen), "the citizen hears the operator", 20)


def check_channels(hotline: Server, parties: list[str]) -> None:
    """Each party is on a channel of its own, and was heard."""
    recording = hotline.get("/api/v1/recordings", role="qa")["items"][0]["id"]

    def closed() -> bool:
        return str(hotline.get(f"/api/v1/recordings/{recording}", role="qa")["state"]) == "closed"

    eventually(closed, "the recording is closed", 40)
    shown = hotline.get(f"/api/v1/recordings/{recording}", role="qa")
    assert [channel["party"] for channel in shown["channels"]] == parties
    sound = tracks(hotline.ask("GET", f"/api/v1/recordings/{recording}/audio", role="qa").content)
    assert all(float(np.sqrt(np.mean(sound[:, one] ** 2))) > SPOKEN / 3 for one in range(len(parties)))
