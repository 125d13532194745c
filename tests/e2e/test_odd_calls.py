"""Citizens as nobody thought of them: odd phones, odd numbers, crowds. After each, nothing may be left."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import pytest

from tests.e2e import invariants
from tests.e2e.odd import hears_since, is_ready, known_calls, new_call, nodes, outcome, raw_seat, with_menu
from tests.house import Server
from tests.phones import Manners, ended, eventually
from tests.rawsip import Media, RawPhone
from tickets.visibility import mask_number

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("judged")]


ODD_MEDIA = {
    "mu-law alone": Media(payloads=(0,)),
    "A-law alone": Media(payloads=(8,)),
    "without telephone-event": Media(events=False),
    "60 ms a packet": Media(ptime=60),
    "no packet at all": Media(sends=False),
}


@pytest.mark.parametrize("name", ODD_MEDIA)
def test_an_odd_phone_hears_and_talks(hotline: Server, name: str) -> None:
    known = known_calls(hotline)
    media = ODD_MEDIA[name]
    with hotline.seat("8001") as seat, RawPhone(hotline.sip, media=media) as citizen:
        citizen.call("12345")
        eventually(lambda: bool(media.loud), "the prompt", 3)
        seat.wait_talks(20)
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the seat's voice", 5)
        citizen.bye()
        citizen.wait_code(200, "BYE")
        ended(seat.call)
    assert outcome(hotline, known) == "completed"


def test_a_phone_that_offers_nothing_at_first_is_made_an_offer(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.seat("8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.invite("12345", sdp=False)
        answer = citizen.wait_code(200)
        assert "m=audio" in answer.body
        citizen.ack(answer, body=citizen.sdp())
        eventually(lambda: bool(citizen.media.loud), "the prompt", 5)
        seat.wait_talks(20)
        hotline.wait_call("talking")
        citizen.bye()
    assert outcome(hotline, known) == "completed"


def test_a_phone_without_a_codec_of_ours_is_told_so_and_is_no_call(hotline: Server) -> None:
    known = known_calls(hotline)
    with RawPhone(hotline.sip, media=Media(payloads=(18,), events=False)) as citizen:
        citizen.invite("12345")
        refused = citizen.wait(lambda one: one.code >= 200, "an answer")
        assert refused.code == 488
        citizen.ack(refused, branch=citizen.branch)
    assert known_calls(hotline) == known


def test_keys_in_sip_info_lead_through_the_menu(hotline: Server) -> None:
    known, number = known_calls(hotline), with_menu(hotline)
    with hotline.seat("8001"), RawPhone(hotline.sip, media=Media(events=False)) as citizen:
        citizen.call(number)
        call = str(new_call(hotline, known)["call"])
        eventually(lambda: "menu" in nodes(hotline, call), "the menu")
        began = time.monotonic()
        citizen.again("INFO", body="Signal=0\r\nDuration=160\r\n", content="application/dtmf-relay")
        eventually(lambda: len(nodes(hotline, call)) > 2, "the flow goes on", 10)
        assert time.monotonic() - began < 2.5, "the key was heard: silence is waited for longer"
        citizen.bye()


@pytest.mark.parametrize("late_s", [0.0, 0.002, 0.005, 0.01, 0.05])
def test_a_cancel_that_crosses_the_answer_leaves_nothing(hotline: Server, late_s: float) -> None:
    with RawPhone(hotline.sip) as citizen:
        branch = citizen.invite("12345")
        moment = time.monotonic() + late_s
        eventually(lambda: time.monotonic() >= moment, "the chosen millisecond")
        citizen.cancel(branch)
        final = citizen.wait(lambda one: one.method == "INVITE" and one.code >= 200, "a final answer")
        citizen.ack(final, branch=branch if final.code >= 300 else "")
        if final.code == 200:
            citizen.bye()
            citizen.wait_code(200, "BYE")


def test_a_hang_up_right_behind_the_acknowledgement_is_abandoned_or_was_no_call(hotline: Server) -> None:
    known = known_calls(hotline)
    with RawPhone(hotline.sip) as citizen:
        citizen.call("12345")
        citizen.bye()
        citizen.wait_code(200, "BYE")
    invariants.drain(hotline)
    assert [call["outcome"] for call in hotline.calls() if call["call"] not in known] in ([], ["abandoned"])


def test_hold_resume_and_update_while_talking_leave_the_talk_alone(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.seat("8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("12345")
        seat.wait_talks(20)
        for direction in ("sendonly", "sendrecv"):
            cseq = citizen.again("INVITE", body=citizen.sdp(direction))
            answer = citizen.wait_answer(cseq)
            citizen.ack(answer)
        citizen.again("UPDATE", extra=("Session-Expires: 90;refresher=uac", "Supported: timer"))
        citizen.wait(lambda one: one.method == "UPDATE" and one.code > 0, "an answer to UPDATE")
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the seat's voice after all that", 5)
        hotline.wait_call("talking")
        citizen.bye()
    assert outcome(hotline, known) == "completed"


def test_a_citizen_on_hold_by_his_own_phone_still_waits_and_is_answered(hotline: Server) -> None:
    known = known_calls(hotline)
    with RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        hotline.wait_call("queued")
        cseq = citizen.again("INVITE", body=citizen.sdp("sendonly"))
        answer = citizen.wait_answer(cseq)
        citizen.ack(answer)
        with raw_seat(hotline, "8001", state="offered") as seat:
            seat.answer(seat.wait_request("INVITE", 20))
            hotline.wait_call("talking")
            citizen.bye()
            seat.wait_request("BYE")
    assert outcome(hotline, known) == "completed"


CALLERS = {
    "anonymous": ('"Anonymous" <sip:anonymous@anonymous.invalid>', (), ""),
    "withheld": ("<sip:13912345678@127.0.0.1>", ("Privacy: id", "P-Asserted-Identity: <sip:13912345678@x>"), None),
    "plus 86": ("<sip:+8613912345678@127.0.0.1>", (), "13912345678"),
    "00 86": ("<sip:008613912345678@127.0.0.1>", (), "13912345678"),
    "tel": ("<tel:+86-139-1234-5678>", (), "13912345678"),
    "200 characters": (f"<sip:{'9' * 200}@127.0.0.1>", (), "9" * 40),
    "emoji": ('"王😀芳\u202e" <sip:13912345678@127.0.0.1>', (), "13912345678"),
    "sql": ("\"'; DROP TABLE calls; --\" <sip:1';DROP@127.0.0.1>", (), None),
    "html": ('"<script>alert(1)</script>" <sip:13912345678@127.0.0.1>', (), "13912345678"),
    "dialplan": ('"${SHELL(id)}" <sip:%24%7bCHANNEL(name)%7d@127.0.0.1>', (), None),
    "empty": ("<sip:127.0.0.1>", (), ""),
    "crlf": ("<sip:139%0d%0aAction%3a%20Logoff@127.0.0.1>", (), None),
}


@pytest.mark.parametrize("name", CALLERS)
def test_an_odd_caller_is_answered_like_anybody(hotline: Server, name: str) -> None:
    caller, extra, shown = CALLERS[name]
    known = known_calls(hotline)
    with RawPhone(hotline.sip) as citizen:
        answer = citizen.call("12345", caller=caller, extra=extra)
        assert answer.code == 200
        row = new_call(hotline, known)
        citizen.bye()
    assert len(str(row["caller"])) <= 40
    if shown is not None:
        assert row["caller"] == mask_number(shown)


HOST = "sip:{}@127.0.0.1"
DIALLED = {
    "area code": ("0717-12329", "", (), "12329"),
    "country code": ("+8671712329", "", (), "12329"),
    "00 86": ("008671712329", "", (), "12329"),
    "phone-context": ("12329;phone-context=+86", "", (), "12329"),
    "spaces": ("0717%2012329", "", (), "12329"),
    "To differs": ("12345", "<sip:12329@elsewhere>", (), "12329"),
    "diverted twice": ("12345", "", ("Diversion: <sip:12329@a>", "Diversion: <sip:12336@b>"), "12336"),
    "history": (
        "12345", "", ("History-Info: <sip:12329@a>;index=1,<sip:12345@b>;index=1.1",), "12329",
    ),
    "fax of another city": ("02712345", "", (), None),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALLED)
def test_an_odd_number_is_understood(hotline: Server, name: str) -> None:
    number, to, extra, meant = DIALLED[name]
    known = known_calls(hotline)
    with RawPhone(hotline.sip) as citizen:
        assert citizen.call(number, to=to, extra=extra).code == 200
        row = new_call(hotline, known)
        citizen.bye()
    if meant is not None:
        assert (row["dialled"], row["declared"]) == (meant, True)


NEW_NUMBER = """\
set: new
region: "0717"
source: a test
numbers:
  - {number: 12397, name: 新号, owner_unit: 新单位, mode: dual, needs: [general]}
