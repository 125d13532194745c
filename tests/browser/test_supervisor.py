"""A supervisor at the wallboard: sees why a call waits, listens, whispers, takes over; nobody else hears too much."""

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
        assert supervisor.barriers() == []
        with hotline.seat("8002", manners=None) as seat:
            seat.wait_talks(20).say(bytes(16000))
            live.get_by_test_id("listen").click()
            supervisor.sees("monitor", mode="listening")
            assert supervisor.barriers() == []
            page.get_by_test_id("monitor-whisper").click()
            supervisor.sees("monitor", mode="whispering")
            eventually(lambda: loud(seat.call.ear), "the seat hears the supervisor", 20)
            assert not loud(call.ear), "the citizen hears nothing of a whisper"
            page.get_by_test_id("monitor-take-over").click()
            supervisor.sees("monitor", mode="owner")
            eventually(lambda: loud(call.ear), "the citizen hears the supervisor", 20)
            assert seat.call.wait_until(CallState.ENDED, 20), "who was relieved is out"
        page.get_by_test_id("monitor-leave").click()
        supervisor.sees("monitor", mode="idle")
        assert call.wait_until(CallState.ENDED, 20), call.state
    page.goto(supervisor.url("/wallboard/screen"))
    expect(page.get_by_test_id("screen")).to_contain_text("排队人数", timeout=WAIT_MS)
    assert supervisor.barriers() == []
