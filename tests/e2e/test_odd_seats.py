"""Seats as nobody thought of them: what their phones do, and minds that change in every phase."""

import time
from contextlib import ExitStack
from functools import partial

import pytest

from calls.model import Party, TalkEnded
from tests.e2e import invariants
from tests.e2e.odd import hears_since, known_calls, new_call, outcome, raw_seat
from tests.house import Server
from tests.phones import ended, eventually
from tests.rawsip import Raw, RawPhone

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("judged")]


@pytest.mark.parametrize("code", [302, 404, 408, 480, 486, 488, 500, 503, 600, 603])
def test_a_seat_that_refuses_in_any_way_leaves_the_citizen_to_the_next(hotline: Server, code: int) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as odd:
        asked: list[Raw] = []

        def refuse(request: Raw) -> None:
            if request.method == "INVITE":
                asked.append(request)
                odd.reply(request, code, extra=(f"Contact: <sip:00123@127.0.0.1:{odd.port}>",) if code == 302 else ())
            elif request.method != "ACK":
                odd.reply(request, 200)

        odd.on_request = refuse
        with RawPhone(hotline.sip) as citizen:
            citizen.call("110")
            eventually(lambda: bool(asked), "it rings", 20)
            with raw_seat(hotline, "8002", state="offered") as good:
                good.answer(good.wait_request("INVITE", 20))
                good.wait_request("ACK")
                hotline.wait_call("talking")
                citizen.bye()
                good.wait_request("BYE")
    assert outcome(hotline, known) == "completed"


