"""An operator takes a citizen's call in the page; others watch it, and replay it afterwards."""

import io
import re
import time
import wave
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from telephony.softphone import Account, Call, CallState, Tone
from tests.browser.chrome import WAIT_MS, Person
from tests.house import Server
from tests.phones import CITIZEN_TONE, SEAT_TONE, Manners, SeatPhone, ended, eventually, wait_hears

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Enter = Callable[[str], Person]
SPOKEN = 300.0
"""Loudness (RMS of 16-bit samples) of speech; a line without any has less than 30."""

OTHER_MICROPHONE = "Fake Audio Input 1"
OPENED = """() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    window.opened = stream.getAudioTracks()[0].label;
    return stream;
  };
}"""
"""From now on the page's window tells which microphone was opened."""


def ready(operator: Person) -> None:
    """Sign in at the page's own softphone."""
    expect(operator.page.get_by_test_id("state")).to_be_visible(timeout=WAIT_MS)
    operator.page.get_by_test_id("sign-in").click()
    operator.sees("state", state="ready")


def hears_speech(call: Call, seconds: float = 2.0) -> bool:
    samples = np.frombuffer(call.ear.pcm(since=time.monotonic() - seconds), "<i2").astype(np.float64)
    return bool(samples.size) and float(np.sqrt(np.mean(samples**2))) > SPOKEN


def tracks(wav: bytes) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Frames by channels."""
    with wave.open(io.BytesIO(wav)) as sound:
        return (
            np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float).reshape(-1, sound.getnchannels())
        )


def tone_share(samples: "np.ndarray[tuple[int], np.dtype[np.float64]]", frequency: float) -> float:
    """How much of the energy lies around a frequency."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    near = np.abs(np.fft.rfftfreq(samples.size, 1 / 8000) - frequency) < 20
    return float(power[near].sum() / max(1.0, power.sum()))


def ticket_of(hotline: Server, shown: Person) -> dict[str, Any]:
    ticket = shown.page.get_by_test_id("ticket").get_attribute("data-ticket")
    found: dict[str, Any] = hotline.get(f"/api/v1/tickets/{ticket}")
    return found


def test_a_citizens_call_is_taken_in_the_page(hotline: Server, enter: Enter) -> None:
    operator, supervisor = enter("operator"), enter("supervisor")
    page = operator.page
    assert operator.barriers() == []
    ready(operator)
    hears_oneself(operator)
    with hotline.citizen("13912345678") as citizen:
        call = citizen.dial("12329")
        operator.sees("call", talk="ringing")
        expect(page.get_by_test_id("caller")).to_have_text("139****5678")
        expect(page.get_by_test_id("dialled")).to_have_text("12329")
        assert operator.barriers() == []
        page.keyboard.press("F2")
        operator.sees("call", talk="talking")

        eventually(lambda: hears_speech(call), "the citizen hears the operator", 10)
        level = page.get_by_test_id("their-level")
        eventually(lambda: float(level.evaluate("meter => meter.value")) > 0.2, "the page hears the citizen", 10)
        expect(page.get_by_test_id("ticket-state")).to_have_text("草稿", timeout=WAIT_MS)
        page.fill("input[name=matter]", "小区旁工地夜间施工噪音")
        page.fill("textarea[name=demand]", "要求夜间停工")
        operator.sees("ticket", saving="saved")
        assert ticket_of(hotline, operator)["matter"] == "小区旁工地夜间施工噪音"
        expect(supervisor.page.get_by_test_id("live")).to_contain_text("通话中", timeout=WAIT_MS)
        expect(supervisor.page.locator("[data-seat='8001']")).to_have_attribute("data-state", re.compile("talking"))
        assert operator.barriers() + supervisor.barriers() == []

        presses_keys(operator, call)
        page.keyboard.press("F8")
        eventually(lambda: not hears_speech(call, 1.0), "a muted operator is not heard", 10)
        takes_another_microphone(operator, call)
        page.keyboard.press("F8")
        eventually(lambda: hears_speech(call), "the operator is heard again", 10)
        page.keyboard.press("F7")
        operator.sees("call", talk="held")
        page.keyboard.press("F7")
        operator.sees("call", talk="talking")
        eventually(lambda: hears_speech(call), "the operator is heard after the hold", 10)
        page.keyboard.press("F4")
        operator.sees("call", talk="none")
        assert call.wait_until(CallState.ENDED, 15), call.state

    operator.sees("state", state="wrap_up")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("ticket-state")).to_have_text("已受理", timeout=WAIT_MS)
    expect(page.get_by_test_id("transcript")).to_contain_text("话务员", timeout=60_000)
    check_sound(hotline, ticket_of(hotline, operator)["recording"])
    page.keyboard.press("F10")
    operator.sees("state", state="ready")
    page.get_by_test_id("sign-out").click()
    operator.sees("state", state="none")
    page.reload()
    shows_settings(operator)
    expect(page.get_by_test_id("microphone")).to_contain_text(OTHER_MICROPHONE, timeout=WAIT_MS)


