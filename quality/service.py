"""Notes and reviews of recordings: who may is the routes' matter, whether there is such a recording is asked for."""

import structlog

from hotline.clock import Clock
from hotline.errors import BadInput, NotAllowed, NotFound
from hotline.ids import Ids
from hotline.security import Principal
from quality import scoring, sheet
from quality.listening import Listening, listenings
from quality.model import Note, NoteKind, Review
from quality.ports import RecordingsPort
from quality.store_sql import SqlQuality

log = structlog.get_logger(__name__)


class QualityService:
    """Writes and reads them."""

    def __init__(self, store: SqlQuality, recordings: RecordingsPort, clock: Clock, ids: Ids) -> None:
        self._store, self._recordings, self._clock, self._ids = store, recordings, clock, ids
        self.sheet = sheet.shipped()

    async def notes(self, recording: str, who: Principal) -> list[Note]:
        """Notes of a recording. Raises `NotFound`, as everything here, where there is no such recording for `who`."""
        await self._recordings.known(recording, who)
        return await self._store.notes(recording)

    async def add_note(
        self, recording: str, who: Principal, *, from_ms: int, to_ms: int, kind: NoteKind, text: str
    ) -> Note:
        """Write a note on a stretch.

        Raises:
            BadInput: the stretch is none of this recording.
        """
        known = await self._recordings.known(recording, who)
        if not 0 <= from_ms <= to_ms <= known.length_ms:
            raise BadInput("The stretch of a note lies within its recording and does not end before it begins.")
        note = Note(
            id=self._ids.new("note"),
            recording=recording,
            from_ms=from_ms,
            to_ms=to_ms,
            kind=kind,
            text=text,
            by=who.person,
            by_name=who.name,
            at=self._clock.now(),
        )
        await self._store.add_note(note)
        return note

    async def own_note(self, recording: str, note: str, who: Principal) -> Note:
        """A note of one's own.

        Raises:
            NotFound: there is none.
            NotAllowed: somebody else wrote it.
        """
        await self._recordings.known(recording, who)
        found = await self._store.note(recording, note)
        if found is None:
            raise NotFound("There is no such note.")
        if found.by != who.person:
            raise NotAllowed("Only who wrote a note may remove it.")
        return found

    async def remove_note(self, note: str) -> None:
        """Remove it."""
        await self._store.remove_note(note)

    async def reviews(self, recording: str, who: Principal) -> list[Review]:
        """Reviews of a recording, the newest first."""
        await self._recordings.known(recording, who)
        return await self._store.reviews(recording)

    async def review(
        self, recording: str, who: Principal, marks: dict[str, int], fatal: list[str], comment: str
    ) -> Review:
        """Give points.

        Raises:
            BadInput: they do not fit the sheet.
        """
        known = await self._recordings.known(recording, who)
        scoring.check(self.sheet, marks, fatal)
        total, grade = scoring.total(self.sheet, marks, fatal)
        review = Review(
            id=self._ids.new("review"),
            recording=recording,
            agents=known.agents,
            sheet=self.sheet.version,
            marks=marks,
            fatal=tuple(sorted(set(fatal))),
            total=total,
            grade=grade,
            comment=comment,
            by=who.person,
            by_name=who.name,
            at=self._clock.now(),
        )
        await self._store.add_review(review)
        log.info("recording reviewed", recording=recording, total=total, grade=grade.value)
        return review

    async def listenings(self, recording: str, who: Principal) -> list[Listening]:
        """Who listened before."""
        await self._recordings.known(recording, who)
        return listenings(await self._recordings.plays(recording))