def test_a_seat_that_answers_and_hangs_up_at_once_had_a_talk(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        seat.answer(seat.wait_request("INVITE", 20))
        seat.wait_request("ACK")
        seat.again("BYE")
        seat.wait_code(200, "BYE")
        citizen.wait_request("BYE", 15)
    assert outcome(hotline, known) == "completed"


def test_a_seat_may_not_send_its_citizen_elsewhere(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        seat.answer(seat.wait_request("INVITE", 20))
        seat.wait_request("ACK")
        hotline.wait_call("talking")
        cseq = seat.again("REFER", extra=("Refer-To: <sip:00123456@127.0.0.1>",))
        refused = seat.wait(lambda one: one.code > 0 and one.one("CSeq") == f"{cseq} REFER", "an answer to REFER")
        assert refused.code >= 400
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the talk goes on", 5)
        citizen.bye()
        seat.wait_request("BYE")
    assert outcome(hotline, known) == "completed"


def test_a_seat_may_not_dial_out(hotline: Server) -> None:
    with raw_seat(hotline, "8001") as seat:
        seat.call_id = seat.call_id[::-1]
        seat.invite("00123456", caller=f"<sip:{seat.user}@127.0.0.1>")
        answer = seat.wait(lambda one: one.method == "INVITE" and one.code >= 200, "an answer")
        assert answer.code in (401, 403, 404)
        seat.ack(answer, branch=seat.branch)


def test_a_seat_holds_and_resumes_and_the_citizen_hears_music_meanwhile(hotline: Server) -> None:
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        seat.answer(seat.wait_request("INVITE", 20))
        seat.wait_request("ACK")
        for direction in ("sendonly", "sendrecv"):
            cseq = seat.again("INVITE", body=seat.sdp(direction))
            answer = seat.wait_answer(cseq)
            seat.ack(answer)
            moment = time.monotonic()
            eventually(partial(hears_since, citizen, moment + 0.5), "music, then the voice", 6)
        citizen.bye()
        seat.wait_request("BYE")


def test_a_seat_that_registers_from_another_port_while_talking_talks_on_and_rings_there(hotline: Server) -> None:
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        seat.answer(seat.wait_request("INVITE", 20))
        seat.wait_request("ACK")
        hotline.wait_call("talking")
        sip = hotline.post("/api/v1/seats/8001/sign-in")["sip"]
        with RawPhone(hotline.sip) as moved:
            moved.register(sip["username"], sip["secret"])
            moment = time.monotonic()
            eventually(lambda: hears_since(citizen, moment + 0.3), "the talk goes on", 5)
            citizen.bye()
            seat.wait_request("BYE")
            eventually(lambda: hotline.seat_state("8001") == "ready", "ready")
            with RawPhone(hotline.sip) as next_citizen:
                next_citizen.call("110")
                moved.answer(moved.wait_request("INVITE", 20))
                moved.wait_request("ACK")
                assert sum(one.method == "INVITE" and not one.code for _, one in seat.log) == 1
                next_citizen.bye()
                moved.wait_request("BYE")


def test_an_agent_with_two_phones_is_rung_at_the_one_that_is_there(hotline: Server) -> None:
    agent, second = "8005", "98005"
    profile = {"name": "A", "skills": {"general": 5}, "phone": agent, "second_phone": second}
    assert hotline.ask("PUT", f"/api/v1/agents/{agent}", role="administrator", json=profile).status_code == 200
    account = hotline.post(f"/api/v1/seats/{agent}/sign-in", {"phone": second})["sip"]

    def is_at(phone: str) -> bool:
        seats = hotline.get("/api/v1/seats?limit=200")["items"]
        return [(one["phone"], one["reachable"]) for one in seats if one["seat"] == agent] == [(phone, True)]

    with RawPhone(hotline.sip) as desk, raw_seat(hotline, agent) as page:
        desk.register(account["username"], account["secret"])
        own = hotline.post(f"/api/v1/seats/{agent}/sign-in")["sip"]
        page.register(own["username"], own["secret"], expires=0)
        eventually(lambda: is_at(second), "the second phone has the seat", 30)
        with RawPhone(hotline.sip) as citizen:
            citizen.call("110")
            desk.answer(desk.wait_request("INVITE", 20))
            desk.wait_request("ACK")
            hotline.wait_call("talking")
            page.register(own["username"], own["secret"])
            assert hotline.seat_state(agent) == "talking"
            citizen.bye()
            desk.wait_request("BYE")
        eventually(lambda: is_at(agent), "the first phone has the seat again", 30)
        with RawPhone(hotline.sip) as citizen:
            citizen.call("110")
            page.answer(page.wait_request("INVITE", 20))
            page.wait_request("ACK")
            citizen.bye()
            page.wait_request("BYE")


def test_a_seat_that_unregisters_while_it_rings_can_still_answer(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        sip = hotline.post("/api/v1/seats/8001/sign-in")["sip"]
        citizen.call("110")
        rung = seat.wait_request("INVITE", 20)
        seat.reply(rung, 180)
        seat.register(sip["username"], sip["secret"], expires=0)
        with hotline.seat("8002") as other:
            eventually(
                lambda: bool(other.calls) or new_call(hotline, known)["phase"] in ("ringing", "talking"), "it goes on"
            )
            if not other.calls:
                seat.reply(rung, 480)
            other.wait_talks(25)
            hotline.wait_call("talking")  # who hangs up in the answer's millisecond may be an abandoned call as well
            citizen.bye()
            ended(other.call)
    assert outcome(hotline, known) == "completed"


def test_a_seat_that_pauses_or_leaves_while_it_rings_gives_the_call_to_the_next(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as first, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        first.reply(first.wait_request("INVITE", 20), 180)
        with raw_seat(hotline, "8002") as second:
            hotline.post("/api/v1/seats/8001/pause", {"reason": "meal"})
            first.wait_request("CANCEL", 2)
            second.reply(second.wait_request("INVITE", 5), 180)
            assert hotline.seat_state("8001") == "paused"
            hotline.post("/api/v1/seats/8001/resume")
            hotline.post("/api/v1/seats/8002/sign-out", {"reason": "home"})
            second.wait_request("CANCEL", 2)
            eventually(lambda: hotline.seat_state("8001") == "offered", "the first one rings again", 5)
            citizen.bye()
    assert outcome(hotline, known) == "abandoned"


def test_a_seat_that_moves_to_another_phone_while_it_rings_rings_there(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as old, raw_seat(hotline, "8002") as other, RawPhone(hotline.sip) as citizen:
        hotline.post("/api/v1/seats/8002/sign-out")
        citizen.call("110")
        old.reply(old.wait_request("INVITE", 20), 180)
        hotline.post("/api/v1/seats/8001/sign-in", {"phone": "8002"})
        old.wait_request("CANCEL", 2)
        other.answer(other.wait_request("INVITE", 5))
        hotline.wait_call("talking")
        hotline.post("/api/v1/seats/8001/sign-in", {"phone": "8001"})
        hotline.post("/api/v1/seats/8001/sign-in", {"phone": "8001"})
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment + 0.3), "a move while talking leaves the talk alone", 5)
        hotline.post("/api/v1/seats/8001/pause", {"reason": "meal"})
        assert hotline.seat_state("8001") == "talking"
        citizen.bye()
        other.wait_request("BYE")
        eventually(lambda: hotline.seat_state("8001") == "paused", "the pause that was asked for", 5)
        hotline.post("/api/v1/seats/8001/resume")
    assert outcome(hotline, known) == "completed"


def test_a_seat_that_signs_out_while_talking_stays_until_its_citizen_has_gone(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        seat.answer(seat.wait_request("INVITE", 20))
        hotline.wait_call("talking")
        hotline.post("/api/v1/seats/8001/sign-out", {"reason": "home"})
        assert hotline.seat_state("8001") == "talking"
        seat.bye()
        eventually(lambda: hotline.seat_state("8001") == "", "signed out", 5)
        citizen.wait_request("BYE", 15)
    assert outcome(hotline, known) == "completed"


def test_a_supervisor_ends_a_call_in_each_phase(hotline: Server) -> None:
    for phase, number in (("in_ivr", "12345"), ("queued", "110"), ("ringing", "110"), ("talking", "110")):
        known = known_calls(hotline)
        with ExitStack() as stack:
            seat = stack.enter_context(raw_seat(hotline, "8001")) if phase in ("ringing", "talking") else None
            citizen = stack.enter_context(RawPhone(hotline.sip))
            citizen.call(number)
            if seat is not None:
                rung = seat.wait_request("INVITE", 20)
                seat.reply(rung, 180) if phase == "ringing" else seat.answer(rung)
            call = next(str(one["call"]) for one in hotline.wait_call(phase))
            hotline.post(f"/api/v1/calls/{call}/hang-up")
            citizen.wait_request("BYE", 5)
        assert outcome(hotline, known) == ("completed" if phase == "talking" else "abandoned")


def test_who_hung_up_is_on_the_call(hotline: Server) -> None:
    known = known_calls(hotline)
    for citizen_first in (True, False):
        with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
            citizen.call("110")
            seat.answer(seat.wait_request("INVITE", 20))
            hotline.wait_call("talking")
            moment = time.monotonic()
            eventually(partial(hears_since, citizen, moment), "the seat's voice", 5)
            (citizen if citizen_first else seat).bye()
            (seat if citizen_first else citizen).wait_request("BYE", 15)
    ends = [fact for fact in invariants.stored(hotline.data).calls if isinstance(fact, TalkEnded)]
    assert [fact.by for fact in ends if fact.call not in known] == [Party.CITIZEN, Party.OPERATOR]
