"""What happens when the disk, Redis or PostgreSQL fails under the kernel's adapters."""

import asyncio
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import SystemClock
from hotline.errors import Conflict, Unavailable
from hotline.local import LocalEventLog, Subscription
from hotline.ports import EventLog
from hotline.redis_ import RedisBroadcast, RedisConnection, RedisEventLog, RedisLease
from hotline.spool import SpooledLog
from hotline.sql import connect
from tests.servers import PostgresServer, RedisServer

pytestmark = pytest.mark.contract

CLOCK = SystemClock()
metadata = MetaData()
blobs = Table("blobs", metadata, Column("id", Integer, primary_key=True), Column("data", LargeBinary))


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may harm."""
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may harm."""
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@asynccontextmanager
async def _redis_log(server: RedisServer, timeout_s: float = 0.5) -> AsyncIterator[RedisEventLog]:
    connection = RedisConnection(server.url, timeout_s=timeout_s)
    yield RedisEventLog(connection, CLOCK)
    await connection.close()


@contextmanager
def _disk_full_at(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def _until(replayed: SpooledLog) -> None:
    async with asyncio.timeout(10):
        while replayed.is_broken or replayed.spooled:  # noqa: ASYNC110 - there is nothing to be told by
            await asyncio.sleep(0.02)


def _add_blob(number: int, size: int = 10) -> Callable[[AsyncConnection], Awaitable[None]]:
    async def add(connection: AsyncConnection) -> None:
        await connection.execute(insert(blobs).values(id=number, data=b"x" * size))

    return add


async def _blob_ids(connection: AsyncConnection) -> list[int]:
    return list((await connection.execute(select(blobs.c.id).order_by(blobs.c.id))).scalars())


# Files


async def test_two_processes_on_one_log_file_one_gets_conflict(tmp_path: Path) -> None:
    ours, theirs = (LocalEventLog(tmp_path / "events.db", CLOCK) for _ in range(2))
    await ours.append("floor", 0, [b"ours"])
    outcomes = await asyncio.gather(
        ours.append("floor", 1, [b"ours"]), theirs.append("floor", 1, [b"theirs"]), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "int"]
    assert await ours.head("floor") == await theirs.head("floor") == 2
    await ours.close()
    await theirs.close()


async def test_a_full_disk_is_one_sentence_and_the_log_goes_on_when_there_is_room(tmp_path: Path) -> None:
    log = LocalEventLog(tmp_path / "events.db", CLOCK)
    head = await log.append("floor", 0, [b"first"])
    with _disk_full_at(100_000):
        with pytest.raises(Unavailable, match="cannot be used"):
            await log.append("floor", head, [b"x" * 500_000])
        assert [entry.body for entry in await log.read("floor")] == [b"first"]
    assert await log.append("floor", head, [b"second"]) == 2
    await log.close()


async def test_a_full_disk_does_not_hurt_the_database_and_ends(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}")
    await database.write(lambda connection: connection.run_sync(metadata.create_all))
    await database.write(_add_blob(1))
    with _disk_full_at(100_000):
        with pytest.raises(Unavailable, match="cannot do its work"):
            await database.write(_add_blob(2, 500_000))
        assert await database.read(_blob_ids) == [1]
    await database.write(_add_blob(3))
    assert await database.read(_blob_ids) == [1, 3]
    await database.close()


async def test_a_locked_file_is_unavailable_in_time_and_works_when_free(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}", timeout_s=0.5)
    log = LocalEventLog(tmp_path / "events.db", CLOCK, timeout_s=0.5)
    await database.write(lambda connection: connection.run_sync(metadata.create_all))
    await log.append("floor", 0, [b"a"])
    holders = [sqlite3.connect(tmp_path / name, isolation_level=None) for name in ("hotline.db", "events.db")]
    for holder in holders:
        holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(Unavailable, match="locked"):
        await database.write(_add_blob(1))
    with pytest.raises(Unavailable, match="locked"):
        await log.append("floor", 1, [b"b"])
    assert time.monotonic() - began < 1.5
    assert await database.read(_blob_ids) == []
    assert await log.head("floor") == 1
    for holder in holders:
        holder.close()
    await database.write(_add_blob(2))
    assert await log.append("floor", 1, [b"c"]) == 2
    await database.close()
    await log.close()


async def test_what_is_no_database_gives_one_sentence(tmp_path: Path) -> None:
    for name in ("hotline.db", "events.db"):
        (tmp_path / name).write_bytes(b"this is not a database, but long enough to be looked at" * 50)
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}")
    log = LocalEventLog(tmp_path / "events.db", CLOCK)
    with pytest.raises(Unavailable, match="not a database"):
        await database.check()
    with pytest.raises(Unavailable, match="not a database"):
        await log.head("floor")
    await database.close()
    await log.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from typing import cast
