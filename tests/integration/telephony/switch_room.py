"""A switch on a real Asterisk with a reader of its facts, a heartbeat, citizens and seats."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from hotline.clock import SystemClock
from telephony.endpoint import AmiEndpoint
from telephony.model import Arrived, LineId, LineSnapshot, NodeUp, PhoneId, SwitchFact
from telephony.softphone import Account
from telephony.switch import AsteriskSwitch
from tests.asterisk_node import AsteriskNode, write_tone
from tests.phones import Citizen, Manners, SeatPhone

F = TypeVar("F", bound=SwitchFact)
SECRET = "a-secret-of-tests"
PHONE = PhoneId("8001")
PROMPT_HZ = 440


class SwitchRoom:
    """Everything that a test of the switch needs."""

    def __init__(self, node: AsteriskNode, switch: AsteriskSwitch, folder: Path) -> None:
        self.node, self.switch, self.folder = node, switch, folder
        self.facts: list[SwitchFact] = []
        self._came = asyncio.Event()

    async def read(self) -> None:
        async for fact in self.switch.facts():
            self.facts.append(fact)
            self._came.set()

    async def beat(self) -> None:
        while True:
            with contextlib.suppress(Exception):
                await self.switch.beat()
            await asyncio.sleep(1)

    def all(self, kind: type[F], **fields: object) -> list[F]:
        """Facts so far of one kind with these fields."""
        of_kind = [fact for fact in self.facts if isinstance(fact, kind)]
        return [fact for fact in of_kind if all(getattr(fact, name) == value for name, value in fields.items())]

    async def wait(self, kind: type[F], within: float = 15.0, *, count: int = 1, **fields: object) -> F:
        """The `count`-th such fact."""
        await self.until(lambda: len(self.all(kind, **fields)) >= count, f"{kind.__name__} {fields}", within)
        return self.all(kind, **fields)[count - 1]

    async def until(self, condition: Callable[[], bool], what: str, within: float = 15.0) -> None:
        try:
            async with asyncio.timeout(within):
                while not condition():
                    self._came.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._came.wait(), 0.02)
        except TimeoutError:
            raise AssertionError(f"not within {within} s: {what}; heard {self.facts}") from None

    async def lives(self, wanted: Callable[[tuple[LineSnapshot, ...]], bool], what: str, within: float = 5.0) -> None:
        """Wait until Asterisk's own state is `wanted`: it answers and tells before it has done."""
        lines: tuple[LineSnapshot, ...] = ()
        try:
            async with asyncio.timeout(within):
                while not wanted(lines := (await self.switch.snapshot()).lines):  # noqa: ASYNC110 - Asterisk's state
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {within} s: {what}; there are {lines}") from None

    async def placed(self, line: LineId, place: str) -> None:
        """Wait until the line stands at `place`."""
        await self.lives(lambda lines: (line, place) in [(one.line, one.place) for one in lines], f"{line} in {place}")

    async def arrived(self, count: int = 1) -> LineId:
        return (await self.wait(Arrived, count=count)).line

    async def ring(self, line: LineId, offer: str, phone: str = PHONE, ring_s: float = 5) -> None:
        """Make an offer."""
        await self.switch.offer(
            line, offers={offer: PhoneId(phone)}, ring=timedelta(seconds=ring_s), track_folder=str(self.folder)
        )

    def prompt(self, name: str, seconds: float = 1.0) -> str:
        """A prompt that exists."""
        write_tone(self.folder / f"{name}.wav", PROMPT_HZ, seconds)
        return str(self.folder / name)

    def citizen(self) -> Citizen:
        return Citizen(self.node.sip)

    async def seat(self, manners: Manners | None = None, phone: str = PHONE) -> SeatPhone:
        """A seat's phone, not yet registered."""
        account = await self.node.provisioning.add(PhoneId(phone), SECRET)
        return SeatPhone(self.node.sip, Account(account, SECRET), manners)


@asynccontextmanager
async def switch_room(
    node: AsteriskNode, folder: Path, *, endpoint: AmiEndpoint | None = None, reconcile_every_s: float = 1.0
) -> AsyncIterator[SwitchRoom]:
    """A connected room."""
    switch = AsteriskSwitch(endpoint or node.ami, SystemClock(), reconcile_every_s=reconcile_every_s)
    room = SwitchRoom(node, switch, folder)
    async with switch:
        tasks = [asyncio.create_task(room.read()), asyncio.create_task(room.beat())]
        try:
            await room.wait(NodeUp)
            yield room
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
