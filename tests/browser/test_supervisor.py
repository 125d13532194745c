"""A supervisor at the wallboard: sees why a call waits, listens, whispers, takes over; nobody else hears too much.
Afterwards somebody of quality writes a note on the recording and gives points."""

import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from telephony.softphone import CallState, Ear
from tests.browser.chrome import WAIT_MS, Person
from tests.house import Server
from tests.phones import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Enter = Callable[[str], Person]
SPOKEN = 300.0


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
        with hotline.seat("8002", manners=None) as seat:
            seat.wait_talks(40).say(bytes(16000))
            live.get_by_test_id("listen").click()
            is_in(supervisor, "listening")
            expect(live.get_by_test_id("live-words")).to_contain_text("实时转写", timeout=WAIT_MS)
            assert supervisor.barriers() == []
            page.get_by_test_id("monitor-whisper").click()
            is_in(supervisor, "whispering")
            eventually(lambda: loud(seat.call.ear), "the seat hears the supervisor", 40)
            assert not loud(call.ear), "the citizen hears nothing of a whisper"
            page.get_by_test_id("monitor-take-over").click()
            is_in(supervisor, "owner")
            eventually(lambda: loud(call.ear), "the citizen hears the supervisor", 40)
            assert seat.call.wait_until(CallState.ENDED, 40), "who was relieved is out"
        page.get_by_test_id("monitor-leave").click()
        is_in(supervisor, "idle")
        assert call.wait_until(CallState.ENDED, 40), call.state
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