def shows_settings(operator: Person) -> None:
    """Open what the page's softphone speaks and hears with."""
    operator.page.get_by_test_id("phone").click()
    operator.sees("phone-settings")


def hides_settings(operator: Person) -> None:
    operator.page.get_by_test_id("state").click()
    expect(operator.page.get_by_test_id("phone-settings")).to_be_hidden(timeout=WAIT_MS)


def hears_oneself(operator: Person) -> None:
    """The microphone shows how loud it is, and is listened to until a call comes."""
    shows_settings(operator)
    level = operator.page.get_by_test_id("own-level")
    eventually(lambda: float(level.evaluate("meter => meter.value")) > 0.2, "the page hears its microphone", 20)
    test = operator.page.get_by_test_id("hear-oneself")
    test.click()
    expect(test).to_have_text("停止试听", timeout=WAIT_MS)
    assert operator.barriers() == []
    hides_settings(operator)


def presses_keys(operator: Person, call: Call) -> None:
    """Keys come through to the citizen's phone, by click and by keyboard; what is typed into a field does not."""
    page = operator.page
    page.keyboard.press("F6")
    page.get_by_test_id("key-5").click()
    assert call.wait_for_keys(1, 20) == "5"
    page.locator("textarea[name=demand]").press("7")
    page.get_by_test_id("key-0").focus()
    page.keyboard.press("#")
    assert call.wait_for_keys(2, 20) == "5#"
    assert operator.barriers() == []
    page.keyboard.press("F6")
    expect(page.get_by_test_id("key-5")).to_be_hidden(timeout=WAIT_MS)


def takes_another_microphone(operator: Person, call: Call) -> None:
    """Another device is chosen in the talk by somebody who is muted, and stays so."""
    page = operator.page
    page.evaluate(OPENED)
    shows_settings(operator)
    expect(page.get_by_test_id("hear-oneself")).to_have_text("试听本机麦克风")
    expect(page.get_by_test_id("hear-oneself")).to_be_disabled()
    page.get_by_test_id("microphone").click()
    assert page.get_by_role("option").count() > 1
    page.get_by_role("option", name=OTHER_MICROPHONE).click()
    eventually(lambda: page.evaluate("window.opened") == OTHER_MICROPHONE, "the other microphone is opened", 20)
    hides_settings(operator)
    since = time.monotonic()
    eventually(lambda: time.monotonic() - since > 1.2, "some sound of the other microphone", 20)
    assert not hears_speech(call, 1.0)


def check_sound(hotline: Server, recording: str) -> None:
    """Both are on the recording, each on a channel of its own."""
    sound = tracks(hotline.ask("GET", f"/api/v1/recordings/{recording}/audio", role="qa").content)
    citizen, operator = sound[:, 0], sound[:, 1]
    assert tone_share(citizen, CITIZEN_TONE) > 0.8
    assert float(np.sqrt(np.mean(operator**2))) > SPOKEN
    assert tone_share(operator, CITIZEN_TONE) < 0.2


def test_what_was_said_is_replayed_with_its_transcript(hotline: Server, enter: Enter) -> None:
    eventually(lambda: bool(hotline.get("/api/v1/recordings", role="qa")["items"]), "a recording", 10)
    auditor = enter("qa")
    page = auditor.page
    page.get_by_test_id("recordings").get_by_role("button").first.click()
    expect(page.get_by_test_id("waveform").locator("> div")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("transcript")).to_contain_text("话务员", timeout=WAIT_MS)
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("time")).to_contain_text(re.compile(r"^00:0[1-9]"), timeout=WAIT_MS)
    page.get_by_test_id("play").click()
    page.keyboard.press("l")
    expect(page.get_by_test_id("time")).to_contain_text(re.compile(r"^00:(0[6-9]|1\d)"), timeout=WAIT_MS)
    assert auditor.barriers() == []
    recording = page.url.rpartition("/")[2]
    call = hotline.get(f"/api/v1/recordings/{recording}", role="qa")["call"]
    texts = hotline.get(f"/api/v1/transcripts?call={call}", role="qa")["items"][0]
    said = next(one["text"] for one in texts["segments"] if one["party"] == "operator")[:3]
    found = page.get_by_test_id("recordings")
    page.fill("input[name=by-words]", said)
    page.fill("input[name=by-number]", "5678")
    page.keyboard.press("Enter")
    expect(found.locator("mark").first).to_have_text(said, timeout=WAIT_MS)
    page.fill("input[name=by-number]", "13912345679")
    page.keyboard.press("Enter")
    expect(found.get_by_role("button")).to_have_count(0, timeout=WAIT_MS)
    assert auditor.barriers() == []
    searches = hotline.get("/api/v1/audit?subject=recordings", role="auditor")["items"]
    assert searches
    assert "13912345679" not in str(searches)
    plays = hotline.get(f"/api/v1/audit?subject={recording}", role="auditor")["items"]
    assert any(one["action"] == "recording.play" for one in plays)


