"""What the store of transcripts promises, on SQLite and on PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.database import metadata
from hotline.sql import OpenDatabase
from transcription.engine import Heard
from transcription.model import ModelIdentity, Order, Segment, Speaker, Transcript, TranscriptState, Word
from transcription.ports import Wanted
from transcription.store_sql import SqlTranscripts
from transcription.tables import transcripts

pytestmark = pytest.mark.contract

START = datetime(2026, 2, 14, 20, tzinfo=UTC)
LATER = START + timedelta(minutes=5)
MODEL = ModelIdentity(engine="vosk", name="m", digest="d", rate=8000, demonstration=True, words=326)
SEGMENT = Segment(
    party="citizen", start_ms=1, end_ms=2, text="好。", confidence=0.5, words=(Word("好", 1, 2, 0.5),), uncertain=True
)


@pytest.fixture
async def store(database: OpenDatabase) -> SqlTranscripts:
    async def create(connection: AsyncConnection) -> None:
        await connection.run_sync(metadata.create_all, tables=[transcripts])

    await database.write(create)
    return SqlTranscripts(database)


def waiting(number: int = 1, call: str = "c1", agent: str = "8001", at: datetime = START) -> Transcript:
    speakers = (Speaker("citizen"), Speaker("operator", agent))
    order = Order(recording=f"r{number}", call=call, path="recordings/a.wav", channels=speakers)
    return Transcript(id=f"t{number}", order=order, state=TranscriptState.WAITING, requested_at=at)


async def test_a_recording_has_one_transcript(store: SqlTranscripts) -> None:
    (first,) = await store.add([waiting()])
    again = Transcript(id="t9", order=first.order, state=TranscriptState.WAITING, requested_at=LATER)
    assert await store.add([again]) == [first]
    assert await store.get("t9") is None


async def test_what_was_heard_comes_back_as_it_was(store: SqlTranscripts) -> None:
    await store.add([waiting()])
    await store.begin("r1", START)
    await store.ready("r1", Heard((SEGMENT,), 5000), MODEL, 12, LATER)
    known = await store.get("t1")
    assert known is not None
    assert (known.state, known.segments, known.model) == (TranscriptState.READY, (SEGMENT,), MODEL)
    assert (known.duration_ms, known.took_ms, known.attempts) == (5000, 12, 1)
    assert (known.requested_at, known.finished_at) == (START, LATER)
    assert known == await store.of_recording("r1")


async def test_what_is_ready_stays_as_it_is(store: SqlTranscripts) -> None:
    await store.add([waiting()])
    await store.ready("r1", Heard((SEGMENT,), 5000), MODEL, 12, LATER)
    ready = await store.get("t1")
    await store.park("r1", "late", LATER)
    await store.wait_again("r1", "late", LATER, counts=True)
    await store.reopen("r1", LATER)
    assert await store.begin("r1", LATER) == ready
    assert await store.get("t1") == ready


async def test_attempts_count_unless_it_was_nobodys_fault(store: SqlTranscripts) -> None:
    await store.add([waiting()])
    for counts, attempts in ((True, 1), (False, 1), (True, 2)):
        begun = await store.begin("r1", START)
        assert begun is not None
        assert begun.state is TranscriptState.RUNNING
        await store.wait_again("r1", "why", LATER, counts=counts)
        known = await store.get("t1")
        assert known is not None
        assert (known.state, known.reason, known.attempts) == (TranscriptState.WAITING, "why", attempts)


async def test_a_recording_that_nobody_asked_for_has_no_begin(store: SqlTranscripts) -> None:
    assert await store.begin("nobody", START) is None


async def test_a_list_is_of_a_call_an_agent_or_a_time(store: SqlTranscripts) -> None:
    await store.add([waiting(1)])
    await store.add([waiting(2, call="c2", agent="800")])
    await store.add([waiting(3, at=LATER)])

    async def found(wanted: Wanted, before: str = "", limit: int = 9) -> list[str]:
        return [row.id for row in await store.page(wanted, before=before, limit=limit)]

    assert await found(Wanted()) == ["t3", "t2", "t1"]
    assert await found(Wanted(call="c1")) == ["t3", "t1"]
    assert await found(Wanted(agent="800")) == ["t2"]
    assert await found(Wanted(agent="8%")) == []
    assert await found(Wanted(since=START)) == ["t3"]
    assert await found(Wanted(), before="t3", limit=1) == ["t2"]


async def test_what_nobody_touched_for_a_while_is_unfinished(store: SqlTranscripts) -> None:
    for number in (1, 2, 3, 4):
        await store.add([waiting(number)])
    await store.begin("r2", LATER)
    await store.no_model("r3", "none", START)
    await store.ready("r4", Heard((), 0), MODEL, 1, START)

    async def found(no_model_since: datetime | None) -> list[str]:
        rows = await store.unfinished(touched_before=LATER, no_model_since=no_model_since)
        return [row.id for row in rows]

    assert await found(None) == ["t1"]
    assert await found(START) == ["t1", "t3"]
    assert await found(LATER) == ["t1"]


async def test_an_end_is_untold_until_it_was_told(store: SqlTranscripts) -> None:
    for number in (1, 2):
        await store.add([waiting(number)])
    await store.park("r2", "broken", START)
    await store.no_model("r1", "none", LATER)
    first, second = await store.untold(9)
    assert (first.id, second.id) == ("t2", "t1")
    await store.tell([first])
    await store.reopen("r1", LATER)
    assert await store.untold(9) == []
    await store.tell([second])  # it was reopened meanwhile: this end is not the one that is told
    await store.park("r1", "broken", LATER)
    assert [row.id for row in await store.untold(9)] == ["t1"]
