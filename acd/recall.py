"""Fills a ledger with what the log has of the last 24 hours, then keeps it up to date."""

from datetime import datetime

import msgspec

from acd.ledger import WINDOW, Ledger
from acd.model import AnyFloorFact
from acd.service import FloorKeeper
from acd.strain import Limits
from hotline.clock import Clock
from hotline.ports import EventLog

_decoder = msgspec.json.Decoder(AnyFloorFact)


async def recall(
    log: EventLog, keeper: FloorKeeper, clock: Clock, limits: Limits | None = None, stream: str = "floor"
) -> Ledger:
    """A ledger of the last 24 hours that listens to `keeper`, which must have been started.

    `limits`: what is too much work.

    Raises:
        Unavailable: the log does not answer.
    """
    ledger = Ledger(limits=limits)
    position = await position_before(log, stream, clock.now() - WINDOW)
    while position < keeper.seq:
        entries = await log.read(stream, position)
        for entry in entries:
            if entry.seq <= keeper.seq:
                ledger.apply(_decoder.decode(entry.body))
        if not entries:
            break
        position = entries[-1].seq
    keeper.subscribe(ledger.apply)
    return ledger


async def position_before(log: EventLog, stream: str, moment: datetime) -> int:
    """The last position whose fact was logged before `moment`: O(log n) reads."""
    low, high = 0, await log.head(stream)
    while low < high:
        middle = (low + high + 1) // 2
        entries = await log.read(stream, middle - 1, 1)
        if entries and entries[0].at >= moment:
            high = middle - 1
        else:
            low = middle
    return low
