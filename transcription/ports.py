"""What transcription needs from outside: somewhere to keep transcripts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from transcription.engine import Heard
from transcription.model import ModelIdentity, Transcript


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which transcripts a list shall show; empty fields do not restrict."""

    call: str = ""
    agent: str = ""
    since: datetime | None = None
    """Asked for later than this."""


class TranscriptStore(Protocol):
    """Keeps transcripts. Every method is one short transaction and raises `Unavailable` when storage is away."""

    async def add(self, several: Sequence[Transcript]) -> list[Transcript]:
        """Keep new transcripts; returns for each the one that its recording already has, if it has one."""
        ...

    async def get(self, transcript: str) -> Transcript | None: ...

    async def of_recording(self, recording: str) -> Transcript | None: ...

    async def page(self, wanted: Wanted, *, before: str, limit: int) -> list[Transcript]:
        """The newest first, below the id `before`; an empty `before` does not restrict."""
        ...

    async def begin(self, recording: str, at: datetime) -> Transcript | None:
        """A worker begins: counts the attempt. The transcript as it is now; nothing when there is none."""
        ...

    async def ready(self, recording: str, heard: Heard, model: ModelIdentity, took_ms: int, at: datetime) -> None:
        """The work is done."""
        ...

    async def wait_again(self, recording: str, reason: str, at: datetime, *, counts: bool) -> None:
        """An attempt failed and another will follow; `counts` is false when it was nobody's fault."""
        ...

    async def park(self, recording: str, reason: str, at: datetime) -> None:
        """Nobody tries again."""
        ...

    async def no_model(self, recording: str, reason: str, at: datetime) -> None:
        """There is no usable model now."""
        ...

    async def unfinished(self, *, touched_before: datetime, no_model_since: datetime | None) -> list[Transcript]:
        """What nobody touched for a while; and what had no model, if a time is given from which that counts."""
        ...

    async def reopen(self, recording: str, at: datetime) -> None:
        """Wait again, with all attempts ahead."""
        ...

    async def untold(self, limit: int) -> list[Transcript]:
        """Finished ones that nobody was told of, oldest first."""
        ...

    async def tell(self, several: Sequence[Transcript]) -> None:
        """Somebody was told of this state of them."""
        ...
