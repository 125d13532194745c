"""Transcripts are asked for once, end with or without a model, and their end is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hotline.clock import ManualClock
from hotline.errors import NotFound, Unavailable
from hotline.ids import CountedIds
from tests.unit.transcription.conftest import NotedJobs
from transcription.engine import Heard
from transcription.model import ModelIdentity, Order, Speaker, Transcript, TranscriptState
from transcription.ports import Wanted
from transcription.service import TranscriptService
from transcription.store_sql import SqlTranscripts

pytestmark = pytest.mark.unit

START = datetime(2026, 2, 14, 20, tzinfo=UTC)
ORDER = Order(recording="recording_1", call="call_1", path="recordings/a.wav", channels=(Speaker("citizen"),))
MODEL = ModelIdentity(engine="vosk", name="m", digest="d", rate=8000)


class House:
    """A service with a model that comes and goes."""

    def __init__(self, store: SqlTranscripts, jobs: NotedJobs) -> None:
        self.store, self.jobs, self.model = store, jobs, "one"
        self.clock = ManualClock(START)
        self.service = TranscriptService(store, jobs, self.clock, CountedIds(), lambda: self.model)
        self.told: list[TranscriptState] = []

    async def tell(self, several: Sequence[Transcript]) -> None:
        self.told.extend(transcript.state for transcript in several)

    async def state(self) -> TranscriptState:
        known = await self.service.of_recording(ORDER.recording)
        assert known is not None
        return known.state


@pytest.fixture
def house(store: SqlTranscripts, jobs: NotedJobs) -> House:
    return House(store, jobs)


async def test_a_recording_is_transcribed_once_however_often_it_is_asked_for(house: House) -> None:
    first, second = await house.service.request(ORDER), await house.service.request(ORDER)
    assert first == second
    assert {key for _, _, key in house.jobs.asked} == {"transcribe:recording_1"}
    assert house.jobs.asked[0][:2] == (
        "transcribe",
        {
            "recording": "recording_1",
            "call": "call_1",
            "path": "recordings/a.wav",
            "channels": ({"party": "citizen", "agent": ""},),
        },
    )


async def test_without_a_model_a_transcript_ends_at_once_and_says_so(house: House) -> None:
    house.model = ""
    transcript = await house.service.request(ORDER)
    assert transcript.state is TranscriptState.NO_MODEL
    assert transcript.reason == "No speech model is installed."
    assert house.jobs.asked == []
    assert await house.service.tell_finished(house.tell) == 1
    assert house.told == [TranscriptState.NO_MODEL]


async def test_the_end_is_told_once(house: House) -> None:
    await house.service.request(ORDER)
    assert await house.service.tell_finished(house.tell) == 0
    await house.store.ready(ORDER.recording, Heard((), 1000), MODEL, 5, START)
    assert [await house.service.tell_finished(house.tell) for _ in range(2)] == [1, 0]
    assert house.told == [TranscriptState.READY]


async def test_an_end_that_could_not_be_told_is_told_again(house: House) -> None:
    await house.service.request(ORDER)
    await house.store.park(ORDER.recording, "broken", START)

    async def refuse(_: Sequence[Transcript]) -> None:
        raise Unavailable("tickets are away")

    with pytest.raises(Unavailable):
        await house.service.tell_finished(refuse)
    await house.service.tell_finished(house.tell)
    assert house.told == [TranscriptState.FAILED]


async def test_a_request_that_was_lost_on_the_way_is_asked_for_again(house: House) -> None:
    await house.service.request(ORDER)
    assert await house.service.catch_up() == 0
    house.clock.advance(timedelta(minutes=3))
    assert await house.service.catch_up() == 1
    assert len(house.jobs.asked) == 2


async def test_calls_of_the_last_day_are_transcribed_when_a_model_is_installed(house: House) -> None:
    house.model = ""
    await house.service.request(ORDER)
    house.clock.advance(timedelta(days=1, minutes=-1))
    assert await house.service.catch_up() == 0
    house.model = "two"
    assert await house.service.catch_up() == 1
    assert await house.state() is TranscriptState.WAITING
    assert len(house.jobs.asked) == 1


async def test_a_model_that_failed_is_not_tried_again_and_again(house: House) -> None:
    await house.service.catch_up()
    await house.service.request(ORDER)
    await house.store.no_model(ORDER.recording, "broken", START)
    assert await house.service.catch_up() == 0
    house.model = "repaired"
    assert await house.service.catch_up() == 1


async def test_older_calls_are_not_transcribed_with_a_new_model(house: House) -> None:
    house.model = ""
    await house.service.request(ORDER)
    house.clock.advance(timedelta(days=1, minutes=1))
    house.model = "two"
    assert await house.service.catch_up() == 0


async def test_a_parked_transcript_is_tried_again_when_somebody_asks(house: House) -> None:
    transcript = await house.service.request(ORDER)
    await house.store.park(ORDER.recording, "broken", START)
    await house.service.retry(transcript.id)
    assert await house.state() is TranscriptState.WAITING
    assert (await house.service.get(transcript.id)).attempts == 0
    assert len(house.jobs.asked) == 2


async def test_what_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        await house.service.get("transcript_9")


async def test_transcripts_of_a_call_come_oldest_first_and_a_list_newest_first(house: House) -> None:
    for number in (1, 2, 3):
        call = "call_2" if number == 2 else "call_1"
        await house.service.request(Order(recording=f"recording_{number}", call=call, path="a.wav"))
    assert [row.id for row in await house.service.of_call("call_1")] == ["transcript_1", "transcript_3"]
    assert [row.id for row in await house.service.page(Wanted())] == ["transcript_3", "transcript_2", "transcript_1"]
    assert [row.id for row in await house.service.page(Wanted(), before="transcript_2")] == ["transcript_1"]