def test_what_was_typed_outlives_a_reload(hotline: Server, enter: Enter) -> None:
    operator = enter("operator")
    page = operator.page
    ready(operator)
    with hotline.citizen("13900002222") as citizen:
        call = citizen.dial("12345")
        operator.sees("call", talk="ringing")
        page.get_by_test_id("answer").click()
        operator.sees("call", talk="talking")
        page.fill("input[name=matter]", "路灯不亮")
        call.hang_up()
        operator.sees("call", talk="none")
    page.fill("input[name=subject_address]", "夷陵大道八号")
    page.get_by_test_id("classes").locator("[data-code=complaint]").click()
    page.keyboard.press("Tab")  # on to urgency, and through it by arrows
    page.keyboard.press("ArrowRight")
    page.get_by_test_id("category").locator("input").fill("施工噪")
    expect(page.get_by_role("option")).to_have_count(1, timeout=WAIT_MS)
    page.keyboard.press("Enter")
    page.fill("input[name=proposed_unit]", "住房和城乡建设局")
    assert operator.barriers() == []
    page.reload()
    expect(page.locator("input[name=subject_address]")).to_have_value("夷陵大道八号", timeout=WAIT_MS)
    expect(page.locator("input[name=matter]")).to_have_value("路灯不亮")
    operator.sees("ticket", saving="saved")
    expect(page.get_by_test_id("category")).to_contain_text("施工噪声", timeout=WAIT_MS)
    kept = ticket_of(hotline, operator)
    assert kept["subject_address"] == "夷陵大道八号"
    assert (kept["request_type"], kept["urgency"], kept["category_code"]) == ("complaint", "urgent", "010401")
    assert kept["proposed_unit"] == "住房和城乡建设局"


def test_the_desk_hands_the_citizen_to_the_rating_and_sees_what_came_back(hotline: Server, enter: Enter) -> None:
    plan = "/api/v1/queues/general/plan"
    assert hotline.ask("PUT", plan, json={"rating": True}).status_code == 200
    operator = enter("operator")
    page = operator.page
    if hotline.seat_state("8001"):
        hotline.ask("POST", "/api/v1/seats/8001/resume")  # out of the wrap-up of the call before
        operator.sees("state", state="ready")
    else:
        ready(operator)
    with hotline.citizen("13912345678") as citizen:
        call = citizen.dial("12345")
        operator.sees("call", talk="ringing")
        page.keyboard.press("F2")
        operator.sees("call", talk="talking")
        expect(page.get_by_test_id("hang-up")).to_contain_text("请市民评价", timeout=WAIT_MS)
        expect(page.get_by_test_id("ticket-state")).to_have_text("草稿", timeout=WAIT_MS)
        expect(page.locator("input[name=matter]")).to_have_value("", timeout=WAIT_MS)  # the draft of before is gone
        its_matter = page.get_by_text("小区旁工地夜间施工噪音", exact=True)
        page.get_by_test_id("earlier").locator("li", has=its_matter).get_by_test_id("append").click()
        page.fill("textarea[name=append]", "昨晚又施工到凌晨")
        assert operator.barriers() == []
        page.get_by_test_id("append-send").click()
        expect(page.locator("input[name=matter]")).to_have_value(re.compile("^补充 .* 小区旁工地"), timeout=WAIT_MS)
        added = next(one for one in hotline.tickets() if one["matter"] == "小区旁工地夜间施工噪音")
        notes = hotline.get(f"/api/v1/tickets/{added['id']}")["conclusions"]
        assert ("昨晚又施工到凌晨", True) in [(one["text"], one["is_supplement"]) for one in notes]
        path = f"/api/v1/desk/calls/{hotline.calls()[0]['call']}/earlier/{added['id']}"
        assert hotline.ask("POST", path, role="expert", json={"text": "无关"}).status_code == 404, "not his call"
        page.fill("input[name=matter]", "公交改线")
        page.keyboard.press("F4")
        operator.sees("rating", service="", result="")
        call.press("1")
        operator.sees("rating", service="satisfied")
        call.press("3")
        operator.sees("rating", service="satisfied", result="dissatisfied")
        assert operator.barriers() == []
        assert call.wait_until(CallState.ENDED, 30)
    assert hotline.ask("DELETE", plan).status_code == 200
    reviewer = enter("qa")
    page = reviewer.page
    page.goto(reviewer.url("/tickets"))
    page.get_by_test_id("tickets").get_by_role("button", name="公交改线").click()
    reviewer.sees("rating", service="satisfied", result="dissatisfied")
    expect(page.get_by_test_id("history")).to_contain_text("转满意度评价")
    assert reviewer.barriers() == []
    page.get_by_test_id("by-type").click()
    page.get_by_role("option", name="投诉").click()
    page.get_by_test_id("search").click()
    expect(page.get_by_test_id("tickets").get_by_role("button")).to_have_count(1, timeout=WAIT_MS)
    expect(page.get_by_test_id("tickets")).to_contain_text("路灯不亮")


