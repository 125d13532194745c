"""Recordings keep their promises on every database, also when many close at once and when a process is killed."""

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.errors import Unavailable
from hotline.ids import UlidIds
from hotline.sql import OpenDatabase, connect
from recordings import store_sql as store
from recordings import tables
from recordings.chain_sql import chain
from recordings.integrity import broken
from recordings.model import RATE, Muted, Party, Recording, RecordingState, Track, Transcription
from recordings.purging import Purger
from recordings.retention import RetentionPolicy
from recordings.service import RecordingService
from recordings.store_files import RecordingFiles
from recordings.store_sql import Wanted
from recordings.verify import verify
from recordings.visibility import Scope

pytestmark = pytest.mark.contract

NOW = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
TABLES = [tables.recordings, tables.recording_agents, tables.recording_chain, tables.purge_certificates]
EVERYTHING = Scope(everything=True)


@pytest.fixture(autouse=True)
async def _tables(database: OpenDatabase) -> None:
    await database.write(lambda connection: connection.run_sync(metadata.create_all, tables=TABLES))


@pytest.fixture
def files(tmp_path: Path) -> RecordingFiles:
    return RecordingFiles(tmp_path / "recordings", ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def service(database: OpenDatabase, files: RecordingFiles) -> RecordingService:
    return RecordingService(database, files, ManualClock(NOW), UlidIds())


def speak(files: RecordingFiles, call: str, line: str, level: int, seconds: float = 0.5) -> None:
    folder = files.track_folder(files.day(NOW), call)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{line}.sln").write_bytes(np.full(int(seconds * RATE), level, "<i2").tobytes())


async def begun(service: RecordingService, call: str, seconds: float = 0.5) -> Recording:
    speak(service.files, call, "a.1", 100, seconds)
    speak(service.files, call, "b.2", 200, seconds)
    tracks = (
        Track(line="a.1", party=Party.CITIZEN, started_at=NOW),
        Track(line="b.2", party=Party.OPERATOR, started_at=NOW, agent="1001"),
    )
    return await service.open(call, arrived_at=NOW, answered_at=NOW, tracks=tracks)


async def test_row_comes_back_as_it_was(service: RecordingService, database: OpenDatabase) -> None:
    new = await begun(service, "call_1")
    muted = (Muted(line="a.1", began_at=NOW, ended_at=NOW + timedelta(seconds=1)),)
    await database.write(lambda c: store.add_track(c, "call_1", Track(line="c.3", party=Party.EXPERT, agent="E7")))
    await database.write(lambda c: store.add_track(c, "call_1", Track(line="c.3", party=Party.SUPERVISOR)))
    await database.write(lambda c: store.end_track(c, "call_1", "b.2", NOW + timedelta(seconds=3)))
    await database.write(lambda c: store.end_track(c, "call_1", "b.2", NOW + timedelta(seconds=9)))
    end = NOW + timedelta(seconds=5, microseconds=123456)
    row = await database.write(lambda c: store.close_recording(c, "call_1", end, muted))
    assert row is not None
    assert (row.id, row.state, row.ended_at, row.muted) == (new.id, RecordingState.PENDING, end, muted)
    assert row.agents == ("1001", "E7")
    assert [(t.line, t.party.value, t.ended_at) for t in row.tracks] == [
        ("a.1", "citizen", end),
        ("b.2", "operator", NOW + timedelta(seconds=3)),
        ("c.3", "expert", end),
    ]
    assert await service.for_call("call_1") == await service.get(new.id) == row


async def test_facts_that_come_late_or_twice_change_nothing(service: RecordingService, database: OpenDatabase) -> None:
    late = Track(line="z.9", party=Party.EXPERT)
    await database.write(lambda c: store.add_track(c, "call_404", late))
    await database.write(lambda c: store.end_track(c, "call_404", "z.9", NOW))
    assert await database.write(lambda c: store.close_recording(c, "call_404", NOW)) is None
    await begun(service, "call_1")
    done = await service.close("call_1", ended_at=NOW + timedelta(seconds=0.5))
    await database.write(lambda c: store.add_track(c, "call_1", late))
    await database.write(lambda c: store.end_track(c, "call_1", "a.1", NOW + timedelta(hours=1)))
    await database.write(lambda c: store.close_recording(c, "call_1", NOW + timedelta(hours=1)))
    await service.open("call_1", arrived_at=NOW, answered_at=NOW)
    assert await service.for_call("call_1") == done


async def test_opening_in_a_transaction_that_fails_leaves_nothing(
    service: RecordingService, database: OpenDatabase
) -> None:
    async def fails(connection: AsyncConnection) -> None:
        await store.open_recording(connection, service.new("call_1", arrived_at=NOW, answered_at=NOW, agents=["1"]))
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await database.write(fails)
    assert await service.for_call("call_1") is None


async def test_call_opened_by_many_at_once_has_one_recording(service: RecordingService) -> None:
    opened = await asyncio.gather(
        *(service.open("call_1", arrived_at=NOW, answered_at=NOW, agents=("1001",)) for _ in range(12)),
        return_exceptions=True,
    )
    ids = {row.id for row in opened if isinstance(row, Recording)}
    assert len(ids) == 1
    assert {type(row) for row in opened} <= {Recording, Unavailable}
    assert len(await service.find(Wanted(), EVERYTHING, 10)) == 1


async def test_chain_has_one_link_for_each_of_many_that_close_at_once(
    service: RecordingService, database: OpenDatabase, files: RecordingFiles
) -> None:
    calls = [f"call_{number}" for number in range(12)]
    for call in calls:
        await begun(service, call, 0.1)
    others = RecordingService(database, files, ManualClock(NOW), UlidIds())
    end = NOW + timedelta(seconds=0.1)
    await asyncio.gather(*(one.close(call, ended_at=end) for call in calls for one in (service, others)))
    for one in (service, others):
        await one.sweep()
    links = await database.read(lambda c: chain(c, 0, 100))
    assert [link.seq for link in links] == list(range(1, 13))
    assert {link.recording for link in links} == {row.id for row in await service.find(Wanted(), EVERYTHING, 50)}
    assert list(broken(links)) == []
    report = await verify(database, files)
    assert report.well, report.troubles


async def test_lists_go_on_behind_a_cursor_of_the_same_moment(service: RecordingService) -> None:
    for number in range(5):
        await service.open(f"call_{number}", arrived_at=NOW, answered_at=NOW, agents=("1001",))
    seen: list[str] = []
    after = None
    while rows := await service.find(Wanted(agent="1001"), Scope(agent="1001"), 2, after):
        seen += [row.call for row in rows]
        after = (rows[-1].answered_at, rows[-1].id)
    assert sorted(seen) == [f"call_{number}" for number in range(5)]
    assert len(seen) == 5


async def test_operators_list_ends_a_day_after_the_call(service: RecordingService, database: OpenDatabase) -> None:
    await begun(service, "call_1")
    await service.open("call_2", arrived_at=NOW, answered_at=NOW, agents=("1001",))
    await database.write(lambda c: store.close_recording(c, "call_1", NOW))
    scope = Scope(agent="1001", ended_after=NOW)
    assert [row.call for row in await service.find(Wanted(), scope, 10)] == ["call_2"]


async def test_transcripts_retention_and_hold_are_kept(service: RecordingService, database: OpenDatabase) -> None:
    row = await begun(service, "call_1")
    done = await service.close("call_1", ended_at=NOW + timedelta(seconds=0.5))
    assert await service.pending_transcription() == [done]
    await service.transcribed({row.id: Transcription.NO_MODEL})
    await database.write(lambda c: store.classify(c, "call_1", "complaint"))
    assert await database.write(lambda c: store.set_legal_hold(c, row.id, hold=True))
    now = await service.get(row.id)
    assert (now.transcription, now.retention_class, now.legal_hold) == (Transcription.NO_MODEL, "complaint", True)


async def test_removal_is_certified_once(
    service: RecordingService, database: OpenDatabase, files: RecordingFiles
) -> None:
    class Silent:
        async def record(self, *_: object, **__: object) -> None: ...

    await begun(service, "call_1")
    done = await service.close("call_1", ended_at=NOW + timedelta(seconds=0.5))
    assert done is not None
    later = ManualClock(NOW + timedelta(days=5000))
    purgers = [Purger(database, files, RetentionPolicy(), later, Silent()) for _ in range(2)]
    outcomes = await asyncio.gather(*(purger.purge_due() for purger in purgers))
    (certificate,) = [*outcomes[0], *outcomes[1]]
    assert await database.read(store.certificates) == [certificate]
    assert certificate.sha256 == done.sha256
    report = await verify(database, files)
    assert (report.well, report.links) == (True, 2), report.troubles


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo
from hotline.clock import ManualClock
from hotline.ids import UlidIds
from hotline.sql import connect
from recordings import closing, service, store_files
from recordings.service import RecordingService

seam, url, root = sys.argv[1:]
NOW = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)

