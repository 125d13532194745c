"""The operator's desk in a real browser: how soon it can be used, a call is seen, a voice is heard; what a page weighs.

There is no baseline: the targets are absolute. Times are the browser's own (`performance.now`): from the click on the
log-in, from the INVITE's arrival at the page's socket, and from the click on the answer.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request, sync_playwright

from bench.row import Row, compare, percentile
from tests.browser import chrome
from tests.house import Server
from tests.phones import eventually
from tests.speech import mandarin

CALLS = 12
USABLE_MS, RINGING_MS, SOUND_MS = 1500.0, 100.0, 150.0
WATCH = """
window.bench = {invited: [], painted: [], answered: [], heard: []};
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener('message', ({data}) => {
      if (typeof data === 'string' && data.startsWith('INVITE')) window.bench.invited.push(performance.now());
    });
  }
};
const Line = window.RTCPeerConnection;
const ear = new AudioContext({latencyHint: 'interactive'});
window.RTCPeerConnection = class extends Line {
  constructor(...all) {
    super(...all);
    ear.resume();
    this.addEventListener('track', ({track}) => {
      const meter = new AnalyserNode(ear, {fftSize: 256});
      ear.createMediaStreamSource(new MediaStream([track])).connect(meter);
      const samples = new Float32Array(256);
      const look = () => {
        if (this.connectionState === 'closed') return;
        meter.getFloatTimeDomainData(samples);
        if (samples.some((one) => Math.abs(one) > 0.005)) window.bench.heard.push(performance.now());
        else setTimeout(look, 4);
      };
      look();
    }, {once: true});
  }
};
addEventListener('DOMContentLoaded', () => {
  let rang = false;
  new MutationObserver(() => {
    const rings = document.querySelector('[data-test=call]')?.dataset.talk === 'ringing';
    if (rings && !rang) requestAnimationFrame(() => setTimeout(() => window.bench.painted.push(performance.now())));
    rang = rings;
  }).observe(document, {subtree: true, childList: true, attributes: true});
  addEventListener('keydown', (event) => event.key === 'F2' && window.bench.answered.push(performance.now()), true);
});
"""
"""Notes what the rows are made of. Painted: after the frame in which the call is shown."""
ALL_HEARD = "window.bench.heard.length === window.bench.answered.length"
NOW = "performance.timeOrigin + performance.now()"


def measure(rounds: int) -> list[Row]:
    """Log-ins and calls at one desk."""
    if chrome.program() is None:
        print("  no Chromium on this machine: the desk is not measured", flush=True)
        return []
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name, sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        speaks = chrome.microphone(Path(name) / "operator.wav", mandarin("好的,请问您的地址和电话号码是多少", "m4"))
        with (
            Server(Path(name) / "data", {"HOTLINE_WRAP_UP_SECONDS": "0", "HOTLINE_WORKERS": "0"}) as server,
            chrome.browser(playwright, speaks) as browser,
        ):
            usable, weight = [], 0.0
            for _ in range(max(3, rounds)):
                took, weight = _log_in(server, browser)
                usable.append(took)
            seen = _calls(server, browser)
    return _rows(usable, weight, seen)


def _page(server: Server, browser: Browser) -> tuple[Page, list[Request]]:
    """The log-in, filled in; and what the page asks for from its first byte on."""
    context = browser.new_context(permissions=["microphone"], viewport={"width": 1366, "height": 768})
    context.add_init_script(WATCH)
    page = context.new_page()
    asked: list[Request] = []
    page.on("requestfinished", lambda request: asked.append(request))
    page.goto(f"http://127.0.0.1:{server.http_port}/")
    page.fill("input[name=login]", "operator")
    page.fill("input[name=password]", chrome.password(server, "operator"))
    return page, asked


def _log_in(server: Server, browser: Browser) -> tuple[float, float]:
    """Milliseconds from the log-in to a desk whose button can be pressed, with an empty cache; KiB that it took."""
    page, asked = _page(server, browser)
    began: float = page.evaluate(NOW)
    page.click("button[type=submit]")
    page.get_by_test_id("sign-in").click(trial=True)
    took: float = page.evaluate(NOW) - began
    weight = sum(one.sizes()["responseBodySize"] for one in asked)
    page.context.close()
    return took, weight / 1024


def _calls(server: Server, browser: Browser) -> dict[str, list[float]]:
    page, _ = _page(server, browser)
    page.click("button[type=submit]")
    page.get_by_test_id("sign-in").click()
    page.locator("[data-test=phone][data-registration=registered]").wait_for()
    with server.citizen() as citizen:
        for _ in range(CALLS):
            page.locator("[data-test=state][data-state=ready]").wait_for()
            call = citizen.dial("110")
            page.locator("[data-test=call][data-talk=ringing]").wait_for()
            page.keyboard.press("F2")
            page.locator("[data-test=call][data-talk=talking]").wait_for()
            eventually(lambda: bool(page.evaluate(ALL_HEARD)), "the page hears the citizen", 20)
            page.keyboard.press("F4")
            page.locator("[data-test=call][data-talk=none]").wait_for()
            call.hang_up()
    seen: dict[str, list[float]] = page.evaluate("window.bench")
    page.context.close()
    return seen


def _rows(usable: Sequence[float], weight: float, seen: dict[str, Any]) -> list[Row]:
    rings = [shown - came for came, shown in zip(seen["invited"], seen["painted"], strict=True)]
    sounds = [heard - answered for answered, heard in zip(seen["answered"], seen["heard"], strict=True)]
    return [
        compare("desk_usable_after_log_in", "ms", usable, [], at_most=USABLE_MS),
        compare("desk_ringing_painted_p95", "ms", [percentile(rings, 95)], [], at_most=RINGING_MS),
        compare("desk_answer_to_sound_p50", "ms", [percentile(sounds, 50)], [], at_most=SOUND_MS),
        compare("desk_page_weight", "KiB", [weight], []),
    ]
