"""A citizen may hang up at any moment: the call has one outcome, and the seat is free at once."""

import time

import pytest

from telephony.softphone import CallState
from tests.house import Server
from tests.phones import Manners, ended, eventually, wait_hears

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def outcome(hotline: Server, known: set[str]) -> tuple[str, str]:
    """How the one new call ended, and with which seat."""
    eventually(
        lambda: any(call["call"] not in known and call["outcome"] for call in hotline.calls()), "the call has ended", 15
    )
    new = [call for call in hotline.calls() if call["call"] not in known]
    assert len(new) == 1
    return new[0]["outcome"], new[0]["seat"]


def known_calls(hotline: Server) -> set[str]:
    return {call["call"] for call in hotline.calls()}


def test_in_the_prompt(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.citizen() as citizen:
        call = citizen.talk("12345")
        eventually(lambda: call.ear.first_loud() is not None, "the prompt is heard", 5)
        call.hang_up()
    assert outcome(hotline, known) == ("abandoned", "")


def test_while_waiting(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.citizen() as citizen:
        call = citizen.talk("12345")
        hotline.wait_call("queued")
        call.hang_up()
    assert outcome(hotline, known) == ("abandoned", "")
    eventually(lambda: not hotline.calls(live=True), "nobody waits", 5)


def test_while_ringing_stops_the_phone_and_frees_the_seat(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.seat("8001", Manners(answer_after=None)) as seat, hotline.citizen() as citizen:
        call = citizen.talk("12345")
        seat.wait_rings(1, 20)
        call.hang_up()
        eventually(lambda: seat.call.ending is not None, "the phone stops ringing", 1)
        eventually(lambda: hotline.seat_state("8001") == "ready", "the seat is ready", 2)
    assert outcome(hotline, known)[0] == "abandoned"


@pytest.mark.parametrize("late_ms", [0, 2, 5, 10, 20])
def test_in_the_answers_millisecond_has_one_outcome(hotline: Server, late_ms: int) -> None:
    known = known_calls(hotline)
    with hotline.seat("8001", Manners(answer_after=0.3)) as seat, hotline.citizen() as citizen:
        call = citizen.talk("12345")
        rung = seat.wait_rings(1, 20)
        assert rung.wait_until(CallState.TALKING, 5)
        moment = time.monotonic() + late_ms / 1000
        eventually(lambda: time.monotonic() >= moment, "the chosen millisecond")
        call.hang_up()
        ended(rung, 5)
        eventually(lambda: hotline.seat_state("8001") == "ready", "the seat is ready", 3)
    found, _ = outcome(hotline, known)
    assert found in ("abandoned", "completed")
    tickets = [ticket for ticket in hotline.tickets() if ticket["call"] not in known]
    assert len(tickets) == (1 if found == "completed" else 0)


def test_while_talking_leaves_a_completed_call_and_a_free_seat(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("12345")
        seat.wait_talks(20)
        wait_hears(call.ear, 1300)
        call.hang_up()
        ended(seat.call, 3)
        eventually(lambda: hotline.seat_state("8001") == "ready", "the seat is ready", 3)
    assert outcome(hotline, known) == ("completed", "8001")


def test_every_phone_that_refuses_leaves_the_citizen_waiting_with_music(hotline: Server) -> None:
    with hotline.seat("8001", Manners(refuse=603)) as seat, hotline.citizen() as citizen:
        call = citizen.talk("12345")
        seat.wait_rings(1, 20)
        hotline.wait_call("queued")
        eventually(lambda: call.ear.quiet_for(call.ear.frames()[-1][0]) < 2, "music", 5)
        assert call.ending is None
        call.hang_up()
