"""Ticket numbers: a city's prefix, the office's date, and a counter of the day. Pure; the pattern is data."""

import string
from datetime import date

import msgspec

from hotline.errors import BadInput

_KNOWN = frozenset({"prefix", "date", "counter"})


class NumberFormat(msgspec.Struct, frozen=True):
    """How numbers look. Gaps in the counter are allowed, repetitions are not."""

    prefix: str = ""
    pattern: str = "{prefix}{date:%Y%m%d}{counter:05d}"
    """`str.format` with `prefix`, `date` and `counter`."""

    def __post_init__(self) -> None:
        named = {name for _, name, _, _ in string.Formatter().parse(self.pattern) if name is not None}
        if not {"date", "counter"} <= named <= _KNOWN:
            raise BadInput(
                "A pattern of ticket numbers names {date} and {counter}, may name {prefix}, and nothing else."
            )

    def number(self, day: date, counter: int) -> str:
        """The number of the `counter`-th ticket of `day`."""
        return self.pattern.format(prefix=self.prefix, date=day, counter=counter)
