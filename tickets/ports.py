"""What tickets need to know of a call, without knowing calls."""

from typing import Protocol


class AnsweredCall(Protocol):
    """A call as its row shows it."""

    @property
    def call(self) -> str: ...

    @property
    def dialled(self) -> str:
        """The number as the catalogue writes it."""
        ...

    @property
    def line_name(self) -> str: ...

    @property
    def owner_unit(self) -> str: ...

    @property
    def caller(self) -> str:
        """Calling number, empty when withheld. Personal data."""
        ...
