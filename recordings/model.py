"""Values of recordings: parties, the raw tracks that Asterisk writes, channels of the finished sound, and the row."""

import re
from datetime import datetime
from enum import StrEnum

import msgspec

_ID = re.compile(r"[a-z]{1,12}_[0-9a-z]{1,35}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether `text` can be an id of ours; what cannot is neither looked for nor made a file of."""
    return _ID.fullmatch(text) is not None


RATE = 8000
"""Samples per second of every track and every finished recording."""

SAMPLE_BYTES = 2
"""Signed 16 bit, little endian."""


class Party(StrEnum):
    """Whose voice it is."""

    CITIZEN = "citizen"  # 市民
    OPERATOR = "operator"  # 话务员
    EXPERT = "expert"  # 专家
    SUPERVISOR = "supervisor"  # 班长
    OUTSIDE = "outside"  # 外线
    ANNOUNCEMENT = "announcement"  # 播报: what our own machine said to all
    UNKNOWN = "unknown"  # a track nobody told us of: its sound is kept all the same


class RecordingState(StrEnum):
    """Where a recording is in its life."""

    OPEN = "open"  # the call runs, tracks grow
    PENDING = "pending"  # the call is over, the sound is not composed yet
    CLOSED = "closed"  # composed, verified and sealed in the chain
    LOST = "lost"  # sealed as well, but there was no sound at all
    PURGING = "purging"  # its time is over, the file is being removed
    PURGED = "purged"  # the file is gone, a certificate says so


SEALED = frozenset({RecordingState.CLOSED, RecordingState.LOST})


class Flag(StrEnum):
    """What is wrong with a party's sound."""

    MISSING = "missing"  # no file
    EMPTY = "empty"  # a file without sound
    TRUNCATED = "truncated"  # shorter than the party was there
    MISPLACED = "misplaced"  # its start cannot be right; put to the beginning
    UNDECLARED = "undeclared"  # nobody said whose it is
    REFUSED = "refused"  # not a plain file: never read


class Transcription(StrEnum):
    """What became of the recording's transcript."""

    NONE = "none"  # not closed yet, or nothing to transcribe
    WANTED = "wanted"
    DONE = "done"
    NO_MODEL = "no_model"
    FAILED = "failed"


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One party's raw sound: `LINE.sln` in the folder of the call."""

    line: str
    """Asterisk's Uniqueid, which is also the file's name."""
    party: Party
    started_at: datetime | None = None
    """When its first sample was spoken; nothing when nobody saw it begin (then its end is what aligns it)."""
    ended_at: datetime | None = None
    agent: str = ""
    """工号 of the person, empty for citizens and unknown parties."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of the finished sound, milliseconds from its beginning."""

    from_ms: int
    to_ms: int


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One party in the finished sound."""

    index: int
    """0 is left. The citizen is always 0; operators follow in the order they came, then experts, then others."""
    party: Party
    agent: str = ""
    lines: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    """When the party was there."""
    flags: tuple[Flag, ...] = ()


class Muted(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of silence by policy, because keys were pressed."""

    line: str
    began_at: datetime
    ended_at: datetime


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """The sound of one answered call."""

    id: str
    call: str
    folder: str
    """`YYYY/MM/DD` below the recordings' root."""
    state: RecordingState
    opened_at: datetime
    answered_at: datetime
    """Where the finished sound begins."""
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    tracks: tuple[Track, ...] = ()
    channels: tuple[Channel, ...] = ()
    muted: tuple[Muted, ...] = ()
    agents: tuple[str, ...] = ()
    """工号 of everybody who talked in it."""
    length_ms: int = 0
    size_bytes: int = 0
    sha256: str = ""
    """Of the whole file, hexadecimal; empty until sealed."""
    truncated: bool = False
    """Some party's sound is missing or shorter than it should be; the channels' flags say whose."""
    problem: str = ""
    """Why closing did not succeed yet, one sentence."""
    attempts: int = 0
    retention_class: str = ""
    """Decides how long it is kept; empty: not classified yet."""
    legal_hold: bool = False
    transcription: Transcription = Transcription.NONE


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that a recording was removed because its time was over."""

    recording: str
    call: str
    retention_class: str
    keep_days: int
    kept_until: datetime
    purged_at: datetime
    purged_by: str
    sha256: str
    size_bytes: int
    length_ms: int
