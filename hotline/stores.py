"""The data folder, and the two ways to run: embedded stores in it, or Redis and the database of the settings."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from hotline.clock import Clock
from hotline.errors import Unavailable
from hotline.local import LocalBroadcast, LocalEventLog, LocalLease
from hotline.ports import Broadcast, EventLog, Lease
from hotline.redis_ import RedisBroadcast, RedisConnection, RedisEventLog, RedisLease
from hotline.settings import Settings
from hotline.spool import SpooledLog
from hotline.sql import OpenDatabase, connect


@dataclass(frozen=True, slots=True)
class Stores:
    """What differs between the two ways to run."""

    database: OpenDatabase
    log: EventLog
    lease: Lease
    broadcast: Broadcast


def make_data_folder(settings: Settings) -> None:
    """Make the folder of everything that is written.

    Raises:
        Unavailable: it cannot be made or written.
    """
    try:
        (settings.data / "spool").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The data folder {settings.data.absolute()} cannot be written ({error.strerror}): correct its owner, or "
            "choose another one with HOTLINE_DATA."
        ) from error


@asynccontextmanager
async def open_stores(settings: Settings, clock: Clock) -> AsyncGenerator[Stores]:
    """Embedded stores in the data folder, or Redis and the database that the settings name."""
    async with AsyncExitStack() as stack:
        database = connect(settings.sqlalchemy_url)
        stack.push_async_callback(database.close)
        if settings.redis_url:
            redis = RedisConnection(settings.redis_url)
            stack.push_async_callback(redis.close)
            inner: EventLog = RedisEventLog(redis, clock)
            lease: Lease = RedisLease(redis)
            broadcast: Broadcast = await stack.enter_async_context(RedisBroadcast(redis))
        else:
            local = LocalEventLog(settings.data / "events.db", clock)
            stack.push_async_callback(local.close)
            own = LocalLease(settings.data / "lease.db", clock)
            stack.push_async_callback(own.close)
            inner, lease, broadcast = local, own, LocalBroadcast()
        spooled = await stack.enter_async_context(SpooledLog(inner, settings.data / "spool" / "facts.db", clock))
        yield Stores(database, spooled, lease, broadcast)
