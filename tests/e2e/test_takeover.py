"""Our process is killed while citizens wait and talk; it comes back, and nobody noticed."""

import os
import signal
from contextlib import ExitStack
from functools import partial

import pytest

from telephony.softphone import OutgoingCall
from tests.house import Server
from tests.phones import Manners, SeatPhone, ended, eventually, hears

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SEATS = tuple(str(8201 + number) for number in range(10))
AGENTS = "".join(
    f'- {{agent: "{seat}", name: 补充, kind: operator, phone: "{seat}", skills: {{general: 5}}}}\n' for seat in SEATS
)


def join(hotline: Server, stack: ExitStack, count: int) -> list[OutgoingCall]:
    """Citizens who call one after another, in this order."""
    calls: list[OutgoingCall] = []
    for number in range(count):
        before = len(hotline.calls())
        citizen = stack.enter_context(hotline.citizen(f"1390000{before:04d}"))
        calls.append(citizen.talk("110"))
        eventually(partial(_more_calls, hotline, before), f"call {number} is known", 10)
    return calls


def test_ten_talk_and_ten_wait_through_a_kill_and_nobody_is_dropped(fresh_hotline: Server) -> None:
    hotline = fresh_hotline
    extra = hotline.data / "extra-agents.yaml"
    extra.write_text(AGENTS)
    hotline.command("agents", "import", str(extra))
    with ExitStack() as stack:
        seats: dict[str, SeatPhone] = {name: stack.enter_context(hotline.seat(name)) for name in SEATS}
        talking = join(hotline, stack, 10)
        hotline.wait_call("talking", 10, 60)
        for seat in seats.values():
            seat.manners = Manners()
        waiting = join(hotline, stack, 10)
        hotline.wait_call("queued", 10, 30)
        order = [call["call"] for call in reversed(hotline.calls()) if call["phase"] == "queued"]

        hotline.kill()
        hotline.start()

        assert all(call.ending is None for call in (*talking, *waiting)), "nobody was dropped"
        hotline.wait_call("talking", 10, 20)
        hotline.wait_call("queued", 10, 20)
        for seat in seats.values():
            eventually(partial(hears, seat.call.ear, 600), "the talk goes on", 5)

        for served, seat in enumerate(seats.values(), 1):
            seat.call.hang_up()
            eventually(partial(_have_been_answered, hotline, order, served), "the next call is answered", 20)
        assert _answered(hotline, order) == order, "the queue kept its order"
        for seat in seats.values():
            seat.call.hang_up()
        for call in (*talking, *waiting):
            ended(call, 20)
    tickets = hotline.wait_ticket(count=20, timeout=60)
    assert len({ticket["call"] for ticket in tickets}) == 20
    eventually(lambda: _closed(hotline) == 20, "every recording is complete", 60)
    assert hotline.command("recordings", "verify", check=False).returncode == 0


def _more_calls(hotline: Server, before: int) -> bool:
    return len(hotline.calls()) > before


def _have_been_answered(hotline: Server, order: list[str], count: int) -> bool:
    return len(_answered(hotline, order)) >= count


def _answered(hotline: Server, order: list[str]) -> list[str]:
    """Those of `order` that were answered, by the moment of their answer."""
    found = [call for call in hotline.calls() if call["call"] in order and call["answered_at"]]
    return [call["call"] for call in sorted(found, key=lambda call: call["answered_at"])]


def _closed(hotline: Server) -> int:
    rows = hotline.get("/api/v1/recordings?limit=100", role="qa")["items"]
    return sum(row["state"] == "closed" and not row["truncated"] for row in rows)


def test_killed_in_the_menu_and_while_ringing_the_calls_go_on(fresh_hotline: Server) -> None:
    hotline = fresh_hotline
    with hotline.seat("8001", Manners(answer_after=None)) as seat, hotline.citizen("13900000001") as first:
        ringing = first.talk("110")
        seat.wait_rings(1, 20)
        with hotline.citizen("13900000002") as second:
            listening = second.talk("12345")
            eventually(lambda: len(hotline.calls()) == 2, "both calls are known", 10)
            hotline.kill()
            hotline.start()
            seat.manners = Manners()
            seat.call.answer() if seat.call.ending is None else seat.wait_rings(2, 30)
            hotline.wait_call("talking", 1, 30)
            hotline.wait_call("queued", 1, 30)
            assert ringing.ending is None
            assert listening.ending is None
            listening.hang_up()
        ringing.hang_up()
    eventually(lambda: not hotline.calls(live=True), "everything drains", 20)


def test_asterisk_killed_ends_its_calls_frees_the_seats_and_owes_call_backs(fresh_hotline: Server) -> None:
    hotline = fresh_hotline
    with (
        hotline.seat("8001") as seat,
        hotline.citizen("13900000007") as talker,
        hotline.citizen("13900000008") as waiter,
    ):
        talker.talk("110")
        seat.wait_talks(20)
        waiter.talk("110")
        hotline.wait_call("queued", 1, 20)
        os.kill(hotline.asterisk_pid, signal.SIGKILL)
        eventually(lambda: all(call["outcome"] == "failed" for call in hotline.calls()), "the calls have failed", 8)
        eventually(lambda: hotline.seat_state("8001") in ("ready", "wrap_up"), "the seat is free", 8)
        owed = hotline.get("/api/v1/callbacks")["items"]
        assert len(owed) == 2
        assert {task["reason"] for task in owed} == {"failed_node"}
    with hotline.seat("8002") as seat, hotline.citizen("13900000009") as again:
        again.talk("110")
        seat.wait_talks(20)
        again.phone.stop()


def test_a_second_hotline_on_the_same_folder_refuses_with_a_sentence(fresh_hotline: Server) -> None:
    shown = fresh_hotline.command("serve", check=False)
    assert shown.returncode == 1
    assert "Traceback" not in shown.stderr + shown.stdout
    assert "hotline:" in shown.stderr
    assert fresh_hotline.get("/api/v1/system", role="administrator")["asterisk"]["is_up"]