def test_a_phone_on_the_desk_rings_and_the_page_shows_its_call(hotline: Server, enter: Enter) -> None:
    hotline.ask("POST", "/api/v1/seats/8001/sign-out", json={"reason": ""})
    eventually(lambda: not hotline.seat_state("8001"), "nobody is at the seat", 40)
    plan = "/api/v1/queues/general/plan"
    assert hotline.ask("PUT", plan, json={"rating": True}).status_code == 200
    operator = enter("operator")
    page = operator.page
    page.get_by_text("桌面话机", exact=True).click()
    with page.expect_response("**/sign-in") as answer:
        page.get_by_test_id("sign-in").click()
    account = Account(answer.value.json()["sip"]["username"], answer.value.json()["sip"]["secret"])
    silent = SeatPhone(hotline.sip, account, Manners(answer_after=None))
    with silent as phone, hotline.citizen("13900002233") as citizen:
        operator.sees("state", state="ready")
        call = citizen.dial("12345")
        rings = phone.wait_rings(1, 40)
        expect(page.get_by_test_id("caller")).to_have_text("139****2233", timeout=WAIT_MS)
        expect(page.get_by_test_id("call")).to_contain_text("请使用桌面话机接听")
        expect(page.get_by_test_id("answer")).to_have_count(0)
        assert operator.barriers() == []
        page.keyboard.press("F4")  # nothing is hung up that was not answered
        rings.say(Tone(SEAT_TONE))
        rings.answer()
        wait_hears(call.ear, SEAT_TONE, 40)
        hotline.wait_call("talking", timeout=40)
        expect(page.get_by_test_id("hang-up")).to_contain_text("请市民评价", timeout=WAIT_MS)
        expect(page.get_by_test_id("mute")).to_have_count(0)
        assert page.get_by_test_id("call").locator("audio").evaluate("sound => sound.srcObject") is None
        operator.sees("call", talk="none")
        expect(page.get_by_test_id("ticket-state")).to_have_text("草稿", timeout=WAIT_MS)
        assert operator.barriers() == []
        page.reload()
        operator.sees("hang-up")
        page.keyboard.press("F4")
        hotline.wait_call("closing", timeout=40)  # he is asked how it was, and not just hung up
        ended(rings, 40)
        operator.sees("state", state="wrap_up")
        expect(page.get_by_test_id("hang-up")).to_have_count(0, timeout=WAIT_MS)
        call.hang_up()
        ended(call, 40)
    eventually(lambda: hotline.calls()[0]["outcome"] == "completed", "the call was brought to its end", 40)
    assert hotline.ask("DELETE", plan).status_code == 200
    page.get_by_test_id("sign-out").click()
    operator.sees("state", state="none")


def test_a_log_in_that_ends_closes_the_page_and_its_softphone(hotline: Server, enter: Enter) -> None:
    expert = enter("expert")
    ready(expert)
    people = hotline.get("/api/v1/people", role="administrator")["items"]
    person = next(one["id"] for one in people if one["login"] == "expert")
    hotline.ask("PATCH", f"/api/v1/people/{person}", role="administrator", json={"is_disabled": True})
    began = time.monotonic()
    expert.page.wait_for_url("**/login", timeout=15_000)
    assert time.monotonic() - began < 10
    eventually(lambda: hotline.seat_state("8011") != "ready", "nobody is offered calls there", 10)
    expert.complaints.clear()  # the browser tells of every 401, which is what was wanted here
