"""A citizen calls, a seat answers, and what was said is on the ticket: every part is real."""

import hashlib
import io
import wave

import jiwer
import numpy as np
import pytest

from calls.model import Queued, Stepped
from telephony.softphone import CallState
from telephony.softphone.sources import Feed
from tests.e2e import invariants
from tests.e2e.odd import with_menu
from tests.house import Server
from tests.phones import Manners, ended, eventually, wait_hears
from tests.speech import mandarin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

CITIZEN_SAYS = "你好,我要投诉小区楼下半夜施工噪音扰民"
SEAT_SAYS = "好的,请问您的地址和电话号码是多少"


def spoken(text: str) -> str:
    """Only what can be heard."""
    return "".join(character for character in text if character.isalnum())


def seconds(pcm: bytes) -> float:
    return len(pcm) / 16000


def heard_of(transcript: dict[str, object], party: str) -> str:
    segments = transcript["segments"]
    assert isinstance(segments, list)
    return "".join(spoken(segment["text"]) for segment in segments if segment["party"] == party)


def channels(wav: bytes) -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    with wave.open(io.BytesIO(wav)) as sound:
        assert sound.getframerate() == 8000
        frames = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        return frames.reshape(-1, sound.getnchannels())


def loudness(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if samples.size else 0.0


def talk(hotline: Server, number: str, caller: str) -> dict[str, object]:
    """A call in which first the citizen speaks, then the seat; the ticket that came of it."""
    known = {ticket["id"] for ticket in hotline.tickets()}
    citizen_says, seat_says = mandarin(CITIZEN_SAYS, "f3"), mandarin(SEAT_SAYS, "m4")
    mouth, answer = Feed(), Feed()
    with hotline.seat("8001", Manners(saying=answer)) as seat, hotline.citizen(caller) as citizen:
        call = citizen.talk(number, saying=mouth)
        seat.wait_talks(40)
        mouth.write(citizen_says)
        eventually(lambda: not mouth.pending, "the citizen has spoken", seconds(citizen_says) + 5)
        answer.write(seat_says)
        eventually(lambda: not answer.pending, "the seat has spoken", seconds(seat_says) + 5)
        seat.call.hang_up()
        ended(call, 15)
    eventually(lambda: any(one["id"] not in known for one in hotline.tickets()), "a ticket", 20)
    ticket = next(one for one in hotline.tickets() if one["id"] not in known)
    eventually(
        lambda: hotline.get(f"/api/v1/tickets/{ticket['id']}")["transcript_state"] == "ready", "its transcript", 60
    )
    found: dict[str, object] = hotline.get(f"/api/v1/tickets/{ticket['id']}")
    return found


def check_words(hotline: Server, ticket: dict[str, object]) -> None:
    transcript = hotline.get(f"/api/v1/transcripts/{ticket['transcript']}", role="qa")
    for party, said in (("citizen", CITIZEN_SAYS), ("operator", SEAT_SAYS)):
        rate = jiwer.cer(spoken(said), heard_of(transcript, party))
        assert rate <= 0.10, f"{party}: {heard_of(transcript, party)}"
    assert transcript["demo_model"]
    assert "300" in str(ticket["transcript_label"])


def test_both_sides_words_of_a_legacy_number_arrive_under_the_right_speaker(hotline: Server) -> None:
    ticket = talk(hotline, "12329", "13900000001")
    assert ticket["dialled"] == "12329"
    assert ticket["owner_unit"] == "住房公积金中心"
    assert ticket["agent"] == "8001"
    check_words(hotline, ticket)


def test_each_party_has_a_channel_of_its_own_and_the_hash_is_that_of_the_file(hotline: Server) -> None:
    ticket = talk(hotline, "12345", "13900000002")
    row = hotline.get(f"/api/v1/recordings/{ticket['recording']}", role="qa")
    answer = hotline.ask("GET", f"/api/v1/recordings/{ticket['recording']}/audio", role="qa")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == row["sha256"]
    assert not row["truncated"]
    sound = channels(answer.content)
    assert sound.shape[1] == 2
    assert abs(len(sound) * 1000 / 8000 - row["length_ms"]) < 50
    first = int(seconds(mandarin(CITIZEN_SAYS, "f3")) * 8000)
    citizen, operator = sound[:, 0], sound[:, 1]
    assert loudness(citizen[:first]) > 10 * loudness(operator[: first // 2])
    assert loudness(operator[first:]) > 10 * loudness(citizen[first + 8000 :])
    check_words(hotline, ticket)


def test_a_part_of_a_recording_is_played_by_range_and_every_play_is_audited(hotline: Server) -> None:
    ticket = next(one for one in hotline.tickets() if one["recording"])
    path = f"/api/v1/recordings/{ticket['recording']}/audio"
    whole = hotline.ask("GET", path, role="qa").content
    part = hotline.ask("GET", path, role="qa", headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole[100:200]
    plays = hotline.get(f"/api/v1/audit?subject={ticket['recording']}", role="auditor")["items"]
    assert len(plays) >= 2


def test_a_number_that_was_merged_whole_tells_so_before_a_person_answers(hotline: Server) -> None:
    with hotline.seat("8001"):
        shown = hotline.command("dial", "12336", "--hold", "10", "--json")
    assert "merged_12336" in shown.stdout, shown.stdout
    eventually(lambda: hotline.calls()[0]["dialled"] == "12336", "the call's row", 5)
    eventually(lambda: hotline.calls()[0]["outcome"] == "completed", "the call completed", 10)
    assert hotline.calls()[0]["merge_mode"] == "whole"


def test_a_number_that_nobody_declared_is_answered_like_12345_and_counted(hotline: Server) -> None:
    before = hotline.get("/api/v1/system", role="administrator")["undeclared_calls"]
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("0717-6789012")
        seat.wait_talks(20)
        wait_hears(call.ear, 1300)
        call.hang_up()
        ended(seat.call)
    eventually(lambda: not hotline.calls()[0]["declared"], "the undeclared call's row", 10)
    eventually(lambda: hotline.calls()[0]["queue"] == "general", "its queue", 10)
    assert hotline.get("/api/v1/system", role="administrator")["undeclared_calls"] == before + 1


def test_a_number_that_was_diverted_to_12345_is_recognised(hotline: Server) -> None:
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        diverted = ("Diversion", "<sip:071712336@carrier.example>;reason=unconditional")
        call = citizen.talk("12345", headers=[diverted])
        seat.wait_talks(30)
        call.hang_up()
    eventually(lambda: hotline.calls()[0]["dialled"] == "12336", "the diverted number", 10)


def test_a_key_leads_through_the_menu(hotline: Server) -> None:
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("12329")
        eventually(lambda: hotline.calls()[0]["phase"] in ("in_ivr", "queued", "ringing", "talking"), "the menu", 10)
        call.press("0")
        seat.wait_talks(30)
        wait_hears(seat.call.ear, 600)
        call.hang_up()
        ended(seat.call)
    eventually(lambda: hotline.calls()[0]["outcome"] == "completed", "the call completed", 10)


def test_a_key_in_the_notice_answers_the_menu_before_it_is_asked(hotline: Server) -> None:
    number = with_menu(hotline)
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        known = {call["call"] for call in hotline.calls()}
        call = citizen.talk(number)
        eventually(lambda: call.ear.first_loud() is not None, "the notice is heard", 5)
        call.press("2")
        seat.wait_talks(10)
        wait_hears(call.ear, 1300)
        call.hang_up()
        ended(seat.call)
    eventually(lambda: hotline.calls()[0]["outcome"] == "completed", "the call completed", 10)
    (new,) = [one for one in hotline.calls() if one["call"] not in known]
    facts = [fact for fact in invariants.stored(hotline.data).calls if fact.call == new["call"]]
    (queued,) = [fact for fact in facts if isinstance(fact, Queued)]
    assert queued.topic == "withdrawal"
    assert [fact.node for fact in facts if isinstance(fact, Stepped)] == ["notice", "withdrawal"], "it was not asked"


def test_a_silent_citizen_reaches_a_person_too(hotline: Server) -> None:
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("12329", saying=Feed())
        seat.wait_talks(40)
        wait_hears(call.ear, 1300)
        call.hang_up()
        ended(seat.call)
    eventually(lambda: hotline.calls()[0]["outcome"] == "completed", "the call completed", 10)


def test_the_recording_is_silent_while_keys_are_pressed(hotline: Server) -> None:
    known = {one["id"] for one in hotline.tickets()}
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("12345")
        seat.wait_talks(20)
        wait_hears(seat.call.ear, 600)
        pressed_after = seconds(seat.call.ear.pcm())
        call.press("622848")
        eventually(lambda: seconds(seat.call.ear.pcm()) > pressed_after + 5, "the talk goes on", 10)
        call.hang_up()
        ended(seat.call)
    eventually(lambda: any(one["id"] not in known and one["recording"] for one in hotline.tickets()), "a ticket", 20)
    ticket = next(one for one in hotline.tickets() if one["id"] not in known)
    path = f"/api/v1/recordings/{ticket['recording']}"
    eventually(lambda: hotline.get(path, role="qa")["state"] == "closed", "the recording is closed", 30)
    sound = channels(hotline.ask("GET", f"{path}/audio", role="qa").content)[:, 0]
    blocks = [loudness(sound[at : at + 800]) for at in range(0, len(sound) - 800, 800)]
    assert sum(block < 50 for block in blocks) >= 8, "the citizen's tone pauses while keys are pressed"
    assert sum(block > 1000 for block in blocks) >= 8, "and is recorded before and after"


def test_the_seats_phone_that_rings_out_sends_the_call_to_the_next_one(hotline: Server) -> None:
    with (
        hotline.seat("8001", Manners(answer_after=None, refuse=486)) as busy,
        hotline.seat("8002") as free,
        hotline.citizen() as citizen,
    ):
        call = citizen.talk("12345")
        free.wait_talks(20)
        assert len(busy.calls) <= 1
        assert call.state is CallState.TALKING
        call.hang_up()
        ended(free.call)
