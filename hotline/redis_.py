"""Event log, lease and broadcast on Redis (5.0 and later, or Valkey), for several processes and machines.

No command is repeated by the client: whether an append arrived is decided by its expected position, never by
trying again blindly. Every call has a time-out, and whatever Redis says instead of an answer (down, loading,
out of memory, a read-only replica, a key of another type) is `Unavailable` with its reason.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import msgspec
import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from hotline.clock import Clock
from hotline.errors import Conflict, Unavailable
from hotline.local import TRIM_STEP, Listeners, Subscription
from hotline.ports import Entry, Fence
from hotline.tasks import Tasks

log = structlog.get_logger(__name__)

T = TypeVar("T")

PULSE_S = 5.0
"""After this silence of the news connection Redis is asked whether it lives; after twice that it is given up."""

APPEND = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local head = 0
if #last > 0 then head = tonumber(string.match(last[1][1], '^%d+')) end
if head ~= tonumber(ARGV[1]) then return {0, head} end
for i = 3, #ARGV do
  head = head + 1
  redis.call('XADD', KEYS[1], string.format('%d-0', head), 'at', ARGV[2], 'body', ARGV[i])
end
return {1, head}
"""

CHECKPOINT = """
local kept = redis.call('HGET', KEYS[1], 'seq')
if kept and tonumber(kept) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'seq', ARGV[1], 'state', ARGV[2])
return 1
"""

# Entry by entry, because XTRIM MINID is not known before Redis 6.2.
TRIM = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #last == 0 then return 0 end
local upto = math.min(tonumber(ARGV[1]), tonumber(string.match(last[1][1], '^%d+')) - 1)
local gone = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[3])) do
  if tonumber(string.match(entry[1], '^%d+')) > upto or tonumber(entry[2][2]) >= tonumber(ARGV[2]) then break end
  gone[#gone + 1] = entry[1]
end
if #gone > 0 then redis.call('XDEL', KEYS[1], unpack(gone)) end
return #gone
"""

# The number is at least the server's time in microseconds: it keeps rising when Redis comes back empty.
ACQUIRE = """
local holder = redis.call('GET', KEYS[1])
if holder and string.match(holder, '^%d+ (.*)$') ~= ARGV[1] then return false end
local now = redis.call('TIME')
local number = math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1, now[1] * 1000000 + now[2])
number = string.format('%.0f', number)
redis.call('SET', KEYS[2], number)
redis.call('SET', KEYS[1], number .. ' ' .. ARGV[1], 'PX', ARGV[2])
return number
"""

RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisConnection:
    """One Redis and how long to wait for it. Shared by the log, the lease and the broadcast of a process."""

    def __init__(self, url: str, *, timeout_s: float = 2.0, connections: int = 16) -> None:
        self.timeout_s = timeout_s
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        self.client = Redis(connection_pool=pool)
        self._digests: dict[str, str] = {}

    async def ask(self, question: Awaitable[Any]) -> Any:
        """Await an answer.

        Raises:
            Unavailable: none came in time, or Redis refused.
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                return await question
        except NoScriptError:
            raise
        except TimeoutError as error:
            raise Unavailable(f"Redis did not answer within {self.timeout_s:g} s.") from error
        except (RedisError, OSError) as error:
            raise Unavailable(f"Redis cannot do its work: {type(error).__name__}: {error}.") from error

    async def run(self, script: str, keys: Sequence[str], *arguments: str | int | bytes) -> Any:
        """Run a Lua script by its digest, loading it when Redis does not have it (any more).

        Raises:
            Unavailable: as `ask`.
        """
        for _ in range(2):
            digest = self._digests.get(script) or await self._load(script)
            try:
                return await self.ask(self.client.evalsha(digest, len(keys), *keys, *arguments))
            except NoScriptError:
                self._digests.pop(script, None)
        raise Unavailable("Redis forgets scripts as soon as they are loaded.")

    async def check(self) -> None:
        """Ask whether Redis lives.

        Raises:
            Unavailable: it does not.
        """
        await self.ask(cast("Awaitable[Any]", self.client.ping()))

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()
        await self.client.connection_pool.disconnect()

    async def _load(self, script: str) -> str:
        digest = str(await self.ask(self.client.script_load(script)))
        self._digests[script] = digest
        return digest


