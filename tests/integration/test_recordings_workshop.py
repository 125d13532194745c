"""The process that works on recordings: does what a thread does, is replaced when it dies, and outlives nobody."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.ids import CountedIds
from hotline.parent import child_environment
from hotline.sql import OpenDatabase, connect
from recordings import store_sql as store
from recordings import tables
from recordings.model import Party, Recording, RecordingState, Track
from recordings.service import RecordingService, Swept
from recordings.store_files import RecordingFiles
from recordings.workbench import Done, Order
from recordings.workshop import ChildProcess, Gone, Threads, Workshop

pytestmark = pytest.mark.integration

NOW = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
TABLES = [tables.recordings, tables.recording_agents, tables.recording_chain, tables.purge_certificates]
_OWNER = """
import asyncio, sys
from pathlib import Path
from recordings.workbench import Order
from recordings.workshop import ChildProcess

async def main():
    child = ChildProcess(Path(sys.argv[1]))
    await child.do(Order("hold", ()))
    print(child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Room:
    """Recordings on a database file, whose sound a process composes."""

    def __init__(self, database: OpenDatabase, folder: Path) -> None:
        self.database = database
        self.files = RecordingFiles(folder, ZoneInfo("Asia/Shanghai"))
        self.child = ChildProcess(folder)
        self.service = self.made(self.child)

    def made(self, workshop: Workshop) -> RecordingService:
        return RecordingService(self.database, self.files, ManualClock(NOW), CountedIds(), workshop)

    async def ended(self, *calls: str) -> list[Recording]:
        """Calls that are over, with their tracks on disk."""
        for call in calls:
            folder = self.files.track_folder(self.files.day(NOW), call)
            folder.mkdir(parents=True)
            lines = [(f"{call}a.1", Party.CITIZEN, ""), (f"{call}b.2", Party.OPERATOR, "1001")]
            for number, (line, _, _) in enumerate(lines):
                (folder / f"{line}.sln").write_bytes(np.full(8000, 100 * number, "<i2").tobytes())
            tracks = [Track(line=line, party=party, started_at=NOW, agent=agent) for line, party, agent in lines]
            await self.service.open(call, arrived_at=NOW, answered_at=NOW, tracks=tracks)
            at = NOW + timedelta(seconds=1)
            await self.database.write(partial(store.end_recording, call=call, ended_at=at))
        return [row for row in [await self.service.for_call(call) for call in calls] if row is not None]

    async def states(self, *calls: str) -> list[RecordingState]:
        found = [await self.service.for_call(call) for call in calls]
        return [row.state for row in found if row is not None]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}")
    await database.write(lambda connection: connection.run_sync(metadata.create_all, tables=TABLES))
    made = Room(database, tmp_path / "recordings")
    yield made
    await made.service.stop()
    await database.close()


async def test_a_process_does_what_a_thread_does(room: Room) -> None:
    rows = await room.ended("call_1", "call_2")
    in_threads = Threads(room.files)
    found: list[dict[str, Done]] = []
    for workshop in (in_threads, room.child):
        held = await workshop.do(Order("hold", tuple(rows)))
        assert set(held.values()) == {Done()}
        found.append(await workshop.do(Order("compose", tuple(rows))))
        await workshop.do(Order("leave", tuple(rows)))
    assert found[0] == found[1]
    assert all(done.composed is not None and done.composed.length_ms == 1000 for done in found[1].values())


async def test_what_one_holds_the_other_may_not_compose(room: Room) -> None:
    (row,) = await room.ended("call_1")
    other = Threads(room.files)
    await room.child.do(Order("hold", (row,)))
    assert (await other.do(Order("hold", (row,))))[row.id].is_held_elsewhere
    assert (await other.do(Order("compose", (row,))))[row.id].is_held_elsewhere
    await room.child.do(Order("leave", (row,)))
    assert (await other.do(Order("hold", (row,))))[row.id] == Done()
    await other.do(Order("leave", (row,)))


async def test_a_sweep_closes_all_and_leaves_no_track(room: Room) -> None:
    rows = await room.ended(*(f"call_{number}" for number in range(20)))
    assert await room.service.sweep() == Swept(closed=20)
    assert await room.states(*(row.call for row in rows)) == [RecordingState.CLOSED] * 20
    assert [path for path in room.files.everything() if not path.endswith(".wav")] == []


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_process_that_dies_is_replaced_and_nothing_is_lost(room: Room, stopped: bool) -> None:
    """`stopped`: it dies over an order; otherwise between two."""
    await room.child.do(Order("hold", ()))
    first = room.child.pid
    assert first is not None
    rows = await room.ended("call_1", "call_2")
    os.kill(first, signal.SIGSTOP if stopped else signal.SIGKILL)
    sweeping = asyncio.create_task(room.service.sweep())
    if stopped:
        await asyncio.wait([sweeping], timeout=0.3)
        assert not sweeping.done()
        os.kill(first, signal.SIGKILL)
    await sweeping
    await room.service.sweep()
    assert await room.states(*(row.call for row in rows)) == [RecordingState.CLOSED] * 2
    assert room.child.pid not in {None, first}


async def test_one_that_kills_it_keeps_the_others_not_waiting(room: Room) -> None:
    rows = await room.ended("call_1", "call_2", "call_3")
    deadly = rows[1].id

    class Deadly(Threads):
        async def do(self, order: Order) -> dict[str, Done]:
            if order.deed == "compose" and any(row.id == deadly for row in order.rows):
                await super().do(Order("leave", order.rows))  # what it held is free
                raise Gone("The process that works on recordings ended; closing is tried again.")
            return await super().do(order)

    service = room.made(Deadly(room.files))
    assert await service.sweep() == Swept(closed=2, waiting=1)
    assert "tried again" in (await service.get(deadly)).problem


async def test_closing_that_was_broken_off_is_done_by_the_next_start(room: Room) -> None:
    await room.child.do(Order("hold", ()))
    rows = await room.ended("call_1")
    assert room.child.pid is not None
    os.kill(room.child.pid, signal.SIGSTOP)
    sweeping = asyncio.create_task(room.service.sweep())
    await asyncio.wait([sweeping], timeout=0.2)
    os.kill(room.child.pid, signal.SIGCONT)
    await room.service.stop()
    await asyncio.gather(sweeping, return_exceptions=True)
    with pytest.raises(Gone):
        await room.child.do(Order("hold", ()))
    await room.made(Threads(room.files)).sweep()
    assert await room.states(*(row.call for row in rows)) == [RecordingState.CLOSED]


async def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OWNER, str(tmp_path), stdout=PIPE, env=child_environment()
    )
    assert owner.stdout is not None
    async with asyncio.timeout(30):
        child = int(await owner.stdout.readline())
        owner.kill()
        await owner.wait()
        while _lives(child):  # noqa: ASYNC110 - it is nobody's child any more
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False