def dies(real, after):
    def deed(*words, **named):
        result = real(*words, **named) if after else None
        os.kill(os.getpid(), signal.SIGKILL)
        return result
    return deed

if seam == "write":
    closing.os.write = dies(os.write, True)
elif seam == "rename":
    store_files.os.rename = dies(os.rename, False)
elif seam == "renamed":
    store_files.os.rename = dies(os.rename, True)
elif seam == "sealed":
    store_files.RecordingFiles.delete_tracks = dies(None, False)
elif seam == "deleting":
    store_files.os.unlink = dies(os.unlink, True)

async def main():
    files = store_files.RecordingFiles(Path(root), ZoneInfo("Asia/Shanghai"))
    recordings = RecordingService(connect(url), files, ManualClock(NOW), UlidIds())
    await recordings.close("call_1", ended_at=NOW + timedelta(seconds=2))

asyncio.run(main())
"""


@pytest.mark.parametrize("seam", ["write", "rename", "renamed", "sealed", "deleting"])
async def test_killed_process_loses_and_doubles_nothing(
    seam: str, database_url: str, service: RecordingService, database: OpenDatabase, files: RecordingFiles
) -> None:
    await begun(service, "call_1", 2)
    await begun(service, "call_2", 2)
    reference = await service.close("call_2", ended_at=NOW + timedelta(seconds=2))
    command = [sys.executable, "-c", KILLED, seam, database_url, str(files.root)]
    ended = await asyncio.to_thread(
        subprocess.run, command, cwd=Path(__file__).parents[2], timeout=60, check=False, capture_output=True
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    before = await service.for_call("call_1")
    assert before is not None
    assert before.state is (RecordingState.CLOSED if seam in ("sealed", "deleting") else RecordingState.PENDING)
    if seam != "deleting":
        assert set(files.tracks(files.day(NOW), "call_1")) == {"a.1", "b.2"}
    await service.sweep()
    done = await service.for_call("call_1")
    assert done is not None
    assert reference is not None
    assert (done.state, done.sha256, done.length_ms) == (RecordingState.CLOSED, reference.sha256, 2000)
    assert not done.truncated
    assert [name.rpartition(".")[2] for name in files.everything()] == ["wav", "wav"]
    report = await verify(database, files)
    assert (report.well, report.links) == (True, 2), report.troubles


async def test_database_that_is_away_loses_no_sound(
    service: RecordingService, database_url: str, files: RecordingFiles
) -> None:
    row = await begun(service, "call_1")
    away = connect(database_url)
    await away.close()

    class Away:
        read = away.read

        async def write(self, change: object) -> object:  # noqa: ARG002
            raise Unavailable("The database does not answer.")

    lonely = RecordingService(Away(), files, ManualClock(NOW), UlidIds())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await lonely.close("call_1", ended_at=NOW + timedelta(seconds=0.5))
    await service.close("call_1", ended_at=NOW + timedelta(seconds=0.5))
    assert (await service.get(row.id)).state is RecordingState.CLOSED
