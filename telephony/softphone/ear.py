"""What a softphone heard: received audio with the times it came, bounded, readable from any thread."""

import threading
from collections import deque

from telephony.audio import BYTES_PER_SECOND, SLOT_SECONDS, rms, silence, tone_level

JITTER = 0.06
"""A pause longer than this between packets is a gap in the audio, a shorter one is jitter."""
LOUD = 200.0
"""RMS in sample units (-44 dBFS) above which somebody speaks or music plays."""


class Ear:
    """The last `most_seconds` of received audio."""

    def __init__(self, most_seconds: float = 600.0) -> None:
        self._frames: deque[tuple[float, bytes]] = deque()
        self._most = round(most_seconds * BYTES_PER_SECOND)
        self._held = 0
        self._lock = threading.Lock()
        self._last_loud = float("-inf")
        self.dropped = 0
        """Frames that were forgotten because the ear was full."""

    def put(self, at: float, pcm: bytes) -> None:
        """A packet's audio and the monotonic second it came."""
        with self._lock:
            self._frames.append((at, pcm))
            if rms(pcm) > LOUD:
                self._last_loud = at
            self._held += len(pcm)
            while self._held > self._most and self._frames:
                self._held -= len(self._frames.popleft()[1])
                self.dropped += 1

    def frames(self, since: float = float("-inf"), until: float = float("inf")) -> list[tuple[float, bytes]]:
        """(monotonic time, PCM) of every packet that came in that time."""
        with self._lock:
            return [frame for frame in self._frames if since <= frame[0] < until]

    def pcm(self, since: float = float("-inf"), until: float = float("inf"), *, on_time: bool = False) -> bytes:
        """The audio of that time in one piece; `on_time` fills pauses without packets with silence."""
        frames = self.frames(since, until)
        return _on_time(frames) if on_time else b"".join(pcm for _, pcm in frames)

    def first_loud(self, since: float = float("-inf"), level: float = LOUD) -> float | None:
        """When the first packet louder than `level` (RMS in sample units) came."""
        return next((at for at, pcm in self.frames(since) if rms(pcm) > level), None)

    def tone(self, frequency: float, since: float = float("-inf"), until: float = float("inf")) -> float:
        """Amplitude of one frequency over that time, in sample units."""
        return tone_level(self.pcm(since, until), frequency)

    def quiet_for(self, now: float) -> float:
        """Seconds since the last loud packet; infinity when there was none."""
        return now - self._last_loud


def _on_time(frames: list[tuple[float, bytes]]) -> bytes:
    out = bytearray()
    if not frames:
        return b""
    start = frames[0][0]
    for at, pcm in frames:
        missing = at - start - len(out) / BYTES_PER_SECOND
        if missing > JITTER:
            out += silence(round(missing / SLOT_SECONDS) * SLOT_SECONDS)
        out += pcm
    return bytes(out)
