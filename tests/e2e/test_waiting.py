"""What a citizen hears who waits, is turned away, or is asked how it was."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from acd.model import GuestChanged, Joined, Offered
from calls.model import Announced, RatingAsked, Remembered
from telephony.softphone import Feed
from tests.asterisk_node import write_tone
from tests.e2e import invariants
from tests.e2e.odd import known_calls, new_call, outcome
from tests.house import Server
from tests.phones import ended, eventually, wait_hears, wait_silent
from tests.rawsip import RawPhone

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("judged")]

QUEUE = "/api/v1/queues/general/plan"
WARNING_HZ = 900
NOTICE, NOTICE_HZ, NOTICE_S = "long_notice", 440, 60
"""A studio's recording that is longer than anybody waits for in a test."""

LEADER = "8077"
PROFILE = {"name": "L", "kind": "guest", "phone": LEADER}


def plan(hotline: Server, **body: object) -> None:
    made = hotline.ask("PUT", QUEUE, json={"rating": False, **body})
    assert made.status_code == 200, made.text


def long_notice(hotline: Server) -> None:
    """Record a prompt; the hotline finds it."""
    write_tone(hotline.data / "prompts" / "studio" / f"{NOTICE}.wav", NOTICE_HZ, NOTICE_S)
    steps = [{"after_s": 60, "does": "prompt", "prompt": NOTICE}]
    eventually(lambda: hotline.ask("PUT", QUEUE, json={"steps": steps}).status_code == 200, "the prompt is known", 30)


def told(hotline: Server, call: str) -> list[Announced]:
    facts = invariants.stored(hotline.data).calls
    return [fact for fact in facts if isinstance(fact, Announced) and fact.call == call]


def test_a_waiting_citizen_is_told_the_place_and_hears_music_again_and_a_free_seat_cuts_in(hotline: Server) -> None:
    long_notice(hotline)
    notice = {"after_s": 3, "does": "prompt", "prompt": NOTICE}
    plan(hotline, steps=[{"after_s": 1, "does": "position", "every_s": 15}, notice])
    known = known_calls(hotline)
    with hotline.citizen("13900000001") as first, hotline.citizen("13900000002") as second:
        ahead = first.talk("110")
        eventually(lambda: len(known_calls(hotline) - known) == 1, "the first one waits", 10)
        one = str(new_call(hotline, known)["call"])
        behind = second.talk("110")
        eventually(lambda: len(known_calls(hotline) - known) == 2, "the second one waits", 10)
        (two,) = known_calls(hotline) - known - {one}
        eventually(lambda: bool(told(hotline, two)), "the second one was told the place", 20)
        assert (told(hotline, one)[0].ahead, told(hotline, two)[0].ahead) == (0, 1)
        wait_hears(behind.ear, NOTICE_HZ, 20)
        wait_hears(ahead.ear, NOTICE_HZ, 20)
        with hotline.seat("8001") as seat:
            seat.wait_talks(20)
            wait_hears(ahead.ear, 1300)
            wait_silent(ahead.ear, NOTICE_HZ)
            ahead.hang_up()
            ended(seat.calls[0])  # the next one may ring already
            eventually(lambda: len(seat.calls) == 2, "the next one rings", 20)
            wait_hears(behind.ear, 1300, 20)
            behind.hang_up()
            ended(seat.call)
    eventually(lambda: all(call["outcome"] == "completed" for call in hotline.calls()[:2]), "both completed", 20)


def test_music_goes_on_after_an_announcement_through_a_kill(hotline: Server) -> None:
    plan(hotline, steps=[{"after_s": 0, "does": "position"}])
    known = known_calls(hotline)
    with hotline.citizen() as citizen:
        call = citizen.talk("110")
        waiting = str(new_call(hotline, known)["call"])
        eventually(lambda: bool(told(hotline, waiting)), "the place is told", 20)
        hotline.kill()
        hotline.start()
        eventually(lambda: "hold" in invariants.console(hotline, "core show channels concise"), "music", 30)
        with hotline.seat("8001") as seat:
            seat.wait_talks(20)
            hotline.wait_call("talking")
            call.hang_up()
            ended(seat.call)
    assert outcome(hotline, known) == "completed"


