"""A citizen speaks, and the words are read while the call goes on, by whoever may read its ticket and nobody else."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from telephony.softphone.sources import Feed
from tests.e2e import invariants
from tests.e2e.test_three_way import EXPERT, OPERATOR, log_ins
from tests.e2e.test_visibility import log_in
from tests.house import Server
from tests.phones import Manners, ended, eventually
from tests.speech import mandarin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SAID = "你好,我要投诉小区楼下半夜施工噪音扰民"
STRANGER = "8002"


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"HOTLINE_LIVE_TRANSCRIPTS": "1", "HOTLINE_RING_SECONDS": "60"}
    with Server(tmp_path_factory.mktemp("hotline") / "data", settings) as server:
        yield server


class Readers:
    """People who ask for the words of one call."""

    def __init__(self, hotline: Server, call: str) -> None:
        self.hotline, self.call = hotline, call
        made = hotline.command("people", "add", "other", "--role", "operator", "--agent", STRANGER, "--json").stdout
        self.cookies = {**log_ins(hotline), STRANGER: log_in(hotline, "other", json.loads(made)["password"])}

    def ask(self, who: str, after: str = "", call: str = "") -> httpx.Response:
        """`who`: a seat, or a role by a token."""
        path = f"/api/v1/calls/{call or self.call}/transcript/live?after={after}"
        if who not in self.cookies:
            return self.hotline.ask("GET", path, role=who)
        url = f"http://127.0.0.1:{self.hotline.http_port}{path}"
        return httpx.get(url, headers=self.cookies[who], timeout=10)

    def live(self, who: str, after: str = "") -> dict[str, Any]:
        answer = self.ask(who, after)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def reads(self, who: str, words: str) -> None:
        def there() -> bool:
            return words in "".join(line["text"] for line in self.live(who)["segments"])

        eventually(there, f"{who} reads {words}", 40)


def test_words_are_read_before_the_call_ends_by_whoever_may_and_then_the_transcript_replaces_them(
    hotline: Server,
) -> None:
    mouth = Feed()
    with (
        hotline.seat(OPERATOR, Manners()) as seat,
        hotline.seat(EXPERT, Manners(answer_after=None)) as expert,
        hotline.citizen() as citizen,
    ):
        call = citizen.talk("12345", saying=mouth)
        seat.wait_talks(40)
        readers = Readers(hotline, str(hotline.wait_call("talking")[0]["call"]))
        mouth.write(mandarin(SAID, "f3"))
        readers.reads(OPERATOR, "投诉")
        first = readers.live(OPERATOR)
        line = next(one for one in first["segments"] if "投诉" in one["text"])
        assert (line["party"], line["is_gap"], first["state"], first["demo_model"]) == ("citizen", False, "on", True)
        assert line["confidence"] > 0.5
        assert 0 <= line["start_ms"] < line["end_ms"]
        assert "演示模型" in first["note"]
        assert readers.live(OPERATOR, first["next"])["segments"] == [], "only what is new"

        nobody = readers.ask(EXPERT).json() | {"call": ""}
        assert (nobody["state"], nobody["segments"]) == (None, []), "before he is called"
        page = {"origin": f"http://127.0.0.1:{hotline.http_port}", **readers.cookies[OPERATOR]}
        asked = f"http://127.0.0.1:{hotline.http_port}/api/v1/calls/{readers.call}/consult"
        assert httpx.post(asked, json={"seat": EXPERT}, headers=page, timeout=10).status_code == 202
        expert.wait_rings()
        readers.reads(EXPERT, "投诉")
        assert expert.call.state.value == "ringing", "he has not answered"
        for role in ("supervisor", "qa", "dispatcher"):
            readers.reads(role, "投诉")
        assert readers.ask(STRANGER).json() | {"call": ""} == nobody, "as for a call that does not exist"
        assert readers.ask(STRANGER, call="call_0").json() | {"call": ""} == nobody
        assert [readers.ask(role).status_code for role in ("unit", "administrator", "auditor")] == [403] * 3
        call.hang_up()
        ended(call, 20)
    hotline.wait_ticket(transcribed=True, timeout=60)
    after = readers.live("supervisor")
    assert (after["segments"], bool(after["transcript"])) == ([], True)
    views = hotline.get("/api/v1/audit?action=transcript.live&limit=500", role="auditor")["items"]
    shown = sorted(",".join(one["roles"]) for one in views if one["result"] == "ok")
    assert shown == ["dispatcher", "expert", "operator", "qa", "supervisor"], "once for each who read"
    assert sum(one["result"] == "refused" for one in views) >= 2
    invariants.check(hotline, 40)
