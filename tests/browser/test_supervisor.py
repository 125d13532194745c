"""A supervisor at the wallboard: sees why a call waits, listens, whispers, takes over; nobody else hears too much.
Afterwards somebody of quality writes a note on the recording and gives points. With all that there, everybody's pages
are walked in both languages."""

import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from telephony.softphone import CallState, Ear
from tests.browser.chrome import WAIT_MS, Person
from tests.browser.languages import LANGUAGES, forgotten
from tests.house import Server
from tests.phones import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Enter = Callable[[str], Person]
SPOKEN = 300.0
PAGES = {
    "operator": {"/desk": "[data-test=state]"},
    "expert": {"/desk": "[data-test=state]"},
    "supervisor": {
        "/wallboard": "[data-test=live] tr", "/wallboard/screen": "[data-test=screen]",
        "/tickets": "[data-test=tickets] button",
    },
    "qa": {"/replay": "[data-test=recordings] button"},
    "administrator": {
        "/office/numbers/12329": "[data-test=outcome]", "/office/flows/menu_12329": "[data-test=graph] [data-node]",
        "/office/calendar": "[data-test=days] button",
        **{f"/office/{room}": "main tbody tr, main li" for room in ("prompts", "agents", "skills", "roster", "people")},
    },
}  # fmt: skip
"""Pages of each role, and what is there once they have been filled."""


def is_in(supervisor: Person, mode: str) -> None:
    """Wait until the supervisor's telephone is what was asked for: it signs in, registers and rings before."""
    expect(supervisor.page.get_by_test_id("monitor")).to_have_attribute("data-mode", mode, timeout=2 * WAIT_MS)


def loud(ear: Ear, seconds: float = 1.5) -> bool:
    """Whether somebody speaks to this telephone (the supervisor's microphone does, the seat's phone is silent)."""
    samples = np.frombuffer(ear.pcm(since=time.monotonic() - seconds), "<i2").astype(np.float64)
    return bool(samples.size) and float(np.sqrt(np.mean(samples**2))) > SPOKEN


def test_a_supervisor_whispers_and_takes_over(hotline: Server, enter: Enter) -> None:
    supervisor = enter("supervisor")
    page, live = supervisor.page, supervisor.page.get_by_test_id("live")
    with hotline.citizen("13912340001") as citizen:
        call = citizen.dial("12345", saying=bytes(16000))
        expect(live).to_contain_text("排队中", timeout=WAIT_MS)
        live.get_by_role("button", name="为何等待").click()
        expect(page.get_by_test_id("why")).to_contain_text("没有具备所需技能的座席签入", timeout=WAIT_MS)
        expect(page.get_by_test_id("steps")).to_contain_text("进入队列")
        expect(page.get_by_test_id("steps")).to_contain_text("转人工 先接专席，再接综合", timeout=WAIT_MS)
        assert supervisor.barriers() == []
        one_is_moved_ahead(hotline, supervisor)
        with hotline.seat("8002", manners=None) as seat:
            seat.wait_talks(40).say(bytes(16000))
            timeline = f"/api/v1/calls/{hotline.wait_call('talking', timeout=40)[0]['call']}/timeline"
            live.get_by_test_id("listen").click()
            is_in(supervisor, "listening")
            expect(live.get_by_test_id("live-words")).to_contain_text("实时转写", timeout=WAIT_MS)
            assert supervisor.barriers() == []
            page.get_by_test_id("monitor-whisper").click()
            is_in(supervisor, "whispering")
            eventually(lambda: loud(seat.call.ear), "the seat hears the supervisor", 40)
            assert not loud(call.ear), "the citizen hears nothing of a whisper"
            page.get_by_test_id("monitor-barge").click()
            is_in(supervisor, "talking")
            eventually(lambda: loud(call.ear), "the citizen hears the supervisor who came in", 40)
            eventually(lambda: loud(seat.call.ear), "the seat hears him too", 40)
            page.get_by_test_id("monitor-take-over").click()
            is_in(supervisor, "owner")
            assert seat.call.wait_until(CallState.ENDED, 40), "who was relieved is out"
            eventually(lambda: loud(call.ear), "the citizen hears the supervisor", 40)
            page.get_by_test_id("monitor-leave").click()
            is_in(supervisor, "idle")
            assert call.wait_until(CallState.ENDED, 40), call.state
            # Whoever looks at it just then is not told that it never was.
            eventually(lambda: not hotline.get(timeline)["items"], "the timeline of a call that is over is empty", 40)
            for action, state in (("强制示闲", "ready"), ("强制示忙", "paused"), ("强制签出", "")):
                forced(hotline, supervisor, action, state)
    page.get_by_test_id("crisis").click()
    page.get_by_test_id("crisis-on").first.click()
    expect(page.get_by_test_id("crisis-off").first).to_be_visible(timeout=WAIT_MS)
    assert hotline.get("/api/v1/queues/general/plan")["steps"][0]["prompt"] == "crisis"
    assert supervisor.barriers() == []
    page.get_by_test_id("crisis-off").first.click()
    expect(page.get_by_test_id("crisis-on").first).to_be_visible(timeout=WAIT_MS)
    page.goto(supervisor.url("/wallboard/screen"))
    expect(page.get_by_test_id("screen")).to_contain_text("排队人数", timeout=WAIT_MS)
    assert supervisor.barriers() == []


