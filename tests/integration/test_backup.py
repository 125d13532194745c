"""Backup and restore of a data folder: all of it, unchanged, and nothing from an archive that is not as it was."""

import asyncio
import gzip
import hashlib
import io
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from hotline import backup, schema
from hotline.audit_sql import SqlAudit
from hotline.backup import MANIFEST, Kept, Manifest, make_backup
from hotline.clock import SystemClock
from hotline.errors import BadInput, Conflict, Unavailable
from hotline.identity_service import SYSTEM
from hotline.local import LocalEventLog
from hotline.restore import restore_backup
from hotline.settings import Settings
from hotline.sql import connect

pytestmark = pytest.mark.integration

NOW = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
PLAIN = {
    "hotline.toml": b"region = '0717'\n",
    "catalogue.json": b"{}",
    "classification.yaml": b"types: []",
    "flows/own.yaml": b"name: own\n",
    "prompts/studio/welcome.wav": b"studio",
    "secrets/asterisk.json": b"{}",
    "spool/tracks/a/b.sln": b"track",
    "recordings/2026/02/14/rec_1.wav": b"sound" * 1000,
}
LEFT_OUT = {"prompts/welcome.wav": b"rendered", "asterisk/etc/asterisk.conf": b"", "model/conf/mfcc.conf": b""}


def settings_of(data: Path, **more: str) -> Settings:
    return Settings(data=data, **more)  # type: ignore[arg-type]


@pytest.fixture
def lived_in(tmp_path: Path) -> Settings:
    """A data folder with rows, facts, an audit and files."""
    settings = settings_of(tmp_path / "data")
    for name, content in (PLAIN | LEFT_OUT).items():
        (settings.data / name).parent.mkdir(parents=True, exist_ok=True)
        (settings.data / name).write_bytes(content)
    schema.upgrade(settings.sqlalchemy_url)
    asyncio.run(_live(settings))
    return settings


async def _live(settings: Settings) -> None:
    database = connect(settings.sqlalchemy_url)
    log = LocalEventLog(settings.data / "events.db", SystemClock())
    try:
        for number in range(20):
            await SqlAudit(database, SystemClock()).record(SYSTEM, "recording.play", f"rec_{number}")
        await log.append("floor", 0, [b"one", b"two"])
    finally:
        await log.close()
        await database.close()


async def _audit_of(settings: Settings) -> tuple[int, int | None]:
    """How many deeds there are, and the first that is not as it was written."""
    database = connect(settings.sqlalchemy_url)
    try:
        audit = SqlAudit(database, SystemClock())
        return (await audit.head())[0], await audit.verify()
    finally:
        await database.close()


async def _facts_of(settings: Settings) -> list[bytes]:
    log = LocalEventLog(settings.data / "events.db", SystemClock())
    try:
        return [entry.body for entry in await log.read("floor")]
    finally:
        await log.close()


def test_what_was_backed_up_is_there_again_unchanged(lived_in: Settings, tmp_path: Path) -> None:
    told, notes = make_backup(lived_in, tmp_path / "backup.tar.gz", NOW)
    assert notes == ()
    again = settings_of(tmp_path / "again")
    assert restore_backup(again, tmp_path / "backup.tar.gz") == told
    assert (told.schema, told.model) == (schema.expected(), True)
    for name, content in PLAIN.items():
        assert (again.data / name).read_bytes() == content
    assert not [name for name in LEFT_OUT if (again.data / name).exists()]
    assert asyncio.run(_audit_of(again)) == (20, None)
    assert asyncio.run(_facts_of(again)) == [b"one", b"two"]
    schema.check(again.sqlalchemy_url)


