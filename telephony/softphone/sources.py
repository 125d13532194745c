"""What a softphone can say: anything that yields slots of 20 ms. No IO beyond what `telephony.audio` reads."""

import threading
from collections import deque
from typing import Protocol

from telephony.audio import RATE, SILENCE, SLOT_BYTES, tone


class Source(Protocol):
    """Yields telephone audio slot by slot, from the phone's own thread."""

    def read(self) -> bytes | None:
        """The next 320 bytes, or None for ever after the end."""
        ...


class Clip:
    """Audio once, or again and again with `gap` seconds of silence between."""

    def __init__(self, pcm: bytes, *, repeat: bool = False, gap: float = 0.0) -> None:
        padded = pcm + bytes(-len(pcm) % SLOT_BYTES)
        self._pcm = padded + bytes(2 * round(gap * RATE) // SLOT_BYTES * SLOT_BYTES if repeat else 0)
        self._repeat = repeat
        self._at = 0

    def read(self) -> bytes | None:
        if self._at >= len(self._pcm):
            if not self._repeat or not self._pcm:
                return None
            self._at = 0
        self._at += SLOT_BYTES
        return self._pcm[self._at - SLOT_BYTES : self._at]


class Tone(Clip):
    """An endless sine; a whole number of Hz leaves no click at the second's end."""

    def __init__(self, frequency: int, amplitude: float = 8000.0) -> None:
        super().__init__(tone(frequency, 1.0, amplitude), repeat=True)


class Feed:
    """Audio that somebody writes while the call goes on. Full: the oldest slots are dropped. Empty: silence."""

    def __init__(self, most_seconds: float = 60.0) -> None:
        self._slots: deque[bytes] = deque(maxlen=max(1, round(most_seconds * 50)))
        self._rest = b""
        self._lock = threading.Lock()
        self._closed = False

    def write(self, pcm: bytes) -> None:
        with self._lock:
            data = self._rest + pcm
            whole = len(data) - len(data) % SLOT_BYTES
            self._slots.extend(data[at : at + SLOT_BYTES] for at in range(0, whole, SLOT_BYTES))
            self._rest = data[whole:]

    def close(self) -> None:
        """Nothing more comes: the source ends when it is empty."""
        self._closed = True

    @property
    def pending(self) -> float:
        """Seconds that are not said yet."""
        return len(self._slots) / 50

    def read(self) -> bytes | None:
        with self._lock:
            if self._slots:
                return self._slots.popleft()
        return None if self._closed else SILENCE
