"""The softphone against a real Asterisk: calls that talk, and every way they end."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from telephony.softphone import CallState, Codec, Ear, EndedBy, Softphone, Tone, asserted_identity, diversion
from tests.integration.telephony.softphone_switch import Switch, running_switch
from tests.phones import (
    CITIZEN_TONE,
    SEAT_TONE,
    Citizen,
    Manners,
    SeatPhone,
    ended,
    eventually,
    hears,
    wait_hears,
    wait_silent,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with running_switch(tmp_path_factory.mktemp("softphone") / "asterisk") as running:
        yield running


@pytest.fixture
def citizen(switch: Switch) -> Iterator[Citizen]:
    with Citizen(switch.server) as calling:
        yield calling


def test_both_hear_each_other_and_nobody_hears_himself(switch: Switch, citizen: Citizen) -> None:
    with SeatPhone(switch.server, switch.account("8001")) as seat:
        call = citizen.talk("8001")
        answered = seat.wait_talks()
        wait_hears(call.ear, SEAT_TONE)
        wait_hears(answered.ear, CITIZEN_TONE)
        assert not hears(call.ear, CITIZEN_TONE)
        assert not hears(answered.ear, SEAT_TONE)
        assert answered.number == "13912345678"
        call.hang_up()
        ending = ended(answered).ending
        assert ending is not None
        assert (ending.by, ending.status, ending.cause) == (EndedBy.THEM, 200, 16)
        assert ended(call).ending.by is EndedBy.US  # type: ignore[union-attr]


def test_seat_that_hangs_up_ends_the_citizens_call(switch: Switch, citizen: Citizen) -> None:
    with SeatPhone(switch.server, switch.account("8001"), Manners(answer_after=0.1, hang_up_after=0.3)):
        call = citizen.talk("8001")
        ending = ended(call).ending
        assert ending is not None
        assert (ending.by, ending.status, ending.cause) == (EndedBy.THEM, 200, 16)
        assert 0.2 < ending.at - call.times[CallState.TALKING] < 1.5


def test_keys_reach_an_ivr_and_its_keys_come_back(citizen: Citizen) -> None:
    call = citizen.talk("keys")
    call.press("1*95")
    assert call.wait_for_keys(4, 8) == "1*95"


def test_every_key_travels_both_ways_in_order_and_once(switch: Switch, citizen: Citizen) -> None:
    with SeatPhone(switch.server, switch.account("8001")) as seat:
        call = citizen.talk("8001")
        answered = seat.wait_talks()
        call.press("0123456789*#")
        answered.press("#*77")
        assert answered.wait_for_keys(12, 8) == "0123456789*#"
        assert call.wait_for_keys(4, 8) == "#*77"


def test_keys_sent_by_info_arrive_too(citizen: Citizen) -> None:
    call = citizen.talk("keys")
    call.press("9074", by_info=True)
    assert call.wait_for_keys(4, 8) == "9074"


@pytest.mark.parametrize("status", [486, 480, 603, 404, 302])
def test_refusal_reaches_the_caller_and_the_seat_is_free_again(switch: Switch, citizen: Citizen, status: int) -> None:
    """Asterisk translates refusals through Q.850 causes; what the caller sees is Asterisk's word for it."""
    manners = Manners(refuse=status, contact="sip:nobody@127.0.0.1:9" if status == 302 else "")
    with SeatPhone(switch.server, switch.account("8001"), manners) as seat:
        call = citizen.dial("8001")
        assert not call.wait_until(CallState.TALKING, 10)
        assert call.ending is not None
        assert call.ending.by is EndedBy.THEM
        assert call.ending.status >= 400
        eventually(lambda: seat.call.ending is not None, "the refusal has been acknowledged to the seat", 10)
        assert seat.call.ending is not None
        assert (seat.call.ending.by, seat.call.ending.status) == (EndedBy.US, status)
        seat.manners = replace(seat.manners, refuse=0)
        citizen.talk("8001").hang_up()


@pytest.mark.parametrize(("number", "status"), [("busy", 486), ("busy-soon", 486), ("404404", 404)])
def test_final_answer_of_the_switch_ends_the_call_with_its_status(citizen: Citizen, number: str, status: int) -> None:
    call = ended(citizen.dial(number))
    assert call.ending is not None
    assert (call.ending.by, call.ending.status) == (EndedBy.THEM, status)
    assert not call.was_answered