def test_a_queue_that_is_full_says_so_and_hangs_up(hotline: Server) -> None:
    plan(hotline, capacity=1)
    known = known_calls(hotline)
    with hotline.citizen("13900000001") as first, RawPhone(hotline.sip, "13900000002") as second:
        waits = first.talk("110")
        one = str(new_call(hotline, known)["call"])
        hotline.wait_call("queued")
        second.call("110")
        second.wait_request("BYE", 20)
        assert second.media.loud, "a sentence was heard"
        eventually(lambda: len(known_calls(hotline) - known) == 2, "the second call", 10)
        (two,) = known_calls(hotline) - known - {one}
        eventually(lambda: hotline.get(f"/api/v1/calls/{two}")["outcome"] == "turned_away", "it was turned away", 20)
        waits.hang_up()
    eventually(lambda: hotline.get(f"/api/v1/calls/{one}")["outcome"] == "abandoned", "the first one left", 20)
    plan(hotline)


def test_after_the_seat_has_hung_up_two_keys_say_how_it_was(hotline: Server) -> None:
    plan(hotline, rating=True)
    known = known_calls(hotline)
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("110", saying=Feed())
        seat.wait_talks(20)
        hotline.wait_call("talking")
        seat.call.hang_up()
        made = str(new_call(hotline, known)["call"])
        for asked, key in ((1, "1"), (2, "3")):
            eventually(partial(is_asked, hotline, made, asked), "a question", 20)
            call.press(key)
        ended(call, 30)
    assert outcome(hotline, known) == "completed"
    row = hotline.get(f"/api/v1/calls/{made}")
    assert (row["rated_service"], row["rated_result"]) == ("satisfied", "dissatisfied")
    (ticket,) = [one for one in hotline.tickets() if one["call"] == made]
    lines = hotline.get(f"/api/v1/tickets/{ticket['id']}")["history"]
    assert [line["action"] for line in lines].count("rated") == 2


def test_a_plan_that_could_not_be_performed_is_refused_with_every_mistake(hotline: Server) -> None:
    steps = [{"after_s": 5, "does": "prompt", "prompt": "nonsense"}, {"after_s": 9, "does": "raise"}]
    refused = hotline.ask("PUT", QUEUE, json={"steps": steps})
    assert refused.status_code == 400
    assert len(refused.json()["problems"]) == 2
    assert hotline.ask("PUT", QUEUE, role="operator", json={"ring": 2}).status_code == 403
    assert hotline.ask("DELETE", QUEUE).json()["own"] is False


def is_asked(hotline: Server, call: str, question: int) -> bool:
    facts = invariants.stored(hotline.data).calls
    return sum(isinstance(fact, RatingAsked) and fact.call == call for fact in facts) == question


def test_who_hangs_up_and_rings_again_has_the_old_place(hotline: Server) -> None:
    plan(hotline)
    with hotline.citizen("13900000011") as one, hotline.citizen("13900000012") as two:
        known = known_calls(hotline)
        gives_up = one.talk("110")
        hotline.wait_call("queued", 1)
        first = str(new_call(hotline, known)["call"])
        known |= {first}
        stays = two.talk("110")
        hotline.wait_call("queued", 2)
        second = str(new_call(hotline, known)["call"])
        known |= {second}
        gives_up.hang_up()
        ended(gives_up)
        eventually(lambda: order(hotline) == [second], "the first one has left", 20)
        again = one.talk("110")
        third = str(new_call(hotline, known)["call"])
        eventually(lambda: order(hotline) == [third, second], "the old place", 20)
        for call in (again, stays):
            call.hang_up()
            ended(call)
    facts = invariants.stored(hotline.data).floor
    marks = {fact.caller for fact in facts if isinstance(fact, Joined) and fact.call in (first, third)}
    assert len(marks) == 1, "the same citizen"
    assert "13900000011" not in str(facts), "the floor knows no number"


def order(hotline: Server) -> list[str]:
    return [str(one["call"]) for one in hotline.get("/api/v1/floor")["waiting"]]


