"""Several seats ring for one citizen: the first that answers talks, and nobody is to blame for being slower."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import pytest

from acd import model as floor
from calls.model import OfferMissed, TalkStarted
from telephony.softphone import CallState
from tests.e2e import invariants
from tests.e2e.odd import known_calls, new_call, outcome, raw_seat
from tests.house import Server
from tests.phones import Manners, SeatPhone, ended, eventually, wait_hears
from tests.rawsip import RawPhone

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("judged")]

QUEUE = "/api/v1/queues/general/plan"
SEATS = ("8001", "8002", "8003")
RINGS_ON = Manners(answer_after=None)


@pytest.fixture(autouse=True)
def three_ring(hotline: Server) -> None:
    made = hotline.ask("PUT", QUEUE, json={"ring": 3})
    assert (made.status_code, made.json()["ring"]) == (200, 3), made.text


@contextmanager
def seats(hotline: Server, manners: Manners = RINGS_ON) -> Generator[list[SeatPhone]]:
    with ExitStack() as stack:
        yield [stack.enter_context(hotline.seat(number, manners)) for number in SEATS]
    for number in SEATS:
        hotline.post(f"/api/v1/seats/{number}/sign-out")


def all_ring(phones: list[SeatPhone], count: int = 1) -> None:
    for phone in phones:
        phone.wait_rings(count, 20)


def facts_of(hotline: Server, call: str) -> list[object]:
    found = invariants.stored(hotline.data)
    return [fact for fact in (*found.floor, *found.calls) if getattr(fact, "call", "") == call]


def test_all_ring_and_the_first_who_answers_talks_while_the_others_are_free_again(hotline: Server) -> None:
    known = known_calls(hotline)
    with seats(hotline) as phones, hotline.citizen() as citizen:
        call = citizen.talk("110")
        all_ring(phones)
        phones[1].call.answer()
        wait_hears(phones[1].call.ear, 600)
        for phone in (phones[0], phones[2]):
            ended(phone.call)
        eventually(lambda: {hotline.seat_state(seat) for seat in ("8001", "8003")} == {"ready"}, "free again", 20)
        hotline.wait_call("talking")
        assert new_call(hotline, known)["seat"] == "8002"
        call.hang_up()
    assert outcome(hotline, known) == "completed"
    facts = facts_of(hotline, str(new_call(hotline, known)["call"]))
    assert [fact.seat for fact in facts if isinstance(fact, TalkStarted)] == ["8002"]
    assert not [fact for fact in facts if isinstance(fact, floor.OfferRefused | OfferMissed)], "nobody is to blame"
    assert new_call(hotline, known)["offers_missed"] == 0


def test_the_phones_that_were_slower_are_told_that_it_was_answered_elsewhere(hotline: Server) -> None:
    with raw_seat(hotline, "8001") as slow, raw_seat(hotline, "8002") as fast, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        slow.reply(slow.wait_request("INVITE", 20), 180)
        fast.answer(fast.wait_request("INVITE", 20))
        cancelled = slow.wait_request("CANCEL", 10)
        assert any("cause=26" in reason or "cause=200" in reason for reason in cancelled.all("Reason")), cancelled
        hotline.wait_call("talking")
        citizen.bye()
        fast.wait_request("BYE", 10)


def test_who_refuses_is_left_out_and_the_others_ring_on(hotline: Server) -> None:
    known = known_calls(hotline)
    with seats(hotline) as phones, hotline.citizen() as citizen:
        phones[0].manners = Manners(answer_after=None, refuse=486)
        call = citizen.talk("110")
        all_ring(phones)
        eventually(lambda: new_call(hotline, known)["offers_missed"] == 1, "one has refused", 20)
        assert new_call(hotline, known)["phase"] == "ringing"
        phones[2].call.answer()
        hotline.wait_call("talking")
        call.hang_up()
        for phone in phones:
            ended(phone.call)
    assert outcome(hotline, known) == "completed"
    assert all(len(phone.calls) == 1 for phone in phones[1:])


def test_when_all_refuse_the_citizen_hears_music_until_a_seat_is_free(hotline: Server) -> None:
    known = known_calls(hotline)
    with seats(hotline, Manners(answer_after=None, refuse=603)) as phones, hotline.citizen() as citizen:
        call = citizen.talk("110")
        all_ring(phones)
        eventually(lambda: new_call(hotline, known)["phase"] == "queued", "it waits", 20)
        with hotline.seat("8004") as another:
            another.wait_talks(20)
            hotline.wait_call("talking")
            call.hang_up()
            ended(another.call)
    assert outcome(hotline, known) == "completed"


def test_a_citizen_who_leaves_stops_all_of_them(hotline: Server) -> None:
    known = known_calls(hotline)
    with seats(hotline) as phones, hotline.citizen() as citizen:
        call = citizen.talk("110")
        all_ring(phones)
        call.hang_up()
        for phone in phones:
            ended(phone.call)
        eventually(lambda: {hotline.seat_state(seat) for seat in SEATS} == {"ready"}, "free", 20)
    assert outcome(hotline, known) == "abandoned"


def test_of_three_who_answer_in_the_same_instant_one_has_the_citizen(hotline: Server) -> None:
    known = known_calls(hotline)
    with seats(hotline, Manners(answer_after=0.2)) as phones, hotline.citizen() as citizen:
        call = citizen.talk("110")
        all_ring(phones)
        hotline.wait_call("talking")
        eventually(lambda: sum(phone.call.state is CallState.TALKING for phone in phones) == 1, "one talks", 20)
        talks = next(phone for phone in phones if phone.call.state is CallState.TALKING)
        wait_hears(talks.call.ear, 600)
        eventually(lambda: [hotline.seat_state(s) for s in SEATS].count("ready") == 2, "two", 20)
        call.hang_up()
    assert outcome(hotline, known) == "completed"


def test_a_seat_that_pauses_while_they_ring_stops_alone(hotline: Server) -> None:
    known = known_calls(hotline)
    with seats(hotline) as phones, hotline.citizen() as citizen:
        call = citizen.talk("110")
        all_ring(phones)
        eventually(lambda: hotline.seat_state("8001") == "offered", "it rings", 20)
        hotline.post("/api/v1/seats/8001/pause", {"reason": "meal"})
        ended(phones[0].call)
        assert {phone.call.state for phone in phones[1:]} == {CallState.RINGING}
        phones[1].call.answer()
        hotline.wait_call("talking")
        call.hang_up()
        hotline.post("/api/v1/seats/8001/resume")
        for phone in phones:
            ended(phone.call)
    assert outcome(hotline, known) == "completed"


def test_killed_while_they_ring_the_first_who_answers_talks(hotline: Server) -> None:
    known = known_calls(hotline)
    with seats(hotline) as phones, hotline.citizen() as citizen:
        call = citizen.talk("110")
        all_ring(phones)
        hotline.kill()
        phones[2].call.answer()
        wait_hears(phones[2].call.ear, 600)
        hotline.start()
        hotline.wait_call("talking")
        eventually(lambda: hotline.seat_state("8003") == "talking", "the seat talks", 20)
        eventually(lambda: {hotline.seat_state(seat) for seat in ("8001", "8002")} == {"ready"}, "others free", 20)
        assert call.ending is None
        call.hang_up()
    assert outcome(hotline, known) == "completed"
    assert new_call(hotline, known)["seat"] == "8003"
