"""What jobs promise, on SQLite and on Redis: once per key while pending, tried again, parked, never lost."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline.clock import SystemClock
from hotline.errors import NotFound, Unavailable
from hotline.jobs import HueyJobs, JobState, redis_huey, sqlite_huey
from hotline.workers import JobConsumer, JobRules, consumer
from tests.servers import RedisServer, wait_until

pytestmark = pytest.mark.contract

RULES = JobRules(
    tries=3,
    pause=timedelta(milliseconds=10),
    beat=timedelta(milliseconds=50),
    lost_after=timedelta(milliseconds=400),
    sweep=timedelta(milliseconds=100),
)


@pytest.fixture(params=["sqlite", "redis"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "jobs.db")
    server: RedisServer = request.getfixturevalue("redis_server")
    server.empty()
    return server.url


def _huey(storage: str) -> Any:
    return redis_huey(storage) if storage.startswith("unix:") else sqlite_huey(Path(storage))


@pytest.fixture
async def jobs(storage: str) -> AsyncIterator[HueyJobs]:
    opened = HueyJobs(_huey(storage), SystemClock())
    yield opened
    await opened.close()


class Done:
    """What the handlers saw."""

    def __init__(self) -> None:
        self.payloads: list[Mapping[str, Any]] = []
        self.fail_first = 0

    def __call__(self, payload: Mapping[str, Any]) -> None:
        self.payloads.append(payload)
        if len(self.payloads) <= self.fail_first:
            raise ValueError("not yet")


async def _until(is_so: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, is_so, "what the job should do", 15)


async def _until_counts(jobs: HueyJobs, **counts: int) -> None:
    wanted = {state: counts.get(state.value, 0) for state in JobState}
    async with asyncio.timeout(15):
        while await jobs.counts() != wanted:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


@pytest.fixture
async def work(storage: str) -> AsyncIterator[Callable[..., JobConsumer]]:
    """Starts a worker of its own Huey in threads of this process."""
    started: list[tuple[HueyJobs, JobConsumer]] = []

    def start(handlers: Mapping[str, Any], threads: int = 1) -> JobConsumer:
        theirs = HueyJobs(_huey(storage), SystemClock())
        worker = consumer(theirs, handlers, threads=threads, rules=RULES)
        worker.start()
        started.append((theirs, worker))
        return worker

    yield start
    for theirs, worker in started:
        await asyncio.to_thread(worker.stop)
        await theirs.close()


async def test_a_job_arrives_with_its_payload_and_is_forgotten_when_done(
    jobs: HueyJobs, work: Callable[..., JobConsumer]
) -> None:
    done = Done()
    await jobs.enqueue("transcribe", {"recording": "rec_1", "channels": [0, 1], "名": "值"}, key="rec_1")
    assert (await jobs.counts())[JobState.WAITING] == 1
    work({"transcribe": done})
    await _until_counts(jobs)
    assert done.payloads == [{"recording": "rec_1", "channels": [0, 1], "名": "值"}]


async def test_the_same_key_while_it_waits_is_the_same_job_and_later_a_new_one(
    jobs: HueyJobs, work: Callable[..., JobConsumer]
) -> None:
    done = Done()
    await asyncio.gather(*(jobs.enqueue("peaks", {"n": number}, key="rec_1") for number in range(5)))
    await jobs.enqueue("peaks", {"n": 9}, key="rec_2")
    work({"peaks": done}, threads=2)
    await _until_counts(jobs)
    assert len(done.payloads) == 2
    await jobs.enqueue("peaks", {"n": 10}, key="rec_1")
    await _until_counts(jobs)
    assert done.payloads[-1] == {"n": 10}
    assert len(done.payloads) == 3


async def test_a_failure_is_tried_again(jobs: HueyJobs, work: Callable[..., JobConsumer]) -> None:
    done = Done()
    done.fail_first = 2
    await jobs.enqueue("peaks", {}, key="rec_1")
    work({"peaks": done})
    await _until_counts(jobs)
    assert len(done.payloads) == 3


async def test_a_job_that_always_fails_is_parked_with_its_reason_and_can_be_started_afresh(
    jobs: HueyJobs, work: Callable[..., JobConsumer]
) -> None:
    done = Done()
    done.fail_first = 3
    await jobs.enqueue("peaks", {"n": 1}, key="rec_1")
    work({"peaks": done})
    await _until_counts(jobs, parked=1)
    (parked,) = await jobs.records()
    assert (parked.tries, parked.error) == (3, "ValueError: not yet")
    with pytest.raises(NotFound):
        await jobs.retry("rec_2")
    await jobs.retry("rec_1")
    await _until_counts(jobs)
    assert len(done.payloads) == 4


async def test_a_kind_of_job_that_no_worker_knows_is_parked(jobs: HueyJobs, work: Callable[..., JobConsumer]) -> None:
    await jobs.enqueue("unheard of", {}, key="x")
    work({})
    await _until_counts(jobs, parked=1)


async def test_a_long_job_is_not_taken_for_lost(jobs: HueyJobs, work: Callable[..., JobConsumer]) -> None:
    began: list[int] = []
    go = threading.Event()

    def long(_: Mapping[str, Any]) -> None:
        began.append(1)
        go.wait(10)

    await jobs.enqueue("long", {}, key="rec_1")
    worker = work({"long": long}, threads=2)
    await _until(lambda: bool(began))
    await asyncio.sleep(3 * RULES.lost_after.total_seconds())  # longer than a job without a beat may live
    await asyncio.to_thread(worker.sweep)
    go.set()
    await _until_counts(jobs)
    assert began == [1]


async def test_a_job_whose_message_was_lost_is_found_by_its_record(
    jobs: HueyJobs, work: Callable[..., JobConsumer]
) -> None:
    done = Done()
    await jobs.enqueue("peaks", {"n": 1}, key="rec_1")
    jobs.huey.storage.flush_queue()
    await asyncio.sleep(RULES.lost_after.total_seconds())
    first, second = work({"peaks": done}), work({"peaks": done})
    await asyncio.gather(asyncio.to_thread(first.sweep), asyncio.to_thread(second.sweep))
    await _until_counts(jobs)
    assert done.payloads == [{"n": 1}]


WORKER = """
import pathlib, sys, time
from datetime import timedelta
from hotline.clock import SystemClock
from hotline.jobs import HueyJobs, redis_huey, sqlite_huey
from hotline.workers import JobRules, consumer

