"""Several phones that ring for one line on a real Asterisk: one answers, some refuse, all do, none is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from telephony.model import LineId, OfferEnded, OfferEndReason, PhoneChanged, PhoneId, Rang, SeatAnswered
from telephony.softphone import CallState, OutgoingCall
from tests.asterisk_node import AsteriskNode
from tests.integration.telephony.switch_room import SwitchRoom, switch_room
from tests.phones import Manners, SeatPhone, ended

pytestmark = pytest.mark.integration

RINGS_ON = Manners(answer_after=None)
OFFERS = {"offer_1": PhoneId("8001"), "offer_2": PhoneId("8002"), "offer_3": PhoneId("8003")}


class Several:
    """A citizen who waits, and three phones that ring on."""

    def __init__(self, room: SwitchRoom, line: LineId, citizen: OutgoingCall, phones: list[SeatPhone]) -> None:
        self.room, self.line, self.citizen, self.phones = room, line, citizen, phones

    async def ring(self, offers: dict[str, PhoneId] = OFFERS, ring_s: float = 20) -> None:
        await self.room.switch.offer(
            self.line, offers=offers, ring=timedelta(seconds=ring_s), track_folder=str(self.room.folder)
        )

    async def all_ring(self) -> None:
        await self.ring()
        for offer in OFFERS:
            await self.room.wait(Rang, offer=offer)
        for phone in self.phones:
            await asyncio.to_thread(phone.wait_rings)

    async def over(self, **reasons: OfferEndReason) -> None:
        for offer, reason in reasons.items():
            assert (await self.room.wait(OfferEnded, offer=offer)).reason is reason, offer
        assert len(self.room.all(OfferEnded)) == len(reasons), "each ends once"


@pytest.fixture
async def several(asterisk_node: AsteriskNode, tmp_path: Path) -> AsyncIterator[Several]:
    async with switch_room(asterisk_node, tmp_path / "tracks") as room, AsyncExitStack() as stack:
        phones = [stack.enter_context(await room.seat(RINGS_ON, phone)) for phone in OFFERS.values()]
        for phone in OFFERS.values():
            await room.wait(PhoneChanged, phone=phone, reachable=True)
        citizen = stack.enter_context(room.citizen())
        call = await asyncio.to_thread(citizen.talk, "12329")
        line = await room.arrived()
        await room.switch.hold(line)
        yield Several(room, line, call, phones)


async def test_who_refuses_is_told_at_once_while_the_others_ring_on(several: Several) -> None:
    several.phones[0].manners = Manners(refuse=486)
    several.phones[2].manners = Manners(refuse=603)
    await several.ring()
    await several.over(offer_1=OfferEndReason.BUSY, offer_3=OfferEndReason.REJECTED)
    await asyncio.to_thread(several.phones[1].wait_rings)
    several.phones[1].call.answer()
    assert (await several.room.wait(SeatAnswered)).offer == "offer_2"


async def test_when_all_refuse_each_is_told_with_its_reason_and_the_citizen_hears_music(several: Several) -> None:
    for phone, code in zip(several.phones, (486, 603, 480), strict=True):
        phone.manners = Manners(refuse=code)
    await several.ring()
    rejected = OfferEndReason.REJECTED
    await several.over(offer_1=OfferEndReason.BUSY, offer_2=rejected, offer_3=rejected)
    await several.room.placed(several.line, "hold")


async def test_a_time_that_is_up_is_told_of_all_and_a_phone_that_is_not_there_is_unreachable(several: Several) -> None:
    await several.ring({"offer_1": PhoneId("8001"), "offer_2": PhoneId("8999"), "offer_3": PhoneId("8003")}, ring_s=2)
    silent = OfferEndReason.NO_ANSWER
    await several.over(offer_1=silent, offer_2=OfferEndReason.UNREACHABLE, offer_3=silent)
    await several.room.placed(several.line, "hold")


async def test_one_that_is_taken_back_stops_and_the_others_ring_on(several: Several) -> None:
    await several.all_ring()
    await several.room.switch.withdraw("offer_1")
    await asyncio.to_thread(ended, several.phones[0].call)
    await several.over(offer_1=OfferEndReason.CANCELLED)
    several.phones[2].call.answer()
    assert (await several.room.wait(SeatAnswered)).offer == "offer_3"
    assert several.citizen.state is CallState.TALKING


async def test_a_new_process_knows_which_of_them_ring_and_who_answers(several: Several) -> None:
    await several.all_ring()
    async with switch_room(several.room.node, several.room.folder) as after:
        for offer in OFFERS:
            await after.wait(Rang, offer=offer)
        several.phones[0].call.reject(486)
        assert (await after.wait(OfferEnded, offer="offer_1")).reason is OfferEndReason.BUSY
        several.phones[1].call.answer()
        assert (await after.wait(SeatAnswered)).offer == "offer_2"
        assert (await after.wait(OfferEnded, offer="offer_3")).reason is OfferEndReason.CANCELLED
