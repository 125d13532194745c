"""Compares rows, files and the hash chain, and names everything that does not fit."""

import asyncio
import os
from collections.abc import Iterator
from enum import StrEnum
from functools import partial

import msgspec

from hotline.database import Database
from hotline.errors import HotlineError
from recordings import store_sql as store
from recordings.chain_sql import chain
from recordings.closing import digest
from recordings.errors import SoundMissing
from recordings.integrity import Deed, Head, Link, broken, differences
from recordings.model import SEALED, Recording, RecordingState
from recordings.store_files import PART, RecordingFiles

_BATCH = 500


class Finding(StrEnum):
    """What can be wrong."""

    MISSING = "missing"  # sealed, but no file
    CHANGED = "changed"  # the file is not what was sealed
    TRUNCATED = "truncated"  # the file is shorter than what was sealed
    EXTRA = "extra"  # a file that no row knows
    ROW = "row"  # the row says something else than the chain
    CHAIN = "chain"  # a link of the chain is missing or was changed


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    finding: Finding
    subject: str
    """Recording id, or the path of an extra file below the recordings' root."""
    detail: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one verification."""

    recordings: int
    links: int
    head: Head | None
    """Write it down outside of this machine: later runs compare with it."""
    troubles: tuple[Trouble, ...] = ()

    @property
    def well(self) -> bool:
        return not self.troubles


async def verify(database: Database, files: RecordingFiles, expected: Head | None = None) -> Report:
    """Read everything. `expected`: a head that was written down before and must be in the chain.

    Raises:
        Unavailable: the database does not answer.
    """
    troubles: list[Trouble] = []
    sealed: dict[str, Link] = {}
    head, found = None, expected is None
    while links := await database.read(partial(chain, after=head.seq if head else 0, limit=_BATCH)):
        troubles.extend(Trouble(Finding.CHAIN, link.recording, text) for link, text in broken(links, head))
        sealed.update({link.recording: link for link in links if link.deed is Deed.CLOSED})
        found = found or any(Head(link.seq, link.hash) == expected for link in links)
        head = Head(links[-1].seq, links[-1].hash)
    if not found and expected is not None:
        troubles.append(Trouble(Finding.CHAIN, "", f"link {expected.seq} of the expected head is not in the chain"))
    rows = await _rows(database)
    for row in rows:
        troubles.extend(_row_troubles(row, sealed.get(row.id)))
        troubles.extend(await asyncio.to_thread(_file_troubles, files, row))
    troubles.extend(await asyncio.to_thread(_extra, files, rows))
    return Report(recordings=len(rows), links=head.seq if head else 0, head=head, troubles=tuple(troubles))


async def _rows(database: Database) -> list[Recording]:
    rows: list[Recording] = []
    while True:
        after = rows[-1].id if rows else ""
        more = await database.read(
            partial(store.recordings_in, states=tuple(RecordingState), limit=_BATCH, after=after)
        )
        rows.extend(more)
        if len(more) < _BATCH:
            return rows


def _row_troubles(row: Recording, link: Link | None) -> list[Trouble]:
    if row.state in (RecordingState.OPEN, RecordingState.PENDING):
        return [Trouble(Finding.ROW, row.id, "sealed, but the row says that it is not")] if link else []
    if link is None:
        return [Trouble(Finding.CHAIN, row.id, "the row says sealed, but no link seals it")]
    names = differences(link, row)
    return [Trouble(Finding.ROW, row.id, "differs from what was sealed: " + ", ".join(names))] if names else []


def _file_troubles(files: RecordingFiles, row: Recording) -> list[Trouble]:
    if row.state is not RecordingState.CLOSED:
        return []
    try:
        descriptor = files.open_sound(row.folder, row.id)
    except SoundMissing:
        return [Trouble(Finding.MISSING, row.id)]
    except HotlineError as error:
        return [Trouble(Finding.CHANGED, row.id, str(error))]
    try:
        sha256, size = digest(descriptor)
    finally:
        os.close(descriptor)
    if size < row.size_bytes:
        return [Trouble(Finding.TRUNCATED, row.id, f"{size} bytes of {row.size_bytes}")]
    return [] if sha256 == row.sha256 else [Trouble(Finding.CHANGED, row.id, "another hash than was sealed")]


def _extra(files: RecordingFiles, rows: list[Recording]) -> Iterator[Trouble]:
    sounds = {f"{row.folder}/{row.id}.wav" for row in rows if row.state in (*SEALED, RecordingState.PURGING)}
    growing = (RecordingState.OPEN, RecordingState.PENDING)
    folders = {f"{row.folder}/{row.call}/" for row in rows if row.state in growing}
    pending = {f"{row.folder}/{row.id}.wav" for row in rows if row.state is RecordingState.PENDING}
    known = sounds | pending
    extra = [p for p in files.everything() if p not in known and f"{p.rpartition('/')[0]}/" not in folders]
    return iter([Trouble(Finding.EXTRA, path, "half-written" if path.endswith(PART) else "") for path in extra])