class RedisEventLog:
    """The event log as Redis streams; position `n` is the entry `n-0`.

    How much a crash of Redis may lose is set there (`appendfsync everysec`: the last second).
    """

    def __init__(self, redis: RedisConnection, clock: Clock, prefix: str = "hotline:") -> None:
        self._redis = redis
        self._clock = clock
        self._prefix = prefix

    async def append(self, stream: str, expected: int, bodies: Sequence[bytes]) -> int:
        """See `EventLog.append`."""
        at = repr(self._clock.now().timestamp())
        added, head = await self._redis.run(APPEND, [self._facts(stream)], expected, at, *bodies)
        if not added:
            raise Conflict(f"Stream {stream} stands at {head}, not at {expected}: reload and decide again.")
        return int(head)

    async def read(self, stream: str, after: int = 0, limit: int = 1000) -> list[Entry]:
        """See `EventLog.read`."""
        client = self._redis.client
        rows = await self._redis.ask(client.xrange(self._facts(stream), f"{after + 1}-0", "+", limit))
        return [_entry(key, fields) for key, fields in rows]

    async def head(self, stream: str) -> int:
        """See `EventLog.head`."""
        rows = await self._redis.ask(self._redis.client.xrevrange(self._facts(stream), "+", "-", 1))
        return _position(rows[0][0]) if rows else 0

    async def save_checkpoint(self, stream: str, seq: int, state: bytes) -> None:
        """See `EventLog.save_checkpoint`. An older one than the one that is kept changes nothing."""
        await self._redis.run(CHECKPOINT, [self._checkpoint(stream)], seq, state)

    async def load_checkpoint(self, stream: str) -> tuple[int, bytes] | None:
        """See `EventLog.load_checkpoint`."""
        question = cast("Awaitable[Any]", self._redis.client.hmget(self._checkpoint(stream), ["seq", "state"]))
        seq, state = await self._redis.ask(question)
        return None if seq is None else (int(seq), bytes(state))

    async def trim(self, stream: str, upto: int, before: datetime) -> int:
        """See `EventLog.trim`. The checkpoint is asked for first: it only grows."""
        kept = await self.load_checkpoint(stream)
        last, moment, gone = min(upto, kept[0] if kept else 0), repr(before.timestamp()), 0
        while step := int(await self._redis.run(TRIM, [self._facts(stream)], last, moment, TRIM_STEP)):
            gone += step
        return gone

    def _facts(self, stream: str) -> str:
        return f"{self._prefix}log:{stream}"

    def _checkpoint(self, stream: str) -> str:
        return f"{self._prefix}checkpoint:{stream}"


def _position(key: bytes) -> int:
    return int(key.partition(b"-")[0])


def _entry(key: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    return Entry(_position(key), datetime.fromtimestamp(float(fields[b"at"]), UTC), fields[b"body"])


class RedisLease:
    """Leases as keys that expire by Redis' own clock, with a counter that outlives them."""

    def __init__(self, redis: RedisConnection, prefix: str = "hotline:") -> None:
        self._redis = redis
        self._prefix = prefix

    async def acquire(self, name: str, owner: str, ttl: timedelta) -> Fence | None:
        """See `Lease.acquire`. Re-taking gives a new number, so the fence held before is void."""
        key = self._key(name)
        number = await self._redis.run(ACQUIRE, [key, f"{key}:number"], owner, _milliseconds(ttl))
        return None if number is None else Fence(name, owner, int(number))

    async def renew(self, fence: Fence, ttl: timedelta) -> bool:
        """See `Lease.renew`."""
        return bool(await self._redis.run(RENEW, [self._key(fence.name)], _value(fence), _milliseconds(ttl)))

    async def release(self, fence: Fence) -> None:
        """See `Lease.release`."""
        await self._redis.run(RELEASE, [self._key(fence.name)], _value(fence))

    def _key(self, name: str) -> str:
        # The braces keep a lease and its counter on one node of a cluster.
        return f"{self._prefix}lease:{{{name}}}"


def _value(fence: Fence) -> str:
    return f"{fence.number} {fence.owner}"


def _milliseconds(ttl: timedelta) -> int:
    return max(1, round(ttl.total_seconds() * 1000))


class RedisBroadcast:
    """News between processes. Used inside `async with`, which keeps one connection listening to every topic.

    When that connection breaks, every listener is ended, because nobody knows what it missed.
    """

    def __init__(self, redis: RedisConnection, prefix: str = "hotline:", limit: int = 1000) -> None:
        self._redis = redis
        self._prefix = f"{prefix}news:"
        self._listeners = Listeners(limit)
        self._tasks = Tasks("redis broadcast")
        self._hearing = asyncio.Event()

    async def __aenter__(self) -> "RedisBroadcast":
        self._tasks.keep(self._listen, "listen", 0.2)
        try:
            async with asyncio.timeout(self._redis.timeout_s):
                await self._hearing.wait()
        except TimeoutError:
            log.warning("news cannot be heard yet, trying on")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()

    async def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """See `Broadcast.publish`.

        Raises:
            Unavailable: Redis did not take it; nobody heard it.
        """
        await self._redis.ask(self._redis.client.publish(self._prefix + topic, msgspec.json.encode(message)))

    def subscribe(self, topic: str) -> Subscription:
        """See `Broadcast.subscribe`. What was on its way when this was called may be heard as well.

        Raises:
            Unavailable: nothing can be heard at present.
        """
        if not self._hearing.is_set():
            raise Unavailable("Redis does not answer, so there is no news to listen to.")
        return self._listeners.add(topic)

    async def _listen(self) -> None:
        pubsub = self._redis.client.pubsub()
        try:
            await self._redis.ask(pubsub.psubscribe(f"{self._prefix}*"))
            await self._redis.ask(_confirmation(pubsub))
            self._hearing.set()
            await self._hear(pubsub)
        except (Unavailable, RedisError, OSError) as error:
            log.warning("news connection lost", reason=str(error))
        finally:
            self._hearing.clear()
            self._listeners.end_all()
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _hear(self, pubsub: PubSub) -> None:
        asked = False
        while True:
            message = await pubsub.get_message(timeout=PULSE_S)
            if message is None and asked:
                raise Unavailable("Redis fell silent.")
            asked = message is None
            if message is None:
                await self._redis.ask(pubsub.ping())
            elif message["type"] == "pmessage":
                topic = cast("bytes", message["channel"]).decode().removeprefix(self._prefix)
                self._listeners.deliver(topic, cast("bytes", message["data"]))


async def _confirmation(pubsub: PubSub) -> None:
    while (message := await pubsub.get_message(timeout=None)) is None or message["type"] != "psubscribe":
        pass
