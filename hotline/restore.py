"""Restoring a backup into an empty data folder: everything is unpacked beside, checked, and only then put in place.

It trusts no archive: only plain files below the folder are taken, and every one must be as the manifest says.
"""

import hashlib
import os
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from hotline import schema
from hotline.backup import FORMAT, MANIFEST, ROWS, Kept, Manifest, rows_file
from hotline.errors import BadInput, Conflict, Unavailable
from hotline.settings import Settings

WORK = ".restoring"
_IGNORED = frozenset({WORK, "lost+found"})
_BLOCK = 1 << 20
_SQLITE = b"SQLite format 3\0"


def restore_backup(settings: Settings, file: Path) -> Manifest:
    """Put what `make_backup` wrote into the data folder of `settings`, which must be empty; blocks.

    Raises:
        BadInput: it is no such archive, it is damaged, or a newer version made it; nothing was changed.
        Conflict: the data folder holds something.
        Unavailable: the data folder cannot be written; nothing is left in it.
    """
    data, rows = settings.data.absolute(), rows_file(settings)
    _must_be_empty(data, rows)
    work = data / WORK
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700, parents=True)
        try:
            told = _unpack(file, work)
            if rows is None and (work / ROWS).exists():
                raise BadInput(f"{file} holds the rows of an SQLite file: take HOTLINE_DATABASE_URL away first.")
            _put_in_place(work, data, rows)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise Unavailable(f"The data folder {data} cannot be written: {error.strerror or error}.") from error
    return told


def _must_be_empty(data: Path, rows: Path | None) -> None:
    there = {one.name for one in data.iterdir()} - _IGNORED if data.is_dir() else set[str]()
    if there or (rows is not None and rows.exists()):
        raise Conflict(f"A backup is restored into an empty data folder only, and {data} is not: choose another one.")


def _unpack(file: Path, work: Path) -> Manifest:
    found: dict[str, Kept] = {}
    told: Manifest | None = None
    with _opened(file) as stream, _damage_told(file), tarfile.open(fileobj=stream, mode="r|gz") as archive:
        for member in archive:
            name, content = _checked(member.name), archive.extractfile(member) if member.isfile() else None
            if content is None or name in found:
                raise BadInput(f"{file} is no backup of a hotline: {member.name} does not belong into one.")
            if name == MANIFEST:
                told = msgspec.json.decode(content.read(), type=Manifest)
            else:
                found[name] = _write(content, work / name, name)
    if told is None or told.format != FORMAT:
        raise BadInput(f"{file} is no complete backup of a hotline that this version can read.")
    _compare(file, told, found)
    _check_databases(work, told)
    return told


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error


@contextmanager
def _damage_told(file: Path) -> Generator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise BadInput(f"{file} is no backup of a hotline, or it is damaged.") from error


def _checked(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise BadInput(f"The archive holds a file that lies outside of it ({name}): it is no backup of a hotline.")
    return path.as_posix()


def _write(content: IO[bytes], place: Path, name: str) -> Kept:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        while block := content.read(_BLOCK):
            stream.write(block)
            digest.update(block)
            size += len(block)
    return Kept(name, digest.hexdigest(), size)


def _compare(file: Path, told: Manifest, found: dict[str, Kept]) -> None:
    wrong = sorted({one.path for one in told.files if found.get(one.path) != one} | found.keys() - _names(told))
    if wrong:
        raise BadInput(f"{file} is damaged: {', '.join(wrong[:3])} is not as its manifest says.", tuple(wrong))


def _names(told: Manifest) -> set[str]:
    return {one.path for one in told.files}


def _check_databases(work: Path, told: Manifest) -> None:
    if told.schema and told.schema not in schema.known():
        raise BadInput(f"The backup's schema ({told.schema}) was made by a newer version: install that one.")
    for one in told.files:
        with (work / one.path).open("rb") as stream:
            is_database = stream.read(len(_SQLITE)) == _SQLITE
        if is_database and not _is_sound(work / one.path):
            raise BadInput(f"The database {one.path} of this backup is damaged.")


def _is_sound(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _put_in_place(work: Path, data: Path, rows: Path | None) -> None:
    """The rows last: without them the folder does not look like an installation."""
    if (work / ROWS).exists() and rows is not None and rows != data / ROWS:
        rows.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(work / ROWS, rows)
    for place in sorted(work.iterdir(), key=lambda one: one.name == ROWS):
        place.rename(data / place.name)