from hotline.clock import SystemClock
from hotline.local import LocalEventLog, Subscription

async def main():
    log = LocalEventLog(Path(sys.argv[1]), SystemClock())
    head = 0
    while True:
        head = await log.append("floor", head, [b"%d" % (head + 1), b"%d" % (head + 2)])
        print(head, flush=True)

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    here = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, cwd=here) as process:  # noqa: ASYNC220
        assert process.stdout
        told = b"".join(process.stdout.readline() for _ in range(50))
        process.kill()
        told += process.stdout.read()
    acknowledged = int(told[: told.rindex(b"\n")].split(b"\n")[-1])
    log = LocalEventLog(path, CLOCK)
    head = await log.head("floor")
    assert head >= acknowledged
    assert head % 2 == 0  # all of an append or nothing
    entries = await log.read("floor", limit=head)
    assert [entry.body for entry in entries] == [b"%d" % seq for seq in range(1, head + 1)]
    await log.close()


# Redis


async def test_redis_killed_is_unavailable_and_comes_back_with_everything(own_redis: RedisServer) -> None:
    async with _redis_log(own_redis) as log:
        await log.append("floor", 0, [b"a"])
        own_redis.kill()
        for _ in range(3):
            with pytest.raises(Unavailable):
                await log.append("floor", 1, [b"b"])
        own_redis.start()
        assert await log.append("floor", 1, [b"c"]) == 2
        assert [entry.body for entry in await log.read("floor")] == [b"a", b"c"]


async def test_redis_that_hangs_costs_no_more_than_the_time_out(own_redis: RedisServer) -> None:
    async with _redis_log(own_redis, timeout_s=0.3) as log:
        await log.append("floor", 0, [b"a"])
        own_redis.pause()
        began = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer"):
            await log.head("floor")
        assert time.monotonic() - began < 1
        own_redis.resume()
        # Answers to questions that were given up must not be taken for answers to later ones.
        assert await log.head("floor") == 1
        assert (await log.read("floor"))[0].body == b"a"


async def test_redis_that_forgot_its_scripts_gets_them_again(own_redis: RedisServer) -> None:
    async with _redis_log(own_redis) as log:
        await log.append("floor", 0, [b"a"])
        own_redis.ask("SCRIPT", "FLUSH")
        assert await log.append("floor", 1, [b"b"]) == 2


@pytest.mark.parametrize(
    ("harm", "heal"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
        (("SET", "hotline:log:floor", "text"), ("DEL", "hotline:log:floor")),
        (("CONFIG", "SET", "requirepass", "secret"), None),
    ],
    ids=["out of memory", "read-only replica", "wrong type", "password"],
)
async def test_redis_that_refuses_is_unavailable_and_adds_nothing(
    own_redis: RedisServer, harm: tuple[str, ...], heal: tuple[str, ...] | None
) -> None:
    async with _redis_log(own_redis) as log:
        own_redis.ask(*harm)
        with pytest.raises(Unavailable, match="Redis cannot do its work"):
            await log.append("floor", 0, [b"a", b"b"])
        if heal:
            own_redis.ask(*heal)
            assert await log.append("floor", 0, [b"c"]) == 1


async def test_redis_come_back_empty_gives_higher_fencing_numbers_than_before(own_redis: RedisServer) -> None:
    connection = RedisConnection(own_redis.url)
    lease = RedisLease(connection)
    before = await lease.acquire("floor", "a", timedelta(seconds=30))
    own_redis.empty()
    after = await lease.acquire("floor", "b", timedelta(seconds=30))
    assert before
    assert after
    assert after.number > before.number
    assert not await lease.renew(before, timedelta(seconds=30))
    await connection.close()


async def test_listeners_end_when_redis_goes_and_new_ones_hear_again(own_redis: RedisServer) -> None:
    connection = RedisConnection(own_redis.url, timeout_s=0.5)
    async with RedisBroadcast(connection) as broadcast:
        listener = broadcast.subscribe("desk")
        own_redis.kill()
        async with asyncio.timeout(5):
            assert [message async for message in listener] == []
        with pytest.raises(Unavailable):
            broadcast.subscribe("desk")
        with pytest.raises(Unavailable):
            await broadcast.publish("desk", {})
        own_redis.start()
        async with asyncio.timeout(5):
            listener = await _subscribed(broadcast)
            await broadcast.publish("desk", {"back": True})
            assert await anext(listener) == {"back": True}
    await connection.close()


async def _subscribed(broadcast: RedisBroadcast) -> Subscription:
    while True:
        try:
            return broadcast.subscribe("desk")
        except Unavailable:
            await asyncio.sleep(0.02)


