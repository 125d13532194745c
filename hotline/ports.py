"""What the product needs from its surroundings, in four Protocols.

Each has an embedded implementation (`hotline.local`) and a shared one (`hotline.redis_`); one contract test
per Protocol runs against both.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact as the log keeps it."""

    seq: int
    """Position in its stream, from 1, without gaps."""
    at: datetime
    """When the log took it, UTC."""
    body: bytes
    """The fact as JSON. The log never looks inside."""


class EventLog(Protocol):
    """Append-only streams of facts with an expected position: two writers can overlap, one gets `Conflict`."""

    async def append(self, stream: str, expected: int, bodies: Sequence[bytes]) -> int:
        """Add facts after position `expected`; all or none. Returns the stream's new last position.

        Raises:
            Conflict: the stream's last position is not `expected`; reload and decide again.
            Unavailable: the log cannot be written now; nothing was added.
        """
        ...

    async def read(self, stream: str, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Facts with `seq > after`, oldest first, at most `limit`."""
        ...

    async def head(self, stream: str) -> int:
        """The last position, 0 for a stream that does not exist."""
        ...

    async def save_checkpoint(self, stream: str, seq: int, state: bytes) -> None:
        """Keep `state`, the fold of everything up to `seq`; facts before it may be trimmed later."""
        ...

    async def load_checkpoint(self, stream: str) -> tuple[int, bytes] | None:
        """The newest checkpoint as `(seq, state)`."""
        ...

    async def trim(self, stream: str, upto: int, before: datetime) -> int:
        """Forget the oldest facts: those with `seq <= upto` that the log took before `before`. Never one that is newer
        than the checkpoint, never the last one of the stream; positions stay as they are. Returns how many.

        Raises:
            Unavailable: the log does not answer; some may have gone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fence:
    """Proof of a lease: a later holder always has a higher `number`."""

    name: str
    owner: str
    number: int


class Lease(Protocol):
    """Who may keep a floor just now. For efficiency; safety comes from the log's expected position."""

    async def acquire(self, name: str, owner: str, ttl: timedelta) -> Fence | None:
        """Take or re-take the lease; `None` while somebody else holds it."""
        ...

    async def renew(self, fence: Fence, ttl: timedelta) -> bool:
        """Extend it; `False` when it was lost."""
        ...

    async def release(self, fence: Fence) -> None:
        """Give it back; does nothing when it was lost already."""
        ...


class Broadcast(Protocol):
    """News for whoever listens now; nothing is kept for those who do not."""

    async def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """Send a JSON-serialisable message. Never waits for a slow listener."""
        ...

    def subscribe(self, topic: str) -> AsyncIterator[Mapping[str, Any]]:
        """Messages published from now on. A listener that lags too far is ended, not awaited."""
        ...


class Jobs(Protocol):
    """Work for another process: transcription, peaks, checksums."""

    async def enqueue(self, name: str, payload: Mapping[str, Any], *, key: str) -> None:
        """Ask for the job `name`; the same `key` while it waits or runs is the same job."""
        ...
