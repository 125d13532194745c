"""Every change of a file, a row or the chain is named; what was removed was due, audited and certified."""

import asyncio
import hashlib
import json
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text, update
from typer.testing import CliRunner

from hotline.clock import ManualClock
from hotline.errors import Unavailable
from hotline.sql import OpenDatabase
from recordings import store_sql as store
from recordings import tables
from recordings.cli import app
from recordings.integrity import Head
from recordings.model import Party, Recording, RecordingState, Track
from recordings.purging import Purger
from recordings.retention import RetentionPolicy
from recordings.service import RecordingService
from recordings.store_files import RecordingFiles
from recordings.verify import Finding, Report, verify
from tests.unit.recordings.conftest import Scribe

pytestmark = pytest.mark.unit

Make = Callable[[str], Awaitable[Recording]]
KEPT = RetentionPolicy({"short": 10}, 1000)


@pytest.fixture
def make(service: RecordingService, speak: Callable[..., Track], clock: ManualClock) -> Make:
    async def closed(call: str) -> Recording:
        now = clock.now()
        track = speak(call, f"{call}.1", Party.CITIZEN, 1000)
        await service.open(call, arrived_at=now, answered_at=now, tracks=(track,), agents=("1001",))
        done = await service.close(call, ended_at=now + timedelta(seconds=2))
        assert done is not None
        return done

    return closed


def findings(report: Report) -> list[tuple[Finding, str]]:
    return [(trouble.finding, trouble.subject) for trouble in report.troubles]


async def change(database: OpenDatabase, sql: str) -> None:
    await database.write(lambda connection: connection.execute(text(sql)))


async def test_untouched_recordings_are_well(
    make: Make, database: OpenDatabase, files: RecordingFiles, service: RecordingService, clock: ManualClock
) -> None:
    for call in ("call_1", "call_2"):
        await make(call)
    await service.open("call_3", arrived_at=clock.now(), answered_at=clock.now())
    files.track_folder(files.day(clock.now()), "call_3").mkdir()
    (files.track_folder(files.day(clock.now()), "call_3") / "x.1.sln").write_bytes(b"12")
    report = await verify(database, files)
    assert report.well, report.troubles
    assert (report.recordings, report.links) == (3, 2)
    assert report.head is not None
    await make("call_4")
    assert (await verify(database, files, report.head)).well


async def test_each_damage_of_a_file_is_named(
    make: Make, database: OpenDatabase, files: RecordingFiles, service: RecordingService, tmp_path: Path
) -> None:
    rows = [await make(f"call_{number}") for number in range(5)]
    gone, changed, cut, linked, whole = (service.sound_path(row) for row in rows)
    gone.unlink()
    data = bytearray(changed.read_bytes())
    data[1000] ^= 1
    changed.write_bytes(data)
    cut.write_bytes(cut.read_bytes()[:-2])
    twin = tmp_path / "twin"
    twin.write_bytes(linked.read_bytes())
    linked.unlink()
    linked.symlink_to(twin)
    (whole.parent / "stranger.wav").write_bytes(b"x")
    assert sorted(findings(await verify(database, files))) == sorted(
        [
            (Finding.MISSING, rows[0].id),
            (Finding.CHANGED, rows[1].id),
            (Finding.TRUNCATED, rows[2].id),
            (Finding.CHANGED, rows[3].id),
            (Finding.EXTRA, f"{rows[4].folder}/stranger.wav"),
        ]
    )


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        ("UPDATE recordings SET sha256 = 'aa' WHERE call = 'call_1'", Finding.ROW),
        ("UPDATE recordings SET length_ms = 1 WHERE call = 'call_1'", Finding.ROW),
        ("UPDATE recordings SET state = 'pending' WHERE call = 'call_1'", Finding.ROW),
        ("UPDATE recording_chain SET body = replace(body, '2000', '1000') WHERE seq = 2", Finding.CHAIN),
        ("DELETE FROM recording_chain WHERE seq = 2", Finding.CHAIN),
        ("DELETE FROM recording_chain WHERE seq = 3", Finding.CHAIN),
    ],
)
async def test_each_change_of_rows_is_named(
    make: Make, database: OpenDatabase, files: RecordingFiles, sql: str, finding: Finding
) -> None:
    for number in range(3):
        await make(f"call_{number}")
    await change(database, sql)
    assert finding in {trouble.finding for trouble in (await verify(database, files)).troubles}


async def test_cut_off_end_shows_against_a_head_that_was_written_down(
    make: Make, database: OpenDatabase, files: RecordingFiles, service: RecordingService
) -> None:
    await make("call_1")
    last = await make("call_2")
    head = (await verify(database, files)).head
    service.sound_path(last).unlink()
    await change(database, "DELETE FROM recording_chain WHERE seq = 2")
    await change(database, "DELETE FROM recording_agents WHERE recording = 'rec_2'")
    await change(database, "DELETE FROM recordings WHERE call = 'call_2'")
    assert (await verify(database, files)).well
    assert findings(await verify(database, files, head)) == [(Finding.CHAIN, "")]


