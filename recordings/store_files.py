"""Sound on disk: `ROOT/YYYY/MM/DD/RECORDING.wav`, and before that the raw tracks `ROOT/YYYY/MM/DD/CALL/LINE.sln`.

Every name is made of ids that this product made; every step down from the root refuses symbolic links, so that
nothing outside is ever read, written or deleted. Blocking: called in threads. It knows no rows.
"""

import errno
import fcntl
import os
import re
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from recordings.errors import ClosedElsewhere, SoundMissing, StorageBroken, StorageFull, UnsafePath

_DAY = re.compile(r"\d{4}/\d{2}/\d{2}", re.ASCII)
_ID = re.compile(r"[a-z]{1,12}_[0-9a-z]{1,35}", re.ASCII)
_LINE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,60}\.\d{1,20}|[0-9A-Za-z][0-9A-Za-z_-]{0,79}", re.ASCII)
_CLOSED_ELSEWHERE = "This recording is being closed by another process just now."
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
TRACK = ".sln"
SOUND = ".wav"
PART = ".part"


@dataclass(frozen=True, slots=True)
class TrackFile:
    """A raw track on disk."""

    size: int
    """Bytes; 0 for what is not a plain file."""
    modified_at: datetime
    plain: bool
    """False: a link, a folder, a pipe; never opened."""


class RecordingFiles:
    """The folder of all recordings of one installation. Its root may be a link; nothing below it may."""

    def __init__(self, root: Path, zone: tzinfo) -> None:
        self.root = root.absolute()
        self._zone = zone

    def day(self, at: datetime) -> str:
        """`YYYY/MM/DD` of a moment on the office's calendar."""
        return at.astimezone(self._zone).strftime("%Y/%m/%d")

    def track_folder(self, day: str, call: str) -> Path:
        """Where Asterisk writes the tracks of a call, absolute. Nothing is made here.

        Raises:
            UnsafePath: `day` or `call` is not one of ours.
        """
        return self.root / _checked(_DAY, day) / _checked(_ID, call)

    def tracks(self, day: str, call: str) -> dict[str, TrackFile]:
        """The raw tracks that are there, by line."""
        with _disk_errors(), self._folder(day, call) as folder:
            if folder is None:
                return {}
            names = [name for name in _names(folder) if name.endswith(TRACK)]
            return {name.removesuffix(TRACK): _look(folder, name) for name in names}

    @contextmanager
    def open_track(self, day: str, call: str, line: str) -> Generator[int]:
        """A file descriptor of a raw track.

        Raises:
            SoundMissing, UnsafePath, StorageBroken
        """
        name = _checked(_LINE, line) + TRACK
        with _disk_errors(), self._folder(day, call) as folder:
            if folder is None:
                raise SoundMissing("The track is not there.")
            descriptor = _open_plain(folder, name)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def open_sound(self, day: str, recording: str) -> int:
        """A file descriptor of a finished recording; the caller closes it.

        Raises:
            SoundMissing, UnsafePath, StorageBroken
        """
        name = _checked(_ID, recording) + SOUND
        with _disk_errors(), self._folder(day) as folder:
            if folder is None:
                raise SoundMissing("The recording's file is not there.")
            return _open_plain(folder, name)

    def write_sound(
        self, day: str, call: str, recording: str, write: Callable[[int], None], check: Callable[[int], None]
    ) -> None:
        """Make a finished recording in one step: nobody ever sees half of it, and it survives a power cut.

        `write` fills a new file; `check` reads it again from the disk and raises when it is not what was meant.

        Raises:
            StorageFull, StorageBroken, UnsafePath
        """
        name = _checked(_ID, recording) + SOUND
        with _disk_errors(), self._folder(day, call, create=True) as work, self._folder(day) as folder:
            assert work is not None and folder is not None  # noqa: S101, PT018 - they were just made
            part = f"{recording}.{os.getpid()}{PART}"
            _remove_parts(work)
            try:
                _fill(work, part, write, check)
                os.rename(part, name, src_dir_fd=work, dst_dir_fd=folder)
                os.fsync(folder)
            except BaseException:
                _unlink(work, part)
                raise

    def delete_sound(self, day: str, recording: str) -> None:
        """Remove a finished recording; one that is gone already is no error."""
        name = _checked(_ID, recording) + SOUND
        with _disk_errors(), self._folder(day) as folder:
            if folder is not None:
                _unlink(folder, name)
                os.fsync(folder)

    def delete_tracks(self, day: str, call: str, lines: tuple[str, ...]) -> None:
        """Remove raw tracks, and the call's folder when nothing else is in it."""
        with _disk_errors(), self._folder(day, call) as folder:
            if folder is None:
                return
            for line in lines:
                _unlink(folder, _checked(_LINE, line) + TRACK)
            _remove_parts(folder)
        with _disk_errors(), self._folder(day) as parent:
            if parent is not None:
                _remove_if_empty(parent, call)

    def hold(self, day: str, call: str) -> int:
        """Hold the call's folder while its recording is closed. The caller closes the descriptor; a killed
        process lets go by itself.

        Raises:
            ClosedElsewhere: somebody else holds it, or has just been ready with it and removed the folder.
        """
        with _disk_errors(), self._folder(day, call, create=True) as folder:
            assert folder is not None  # noqa: S101 - it was just made
            descriptor = os.dup(folder)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(descriptor)
                raise ClosedElsewhere(_CLOSED_ELSEWHERE) from error
            if os.fstat(descriptor).st_nlink == 0:
                os.close(descriptor)
                raise ClosedElsewhere(_CLOSED_ELSEWHERE)
            return descriptor

    def everything(self) -> Iterator[str]:
        """Paths of all files and links below the root, relative to it, in order."""
        for folder, folders, names in os.walk(self.root, followlinks=False):
            folders.sort()
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            for name in sorted([*names, *links]):
                yield (Path(folder) / name).relative_to(self.root).as_posix()

    def call_folders(self) -> Iterator[tuple[str, str]]:
        """`(day, call)` of every folder of raw tracks that is there."""
        for folder, folders, _ in os.walk(self.root, followlinks=False):
            day = Path(folder).relative_to(self.root).as_posix()
            if _DAY.fullmatch(day):
                calls = sorted(name for name in folders if _ID.fullmatch(name))
                folders.clear()
                yield from ((day, call) for call in calls)

    @contextmanager
    def _folder(self, day: str, call: str | None = None, *, create: bool = False) -> Generator[int | None]:
        """A descriptor of the day's or the call's folder, reached without following a link; `None`: not there."""
        parts = [*_checked(_DAY, day).split("/"), *([] if call is None else [_checked(_ID, call)])]
        if create:
            self.root.mkdir(parents=True, exist_ok=True)
        descriptor = _descend(self.root, parts, create=create)
        try:
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)