def one_is_moved_ahead(hotline: Server, supervisor: Person) -> None:
    """Who came second is served first, because the supervisor wants it so. Then he hangs up."""
    page = supervisor.page
    first = hotline.wait_call("queued")[0]["call"]
    with hotline.citizen("13912340002") as hurried:
        call = hurried.dial("12345")
        hotline.wait_call("queued", 2, 40)
        second = next(one["call"] for one in hotline.calls(live=True) if one["call"] != first)
        eventually(lambda: waiting(hotline) == [first, second], "who came first is served first", 40)
        page.locator(f"tr[data-call='{second}']").get_by_test_id("move").click()
        page.get_by_label("优先接入").check()
        assert supervisor.barriers() == []
        page.get_by_test_id("move-now").click()
        expect(page.get_by_test_id("move-now")).to_be_hidden(timeout=WAIT_MS)
        eventually(lambda: waiting(hotline) == [second, first], "the other one is served first", 40)
        call.hang_up()
        expect(page.locator(f"tr[data-call='{second}']")).to_have_count(0, timeout=WAIT_MS)
        eventually(lambda: waiting(hotline) == [first], "only the first one waits", 40)


def waiting(hotline: Server) -> list[str]:
    """Calls in the order of service."""
    return [str(one["call"]) for one in hotline.get("/api/v1/floor")["waiting"]]


def forced(hotline: Server, supervisor: Person, action: str, state: str) -> None:
    """The supervisor brings seat 8002 into this state; empty: out."""
    page = supervisor.page
    page.locator("[data-seat='8002']").click()
    page.get_by_role("menuitem", name=action).click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    eventually(lambda: hotline.seat_state("8002") == state, f"the seat is {state or 'left'}", 40)
    shown = page.locator(f"[data-seat='8002'][data-state='{state}']" if state else "[data-seat='8002']")
    expect(shown).to_have_count(1 if state else 0, timeout=WAIT_MS)


def test_quality_writes_a_note_and_gives_points(hotline: Server, enter: Enter) -> None:
    def is_sealed() -> bool:
        return any(one["state"] == "closed" for one in hotline.get("/api/v1/recordings", role="qa")["items"])

    eventually(is_sealed, "the recording of the talk is there", 40)
    reviewer = enter("qa")
    page = reviewer.page
    page.get_by_test_id("recordings").get_by_role("button").first.click()
    wave = page.get_by_test_id("waveform").locator("> div")
    expect(wave).to_be_visible(timeout=WAIT_MS)
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("time")).to_contain_text(re.compile(r"^00:0[1-9]"), timeout=WAIT_MS)
    page.get_by_test_id("play").click()
    page.get_by_test_id("new-note").click()
    page.fill("textarea[name=note]", "未告知即静默")
    page.get_by_test_id("save-note").click()
    expect(page.get_by_test_id("notes").locator("li")).to_contain_text("未告知即静默", timeout=WAIT_MS)
    found = reviewer.barriers()
    page.get_by_test_id("tab-score").click()
    page.fill("input[name=mark-tone]", "5")
    page.get_by_test_id("fill").click()
    expect(page.get_by_test_id("total")).to_have_text("90")
    found += reviewer.barriers()
    page.get_by_test_id("save-review").click()
    expect(page.get_by_test_id("reviews").locator("li")).to_contain_text("90", timeout=WAIT_MS)
    for band, count in (("未评分", 0), ("90 分及以上", 1)):
        page.get_by_test_id("by-score").click()
        page.get_by_role("option", name=band, exact=True).click()
        page.get_by_test_id("search").click()
        expect(page.get_by_test_id("recordings").get_by_role("button")).to_have_count(count, timeout=WAIT_MS)
    expect(page.get_by_test_id("recordings")).to_contain_text("90 分")
    page.get_by_test_id("tab-listeners").click()
    expect(page.get_by_test_id("listeners")).to_contain_text("质检员", timeout=WAIT_MS)
    assert found + reviewer.barriers() == []
    recording = page.url.rpartition("/")[2]
    deeds = {one["action"] for one in hotline.get(f"/api/v1/audit?subject={recording}", role="auditor")["items"]}
    assert {"recording.play", "quality.note", "quality.review", "recording.listeners"} <= deeds


def test_every_page_speaks_one_language_and_keeps_nobody_out(hotline: Server, enter: Enter) -> None:
    with hotline.citizen("13912345670") as waiting:
        waiting.dial("12345")
        hotline.wait_call("queued")
        assert [one for role in PAGES for one in strange(enter(role), PAGES[role])] == []


def strange(person: Person, paths: dict[str, str]) -> list[str]:
    """What stands on these pages and should not, and what keeps people out when they are in English."""
    page, found = person.page, list[str]()
    for path, filled in paths.items():
        for language in LANGUAGES:
            page.evaluate("language => localStorage.setItem('hotline.language', language)", language)
            page.goto(person.url(path))
            expect(page.locator("html")).to_have_attribute("lang", language, timeout=WAIT_MS)
            expect(page.locator(filled).first).to_be_visible(timeout=WAIT_MS)
            found += [f"{path} {language}: {text}" for text in forgotten(page, language)]
        found += [f"{path}: {one}" for one in person.barriers()]
    return found
