"""Pictures of every page with demonstration data and live calls, into docs/screens: `make screens`.

The real server, a real Asterisk, a real browser; citizens and seats are the tests' phones. A day of calls is written
before the start, so that figures and charts have something to show.
"""

import asyncio
import base64
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import typer
from playwright.sync_api import Browser, Page, expect, sync_playwright

from scripts.screens_day import write_day
from scripts.screens_png import small_png
from telephony.softphone import Clip
from tests.browser import chrome
from tests.browser.chrome import WAIT_MS, Person
from tests.house import ROOT, Server
from tests.phones import Citizen, Manners, ended, eventually
from tests.speech import mandarin

PLACE = ROOT / "docs" / "screens"
SETTINGS = {
    "HOTLINE_WRAP_UP_SECONDS": "90", "HOTLINE_RING_SECONDS": "60", "HOTLINE_LIVE_TRANSCRIPTS": "3",
    "HOTLINE_TRUNK_HOST": "127.0.0.1:9",  # a way out is there, and nobody is called
}  # fmt: skip
LARGE = {"width": 1920, "height": 1080}
CITIZEN = "你好,我要反映小区旁边的工地晚上施工噪音很大"
OPERATOR = "好的,请问您的地址和电话号码是多少"
MISSED_MS = 6000
"""Whoever hangs up after so long is owed a call."""
TURN_S = 12
"""How long one exchange lasts: the citizen speaks, then the seat."""
PIXELS = """async data => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}"""


def turn(text: str, voice: str, after_s: float) -> Clip:
    """A sentence said again and again, `after_s` into every exchange."""
    before = bytes(int(after_s * 8000) * 2)
    said = before + mandarin(text, voice)
    return Clip(said + bytes(max(0, TURN_S * 16000 - len(said))), repeat=True, gap=0.0)


class Studio:
    """A running hotline, people at its pages, and the folder of their pictures."""

    def __init__(self, server: Server, opened: Browser, only: str) -> None:
        self.server, self._opened, self._only = server, opened, only
        self._press = opened.new_page()
        self.bytes = 0
        self.operator: Person | None = None
        """Who talks with a citizen while live scenes are taken."""

    def person(self, login: str, size: dict[str, int] | None = None) -> Person:
        """Somebody logged in."""
        found = Person(self.server, self._opened, login)
        if size is not None:
            found.page.set_viewport_size({"width": size["width"], "height": size["height"]})
        return found

    def stranger(self) -> Page:
        """A page of somebody who is not logged in."""
        context = self._opened.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{self.server.http_port}/login")
        return page

    def take(self, page: Page, name: str) -> None:
        """One picture."""
        page.mouse.move(0, 0)
        page.wait_for_timeout(700)  # transitions and charts come to rest
        shown = base64.b64decode(self._press.evaluate(PIXELS, base64.b64encode(page.screenshot()).decode()))
        size = page.viewport_size or {"width": 0, "height": 0}
        pixels = np.frombuffer(shown, np.uint8).reshape(size["height"], size["width"], 4)[:, :, :3]
        picture = small_png(pixels)
        (PLACE / f"{name}.png").write_bytes(picture)
        self.bytes += len(picture)
        sys.stdout.write(f"{name}.png {len(picture) // 1024} KiB\n")

    def wants(self, scene: str) -> bool:
        return not self._only or self._only in scene


def scene_login(studio: Studio) -> None:
    page = studio.stranger()
    expect(page.locator("input[name=login]")).to_be_visible(timeout=WAIT_MS)
    studio.take(page, "login")


