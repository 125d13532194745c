"""The next call at a phone whose last one is just ending, on a real Asterisk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.errors import LineGoneError
from telephony.model import LineGone, LineId, Rang, SeatAnswered
from tests.asterisk_node import AsteriskNode
from tests.integration.telephony.switch_room import SwitchRoom, switch_room
from tests.phones import Citizen, Manners

pytestmark = pytest.mark.integration


@pytest.fixture
async def room(asterisk_node: AsteriskNode, tmp_path: Path) -> AsyncIterator[SwitchRoom]:
    async with switch_room(asterisk_node, tmp_path / "tracks") as one:
        yield one


async def test_a_phone_rings_for_the_next_only_when_it_is_rid_of_the_last(
    room: SwitchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The citizen's line is often gone some time before the seat's: a phone that is rung then has two calls."""
    monkeypatch.setattr("telephony.switch.CLOSING_S", 60.0)
    with room.citizen() as first, room.citizen() as second, await room.seat():
        answered, line = await one_talks_one_waits(room, first, second)
        offering = asyncio.create_task(room.ring(line, "offer_2", ring_s=20))
        await room.placed(line, "hold")
        assert not offering.done()
        await room.switch.hang_up(answered.line)
        await offering
        rang = await room.wait(Rang, offer="offer_2")
        gone = await room.wait(LineGone, line=answered.seat_line)
        assert room.facts.index(gone) < room.facts.index(rang)


async def test_a_line_that_stays_does_not_keep_the_next_waiting_for_ever(
    room: SwitchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.switch.CLOSING_S", 0.05)
    with room.citizen() as first, room.citizen() as second, await room.seat() as phone:
        _, line = await one_talks_one_waits(room, first, second)
        phone.manners = Manners(answer_after=None)
        await room.ring(line, "offer_2", ring_s=20)
        await room.wait(Rang, offer="offer_2")


async def test_who_leaves_while_the_phone_is_being_rid_of_its_last_call_is_line_gone(
    room: SwitchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.switch.CLOSING_S", 60.0)
    with room.citizen() as first, room.citizen() as second, await room.seat():
        answered, line = await one_talks_one_waits(room, first, second)
        offering = asyncio.create_task(room.ring(line, "offer_2"))
        await room.placed(line, "hold")
        await room.switch.hang_up(line)
        await room.wait(LineGone, line=line)
        await room.switch.hang_up(answered.line)
        with pytest.raises(LineGoneError):
            await offering
        await room.wait(LineGone, line=answered.seat_line)


async def one_talks_one_waits(room: SwitchRoom, first: Citizen, second: Citizen) -> tuple[SeatAnswered, LineId]:
    """Who talks with the seat, and the line of who waits with music."""
    await asyncio.to_thread(first.talk, "12329")
    await room.ring(await room.arrived(1), "offer_1")
    answered = await room.wait(SeatAnswered, offer="offer_1")
    await asyncio.to_thread(second.talk, "12329")
    line = await room.arrived(2)
    await room.switch.hold(line)
    await room.placed(line, "hold")
    return answered, line
