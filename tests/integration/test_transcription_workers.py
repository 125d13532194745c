"""Worker processes with the real queue, the real engine and a database: killed, recycled, poisoned, left alone."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import SystemClock
from hotline.database import metadata
from hotline.ids import UlidIds
from hotline.parent import child_environment
from hotline.settings import Settings
from hotline.sql import connect
from tests.integration.transcription_speech import (
    CITIZEN,
    LINE_RATE,
    OPERATOR,
    character_errors,
    conversation,
    two_party_turns,
    write_alaw,
    write_pcm,
)
from transcription.labels import label
from transcription.model import Order, Speaker, Transcript, TranscriptState
from transcription.model_folder import demonstration_model
from transcription.pool import WorkerPool
from transcription.process import Errand, Share, open_jobs
from transcription.service import TranscriptService
from transcription.store_sql import SqlTranscripts
from transcription.tables import transcripts

pytestmark = pytest.mark.integration

T = TypeVar("T")

SPEAKERS = (Speaker("citizen"), Speaker("operator", "8001"))
QUICK = Share(pause_s=0.05, beat_s=0.2, lost_after_s=1.0, sweep_s=0.2)
DEADLINE_S = 60.0


class House:
    """A service and its workers on one data folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.data = settings, settings.data
        self.database = connect(settings.sqlalchemy_url)
        self.jobs = open_jobs(settings, SystemClock())
        self.store = SqlTranscripts(self.database)
        self.service = TranscriptService(self.store, self.jobs, SystemClock(), UlidIds(), lambda: "model")

    async def create(self) -> None:
        async def change(connection: AsyncConnection) -> None:
            await connection.run_sync(metadata.create_all, tables=[transcripts])

        await self.database.write(change)

    async def ask(self, recording: str, channels: tuple[Speaker, ...] = SPEAKERS) -> Transcript:
        path = f"recordings/{recording}.wav"
        return await self.service.request(Order(recording=recording, call="c", path=path, channels=channels))

    def file(self, recording: str) -> Path:
        return self.data / "recordings" / f"{recording}.wav"

    async def state(self, recording: str, *states: TranscriptState) -> Transcript:
        """Wait until the transcript is in one of `states`."""

        async def there() -> Transcript | None:
            row = await self.store.of_recording(recording)
            return row if row is not None and row.state in states else None

        return await until(there, f"{recording} in {states}")

    async def close(self) -> None:
        await self.jobs.close()
        await self.database.close()


async def until(look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Poll for what `look` gives; fails with `what` when it gives nothing in time."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while (found := await look()) is None:  # noqa: ASYNC110 - it is in other processes
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what} did not come within {DEADLINE_S:g} s") from None
    return found


