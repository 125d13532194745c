"""Moments as people write them, in commands and in the API; pure."""

from datetime import datetime

from hotline.errors import BadInput
from ivr.fields import read_day
from ivr.numbers import ZONE


def moment(at: str, now: datetime) -> datetime:
    """A moment as people write it: nothing (now), a day (noon), or ISO 8601, in Asia/Shanghai unless it says otherwise.

    Raises:
        BadInput: it is neither.
    """
    if not at:
        return now
    day = read_day(at)
    if day is not None:
        return datetime(day.year, day.month, day.day, 12, tzinfo=ZONE)
    try:
        when = datetime.fromisoformat(at.replace(" ", "+") if "T" in at else at)
        return (when if when.tzinfo else when.replace(tzinfo=ZONE)).astimezone(ZONE)
    except (ValueError, OverflowError) as error:
        raise BadInput("Write the time as 2026-02-14 or 2026-02-14T20:00.") from error
