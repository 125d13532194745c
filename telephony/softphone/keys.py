"""Telephone keys as RTP events (RFC 4733): pure on both sides, one step for each slot of 20 ms.

Refuses to know sockets and sequence numbers; keys are personal data and are never logged.
"""

import struct
from collections import deque
from dataclasses import dataclass

from telephony.audio import SLOT_SAMPLES, SLOT_SECONDS
from telephony.softphone.model import KEYS

VOLUME = 10
"""-10 dBm0, the usual level of a key."""
END = 0x80
END_REPEATS = 3
"""The last packet is sent three times, so that one lost packet does not make the key last for ever (§2.5.1.4)."""
MOST_WAITING = 256
"""Keys that may wait to be sent."""


@dataclass(slots=True)
class _Press:
    event: int
    slots: int
    gap: int
    start: int = 0
    """RTP time stamp of its first packet."""
    done: int = 0


class KeySender:
    """Keys waiting to be sent, one after the other with gaps between them."""

    def __init__(self) -> None:
        self._waiting: deque[_Press] = deque(maxlen=MOST_WAITING)
        self._now: _Press | None = None

    def press(self, keys: str, seconds: float, gap: float) -> None:
        for key in keys:
            slots = max(2, round(seconds / SLOT_SECONDS))
            self._waiting.append(_Press(KEYS.index(key), slots, round(gap / SLOT_SECONDS)))

    @property
    def busy(self) -> bool:
        return bool(self._now or self._waiting)

    def slot(self, timestamp: int) -> list[tuple[int, bool, bytes]]:
        """The event packets of this slot as (time stamp, marker, payload); none: send audio."""
        if self._now is None and self._waiting:
            self._now = self._waiting.popleft()
            self._now.start = timestamp
        press = self._now
        if press is None:
            return []
        press.done += 1
        if press.done > press.slots:
            if press.done - press.slots >= press.gap:
                self._now = None
            return []
        last = press.done == press.slots
        payload = struct.pack("!BBH", press.event, (END if last else 0) | VOLUME, press.done * SLOT_SAMPLES)
        return [(press.start, press.done == 1, payload)] * (END_REPEATS if last else 1)


class KeyReader:
    """Finds each pressed key once, although its event comes in many packets."""

    def __init__(self) -> None:
        self._last: int | None = None

    def read(self, timestamp: int, payload: bytes) -> str:
        """The key that begins with this packet, empty when it goes on or is none."""
        if len(payload) < 4 or timestamp == self._last or payload[0] >= len(KEYS):
            return ""
        self._last = timestamp
        return KEYS[payload[0]]