def test_citizen_gives_up_while_it_rings_and_the_seat_stops_ringing(switch: Switch, citizen: Citizen) -> None:
    with SeatPhone(switch.server, switch.account("8001"), Manners(answer_after=None)) as seat:
        call = citizen.dial("8001")
        ringing = seat.wait_rings()
        assert call.wait_until(CallState.RINGING, 5)
        call.hang_up()
        assert ended(call).ending.status == 487  # type: ignore[union-attr]
        assert call.ending is not None
        assert call.ending.by is EndedBy.US
        assert ended(ringing).ending.status == 487  # type: ignore[union-attr]
        assert ringing.ending is not None
        assert ringing.ending.by is EndedBy.THEM


def test_hang_up_before_any_answer_of_the_switch_cancels_all_the_same(citizen: Citizen) -> None:
    call = citizen.dial("ring")
    call.hang_up()
    assert ended(call).ending.status == 487  # type: ignore[union-attr]


def test_seat_that_hangs_up_while_it_rings_refuses(switch: Switch, citizen: Citizen) -> None:
    with SeatPhone(switch.server, switch.account("8001"), Manners(answer_after=None)) as seat:
        call = citizen.dial("8001")
        seat.wait_rings().hang_up()
        assert ended(call).ending.status >= 400  # type: ignore[union-attr]


def test_caller_number_and_diversion_reach_the_dialplan(citizen: Citizen) -> None:
    call = citizen.talk("whoami", headers=[diversion("12366"), asserted_identity("13912345678")])
    call.hang_up()
    other = ended(citizen.dial("whoami"))
    assert not other.was_answered


def test_early_media_is_heard_before_the_refusal(citizen: Citizen) -> None:
    call = citizen.dial("early")
    wait_hears(call.ear, 1000)
    assert call.state is CallState.RINGING
    assert ended(call).ending.status == 486  # type: ignore[union-attr]


def test_hold_and_resume_by_re_invite_stop_and_restart_the_audio(citizen: Citizen) -> None:
    call = citizen.talk("echo")
    wait_hears(call.ear, CITIZEN_TONE)
    call.hold()
    wait_silent(call.ear, CITIZEN_TONE)
    assert call.state is CallState.TALKING
    call.resume()
    wait_hears(call.ear, CITIZEN_TONE)
    before = call.figures.sent
    took = eventually(lambda: call.figures.sent >= before + 50, "50 packets are sent")
    assert 0.9 < took < 2, "a re-INVITE must not start a second transmitter"


def test_re_invite_of_the_switch_moves_the_audio_and_keeps_one_stream(switch: Switch) -> None:
    """Direct media: Asterisk tells both phones to send to each other."""
    with (
        SeatPhone(switch.server, switch.account("8003")) as seat,
        Softphone(switch.server, account=switch.account("8004")) as other,
    ):
        call = other.call("8003", source=b"")
        assert call.wait_until(CallState.TALKING, 5)
        answered = seat.wait_talks()
        wait_hears(call.ear, SEAT_TONE)
        port = answered.media.inPort
        eventually(lambda: call.media.outPort == port, "the switch moves the audio to the other phone")
        wait_hears(call.ear, SEAT_TONE)
        received = call.figures.received
        took = eventually(lambda: call.figures.received >= received + 50, "50 packets come")
        assert 0.9 < took < 2


def test_two_phones_in_one_process_call_at_once(switch: Switch) -> None:
    with Citizen(switch.server, "13900000001") as one, Citizen(switch.server, "13900000002") as two:
        calls = [phone.dial("echo") for _ in range(5) for phone in (one, two)]
        for call in calls:
            assert call.wait_until(CallState.TALKING, 5)
            wait_hears(call.ear, CITIZEN_TONE)


def test_restarted_phone_takes_the_same_port_and_calls_at_once(switch: Switch) -> None:
    account = switch.account("8002")
    with Softphone(switch.server, account=account) as first:
        port = first.sip_port
        assert first.call("echo").wait_until(CallState.TALKING, 5)
    for _ in range(3):
        with Softphone(switch.server, account=account, sip_port=port) as again:
            assert again.sip_port == port
            assert again.call("echo").wait_until(CallState.TALKING, 5)


@pytest.mark.parametrize("codec", Codec)
def test_each_codec_comes_back_as_loud_as_it_went(switch: Switch, codec: Codec) -> None:
    with Softphone(switch.server, codecs=(codec,)) as phone:
        call = phone.call("echo", caller="13912345678", source=Tone(CITIZEN_TONE))
        assert call.wait_until(CallState.TALKING, 5)
        eventually(lambda: _level(call.ear) == pytest.approx(8000, rel=0.05), "the tone comes back as it went")


def _level(ear: Ear) -> float:
    return ear.tone(CITIZEN_TONE, since=time.monotonic() - 0.2)
