"""What a softphone heard: received audio with the times it came, bounded, readable from any thread."""

import threading
from collections import deque

from telephony.audio import BYTES_PER_SECOND, rms, silence, tone_level

LOUD = 200.0
"""RMS in sample units (-44 dBFS) above which somebody speaks or music plays."""


class Ear:
    """The last `most_seconds` of received audio."""

    def __init__(self, most_seconds: float = 600.0) -> None:
        self._frames: deque[tuple[float, bytes, float]] = deque()
        self._most = round(most_seconds * BYTES_PER_SECOND)
        self._held = 0
        self._lock = threading.Lock()
        self._last_loud = float("-inf")
        self.dropped = 0
        """Frames that were forgotten because the ear was full."""

    def put(self, at: float, pcm: bytes, pause: float = 0.0) -> None:
        """A packet's audio, the monotonic second it came, and the seconds that its sender left out before it."""
        with self._lock:
            self._frames.append((at, pcm, pause))
            if rms(pcm) > LOUD:
                self._last_loud = at
            self._held += len(pcm)
            while self._held > self._most and self._frames:
                self._held -= len(self._frames.popleft()[1])
                self.dropped += 1

    def frames(self, since: float = float("-inf"), until: float = float("inf")) -> list[tuple[float, bytes]]:
        """(monotonic time, PCM) of every packet that came in that time."""
        return [(at, pcm) for at, pcm, _ in self._between(since, until)]

    def pcm(self, since: float = float("-inf"), until: float = float("inf"), *, on_time: bool = False) -> bytes:
        """The audio of that time in one piece; `on_time` fills what its sender left out with silence."""
        frames = self._between(since, until)
        if not on_time:
            return b"".join(pcm for _, pcm, _ in frames)
        return b"".join((silence(pause) if number else b"") + pcm for number, (_, pcm, pause) in enumerate(frames))

    def first_loud(self, since: float = float("-inf"), level: float = LOUD) -> float | None:
        """When the first packet louder than `level` (RMS in sample units) came."""
        return next((at for at, pcm in self.frames(since) if rms(pcm) > level), None)

    def tone(self, frequency: float, since: float = float("-inf"), until: float = float("inf")) -> float:
        """Amplitude of one frequency over that time, in sample units."""
        return tone_level(self.pcm(since, until), frequency)

    def quiet_for(self, now: float) -> float:
        """Seconds since the last loud packet; infinity when there was none."""
        return now - self._last_loud

    def _between(self, since: float, until: float) -> list[tuple[float, bytes, float]]:
        with self._lock:
            return [frame for frame in self._frames if since <= frame[0] < until]
