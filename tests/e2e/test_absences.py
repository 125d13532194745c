"""We stand still, die, or lose sight of Asterisk: whoever talks keeps talking, and nothing is left afterwards."""

import signal
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import pytest

from tests.e2e import invariants
from tests.e2e.odd import hears_since, known_calls, new_call, outcome, raw_seat, wait
from tests.house import Server
from tests.phones import eventually
from tests.rawsip import RawPhone

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("judged")]


@contextmanager
def stopped(hotline: Server) -> Generator[None]:
    """The process stands still, as on a frozen machine."""
    hotline.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        hotline.process.send_signal(signal.SIGCONT)


def connected(hotline: Server) -> bool:
    """Whether two channels hear each other, as Asterisk tells it: the last word but one is the bridge."""
    return sum(line.split("!")[-2] not in ("", "(None)") for line in invariants.channels(hotline)) == 2


def the_talk_goes_on_and_ends(hotline: Server, citizen: RawPhone, seat: RawPhone) -> None:
    wait(2)
    moment = time.monotonic()
    eventually(lambda: hears_since(citizen, moment), "the talk goes on", 10)
    eventually(lambda: hotline.seat_state("8001") == "talking", "the floor knows of the talk", 15)
    citizen.bye()
    seat.wait_request("BYE")


def test_whom_the_fallback_connected_while_we_stood_still_keeps_talking(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen, RawPhone(hotline.sip) as newcomer:
        hotline.post("/api/v1/seats/8001/pause", {"reason": "meal"})
        citizen.call("110")
        hotline.wait_call("queued")
        with stopped(hotline):
            rung = seat.wait_request("INVITE", 25)
            seat.answer(rung)
            seat.wait_request("ACK")
            eventually(lambda: connected(hotline), "Asterisk has connected them", 10)
            newcomer.call("110")
        hotline.post("/api/v1/seats/8001/resume")
        hotline.wait_call("talking", 1, 20)
        hotline.wait_call("queued", 1, 20)
        wait(2)
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the talk goes on", 10)
        assert sum(one.method == "INVITE" and not one.code for _, one in seat.log) == 1
        eventually(lambda: hotline.seat_state("8001") == "talking", "the floor knows of the talk", 15)
        citizen.bye()
        seat.wait_request("BYE")
        eventually(lambda: len([1 for _, one in seat.log if one.start.startswith("INVITE")]) == 2, "the next one", 10)
        newcomer.bye()
    invariants.drain(hotline)
    assert {call["outcome"] for call in hotline.calls() if call["call"] not in known} == {"completed", "abandoned"}


@pytest.mark.slow
def test_a_phone_that_is_answered_while_we_stand_still_past_its_offer_keeps_its_talk(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        rung = seat.wait_request("INVITE", 20)
        with stopped(hotline):
            seat.answer(rung)
            seat.wait_request("ACK")
            wait(18)
        hotline.wait_call("talking", 1, 20)
        the_talk_goes_on_and_ends(hotline, citizen, seat)
    assert outcome(hotline, known) == "completed"


@pytest.mark.slow
def test_a_phone_that_is_answered_while_we_are_dead_past_its_offer_keeps_its_talk(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        rung = seat.wait_request("INVITE", 20)
        hotline.kill()
        seat.answer(rung)
        seat.wait_request("ACK")
        wait(17)
        hotline.start()
        hotline.wait_call("talking", 1, 20)
        the_talk_goes_on_and_ends(hotline, citizen, seat)
    assert outcome(hotline, known) == "completed"


@pytest.mark.slow
def test_killed_while_the_fallback_talks_the_talk_goes_on_and_has_its_ticket(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        hotline.post("/api/v1/seats/8001/sign-out")
        citizen.call("110")
        hotline.wait_call("queued")
        hotline.kill()
        rung = seat.wait_request("INVITE", 25)
        seat.answer(rung)
        seat.wait_request("ACK")
        hotline.start()
        hotline.wait_call("talking", 1, 20)
        hotline.kill()
        hotline.start()
        hotline.wait_call("talking", 1, 20)
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the talk goes on", 10)
        citizen.bye()
        seat.wait_request("BYE")
    assert outcome(hotline, known) == "completed"


def test_a_reset_of_the_managers_connection_in_every_phase_changes_nothing_for_anybody(hotline: Server) -> None:
    known = known_calls(hotline)
    with ExitStack() as stack:
        talking, ringing = (stack.enter_context(raw_seat(hotline, name)) for name in ("8001", "8002"))
        citizens = [stack.enter_context(RawPhone(hotline.sip, f"1370000000{number}")) for number in range(4)]
        citizens[0].call("110")
        first = talking if eventually_one(talking, ringing) is talking else ringing
        second = ringing if first is talking else talking
        first.answer(first.wait_request("INVITE"))
        first.wait_request("ACK")
        citizens[1].call("110")
        rung = second.wait_request("INVITE", 20)
        second.reply(rung, 180)
        citizens[2].call("110")
        hotline.wait_call("queued")
        citizens[3].call("12345")
        for _ in range(3):
            reset_manager(hotline)
            wait(0.3)
        second.answer(rung)
        hotline.wait_call("talking", 2, 20)
        hotline.wait_call("queued", 2, 20)
        assert all(not any(one.start.startswith("BYE") for _, one in citizen.log) for citizen in citizens)
        for citizen in reversed(citizens):
            citizen.bye()
        first.wait_request("BYE")
        second.wait_request("BYE")
    invariants.drain(hotline)
    found = sorted(str(call["outcome"]) for call in hotline.calls() if call["call"] not in known)
    assert found == ["abandoned", "abandoned", "completed", "completed"]


def eventually_one(*seats: RawPhone) -> RawPhone:
    """The seat that rings."""

    def rings(seat: RawPhone) -> bool:
        return any(one.start.startswith("INVITE") for _, one in seat.log)

    eventually(lambda: any(rings(seat) for seat in seats), "one of the seats rings", 20)
    return next(seat for seat in seats if rings(seat))


def reset_manager(hotline: Server) -> None:
    """Cut the connection between our process and its Asterisk."""
    shown = invariants.console(hotline, "manager show connected")
    sessions = [line.split() for line in shown.splitlines() if "127.0.0.1" in line]
    assert sessions, shown
    for session in sessions:
        invariants.console(hotline, f"manager kick session {session[4]}")


@pytest.mark.slow
def test_a_seats_phone_that_dies_without_a_word_is_noticed_and_its_citizen_goes_to_the_next(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        seat.answer(seat.wait_request("INVITE", 20))
        hotline.wait_call("talking")
        seat.media.sends = False
        with hotline.seat("8002") as other:
            other.wait_talks(60)
            eventually(lambda: hotline.seat_state("8001") != "talking", "the seat is not in a call", 10)
            eventually(lambda: new_call(hotline, known)["seat"] == "8002", "the row names who talks", 10)
            other.call.hang_up()
            citizen.wait_request("BYE", 30)
    assert outcome(hotline, known) == "completed"


@pytest.mark.slow
def test_a_citizen_who_never_acknowledges_is_no_call_for_ever(hotline: Server) -> None:
    known = known_calls(hotline)
    with RawPhone(hotline.sip) as citizen:
        citizen.invite("110")
        citizen.wait_code(200)
        new_call(hotline, known)
        eventually(lambda: bool(new_call(hotline, known)["outcome"]), "it is over", 45)
    assert outcome(hotline, known) == "abandoned"
