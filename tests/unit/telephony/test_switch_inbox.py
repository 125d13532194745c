"""In which order the switch takes in what its connection tells."""

import asyncio

import pytest

from hotline.clock import SystemClock
from hotline.tasks import Tasks
from telephony.ami import LinkDown
from telephony.amiwire import Message
from telephony.endpoint import AmiEndpoint
from telephony.model import Arrived, LineGone, LineId, NodeDown, SwitchFact
from telephony.switch import AsteriskSwitch

pytestmark = pytest.mark.unit

LINE = LineId("h-1.1")
COMES: Message = {
    "Event": "AsyncAGIStart", "Uniqueid": LINE, "Channel": "PJSIP/trunk-1", "Exten": "12345", "Context": "arrive",
    "Env": "agi_dnid%3A%2012345%0Aagi_arg_1%3A%20arrive",
}  # fmt: skip
GOES: Message = {"Event": "Hangup", "Uniqueid": LINE, "Channel": "PJSIP/trunk-1", "Cause": "16"}


def nowhere() -> AmiEndpoint:
    raise OSError("there is none")


class Read:
    """A switch whose reader runs, but not its connection."""

    def __init__(self) -> None:
        self.switch = AsteriskSwitch(nowhere, SystemClock())
        self.tasks = Tasks("test")

    async def __aenter__(self) -> "Read":
        self.tasks.keep(self.switch._read, "read", 0.0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.tasks.close()

    def hear(self, message: Message | LinkDown) -> None:
        self.switch._hear(message)

    async def told(self, count: int) -> list[SwitchFact]:
        facts: list[SwitchFact] = []
        async with asyncio.timeout(20):
            async for fact in self.switch.facts():
                facts.append(fact)
                if len(facts) == count:
                    break
        return facts


async def test_an_event_is_understood_at_once_when_nothing_waits_before_it() -> None:
    async with Read() as read:
        read.hear(COMES)
        assert read.switch.agi.holds(LINE), "without a turn of the loop"
        (arrived,) = await read.told(1)
        assert isinstance(arrived, Arrived)


async def test_an_event_that_follows_a_lost_connection_does_not_overtake_it() -> None:
    async with Read() as read:
        read.hear(COMES)
        read.hear(LinkDown("lost"))
        read.hear(GOES)
        assert read.switch.agi.holds(LINE), "the loss comes first, and waits for the reader"
        arrived, down, gone = await read.told(3)
        assert isinstance(arrived, Arrived)
        assert isinstance(down, NodeDown)
        assert isinstance(gone, LineGone)


async def test_what_comes_before_the_reader_runs_waits_for_it_in_order() -> None:
    read = Read()
    read.hear(COMES)
    read.hear(GOES)
    assert not read.switch.agi.holds(LINE)
    async with read:
        arrived, gone = await read.told(2)
        assert isinstance(arrived, Arrived)
        assert isinstance(gone, LineGone)
