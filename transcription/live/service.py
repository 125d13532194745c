"""Which talks are listened to, and what was heard in them. It is told of talks and knows nothing else about them.

All of it is memory of the process that owns the calls: after a restart it begins anew, with what the tracks still hold.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from hotline.clock import Clock
from hotline.ids import Ids
from transcription.live.budget import Claim, chosen
from transcription.live.model import (
    AnyCommand,
    AnyNews,
    Follow,
    Hush,
    Leave,
    Left,
    LiveState,
    Opened,
    Said,
    Saying,
    Unusable,
    Using,
    Voice,
)
from transcription.live.session import Heard, Session
from transcription.model import ModelIdentity

log = structlog.get_logger(__name__)

CATCH_UP_MS = 120_000
"""So much of what was said before is heard when a call is chosen in the middle of its talk."""
KEEP = timedelta(minutes=15)
"""After a call's end its lines are there so long: by then there is a transcript, or nobody writes any more."""
MOST_ENDED = 200
MARK_S = 5.0
"""How often the model's files are looked at."""


class LiveTranscripts:
    """The calls that go on, those that are listened to, and their lines."""

    def __init__(
        self,
        *,
        most: int,
        model_mark: Callable[[], str],
        clock: Clock,
        ids: Ids,
        tell: Callable[[AnyCommand], None],
        told: Callable[[str], None],
    ) -> None:
        """`most`: calls at once; `tell`: gives commands to the process that listens; `told(call)`: it has a new line.

        `model_mark()` names the model, empty when there is none.
        """
        self._most, self._mark, self._clock, self._ids = most, model_mark, clock, ids
        self._tell, self._told = tell, told
        self._going: dict[str, Session] = {}
        self._ended: dict[str, Session] = {}
        """Those that ended, the longest ago first."""
        self._held = 0
        """How many are listened to."""
        self._tracks: dict[int, tuple[Session, Heard]] = {}
        self._counted = 0
        self._has_model, self._looked_at = False, -MARK_S
        self._problem = ""
        self._is_up = self._has_died = False
        self.model: ModelIdentity | None = None

    # What is told of talks -------------------------------------------------------------------------------------------

    def talk(self, call: str, answered_at: datetime, voices: Mapping[str, Voice], *, urgent: bool) -> None:
        """A talk is as this says: who is recorded in it by telephone line. Told again whenever it changed."""
        session = self._going.get(call)
        is_new = session is None
        if session is None:
            session = self._going[call] = self._begun(call, answered_at)
        for voice in voices.values():
            session.add(voice)
        was, session.urgent, session.present = session.urgent, urgent, frozenset(voices)
        if session.held:
            self._attend(session)
        if self._may_listen() and (was != urgent or (is_new and (urgent or self._held < self._most))):
            self._choose()

    def hush(self, call: str, at: datetime, *, hushed: bool) -> None:
        """Keys are being pressed, or not any more: what is said meanwhile is not to be known."""
        session = self._going.get(call)
        if session is None:
            return
        began = session.hushed_at or at
        session.hushed_at = began if hushed else None
        for heard in session.voices.values():
            if heard.track:
                self._hush(session, heard, began, None if hushed else at)

    def over(self, call: str) -> None:
        """Nobody talks in it any more: it ended, or its citizen waits."""
        session = self._going.pop(call, None)
        if session is None:
            return
        session.ended_at, session.present = self._clock.now(), frozenset()
        self._ended[call] = session
        if session.held:
            session.held = False
            self._attend(session)
            self._told(call)
            self._choose()

    # What is told by the process -------------------------------------------------------------------------------------

    def born(self) -> None:
        """A process is there, and is told of everything that is to be heard."""
        self._is_up = True
        for session, heard in list(self._tracks.values()):
            self._follow(session, heard, catch_up_ms=0 if heard.lost else CATCH_UP_MS)
            heard.lost = False

    def died(self) -> None:
        """It is gone; what was being said is lost."""
        for session, heard in list(self._tracks.values()):
            heard.saying, heard.lost = None, self._is_up
            if not _wanted(session, heard):
                self._drop(heard)
            self._told(session.call)
        self._is_up, self._has_died, self._problem = False, True, ""

    def news(self, news: AnyNews) -> None:
        """Something that the process told."""
        if isinstance(news, Using | Unusable):
            self.model, self._has_died = (news.model if isinstance(news, Using) else None), False
            self._problem = news.reason if isinstance(news, Unusable) else ""
            return
        found = self._tracks.get(news.track)
        if found is None:
            return
        session, heard = found
        match news:
            case Opened(length_ms=length_ms):
                self._opened(session, heard, length_ms)
                return
            case Said(line=line):
                session.say(heard, line)
            case Saying(start_ms=start_ms, text=text):
                session.begin_to_say(heard, start_ms, text)
            case Left(failed=failed):
                heard.saying = None
                self._drop(heard)
                if not failed:
                    self._attend(session)  # somebody who left may be back
        self._told(session.call)

    # What is asked ---------------------------------------------------------------------------------------------------

    def session(self, call: str) -> Session | None:
        """What is known of a call; nothing once it is forgotten."""
        return self._going.get(call) or self._ended.get(call)

    def state(self, session: Session) -> LiveState:
        """Whether its words are shown as they are said, and why not."""
        if session.ended_at is not None:
            return LiveState.ENDED
        if self._most <= 0:
            return LiveState.OFF
        if not self._model_is_there():
            return LiveState.NO_MODEL
        if self._problem:
            return LiveState.FAILED
        if not session.held:
            return LiveState.BUSY
        return LiveState.FAILED if self._has_died else LiveState.ON

    # ------------------------------------------------------------------------------------------------------------------

    def _begun(self, call: str, answered_at: datetime) -> Session:
        """A call that is new, or talks again."""
        self._forget()
        if call in self._ended:
            again = self._ended.pop(call)
            again.ended_at = None
            return again
        self._counted += 1
        return Session(self._ids.new("live"), call, self._counted, answered_at)

    def _choose(self) -> None:
        """Listen to those calls that may be listened to."""
        going = list(self._going.values())
        claims = [Claim(call=one.call, order=one.order, urgent=one.urgent, held=one.held) for one in going]
        heard = chosen(claims, self._most) if self._may_listen() else frozenset[str]()
        self._held = len(heard)
        for session in going:
            if session.held != (session.call in heard):
                session.held = not session.held
                self._attend(session)
                self._told(session.call)

    def _attend(self, session: Session) -> None:
        """Listen to whoever is in the talk, and to nobody else."""
        for heard in session.voices.values():
            wanted = _wanted(session, heard)
            if wanted and not heard.track:
                self._counted += 1
                heard.track = self._counted
                self._tracks[heard.track] = (session, heard)
                self._follow(session, heard, catch_up_ms=CATCH_UP_MS)
            elif heard.track and not wanted:
                self._tell(Leave(track=heard.track))
                if not self._is_up:
                    self._drop(heard)

    def _follow(self, session: Session, heard: Heard, *, catch_up_ms: int) -> None:
        self._tell(
            Follow(
                track=heard.track,
                path=heard.voice.path,
                from_ms=heard.heard_ms,
                catch_up_ms=catch_up_ms,
                first=heard.next,
            )
        )
        if session.hushed_at is not None:
            self._hush(session, heard, session.hushed_at, None)

    def _hush(self, session: Session, heard: Heard, began: datetime, ended: datetime | None) -> None:
        if heard.offset is None:  # nobody knows where that is; Asterisk writes silence itself
            return
        from_ms = heard.ms(began, session.answered_at)
        to_ms = None if ended is None else heard.ms(ended, session.answered_at)
        self._tell(Hush(track=heard.track, from_ms=from_ms, to_ms=to_ms))

    def _opened(self, session: Session, heard: Heard, length_ms: int) -> None:
        """Nobody saw this voice begin: it is so old as it is long."""
        if heard.offset is None:
            heard.offset = self._clock.now() - timedelta(milliseconds=length_ms) - session.answered_at

    def _drop(self, heard: Heard) -> None:
        self._tracks.pop(heard.track, None)
        heard.track = 0

    def _may_listen(self) -> bool:
        return self._most > 0 and self._model_is_there()

    def _model_is_there(self) -> bool:
        now = self._clock.monotonic()
        if now >= self._looked_at + MARK_S:
            self._has_model, self._looked_at = bool(self._mark()), now
        return self._has_model

    def _forget(self) -> None:
        """Calls that ended long ago, or too many ago."""
        oldest = self._clock.now() - KEEP
        for call, session in list(self._ended.items()):
            if len(self._ended) <= MOST_ENDED and session.ended_at is not None and session.ended_at >= oldest:
                return
            del self._ended[call]


def _wanted(session: Session, heard: Heard) -> bool:
    """Whether this voice is to be listened to."""
    return session.held and heard.voice.line in session.present
