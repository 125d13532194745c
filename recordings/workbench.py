"""The blocking work on the sound of calls that are over, for several at a time: hold, compose, leave, clear.

It runs in a thread of whoever closes recordings or in a process of its own, and knows no rows but those it is given.
A recording that fails keeps no other waiting.
"""

import os
from collections.abc import Callable
from typing import Literal

import msgspec
import structlog

from hotline.errors import Conflict, HotlineError
from recordings.closing import Composed, compose, is_whole
from recordings.model import Recording
from recordings.store_files import RecordingFiles

log = structlog.get_logger(__name__)

Deed = Literal["hold", "compose", "leave", "clear"]


class Order(msgspec.Struct, frozen=True):
    """What to do with the sound of some recordings.

    `hold`: nobody else closes them until `leave`. `compose`: make the finished sound and check it; only of what is
    held. `leave`: remove the raw tracks that `lines` names, by the recording, and hold them no longer. `clear`: remove
    what was left beside a sealed sound, after a look whether that is really there.
    """

    deed: Deed
    rows: tuple[Recording, ...]
    lines: dict[str, tuple[str, ...]] = {}


class Done(msgspec.Struct, frozen=True):
    """What became of one recording."""

    composed: Composed | None = None
    problem: str = ""
    """One sentence, empty when all is well."""
    is_held_elsewhere: bool = False
    is_unforeseen: bool = False
    """The problem is a mistake of ours."""


class Workbench:
    """May be used by several threads, for different recordings."""

    def __init__(self, files: RecordingFiles) -> None:
        self._files = files
        self._holds: dict[str, int] = {}

    def do(self, order: Order) -> dict[str, Done]:
        """What became of each recording, by its id."""
        deeds: dict[Deed, Callable[[Recording], Composed | None]] = {
            "hold": self._hold,
            "compose": self._compose,
            "leave": lambda row: self._leave(row, order.lines.get(row.id, ())),
            "clear": self._clear,
        }
        return {row.id: _outcome(deeds[order.deed], row) for row in order.rows}

    def _hold(self, row: Recording) -> None:
        self._holds[row.id] = self._files.hold(row.folder, row.call)

    def _compose(self, row: Recording) -> Composed:
        if row.id not in self._holds:
            raise Conflict("The recording is not held; it is closed with the next round.")
        return compose(self._files, row)

    def _leave(self, row: Recording, lines: tuple[str, ...]) -> None:
        try:
            if lines:
                self._files.delete_tracks(row.folder, row.call, lines)
        finally:
            if (hold := self._holds.pop(row.id, None)) is not None:
                os.close(hold)

    def _clear(self, row: Recording) -> None:
        heard = {line for channel in row.channels for line in channel.lines}
        there = self._files.tracks(row.folder, row.call)
        left = tuple(line for line, file in there.items() if line in heard and file.plain)
        if not left or is_whole(self._files, row):
            self._files.delete_tracks(row.folder, row.call, left)


def _outcome(do: Callable[[Recording], Composed | None], row: Recording) -> Done:
    try:
        return Done(composed=do(row))
    except HotlineError as error:
        return Done(problem=str(error), is_held_elsewhere=isinstance(error, Conflict))
    except Exception as error:
        log.exception("no way to work on the sound of a call", recording=row.id)
        return Done(problem=f"The sound could not be worked on: {type(error).__name__}.", is_unforeseen=True)
