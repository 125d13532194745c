"""What is known of one call while it is heard: its voices, its lines, who reads them. Values and bookkeeping; no IO.

Bounded: the newest lines are kept, the transcript that is made of the recording has them all.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from transcription.live.model import Line, Shown, Voice

MOST = 1000
"""Lines of one call; some two hours of talking."""


class Heard(msgspec.Struct, kw_only=True):
    """One voice of a call. Its lines are numbered on, however often it is left and followed again."""

    voice: Voice
    track: int = 0
    """While it is followed; 0 otherwise."""
    offset: timedelta | None = None
    """From the first answer to the beginning of the file; nothing while nobody knows."""
    next: int = 0
    heard_ms: int = 0
    """How far it was heard, from the beginning of the file."""
    saying: Shown | None = None
    lost: bool = False
    """The process that listened to it died of something, perhaps of this: it is heard again from then on only."""

    def ms(self, at: datetime, answered_at: datetime) -> int:
        """A moment as milliseconds of the file."""
        return max(round((at - answered_at - (self.offset or timedelta())) / timedelta(milliseconds=1)), 0)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What is new since somebody looked."""

    cursor: str
    is_whole: bool
    """Everything is here: what was known before counts no more."""
    lines: tuple[Shown, ...]
    saying: tuple[Shown, ...]


class Session:
    """A call from its first answer until a while after its end."""

    def __init__(self, name: str, call: str, order: int, answered_at: datetime) -> None:
        """`name`: another one whenever the lines are counted anew; `order`: which call's talk began first."""
        self.name, self.call, self.order, self.answered_at = name, call, order, answered_at
        self.voices: dict[str, Heard] = {}
        self.present: frozenset[str] = frozenset()
        """Telephone lines of those who are in the talk now."""
        self.urgent = self.held = False
        self.hushed_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.readers: set[str] = set()
        """Persons whose view was audited."""
        self._lines: OrderedDict[str, tuple[int, Shown]] = OrderedDict()
        self._change = 0

    def add(self, voice: Voice) -> None:
        """A party's voice is recorded from now on."""
        if voice.line not in self.voices:
            offset = None if voice.began_at is None else voice.began_at - self.answered_at
            self.voices[voice.line] = Heard(voice=voice, offset=offset)

    def say(self, heard: Heard, line: Line) -> None:
        """A line that is new, or became another one."""
        heard.next = max(heard.next, line.number + 1)
        heard.heard_ms = max(heard.heard_ms, line.end_ms)
        heard.saying = None
        shown = self._shown(heard, line)
        self._change += 1
        self._lines[shown.id] = (self._change, shown)
        self._lines.move_to_end(shown.id)
        if len(self._lines) > MOST:
            self._lines.popitem(last=False)

    def begin_to_say(self, heard: Heard, start_ms: int, text: str) -> None:
        """What is being said; empty: nothing any more."""
        self._change += 1
        line = Line(number=heard.next, start_ms=start_ms, end_ms=start_ms, text=text)
        heard.saying = self._shown(heard, line, is_open=True) if text else None

    def look(self, after: str) -> Look:
        """Everything after the cursor `after`, in the order in which it came to be known."""
        name, _, change = after.partition(".")
        known = int(change) if name == self.name and change.isdigit() else 0
        return Look(
            cursor=f"{self.name}.{self._change}",
            is_whole=known == 0,
            lines=tuple(self._since(known)),
            saying=tuple(heard.saying for heard in self.voices.values() if heard.saying is not None),
        )

    def _since(self, known: int) -> Iterable[Shown]:
        newest: list[Shown] = []
        for change, shown in reversed(self._lines.values()):
            if change <= known:
                break
            newest.append(shown)
        return reversed(newest)

    def _shown(self, heard: Heard, line: Line, *, is_open: bool = False) -> Shown:
        by = round((heard.offset or timedelta()) / timedelta(milliseconds=1))
        start, end = max(line.start_ms + by, 0), max(line.end_ms + by, 0)
        return Shown(
            id=f"{list(self.voices).index(heard.voice.line)}.{line.number}",
            party=heard.voice.party,
            agent=heard.voice.agent,
            line=msgspec.structs.replace(line, start_ms=start, end_ms=end),
            is_open=is_open,
        )
