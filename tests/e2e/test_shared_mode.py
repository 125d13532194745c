"""The same call with Redis and PostgreSQL behind it, and what happens to it when they go away."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house import Server
from tests.phones import ended, eventually, wait_hears
from tests.servers import PostgresServer, RedisServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@dataclass
class Shared:
    """A hotline and the servers that it shares with others."""

    hotline: Server
    redis: RedisServer
    postgres: PostgresServer


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    redis, postgres = RedisServer(), PostgresServer()
    try:
        redis.start()
        postgres.start()
        settings = {"HOTLINE_REDIS_URL": redis.url, "HOTLINE_DATABASE_URL": postgres.new_database()}
        data: Path = tmp_path_factory.mktemp("shared") / "data"
        with Server(data, settings) as hotline:
            yield Shared(hotline, redis, postgres)
    finally:
        redis.close()
        postgres.close()


def test_a_call_is_answered_recorded_transcribed_and_ticketed(shared: Shared) -> None:
    hotline = shared.hotline
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("12345")
        seat.wait_talks(30)
        wait_hears(call.ear, 1300)
        call.hang_up()
        ended(seat.call)
    ticket = hotline.wait_ticket(transcribed=True, timeout=60)[0]
    assert ticket["recording"]
    assert ticket["transcript_state"] == "ready"
    assert not (hotline.data / "hotline.db").exists(), "nothing went into an embedded database"


def test_whom_we_write_to_may_vanish_without_ending_us(shared: Shared) -> None:
    status = Path(f"/proc/{shared.hotline.process.pid}/status").read_text()
    ignored = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:")), 16)
    assert ignored & 1 << signal.SIGPIPE - 1, "SIGPIPE would end the hotline without a word"


def test_redis_killed_while_one_talks_drops_nobody_and_the_next_call_is_answered(shared: Shared) -> None:
    hotline = shared.hotline
    before = len(hotline.tickets())
    with (
        hotline.seat("8001") as first,
        hotline.citizen("13900000001") as talker,
        hotline.citizen("13900000002") as second,
    ):
        call = talker.talk("110")
        first.wait_talks(20)
        shared.redis.kill()
        waiting = second.talk("110")
        wait_hears(call.ear, 1300)
        assert call.ending is None
        first.call.hang_up()
        first.wait_rings(2, 20)
        first.wait_talks(20)
        wait_hears(waiting.ear, 1300)
        shared.redis.start()
        waiting.hang_up()
        ended(call, 20)
    eventually(lambda: len(hotline.tickets()) == before + 2, "both tickets once Redis is back", 40)


def test_the_database_stopped_during_a_call_delays_its_ticket_only(shared: Shared) -> None:
    hotline = shared.hotline
    before = {ticket["call"] for ticket in hotline.tickets()}
    with hotline.seat("8001") as seat, hotline.citizen("13900000003") as citizen:
        shared.postgres.stop("immediate")
        call = citizen.talk("110")
        seat.wait_talks(20)
        wait_hears(call.ear, 1300)
        call.hang_up()
        ended(seat.call)
        shared.postgres.start()
    eventually(lambda: len({one["call"] for one in hotline.tickets()} - before) == 1, "exactly one ticket", 40)


def test_killed_and_started_again_the_shared_stores_know_everything(shared: Shared) -> None:
    hotline = shared.hotline
    with hotline.seat("8002") as seat, hotline.citizen("13900000004") as citizen:
        call = citizen.talk("110")
        seat.wait_talks(20)
        hotline.kill()
        hotline.start()
        wait_hears(call.ear, 1300)
        assert call.ending is None
        call.hang_up()
        ended(seat.call)
    eventually(lambda: not hotline.calls(live=True), "everything drains", 20)
