"""The switch when the connection, Asterisk or our own process fails, on a real Asterisk."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.clock import SystemClock
from telephony.errors import AsteriskUnreachable
from telephony.model import (
    Arrived,
    Bridged,
    Heard,
    LineGone,
    NodeDown,
    NodeUp,
    OfferEnded,
    OfferEndReason,
    Rang,
    ReturnedLine,
    SeatAnswered,
)
from telephony.softphone import CallState
from telephony.switch import AsteriskSwitch
from tests.asterisk_node import AsteriskNode
from tests.integration.telephony.switch_room import PHONE, PROMPT_HZ, SwitchRoom, switch_room
from tests.phones import Manners, ended, wait_hears

pytestmark = pytest.mark.integration

RINGS_ON = Manners(answer_after=None)


@pytest.fixture
async def room(asterisk_node: AsteriskNode, tmp_path: Path) -> AsyncIterator[SwitchRoom]:
    async with switch_room(asterisk_node, tmp_path / "tracks") as one:
        yield one


def reset(room: SwitchRoom) -> None:
    """Cut the connection as a network would."""
    assert room.switch.link.protocol is not None
    room.switch.link.protocol.transport.abort()


async def test_ten_resets_lose_and_double_no_call(room: SwitchRoom) -> None:
    with room.citizen() as citizen, await room.seat():
        calls = []
        for number in range(10):
            calls.append(await asyncio.to_thread(citizen.talk, "12329"))
            reset(room)
            calls.append(citizen.dial("12329"))
            began = time.monotonic()
            await room.wait(NodeUp, count=number + 2)
            assert time.monotonic() - began < 2
        await room.until(lambda: len(room.all(Arrived)) == 20, "20 arrivals", 15)
        lines = {fact.line for fact in room.all(Arrived)}
        assert len(lines) == 20
        await room.ring(next(iter(lines)), "offer_1")
        await room.wait(SeatAnswered)
        for call in calls:
            call.hang_up()
        for line in lines:
            await room.wait(LineGone, line=line)
        assert len(room.all(LineGone)) == 21  # twenty citizens and one seat
        assert len(room.all(NodeDown)) == 10


async def test_what_happened_while_the_connection_was_cut_is_told_afterwards(room: SwitchRoom) -> None:
    with room.citizen() as citizen, await room.seat(Manners(answer_after=0.3)) as phone:
        first, second = [await asyncio.to_thread(citizen.talk, "12329") for _ in range(2)]
        leaving = await room.arrived(1)
        staying = await room.arrived(2)
        await room.ring(staying, "offer_1")
        await room.wait(Rang)
        room.node.child.signal(signal.SIGSTOP)
        reset(room)
        room.node.child.signal(signal.SIGCONT)
        first.hang_up()
        await asyncio.to_thread(phone.wait_talks)
        await room.wait(LineGone, line=leaving)
        await room.wait(SeatAnswered, offer="offer_1")
        await room.wait(Bridged, line=staying)
        assert len(room.all(LineGone, line=leaving)) == len(room.all(SeatAnswered)) == 1
        assert second.state is CallState.TALKING


async def test_a_prompt_that_plays_when_the_connection_goes_fails_and_can_be_asked_again(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        playing = asyncio.create_task(room.switch.play(line, [room.prompt("long", 3)]))
        await asyncio.to_thread(wait_hears, call.ear, PROMPT_HZ)
        reset(room)
        with pytest.raises(AsteriskUnreachable):
            await playing
        await room.wait(NodeUp, count=2)
        assert (await room.switch.play(line, [room.prompt("short", 0.2)])).heard is Heard.SILENCE
        assert len(room.all(Arrived)) == 1


async def test_an_asterisk_that_stops_is_noticed_in_five_seconds_and_found_again(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        room.node.child.signal(signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(AsteriskUnreachable):
            await room.switch.hold(line)
        await room.wait(NodeDown, 6)
        assert time.monotonic() - began < 5.5
        with pytest.raises(AsteriskUnreachable):
            await room.switch.hold(line)
        room.node.child.signal(signal.SIGCONT)
        await room.wait(NodeUp, 15, count=2)
        await room.switch.hold(line)
        assert len(room.all(Arrived)) == 1
        assert call.state is CallState.TALKING


async def the_next_second() -> None:
    began = int(time.time())
    async with asyncio.timeout(3):
        while int(time.time()) == began:  # noqa: ASYNC110 - the clock that Asterisk reads
            await asyncio.sleep(0.02)


async def test_an_asterisk_that_dies_ends_its_lines_and_its_successor_is_another(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        began = time.monotonic()
        room.node.kill()
        await room.wait(NodeDown)
        assert time.monotonic() - began < 1
        await the_next_second()  # Asterisk names its start, and its channels, to the second
        await asyncio.to_thread(room.node.start)
        up = await room.wait(NodeUp, 10, count=2)
        await room.wait(LineGone, line=line)
        assert up.booted != room.all(NodeUp)[0].booted
    with room.citizen() as citizen:
        citizen.dial("12329")
        assert (await room.wait(Arrived, count=2)).line != line


async def test_a_wrong_secret_is_a_clear_problem(asterisk_node: AsteriskNode) -> None:
    wrong = replace(asterisk_node.ami, secret="not-the-secret")
    async with AsteriskSwitch(wrong, SystemClock()) as switch:
        async with asyncio.timeout(5):
            while "refuses the account" not in switch.problem:  # noqa: ASYNC110 - a plain attribute
                await asyncio.sleep(0.02)
        assert "not-the-secret" not in switch.problem
        with pytest.raises(AsteriskUnreachable):
            await switch.snapshot()


async def test_our_next_process_finds_who_waits_rings_talks_and_listens(
    asterisk_node: AsteriskNode, tmp_path: Path
) -> None:
    async with switch_room(asterisk_node, tmp_path / "tracks") as room:
        citizens = room.citizen()
        talker, ringer = await room.seat(), await room.seat(RINGS_ON, "8002")
        with citizens, talker, ringer:
            calls = [await asyncio.to_thread(citizens.talk, "12329") for _ in range(4)]
            listening, waiting, ringing, talking = [await room.arrived(count) for count in (1, 2, 3, 4)]
            await room.switch.hold(waiting)
            await room.ring(talking, "offer_talk")
            await room.ring(ringing, "offer_ring", "8002", 30)
            await room.wait(Rang, offer="offer_ring")
            await room.wait(Bridged, line=talking)
            await room.switch.close()
            async with switch_room(asterisk_node, tmp_path / "tracks") as after:
                seen = {one.line: one for one in (await after.switch.snapshot()).lines}
                assert {seen[one].place for one in (ringing, talking)} == {"connect"}
                assert (seen[waiting].place, seen[listening].place) == ("hold", "arrive")
                assert seen[talking].offer == "offer_talk"
                assert {fact.line for fact in after.all(Arrived)} == {listening, waiting, ringing, talking}
                assert {fact.dialled for fact in after.all(Arrived)} == {"12329"}
                assert [fact.offer for fact in after.all(SeatAnswered)] == ["offer_talk"]
                assert [fact.offer for fact in after.all(Rang)] == ["offer_ring"]
                assert {fact.line for fact in after.all(ReturnedLine)} == {waiting}
                assert (await after.switch.play(listening, [room.prompt("short", 0.2)])).heard is Heard.SILENCE
                talker.call.hang_up()
                assert (await after.wait(OfferEnded, offer="offer_talk")).reason is OfferEndReason.TALKED
                await after.wait(ReturnedLine, line=talking, place="after")
                await after.switch.hold(ringing)
                assert (await after.wait(OfferEnded, offer="offer_ring")).reason is OfferEndReason.CANCELLED
                for call in calls:
                    assert call.state is CallState.TALKING
                    call.hang_up()
                    await asyncio.to_thread(ended, call)


async def test_a_caller_whom_the_fallback_took_returns_when_we_do(asterisk_node: AsteriskNode, tmp_path: Path) -> None:
    async with switch_room(asterisk_node, tmp_path / "early") as room:
        await room.switch.close()
    with room.citizen() as citizen:
        await asyncio.to_thread(citizen.talk, "12329", timeout=15.0)
        async with switch_room(asterisk_node, tmp_path / "tracks") as after:
            line = await after.arrived()
            place = (await after.wait(ReturnedLine, line=line)).place if after.all(ReturnedLine) else "arrive"
            assert place in ("arrive", "fallback")
            await after.switch.hold(line)
            await after.placed(line, "hold")


async def test_a_lost_hangup_is_made_up_for_by_the_next_look_around(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        room.switch.link.names -= {b"Hangup"}  # as if the event had been lost on the way
        call.hang_up()
        fact = await room.wait(LineGone, 5, line=line)
        assert fact.cause == 0


async def test_a_flood_of_calls_that_all_leave_at_once_leaves_nothing_behind(room: SwitchRoom) -> None:
    with room.citizen() as citizen:
        calls = [citizen.dial("12329") for _ in range(40)]
        await room.until(lambda: len(room.all(Arrived)) == 40, "40 arrivals", 15)
        lines = [fact.line for fact in room.all(Arrived)]
        collecting = [
            asyncio.create_task(
                room.switch.collect(line, [room.prompt("one", 5)], max_keys=1, timeout=timedelta(seconds=1))
            )
            for line in lines
        ]
        for call in calls:
            call.hang_up()
        assert {one.heard for one in await asyncio.gather(*collecting)} == {Heard.GONE}
        await room.until(lambda: len(room.all(LineGone)) == 40, "40 ends")
        await room.lives(lambda lines: lines == (), "no line is left")
        await room.seat(phone=PHONE)
