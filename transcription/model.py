"""Values of transcription: words, segments, speakers, the model that heard them, and the transcript itself."""

from datetime import datetime
from enum import StrEnum

import msgspec

UNKNOWN_WORD = "[unk]"
"""What an engine writes for a word outside its vocabulary; kept in `Word.word`, shown as a mark in `Segment.text`."""


class TranscriptState(StrEnum):
    """Where a transcript is in its life."""

    WAITING = "waiting"  # 待转写
    RUNNING = "running"  # 转写中
    READY = "ready"  # 已转写
    NO_MODEL = "no_model"  # 未安装语音模型
    FAILED = "failed"  # 转写失败: parked, nobody tries again unasked


FINISHED = frozenset({TranscriptState.READY, TranscriptState.NO_MODEL, TranscriptState.FAILED})


class Word(msgspec.Struct, frozen=True):
    """One word as the engine heard it; times in milliseconds from the start of the recording."""

    word: str
    start_ms: int
    end_ms: int
    confidence: float
    """From 0 to 1."""


class Utterance(msgspec.Struct, frozen=True):
    """What an engine returns between two pauses of one voice; never without words."""

    words: tuple[Word, ...]

    @property
    def start_ms(self) -> int:
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        return self.words[-1].end_ms


class Speaker(msgspec.Struct, frozen=True):
    """Who is heard on one channel of a recording."""

    party: str
    """`citizen`, `operator`, `expert` …; `unknown` when nobody said."""
    agent: str = ""
    """工号 of the person, if it is one of ours."""


UNKNOWN_SPEAKER = Speaker("unknown")


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of the dialogue: words of one speaker that nobody came between."""

    party: str
    agent: str = ""
    channel: int = 0
    start_ms: int
    end_ms: int
    text: str
    """For people: without blanks, with punctuation, a mark for each unknown word."""
    confidence: float
    """Mean of the words' confidence."""
    words: tuple[Word, ...]
    uncertain: bool = False
    """An unknown word is among them, or the confidence is low."""


class ModelIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Which model made a transcript."""

    engine: str
    name: str
    digest: str
    """Fingerprint of the model's files, see `transcription.model_folder.digest`."""
    rate: int
    """Samples per second that it wants."""
    demonstration: bool = False
    words: int = 0
    """Size of its vocabulary where its card tells; 0 otherwise."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for a transcript; also the payload of the job."""

    recording: str
    call: str
    path: str
    """The WAV file, relative to the data folder."""
    channels: tuple[Speaker, ...] = ()
    """Who is on which channel, in order."""


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """The transcript of one recording. There is at most one of each recording."""

    id: str
    order: Order
    state: TranscriptState
    attempts: int = 0
    """How often a worker began."""
    reason: str = ""
    """One sentence on the last failure; never what was said."""
    model: ModelIdentity | None = None
    segments: tuple[Segment, ...] = ()
    duration_ms: int = 0
    """Length of the recording."""
    took_ms: int = 0
    """Time that the worker needed."""
    requested_at: datetime
    finished_at: datetime | None = None
