"""The floor's stream in the event log: facts in and out, and what to do when the log does not answer.

Decides nothing about calls. Facts that the log cannot take are kept here in order and go first with the next
append; until then they live in memory only, which `unsaved` tells.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import structlog

from acd.floor import Floor
from acd.model import AnyFloorFact, Rules
from hotline.errors import Unavailable
from hotline.patience import within
from hotline.ports import Entry, EventLog

log = structlog.get_logger(__name__)

PAGE = 1000
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyFloorFact)


class Diverged(Exception):
    """What the log holds is not what we believed: the floor must be read again from the log."""


class Journal:
    """One stream, read and appended by one keeper."""

    def __init__(self, log_: EventLog, stream: str, patience: timedelta) -> None:
        self._log = log_
        self.stream = stream
        self._patience_s = patience.total_seconds()
        self.seq = 0
        """Position of the last fact that both we and the log have."""
        self._last = b""
        self._unsaved: list[bytes] = []

    @property
    def unsaved(self) -> int:
        """How many facts are known to this process only."""
        return len(self._unsaved)

    async def append(self, facts: Sequence[AnyFloorFact]) -> None:
        """Write facts after everything known; keeps them when the log is away.

        Raises:
            Conflict: somebody else wrote; nothing was added: `catch_up` and decide again.
        """
        new = [_encoder.encode(fact) for fact in facts]
        bodies = [*self._unsaved, *new]
        try:
            self.seq = await within(self._patience_s, self._log.append(self.stream, self.seq, bodies))
        except (Unavailable, TimeoutError) as error:
            self._keep(new, error)
            return
        self._last = bodies[-1]
        if self._unsaved:
            log.info("floor's log is back", written=len(bodies))
        self._unsaved = []

    def _keep(self, new: list[bytes], error: BaseException) -> None:
        if not self._unsaved:
            log.error("floor's log is away, going on in memory", reason=str(error) or type(error).__name__)
        self._unsaved.extend(new)

    async def catch_up(self) -> list[AnyFloorFact]:
        """Facts that somebody else wrote after ours, oldest first.

        Raises:
            Diverged: the log does not continue what we know.
            Unavailable: the log does not answer.
        """
        entries = await self._entries_after(max(0, self.seq - 1))
        if self.seq:
            self._check_last(entries)
            entries = entries[1:]
        while entries and self._unsaved and entries[0].body == self._unsaved[0]:
            # An append that seemed to fail did arrive.
            self._advance(entries.pop(0))
            self._unsaved.pop(0)
        if entries and self._unsaved:
            raise Diverged(f"{len(self._unsaved)} facts were lost to another keeper.")
        facts = [_decoder.decode(entry.body) for entry in entries]
        for entry in entries:
            self._advance(entry)
        return facts

    def _check_last(self, entries: list[Entry]) -> None:
        if not entries or entries[0].seq != self.seq or (self._last and entries[0].body != self._last):
            raise Diverged("The log holds other facts than those that were written.")

    def _advance(self, entry: Entry) -> None:
        self.seq, self._last = entry.seq, entry.body

    async def load(self, rules: Rules) -> Floor:
        """The floor as the log tells it, from the newest checkpoint on.

        Raises:
            Unavailable: the log does not answer.
        """
        floor, seq = await self._from_checkpoint(rules)
        last = b""
        while entries := await self._page(seq):
            for entry in entries:
                floor.apply(_decoder.decode(entry.body))
            seq, last = entries[-1].seq, entries[-1].body
        self.seq, self._last, self._unsaved = seq, last, []
        return floor

    async def _from_checkpoint(self, rules: Rules) -> tuple[Floor, int]:
        try:
            async with asyncio.timeout(self._patience_s):
                kept = await self._log.load_checkpoint(self.stream)
        except TimeoutError as error:
            raise Unavailable("The floor's log does not answer.") from error
        if kept is None:
            return Floor(rules), 0
        try:
            return Floor.load(kept[1], rules), kept[0]
        except msgspec.ValidationError as error:
            log.warning("checkpoint of another version, replaying everything", stream=self.stream, reason=str(error))
            await self._must_be_whole()
            return Floor(rules), 0

    async def _must_be_whole(self) -> None:
        """A log whose oldest facts were trimmed cannot make up for a checkpoint."""
        if (first := await self._page(0, 1)) and first[0].seq != 1:
            raise Unavailable(
                "The floor's checkpoint is of another version and the facts before it are trimmed: start the version "
                "that wrote it, sign everybody out, then start this one."
            )

    async def save_checkpoint(self, seq: int, state: bytes) -> None:
        """Keep a checkpoint of everything up to `seq`; a log that is away is no reason to stop."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._log.save_checkpoint(self.stream, seq, state)
        except (Unavailable, TimeoutError) as error:
            log.warning("checkpoint of the floor not kept", stream=self.stream, reason=str(error))

    async def _entries_after(self, seq: int) -> list[Entry]:
        entries: list[Entry] = []
        while page := await self._page(entries[-1].seq if entries else seq):
            entries.extend(page)
        return entries

    async def _page(self, after: int, limit: int = PAGE) -> list[Entry]:
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._log.read(self.stream, after, limit)
        except TimeoutError as error:
            raise Unavailable("The floor's log does not answer.") from error