storage, mark = sys.argv[1:]
huey = redis_huey(storage) if storage.startswith("unix:") else sqlite_huey(pathlib.Path(storage))

def slow(payload):
    pathlib.Path(mark).touch()
    time.sleep(payload["seconds"])
    pathlib.Path(mark).with_suffix(".done").touch()

consumer(HueyJobs(huey, SystemClock()), {"slow": slow}).run()
"""


def _process(storage: str, mark: Path) -> subprocess.Popen[bytes]:
    here = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", WORKER, storage, str(mark)], cwd=here)


async def test_a_worker_killed_in_the_middle_loses_its_job_to_another(
    jobs: HueyJobs, work: Callable[..., JobConsumer], storage: str, tmp_path: Path
) -> None:
    mark = tmp_path / "began"
    await jobs.enqueue("slow", {"seconds": 60}, key="rec_1")
    process = _process(storage, mark)
    await _until(mark.exists)
    process.kill()
    process.wait()
    done = Done()
    work({"slow": done})
    await _until_counts(jobs)
    assert done.payloads == [{"seconds": 60}]


async def test_a_worker_told_to_stop_finishes_the_job_in_hand(jobs: HueyJobs, storage: str, tmp_path: Path) -> None:
    mark = tmp_path / "began"
    await jobs.enqueue("slow", {"seconds": 0.5}, key="rec_1")
    process = _process(storage, mark)
    await _until(mark.exists)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(15) == 0
    assert mark.with_suffix(".done").exists()
    assert await jobs.records() == []


async def test_messages_are_json_and_never_pickles(jobs: HueyJobs) -> None:
    await jobs.enqueue("peaks", {"n": 1}, key="rec_1")
    for raw in (*jobs.huey.storage.enqueued_items(), *jobs.huey.all_results().values()):
        assert bytes(raw).startswith(b"{")


async def test_a_storage_that_is_away_is_unavailable(tmp_path: Path) -> None:
    away = HueyJobs(redis_huey(f"unix://{tmp_path / 'none.sock'}"), SystemClock())
    with pytest.raises(Unavailable):
        await away.enqueue("peaks", {}, key="rec_1")
    await away.close()
