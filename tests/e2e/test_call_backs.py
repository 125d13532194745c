"""Citizens who are called back: those who asked for it while they waited, and those who were missed."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from calls.model import AnyCallFact, CallBackAsked, CitizenMissed
from telephony.softphone import CallState, Feed
from tests.asterisk_node import free_udp_port
from tests.e2e import invariants
from tests.e2e.odd import known_calls, new_call
from tests.e2e.test_three_way import log_ins
from tests.e2e.test_whole_call import channels
from tests.house import Server
from tests.phones import EXPERT_TONE, SEAT_TONE, Carrier, Citizen, Manners, ended, eventually, wait_hears

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

QUEUE = "/api/v1/queues/general/plan"
OPERATOR = "8001"
SETTINGS = {
    "HOTLINE_CALL_BACK_HOURS": "",
    "HOTLINE_CALL_BACK_AGAIN_SECONDS": "2",
    "HOTLINE_CALL_BACK_TRIES": "2",
    "HOTLINE_CALL_BACK_DAILY_NUMBER": "20",
}


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running hotline that calls back."""
    server = Server(tmp_path_factory.mktemp("back") / "data", SETTINGS)
    first, last = (int(one) for one in server.environment["HOTLINE_RTP_PORTS"].split("-"))
    port = next(one for one in iter(free_udp_port, 0) if not first <= one <= last)
    server.environment["HOTLINE_TRUNK_HOST"] = f"127.0.0.1:{port}"
    with server:
        steps = [{"after_s": 0, "does": "call_back"}]
        made = server.ask("PUT", QUEUE, json={"rating": False, "steps": steps})
        assert made.status_code == 200, made.text
        yield server


@pytest.fixture(scope="module")
def operator(hotline: Server) -> dict[str, str]:
    return log_ins(hotline)[OPERATOR]


@pytest.fixture
def carrier(hotline: Server) -> Iterator[Carrier]:
    port = int(hotline.environment["HOTLINE_TRUNK_HOST"].rpartition(":")[2])
    with Carrier(hotline.sip, sip_port=port) as phone:
        yield phone
    hotline.ask("POST", f"/api/v1/seats/{OPERATOR}/sign-out")
    invariants.check(hotline, 40)


def facts(hotline: Server, call: str) -> list[AnyCallFact]:
    return [fact for fact in invariants.stored(hotline.data).calls if fact.call == call]


def asked(hotline: Server, call: str, times: int = 1) -> None:
    """Wait until the citizen was asked so often."""
    eventually(
        lambda: sum(isinstance(fact, CallBackAsked) for fact in facts(hotline, call)) >= times, "he is asked", 20
    )


def promise(hotline: Server, citizen: Citizen) -> str:
    """Call, say yes, and hang up when that is over; the call."""
    known = known_calls(hotline)
    line = citizen.talk("110", saying=Feed())
    call = str(new_call(hotline, known)["call"])
    asked(hotline, call)
    line.press("1")
    ended(line, 30)
    eventually(lambda: bool(row(hotline, call)["call_back"]), "it is promised", 20)
    return call


def row(hotline: Server, call: str) -> dict[str, Any]:
    found: dict[str, Any] = hotline.get(f"/api/v1/calls/{call}")
    return found


def answered(hotline: Server, call: str) -> None:
    """Wait until the call counts as answered: whoever hangs up in the moment before has given up instead."""
    eventually(lambda: bool(row(hotline, call)["answered_at"]), "it is answered", 20)


def completed(hotline: Server, call: str, outcome: str = "completed") -> None:
    eventually(lambda: bool(row(hotline, call)["outcome"]), "it ended", 30)
    assert row(hotline, call)["outcome"] == outcome


def test_a_promised_citizen_is_called_in_his_turn_and_talks(hotline: Server, carrier: Carrier) -> None:
    with hotline.citizen("13900000001") as first, hotline.citizen("13900000002") as second:
        call = promise(hotline, first)
        known = known_calls(hotline)
        waits = second.talk("110", saying=Feed())
        later = str(new_call(hotline, known)["call"])
        with hotline.seat(OPERATOR) as seat:
            citizen = carrier.wait_talks("13900000001", 30)
            assert len(seat.calls) == 1, "who came later waits"
            wait_hears(citizen.ear, SEAT_TONE, 20)
            wait_hears(seat.call.ear, EXPERT_TONE, 20)
            assert row(hotline, later)["answered_at"] is None
            citizen.hang_up()
            ended(seat.call, 20)
            seat.wait_rings(2, 30)
            seat.wait_talks(20)
            answered(hotline, later)
            waits.hang_up()
    completed(hotline, call)
    completed(hotline, later)
    (ticket,) = [one for one in hotline.tickets() if one["call"] == call]
    recorded(hotline, str(ticket["recording"]))


def recorded(hotline: Server, recording: str) -> None:
    """Each party is heard on a channel of its own, and nothing else is."""
    path = f"/api/v1/recordings/{recording}"
    eventually(lambda: hotline.get(path, role="qa")["state"] == "closed", "the recording is closed", 40)
    parties = [(one["party"], one["flags"]) for one in hotline.get(path, role="qa")["channels"]]
    assert [party for party, _ in parties] == ["citizen", "operator", "announcement"], parties
    sound = channels(hotline.ask("GET", f"{path}/audio", role="qa").content)
    loudest = [int(abs(sound[:, number]).max()) for number in range(2)]  # the greeting may have been cut short
    assert min(loudest) > 1000, (loudest, parties, len(sound))