async def test_forged_sound_with_a_fitting_row_does_not_fit_the_chain(
    make: Make, database: OpenDatabase, files: RecordingFiles, service: RecordingService
) -> None:
    row = await make("call_1")
    path = service.sound_path(row)
    forged = path.read_bytes()[:-2] + b"\0\0"
    path.write_bytes(forged)
    sha256 = hashlib.sha256(forged).hexdigest()
    await database.write(lambda c: c.execute(update(tables.recordings).values(sha256=sha256)))
    assert findings(await verify(database, files)) == [(Finding.ROW, row.id)]


async def test_due_recording_is_removed_certified_and_still_verifies(
    make: Make,
    database: OpenDatabase,
    files: RecordingFiles,
    clock: ManualClock,
    scribe: Scribe,
    service: RecordingService,
) -> None:
    due, held, young = [await make(f"call_{number}") for number in range(3)]
    for call in ("call_0", "call_1"):
        await database.write(partial(store.classify, call=call, retention_class="short"))
    assert await database.write(lambda c: store.set_legal_hold(c, held.id, hold=True))
    clock.advance(timedelta(days=11))
    purger = Purger(database, files, KEPT, clock, scribe)
    (certificate,) = await purger.purge_due()
    assert (certificate.recording, certificate.keep_days, certificate.sha256) == (due.id, 10, due.sha256)
    assert [line[1:3] for line in scribe.lines] == [("recording.purge", due.id)]
    assert not service.sound_path(due).exists()
    assert service.sound_path(held).exists()
    assert service.sound_path(young).exists()
    assert (await service.get(due.id)).state is RecordingState.PURGED
    assert await purger.purge_due() == []
    assert await database.read(store.certificates) == [certificate]
    report = await verify(database, files)
    assert (report.well, report.links) == (True, 4)


async def test_nothing_is_removed_that_cannot_be_audited(
    make: Make,
    database: OpenDatabase,
    files: RecordingFiles,
    clock: ManualClock,
    scribe: Scribe,
    service: RecordingService,
) -> None:
    row = await make("call_1")
    clock.advance(timedelta(days=2000))
    scribe.broken = True
    with pytest.raises(Unavailable):
        await Purger(database, files, KEPT, clock, scribe).purge_due()
    assert service.sound_path(row).exists()
    assert (await service.get(row.id)).state is RecordingState.CLOSED


async def test_removal_that_was_cut_off_goes_on(
    make: Make,
    database: OpenDatabase,
    files: RecordingFiles,
    clock: ManualClock,
    scribe: Scribe,
    service: RecordingService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = await make("call_1")
    clock.advance(timedelta(days=2000))
    purger = Purger(database, files, KEPT, clock, scribe)

    def dies(*_: object) -> None:
        raise RuntimeError("killed")

    for target in ("recordings.purging.store.certify", "recordings.store_files.RecordingFiles.delete_sound"):
        with monkeypatch.context() as patch:
            patch.setattr(target, dies)
            with pytest.raises(RuntimeError):
                await purger.purge_due()
        assert (await service.get(row.id)).state is RecordingState.PURGING
    assert not await database.write(lambda c: store.set_legal_hold(c, row.id, hold=True))
    assert len(await purger.purge_due()) == 1
    assert (await verify(database, files)).well


async def test_hold_put_on_meanwhile_stops_the_removal(
    make: Make, database: OpenDatabase, files: RecordingFiles, clock: ManualClock, service: RecordingService
) -> None:
    row = await make("call_1")
    clock.advance(timedelta(days=2000))

    class Slow:
        async def record(self, *_: object, **__: object) -> None:
            await database.write(lambda c: store.set_legal_hold(c, row.id, hold=True))

    assert await Purger(database, files, KEPT, clock, Slow()).purge_due() == []
    assert service.sound_path(row).exists()


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path))


@pytest.mark.usefixtures("_here")
async def test_command_exits_by_what_it_found(make: Make, service: RecordingService) -> None:
    row = await make("call_1")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["verify", *words])
        return result.exit_code, result.output

    code, output = await asyncio.to_thread(run, "--json")
    report = json.loads(output)
    assert (code, report["ok"], report["recordings"], report["troubles"]) == (0, True, 1, [])
    head = Head(**report["head"])
    assert (await asyncio.to_thread(run, "--expect", f"{head.seq}:{head.hash}"))[0] == 0
    assert (await asyncio.to_thread(run, "--expect", f"{head.seq}:{'0' * 64}"))[0] == 1
    assert (await asyncio.to_thread(run, "--expect", "nonsense"))[0] == 2
    service.sound_path(row).unlink()
    code, output = await asyncio.to_thread(run)
    assert code == 1
    assert f"missing: {row.id}" in output
    assert "1 troubles" in output


@pytest.mark.usefixtures("_here")
def test_command_without_a_database_says_what_to_do() -> None:
    result = CliRunner().invoke(app, ["verify"])
    assert result.exit_code == 2
    assert "start `hotline serve` once" in result.output