def line_of(name: str) -> str | None:
    """The line whose track has this file name; nothing for a name that is not ours."""
    line = name.removesuffix(TRACK)
    return line if name.endswith(TRACK) and _LINE.fullmatch(line) else None


def _checked(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise UnsafePath("A recording's file is named by our own ids only.")
    return value


def _descend(root: Path, parts: list[str], *, create: bool) -> int | None:
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    for part in parts:
        try:
            if create:
                _make(descriptor, part)
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        except FileNotFoundError as error:
            if create:
                raise ClosedElsewhere(_CLOSED_ELSEWHERE) from error
            return None
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def _make(parent: int, name: str) -> None:
    try:
        os.mkdir(name, 0o750, dir_fd=parent)
    except FileExistsError:
        return
    os.fsync(parent)


def _open_plain(folder: int, name: str) -> int:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError as error:
        raise SoundMissing("The recording's file is not there.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnsafePath("The recording's file is not a plain file; it was not read.")
    return descriptor


def _look(folder: int, name: str) -> TrackFile:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    plain = stat.S_ISREG(status.st_mode) and line_of(name) is not None
    return TrackFile(status.st_size if plain else 0, datetime.fromtimestamp(status.st_mtime, UTC), plain)


def _fill(folder: int, part: str, write: Callable[[int], None], check: Callable[[int], None]) -> None:
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640, dir_fd=folder)
    try:
        write(descriptor)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # what is checked shall come from the disk
        check(descriptor)
    finally:
        os.close(descriptor)


def _unlink(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _remove_parts(folder: int) -> None:
    """Remove what a killed process left half-written."""
    for name in _names(folder):
        if name.endswith(PART):
            _unlink(folder, name)


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def _remove_if_empty(parent: int, name: str) -> None:
    try:
        os.rmdir(name, dir_fd=parent)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


@contextmanager
def _disk_errors() -> Generator[None]:
    """Turn what the operating system says into sentences, without paths of this machine."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("The disk of the recordings is full: free some space, closing is tried again.") from error
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise UnsafePath(
                "A link or a file stands where a folder of recordings belongs; nothing was read."
            ) from error
        reason = os.strerror(error.errno or 0)
        raise StorageBroken(f"The disk of the recordings cannot be used ({reason}); closing is tried again.") from error