def test_an_answer_that_does_not_come_is_tried_again_and_then_a_task_that_a_click_dials(
    hotline: Server, carrier: Carrier, operator: dict[str, str]
) -> None:
    number = "13900000003"
    carrier.manners[number] = Manners(refuse=486)
    with hotline.citizen(number) as citizen, hotline.seat(OPERATOR, Manners(answer_after=None)) as seat:
        hotline.post(f"/api/v1/seats/{OPERATOR}/pause", {"reason": "rest"})
        call = promise(hotline, citizen)
        seat.manners = Manners()
        hotline.post(f"/api/v1/seats/{OPERATOR}/resume")
        carrier.wait_rings(number, 2, 40)
        completed(hotline, call, "not_reached")
        missed = [fact for fact in facts(hotline, call) if isinstance(fact, CitizenMissed)]
        assert [(fact.result, fact.again_at is None) for fact in missed] == [("busy", False), ("busy", True)]
        task = owed(hotline, call)
        assert (task["reason"], [one["result"] for one in task["tries"]]) == ("not_reached", ["busy", "busy"])
        eventually(lambda: hotline.seat_state(OPERATOR) == "ready", "the seat is free", 20)
        carrier.manners[number] = Manners(answer_after=0.2)
        answer = dial(hotline, task, operator)
        assert answer.status_code == 202, answer.text
        made = str(answer.json()["call"])
        assert dial(hotline, task, operator).status_code == 409, "he is called already"
        outside = carrier.wait_talks(number, 20)
        wait_hears(outside.ear, SEAT_TONE, 20)
        done = owed(hotline, call, done=True)
        assert (done["reached_call"], done["tries"][-1]["result"]) == (made, "reached")
        seat.call.hang_up()
        ended(outside, 30)
        completed(hotline, made)
    assert [one for one in hotline.tickets() if one["call"] == made]


def dial(hotline: Server, task: dict[str, Any], who: dict[str, str]) -> httpx.Response:
    """The operator's click."""
    url = f"http://127.0.0.1:{hotline.http_port}"
    path = f"{url}/api/v1/callbacks/{task['id']}/call"
    return httpx.post(path, headers={"origin": url, **who}, timeout=10)


def owed(hotline: Server, call: str, *, done: bool = False) -> dict[str, Any]:
    """The task that a call left, as soon as it is there (and done)."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        items = hotline.get(f"/api/v1/callbacks?done={str(done).lower()}&limit=100")["items"]
        found[:] = [one for one in items if one["call"] == call and bool(one["done_at"]) is done]
        return bool(found) and (not done or bool(found[0]["tries"][-1]["result"]))

    eventually(there, "the task is there", 20)
    return found[0]


def test_who_rings_again_has_the_kept_place_and_is_not_called_as_well(hotline: Server, carrier: Carrier) -> None:
    number = "13900000005"
    with hotline.citizen(number) as citizen:
        call = promise(hotline, citizen)
        known = known_calls(hotline)
        line = citizen.talk("110", saying=Feed())
        again = str(new_call(hotline, known)["call"])
        completed(hotline, call, "rejoined")
        with hotline.seat(OPERATOR) as seat:
            seat.wait_talks(20)
            answered(hotline, again)
            line.hang_up()
            ended(seat.call, 20)
        completed(hotline, again)
    assert number not in carrier.numbers()


def test_a_promise_outlives_our_process_and_asterisk(hotline: Server, carrier: Carrier) -> None:
    number = "13900000006"
    carrier.manners[number] = Manners(answer_after=None)
    with hotline.citizen(number) as citizen:
        call = promise(hotline, citizen)
    old = hotline.asterisk_pid
    os.kill(old, signal.SIGKILL)
    eventually(lambda: is_another(hotline, old), "another Asterisk is up", 60)
    with hotline.seat(OPERATOR) as seat:
        carrier.wait_rings(number, 1, 60)
        hotline.kill()
        hotline.start()
        carrier.manners[number] = Manners()
        talks = carrier.wait_rings(number, 2, 60)
        assert talks.wait_until(CallState.TALKING, 20)
        wait_hears(talks.ear, SEAT_TONE, 20)
        wait_hears(seat.call.ear, EXPERT_TONE, 20)
        talks.hang_up()
        ended(seat.call, 30)
    completed(hotline, call)


def test_another_number_is_keyed_in_read_out_and_called(hotline: Server, carrier: Carrier) -> None:
    other = "13900000077"
    known = known_calls(hotline)
    with hotline.citizen("13900000007") as citizen, hotline.seat(OPERATOR, Manners(refuse=486)) as seat:
        hotline.post(f"/api/v1/seats/{OPERATOR}/pause", {"reason": "rest"})
        line = citizen.talk("110", saying=Feed())
        call = str(new_call(hotline, known)["call"])
        for times, keys in ((1, "2"), (2, "95588#"), (3, f"{other}#"), (4, "1")):
            asked(hotline, call, times)
            line.press(keys)
        ended(line, 40)
        seat.manners = Manners()
        hotline.post(f"/api/v1/seats/{OPERATOR}/resume")
        outside = carrier.wait_talks(other, 30)
        answered(hotline, call)
        outside.hang_up()
        ended(seat.call, 20)
        completed(hotline, call)


def is_another(hotline: Server, old: int) -> bool:
    """Whether an Asterisk is up that is not the old one."""
    seen = hotline.get("/api/v1/system", role="administrator")["asterisk"]
    return bool(seen["is_up"]) and int(seen["pid"] or old) != old
