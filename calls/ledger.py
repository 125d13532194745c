"""The ledger of call facts: one ordered stream per controller, folded into the calls that live now.

Facts of several calls that come together are appended together. The ledger is given a log that spools, so a
fault of the log delays nobody; a `Conflict` means that another controller writes for the same node. When the spool
fails too (a full disk), facts are kept in memory, in order, and go first with the next append: calls go on.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import msgspec
import structlog

from calls import fold
from calls.model import AnyCallFact, CallArrived, CallState, Phase
from hotline.errors import Conflict, Unavailable
from hotline.ports import EventLog

log = structlog.get_logger(__name__)

_decode = msgspec.json.Decoder(AnyCallFact).decode
_encode = msgspec.json.Encoder().encode
_STATES = msgspec.json.Decoder(dict[str, CallState])
CHECKPOINT_EVERY = 500

Listener = Callable[[Sequence[AnyCallFact]], None]


class Ledger:
    """Appends call facts in order and keeps the state of every call that has not ended."""

    def __init__(self, event_log: EventLog, node: str) -> None:
        self._log = event_log
        self.stream = f"calls:{node}"
        self.head = 0
        self.live: dict[str, CallState] = {}
        self._waiting: list[tuple[tuple[AnyCallFact, ...], asyncio.Future[None]]] = []
        self._unsaved: list[bytes] = []
        self._writing = False
        self._checkpoint = 0
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with facts right after they are stored, in order. It must not block."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Fold what is stored: afterwards `live` holds the calls that had not ended when we stopped."""
        saved = await self._log.load_checkpoint(self.stream)
        if saved is not None:
            self.head, self.live = saved[0], _STATES.decode(saved[1])
            self._checkpoint = self.head
        while entries := await self._log.read(self.stream, self.head):
            for entry in entries:
                self._fold(_decode(entry.body))
            self.head = entries[-1].seq

    @property
    def unsaved(self) -> int:
        """How many facts only this process knows, because neither the log nor the disk takes them."""
        return len(self._unsaved)

    async def record(self, facts: tuple[AnyCallFact, ...]) -> None:
        """Append `facts` and fold them; returns when they are stored, or kept in memory (`unsaved`).

        Raises:
            Conflict: another controller appended to this node's stream.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((facts, done))
        if not self._writing:
            await self._write()
        await done

    async def retry(self) -> None:
        """Store what is kept in memory; to be called now and then."""
        if self._unsaved and not self._writing and (failure := await self._write(again=True)):
            raise failure

    async def _write(self, *, again: bool = False) -> Exception | None:
        """Append everything that waits, again until nothing does. One writer at a time. A failure is told to those
        who wait for what it concerns; the last one is returned."""
        self._writing, failure = True, None
        try:
            while self._waiting or again:
                again = False
                batch, self._waiting = self._waiting, []
                try:
                    await self._append(batch)
                except Exception as error:  # noqa: BLE001 - `_append` has told whom it concerns
                    failure = error
        finally:
            self._writing = False
        return failure

    async def _append(self, batch: list[tuple[tuple[AnyCallFact, ...], asyncio.Future[None]]]) -> None:
        facts = [fact for several, _ in batch for fact in several]
        try:
            await self._store([_encode(fact) for fact in facts])
        except BaseException as error:
            for _, done in batch:
                if not done.done():
                    done.set_exception(error if isinstance(error, Exception) else Conflict("The ledger was closed."))
                    done.exception()
            raise
        for fact in facts:
            self._fold(fact)
        for _, done in batch:
            if not done.done():
                done.set_result(None)
        self._tell(facts)
        await self._maybe_checkpoint()

    async def _store(self, new: list[bytes]) -> None:
        """Append `new` after everything that is known, or keep it here."""
        try:
            if self._unsaved:
                await self._forget_arrived()
            self.head = await self._log.append(self.stream, self.head, [*self._unsaved, *new])
        except Unavailable as error:
            if not self._unsaved:
                log.error(  # noqa: TRY400 - the disk is full or away: a sentence says it
                    "facts of calls are kept in memory: neither log nor disk takes them", reason=str(error)
                )
            self._unsaved.extend(new)
            return
        if self._unsaved:
            log.info("facts of calls are stored again", facts=len(self._unsaved))
        self._unsaved = []

    async def _forget_arrived(self) -> None:
        """An append that seemed to fail may have arrived."""
        for entry in await self._log.read(self.stream, self.head, len(self._unsaved)):
            if not self._unsaved or entry.body != self._unsaved[0]:
                break
            self._unsaved.pop(0)
            self.head = entry.seq

    def _fold(self, fact: AnyCallFact) -> None:
        known = self.live.get(fact.call)
        if isinstance(fact, CallArrived):
            self.live[fact.call] = fold.begin(fact)
        elif known is not None:
            after = fold.evolve(known, fact)
            if after.phase is Phase.ENDED:
                del self.live[fact.call]
            else:
                self.live[fact.call] = after

    def _tell(self, facts: Sequence[AnyCallFact]) -> None:
        for listener in self._listeners:
            try:
                listener(facts)
            except Exception:
                log.exception("listener of call facts failed")

    async def _maybe_checkpoint(self) -> None:
        if self.head - self._checkpoint >= CHECKPOINT_EVERY and not self._unsaved:
            self._checkpoint = self.head
            with contextlib.suppress(Unavailable):
                await self._log.save_checkpoint(self.stream, self.head, _encode(self.live))
