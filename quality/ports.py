"""What quality needs from outside: which recordings there are for whom, and who listened to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from hotline.security import Principal


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A recording, as far as a review needs it."""

    recording: str
    agents: tuple[str, ...]
    length_ms: int


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """One time that somebody asked for sound."""

    person: str
    name: str
    roles: tuple[str, ...]
    at: datetime


class RecordingsPort(Protocol):
    """Recordings."""

    async def known(self, recording: str, who: Principal) -> Known:
        """Raises:
        NotFound: there is none, or none that `who` may know of.
        """
        ...

    async def plays(self, recording: str) -> Sequence[Play]:
        """Who asked for its sound, the newest first. Every stretch that a player fetches is one."""
        ...
