"""A citizen who is called back: what is known of it, and this installation's rules for it. Values only."""

from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from calls.outside import Why, subscriber
from hotline.settings import Settings
from telephony.model import LineId


class Stage(StrEnum):
    """What a citizen who waits was asked last about being called back."""

    OFFER = "offer"  # 1: yes, at this number; 2: at another one
    NUMBER = "number"  # which one
    CONFIRM = "confirm"  # it was read out: 1: right; 2: another one


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """The question, and the number that a yes would be about. Personal data."""

    stage: Stage
    number: str = ""


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose call waits without a line, or had been called back."""

    number: str
    """Whom to dial. Personal data."""
    mark: str = ""
    """What stands for that number on the floor; empty: as for the number that the call came from."""
    owed: str = ""
    """The earlier call whose citizen is called by somebody of ours who took the task; empty for a promise."""
    tracks: str = ""
    """Folder of the recording's tracks, relative to the data folder."""
    tries: int = 0
    """How often the citizen was dialled in vain."""
    leg: LineId = LineId("")
    """The citizen's line, while it rings and once it talks."""
    reached: bool = False
    """From then on it is a call like any other."""


class BackRules(msgspec.Struct, frozen=True, kw_only=True):
    """When, how often and how long citizens are called."""

    possible: bool = False
    """Whether there is a way out."""
    hours: tuple[time, time] | None = None
    queue_hours: tuple[time, time] | None = None
    """Those of the call's queue, besides."""
    zone: ZoneInfo = ZoneInfo("UTC")
    tries: int = 3
    again: timedelta = timedelta(minutes=10)
    """After the first that was not answered; longer by as much after each further one."""
    allow: tuple[str, ...] = ()
    """Numbers that are listed although they are no subscribers'."""
    ring: timedelta = timedelta(seconds=30)
    busy: timedelta = timedelta(seconds=60)
    """While no line to the outside is free it is tried again so soon."""
    patience: timedelta = timedelta(seconds=5)
    """How long a key is waited for."""

    @classmethod
    def of(cls, settings: Settings) -> "BackRules":
        """As the settings say."""
        return cls(
            possible=bool(settings.trunk_host),
            hours=clock_hours(settings.call_back_hours),
            zone=ZoneInfo(settings.timezone),
            tries=settings.call_back_tries,
            again=timedelta(seconds=settings.call_back_again_seconds),
            allow=settings.trunk_allow,
        )

    def may_be(self, number: str) -> str:
        """The digits of a number that somebody can be called back at; empty when nobody can."""
        digits = subscriber(number, self.allow) if number else ""
        return "" if isinstance(digits, Why) else digits

    def not_before(self, moment: datetime) -> datetime:
        """The first moment from `moment` on at which citizens are called."""
        for _ in range(2):  # one opens while the other is open, or they have nothing in common
            moment = self._opens(self._opens(moment, self.hours), self.queue_hours)
        return moment

    def ever(self, moment: datetime) -> bool:
        """Whether citizens are called at all: hours that have nothing in common never come."""
        opens = self.not_before(moment)
        return self.not_before(opens) == opens

    def _opens(self, moment: datetime, hours: tuple[time, time] | None) -> datetime:
        if hours is None:
            return moment
        first, last = hours
        local = moment.astimezone(self.zone)
        now, day = local.time(), local.date()
        open_now = first <= now < last if first <= last else now >= first or now < last
        if open_now:
            return moment
        opens = datetime.combine(day if now < first else day + timedelta(days=1), first, self.zone)
        return opens.astimezone(moment.tzinfo)


def clock_hours(text: str) -> tuple[time, time] | None:
    """`HH:MM-HH:MM` as two times of the day; nothing for nothing."""
    first, _, last = text.partition("-")
    return (time.fromisoformat(first), time.fromisoformat(last)) if last else None
