"""The servers that contract tests share, and one fixture per Protocol that goes through its implementations."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from hotline.clock import SystemClock
from hotline.local import LocalBroadcast, LocalEventLog, LocalLease
from hotline.ports import Broadcast, EventLog, Lease
from hotline.redis_ import RedisBroadcast, RedisConnection, RedisEventLog, RedisLease
from hotline.spool import SpooledLog
from hotline.sql import OpenDatabase, connect
from tests.servers import PostgresServer, RedisServer


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def redis_connection(redis_server: RedisServer) -> AsyncIterator[RedisConnection]:
    async with _connected(redis_server) as connection:
        yield connection


@asynccontextmanager
async def _connected(server: RedisServer) -> AsyncIterator[RedisConnection]:
    server.empty()
    connection = RedisConnection(server.url)
    yield connection
    await connection.close()


def _redis(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[RedisConnection]:
    """The server is asked for by name, so that runs without its implementations do not start it."""
    return _connected(request.getfixturevalue("redis_server"))


@pytest.fixture(params=["local", "redis", "spooled"])
async def event_log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventLog]:
    clock = SystemClock()
    if request.param == "redis":
        async with _redis(request) as connection:
            yield RedisEventLog(connection, clock)
        return
    local = LocalEventLog(tmp_path / "events.db", clock)
    if request.param == "spooled":
        async with SpooledLog(local, tmp_path / "spool.db", clock) as spooled:
            yield spooled
    else:
        yield local
    await local.close()


@pytest.fixture(params=["local", "redis"])
async def lease(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Lease]:
    if request.param == "redis":
        async with _redis(request) as connection:
            yield RedisLease(connection)
        return
    local = LocalLease(tmp_path / "leases.db", SystemClock())
    yield local
    await local.close()


@pytest.fixture(params=["local", "redis"])
async def broadcast(request: pytest.FixtureRequest) -> AsyncIterator[Broadcast]:
    if request.param == "redis":
        async with _redis(request) as connection, RedisBroadcast(connection, limit=100) as shared:
            yield shared
        return
    local = LocalBroadcast(limit=100)
    yield local
    await local.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hotline.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[OpenDatabase]:
    opened = connect(database_url)
    yield opened
    await opened.close()
