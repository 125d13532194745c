"""The switch on a real Asterisk: prompts, offers and their ends, tracks, snapshots."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.errors import BadInput
from telephony.errors import LineGoneError
from telephony.model import (
    Arrived,
    Bridged,
    Collected,
    Heard,
    KeyPressed,
    LineGone,
    LineId,
    OfferEnded,
    OfferEndReason,
    PhoneChanged,
    PhoneId,
    Rang,
    ReturnedLine,
    SeatAnswered,
    TrackStarted,
    TrackStopped,
)
from telephony.softphone import CallState, diversion
from tests.asterisk_node import AsteriskNode
from tests.integration.telephony.switch_room import PHONE, PROMPT_HZ, SwitchRoom, switch_room
from tests.phones import CITIZEN_TONE, SEAT_TONE, Manners, ended, eventually, hears, wait_hears

pytestmark = pytest.mark.integration

SECOND = timedelta(seconds=1)
RINGS_ON = Manners(answer_after=None)


@pytest.fixture
async def room(asterisk_node: AsteriskNode, tmp_path: Path) -> AsyncIterator[SwitchRoom]:
    async with switch_room(asterisk_node, tmp_path / "tracks") as one:
        yield one


async def test_an_arriving_call_tells_all_its_numbers(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        citizen.dial("12329", headers=[diversion("071712366")])
        fact = await room.wait(Arrived)
    assert (fact.dialled, fact.called, fact.caller) == ("12329", "12329", citizen.number)
    assert fact.diverted_from == ("071712366",)
    await room.wait(LineGone, line=fact.line)


async def test_the_account_and_the_modules_of_our_own_configuration_pass_the_check(room: SwitchRoom) -> None:
    assert await room.switch.check() == ()


async def test_a_key_during_the_first_of_two_prompts_stops_everything_and_counts(room: SwitchRoom) -> None:
    prompts = [room.prompt("one", 3), room.prompt("two", 3)]
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        collecting = asyncio.create_task(room.switch.collect(line, prompts, max_keys=1, timeout=SECOND))
        await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
        began = time.monotonic()
        call.press("7")
        assert await collecting == Collected(Heard.KEYS, "7")
        assert time.monotonic() - began < 2, "the prompts last six seconds"
        await asyncio.to_thread(eventually, lambda: call.ear.quiet_for(time.monotonic()) > 0.1, "silence", 1.0)


async def test_keys_after_the_first_are_collected_until_there_are_enough_or_a_hash(room: SwitchRoom) -> None:
    prompts = [room.prompt("one", 2), room.prompt("two", 2)]
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        for keys, most, expected in (("4711", 4, "4711"), ("12#", 6, "12")):
            collecting = asyncio.create_task(room.switch.collect(line, prompts[:1], max_keys=most, timeout=2 * SECOND))
            await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
            await asyncio.to_thread(call.press, keys)
            assert await collecting == Collected(Heard.KEYS, expected)


async def test_too_few_keys_are_silence_with_what_there_was(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        collecting = asyncio.create_task(
            room.switch.collect(line, [room.prompt("one", 1)], max_keys=4, timeout=0.8 * SECOND)
        )
        await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
        call.press("12")
        assert await collecting == Collected(Heard.SILENCE, "12")


async def test_silence_takes_the_prompts_and_the_time_out(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        began = time.monotonic()
        heard = await room.switch.collect(
            line, [room.prompt("one", 0.5), room.prompt("two", 0.5)], max_keys=1, timeout=0.5 * SECOND
        )
        assert heard == Collected(Heard.SILENCE)
        assert 1.4 < time.monotonic() - began < 4


async def test_keys_typed_ahead_of_two_questions_answer_each_once(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        notice, menu = [room.prompt("notice", 1.5)], [room.prompt("menu", 3)]
        playing = asyncio.create_task(room.switch.play(line, notice))
        await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
        call.press("12")
        assert await playing == Collected(Heard.KEYS, "12")
        asking = asyncio.create_task(room.switch.collect(line, menu, max_keys=1, timeout=SECOND))
        await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
        call.press("3")
        assert await asking == Collected(Heard.KEYS, "3")
        assert await room.switch.collect(line, [], max_keys=1, timeout=SECOND) == Collected(Heard.SILENCE)


async def test_a_key_cuts_what_may_be_cut(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        began = time.monotonic()
        playing = asyncio.create_task(room.switch.play(line, [room.prompt("brand", 10)], cut=True))
        await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
        call.press("4")
        assert await playing == Collected(Heard.KEYS, "4")
        assert time.monotonic() - began < 5


async def test_keys_in_a_talk_are_nobodys_answer_afterwards(room: SwitchRoom) -> None:
    with room.citizen() as citizen, await room.seat() as phone:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.switch.hold(line)
        await talking(room, line)
        await asyncio.to_thread(wait_hears, call.ear, SEAT_TONE)
        await asyncio.to_thread(call.press, "6228")
        await room.wait(KeyPressed, line=line, count=4)
        await asyncio.sleep(0.5)  # the last key is let go
        phone.call.hang_up()
        await room.wait(ReturnedLine, line=line, place="after")
        assert await room.switch.collect(line, [], max_keys=4, timeout=SECOND) == Collected(Heard.SILENCE)


async def test_keys_do_not_stop_an_announcement(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        began = time.monotonic()
        playing = asyncio.create_task(room.switch.play(line, [room.prompt("one", 0.6), room.prompt("two", 0.6)]))
        await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
        call.press("1")
        assert await playing == Collected(Heard.KEYS, "1")
        assert time.monotonic() - began > 1.1


async def test_a_missing_prompt_is_told_and_the_call_goes_on(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        missing = str(room.folder / "not recorded yet")
        assert (await room.switch.play(line, [missing])).heard is Heard.FAILED
        assert (await room.switch.collect(line, [missing], max_keys=1, timeout=SECOND)).heard is Heard.FAILED
        assert (await room.switch.play(line, [room.prompt("one", 0.3)])).heard is Heard.SILENCE
        assert call.state is CallState.TALKING


async def test_a_prompts_name_that_could_be_an_option_is_refused(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        for name in ("/x,y", '/x"y', "/x&/y", "/x\r\ny"):
            with pytest.raises(BadInput):
                await room.switch.play(line, [name])


async def test_who_hangs_up_in_the_prompt_is_gone(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        for number, ask in enumerate(("play", "collect"), start=1):
            call = await asyncio.to_thread(citizen.talk, "12329")
            line = await room.arrived(number)
            prompts = [room.prompt("long", 20)]
            work = (
                room.switch.play(line, prompts)
                if ask == "play"
                else room.switch.collect(line, prompts, max_keys=1, timeout=SECOND)
            )
            running = asyncio.create_task(work)
            await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
            began = time.monotonic()
            call.hang_up()
            assert (await running).heard is Heard.GONE
            assert time.monotonic() - began < 3, "the prompt lasts twenty seconds"
            await room.wait(LineGone, line=line)
            with pytest.raises(LineGoneError):
                await room.switch.hold(line)
            await room.switch.hang_up(line)


async def test_the_lease_is_extended_while_we_hold_a_line(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        heard = await room.switch.play(line, [room.prompt("long", 18)])
        assert heard == Collected(Heard.SILENCE)
        assert call.state is CallState.TALKING
        assert (await room.switch.snapshot()).lines[0].place == "arrive"


async def talking(room: SwitchRoom, line: LineId, offer: str = "offer_1") -> SeatAnswered:
    await room.ring(line, offer)
    fact = await room.wait(SeatAnswered, offer=offer)
    await room.wait(Bridged, line=line)
    await room.wait(Bridged, line=fact.seat_line)
    return fact


async def test_an_offer_connects_records_and_comes_back_after_the_talk(room: SwitchRoom) -> None:
    with room.citizen() as citizen, await room.seat() as phone:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.switch.hold(line)
        answered = await talking(room, line)
        await asyncio.to_thread(wait_hears, call.ear, SEAT_TONE)
        await asyncio.to_thread(wait_hears, phone.call.ear, CITIZEN_TONE)
        call.press("5")
        await room.wait(KeyPressed, line=line)
        await room.switch.mute_recording(line, muted=True)
        await room.switch.mute_recording(line, muted=False)
        tracks = [room.folder / f"{one}.sln" for one in (line, answered.seat_line)]
        await room.until(lambda: all(track.exists() and track.stat().st_size > 8000 for track in tracks), "both tracks")
        lines = {one.line: one for one in (await room.switch.snapshot()).lines}
        assert lines[line].bridge == lines[answered.seat_line].bridge != ""
        assert (lines[line].place, lines[line].offer, lines[line].dialled) == ("connect", "offer_1", "12329")
        assert (lines[answered.seat_line].phone, lines[answered.seat_line].place) == (PHONE, "seat")
        phone.call.hang_up()
        over = await room.wait(OfferEnded, offer="offer_1")
        await room.wait(ReturnedLine, line=line, place="after")
        assert over.reason is OfferEndReason.TALKED
        assert (await room.switch.play(line, [room.prompt("bye", 0.3)])).heard is Heard.SILENCE
        await room.switch.hang_up(line)
        await room.wait(LineGone, line=line)
        await asyncio.to_thread(ended, call)
    for one in (line, answered.seat_line):
        await room.wait(TrackStarted, line=one)
        await room.wait(TrackStopped, line=one)
    kinds = [type(fact) for fact in room.facts if not isinstance(fact, PhoneChanged)]
    assert kinds.index(Rang) < kinds.index(SeatAnswered) < kinds.index(Bridged) < kinds.index(OfferEnded)


@pytest.mark.parametrize(
    ("manners", "reason"),
    [
        (Manners(refuse=486), OfferEndReason.BUSY),
        (Manners(refuse=603), OfferEndReason.REJECTED),
        (Manners(refuse=480), OfferEndReason.REJECTED),
        (Manners(refuse=302, contact="sip:13900001111@127.0.0.1:9"), OfferEndReason.REJECTED),
        (Manners(refuse=404), OfferEndReason.UNREACHABLE),
        (Manners(refuse=503), OfferEndReason.UNREACHABLE),
        (RINGS_ON, OfferEndReason.NO_ANSWER),
    ],
)
async def test_a_seat_that_does_not_take_the_offer(room: SwitchRoom, manners: Manners, reason: OfferEndReason) -> None:
    with room.citizen() as citizen, await room.seat(manners):
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.ring(line, "offer_1", ring_s=1)
        assert (await room.wait(OfferEnded)).reason is reason
        assert len(room.all(OfferEnded)) == 1
        await room.placed(line, "hold")
        await room.ring(line, "offer_2", "8009")  # nobody has this phone
        over = await room.wait(OfferEnded, offer="offer_2")
        assert over.reason is OfferEndReason.UNREACHABLE
        assert call.state is CallState.TALKING


async def test_a_refusal_of_an_earlier_offer_does_not_colour_the_next(room: SwitchRoom) -> None:
    with room.citizen() as citizen, await room.seat(Manners(refuse=480)) as phone:
        await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.ring(line, "offer_1", ring_s=1)
        assert (await room.wait(OfferEnded, offer="offer_1")).reason is OfferEndReason.REJECTED
        phone.manners = RINGS_ON
        await room.ring(line, "offer_2", ring_s=1)
        assert (await room.wait(OfferEnded, offer="offer_2")).reason is OfferEndReason.NO_ANSWER


async def test_the_seat_stops_ringing_within_a_tenth_of_a_second_when_the_citizen_leaves(room: SwitchRoom) -> None:
    took: list[float] = []
    with room.citizen() as citizen, await room.seat(RINGS_ON) as phone:
        for number in range(1, 4):  # three times: a machine that others use may be late once
            call = await asyncio.to_thread(citizen.talk, "12329")
            line = await room.arrived(number)
            await room.ring(line, f"offer_{number}")
            ringing = await asyncio.to_thread(phone.wait_rings, number)
            await room.wait(Rang, offer=f"offer_{number}")
            began = time.monotonic()
            call.hang_up()
            await asyncio.to_thread(ended, ringing, 2.0)
            took.append(time.monotonic() - began)
            assert (await room.wait(OfferEnded, offer=f"offer_{number}")).reason is OfferEndReason.CANCELLED
            await room.wait(LineGone, line=line)
    assert min(took) < 0.1, took


async def test_a_withdrawn_offer_stops_ringing_and_the_citizen_waits_on(room: SwitchRoom) -> None:
    with room.citizen() as citizen, await room.seat(RINGS_ON) as phone:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.ring(line, "offer_1")
        ringing = await asyncio.to_thread(phone.wait_rings)
        await room.switch.hold(line)
        await asyncio.to_thread(ended, ringing, 1.0)
        assert (await room.wait(OfferEnded)).reason is OfferEndReason.CANCELLED
        await room.placed(line, "hold")
        assert call.state is CallState.TALKING


async def test_an_offer_withdrawn_in_the_same_breath_ends_once_whatever_happened(room: SwitchRoom) -> None:
    with room.citizen() as citizen, await room.seat() as phone:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        for number in range(10):
            await room.ring(line, f"offer_{number}")
            await asyncio.sleep(number * 0.004)  # from before the INVITE to after the answer
            await room.switch.hold(line)
            await room.wait(OfferEnded, offer=f"offer_{number}")
        assert len(room.all(OfferEnded)) == 10
        assert call.state is CallState.TALKING
        await room.lives(lambda lines: [(one.line, one.place) for one in lines] == [(line, "hold")], "music alone")
        await asyncio.to_thread(eventually, lambda: all(c.state is CallState.ENDED for c in phone.calls), "all stop")


async def test_an_offer_for_a_citizen_who_has_just_left_is_line_gone(room: SwitchRoom) -> None:
    with room.citizen() as citizen, await room.seat() as phone:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.switch.hang_up(line)
        with pytest.raises(LineGoneError):
            await room.ring(line, "offer_1")
        await room.wait(LineGone, line=line)
        await asyncio.to_thread(ended, call)
        assert phone.calls == []


async def test_a_strange_offer_is_refused_before_anything_is_sent(room: SwitchRoom) -> None:
    with pytest.raises(BadInput) as refused:
        await room.switch.offer(
            LineId("1.1"), offers={"o;1": PhoneId("8001&SIP/x")}, ring=SECOND, track_folder="relative,touch"
        )
    assert len(refused.value.problems) == 3


async def test_a_phone_that_registers_and_leaves_is_told(room: SwitchRoom) -> None:
    with await room.seat():
        await room.wait(PhoneChanged, phone=PHONE, reachable=True)
        assert (await room.switch.snapshot()).reachable == {PHONE}
    await room.wait(PhoneChanged, phone=PHONE, reachable=False)


async def test_from_the_offer_to_the_ringing_phone_it_takes_milliseconds(room: SwitchRoom) -> None:
    took: list[float] = []
    with room.citizen() as citizen, await room.seat(RINGS_ON) as phone:
        await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.switch.hold(line)
        for number in range(15):
            began = time.monotonic()
            await room.ring(line, f"offer_{number}")
            await asyncio.to_thread(phone.wait_rings, number + 1)
            took.append(phone.rang_at[-1] - began)
            await room.switch.hold(line)
            await room.wait(OfferEnded, offer=f"offer_{number}")
    median = sorted(took)[len(took) // 2]
    assert median < 0.03, f"median {median * 1000:.1f} ms of {[round(one * 1000, 1) for one in took]}"


async def test_music_is_heard_while_waiting_and_a_prompt_can_interrupt_it(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.switch.hold(line)
        await asyncio.to_thread(eventually, lambda: call.ear.quiet_for(time.monotonic()) < 0.1, "music", 3.0)
        assert not hears(call.ear, PROMPT_HZ)
        prompts = [room.prompt("one", 1)]
        collecting = asyncio.create_task(room.switch.collect(line, prompts, max_keys=1, timeout=0.3 * SECOND))
        await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
        assert await collecting == Collected(Heard.SILENCE)
        assert room.all(ReturnedLine) == []
