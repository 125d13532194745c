"""Makes the finished sound of one call out of its raw tracks. Blocking, deterministic, and safe to run again.

Run again after a kill it gives the same bytes: the raw tracks stay until the row is sealed.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

import msgspec
import numpy as np

from recordings import wav
from recordings.errors import SoundMissing, StorageBroken
from recordings.mixdown import Found, Plan, Samples, blocks, plan
from recordings.model import SAMPLE_BYTES, Channel, Flag, Party, Recording, Track
from recordings.store_files import RecordingFiles, TrackFile

CHUNK = 1 << 20


class Composed(msgspec.Struct, frozen=True):
    """What came out: the figures that go onto the row."""

    channels: tuple[Channel, ...]
    length_ms: int
    truncated: bool
    sha256: str
    size_bytes: int
    lines: tuple[str, ...]
    """Raw tracks that may go once the row is sealed."""

    @property
    def has_sound(self) -> bool:
        return bool(self.sha256)


def _composed(layout: Plan, sha256: str, size_bytes: int, lines: tuple[str, ...]) -> Composed:
    return Composed(layout.channels, layout.length_ms, layout.truncated, sha256, size_bytes, lines)


def compose(files: RecordingFiles, recording: Recording) -> Composed:
    """Compose, write and verify the sound of a call that is over. Nothing is deleted here.

    A track that is missing, empty or cut becomes a flag of its channel, never a failure of the whole.

    Raises:
        StorageFull, StorageBroken: nothing is left behind; run it again later.
        UnsafePath: a link stands in the way of the folder itself.
    """
    there = files.tracks(recording.folder, recording.call)
    found = _found(recording, there)
    layout = plan(found, recording.answered_at)
    lines = tuple(line for line, file in there.items() if file.plain)
    if layout.frames == 0:
        return _without_tracks(files, recording, layout, lines)
    sha256, size = _write(files, recording, layout, found)
    return _composed(layout, sha256, size, lines)


def _found(recording: Recording, there: dict[str, TrackFile]) -> list[Found]:
    declared = {track.line: track for track in recording.tracks}
    strays = [line for line in there if line not in declared]
    tracks = [*declared.values(), *(Track(line=line, party=Party.UNKNOWN) for line in strays)]
    return [_one(track, there.get(track.line), stray=track.line in strays) for track in tracks]


def _one(track: Track, file: TrackFile | None, *, stray: bool) -> Found:
    flags = (Flag.UNDECLARED,) if stray else ()
    if file is None:
        return Found(track, None, None, flags)
    if not file.plain:
        return Found(track, None, None, (*flags, Flag.REFUSED))
    return Found(track, file.size // SAMPLE_BYTES, file.modified_at, flags)


def _write(files: RecordingFiles, recording: Recording, layout: Plan, found: list[Found]) -> tuple[str, int]:
    sums = hashlib.sha256()
    size = wav.HEADER_BYTES + layout.frames * len(layout.channels) * SAMPLE_BYTES
    with ExitStack() as stack:
        used = sorted({piece.track for piece in layout.pieces})
        descriptors = {n: stack.enter_context(_track(files, recording, found[n])) for n in used}

        def write(out: int) -> None:
            _put(out, sums.update, wav.header(len(layout.channels), layout.frames))
            for block in blocks(layout, _reader(descriptors)):
                _put(out, sums.update, block.tobytes())

        def check(out: int) -> None:
            if digest(out) != (sums.hexdigest(), size):
                raise StorageBroken("The disk gave back other bytes than were written; the raw tracks are kept.")

        files.write_sound(recording.folder, recording.call, recording.id, write, check)
    return sums.hexdigest(), size


def _track(files: RecordingFiles, recording: Recording, item: Found) -> AbstractContextManager[int]:
    return files.open_track(recording.folder, recording.call, item.track.line)


def _reader(descriptors: dict[int, int]) -> Callable[[int, int, int], Samples]:
    def read(track: int, first: int, count: int) -> Samples:
        raw = read_at(descriptors[track], first * SAMPLE_BYTES, count * SAMPLE_BYTES)
        return np.frombuffer(raw[: len(raw) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2")

    return read


def _put(out: int, update: Callable[[bytes], None], data: bytes) -> None:
    update(data)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(out, rest) :]


def _without_tracks(files: RecordingFiles, recording: Recording, layout: Plan, lines: tuple[str, ...]) -> Composed:
    """No track has sound. A finished file that is there already (a database older than the disk) is kept."""
    try:
        descriptor = files.open_sound(recording.folder, recording.id)
    except SoundMissing:
        return _composed(layout, "", 0, lines)
    try:
        shape = wav.parse(read_at(descriptor, 0, wav.HEADER_BYTES))
        sha256, size = digest(descriptor)
    except ValueError:
        return _composed(layout, "", 0, lines)
    finally:
        os.close(descriptor)
    whole = Plan(recording.channels or layout.channels, (), shape.frames)
    return _composed(whole, sha256, size, lines)


def is_whole(files: RecordingFiles, recording: Recording) -> bool:
    """Whether the finished sound on disk is the one that was sealed. Blocking, reads all of it."""
    try:
        descriptor = files.open_sound(recording.folder, recording.id)
    except SoundMissing:
        return False
    try:
        return digest(descriptor) == (recording.sha256, recording.size_bytes)
    finally:
        os.close(descriptor)


def digest(descriptor: int) -> tuple[str, int]:
    """SHA-256 and size of an open file, read from its beginning."""
    sums, offset = hashlib.sha256(), 0
    while chunk := os.pread(descriptor, CHUNK, offset):
        sums.update(chunk)
        offset += len(chunk)
    return sums.hexdigest(), offset


def read_at(descriptor: int, offset: int, count: int) -> bytes:
    """Bytes of an open file, fewer only at its end."""
    parts: list[bytes] = []
    while count > 0 and (part := os.pread(descriptor, min(count, CHUNK), offset)):
        parts.append(part)
        offset, count = offset + len(part), count - len(part)
    return b"".join(parts)