"""


def dial_110(citizen: RawPhone) -> int:
    return citizen.call("110", 20).code


def test_sixty_at_once_on_three_seats_who_all_hang_up_within_a_second(hotline: Server) -> None:
    known = known_calls(hotline)
    with ExitStack() as stack:
        seats = [
            stack.enter_context(hotline.seat(name, Manners(answer_after=0.2))) for name in ("8001", "8002", "8003")
        ]
        citizens = [
            stack.enter_context(RawPhone(hotline.sip, f"1380000{number % 50:04d}", Media(ptime=60)))
            for number in range(60)
        ]
        with ThreadPoolExecutor(60) as pool:
            answers = list(pool.map(dial_110, citizens))
        assert answers == [200] * 60
        eventually(lambda: len(known_calls(hotline) - known) == 60, "all are known", 20)
        hotline.wait_call("talking", 3, 20)
        for citizen in citizens:
            citizen.bye()
        invariants.drain(hotline, 20)
        for name in ("8001", "8002", "8003"):
            eventually(partial(is_ready, hotline, name), "ready", 5)
        assert len(seats) == 3
    found = [call["outcome"] for call in hotline.calls() if call["call"] not in known]
    assert set(found) <= {"abandoned", "completed"}
    assert len(found) == 60


def test_two_citizens_with_one_number_are_two_calls(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.seat("8001") as one, RawPhone(hotline.sip, "13811112222") as first:
        first.call("110")
        one.wait_talks(20)
        hotline.wait_call("talking")
        with RawPhone(hotline.sip, "13811112222") as second:
            second.call("110")
            hotline.wait_call("queued")
            first.bye()
            one.wait_rings(2, 10)
            eventually(lambda: hotline.seat_state("8001") == "talking", "the second one talks", 5)
            second.bye()
    invariants.drain(hotline)
    assert [call["outcome"] for call in hotline.calls() if call["call"] not in known] == ["completed"] * 2


def test_a_catalogue_that_changes_while_callers_are_inside_changes_nothing_for_them(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.seat("8001"), RawPhone(hotline.sip) as citizen:
        citizen.call("12397")
        assert new_call(hotline, known)["declared"] is False
        changed = hotline.ask(
            "POST", "/api/v1/numbers/import?file=new.yaml", role="administrator", content=NEW_NUMBER.encode()
        )
        assert changed.status_code == 200, changed.text
        hotline.wait_call("talking", timeout=30)
        assert new_call(hotline, known)["owner_unit"] != "新单位"
        with RawPhone(hotline.sip) as later:
            later.call("12397")
            eventually(lambda: len(known_calls(hotline) - known) == 2, "the later call", 5)
            rows = [call for call in hotline.calls() if call["call"] not in known]
            assert [(call["declared"], call["owner_unit"] == "新单位") for call in rows] == [
                (True, True),
                (False, False),
            ]
            later.bye()
        citizen.bye()
    invariants.drain(hotline)