@contextmanager
def busy(studio: Studio) -> Iterator[Person]:
    """An operator talks in the page, two seats talk, one citizen waits."""
    server = studio.server
    with ExitStack() as stack:
        operator = studio.person("operator")
        missed = stack.enter_context(server.citizen("13507178901"))
        lost = missed.dial("12329")
        server.wait_call("queued")
        operator.page.wait_for_timeout(MISSED_MS)
        lost.hang_up()
        eventually(lambda: bool(server.get("/api/v1/callbacks")["items"]), "somebody is owed a call", 20)
        operator.page.get_by_test_id("sign-in").click()
        operator.sees("state", state="ready")
        citizen = stack.enter_context(server.citizen("13907171234"))
        earlier(operator, citizen)
        operator.page.reload()
        operator.sees("state", state="ready")
        operator.sees("phone", registration="registered")
        operator.page.wait_for_timeout(6000)  # what was said is over
        studio.take(operator.page, "desk-ready")
        operator.page.get_by_role("tab", name="待回拨").click()
        expect(operator.page.get_by_test_id("owed")).to_be_visible(timeout=WAIT_MS)
        studio.take(operator.page, "desk-call-backs")
        citizen.dial("12345", saying=turn(CITIZEN, "f3", 0.5))
        operator.sees("call", talk="ringing")
        studio.take(operator.page, "desk-ringing")
        operator.page.keyboard.press("F2")
        operator.sees("call", talk="talking")
        operator.page.fill("input[name=matter]", "小区旁工地夜间施工噪音扰民")
        for code in ("complaint", "urgent"):
            operator.page.get_by_test_id("classes").locator(f"[data-code={code}]").click()
        operator.page.get_by_test_id("category").locator("input").fill("施工噪")
        expect(operator.page.get_by_role("option")).to_have_count(1, timeout=WAIT_MS)
        operator.page.keyboard.press("Enter")
        operator.page.fill("input[name=proposed_unit]", "住房和城乡建设局")
        operator.page.fill("textarea[name=event_process]", "工地每晚十点以后仍在施工，已持续一周，多次沟通无果。")
        operator.page.fill("textarea[name=demand]", "要求夜间停止施工，并给予书面答复。")
        operator.sees("ticket", saving="saved")
        for seat, number, dialled in (("8002", "13907172345", "12333"), ("8003", "13807173456", "12315")):
            manners = Manners(answer_after=1.0, saying=turn(OPERATOR, "m4", 0.5))
            stack.enter_context(server.seat(seat, manners))
            other = stack.enter_context(server.citizen(number))
            other.dial(dialled, saying=turn(CITIZEN, "f5", 0.5))
            server.wait_call("talking", 1)
        server.wait_call("talking", 3)
        server.post("/api/v1/seats/8004/sign-in")
        server.post("/api/v1/seats/8004/pause", {"reason": "meal"})
        for number, dialled in (("13607174567", "12329"), ("13707175678", "12369")):
            stack.enter_context(server.citizen(number)).dial(dialled)
        server.wait_call("queued", 2)
        operator.page.locator("input[name=matter]").focus()
        operator.page.get_by_test_id("classes").scroll_into_view_if_needed()
        studio.take(operator.page, "desk-talking")
        studio.operator = operator
        yield operator
        operator.page.keyboard.press("F4")
        operator.sees("call", talk="none")
        expect(operator.page.get_by_test_id("transcript")).to_contain_text("话务员", timeout=60_000)
        studio.take(operator.page, "desk-wrap-up")
        operator.close()


def earlier(operator: Person, citizen: Citizen) -> None:
    """The citizen called before, and that ticket is still open."""
    page, call = operator.page, citizen.dial("12319", saying=turn(CITIZEN, "f3", 0.5))
    operator.sees("call", talk="ringing")
    page.keyboard.press("F2")
    operator.sees("call", talk="talking")
    expect(page.get_by_test_id("ticket-state")).to_have_text("草稿", timeout=WAIT_MS)
    page.get_by_test_id("classes").locator("[data-code=complaint]").click()
    page.fill("input[name=matter]", "工地夜间施工扰民")
    page.fill("textarea[name=demand]", "要求核查施工许可，夜间停工")
    operator.sees("ticket", saving="saved")
    page.keyboard.press("F4")
    operator.sees("call", talk="none")
    ended(call)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("ticket-state")).to_have_text("已受理", timeout=WAIT_MS)
    page.keyboard.press("F10")
    operator.sees("state", state="ready")


def scene_wallboard(studio: Studio) -> None:
    supervisor = studio.person("supervisor")
    page = supervisor.page
    expect(page.get_by_test_id("live").locator("tr")).to_have_count(5, timeout=WAIT_MS)
    page.get_by_test_id("live").get_by_role("button", name="为何等待").first.click()
    expect(page.get_by_test_id("why")).to_be_visible(timeout=WAIT_MS)
    studio.take(page, "wallboard")
    page.get_by_test_id("live").get_by_role("button", name="为何等待").first.click()
    page.get_by_test_id("live").locator("tr", has_text="通话中").first.get_by_test_id("listen").click()
    expect(page.get_by_test_id("monitor")).to_have_attribute("data-mode", "listening", timeout=WAIT_MS)
    said = page.get_by_test_id("live-words").locator("li").first
    expect(said).to_be_visible(timeout=2 * WAIT_MS)
    said.scroll_into_view_if_needed()
    studio.take(page, "wallboard-listening")
    page.get_by_test_id("monitor-leave").click()
    expect(page.get_by_test_id("monitor")).to_have_attribute("data-mode", "idle", timeout=WAIT_MS)
    page.set_viewport_size({"width": LARGE["width"], "height": LARGE["height"]})
    page.goto(supervisor.url("/wallboard/screen"))
    expect(page.get_by_test_id("screen")).to_be_visible(timeout=WAIT_MS)
    studio.take(page, "large-screen")
    supervisor.close()


