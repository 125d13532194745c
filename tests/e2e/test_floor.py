"""The floor on real lines: seats that leave, come back and do not answer, and waiting calls that a supervisor moves."""

from contextlib import ExitStack
from functools import partial

import pytest

from acd.model import Offered, OfferRefused, RefuseReason, SeatChanged, SeatState, SignedIn
from telephony.softphone import OutgoingCall
from tests.e2e import invariants
from tests.e2e.odd import raw_seat
from tests.house import Server
from tests.phones import Manners, ended, eventually
from tests.rawsip import RawPhone

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("judged")]


def queue_up(hotline: Server, stack: ExitStack, count: int) -> dict[str, OutgoingCall]:
    """Citizens who wait, one after another, by their calls."""
    waiting: dict[str, OutgoingCall] = {}
    for number in range(count):
        line = stack.enter_context(hotline.citizen(f"1390000{number:04d}")).talk("110")
        queued = [call["call"] for call in hotline.wait_call("queued", number + 1, 30)]
        waiting |= {call: line for call in queued if call not in waiting}
    return waiting


def answered(hotline: Server, calls: dict[str, OutgoingCall]) -> list[str]:
    """Which of these calls were offered to somebody, in that order."""
    facts = invariants.stored(hotline.data).floor
    return list(dict.fromkeys(fact.call for fact in facts if isinstance(fact, Offered) and fact.call in calls))


def serve(hotline: Server, seat: str, calls: dict[str, OutgoingCall], order: list[str]) -> None:
    """These citizens hang up one after another, each when the seat talks with him."""
    for number, call in enumerate(order, 1):
        eventually(partial(_talks, hotline, call), f"{number} of {len(order)} talk", 30)
        calls[call].hang_up()
    eventually(lambda: hotline.seat_state(seat) == "ready", "the seat is ready again", 20)


def _talks(hotline: Server, call: str) -> bool:
    return any(one["call"] == call and one["phase"] == "talking" for one in hotline.calls(live=True))


def test_when_all_seats_pause_or_leave_everybody_waits_on_and_is_served_in_order(hotline: Server) -> None:
    with hotline.seat("8001"), ExitStack() as stack:
        hotline.post("/api/v1/seats/8001/pause", {"reason": "meal"})
        with hotline.seat("8002"):
            hotline.post("/api/v1/seats/8002/pause", {"reason": "meal"})
            waiting = queue_up(hotline, stack, 4)
            hotline.post("/api/v1/seats/8002/sign-out", {"reason": "home"})
        assert len(hotline.wait_call("queued", 4)) == 4
        assert all(line.ending is None for line in waiting.values())
        hotline.post("/api/v1/seats/8001/resume")
        serve(hotline, "8001", waiting, list(waiting))
        assert answered(hotline, waiting) == list(waiting)
    hotline.post("/api/v1/seats/8001/sign-out")


def test_a_waiting_call_that_is_given_a_head_start_or_other_needs_is_looked_at_anew(hotline: Server) -> None:
    with hotline.seat("8001"), ExitStack() as stack:
        hotline.post("/api/v1/seats/8001/pause", {"reason": "meal"})
        waiting = queue_up(hotline, stack, 3)
        first, second, third = waiting
        hotline.post(f"/api/v1/floor/waiting/{third}/route", {"priority": 7200})
        hotline.post(f"/api/v1/floor/waiting/{first}/route", {"needs": "nobody_has_this>=9"})
        hotline.post("/api/v1/seats/8001/resume")
        serve(hotline, "8001", waiting, [third, second])
        assert [call["call"] for call in hotline.wait_call("queued")] == [first]
        hotline.post(f"/api/v1/floor/waiting/{first}/route", {"needs": ""})
        serve(hotline, "8001", waiting, [first])
        assert answered(hotline, waiting) == [third, second, first]
    hotline.post("/api/v1/seats/8001/sign-out")


def test_a_seat_that_leaves_two_calls_unanswered_is_paused_and_rung_no_more(hotline: Server) -> None:
    with hotline.seat("8001", Manners(refuse=480)) as broken, ExitStack() as stack:
        for number in range(2):
            stack.enter_context(hotline.citizen(f"1390000{number:04d}")).talk("110")
            hotline.wait_call("queued", number + 1, 30)
            eventually(partial(_refused, hotline, number + 1), f"{number + 1} refusals", 20)
        eventually(lambda: hotline.seat_state("8001") == "paused", "the seat is paused", 10)
        assert pauses(hotline)[-1].reason == RefuseReason.REJECTED.value
        rang = len(broken.calls)
        with hotline.seat("8002") as good:
            good.wait_talks(30)
            hotline.wait_call("talking")
            good.call.hang_up()
            eventually(lambda: len(good.calls) == 2, "the other citizen is next", 30)
            good.wait_talks(30)
            hotline.wait_call("talking")
            good.call.hang_up()
            ended(good.call)
        assert len(broken.calls) == rang
    for seat in ("8001", "8002"):
        hotline.post(f"/api/v1/seats/{seat}/sign-out")


def pauses(hotline: Server) -> list[SeatChanged]:
    facts = invariants.stored(hotline.data).floor
    return [fact for fact in facts if isinstance(fact, SeatChanged) and fact.state is SeatState.PAUSED]


def _refused(hotline: Server, count: int) -> bool:
    """Whether seat 8001 has refused so often since it signed in."""
    facts = invariants.stored(hotline.data).floor
    began = max(at for at, fact in enumerate(facts) if isinstance(fact, SignedIn) and fact.seat == "8001")
    return sum(isinstance(fact, OfferRefused) and fact.seat == "8001" for fact in facts[began:]) >= count


def test_a_ready_seat_whose_phone_leaves_gets_nothing_until_it_is_back(hotline: Server) -> None:
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        sip = hotline.post("/api/v1/seats/8001/sign-in")["sip"]
        seat.register(sip["username"], sip["secret"], expires=0)
        eventually(lambda: hotline.seat_state("8001") == "unreachable", "the phone has left", 10)
        citizen.call("110")
        hotline.wait_call("queued")
        assert hotline.seat_state("8001") == "unreachable"
        seat.register(sip["username"], sip["secret"])
        seat.answer(seat.wait_request("INVITE", 20))
        seat.wait_request("ACK")
        hotline.wait_call("talking")
        citizen.bye()
        seat.wait_request("BYE")
