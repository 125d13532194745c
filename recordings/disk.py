"""Watches the room on the recordings' disk, so that the alarm comes before sound is lost."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger(__name__)

GIB = 1 << 30


class Room(msgspec.Struct, frozen=True):
    """Bytes on the volume."""

    free: int
    total: int


def room(root: Path) -> Room:
    """Room on the volume of `root` or of its nearest folder that exists. Blocking."""
    folder = root.absolute()
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return Room(usage.free, usage.total)


def is_low(now: Room, *, was_low: bool, floor: int) -> bool:
    """Whether to be alarmed: below `floor` bytes; and until a tenth more is free again, so that it does not flutter."""
    return now.free < (floor + floor // 10 if was_low else floor)


class DiskWatch:
    """One round looks once. Run it every few seconds with `Tasks.keep`."""

    def __init__(
        self,
        root: Path,
        changed: Callable[[bool, Room], None],
        *,
        floor: int = 2 * GIB,
        measure: Callable[[Path], Room] = room,
    ) -> None:
        self._root = root
        self._changed = changed
        self._floor = floor
        self._measure = measure
        self.low = False

    async def round(self) -> None:
        """Look, and tell `changed(low, room)` when it became low or well again."""
        async with asyncio.timeout(5):
            now = await asyncio.to_thread(self._measure, self._root)
        low = is_low(now, was_low=self.low, floor=self._floor)
        if low != self.low:
            self.low = low
            said = "disk nearly full: free some room, recordings need it" if low else "disk has room again"
            (log.error if low else log.info)(said, free_mib=now.free >> 20, total_mib=now.total >> 20)
            self._changed(low, now)