async def holds(is_so: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds."""

    async def look() -> bool | None:
        return is_so() or None

    await until(look, what)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(Settings(data=tmp_path / "data", vosk_model=str(demonstration_model())))
    await made.create()
    yield made
    await made.close()


@asynccontextmanager
async def workers(settings: Settings, share: Share = QUICK) -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(settings, share)
    running = asyncio.create_task(pool.run())
    try:
        yield pool
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert pool.pids == ()


async def a_worker(pool: WorkerPool) -> int:
    await holds(lambda: bool(pool.pids), "a worker")
    return pool.pids[0]


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def spoken_call(house: House, recording: str) -> None:
    write_alaw(house.file(recording), conversation(house.data, two_party_turns("m4", "f3")))


async def test_a_recording_becomes_a_labelled_dialogue_in_a_worker_process(house: House) -> None:
    spoken_call(house, "r1")
    async with workers(house.settings) as pool:
        assert os.getpriority(os.PRIO_PROCESS, await a_worker(pool)) >= os.getpriority(os.PRIO_PROCESS, 0)
        asked = await house.ask("r1")
        assert asked.state is TranscriptState.WAITING
        row = await house.state("r1", TranscriptState.READY)
    assert character_errors(CITIZEN, row.segments, "citizen") <= 0.10
    assert character_errors(OPERATOR, row.segments, "operator") <= 0.10
    assert row.model is not None
    assert row.model.demonstration
    assert label(row).en == "made by a demonstration model of some 300 words"
    assert row.attempts == 1


async def test_strange_recordings_do_not_disturb_the_others(house: House) -> None:
    """Zero bytes, no WAV, 44.1 kHz mono, a file that is not there; and a good one after them."""
    house.file("empty").parent.mkdir()
    house.file("empty").write_bytes(b"")
    house.file("noise").write_bytes(bytes(range(256)) * 40)
    write_pcm(house.file("mono"), np.zeros((44100, 1), np.int16), 44100)
    spoken_call(house, "good")
    async with workers(house.settings):
        for name in ("empty", "noise", "mono", "none", "good"):
            await house.ask(name)
        assert (await house.state("good", TranscriptState.READY)).segments
        assert (await house.state("mono", TranscriptState.READY)).segments == ()
        reasons = {name: await house.state(name, TranscriptState.FAILED) for name in ("empty", "noise", "none")}
    assert {name: row.reason.removeprefix("Given up after 3 attempts: ") for name, row in reasons.items()} == {
        "empty": "The recording is empty: the file has no bytes.",
        "noise": "The recording is not a WAV file.",
        "none": "The recording cannot be opened: No such file or directory.",
    }
    assert {row.attempts for row in reasons.values()} == {3}
    assert await house.jobs.records() == []


LONG_S = 600


def long_call(house: House, recording: str) -> int:
    """Ten minutes of speech: some seconds of work, enough to be killed in the middle.

    Returns how often the conversation is in it.
    """
    once = conversation(house.data, two_party_turns("m4", "f3"))
    times = LONG_S * LINE_RATE // len(once)
    write_alaw(house.file(recording), np.tile(once, (times, 1)))
    return times


async def test_a_worker_that_is_killed_in_the_middle_loses_nothing(house: House) -> None:
    times = long_call(house, "long")
    async with workers(house.settings) as pool:
        first = await a_worker(pool)
        await house.ask("long")
        await house.state("long", TranscriptState.RUNNING)
        os.kill(first, signal.SIGKILL)
        row = await house.state("long", TranscriptState.READY)
        assert pool.pids != (first,)
    assert row.attempts == 2
    assert character_errors(CITIZEN * times, row.segments, "citizen") <= 0.10


async def test_a_worker_that_is_told_to_end_gives_its_job_back_within_seconds(house: House) -> None:
    long_call(house, "long")
    async with workers(house.settings):
        await house.ask("long")
        await house.state("long", TranscriptState.RUNNING)
    row = await house.store.of_recording("long")
    assert row is not None
    assert (row.state, row.attempts) == (TranscriptState.WAITING, 0)
    async with workers(house.settings):
        assert (await house.state("long", TranscriptState.READY)).attempts == 1


async def test_a_recording_that_ends_every_worker_is_parked_with_its_reason(house: House) -> None:
    """A model that makes Kaldi abort stands for the sound that does: the process dies by SIGABRT either way."""
    deadly = house.data / "deadly"
    shutil.copytree(demonstration_model() or deadly, deadly)
    (deadly / "conf" / "model.conf").write_text("--frame-subsampling-factor=0\n")
    spoken_call(house, "poison")
    async with workers(house.settings.model_copy(update={"vosk_model": str(deadly)})):
        await house.ask("poison")
        row = await house.state("poison", TranscriptState.FAILED)
    assert row.reason == "Given up after 3 attempts: the speech engine ended each time."


async def test_without_a_model_the_worker_says_so_and_lives(house: House) -> None:
    spoken_call(house, "r1")
    async with workers(house.settings.model_copy(update={"vosk_model": ""})) as pool:
        first = await a_worker(pool)
        await house.ask("r1")
        assert (await house.state("r1", TranscriptState.NO_MODEL)).reason == "No speech model is installed."
        assert pool.pids == (first,)


async def test_a_wrong_model_folder_is_said_on_the_transcript(house: House) -> None:
    spoken_call(house, "r1")
    async with workers(house.settings.model_copy(update={"vosk_model": str(house.data / "nowhere")})):
        await house.ask("r1")
        assert "There is no folder" in (await house.state("r1", TranscriptState.NO_MODEL)).reason


async def test_a_worker_makes_way_for_a_fresh_one_after_its_share(house: House) -> None:
    for number in range(3):
        write_pcm(house.file(f"r{number}"), np.zeros((800, 2), np.int16))
    seen = set[int]()
    async with workers(house.settings, msgspec.structs.replace(QUICK, jobs=1)) as pool:
        for number in range(3):
            seen.add(await a_worker(pool))
            await house.ask(f"r{number}")
            await house.state(f"r{number}", TranscriptState.READY)
            await holds(lambda: seen.isdisjoint(pool.pids), "the end of the worker")
    assert len(seen) == 3


async def test_workers_do_not_outlive_the_process_that_started_them(house: House) -> None:
    """The parent is killed; nobody tells its workers."""
    errand = msgspec.json.encode(
        {"settings": house.settings.model_dump(mode="json"), "share": msgspec.to_builtins(QUICK)}
    ).decode()
    code = (
        "import json, sys, asyncio; from hotline.settings import Settings; from transcription.pool import WorkerPool;"
        "from transcription.process import Share; said = json.loads(sys.argv[1]);"
        "pool = WorkerPool(Settings(**said['settings']), Share(**said['share']))\n"
        "async def main():\n"
        "    asyncio.get_running_loop().create_task(pool.run())\n"
        "    while not pool.pids: await asyncio.sleep(0.02)\n"
        "    print(pool.pids[0], flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    command = (sys.executable, "-c", code, errand)
    parent = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env=child_environment())
    assert parent.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        worker = int(await parent.stdout.readline())
    assert lives(worker)
    parent.kill()
    await parent.wait()
    await holds(lambda: not lives(worker), "the end of the worker")


async def test_a_worker_whose_parent_is_gone_already_does_not_begin(house: House) -> None:
    errand = msgspec.json.encode(Errand(settings=house.settings.model_dump(mode="json"), share=QUICK, parent=1))
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", "from transcription.process import main; main()"],
        input=errand,
        capture_output=True,
        env=child_environment(),
        timeout=DEADLINE_S,
    )
    assert done.returncode == 1
    assert b"gone" in done.stderr
