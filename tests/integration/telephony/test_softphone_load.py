"""The softphone over time and in number: long calls, many calls, nothing left behind."""

import gc
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from telephony.softphone import (
    Account,
    CallState,
    NoPortFree,
    NotPossibleNow,
    RegistrarSilent,
    RegistrationRefused,
    Softphone,
    Tone,
)
from telephony.softphone.call import Call
from telephony.softphone.media import Media
from tests.integration.telephony.softphone_switch import Switch, running_switch
from tests.phones import (
    CITIZEN_TONE,
    SEAT_TONE,
    Citizen,
    Manners,
    SeatPhone,
    ended,
    eventually,
    free_udp_port,
    hears,
    wait_hears,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with running_switch(tmp_path_factory.mktemp("softphone") / "asterisk") as running:
        yield running


def test_thirty_calls_in_one_process_each_send_fifty_packets_a_second(switch: Switch) -> None:
    with Citizen(switch.server, ear_seconds=5) as citizen:
        calls = [citizen.dial("echo") for _ in range(30)]
        for call in calls:
            assert call.wait_until(CallState.TALKING, 10)
            wait_hears(call.ear, CITIZEN_TONE)
        began, before = time.monotonic(), [call.figures for call in calls]
        threading.Event().wait(4.0)  # the time that is measured
        after, took = [call.figures for call in calls], time.monotonic() - began
        sent = [(b.sent - a.sent) / took for a, b in zip(before, after, strict=True)]
        heard = [(b.received - a.received) / took for a, b in zip(before, after, strict=True)]
        skipped = after[0].skipped - before[0].skipped
        assert skipped == 0
        assert min(sent) > 49.0, sent
        assert max(sent) < 51.0, sent
        assert min(heard) > 48.0, heard
        assert sum(figures.lost for figures in after) == 0
        ports = {call.media.inPort for call in calls}
        assert len(ports) == 30


@pytest.mark.slow
def test_call_goes_on_past_the_moment_at_which_a_wrong_ack_would_end_it(switch: Switch) -> None:
    """Asterisk hangs up 32 s after an answer that was not acknowledged, in both directions."""
    with SeatPhone(switch.server, switch.account("8001"), ear_seconds=60) as seat, Citizen(switch.server) as citizen:
        call = citizen.talk("8001")
        answered = seat.wait_talks()
        threading.Event().wait(36.0)  # longer than 64 * T1
        assert call.state is CallState.TALKING
        assert answered.state is CallState.TALKING
        assert hears(call.ear, SEAT_TONE)
        assert hears(answered.ear, CITIZEN_TONE)
        assert call.figures.sent == pytest.approx(50 * (time.monotonic() - call.times[CallState.TALKING]), rel=0.01)
        call.hang_up()
        ended(answered)


def test_registration_is_renewed_before_it_runs_out_and_taken_back_at_the_end(switch: Switch) -> None:
    seat = SeatPhone(switch.server, switch.account("8001"))
    seat.phone = Softphone(switch.server, account=switch.account("8001"), expires=5, on_call=lambda call: call.answer())
    with seat.phone as phone, Citizen(switch.server) as citizen:
        attempts = phone.registration_attempts
        eventually(lambda: phone.registration_attempts >= attempts + 2, "two renewals", 12)
        assert phone.registered
        citizen.talk("8001").hang_up()
    with Citizen(switch.server) as citizen:
        assert not citizen.dial("8001").wait_until(CallState.TALKING, 5)


def test_phone_is_reachable_for_qualify_all_the_time(switch: Switch) -> None:
    """The switch asks every second by OPTIONS; a contact that does not answer could not be called."""
    with SeatPhone(switch.server, switch.account("8001")), Citizen(switch.server) as citizen:
        threading.Event().wait(2.5)  # two rounds of OPTIONS
        citizen.talk("8001").hang_up()


def test_wrong_password_is_refused_at_once(switch: Switch) -> None:
    began = time.monotonic()
    with pytest.raises(RegistrationRefused, match="password"):
        Softphone(switch.server, account=Account("seat8001", "wrong")).start()
    assert time.monotonic() - began < 2
    assert not _phone_threads()


def test_nobody_at_the_address_is_told_at_once() -> None:
    nowhere = ("127.0.0.1", free_udp_port())
    began = time.monotonic()
    with pytest.raises(RegistrarSilent):
        Softphone(nowhere, account=Account("seat8001", "any")).start()
    with Citizen(nowhere) as citizen:
        call = ended(citizen.dial("12345"), 2)
        assert call.ending is not None
        assert call.ending.status == 408
    assert time.monotonic() - began < 3


def test_taken_sip_port_is_one_sentence(switch: Switch) -> None:
    with Softphone(switch.server) as one, pytest.raises(NoPortFree, match=str(one.sip_port)):
        Softphone(switch.server, sip_port=one.sip_port).start()


def test_full_range_of_media_ports_is_one_sentence_and_frees_itself(switch: Switch) -> None:
    low = free_udp_port() & ~1
    with Softphone(switch.server, media_ports=(low, low + 1)) as phone:
        call = phone.call("echo", caller="13912345678")
        assert call.wait_until(CallState.TALKING, 5)
        with pytest.raises(NoPortFree):
            phone.call("echo", caller="13912345678")
        call.hang_up()
        assert phone.call("echo", caller="13912345678").wait_until(CallState.TALKING, 5)


def test_no_thread_and_no_socket_is_left_after_stop(switch: Switch) -> None:
    before = set(threading.enumerate())
    phones = [SeatPhone(switch.server, switch.account(name)) for name in ("8001", "8002")]
    citizen = Citizen(switch.server)
    softphones = [citizen.phone, *(seat.phone for seat in phones)]
    for phone in softphones:
        phone.start()
    talking = citizen.talk("8001")
    phones[1].manners = Manners(answer_after=None)
    ringing = citizen.dial("8002")
    phones[1].wait_rings()
    began = time.monotonic()
    for phone in softphones:
        phone.stop()
    assert time.monotonic() - began < 4
    assert set(threading.enumerate()) <= before
    assert talking.state is ringing.state is CallState.ENDED
    assert all(phone.sip.s.fileno() == -1 for phone in softphones)
    assert talking.media.sin.fileno() == -1


def test_callback_may_not_wait_but_may_go_on_later(switch: Switch) -> None:
    complaints: list[Exception] = []
    done = threading.Event()

    def rings(call: Call) -> None:
        try:
            call.wait_until(CallState.ENDED, 5)
        except NotPossibleNow as error:
            complaints.append(error)
        phone.after(0.05, done.set)

    with Softphone(switch.server, account=switch.account("8001"), on_call=rings) as phone, Citizen(switch.server) as c:
        c.dial("8001")
        assert done.wait(5)
    assert len(complaints) == 1


def test_calls_that_ended_leave_no_memory_behind(switch: Switch) -> None:
    with Citizen(switch.server, ear_seconds=1) as citizen:
        for _ in range(20):
            _call_and_hang_up(citizen, 10)
        assert not citizen.phone.calls
        eventually(lambda: _kept() == 0, "the calls and their audio are forgotten", 5)


@pytest.mark.slow
def test_transactions_are_forgotten_after_the_time_in_which_answers_are_repeated(switch: Switch) -> None:
    with Citizen(switch.server, ear_seconds=1) as citizen:
        _call_and_hang_up(citizen, 10)
        assert citizen.phone.sip.requests.remembered
        eventually(lambda: citizen.phone.sip.requests.remembered == 0, "transactions are forgotten", 45)


def _kept() -> int:
    gc.collect()
    return sum(isinstance(thing, Media | Call) for thing in gc.get_objects())


def _call_and_hang_up(citizen: Citizen, count: int) -> None:
    calls = [citizen.dial("echo", saying=Tone(CITIZEN_TONE)) for _ in range(count)]
    for call in calls:
        assert call.wait_until(CallState.TALKING, 10)
        call.hang_up()


def test_ear_holds_no_more_than_it_was_told(switch: Switch) -> None:
    with Citizen(switch.server, ear_seconds=1) as citizen:
        call = citizen.talk("echo")
        eventually(lambda: call.ear.dropped > 25, "old audio is forgotten")
        assert len(call.ear.pcm()) <= 16000
        times = [at for at, _ in call.ear.frames()]
        assert all(a <= b for a, b in pairwise(times))


def _phone_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("phone-")]