async def test_an_append_whose_answer_is_lost_is_never_sent_twice(own_redis: RedisServer, tmp_path: Path) -> None:
    """A client that repeats it would meet its own first try and call that a conflict."""
    sent: list[bytes] = []

    async def lose_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_unix_connection(own_redis.socket)
        while data := await reader.read(65536):
            onward.write(data)
            answer = await there.read(65536)
            if b"EVALSHA" in data:
                sent.append(data)
                break
            writer.write(answer)
        for stream in (onward, writer):
            stream.close()

    proxy = await asyncio.start_unix_server(lose_answers, tmp_path / "proxy.sock")
    connection = RedisConnection(f"unix://{tmp_path / 'proxy.sock'}", timeout_s=2)
    with pytest.raises(Unavailable):
        await RedisEventLog(connection, CLOCK).append("floor", 0, [b"a"])
    assert len(sent) == 1
    assert own_redis.ask("XLEN", "hotline:log:floor") == 1
    await connection.close()
    proxy.close()


# The spool


@asynccontextmanager
async def _spooled(inner: EventLog, folder: Path) -> AsyncIterator[SpooledLog]:
    pause = timedelta(milliseconds=50)
    async with SpooledLog(inner, folder / "spool.db", CLOCK, pause=pause) as spooled:
        yield spooled


