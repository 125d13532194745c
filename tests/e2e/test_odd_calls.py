"""Calls as their authors did not think of them: odd phones, numbers and moments. After each, nothing may be left."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from calls.model import Party, Stepped, TalkEnded
from tests.e2e import invariants
from tests.house import Server
from tests.phones import Manners, ended, eventually
from tests.rawsip import Media, Raw, RawPhone
from tickets.visibility import mask_number

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def nothing_is_left(hotline: Server) -> Iterator[None]:
    """After every test each invariant holds."""
    yield
    invariants.check(hotline, 40)


def newest(hotline: Server) -> dict[str, object]:
    found: dict[str, object] = next(iter(hotline.calls()))
    return found


def known_calls(hotline: Server) -> set[str]:
    return {str(call["call"]) for call in hotline.calls()}


def new_call(hotline: Server, known: set[str]) -> dict[str, object]:
    eventually(lambda: bool(known_calls(hotline) - known), "a new call", 10)
    return next(call for call in hotline.calls() if call["call"] not in known)


def outcome(hotline: Server, known: set[str]) -> str:
    eventually(lambda: bool(new_call(hotline, known)["outcome"]), "the call has ended", 20)
    return str(new_call(hotline, known)["outcome"])


@contextmanager
def raw_seat(hotline: Server, number: str = "8001", *, state: str = "ready") -> Iterator[RawPhone]:
    """A signed-in seat whose phone answers nothing by itself."""
    sip = hotline.post(f"/api/v1/seats/{number}/sign-in")["sip"]
    with RawPhone(hotline.sip) as phone:
        phone.register(sip["username"], sip["secret"])
        eventually(lambda: hotline.seat_state(number) == state, f"seat {number} is {state}", 10)
        yield phone
        phone.register(sip["username"], sip["secret"], expires=0)
    hotline.post(f"/api/v1/seats/{number}/sign-out")


def nodes(hotline: Server, call: str) -> list[str]:
    """The nodes of its flow that a call has been at."""
    facts = invariants.stored(hotline.data).calls
    return [fact.node for fact in facts if isinstance(fact, Stepped) and fact.call == call]


def hears_since(phone: RawPhone, moment: float) -> bool:
    return bool(phone.media.loud) and phone.media.loud[-1] > moment


# Odd citizens --------------------------------------------------------------------------------------------------------

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
    known = known_calls(hotline)
    with hotline.seat("8001"), RawPhone(hotline.sip, media=Media(events=False)) as citizen:
        citizen.call("12329")
        call = str(new_call(hotline, known)["call"])
        eventually(lambda: "menu" in nodes(hotline, call), "the menu")
        began = time.monotonic()
        citizen.again("INFO", body="Signal=0\r\nDuration=160\r\n", content="application/dtmf-relay")
        eventually(lambda: len(nodes(hotline, call)) > 2, "the flow goes on", 10)
        assert time.monotonic() - began < 1, "the key was heard"
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
            answer = citizen.wait(lambda one, at=cseq: one.code == 200 and one.one("CSeq") == f"{at} INVITE", "200")
            citizen.ack(answer)
        citizen.again("UPDATE", extra=("Session-Expires: 90;refresher=uac", "Supported: timer"))
        citizen.wait(lambda one: one.method == "UPDATE" and one.code > 0, "an answer to UPDATE")
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the seat's voice after all that", 5)
        assert new_call(hotline, known)["phase"] == "talking"
        citizen.bye()
    assert outcome(hotline, known) == "completed"


def test_a_citizen_on_hold_by_his_own_phone_still_waits_and_is_answered(hotline: Server) -> None:
    known = known_calls(hotline)
    with RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        hotline.wait_call("queued")
        cseq = citizen.again("INVITE", body=citizen.sdp("sendonly"))
        answer = citizen.wait(lambda one: one.code == 200 and one.one("CSeq") == f"{cseq} INVITE", "200")
        citizen.ack(answer)
        with raw_seat(hotline, "8001", state="offered") as seat:
            seat.answer(seat.wait_request("INVITE", 20))
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


# Odd seats -----------------------------------------------------------------------------------------------------------


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
            answer = seat.wait(lambda one, at=cseq: one.code == 200 and one.one("CSeq") == f"{at} INVITE", "200")
            seat.ack(answer)
            moment = time.monotonic()
            eventually(lambda since=moment: hears_since(citizen, since + 0.5), "music, then the voice", 6)  # type: ignore[misc]
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
            citizen.bye()
            ended(other.call)
    assert outcome(hotline, known) == "completed"


# Seats that change their mind ----------------------------------------------------------------------------------------


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
            eventually(lambda since=moment: hears_since(citizen, since), "the seat's voice", 5)  # type: ignore[misc]
            (citizen if citizen_first else seat).bye()
            (seat if citizen_first else citizen).wait_request("BYE", 15)
    ends = [fact for fact in invariants.stored(hotline.data).calls if isinstance(fact, TalkEnded)]
    assert [fact.by for fact in ends if fact.call not in known] == [Party.CITIZEN, Party.OPERATOR]


# Crowds and changes --------------------------------------------------------------------------------------------------


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
            answers = list(pool.map(lambda one: one.call("110", 20).code, citizens))
        assert answers == [200] * 60
        eventually(lambda: len(known_calls(hotline) - known) == 60, "all are known", 20)
        hotline.wait_call("talking", 3, 20)
        for citizen in citizens:
            citizen.bye()
        began = time.monotonic()
        invariants.drain(hotline, 20)
        assert time.monotonic() - began < 10
        for name in ("8001", "8002", "8003"):
            eventually(lambda seat=name: hotline.seat_state(seat) == "ready", "ready", 5)  # type: ignore[misc]
        assert len(seats) == 3
    found = [call["outcome"] for call in hotline.calls() if call["call"] not in known]
    assert set(found) <= {"abandoned", "completed"}
    assert len(found) == 60


def test_two_citizens_with_one_number_are_two_calls(hotline: Server) -> None:
    known = known_calls(hotline)
    with hotline.seat("8001") as one, RawPhone(hotline.sip, "13811112222") as first:
        first.call("110")
        one.wait_talks(20)
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
    shown = hotline.command("numbers", "list", "--json").stdout
    with hotline.seat("8001"), RawPhone(hotline.sip) as citizen:
        citizen.call("12329")
        new_call(hotline, known)
        for path in (hotline.data.parent / "numbers.csv",):
            path.write_text(
                "number,region,name,owner_unit,mode,starts_on\n12329,0717,新名,新单位,dual,2020-01-01\n", "utf-8"
            )
            hotline.command("numbers", "check", str(path), check=False)
        row = new_call(hotline, known)
        assert row["owner_unit"] == "住房公积金中心"
        hotline.wait_call("talking", timeout=30)
        citizen.bye()
    assert hotline.command("numbers", "list", "--json").stdout == shown
    assert outcome(hotline, known) == "completed"


# Absences ------------------------------------------------------------------------------------------------------------


@contextmanager
def stopped(hotline: Server) -> Iterator[None]:
    """The process stands still, as on a frozen machine."""
    hotline.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        hotline.process.send_signal(signal.SIGCONT)


def wait(seconds: float) -> None:
    until = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= until, "time passes", seconds + 1)


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
            newcomer.call("110")
        hotline.post("/api/v1/seats/8001/resume")
        hotline.wait_call("talking", 1, 20)
        hotline.wait_call("queued", 1, 20)
        wait(2)
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the talk goes on", 2)
        assert sum(one.method == "INVITE" and not one.code for _, one in seat.log) == 1
        assert hotline.seat_state("8001") == "talking"
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
        hotline.wait_call("talking", 1, 10)
        wait(2)
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the talk goes on", 2)
        assert hotline.seat_state("8001") == "talking"
        citizen.bye()
        seat.wait_request("BYE")
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
        hotline.wait_call("talking", 1, 10)
        wait(2)
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the talk goes on", 2)
        assert hotline.seat_state("8001") == "talking"
        citizen.bye()
        seat.wait_request("BYE")
    assert outcome(hotline, known) == "completed"


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
        hotline.wait_call("talking", 1, 10)
        hotline.kill()
        hotline.start()
        hotline.wait_call("talking", 1, 10)
        moment = time.monotonic()
        eventually(lambda: hears_since(citizen, moment), "the talk goes on", 2)
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
def test_a_seats_phone_that_dies_without_a_word_is_noticed_and_its_citizen_released(hotline: Server) -> None:
    known = known_calls(hotline)
    with raw_seat(hotline, "8001") as seat, RawPhone(hotline.sip) as citizen:
        citizen.call("110")
        seat.answer(seat.wait_request("INVITE", 20))
        hotline.wait_call("talking")
        seat.media.sends = False
        citizen.wait_request("BYE", 60)
        eventually(lambda: hotline.seat_state("8001") != "talking", "the seat is not in a call", 10)
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
