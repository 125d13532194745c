"""Backups: everything that cannot be made again, in one archive, taken while the hotline runs.

The rows go first and the facts behind them after, so that a restored projection finds every fact that it has yet
to fold; recordings go last, so that every sealed row finds its sound. What a start makes by itself (configuration,
rendered prompts) and what can be installed again (the speech model) is left out. It knows files and SQLite, no room.
"""

import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from hotline import schema
from hotline.errors import BadInput, Unavailable
from hotline.settings import Settings
from hotline.sql_urls import synchronous

MANIFEST = "manifest.json"
FORMAT = 1
ROWS = "hotline.db"
DATABASES = ("spool/facts.db", "events.db", "lease.db", "jobs.db", "asterisk/db/seats.db")
"""SQLite files below the data folder besides the rows, in the order in which they are copied."""
FILES = ("hotline.toml", "catalogue.json", "classification.yaml", "flows", "prompts/studio", "secrets", "spool/tracks")
"""Files and folders that are copied as they are."""
RECORDINGS = "recordings"
LEFT_OUT = ("asterisk", "prompts", "model", "hotline.lock")
"""What else lies in a data folder: made again at a start, or installed again."""


class Kept(msgspec.Struct, frozen=True):
    """One file of an archive."""

    path: str
    sha256: str
    size: int
    """Bytes."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive holds; its last member."""

    format: int = FORMAT
    made_at: datetime
    schema: str = ""
    """Revision of the rows; empty when they are not in it."""
    recordings: bool = True
    model: bool = False
    """A speech model was installed, and has to be installed again."""
    files: tuple[Kept, ...] = ()


def make_backup(
    settings: Settings, file: Path, at: datetime, *, recordings: bool = True
) -> tuple[Manifest, tuple[str, ...]]:
    """Write the archive `file` (a .tar.gz, 0600) of the data folder; blocks.

    Returns what is in it, and one sentence for each thing that has to be backed up in another way.

    Raises:
        BadInput: there is nothing to back up, or `file` exists already.
        Unavailable: it cannot be written, or a database cannot be read.
    """
    data = settings.data.absolute()
    if not data.is_dir() or not any(data.iterdir()):
        raise BadInput(f"There is nothing in the data folder {data}: correct HOTLINE_DATA.")
    if file.exists():
        raise BadInput(f"{file} exists already: choose another name, or remove it.")
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as work:
            part = Path(work) / file.name
            made = _write(settings, part, Path(work), at, recordings=recordings)
            part.rename(file)
    except OSError as error:
        raise Unavailable(f"The backup cannot be written to {file}: {error.strerror or error}.") from error
    return made, elsewhere(settings)


def elsewhere(settings: Settings) -> tuple[str, ...]:
    """What an archive cannot hold, one sentence each."""
    found: list[str] = []
    if rows_file(settings) is None:
        found.append("People, tickets and all other rows are in PostgreSQL, not in the archive: use pg_dump for them.")
    if settings.redis_url:
        found.append("Facts and jobs are in Redis, not in the archive: keep copies of its append-only file.")
    return tuple(found)


def rows_file(settings: Settings) -> Path | None:
    """The SQLite file of the rows; `None` when they are on a server."""
    url = synchronous(settings.sqlalchemy_url)
    return Path(url.database or "").absolute() if url.get_backend_name() == "sqlite" else None


def _write(settings: Settings, part: Path, work: Path, at: datetime, *, recordings: bool) -> Manifest:
    data, rows = settings.data.absolute(), rows_file(settings)
    files: list[Kept] = []
    revision = ""
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
            databases = [(name, data / name) for name in DATABASES]
            for name, place in [*([(ROWS, rows)] if rows else []), *databases]:
                if place.is_file():
                    copy = _copy_of(place, work)
                    revision = (schema.current(f"sqlite:///{copy}") or "") if name == ROWS else revision
                    files += _add(archive, copy, name)
                    copy.unlink()
            for name in (*FILES, *([RECORDINGS] if recordings else [])):
                for place in _plain_files(data / name):
                    files += _add(archive, place, place.relative_to(data).as_posix())
            has_model = (data / "model").is_dir()
            told = Manifest(made_at=at, schema=revision, recordings=recordings, model=has_model, files=tuple(files))
            _add_manifest(archive, told)
        stream.flush()
        os.fsync(stream.fileno())
    return told


def _copy_of(database: Path, work: Path) -> Path:
    """A copy of an SQLite file in use as it is at one moment; nobody who writes is held up."""
    copy = work / "copy.db"
    try:
        with (
            closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=10)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise Unavailable(f"{database.name} cannot be read: {error}.") from error
    return copy


def _plain_files(place: Path) -> Iterator[Path]:
    """The file, or everything in the folder, in order; neither links nor sockets."""
    if place.is_file():
        yield place
    for folder, folders, names in os.walk(place, followlinks=False):
        folders.sort()
        found = (Path(folder) / name for name in sorted(names))
        yield from (one for one in found if one.is_file() and not one.is_symlink())


class _Hashed(io.RawIOBase):
    """Reads a file and hashes what was read."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        found = self._inner.read(size)
        self.sha256.update(found)
        return found


def _add(archive: tarfile.TarFile, place: Path, name: str) -> list[Kept]:
    """As many bytes as there are now: a track may be growing. A file that is gone meanwhile is left out."""
    try:
        stream = place.open("rb")
    except FileNotFoundError:
        return []
    with stream:
        status = os.fstat(stream.fileno())
        member = _member(name, status.st_size, int(status.st_mtime))
        hashed = _Hashed(stream)
        archive.addfile(member, hashed)
    return [Kept(name, hashed.sha256.hexdigest(), member.size)]


def _add_manifest(archive: tarfile.TarFile, told: Manifest) -> None:
    content = msgspec.json.format(msgspec.json.encode(told))
    archive.addfile(_member(MANIFEST, len(content), int(told.made_at.timestamp())), io.BytesIO(content))


def _member(name: str, size: int, modified: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, modified, 0o600
    return member
