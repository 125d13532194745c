"""Citizens who are connected with another centre without a seat of ours: by their queue's plan, or by their flow."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from calls.model import AnyCallFact, OnwardMissed, TalkChanged
from telephony.softphone import CallState, Tone
from tests.asterisk_node import free_udp_port
from tests.e2e import invariants
from tests.e2e.odd import known_calls, new_call
from tests.e2e.test_three_way import BOSS, BOSS_TONE, _tone, log_ins
from tests.e2e.test_whole_call import channels
from tests.house import Server
from tests.phones import CITIZEN_TONE, EXPERT_TONE, SEAT_TONE, Carrier, Manners, ended, eventually, wait_hears

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

CENTRE, LINE, EXTERNAL = "12366", "12399", "07176000009"
SEAT = "8001"


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running hotline whose general queue calls another centre at once when nobody of ours is there."""
    server = Server(tmp_path_factory.mktemp("onward") / "data", {"HOTLINE_TRUNK_NIGHT": ""})
    first, last = (int(one) for one in server.environment["HOTLINE_RTP_PORTS"].split("-"))
    port = next(one for one in iter(free_udp_port, 0) if not first <= one <= last)
    server.environment["HOTLINE_TRUNK_HOST"] = f"127.0.0.1:{port}"
    with server:
        steps = [{"after_s": 600, "does": "overflow", "number": CENTRE}]
        made = server.ask("PUT", "/api/v1/queues/general/plan", json={"steps": steps})
        assert made.status_code == 200, made.text
        entry = {
            "number": LINE,
            "name": "another line",
            "mode": "subcenter",
            "owner_unit": "税务局",
            "external": EXTERNAL,
        }
        made = server.ask("POST", "/api/v1/numbers", json={**entry, "mode": "subcenter"}, role="administrator")
        assert made.status_code == 200, made.text
        yield server


@pytest.fixture
def carrier(hotline: Server) -> Iterator[Carrier]:
    port = int(hotline.environment["HOTLINE_TRUNK_HOST"].rpartition(":")[2])
    with Carrier(hotline.sip, sip_port=port) as phone:
        yield phone
    for seat in (SEAT, BOSS):
        hotline.ask("POST", f"/api/v1/seats/{seat}/sign-out")
    invariants.check(hotline, 40)


def row(hotline: Server, call: str) -> dict[str, Any]:
    found: dict[str, Any] = hotline.get(f"/api/v1/calls/{call}")
    return found


def talks(hotline: Server, call: str) -> None:
    eventually(lambda: bool(row(hotline, call)["answered_at"]), "it is answered", 30)


def completed(hotline: Server, call: str) -> None:
    eventually(lambda: row(hotline, call)["outcome"] == "completed", "it is completed", 30)


def missed(hotline: Server, call: str) -> list[str]:
    facts: list[AnyCallFact] = invariants.stored(hotline.data).calls
    return [fact.result for fact in facts if isinstance(fact, OnwardMissed) and fact.call == call]


def tries(hotline: Server, call: str) -> list[tuple[str, str]]:
    """Numbers that were called for the citizen alone, and what came of each."""
    asked = hotline.get(f"/api/v1/calls/{call}/asks")["items"]
    return [(one["number"], one["tries"][0]["result"]) for one in asked]


def figure(hotline: Server, name: str) -> float:
    shown = hotline.get("/api/v1/kpis?hours=24")["items"]
    return float(next(one["value"] for one in shown if one["name"] == name) or 0)


def test_another_centre_that_answers_has_the_citizen_and_nothing_is_lost(hotline: Server, carrier: Carrier) -> None:
    before, known = figure(hotline, "overflowed"), known_calls(hotline)
    with hotline.citizen("13900000011") as citizen:
        line = citizen.talk("110")
        call = str(new_call(hotline, known)["call"])
        outside = carrier.wait_talks(CENTRE, 30)
        talks(hotline, call)
        wait_hears(line.ear, EXPERT_TONE, 20)
        wait_hears(outside.ear, CITIZEN_TONE, 20)
        outside.hang_up()
        ended(line, 30)
        completed(hotline, call)
    assert tries(hotline, call) == [(CENTRE, "answered")]
    assert figure(hotline, "overflowed") == before + 1
    (ticket,) = [one for one in hotline.tickets() if one["call"] == call]
    path = f"/api/v1/recordings/{ticket['recording']}"
    eventually(lambda: hotline.get(path, role="qa")["state"] == "closed", "the recording is closed", 40)
    sound = channels(hotline.ask("GET", f"{path}/audio", role="qa").content)
    parties = [(one["party"], _tone(sound[:, at])) for at, one in enumerate(hotline.get(path, role="qa")["channels"])]
    assert parties == [("citizen", CITIZEN_TONE), ("outside", EXPERT_TONE)]


def test_another_centre_that_does_not_come_leaves_the_citizen_in_his_place(hotline: Server, carrier: Carrier) -> None:
    carrier.manners[CENTRE] = Manners(refuse=486)
    known = known_calls(hotline)
    with hotline.citizen("13900000012") as citizen:
        line = citizen.talk("110")
        call = str(new_call(hotline, known)["call"])
        eventually(lambda: missed(hotline, call) == ["busy"], "the other centre is busy", 30)
        assert row(hotline, call)["phase"] == "queued"
        with hotline.seat(SEAT) as seat:
            seat.wait_talks(30)
            wait_hears(line.ear, SEAT_TONE, 20)
            wait_hears(seat.call.ear, CITIZEN_TONE, 20)
            line.hang_up()
            ended(seat.call, 20)
        completed(hotline, call)
    assert row(hotline, call)["seat"] == SEAT
    eventually(lambda: tries(hotline, call) == [(CENTRE, "busy")], "the try is kept", 20)


