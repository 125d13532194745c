"""Asks for transcripts, hands them out, and tells of their end. The listening itself is done by workers."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from hotline.clock import Clock
from hotline.errors import NotFound
from hotline.ids import Ids
from hotline.ports import Jobs
from transcription.model import Order, Transcript, TranscriptState
from transcription.ports import TranscriptStore, Wanted

log = structlog.get_logger(__name__)

JOB = "transcribe"
"""Name of the job; its payload is an `Order`."""

_QUIET = timedelta(minutes=2)
"""A transcript that nobody touched for so long is asked for again; the queue knows whether it is under way."""
_BACKLOG = timedelta(days=1)
"""When a model is installed, calls of the last day are transcribed with it; older ones are not."""
_AT_ONCE = 50

Tell = Callable[[Sequence[Transcript]], Awaitable[None]]


NO_MODEL = "No speech model is installed."


def _without_model(wanted: Transcript) -> Transcript:
    """Ended before it began."""
    state, at = TranscriptState.NO_MODEL, wanted.requested_at
    return msgspec.structs.replace(wanted, state=state, reason=NO_MODEL, finished_at=at)


class TranscriptService:
    """Everything that others may ask of transcription.

    `model_mark()` names the usable model, empty when there is none; another mark means another model.
    """

    def __init__(
        self, store: TranscriptStore, jobs: Jobs, clock: Clock, ids: Ids, model_mark: Callable[[], str]
    ) -> None:
        self._store, self._jobs = store, jobs
        self._clock, self._ids = clock, ids
        self._model_mark = model_mark
        self._tried_mark = ""

    async def request(self, order: Order) -> Transcript:
        """See `request_all`."""
        return (await self.request_all([order]))[0]

    async def request_all(self, orders: Sequence[Order]) -> list[Transcript]:
        """Ask for the transcripts of recordings that are complete. Asking again for the same one is harmless.

        Without a model they end at once, saying so.

        Raises:
            Unavailable: they could not be stored; ask again.
        """
        now, has_model = self._clock.now(), bool(self._model_mark())
        known = await self._store.add([self._new(order, now, has_model=has_model) for order in orders])
        return [await self._asked(transcript, now, has_model=has_model) for transcript in known]

    def _new(self, order: Order, now: datetime, *, has_model: bool) -> Transcript:
        new = Transcript(id=self._ids.new("transcript"), order=order, state=TranscriptState.WAITING, requested_at=now)
        return new if has_model else _without_model(new)

    async def _asked(self, transcript: Transcript, now: datetime, *, has_model: bool) -> Transcript:
        """What a transcript becomes that is in the store, perhaps since an earlier time."""
        if transcript.state is not TranscriptState.WAITING:
            return transcript
        if not has_model:
            await self._store.no_model(transcript.order.recording, NO_MODEL, now)
            return await self._sure(transcript.id)
        await self._enqueue(transcript)
        return transcript

    async def get(self, transcript: str) -> Transcript:
        """One transcript by its id.

        Raises:
            NotFound: there is none.
        """
        return await self._sure(transcript)

    async def of_recording(self, recording: str) -> Transcript | None:
        """The transcript of a recording, if somebody asked for one."""
        return await self._store.of_recording(recording)

    async def of_call(self, call: str) -> list[Transcript]:
        """All transcripts of a call, oldest first."""
        return list(reversed(await self._store.page(Wanted(call=call), before="", limit=_AT_ONCE)))

    async def page(self, wanted: Wanted, *, before: str = "", limit: int = 50) -> list[Transcript]:
        """Transcripts, newest first, with ids below `before` if that is given."""
        return await self._store.page(wanted, before=before, limit=limit)

    async def retry(self, transcript: str) -> None:
        """Try a parked one again.

        Raises:
            NotFound: there is none.
        """
        known = await self._sure(transcript)
        if known.state in {TranscriptState.FAILED, TranscriptState.NO_MODEL}:
            await self._store.reopen(known.order.recording, self._clock.now())
            await self._enqueue(known)

    async def tell_finished(self, tell: Tell) -> int:
        """One round: `tell` of the transcripts that ended and nobody was told of; returns how many there were.

        They are told at least once, in order of their end; a `tell` that raises is called again in the next round.
        """
        finished = await self._store.untold(_AT_ONCE)
        if finished:
            await tell(finished)
            await self._store.tell(finished)
        return len(finished)

    async def catch_up(self) -> int:
        """One round: ask again for what was lost on the way, and for what had no model once there is another one."""
        now, mark = self._clock.now(), self._model_mark()
        fresh = bool(mark) and mark != self._tried_mark
        lost = await self._store.unfinished(
            touched_before=now - _QUIET, no_model_since=now - _BACKLOG if fresh else None
        )
        for transcript in lost:
            if transcript.state is TranscriptState.NO_MODEL:
                await self._store.reopen(transcript.order.recording, now)
            await self._enqueue(transcript)
        self._tried_mark = mark
        return len(lost)

    async def _enqueue(self, transcript: Transcript) -> None:
        order = transcript.order
        await self._jobs.enqueue(JOB, msgspec.to_builtins(order), key=f"{JOB}:{order.recording}")
        log.debug("transcription asked for", transcript=transcript.id, call=order.call, recording=order.recording)

    async def _sure(self, transcript: str) -> Transcript:
        known = await self._store.get(transcript)
        if known is None:
            raise NotFound(f"There is no transcript {transcript}.")
        return known