def scene_three(studio: Studio) -> None:
    operator = studio.operator
    if operator is None:
        raise RuntimeError("Somebody talks while live scenes are taken.")
    expert = studio.person("expert")
    expert.page.get_by_test_id("sign-in").click()
    expert.sees("state", state="ready")
    operator.page.keyboard.press("F9")
    expect(operator.page.get_by_test_id("transfer-search")).to_be_focused(timeout=WAIT_MS)
    studio.take(operator.page, "desk-transfer")
    operator.page.keyboard.type("周文")
    operator.sees("choice-seat-8011", presence="free")
    operator.page.keyboard.press("Enter")
    expert.sees("call", talk="ringing")
    expect(expert.page.get_by_test_id("brief-fields")).to_be_visible(timeout=WAIT_MS)
    studio.take(expert.page, "expert-ringing")
    expert.page.keyboard.press("F2")
    operator.sees("company", situation="consulting")
    studio.take(operator.page, "desk-consulting")
    operator.page.keyboard.press("Alt+m")
    operator.sees("company", situation="three")
    studio.take(expert.page, "expert-three")
    expert.page.keyboard.press("F4")
    expert.sees("call", talk="none")
    expert.close()


def scene_replay(studio: Studio) -> None:
    auditor = studio.person("qa")
    page = auditor.page
    page.get_by_test_id("recordings").get_by_role("button").first.click()
    expect(page.get_by_test_id("waveform").locator("> div")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("transcript")).to_contain_text("话务员", timeout=60_000)
    page.get_by_test_id("transcript").get_by_role("button").nth(2).click()
    for kind, words in (("表扬", "复述诉求到位"), ("问题", "登记地址前未核对楼栋号")):
        page.get_by_test_id("new-note").click()
        page.get_by_role("button", name=kind, exact=True).click()
        page.fill("textarea[name=note]", words)
        page.get_by_test_id("save-note").click()
        expect(page.get_by_test_id("notes")).to_contain_text(words, timeout=WAIT_MS)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
    studio.take(page, "replay")
    page.get_by_test_id("tab-score").click()
    page.fill("input[name=mark-tone]", "12")
    page.fill("input[name=mark-fields]", "10")
    page.get_by_test_id("fill").click()
    page.get_by_test_id("save-review").click()
    expect(page.get_by_test_id("reviews")).to_be_visible(timeout=WAIT_MS)
    page.get_by_test_id("total").scroll_into_view_if_needed()
    studio.take(page, "replay-score")
    auditor.close()


def scene_tickets(studio: Studio) -> None:
    supervisor = studio.person("supervisor")
    page = supervisor.page
    page.goto(supervisor.url("/tickets"))
    page.get_by_test_id("tickets").get_by_role("button", name="小区旁工地").first.click()
    expect(page.get_by_test_id("history")).to_be_visible(timeout=WAIT_MS)
    studio.take(page, "tickets")
    supervisor.close()


def scene_office(studio: Studio) -> None:
    administrator = studio.person("administrator")
    page = administrator.page
    for path, shown, name in (
        ("numbers/12329?", "转入人工", "office-numbers"),
        ("flows/menu_12329", "来电推演", "office-flows"),
        ("prompts", "您好", "office-prompts"),
        ("calendar", "工作日", "office-calendar"),
        ("agents", "李娟", "office-seats"),
        ("skills", "住房公积金", "office-skills"),
        ("roster", "周文", "office-roster"),
        ("people", "administrator", "office-accounts"),
    ):
        page.goto(administrator.url(f"/office/{path}"))
        expect(page.get_by_role("main")).to_contain_text(shown, timeout=WAIT_MS)
        if name == "office-flows":
            page.get_by_label("来电时间").fill("2026-11-23 10:00")
            page.keyboard.press("Enter")
            page.fill("input[name=keys]", "2")
            page.keyboard.press("Enter")
            expect(page.locator("[data-node=withdrawal].walked")).to_be_visible(timeout=WAIT_MS)
        if name == "office-calendar":
            page.get_by_role("button", name="上一月").click()
            expect(page.get_by_test_id("days")).to_contain_text("国庆节", timeout=WAIT_MS)
            page.get_by_test_id("days").locator("td.make_up button").first.click()
            expect(page.get_by_test_id("open")).to_be_visible(timeout=WAIT_MS)
        studio.take(page, name)
    administrator.close()


LIVE: tuple[Callable[[Studio], None], ...] = (scene_wallboard, scene_three)
AFTER: tuple[Callable[[Studio], None], ...] = (scene_replay, scene_tickets, scene_office)


def main(only: str = "") -> None:
    """Make the pictures; `--only` those of one scene."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        asyncio.run(write_day(data))
        shoot(Path(folder), data, only)


def shoot(folder: Path, data: Path, only: str) -> None:
    """All scenes of one data folder."""
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        speaks = chrome.microphone(folder / "voice.wav", mandarin(OPERATOR, "m4"))
        with Server(data, SETTINGS) as server, chrome.browser(playwright, speaks) as opened:
            studio = Studio(server, opened, only)
            scene_login(studio)
            with busy(studio):
                for scene in LIVE:
                    if studio.wants(scene.__name__):
                        scene(studio)
            for scene in AFTER:
                if studio.wants(scene.__name__):
                    scene(studio)
            sys.stdout.write(f"{studio.bytes // 1024} KiB in all\n")


if __name__ == "__main__":
    typer.run(main)
