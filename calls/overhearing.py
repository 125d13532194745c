"""Tells transcription of talks that go on, so that what is said in them can be read at once.

It follows the facts of calls as they are stored, never the sound: that is read by a process of its own. After a
restart the parties of the talks that live on are read from the rows.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.ledger import Ledger
from calls.model import (
    AnyCallFact,
    CallEnded,
    CallState,
    Party,
    Phase,
    Queued,
    RecordingMuted,
    TalkChanged,
    TalkEnded,
    TalkStarted,
    TrackOpened,
)
from calls.tables import call_lines
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import Unavailable
from hotline.ids import Ids
from hotline.settings import Settings
from telephony.model import LineId
from transcription.live.budget import default_most
from transcription.live.child import Child
from transcription.live.model import AnyCommand, Voice
from transcription.live.service import LiveTranscripts
from transcription.model_folder import model_mark

log = structlog.get_logger(__name__)

_MATTERS = TalkStarted | TalkChanged | TrackOpened | RecordingMuted | TalkEnded | Queued | CallEnded


class Places(Protocol):
    """Where a call's tracks lie."""

    def folder(self, call: CallState) -> str: ...

    def absolute(self, folder: str) -> str: ...


def present(call: CallState) -> frozenset[LineId]:
    """Lines of those who are in the talk, on hold too; nobody while there is no talk."""
    if call.phase is not Phase.TALKING:
        return frozenset()
    if call.talk is None:
        return frozenset(line for line in (call.line, call.seat_line) if line)
    return frozenset(call.talk.inside)


def is_urgent(call: CallState) -> bool:
    """Whether somebody besides citizen and operator is called, takes part, or listens: they read along."""
    legs = () if call.talk is None else call.talk.legs
    return any(leg.party is not Party.CITIZEN and leg.seat != call.seat for leg in legs)


class Overhearing:
    """The joint between the calls of this node and what is heard in them."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ids: Ids,
        database: Database,
        ledger: Ledger,
        places: Places,
        told: Callable[[frozenset[str]], None],
    ) -> None:
        """`told(seats)`: there are new words for whoever sits there."""
        self._database, self._ledger, self._places, self._told_seats = database, ledger, places, told
        most = settings.live_transcripts
        self.live = LiveTranscripts(
            most=default_most(os.cpu_count() or 1) if most is None else most,
            model_mark=partial(model_mark, settings),
            clock=clock,
            ids=ids,
            tell=self._tell,
            told=self._told,
        )
        self.child = Child(settings, heard=self.live.news, born=self.live.born, died=self.live.died)
        self._tracks: dict[str, dict[LineId, TrackOpened]] = {}
        self._voices: dict[str, dict[LineId, Voice]] = {}

    async def run(self) -> None:
        """Follow the calls until cancelled."""
        self._ledger.listen(self._facts)
        await self._take_up()
        await self.child.run()

    def _facts(self, facts: Sequence[AnyCallFact]) -> None:
        for fact in facts:
            if isinstance(fact, TrackOpened) and fact.party is not Party.ANNOUNCEMENT:
                self._tracks.setdefault(fact.call, {})[fact.line] = fact
            if isinstance(fact, RecordingMuted):
                self.live.hush(fact.call, fact.at, hushed=fact.muted)
        for call in dict.fromkeys(fact.call for fact in facts if isinstance(fact, _MATTERS)):
            self._look(call)

    def _look(self, name: str) -> None:
        """Tell how the talk of a call is now."""
        call = self._ledger.live.get(name)
        if call is None:
            self._tracks.pop(name, None)
            self._voices.pop(name, None)
        here = frozenset[LineId]() if call is None else present(call)
        if call is None or not here or call.answered_at is None:
            self.live.over(name)
            return
        known = self._voices.setdefault(name, {})
        for line, track in self._tracks.get(name, {}).items():
            if line in here and line not in known:
                known[line] = _voice(track, self._places.absolute(call.tracks or self._places.folder(call)))
        voices = {str(line): voice for line, voice in known.items() if line in here}
        self.live.talk(name, call.answered_at, voices, urgent=is_urgent(call))

    def _tell(self, command: AnyCommand) -> None:
        self.child.tell(command)

    def _told(self, call: str) -> None:
        state = self._ledger.live.get(call)
        self._told_seats(frozenset() if state is None else state.seats)

    async def _take_up(self) -> None:
        """Talks that live on since before our start."""
        calls = [name for name, call in self._ledger.live.items() if call.phase is Phase.TALKING]
        if not calls:
            return
        try:
            found = await self._database.read(partial(_opened, calls=calls))
        except Unavailable as error:
            log.warning("talks are not heard from their beginning", reason=str(error))
            return
        for fact in found:
            self._tracks.setdefault(fact.call, {}).setdefault(fact.line, fact)
        for call in calls:
            self._look(call)


def _voice(track: TrackOpened, folder: str) -> Voice:
    return Voice(
        line=track.line,
        party=track.party.value,
        agent=track.agent,
        path=f"{folder}/{track.line}.sln",
        began_at=track.at if track.seen else None,
    )


async def _opened(connection: AsyncConnection, calls: Sequence[str]) -> list[TrackOpened]:
    """The tracks of these calls, from their rows."""
    rows = (await connection.execute(select(call_lines).where(call_lines.c.call.in_(calls)))).mappings()
    return [
        TrackOpened(
            call=row["call"],
            at=row["started_at"],
            line=LineId(row["line"]),
            party=Party(row["party"]),
            agent=row["agent"],
            seen=row["started_at"] is not None,
        )
        for row in rows
        if row["party"] != Party.ANNOUNCEMENT.value
    ]