def test_a_seat_that_is_faster_has_the_citizen_and_the_other_centre_rings_no_more(
    hotline: Server, carrier: Carrier
) -> None:
    carrier.manners[CENTRE] = Manners(answer_after=None)
    known = known_calls(hotline)
    with hotline.citizen("13900000013") as citizen:
        line = citizen.talk("110")
        call = str(new_call(hotline, known)["call"])
        rings = carrier.wait_rings(CENTRE, 1, 30)
        with hotline.seat(SEAT) as seat:
            seat.wait_talks(30)
            ended(rings, 20)
            wait_hears(line.ear, SEAT_TONE, 20)
            seat.call.hang_up()
            ended(line, 30)
        completed(hotline, call)
    assert missed(hotline, call) == ["cancelled"]


def test_the_other_centre_answers_while_a_seat_rings_and_while_our_process_is_away(
    hotline: Server, carrier: Carrier
) -> None:
    carrier.manners[CENTRE] = Manners(answer_after=None)
    known = known_calls(hotline)
    with hotline.citizen("13900000014") as citizen:
        line = citizen.talk("110")
        call = str(new_call(hotline, known)["call"])
        rings = carrier.wait_rings(CENTRE, 1, 30)
        with hotline.seat(SEAT, Manners(answer_after=None)) as seat:
            ringing = seat.wait_rings(1, 30)
            hotline.kill()
            rings.say(Tone(EXPERT_TONE))
            rings.answer()
            assert rings.wait_until(CallState.TALKING, 20)
            hotline.start()
            talks(hotline, call)
            ended(ringing, 30)
        wait_hears(line.ear, EXPERT_TONE, 20)
        line.hang_up()
        ended(rings, 30)
        completed(hotline, call)
    assert missed(hotline, call) == []


def test_a_citizen_who_hangs_up_takes_the_call_of_the_other_centre_with_him(hotline: Server, carrier: Carrier) -> None:
    carrier.manners[CENTRE] = Manners(answer_after=None)
    known = known_calls(hotline)
    with hotline.citizen("13900000017") as citizen:
        line = citizen.talk("110")
        call = str(new_call(hotline, known)["call"])
        rings = carrier.wait_rings(CENTRE, 1, 30)
        line.hang_up()
        ended(rings, 20)
        eventually(lambda: row(hotline, call)["outcome"] == "abandoned", "it is abandoned", 30)
    assert missed(hotline, call) == ["cancelled"]


def test_a_supervisor_listens_and_takes_the_citizen_back_from_another_centre(hotline: Server, carrier: Carrier) -> None:
    known, cookies = known_calls(hotline), log_ins(hotline)[BOSS]
    with hotline.citizen("13900000018") as citizen:
        line = citizen.talk("110")
        call = str(new_call(hotline, known)["call"])
        outside = carrier.wait_talks(CENTRE, 30)
        talks(hotline, call)
        with hotline.seat(BOSS, Manners(saying=Tone(BOSS_TONE))) as boss:
            supervise(hotline, cookies, call, "listen")
            wait_hears(boss.wait_rings().ear, EXPERT_TONE, 20)
            wait_hears(boss.call.ear, CITIZEN_TONE, 20)
            eventually(lambda: changes(hotline, call)[-1] == "answered", "the supervisor listens", 30)
            supervise(hotline, cookies, call, "take-over")
            wait_hears(line.ear, BOSS_TONE, 20)
            ended(outside, 30)
            eventually(lambda: changes(hotline, call)[-1] == "takeover", "the supervisor has the citizen", 30)
            line.hang_up()
            ended(boss.call, 30)
        completed(hotline, call)
    assert row(hotline, call)["seat"] == BOSS


def supervise(hotline: Server, cookies: dict[str, str], call: str, what: str) -> None:
    origin = f"http://127.0.0.1:{hotline.http_port}"
    url, headers = f"{origin}/api/v1/calls/{call}/{what}", {"origin": origin, **cookies}
    answer = httpx.post(url, headers=headers, timeout=10)
    assert answer.status_code == 202, answer.text


def changes(hotline: Server, call: str) -> list[str]:
    """What the talk was changed by, in order."""
    facts: list[AnyCallFact] = invariants.stored(hotline.data).calls
    return [fact.what for fact in facts if isinstance(fact, TalkChanged) and fact.call == call]


def test_a_flow_connects_the_citizen_and_goes_its_own_way_when_nobody_comes(hotline: Server, carrier: Carrier) -> None:
    known = known_calls(hotline)
    with hotline.citizen("13900000015") as citizen:
        line = citizen.talk(LINE)
        call = str(new_call(hotline, known)["call"])
        outside = carrier.wait_talks(EXTERNAL, 30)
        talks(hotline, call)
        wait_hears(line.ear, EXPERT_TONE, 20)
        line.hang_up()
        ended(outside, 30)
        completed(hotline, call)
    carrier.manners[EXTERNAL] = carrier.manners[CENTRE] = Manners(refuse=480)
    known = known_calls(hotline)
    with hotline.citizen("13900000016") as citizen:
        line = citizen.talk(LINE)
        call = str(new_call(hotline, known)["call"])
        eventually(lambda: len(missed(hotline, call)) == 2, "neither comes", 40)
        with hotline.seat(SEAT) as seat:
            seat.wait_talks(30)
            wait_hears(line.ear, SEAT_TONE, 20)
            seat.call.hang_up()
            ended(line, 30)
        completed(hotline, call)
    assert {name for name, _ in tries(hotline, call)} == {EXTERNAL, CENTRE}
