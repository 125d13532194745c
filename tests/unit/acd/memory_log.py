"""An event log in memory, and ways for it to fail."""

# ruff: noqa: ARG002 it has one stream, whatever it is called

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from hotline.errors import Conflict, Unavailable
from hotline.ports import Entry


class MemoryLog:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.checkpoint: tuple[int, bytes] | None = None
        self.is_away = False
        self.answer_is_lost = False
        self.hangs = False

    async def append(self, stream: str, expected: int, bodies: Sequence[bytes]) -> int:
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable("The log is away.")
        if expected != len(self.bodies):
            raise Conflict("Somebody was faster.")
        self.bodies.extend(bodies)
        if self.hangs:
            await asyncio.sleep(60)
        if self.answer_is_lost:
            raise Unavailable("The answer was lost.")
        return len(self.bodies)

    async def read(self, stream: str, after: int = 0, limit: int = 1000) -> list[Entry]:
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable("The log is away.")
        found = enumerate(self.bodies[after : after + limit], after + 1)
        return [Entry(seq, datetime(2026, 1, 1, tzinfo=UTC), body) for seq, body in found]

    async def head(self, stream: str) -> int:
        return len(self.bodies)

    async def save_checkpoint(self, stream: str, seq: int, state: bytes) -> None:
        if self.is_away:
            raise Unavailable("The log is away.")
        self.checkpoint = (seq, state)

    async def trim(self, stream: str, upto: int, before: datetime) -> int:
        """Forgets nothing; how logs forget is `tests/contract/test_trimming.py`'s business."""
        return 0

    async def load_checkpoint(self, stream: str) -> tuple[int, bytes] | None:
        return self.checkpoint
