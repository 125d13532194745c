"""Which parties of a call are heard live, and which calls come first."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from calls import fold
from calls.legs import Goal, Leg, Party, Place, Talk
from calls.model import (
    AnyCallFact,
    CallEnded,
    CallState,
    Outcome,
    Phase,
    Queued,
    RecordingMuted,
    TalkChanged,
    TrackOpened,
)
from calls.overhearing import Overhearing, is_urgent, present
from calls.tables import call_lines
from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.ids import CountedIds
from hotline.settings import Settings
from hotline.sql import OpenDatabase, connect
from telephony.model import LineId
from tests.unit.calls.phases import ARRIVED, CITIZEN, NOW, OTHER, SEAT, call_in
from transcription.live.model import AnyCommand, Follow, Hush, Leave

pytestmark = pytest.mark.unit

TALKING = call_in(Phase.TALKING, tracks="recordings/2026/02/14/c1")
PAIR = (
    Leg(line=CITIZEN, party=Party.CITIZEN, place=Place.TALKING),
    Leg(line=SEAT, party=Party.OPERATOR, place=Place.TALKING, seat="8001"),
)


def with_third(place: Place, goal: Goal | None = None) -> CallState:
    third = Leg(line=OTHER, party=Party.EXPERT, place=place, seat="8011", goal=goal)
    return msgspec.structs.replace(TALKING, talk=Talk(room="r", legs=(*PAIR, third), owner="8001"))


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.TALKING])
def test_nobody_is_heard_while_there_is_no_talk(phase: Phase) -> None:
    assert present(call_in(phase)) == frozenset()


@pytest.mark.parametrize(
    ("place", "is_heard"),
    [
        (Place.RINGING, False),
        (Place.LISTENING, False),
        (Place.WHISPERING, False),
        (Place.TALKING, True),
        (Place.HELD, True),
    ],
)
def test_who_takes_part_is_heard_and_who_rings_or_whispers_is_not(place: Place, is_heard: bool) -> None:
    call = with_third(place)
    assert present(TALKING) == {CITIZEN, SEAT}
    assert present(call) == {CITIZEN, SEAT, *([OTHER] if is_heard else [])}
    assert (is_urgent(TALKING), is_urgent(call)) == (False, True)


class Book:
    """A ledger of one call."""

    def __init__(self) -> None:
        self.live: dict[str, CallState] = {}
        self.listener: Callable[[Any], None] = lambda _: None

    def listen(self, listener: Callable[[Any], None]) -> None:
        self.listener = listener

    def folder(self, call: CallState) -> str:
        raise AssertionError(call)

    def absolute(self, folder: str) -> str:
        return f"/data/{folder}"

    def tell(self, *facts: AnyCallFact) -> None:
        for fact in facts:
            self.live[fact.call] = fold.evolve(self.live[fact.call], fact)
            if self.live[fact.call].phase is Phase.ENDED:
                del self.live[fact.call]
        self.listener(facts)


class House:
    """The joint, and what the listening process would be told."""

    def __init__(self, data: Path, database: OpenDatabase | None = None) -> None:
        self.book, self.commands, self.told = Book(), list[AnyCommand](), list[frozenset[str]]()
        book = cast("Any", self.book)
        settings = Settings(data=data, demo=True, live_transcripts=1)
        self.joint = Overhearing(
            settings, ManualClock(NOW), CountedIds(), cast("Any", database), book, book, self.told.append
        )
        cast("Any", self.joint.child).tell = self.commands.append
        self.joint.live.born()
        self.book.listener = self.joint._facts
        self.book.live["c1"] = TALKING
        self.book.tell(opened(CITIZEN, Party.CITIZEN), opened(SEAT, Party.OPERATOR, "8001"))

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.commands if isinstance(one, kind)]


def opened(line: LineId, party: Party, agent: str = "") -> TrackOpened:
    return TrackOpened(call="c1", at=ARRIVED + timedelta(seconds=1), line=line, party=party, agent=agent)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_each_track_of_a_talk_is_followed_where_it_lies(house: House) -> None:
    folder = "/data/recordings/2026/02/14/c1"
    assert sorted(one.path for one in house.of(Follow)) == [f"{folder}/{CITIZEN}.sln", f"{folder}/{SEAT}.sln"]
    assert house.told[-1] == {"8001"}


def test_what_our_own_machine_says_is_not_listened_to(house: House) -> None:
    house.book.tell(opened(LineId("a"), Party.ANNOUNCEMENT))
    assert len(house.of(Follow)) == 2


def test_who_leaves_is_left_and_who_comes_is_followed(house: House) -> None:
    talk = with_third(Place.TALKING).talk
    assert talk is not None
    house.book.tell(TalkChanged(call="c1", at=NOW, what="answered", talk=talk), opened(OTHER, Party.EXPERT, "8011"))
    assert house.of(Follow)[-1].path.endswith(f"{OTHER}.sln")
    left = msgspec.structs.replace(talk, legs=(talk.legs[0], talk.legs[2]), owner="8011")
    house.book.tell(TalkChanged(call="c1", at=NOW, what="leave", talk=left))
    assert house.of(Leave) == [Leave(track=house.of(Follow)[1].track)]


def test_keys_are_hushed(house: House) -> None:
    house.book.tell(RecordingMuted(call="c1", at=NOW, muted=True))
    assert len(house.of(Hush)) == 2


@pytest.mark.parametrize(
    "fact",
    [
        CallEnded(call="c1", at=NOW, outcome=Outcome.COMPLETED, phase=Phase.TALKING),
        Queued(call="c1", at=NOW, queue="general"),
    ],
)
def test_a_talk_that_is_over_is_left(house: House, fact: AnyCallFact) -> None:
    house.book.tell(fact)
    assert len(house.of(Leave)) == 2
    session = house.joint.live.session("c1")
    assert session is not None
    assert session.ended_at == NOW


async def test_talks_that_outlived_a_restart_are_taken_up_with_the_parties_of_their_rows(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}")

    async def fill(connection: AsyncConnection) -> None:
        await connection.run_sync(metadata.create_all, tables=[call_lines])
        for line, party, agent in ((CITIZEN, "citizen", ""), (SEAT, "operator", "8001"), (OTHER, "announcement", "")):
            began = None if party == "operator" else ARRIVED
            row = {"call": "c2", "line": line, "party": party, "agent": agent, "started_at": began}
            await connection.execute(insert(call_lines).values(**row))

    await database.write(fill)
    house = House(tmp_path, database)
    house.book.live = {"c2": msgspec.structs.replace(TALKING, call="c2")}
    house.joint.live.over("c1")
    await house.joint._take_up()
    session = house.joint.live.session("c2")
    assert session is not None
    voices = {line: (one.voice.party, one.voice.agent, one.voice.began_at) for line, one in session.voices.items()}
    assert voices == {CITIZEN: ("citizen", "", ARRIVED), SEAT: ("operator", "8001", None)}
    assert (sorted(session.present), session.held) == (sorted([CITIZEN, SEAT]), True)
    await database.close()
