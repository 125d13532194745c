"""Values of what is heard live: lines, calls that are followed, and what the listening process is told and tells."""

from datetime import datetime
from enum import StrEnum

import msgspec

from transcription.model import ModelIdentity


class LiveState(StrEnum):
    """Whether the words of a call are shown as they are said, and why not."""

    ON = "on"  # 实时转写中
    BUSY = "busy"  # 超出同时转写的数量
    OFF = "off"  # 未启用
    NO_MODEL = "no_model"  # 未安装语音模型
    FAILED = "failed"  # 转写进程正在重启
    ENDED = "ended"  # 通话已结束


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What one voice said between two pauses, masked and written for people; or a gap in what was heard of it."""

    number: int
    """Of this voice's lines, from 0. The same number again: the line is another one now."""
    start_ms: int
    """From the start of the voice's track; of a call's line, from its first answer."""
    end_ms: int
    text: str
    """Empty: a gap."""
    confidence: float = 0.0
    uncertain: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a call."""

    id: str
    """Within its call."""
    party: str
    agent: str
    line: Line
    is_open: bool = False
    """Is being said just now and may still become another one."""


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """One party of a call and the file that its voice is written to."""

    line: str
    """The telephone line; names the voice within its call."""
    party: str
    agent: str = ""
    path: str
    """Absolute; raw samples, 8 kHz, 16 bit, mono."""
    began_at: datetime | None
    """When the file began; nothing when nobody saw it."""


# What the process is told --------------------------------------------------------------------------------------------


class Follow(msgspec.Struct, frozen=True, kw_only=True, tag="follow"):
    """Listen to a track from `from_ms` on. What lies further back than `catch_up_ms` is passed over."""

    track: int
    path: str
    from_ms: int = 0
    catch_up_ms: int
    first: int = 0
    """Number of its next line."""


class Hush(msgspec.Struct, frozen=True, kw_only=True, tag="hush"):
    """A stretch of a track that nobody may know: keys were pressed. Without an end it is not over."""

    track: int
    from_ms: int
    to_ms: int | None = None


class Leave(msgspec.Struct, frozen=True, kw_only=True, tag="leave"):
    """Listen to the rest of a track, then no more."""

    track: int


AnyCommand = Follow | Hush | Leave


# What it tells -------------------------------------------------------------------------------------------------------


class Using(msgspec.Struct, frozen=True, kw_only=True, tag="using"):
    """The model is loaded."""

    model: ModelIdentity


class Unusable(msgspec.Struct, frozen=True, kw_only=True, tag="unusable"):
    """There is no model, or it cannot be used."""

    reason: str


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened"):
    """A track is there, and so long already."""

    track: int
    length_ms: int


class Said(msgspec.Struct, frozen=True, kw_only=True, tag="said"):
    """A line that is new, or became another one; times from the start of the track."""

    track: int
    line: Line


class Saying(msgspec.Struct, frozen=True, kw_only=True, tag="saying"):
    """What is being said; empty: nothing any more. At most once in a second."""

    track: int
    start_ms: int
    text: str


class Left(msgspec.Struct, frozen=True, kw_only=True, tag="left"):
    """A track is not listened to any more."""

    track: int
    failed: bool = False


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """It lives and does its rounds; told now and then, and heard by its parent alone."""


AnyNews = Using | Unusable | Opened | Said | Saying | Left
