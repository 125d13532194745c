"""The only place that makes identifiers. Pure cores take ids as arguments; shells take `Ids`."""

import itertools
from typing import Protocol

from ulid import ULID


class Ids(Protocol):
    """Makes identifiers that sort by the time they were made."""

    def new(self, kind: str) -> str:
        """A fresh id such as `call_01jd…`: `kind` (lower-case ASCII), `_`, 26 characters of a ULID."""
        ...


class UlidIds:
    """Identifiers from ULIDs: unguessable in their last 80 bits, sortable in their first 48."""

    def new(self, kind: str) -> str:
        return f"{kind}_{str(ULID()).lower()}"


class CountedIds:
    """`call_1`, `call_2`, …: for simulations and tests."""

    def __init__(self) -> None:
        self._counter = itertools.count(1)

    def new(self, kind: str) -> str:
        return f"{kind}_{next(self._counter)}"
