"""Raises an alarm for whoever works too much, and ends it: facts of the floor, each once."""

from acd.model import ReportStrain
from acd.service import FloorKeeper
from acd.strain import StrainLedger
from hotline.clock import Clock
from hotline.tasks import Tasks

EVERY_S = 10.0


def start(tasks: Tasks, keeper: FloorKeeper, ledger: StrainLedger, clock: Clock) -> None:
    """Look again and again."""

    async def look_again() -> None:
        await look(keeper, ledger, clock)

    tasks.keep(look_again, "strain", pause_s=EVERY_S)


async def look(keeper: FloorKeeper, ledger: StrainLedger, clock: Clock) -> None:
    """One round over all seats, by whoever keeps the floor.

    Raises:
        Conflict, Unavailable: as `FloorKeeper.do`; the next round makes up for it.
    """
    if not keeper.is_keeper:
        return
    for strain in ledger.strains(clock.now()):
        seat = keeper.floor.seat(strain.seat)
        if seat is not None and (kinds := ledger.limits.alarms(strain, seat.strain)) != seat.strain:
            await keeper.do(ReportStrain(seat=strain.seat, kinds=kinds))
