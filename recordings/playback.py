"""Opens sealed sound for listening: checks that it is what was sealed, and cuts it to what the listener may hear."""

import os
from collections import OrderedDict
from dataclasses import dataclass

from recordings import wav
from recordings.closing import digest, read_at
from recordings.errors import NotReady, SoundDamaged, SoundMissing, UnsafePath
from recordings.model import RATE, Recording, RecordingState, Span
from recordings.store_files import RecordingFiles

_REMEMBER = 10_000
"""How many files' checks are remembered."""


@dataclass(frozen=True, slots=True)
class Sound:
    """An open, checked sound. Whoever has it closes it."""

    descriptor: int
    view: wav.View
    whole: bool
    """The view is the stored file itself, byte for byte."""
    etag: str

    @property
    def size(self) -> int:
        return self.view.size

    def read(self, offset: int, count: int) -> bytes:
        """Bytes of what the listener gets. Blocking."""
        if self.whole:
            return read_at(self.descriptor, offset, min(count, max(0, self.size - offset)))
        return self.view.read(lambda at, many: read_at(self.descriptor, at, many), offset, count)

    def close(self) -> None:
        os.close(self.descriptor)


class Playback:
    """Opens recordings. A file is hashed when it is first played and again whenever it was touched since."""

    def __init__(self, files: RecordingFiles) -> None:
        self._files = files
        self._checked: OrderedDict[str, tuple[int, ...]] = OrderedDict()

    def open(self, recording: Recording, audible: tuple[Span, ...], channel: str = "") -> Sound:
        """Open the stretches `audible` of all channels, or of those of one party, or of the one with this index.

        Blocking.

        Raises:
            NotReady: it is not composed yet.
            SoundMissing: no file, no such channel, or it was removed when its time was over.
            SoundDamaged: the file is not what was sealed.
        """
        if recording.state in (RecordingState.OPEN, RecordingState.PENDING):
            raise NotReady("The recording is not composed yet; ask again when the call is over.")
        if recording.state is not RecordingState.CLOSED or not audible:
            raise SoundMissing("There is no sound for this recording.")
        try:
            descriptor = self._files.open_sound(recording.folder, recording.id)
        except UnsafePath as error:
            raise SoundDamaged("The recording's file was replaced by something else; it is not played.") from error
        try:
            return self._cut(descriptor, recording, audible, channel)
        except BaseException:
            os.close(descriptor)
            raise

    def _cut(self, descriptor: int, recording: Recording, audible: tuple[Span, ...], channel: str) -> Sound:
        self._check(descriptor, recording)
        shape = wav.parse(read_at(descriptor, 0, wav.HEADER_BYTES))
        channels = tuple(c.index for c in recording.channels if channel in ("", c.party, str(c.index)))
        if not channels:
            raise SoundMissing("There is no such channel in the recording.")
        stretches = tuple(_frames(span, recording, shape) for span in audible)
        whole = not channel and stretches == ((0, shape.frames),)
        part = "" if whole else f"-{channel or 'all'}-" + "-".join(f"{start}_{end}" for start, end in stretches)
        view = wav.View(shape, tuple(range(shape.channels)) if not channel else channels, stretches)
        return Sound(descriptor, view, whole, f'"{recording.sha256}{part}"')

    def _check(self, descriptor: int, recording: Recording) -> None:
        status = os.fstat(descriptor)
        mark = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if self._checked.get(recording.id) == mark:
            return
        if status.st_size != recording.size_bytes or digest(descriptor)[0] != recording.sha256:
            raise SoundDamaged("The recording's file is not what was sealed; it is not played.")
        self._checked[recording.id] = mark
        if len(self._checked) > _REMEMBER:
            self._checked.popitem(last=False)


def _frames(span: Span, recording: Recording, shape: wav.Shape) -> tuple[int, int]:
    """Frames of a stretch; one that reaches the end reaches the very last frame, which milliseconds cut off."""
    end = shape.frames if span.to_ms >= recording.length_ms else span.to_ms * RATE // 1000
    return min(span.from_ms * RATE // 1000, end), end
