"""Listens to one track as it grows. What it hears is told as it is finished; it knows no call and no person.

Blocking: a step is a second of sound at most, in one thread at a time.
"""

from collections.abc import Callable

from transcription.engine import Engine, Stream
from transcription.live.model import AnyNews, Follow, Left, Line, Opened, Said, Saying
from transcription.live.tail import RATE, Tail, silenced
from transcription.live.text import Scribe
from transcription.model import Utterance
from transcription.normalise import DigitRules
from transcription.segments import Punctuation

STEP_MS = 1000
LAG_MS = 15_000
"""Further behind than this the rest is passed over: what was said then is of no use to who listens now."""
PRESENT_MS = 2_000
"""So near to the end is up to date: the writer's own delay."""
REST_S = 3.0
"""So long after the end of a talk the rest of its sound may come."""
SAYING_EVERY_S = 1.0

_MOST_HUSHED = 50
"""Stretches that are remembered; those before lie long behind."""

Tell = Callable[[AnyNews], None]


class Ear:
    """One track from the moment it is followed until it is left."""

    def __init__(self, follow: Follow, engine: Engine, rules: Punctuation, digits: DigitRules, tell: Tell) -> None:
        self.track, self._path, self._from_ms = follow.track, follow.path, follow.from_ms
        self._engine, self._tell = engine, tell
        self._scribe = Scribe(rules, digits, follow.first)
        self._most_behind_ms = follow.catch_up_ms
        """Smaller once the present is reached."""
        self._tail: Tail | None = None
        self._stream: Stream | None = None
        self._base_ms = 0
        """Where the stream began."""
        self._hushed: list[tuple[int, int | None]] = []
        self._ends_at: float | None = None
        self._saying, self._said_at = "", 0.0
        self.is_over = False

    def hush(self, from_ms: int, to_ms: int | None) -> None:
        """Never know what was said then."""
        if self._hushed and self._hushed[-1][1] is None:
            from_ms = min(from_ms, self._hushed.pop()[0])
        self._hushed.append((from_ms, to_ms))
        del self._hushed[:-_MOST_HUSHED]

    def leave(self, now: float) -> None:
        """Nothing will be said any more."""
        if self._ends_at is None:
            self._ends_at = now + REST_S

    def has_work(self, now: float) -> bool:
        """Whether a step would do something."""
        if self._tail is None or (self._ends_at is not None and now >= self._ends_at):
            return True
        return self._tail.behind_ms > 0

    def step(self, now: float) -> None:
        """Do a little; `now` is monotonic, seconds.

        Raises:
            Unavailable: the engine refused.
        """
        if self._opened():
            self._catch_up()
            self._listen(now)
        if self._ends_at is not None and now >= self._ends_at and (self._tail is None or not self._tail.behind_ms):
            self.close()

    def close(self, *, failed: bool = False) -> None:
        """Tell the rest."""
        if self._tail is not None:
            if not failed:
                self._finish_stream()
                self._told(self._scribe.end())
            self._tail.close()
        self.is_over = True
        self._tell(Left(track=self.track, failed=failed))

    def _opened(self) -> bool:
        if self._tail is None:
            self._tail = Tail.open(self._path, self._from_ms)
            if self._tail is not None:
                self._tell(Opened(track=self.track, length_ms=self._tail.length_ms))
        return self._tail is not None

    def _catch_up(self) -> None:
        """Pass over what is too long ago."""
        assert self._tail is not None  # noqa: S101 - a step opened it
        tail, behind = self._tail, self._tail.behind_ms
        if behind <= PRESENT_MS:
            self._most_behind_ms = LAG_MS
        elif behind > self._most_behind_ms:
            self._finish_stream()
            began, resumed = tail.at_ms, tail.length_ms - min(PRESENT_MS, self._most_behind_ms)
            tail.skip(resumed)
            self._told([self._scribe.gap(began, resumed)])
            self._most_behind_ms = LAG_MS

    def _listen(self, now: float) -> None:
        assert self._tail is not None  # noqa: S101 - a step opened it
        at_ms = self._tail.at_ms
        pcm = self._tail.read(STEP_MS)
        if len(pcm):
            if self._stream is None:
                self._stream, self._base_ms = self._engine.stream(RATE), at_ms
            self._heard(self._stream.accept(silenced(pcm, at_ms, self._hushed)))
        if not self._tail.behind_ms:
            self._tell_saying(now)

    def _heard(self, utterances: list[Utterance]) -> None:
        for utterance in utterances:
            self._saying = ""
            self._told(self._scribe.add(utterance, self._base_ms))

    def _tell_saying(self, now: float) -> None:
        """What is being said is worth telling once there is no more to be read, and once in a while."""
        if self._stream is None or now < self._said_at + SAYING_EVERY_S:
            return
        text = self._scribe.saying(self._stream.partial())
        if text != self._saying:
            self._saying, self._said_at = text, now
            self._tell(Saying(track=self.track, start_ms=0 if self._tail is None else self._tail.at_ms, text=text))

    def _finish_stream(self) -> None:
        if self._stream is not None:
            self._heard(self._stream.finish())
            self._stream = None

    def _told(self, lines: list[Line]) -> None:
        for line in lines:
            self._tell(Said(track=self.track, line=line))