async def test_facts_are_spooled_in_order_while_redis_is_down_and_replayed_once(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    async with _redis_log(own_redis) as inner, _spooled(inner, tmp_path) as log:
        head = await log.append("floor", 0, [b"1"])
        own_redis.kill()
        for number in range(2, 30):
            head = await log.append("floor", head, [b"%d" % number])
        await log.append("call:9", 0, [b"other"])
        assert await log.head("floor") == 29
        assert [entry.body for entry in await log.read("floor", 20)] == [b"%d" % number for number in range(21, 30)]
        with pytest.raises(Unavailable):
            await log.read("floor", 0)
        with pytest.raises(Conflict):
            await log.append("floor", 5, [b"late"])
        own_redis.start()
        await _until(log)
        assert [entry.body for entry in await inner.read("floor")] == [b"%d" % number for number in range(1, 30)]
        assert [entry.body for entry in await inner.read("call:9")] == [b"other"]
        assert await log.append("floor", 29, [b"30"]) == 30
        assert await inner.head("floor") == 30


async def test_only_the_first_caller_waits_and_no_longer_than_the_bound(own_redis: RedisServer, tmp_path: Path) -> None:
    async with _redis_log(own_redis, timeout_s=5) as inner, _spooled(inner, tmp_path) as log:
        head = await log.append("floor", 0, [b"1"])
        own_redis.pause()
        waits: list[float] = []
        for number in range(2, 40):
            began = time.monotonic()
            head = await log.append("floor", head, [b"%d" % number])
            waits.append(time.monotonic() - began)
        assert waits[0] < 0.25 + 0.2
        for number in range(20):
            began = time.monotonic()
            await log.append(f"call:{number}", 0, [b"new"])
            waits.append(time.monotonic() - began)
        assert max(waits[1:]) < 0.2
        own_redis.resume()
        await _until(log)
        # The command that was given up may have been done by the hanging server: it counts once.
        assert [entry.body for entry in await inner.read("floor")] == [b"%d" % number for number in range(1, 40)]


class AnswerLost:
    """A log whose appends arrive while their answers do not."""

    def __init__(self, inner: EventLog) -> None:
        self.inner = inner
        self.is_losing = True

    async def append(self, stream: str, expected: int, bodies: list[bytes]) -> int:
        head = await self.inner.append(stream, expected, bodies)
        if self.is_losing:
            raise Unavailable("The answer was lost.")
        return head

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


async def test_an_append_that_arrived_although_its_answer_was_lost_counts_once(tmp_path: Path) -> None:
    inner = LocalEventLog(tmp_path / "events.db", CLOCK)
    lossy = AnswerLost(inner)
    async with _spooled(cast("EventLog", lossy), tmp_path) as log:
        head = await log.append("floor", 0, [b"1", b"2"])
        head = await log.append("floor", head, [b"3"])
        lossy.is_losing = False
        await _until(log)
        assert [entry.body for entry in await inner.read("floor")] == [b"1", b"2", b"3"]
    await inner.close()


async def test_what_is_spooled_survives_the_process(own_redis: RedisServer, tmp_path: Path) -> None:
    async with _redis_log(own_redis) as inner:
        async with _spooled(inner, tmp_path) as log:
            await log.append("floor", 0, [b"1"])
            own_redis.kill()
            await log.append("floor", 1, [b"2"])
            await log.save_checkpoint("floor", 2, b"state")
            assert await log.load_checkpoint("floor") == (2, b"state")
        async with _spooled(inner, tmp_path) as again:
            assert again.spooled == 1
            assert await again.append("floor", 2, [b"3"]) == 3
            own_redis.start()
            await _until(again)
        assert [entry.body for entry in await inner.read("floor")] == [b"1", b"2", b"3"]
        assert await inner.load_checkpoint("floor") == (2, b"state")


class Away:
    """A log that can be out of reach for us, and not for others."""

    def __init__(self, inner: EventLog) -> None:
        self.inner = inner
        self.is_away = False

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        return self._refuse if self.is_away else getattr(self.inner, name)

    async def _refuse(self, *_: object) -> None:
        raise Unavailable("Away.")


async def test_a_fact_whose_place_somebody_took_is_refused_kept_and_told(tmp_path: Path) -> None:
    refused: list[tuple[str, list[bytes]]] = []
    local = LocalEventLog(tmp_path / "events.db", CLOCK)
    inner = Away(local)
    spooled = SpooledLog(
        cast("EventLog", inner),
        tmp_path / "spool.db",
        CLOCK,
        pause=timedelta(milliseconds=50),
        on_refused=lambda stream, entries: refused.append((stream, [entry.body for entry in entries])),
    )
    async with spooled as log:
        await log.append("floor", 0, [b"1"])
        inner.is_away = True
        await log.append("floor", 1, [b"ours"])
        await log.append("floor", 2, [b"ours too"])
        await log.append("call:1", 0, [b"fine"])
        await local.append("floor", 1, [b"theirs"])
        inner.is_away = False
        await _until(log)
        assert refused == [("floor", [b"ours", b"ours too"])]
        assert [entry.body for entry in await log.read("floor")] == [b"1", b"theirs"]
        assert [entry.body for entry in await log.read("call:1")] == [b"fine"]
        assert await log.append("floor", 2, [b"after"]) == 3
    with closing(sqlite3.connect(tmp_path / "spool.db")) as kept:
        assert kept.execute("SELECT body FROM refused ORDER BY seq").fetchall() == [(b"ours",), (b"ours too",)]
    await local.close()


async def test_two_streams_stay_apart_and_callers_that_leave_change_nothing(tmp_path: Path) -> None:
    inner = LocalEventLog(tmp_path / "events.db", CLOCK)
    lossy = AnswerLost(inner)
    async with _spooled(cast("EventLog", lossy), tmp_path) as log:
        await log.append("a", 0, [b"1"])
        leaving = asyncio.create_task(log.append("a", 1, [b"2"]))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(log.append("a", 2, [b"3"]), log.append("b", 0, [b"1"]))
        lossy.is_losing = False
        await _until(log)
        assert [entry.body for entry in await inner.read("a")] == [b"1", b"2", b"3"]
        assert await inner.head("b") == 1
    await inner.close()


async def test_a_full_disk_under_the_spool_is_told_and_leaves_the_order_whole(tmp_path: Path) -> None:
    inner = Away(LocalEventLog(tmp_path / "events.db", CLOCK))
    inner.is_away = True
    async with _spooled(cast("EventLog", inner), tmp_path) as log:
        await log.append("floor", 0, [b"1"])
        with _disk_full_at(100_000), pytest.raises(Unavailable):
            await log.append("floor", 1, [b"x" * 500_000])
        assert await log.append("floor", 1, [b"2"]) == 2
        assert [entry.body for entry in await log.read("floor")] == [b"1", b"2"]


# PostgreSQL


async def test_postgresql_stopped_is_unavailable_and_works_again_after_its_start(own_postgres: PostgresServer) -> None:
    database = connect(own_postgres.new_database(), timeout_s=2)
    await database.write(lambda connection: connection.run_sync(metadata.create_all))
    await database.write(_add_blob(1))
    for mode in ("fast", "immediate"):
        own_postgres.stop(mode)
        with pytest.raises(Unavailable):
            await database.write(_add_blob(99))
        with pytest.raises(Unavailable):
            await database.check()
        own_postgres.start()
        await database.check()
    await database.write(_add_blob(2))
    assert await database.read(_blob_ids) == [1, 2]
    await database.close()


async def test_a_connection_killed_in_mid_transaction_leaves_no_half_and_the_next_change_works(
    own_postgres: PostgresServer,
) -> None:
    database = connect(own_postgres.new_database())
    await database.write(lambda connection: connection.run_sync(metadata.create_all))

    async def cut(connection: AsyncConnection) -> None:
        await connection.execute(insert(blobs).values(id=1))
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await asyncio.to_thread(own_postgres.ask, f"SELECT pg_terminate_backend({pid})")
        await connection.execute(insert(blobs).values(id=2))

    with pytest.raises(Unavailable):
        await database.write(cut)
    await database.write(_add_blob(3))
    assert await database.read(_blob_ids) == [3]
    await database.close()
