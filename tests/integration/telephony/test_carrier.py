"""Somebody outside, through the carrier, on a real Asterisk: in the room as a seat is, never by way of a redirect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from telephony.model import Admitted, LegAnswered, LegFailed, LineGone, LineId, OfferEndReason, Placed, SeatAnswered
from telephony.softphone import Call
from tests.asterisk_node import AsteriskNode, free_udp_port
from tests.integration.telephony.switch_room import PROMPT_HZ, SwitchRoom, switch_room
from tests.phones import CITIZEN_TONE, EXPERT_TONE, SEAT_TONE, Carrier, Manners, ended, eventually, wait_hears

pytestmark = pytest.mark.integration

ROOM, OUTSIDE, SECOND = "room_call_1", LineId("leg_outside"), LineId("leg_second")
OFFICE, ELSEWHERE = "07176251234", "00441632960000"


class Three:
    """A citizen and an operator who talk, on a node with a carrier."""

    def __init__(self, room: SwitchRoom, carrier: Carrier) -> None:
        self.room, self.carrier = room, carrier
        self.line = self.seat_line = LineId("")

    async def dial(self, leg: LineId = OUTSIDE, ring_s: float = 15) -> None:
        number = Admitted(digits=OFFICE, longest=timedelta(hours=1))
        ring = timedelta(seconds=ring_s)
        await self.room.switch.rooms.dial_out(ROOM, leg, number=number, ring=ring, track_folder=str(self.room.folder))

    async def hear(self, call: Call, tone: float) -> None:
        await asyncio.to_thread(wait_hears, call.ear, tone, 20)


@pytest.fixture
async def three(asterisk_nodes: object, tmp_path: Path) -> AsyncIterator[Three]:
    port = free_udp_port()
    node = asterisk_nodes(trunk_host=f"127.0.0.1:{port}", trunk_user="us", trunk_secret="of-tests")  # type: ignore[operator]
    assert isinstance(node, AsteriskNode)
    async with switch_room(node, tmp_path / "tracks") as room:
        with ExitStack() as stack:
            yield Three(room, stack.enter_context(Carrier(node.sip, sip_port=port)))


async def test_somebody_outside_talks_in_the_room_on_a_track_of_his_own(three: Three) -> None:
    room = three.room
    with await room.seat(), room.citizen() as phone:
        citizen = await asyncio.to_thread(phone.talk, "12345")
        line = await room.arrived()
        await room.switch.hold(line)
        await room.ring(line, "offer_1")
        seat_line = (await room.wait(SeatAnswered)).seat_line
        await three.hear(citizen, SEAT_TONE)
        await room.switch.rooms.place(ROOM, [Placed(line=line, citizen=True), Placed(line=seat_line)])
        await three.dial()
        await room.wait(LegAnswered, leg=OUTSIDE)
        outside = await asyncio.to_thread(three.carrier.wait_talks, OFFICE)
        for tone in (CITIZEN_TONE, SEAT_TONE):
            await three.hear(outside, tone)
        await three.hear(citizen, EXPERT_TONE)
        assert "12345" in outside.invitation.value("From"), "the citizen's number stays here"
        assert "13912345678" not in str(outside.invitation.headers), "the citizen's number stays here"
        track = room.folder / f"{OUTSIDE}.sln"
        await asyncio.to_thread(eventually, lambda: track.is_file() and track.stat().st_size > 8000, "its track", 20)
        outside.hang_up()
        await room.wait(LineGone, line=OUTSIDE)
        citizen.hang_up()


async def test_a_redirect_is_a_refusal_and_is_not_followed(three: Three) -> None:
    contact = f"sip:{ELSEWHERE}@127.0.0.1:{three.carrier.phone.sip_port}"
    three.carrier.manners[OFFICE] = Manners(refuse=302, contact=contact)
    await three.dial()
    failed = await three.room.wait(LegFailed, leg=OUTSIDE)
    assert failed.reason in (OfferEndReason.REJECTED, OfferEndReason.UNREACHABLE)
    three.carrier.manners[OFFICE] = Manners(refuse=486)
    await three.dial(SECOND)
    assert (await three.room.wait(LegFailed, leg=SECOND)).reason is OfferEndReason.BUSY
    assert three.carrier.numbers() == [OFFICE, OFFICE], "nothing else was dialled meanwhile"
    assert (await three.room.switch.snapshot()).lines == ()


async def test_a_call_that_is_taken_back_stops_ringing(three: Three) -> None:
    three.carrier.manners[OFFICE] = Manners(answer_after=None)
    await three.dial()
    call = await asyncio.to_thread(three.carrier.wait_rings, OFFICE)
    await three.room.switch.rooms.cancel(OUTSIDE)
    assert (await three.room.wait(LegFailed, leg=OUTSIDE)).reason is OfferEndReason.CANCELLED
    await asyncio.to_thread(ended, call, 20)


async def test_an_announcement_is_heard_by_all_and_is_on_a_track_of_its_own(three: Three) -> None:
    room = three.room
    with await room.seat(), room.citizen() as phone:
        citizen = await asyncio.to_thread(phone.talk, "12345")
        line = await room.arrived()
        await room.switch.hold(line)
        await room.ring(line, "offer_1")
        answered = await room.wait(SeatAnswered)
        await three.hear(citizen, SEAT_TONE)
        await room.switch.rooms.place(
            ROOM, [Placed(line=line, citizen=True), Placed(line=answered.seat_line)]
        )  # fmt: skip
        await room.placed(line, "room-citizen")
        said = LineId("leg_said")
        prompt = room.prompt("said", 2.0)
        await room.switch.rooms.announce(ROOM, said, prompt=prompt, track_folder=str(room.folder))
        await three.hear(citizen, PROMPT_HZ)
        await three.hear(citizen, SEAT_TONE)
        track = room.folder / f"{said}.sln"
        await asyncio.to_thread(eventually, lambda: track.is_file() and track.stat().st_size > 16000, "its track", 20)
        citizen.hang_up()
