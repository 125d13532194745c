"""How long a recording is kept: a class decides the days, a legal hold wins over everything.

No law names a period for hotlines, so the days are proposals that each installation sets for itself. Pure.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

import msgspec

from hotline.errors import BadInput
from recordings.model import SEALED, Recording

PROPOSED: Mapping[str, int] = MappingProxyType({"consultation": 180, "complaint": 3 * 365, "report": 3 * 365})
"""Days by class: 咨询 half a year, 投诉 and 举报 three years. Proposals, not law."""

PROPOSED_DEFAULT = 3 * 365
"""Days for what is not classified (yet): as long as the longest."""


class Verdict(StrEnum):
    """What to do with a recording now."""

    KEEP = "keep"
    HELD = "held"  # its time is over, but a legal hold keeps it
    PURGE = "purge"


class RetentionPolicy(msgspec.Struct, frozen=True):
    """Class to days. A class that is not named is kept for `default_days`."""

    days: Mapping[str, int] = PROPOSED
    default_days: int = PROPOSED_DEFAULT

    def __post_init__(self) -> None:
        wrong = tuple(
            f"{name}: {days} days" for name, days in {**self.days, "default": self.default_days}.items() if days < 1
        )
        if wrong:
            raise BadInput("Recordings are kept for at least one day: " + "; ".join(wrong), wrong)

    def keep_days(self, retention_class: str) -> int:
        return self.days.get(retention_class, self.default_days)

    def kept_until(self, recording: Recording) -> datetime:
        """The moment from which it may go, holds aside. Counted from the end of the call."""
        end = recording.ended_at or recording.answered_at
        return end + timedelta(days=self.keep_days(recording.retention_class))

    def verdict(self, recording: Recording, now: datetime) -> Verdict:
        """What to do with a sealed recording now; one that is not sealed is always kept."""
        if recording.state not in SEALED or now < self.kept_until(recording):
            return Verdict.KEEP
        return Verdict.HELD if recording.legal_hold else Verdict.PURGE

    @property
    def shortest(self) -> timedelta:
        """Nothing younger than this needs to be looked at."""
        return timedelta(days=min([*self.days.values(), self.default_days]))
