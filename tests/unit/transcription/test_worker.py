"""One job: a row that says what happened, whatever the sound, the model or the engine do."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.sql import connect
from tests.unit.transcription.test_sound import wav
from transcription.engine import Engine, Stream
from transcription.errors import ModelUnusable
from transcription.model import ModelIdentity, Order, Speaker, Transcript, TranscriptState, Utterance, Word
from transcription.model_folder import digest
from transcription.segments import default_punctuation
from transcription.sound import Pcm
from transcription.store_sql import SqlTranscripts
from transcription.tables import transcripts
from transcription.worker import TRIES, EngineKeeper, GivenBack, Transcriber

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 20, tzinfo=UTC)
ORDER = Order(
    recording="r1", call="c1", path="recordings/a.wav", channels=(Speaker("citizen"), Speaker("operator", "8001"))
)
PAYLOAD = {
    "recording": "r1",
    "call": "c1",
    "path": "recordings/a.wav",
    "channels": [{"party": "citizen"}, {"party": "operator", "agent": "8001"}],
}


class LoudEngine:
    """Hears a word wherever there is a sample that is not zero."""

    def __init__(self, on_block: Callable[[], None] = lambda: None) -> None:
        self.identity = ModelIdentity(engine="fake", name="loud", digest="d", rate=8000)
        self.on_block = on_block

    def stream(self, rate: int) -> Stream:
        return LoudStream(rate, self.on_block)


class LoudStream:
    def __init__(self, rate: int, on_block: Callable[[], None]) -> None:
        self._rate, self._at, self._on_block = rate, 0, on_block

    def accept(self, pcm: Pcm) -> list[Utterance]:
        self._on_block()
        loud = np.flatnonzero(pcm) + self._at
        self._at += len(pcm)
        if not len(loud):
            return []
        return [Utterance((Word("好", int(loud[0]) * 1000 // self._rate, int(loud[-1]) * 1000 // self._rate, 1.0),))]

    def partial(self) -> str:
        return ""

    def finish(self) -> list[Utterance]:
        return []


class Bench:
    """A worker on a data folder, run by hand. Its loop is its own, as in a worker process."""

    def __init__(self, folder: Path, runner: asyncio.Runner, store: SqlTranscripts) -> None:
        self.data, self.runner, self.store = folder, runner, store
        self.ending = threading.Event()
        self.engine: Engine | None = LoudEngine()
        self.transcriber = Transcriber(
            store,
            self.keeper(),
            folder,
            ManualClock(NOW),
            default_punctuation(),
            run=runner.run,
            ending=self.ending,
        )

    def keeper(self) -> EngineKeeper:
        bench = self

        class Keeper(EngineKeeper):
            def engine(self) -> Engine | None:
                return bench.engine

        return Keeper(lambda: None, lambda _: LoudEngine())

    def order(self) -> None:
        waiting = Transcript(id="t1", order=ORDER, state=TranscriptState.WAITING, requested_at=NOW)
        self.runner.run(self.store.add([waiting]))

    def row(self) -> Transcript:
        row = self.runner.run(self.store.of_recording("r1"))
        assert row is not None
        return row

    def sound(self, content: bytes) -> None:
        file = self.data / "recordings" / "a.wav"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}")
    with asyncio.Runner() as runner:
        runner.run(database.write(lambda connection: connection.run_sync(metadata.create_all, tables=[transcripts])))
        made = Bench(tmp_path, runner, SqlTranscripts(database))
        made.order()
        yield made
        runner.run(database.close())


def two_voices() -> bytes:
    samples = np.zeros((24000, 2), "<i2")
    samples[16000:20000, 0] = 1  # the citizen, after two seconds
    samples[800:4000, 1] = 1  # the operator, at once
    return wav(samples.tobytes(), channels=2)


def test_each_channel_is_heard_for_itself_and_the_row_holds_the_dialogue(bench: Bench) -> None:
    bench.sound(two_voices())
    bench.transcriber(PAYLOAD)
    row = bench.row()
    assert row.state is TranscriptState.READY
    assert [(one.party, one.agent, one.start_ms) for one in row.segments] == [
        ("operator", "8001", 100),
        ("citizen", "", 2000),
    ]
    assert row.duration_ms == 3000
    assert row.model is not None
    assert row.model.name == "loud"
    assert row.finished_at == NOW


def test_a_job_that_runs_twice_changes_nothing_the_second_time(bench: Bench) -> None:
    bench.sound(two_voices())
    bench.transcriber(PAYLOAD)
    before = bench.row()
    bench.sound(b"")
    bench.transcriber(PAYLOAD)
    assert bench.row() == before


def test_a_mixture_of_two_speakers_is_of_an_unknown_one(bench: Bench) -> None:
    bench.sound(wav(np.ones(8000, "<i2").tobytes()))
    bench.transcriber(PAYLOAD)
    assert [one.party for one in bench.row().segments] == ["unknown"]


def test_another_rate_keeps_its_times(bench: Bench) -> None:
    samples = np.zeros(88200, "<i2")
    samples[44100:] = 1
    bench.sound(wav(samples.tobytes(), rate=44100))
    bench.transcriber(PAYLOAD)
    assert [one.start_ms for one in bench.row().segments] == [1000]


def test_an_empty_file_is_parked_after_three_attempts_with_its_reason(bench: Bench) -> None:
    bench.sound(b"")
    for attempt in range(1, TRIES):
        with pytest.raises(Exception, match="empty"):
            bench.transcriber(PAYLOAD)
        assert (bench.row().state, bench.row().attempts) == (TranscriptState.WAITING, attempt)
    bench.transcriber(PAYLOAD)
    assert bench.row().state is TranscriptState.FAILED
    assert bench.row().reason == ("Given up after 3 attempts: The recording is empty: the file has no bytes.")


def test_a_recording_that_kills_workers_is_parked(bench: Bench) -> None:
    class Killed(BaseException):
        """As if the process had ended: nothing after it runs."""

    def kill() -> None:
        raise Killed

    bench.engine = LoudEngine(kill)
    bench.sound(two_voices())
    for _ in range(TRIES):
        with pytest.raises(Killed):
            bench.transcriber(PAYLOAD)
        assert bench.row().state is TranscriptState.RUNNING
    bench.transcriber(PAYLOAD)
    assert bench.row().state is TranscriptState.FAILED
    assert "ended each time" in bench.row().reason


def test_a_reason_never_repeats_what_a_strange_error_says(bench: Bench) -> None:
    def fail() -> None:
        raise ValueError("13900123456")

    bench.engine = LoudEngine(fail)
    bench.sound(two_voices())
    with pytest.raises(ValueError, match="139"):
        bench.transcriber(PAYLOAD)
    assert bench.row().reason == "The worker failed: ValueError."


def test_a_worker_that_ends_gives_its_job_back_and_the_attempt_does_not_count(bench: Bench) -> None:
    bench.engine = LoudEngine(bench.ending.set)
    bench.sound(two_voices())
    with pytest.raises(GivenBack):
        bench.transcriber(PAYLOAD)
    assert (bench.row().state, bench.row().attempts) == (TranscriptState.WAITING, 0)
    bench.ending.clear()
    bench.engine = LoudEngine()
    bench.transcriber(PAYLOAD)
    assert bench.row().state is TranscriptState.READY


def test_without_a_model_the_row_says_so(bench: Bench) -> None:
    bench.engine = None
    bench.sound(two_voices())
    bench.transcriber(PAYLOAD)
    assert bench.row().state is TranscriptState.NO_MODEL


def test_a_file_outside_the_data_folder_is_not_read(bench: Bench) -> None:
    with pytest.raises(Exception, match="outside the data folder"):
        bench.transcriber({**PAYLOAD, "path": "../../etc/passwd"})


def test_a_job_without_a_row_is_let_go(bench: Bench) -> None:
    bench.transcriber({**PAYLOAD, "recording": "nobody"})


def test_a_model_is_loaded_once_and_again_only_when_it_is_another(tmp_path: Path) -> None:
    loaded: list[str] = []

    class Loaded(LoudEngine):
        def __init__(self, folder: Path) -> None:
            super().__init__()
            self.identity = ModelIdentity(engine="fake", name="x", digest=digest(folder), rate=8000)
            loaded.append(self.identity.digest)

    (tmp_path / "final.mdl").write_text("one")
    keeper = EngineKeeper(lambda: tmp_path, Loaded)
    assert keeper.engine() is keeper.engine()
    (tmp_path / "final.mdl").write_text("two")
    keeper.engine()
    assert len(set(loaded)) == len(loaded) == 2


def test_a_model_that_cannot_be_used_ends_the_transcript_with_its_sentence(bench: Bench) -> None:
    class Broken(EngineKeeper):
        def engine(self) -> Engine | None:
            raise ModelUnusable("The files do not fit together.")

    broken = Transcriber(
        bench.store,
        Broken(lambda: None, lambda _: LoudEngine()),
        bench.data,
        ManualClock(NOW),
        default_punctuation(),
        run=bench.runner.run,
        ending=bench.ending,
    )
    broken(PAYLOAD)
    assert (bench.row().state, bench.row().reason) == (TranscriptState.NO_MODEL, "The files do not fit together.")
