"""The static dialplan on a real Asterisk: who gets where, with our process and without it."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from telephony.model import PhoneId
from telephony.requirements import AMI_EVENTS
from telephony.softphone import Account, CallState, OutgoingCall, Softphone, Tone, diversion, history
from telephony.translate import user_of
from tests.ami_probe import AmiProbe, Packet, environment
from tests.asterisk_node import AsteriskNode
from tests.phones import CITIZEN_TONE, SEAT_TONE, Citizen, Manners, SeatPhone, ended, eventually, wait_hears

pytestmark = pytest.mark.integration

SECRET = "a-secret-of-tests"


@pytest.fixture
def controller(asterisk_node: AsteriskNode) -> Iterator[AmiProbe]:
    """A living controller that does nothing by itself."""
    with AmiProbe(asterisk_node.ami) as ami:
        ami.beat()
        yield ami


@pytest.fixture
def shared_controller(shared_asterisk_node: AsteriskNode) -> Iterator[AmiProbe]:
    """The same on the node that all tests share."""
    with AmiProbe(shared_asterisk_node.ami) as ami:
        ami.beat()
        yield ami


async def seat(node: AsteriskNode, phone: str = "8001", manners: Manners | None = None) -> SeatPhone:
    account = await node.provisioning.add(PhoneId(phone), SECRET)
    return SeatPhone(node.sip, Account(account, SECRET), manners)


@pytest.mark.parametrize("number", ["12345", "12329", "96000123", "+867171234567", "00", "1"])
def test_any_digits_reach_us_also_undeclared_ones(
    shared_asterisk_node: AsteriskNode, shared_controller: AmiProbe, number: str
) -> None:
    with Citizen(shared_asterisk_node.sip) as citizen:
        citizen.talk(number)
        start = shared_controller.wait_arrival()
    told = environment(start)
    assert told["agi_arg_1"] == "arrive"
    assert told["agi_extension"] == number
    assert user_of(told["agi_arg_2"]) == number
    assert told["agi_callerid"] == citizen.number


def test_diversions_come_nearest_first_and_only_as_digits(
    shared_asterisk_node: AsteriskNode, shared_controller: AmiProbe
) -> None:
    headers = [
        ("Diversion", '"a, <b> ${SHELL(id)}" <sip:071712329@10.0.0.1;user=phone>;reason=unconditional'),
        diversion("12366"),
        history("12333", "12320", "12345"),
    ]
    with Citizen(shared_asterisk_node.sip) as citizen:
        citizen.talk("12345", headers=headers)
        told = environment(shared_controller.wait_arrival())
    assert told["agi_arg_3"].split("-") == ["071712329", "12366", "12345", "12320", "12333"]


@pytest.mark.parametrize(
    ("header", "numbers"),
    [
        ("<tel:+8671712329;phone-context=+86>;reason=no-answer", "+8671712329"),
        ("<sip:12329;npdi=yes@10.0.0.1:5070>", "12329"),
        ("<sip:10.20.30.40:5060>", ""),
        ("<sip:%s@h>" % ("9" * 200), "9" * 32),
        ("<sip:${EXTEN}@h>, <sip:anonymous@h>", ""),
        (", ".join(f"<sip:1{n}@h>" for n in range(9)), "10-11-12-13-14"),
    ],
)
def test_odd_diversions_leave_digits_or_nothing(
    shared_asterisk_node: AsteriskNode, shared_controller: AmiProbe, header: str, numbers: str
) -> None:
    with Citizen(shared_asterisk_node.sip) as citizen:
        citizen.talk("12345", headers=[("Diversion", header)])
        assert environment(shared_controller.wait_arrival()).get("agi_arg_3", "") == numbers


async def test_offer_connects_the_two_and_each_has_a_track_of_its_own_voice(
    asterisk_node: AsteriskNode, controller: AmiProbe, tmp_path: Path
) -> None:
    tracks = tmp_path / "tracks of a call" / "01"
    with Citizen(asterisk_node.sip) as citizen, await seat(asterisk_node) as phone:
        call = citizen.talk("12345")
        line = controller.wait_arrival()
        controller.offer(line["Channel"], "8001", "offer_01jd", str(tracks))
        phone.wait_talks()
        answered = controller.wait("UserEvent", UserEvent="SeatAnswered")
        wait_hears(call.ear, SEAT_TONE)
        wait_hears(phone.call.ear, CITIZEN_TONE)
        began = time.monotonic()
        eventually(lambda: time.monotonic() - began > 1.5, "they talk for a while")
        phone.call.hang_up()
        over = controller.wait("UserEvent", UserEvent="OfferEnded")
        assert controller.wait_arrival("after")["Uniqueid"] == line["Uniqueid"]
        call.hang_up()
        controller.wait("MixMonitorStop", count=2)
        sizes = [(tracks / f"{id_}.sln").stat().st_size for id_ in (line["Uniqueid"], answered["Uniqueid"])]
        controller.wait("Hangup", Uniqueid=line["Uniqueid"])
    assert (answered["Offer"], answered["Citizen"]) == ("offer_01jd", line["Uniqueid"])
    assert (over["Offer"], over["Status"], over["Uniqueid"]) == ("offer_01jd", "ANSWER", line["Uniqueid"])
    citizens, seats = tracks / f"{line['Uniqueid']}.sln", tracks / f"{answered['Uniqueid']}.sln"
    assert sizes == [citizens.stat().st_size, seats.stat().st_size], "a track grew after it was said to be closed"
    assert loudest(citizens) == CITIZEN_TONE
    assert loudest(seats) == SEAT_TONE
    assert 1.2 < seats.stat().st_size / 16000 < 3.0


def loudest(track: Path) -> int:
    """The strongest frequency of a track, to 20 Hz."""
    samples = np.frombuffer(track.read_bytes(), dtype="<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return round(float(np.fft.rfftfreq(samples.size, 1 / 8000)[spectrum.argmax()]) / 20) * 20


@pytest.mark.parametrize(
    ("manners", "status", "cause"),
    [
        (Manners(refuse=486), "BUSY", "17"),
        (Manners(refuse=603), "CHANUNAVAIL", "21"),
        (Manners(refuse=480), "NOANSWER", "19"),
        (Manners(refuse=404), "CHANUNAVAIL", "1"),
        (Manners(answer_after=None), "NOANSWER", "0"),
    ],
)
async def test_refused_offer_brings_the_citizen_back_to_the_music(
    asterisk_node: AsteriskNode, controller: AmiProbe, manners: Manners, status: str, cause: str
) -> None:
    with Citizen(asterisk_node.sip) as citizen, await seat(asterisk_node, manners=manners):
        call = citizen.talk("12345")
        line = controller.wait_arrival()
        controller.offer(line["Channel"], "8001", "offer_1", ring=1)
        over = controller.wait("UserEvent", UserEvent="OfferEnded")
        waits_with_music(controller, line, call)
    assert (over["Offer"], over["Status"], over["Cause"]) == ("offer_1", status, cause)


async def test_offer_to_a_phone_that_is_not_there_ends_at_once(
    asterisk_node: AsteriskNode, controller: AmiProbe
) -> None:
    await asterisk_node.provisioning.add(PhoneId("8001"), SECRET)
    with Citizen(asterisk_node.sip) as citizen:
        call = citizen.talk("12345")
        line = controller.wait_arrival()
        for offer, phone in (("offer_1", "8001"), ("offer_2", "8999")):
            controller.offer(line["Channel"], phone, offer)
            over = controller.wait("UserEvent", UserEvent="OfferEnded", Offer=offer)
            assert over["Status"] == "CHANUNAVAIL"
        controller.offer(line["Channel"], "nobody", "offer_3")
        waits_with_music(controller, line, call)


def waits_with_music(ami: AmiProbe, line: Packet, call: OutgoingCall) -> None:
    eventually(lambda: where(ami, line["Uniqueid"]) == "hold", "the line stands in hold", 2)
    since = time.monotonic()
    eventually(lambda: call.ear.first_loud(since) is not None, "the citizen hears music", 2)
    assert call.state is CallState.TALKING


async def test_redirect_by_a_phone_is_never_followed(asterisk_node: AsteriskNode, controller: AmiProbe) -> None:
    stranger = SeatPhone(
        asterisk_node.sip, Account(await asterisk_node.provisioning.add(PhoneId("8002"), SECRET), SECRET)
    )
    bad = Manners(refuse=302, contact=f"sip:seat8002@{asterisk_node.sip[0]}:{asterisk_node.sip[1]}")
    with Citizen(asterisk_node.sip) as citizen, stranger, await seat(asterisk_node, manners=bad) as phone:
        call = citizen.talk("12345")
        line = controller.wait_arrival()
        for offer, contact in (("offer_1", bad.contact), ("offer_2", "sip:0085298765432@127.0.0.1:9")):
            phone.manners = Manners(refuse=302, contact=contact)
            controller.offer(line["Channel"], "8001", offer)
            over = controller.wait("UserEvent", UserEvent="OfferEnded", Offer=offer)
            assert over["Status"] != "ANSWER"
        waits_with_music(controller, line, call)
        assert stranger.calls == []
    made = {event["Channel"].rpartition("-")[0] for event in controller.find("Newchannel")}
    assert made == {"PJSIP/trunk", "PJSIP/seat8001"}


async def test_seat_dials_nothing_but_the_headset_test(asterisk_node: AsteriskNode, controller: AmiProbe) -> None:
    account = Account(await asterisk_node.provisioning.add(PhoneId("8001"), SECRET), SECRET)
    with Softphone(asterisk_node.sip, account=account) as phone:
        for number in ("12345", "110", "0085298765432", "13912345678", "seat8001", "8001", "s", "fallback"):
            refused = ended(phone.call(number))
            assert refused.ending is not None
            assert refused.ending.status == 404, number
        echo = phone.call("echo", source=Tone(SEAT_TONE))
        wait_hears(echo.ear, SEAT_TONE)
    assert controller.find("AsyncAGIStart") == []


async def test_seat_that_withdraws_by_hold_stops_ringing(asterisk_node: AsteriskNode, controller: AmiProbe) -> None:
    with Citizen(asterisk_node.sip) as citizen, await seat(asterisk_node, manners=Manners(answer_after=None)) as phone:
        call = citizen.talk("12345")
        line = controller.wait_arrival()
        controller.offer(line["Channel"], "8001", "offer_1", ring=30)
        ringing = phone.wait_rings()
        began = time.monotonic()
        controller.redirect(line["Channel"], "hold")
        ended(ringing, 2)
        assert time.monotonic() - began < 2  # some 20 ms on an idle machine
        waits_with_music(controller, line, call)


async def test_events_are_only_those_of_the_filter(asterisk_node: AsteriskNode, controller: AmiProbe) -> None:
    with Citizen(asterisk_node.sip) as citizen, await seat(asterisk_node) as phone:
        citizen.talk("12345").press("1")
        controller.wait("DTMFBegin")
        line = controller.wait_arrival()
        controller.offer(line["Channel"], "8001", "offer_1", str(asterisk_node.data / "tracks"))
        talk = phone.wait_talks()
        wait_hears(talk.ear, CITIZEN_TONE)  # a phone must not send BYE before it has the ACK of its answer
        talk.hang_up()
        controller.wait_arrival("after")
    controller.wait("Hangup", Uniqueid=line["Uniqueid"])
    seen = {event["Event"] for event in controller.events}
    assert seen <= set(AMI_EVENTS)
    assert {"MixMonitorStart", "MixMonitorStop", "DTMFBegin", "DialBegin", "BridgeEnter", "ContactStatus"} <= seen


def where(ami: AmiProbe, line: str) -> str:
    """The context in which a line stands."""
    before = len(ami.events)
    ami.action("CoreShowChannels")
    ami.wait("CoreShowChannelsComplete", count=len(ami.find("CoreShowChannelsComplete")) or 1)
    found = [event["Context"] for event in ami.events[before:] if event.get("Uniqueid") == line]
    return found[-1] if found else ""
