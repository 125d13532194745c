"""The static dialplan while our process is dead: an announcement, the registered seats, and never silence."""

import time
from itertools import pairwise

import pytest

from telephony.model import PhoneId
from telephony.softphone import Account, CallState, OutgoingCall
from tests.ami_probe import AmiProbe
from tests.asterisk_node import BYE_HZ, FALLBACK_HZ, AsteriskNode
from tests.phones import CITIZEN_TONE, SEAT_TONE, Citizen, Manners, SeatPhone, ended, eventually, wait_hears

pytestmark = pytest.mark.integration

SECRET = "a-secret-of-tests"


async def seat(node: AsteriskNode, phone: str, manners: Manners | None = None) -> SeatPhone:
    account = await node.provisioning.add(PhoneId(phone), SECRET)
    return SeatPhone(node.sip, Account(account, SECRET), manners)


def longest_silence(call: OutgoingCall, since: float, until: float) -> float:
    """Seconds within which the citizen heard nothing louder than noise."""
    loud = [since, *(at for at, pcm in call.ear.frames(since, until) if max(pcm, default=0) and any(pcm)), until]
    return max(later - earlier for earlier, later in pairwise(loud))


async def test_new_call_is_announced_queued_connected_and_recorded_without_us(asterisk_node: AsteriskNode) -> None:
    with (
        Citizen(asterisk_node.sip) as citizen,
        await seat(asterisk_node, "8001", Manners(answer_after=0.5)) as phone,
    ):
        call = citizen.talk("12329")
        wait_hears(call.ear, FALLBACK_HZ, 1.5)
        phone.wait_talks(6)
        wait_hears(call.ear, SEAT_TONE)
        wait_hears(phone.call.ear, CITIZEN_TONE)
        answered, now = call.times[CallState.TALKING], time.monotonic()
        phone.call.hang_up()
        wait_hears(call.ear, BYE_HZ)
        ended(call, 3)
    assert longest_silence(call, answered, now) < 0.5
    folder = asterisk_node.instance.places.tracks
    eventually(lambda: len(list(folder.glob("*/*.sln"))) == 2, "both parties' tracks are written")
    tracks = {file.stem for file in folder.glob("*/*.sln")}
    assert {file.parent.name for file in folder.glob("*/*.sln")} < tracks


async def test_seats_provisioned_while_the_queue_runs_are_rung_and_removed_ones_not(
    asterisk_node: AsteriskNode,
) -> None:
    await asterisk_node.provisioning.add(PhoneId("8009"), SECRET)
    with await seat(asterisk_node, "8001") as first, Citizen(asterisk_node.sip) as citizen:
        call = citizen.talk("12345")
        first.wait_talks(6)
        call.hang_up()
        ended(first.call)
        await asterisk_node.provisioning.remove(PhoneId("8001"))
        with await seat(asterisk_node, "8002") as second:
            again = citizen.talk("12345")
            second.wait_talks(6)
            again.hang_up()
        assert len(first.calls) == 1


async def test_nobody_registered_means_music_not_silence_and_not_the_end(asterisk_node: AsteriskNode) -> None:
    with Citizen(asterisk_node.sip) as citizen:
        call = citizen.talk("12345")
        began = call.times[CallState.TALKING]
        eventually(lambda: time.monotonic() - began > 4, "four seconds pass")
        assert call.state is CallState.TALKING
        assert longest_silence(call, began, began + 4) < 0.5


async def test_waiting_and_listening_callers_reach_the_fallback_when_we_die(asterisk_node: AsteriskNode) -> None:
    with Citizen(asterisk_node.sip) as citizen, AmiProbe(asterisk_node.ami) as ami:
        ami.beat()
        waiting = citizen.talk("12345")
        ami.redirect(ami.wait_arrival()["Channel"], "hold")
        listening = citizen.talk("12329")
        ami.wait_arrival(count=2)
        ami.stop_beating()
        died = time.monotonic()
        wait_hears(waiting.ear, FALLBACK_HZ, 16)
        assert time.monotonic() - died < 14  # 9 s until stale, at most 3 until it looks
        wait_hears(listening.ear, FALLBACK_HZ, 18)
        assert time.monotonic() - died < 17  # the lease of 15 s


async def test_call_that_rings_when_we_die_is_connected_and_said_good_bye(asterisk_node: AsteriskNode) -> None:
    with (
        Citizen(asterisk_node.sip) as citizen,
        await seat(asterisk_node, "8001", Manners(answer_after=None)) as phone,
    ):
        with AmiProbe(asterisk_node.ami) as ami:
            ami.beat()
            call = citizen.talk("12345")
            ami.offer(ami.wait_arrival()["Channel"], "8001", "offer_1", ring=30)
            ringing = phone.wait_rings()
            ami.stop_beating()
            ami.action("Setvar", Variable="CTL_BEAT", Value="1")
        ringing.answer()
        wait_hears(ringing.ear, CITIZEN_TONE)
        ringing.hang_up()
        wait_hears(call.ear, BYE_HZ)
        ended(call, 3)


async def test_we_take_callers_back_from_the_fallback_when_we_live_again(asterisk_node: AsteriskNode) -> None:
    with Citizen(asterisk_node.sip) as citizen:
        call = citizen.talk("12345")
        wait_hears(call.ear, FALLBACK_HZ)
        with AmiProbe(asterisk_node.ami) as ami:
            ami.beat()
            ami.action("CoreShowChannels")
            line = ami.wait("CoreShowChannel")
            assert line["Context"] == "fallback"
            assert ami.redirect(line["Channel"], "ivr")["Response"] == "Success"
            assert ami.wait_arrival("ivr")["Uniqueid"] == line["Uniqueid"]
            assert ami.action("Getvar", Channel=line["Channel"], Variable="DIALLED")["Value"] == "12345"