def test_an_abusive_citizen_is_warned_in_the_talk_then_hears_why_it_ends(hotline: Server) -> None:
    for name, pitch in (("abuse_warning", WARNING_HZ), ("abuse_ended", NOTICE_HZ)):
        write_tone(hotline.data / "prompts" / "studio" / f"{name}.wav", pitch, 5)
    eventually(lambda: {"abuse_warning", "abuse_ended"} <= recorded(hotline), "both recordings are known", 30)
    plan(hotline, rating=True)
    known = known_calls(hotline)
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("110")
        seat.wait_talks(20)
        hotline.wait_call("talking")
        report(hotline, "warned")
        wait_hears(call.ear, WARNING_HZ, 20)
        wait_hears(seat.call.ear, WARNING_HZ, 20)
        wait_silent(call.ear, WARNING_HZ, 20)
        wait_hears(call.ear, 1300, 20)
        report(hotline, "supervisor")
        (shown,) = [one for one in hotline.get("/api/v1/floor")["seats"] if one["seat"] == "8001"]
        assert shown["abuse"] == "supervisor"
        report(hotline, "ended")
        wait_hears(call.ear, NOTICE_HZ, 20)
        ended(seat.call, 20)
        ended(call, 30)
        eventually(lambda: hotline.seat_state("8001") == "wrap_up", "the seat cools down", 20)
        hotline.post("/api/v1/seats/8001/resume")
    assert outcome(hotline, known) == "completed"
    made = str(new_call(hotline, known)["call"])
    (ticket,) = [one for one in hotline.tickets() if one["call"] == made]
    lines = hotline.get(f"/api/v1/tickets/{ticket['id']}")["history"]
    assert [line["action"] for line in lines].count("abuse") == 3


def recorded(hotline: Server) -> set[str]:
    """Prompts that a studio's recording is played for."""
    items = hotline.get("/api/v1/prompts", role="administrator")["items"]
    return {str(one["name"]) for one in items if one["studio"]}


def report(hotline: Server, step: str) -> None:
    hotline.post("/api/v1/seats/8001/report-abuse", {"step": step, "code": "A1"})


def test_a_citizen_with_an_open_ticket_gets_the_agent_who_took_it(hotline: Server) -> None:
    plan(hotline, own_s=40)
    number = "13900000077"
    with hotline.citizen(number) as citizen:
        with hotline.seat("8001") as first:
            call = citizen.talk("12345")
            first.wait_talks(30)
            hotline.wait_call("talking")
            call.hang_up()
            ended(first.call)
        with hotline.seat("8002"), hotline.seat("8001") as first:
            before = len(first.calls)
            again = citizen.talk("12345")
            eventually(lambda: len(first.calls) > before, "the agent who knows the matter rings", 30)
            again.hang_up()
    facts = invariants.stored(hotline.data).calls
    assert [fact.agents for fact in facts if isinstance(fact, Remembered)] == [("8001",)]
    for seat in ("8001", "8002"):
        hotline.post(f"/api/v1/seats/{seat}/sign-out")


def window(hotline: Server, begins: timedelta, ends: timedelta) -> None:
    now = datetime.now(UTC)
    guest = {"agent": LEADER, "begins_at": (now + begins).isoformat(), "ends_at": (now + ends).isoformat()}
    plan(hotline, guests=[guest])


def test_a_leader_answers_in_the_window_and_gets_nothing_after_it(hotline: Server) -> None:
    made = hotline.ask("PUT", f"/api/v1/agents/{LEADER}", role="administrator", json=PROFILE)
    assert made.status_code == 200, made.text
    window(hotline, -timedelta(hours=1), timedelta(hours=1))
    with hotline.citizen("13900000055") as citizen, hotline.seat("8001") as usual, hotline.seat(LEADER) as leader:
        eventually(lambda: guest_of(hotline) == ("general",), "the leader's window is open", 20)
        call = citizen.talk("110")
        leader.wait_talks(30)
        window(hotline, -timedelta(hours=2), -timedelta(hours=1))
        eventually(lambda: guest_of(hotline) == (), "the leader's window is over", 20)
        assert hotline.seat_state(LEADER) == "talking"
        call.hang_up()
        ended(leader.call)
        again = citizen.talk("110")
        usual.wait_talks(30)
        again.hang_up()
        ended(usual.call)
    offered = [fact.seat for fact in invariants.stored(hotline.data).floor if isinstance(fact, Offered)]
    assert offered[-2:] == [LEADER, "8001"]
    hotline.ask("DELETE", QUEUE)
    for seat in ("8001", LEADER):
        hotline.post(f"/api/v1/seats/{seat}/sign-out")


def guest_of(hotline: Server) -> tuple[str, ...] | None:
    """What the floor said last of the leader's seat."""
    facts = invariants.stored(hotline.data).floor
    said = [fact.queues for fact in facts if isinstance(fact, GuestChanged) and fact.seat == LEADER]
    return said[-1] if said else None