def test_only_the_owner_may_read_archive_and_secrets(lived_in: Settings, tmp_path: Path) -> None:
    make_backup(lived_in, tmp_path / "backup.tar.gz", NOW)
    again = settings_of(tmp_path / "again")
    restore_backup(again, tmp_path / "backup.tar.gz")
    for file in (tmp_path / "backup.tar.gz", again.data / "secrets" / "asterisk.json", again.data / "hotline.db"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_recordings_can_be_left_out(lived_in: Settings, tmp_path: Path) -> None:
    told, _ = make_backup(lived_in, tmp_path / "backup.tar.gz", NOW, recordings=False)
    assert not [one for one in told.files if one.path.startswith("recordings/")]
    assert not told.recordings
    restore_backup(settings_of(tmp_path / "again"), tmp_path / "backup.tar.gz")


def test_a_database_that_is_written_meanwhile_is_whole_in_the_archive(lived_in: Settings, tmp_path: Path) -> None:
    """Rows come in pairs inside one transaction; the archive never has half a pair."""
    ending, pairs = threading.Event(), [0]

    def write() -> None:
        with closing(sqlite3.connect(lived_in.data / "jobs.db", isolation_level=None, timeout=10)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE pairs (number INTEGER)")
            while not ending.is_set():
                connection.executescript("BEGIN; INSERT INTO pairs VALUES (1); INSERT INTO pairs VALUES (2); COMMIT")
                pairs[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            while pairs[0] < 50 * (number + 1):
                assert writer.is_alive()
            make_backup(lived_in, tmp_path / f"{number}.tar.gz", NOW, recordings=False)
    finally:
        ending.set()
        writer.join()
    counts: list[int] = []
    for number in range(5):
        again = settings_of(tmp_path / str(number))
        restore_backup(again, tmp_path / f"{number}.tar.gz")
        with closing(sqlite3.connect(again.data / "jobs.db")) as connection:
            counts.append(connection.execute("SELECT count(*) FROM pairs").fetchone()[0])
    assert all(count % 2 == 0 and count >= 100 for count in counts)
    assert counts == sorted(counts)


def test_rows_of_a_server_are_left_to_its_own_tool(lived_in: Settings, tmp_path: Path) -> None:
    shared = settings_of(lived_in.data, database_url="postgresql://db/hotline", redis_url="redis://cache/0")
    told, notes = make_backup(shared, tmp_path / "backup.tar.gz", NOW)
    assert "hotline.db" not in {one.path for one in told.files}
    assert "pg_dump" in notes[0]
    assert "Redis" in notes[1]


def test_rows_outside_the_data_folder_come_along_and_go_back_there(lived_in: Settings, tmp_path: Path) -> None:
    (lived_in.data / "hotline.db").rename(tmp_path / "rows.db")
    make_backup(settings_of(lived_in.data, database_url=f"sqlite:///{tmp_path}/rows.db"), tmp_path / "b.tar.gz", NOW)
    again = settings_of(tmp_path / "again", database_url=f"sqlite:///{tmp_path}/new/rows.db")
    restore_backup(again, tmp_path / "b.tar.gz")
    assert asyncio.run(_audit_of(again)) == (20, None)
    with pytest.raises(BadInput, match="HOTLINE_DATABASE_URL"):
        restore_backup(settings_of(tmp_path / "third", database_url="postgresql://db/x"), tmp_path / "b.tar.gz")


def test_nothing_is_overwritten(lived_in: Settings, tmp_path: Path) -> None:
    make_backup(lived_in, tmp_path / "backup.tar.gz", NOW)
    with pytest.raises(BadInput, match="exists already"):
        make_backup(lived_in, tmp_path / "backup.tar.gz", NOW)
    with pytest.raises(Conflict, match="empty data folder"):
        restore_backup(lived_in, tmp_path / "backup.tar.gz")
    with pytest.raises(BadInput, match="nothing in the data folder"):
        make_backup(settings_of(tmp_path / "nowhere"), tmp_path / "other.tar.gz", NOW)


def test_a_disk_without_room_leaves_no_half_archive(
    lived_in: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_add_manifest", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        make_backup(lived_in, tmp_path / "backups.tar.gz", NOW)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data"]


Damage = Callable[[dict[str, bytes]], None]


def _changed(files: dict[str, bytes]) -> None:
    files["recordings/2026/02/14/rec_1.wav"] = b"other" * 1000


def _removed(files: dict[str, bytes]) -> None:
    del files["flows/own.yaml"]


def _added(files: dict[str, bytes]) -> None:
    files["flows/more.yaml"] = b"name: more\n"


def _outside(files: dict[str, bytes]) -> None:
    files["../outside"] = b"!"


def _absolute(files: dict[str, bytes]) -> None:
    files["/tmp/outside"] = b"!"  # noqa: S108 - it must be refused


def _newer(files: dict[str, bytes]) -> None:
    told = msgspec.json.decode(files[MANIFEST], type=Manifest)
    files[MANIFEST] = msgspec.json.encode(msgspec.structs.replace(told, schema="9999"))


def _sick(files: dict[str, bytes]) -> None:
    """Damaged before the backup was made: its hash is right."""
    sick = files["events.db"][:100] + b"\xff" * 4000
    told = msgspec.json.decode(files[MANIFEST], type=Manifest)
    healthy = [one for one in told.files if one.path != "events.db"]
    kept = (*healthy, Kept("events.db", hashlib.sha256(sick).hexdigest(), len(sick)))
    files["events.db"] = sick
    files[MANIFEST] = msgspec.json.encode(msgspec.structs.replace(told, files=kept))


def _without_manifest(files: dict[str, bytes]) -> None:
    del files[MANIFEST]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_changed, "rec_1.wav is not as its manifest says"),
        (_removed, "own.yaml is not as its manifest says"),
        (_added, "more.yaml is not as its manifest says"),
        (_outside, "lies outside"),
        (_absolute, "lies outside"),
        (_newer, "newer version"),
        (_sick, r"database events\.db of this backup is damaged"),
        (_without_manifest, "no complete backup"),
    ],
)
def test_an_archive_that_is_not_as_it_was_written_changes_nothing(
    lived_in: Settings, tmp_path: Path, damage: Damage, sentence: str
) -> None:
    make_backup(lived_in, tmp_path / "backup.tar.gz", NOW)
    with tarfile.open(tmp_path / "backup.tar.gz") as archive:
        files = {one.name: _content(archive, one) for one in archive}
    damage(files)
    with tarfile.open(tmp_path / "damaged.tar.gz", "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    again = settings_of(tmp_path / "again")
    with pytest.raises(BadInput, match=sentence):
        restore_backup(again, tmp_path / "damaged.tar.gz")
    assert not list(again.data.iterdir())
    assert not (tmp_path / "outside").exists()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    assert stream is not None
    return stream.read()


def test_a_link_is_not_unpacked(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "link.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("flows")
        member.type, member.linkname = tarfile.SYMTYPE, "/"
        archive.addfile(member)
    with pytest.raises(BadInput, match="flows does not belong"):
        restore_backup(settings_of(tmp_path / "again"), tmp_path / "link.tar.gz")


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"no archive either"), None])
def test_what_is_no_archive_gets_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "backup.tar.gz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInput):
        restore_backup(settings_of(tmp_path / "again"), file)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_an_archive_that_was_cut_off_changes_nothing(lived_in: Settings, tmp_path: Path, share: float) -> None:
    make_backup(lived_in, tmp_path / "backup.tar.gz", NOW)
    whole = (tmp_path / "backup.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: int(len(whole) * share)])
    again = settings_of(tmp_path / "again")
    with pytest.raises(BadInput):
        restore_backup(again, tmp_path / "cut.tar.gz")
    assert not list(again.data.iterdir())
