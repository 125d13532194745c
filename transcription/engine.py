"""What a speech engine is, and how a recording runs through one. Knows no engine by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr

from transcription.model import UNKNOWN_SPEAKER, ModelIdentity, Segment, Speaker, Utterance
from transcription.segments import Punctuation, dialogue
from transcription.sound import Pcm, Sound


class Stream(Protocol):
    """One voice, from its first sample to its last. Belongs to one thread."""

    def accept(self, pcm: Pcm) -> list[Utterance]:
        """Take the next samples of one channel; returns what was finished by a pause."""
        ...

    def partial(self) -> str:
        """What is being said just now, words parted by blanks; it may still change."""
        ...

    def finish(self) -> list[Utterance]:
        """The rest. The stream is of no use afterwards."""
        ...


class Engine(Protocol):
    """A loaded model. Loading is slow and big: one for each process."""

    @property
    def identity(self) -> ModelIdentity: ...

    def stream(self, rate: int) -> Stream:
        """Listen to a voice at `rate` samples per second, whatever rate the model wants.

        Raises:
            Unavailable: the library refuses.
        """
        ...


class Resampler:
    """Makes int16 samples of one rate from those of another, block by block; does nothing when they are equal."""

    def __init__(self, source: int, target: int) -> None:
        self._soxr = None if source == target else soxr.ResampleStream(source, target, 1, dtype="int16")

    def feed(self, pcm: Pcm, *, last: bool = False) -> bytes:
        """The samples that are ready; with `last`, all that are left."""
        if self._soxr is None:
            return np.ascontiguousarray(pcm).tobytes()
        resampled: Pcm = self._soxr.resample_chunk(np.ascontiguousarray(pcm), last=last)
        return resampled.tobytes()


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one recording."""

    segments: tuple[Segment, ...]
    duration_ms: int


def transcribe_channel(engine: Engine, pcm: Pcm, rate: int) -> list[Utterance]:
    """All utterances of one voice that is wholly in memory."""
    stream = engine.stream(rate)
    return [*stream.accept(pcm), *stream.finish()]


def transcribe_file(
    engine: Engine,
    path: Path,
    speakers: Sequence[Speaker],
    rules: Punctuation,
    check: Callable[[], None] = lambda: None,
) -> Heard:
    """The dialogue of a recording with a voice on each channel, read once, a second at a time.

    A file with one channel and several speakers is a mixture: its speaker is unknown. `check` is called before each
    second and may raise to break off.

    Raises:
        SoundUnusable: the file cannot be read as sound.
        Unavailable: the engine refused.
    """
    with Sound(path) as sound:
        streams = [engine.stream(sound.rate) for _ in range(sound.channels)]
        said: list[list[Utterance]] = [[] for _ in streams]
        for block in sound.blocks():
            check()
            for channel, stream in enumerate(streams):
                said[channel] += stream.accept(block[:, channel])
        for channel, stream in enumerate(streams):
            said[channel] += stream.finish()
        mixed = sound.channels == 1 and len(speakers) > 1
        return Heard(dialogue(said, [UNKNOWN_SPEAKER] if mixed else speakers, rules), sound.duration_ms)
