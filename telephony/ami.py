"""The connection to Asterisk's manager interface that comes back by itself; panoramisk behind it.

What is kept of panoramisk: how it connects, logs in and numbers actions. What is replaced, because it loses or
doubles things: framing and decoding, the table of unanswered actions, what happens at a disconnect, pings.
Nothing is queued while there is no connection and nothing is sent again after a reconnect.
It knows no event's meaning: every event goes, in order, into one synchronous `hear`.
"""

import asyncio
import random
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog
from panoramisk.manager import Manager

from hotline.clock import Clock
from telephony.amiproto import AmiProtocol, Ask, Asked, Reply, raise_if_refused
from telephony.amiwire import Message, Value
from telephony.endpoint import AmiEndpoint
from telephony.errors import AsteriskUnreachable

log = structlog.get_logger(__name__)

Chance = Callable[[], float]
CLOSED = "we closed it"
BACKLOG = 1024 * 1024
"""Unsent bytes after which the peer counts as dead: a healthy one takes an action at once."""


@dataclass(frozen=True, slots=True)
class AmiTimes:
    """Seconds of everything that is waited for."""

    answer: float = 5.0
    connect: float = 5.0
    boot: float = 60.0
    """From log-in to FullyBooted."""
    ping_every: float = 1.0
    dead_after: float = 3.0
    """Silence, with a ping unanswered, after which the peer counts as dead."""
    retry_first: float = 0.2
    retry_longest: float = 5.0
    retry_refused: float = 10.0
    """Pause after a refused log-in: a wrong secret does not become right by hammering."""


@dataclass(frozen=True, slots=True)
class LinkUp:
    """We are logged in and Asterisk is fully booted; what was known before may be stale."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The connection is lost; every unanswered action has failed."""

    reason: str


Hear = Callable[[Message | LinkUp | LinkDown], None]


class AmiLink(Manager):  # type: ignore[misc]  # panoramisk has no types
    """The connection, kept up for as long as `run` runs."""

    pinger: asyncio.TimerHandle | None
    authenticated_future: "asyncio.Future[Message]"

    def __init__(
        self,
        endpoint: AmiEndpoint | Callable[[], AmiEndpoint],
        clock: Clock,
        hear: Hear,
        *,
        events: Iterable[str],
        times: AmiTimes | None = None,
        chance: Chance = random.random,
    ) -> None:
        """`endpoint` is asked anew at each connect when it is a function: a restarted Asterisk may have moved.
        `hear` must only take note: it runs inside the socket's callback. `events` are the names worth parsing."""
        super().__init__(protocol_factory=lambda: AmiProtocol(self))
        self._endpoint = endpoint
        self.clock = clock
        self.times = times or AmiTimes()
        self.names = frozenset(name.encode() for name in (*events, "FullyBooted", "Shutdown"))
        self.problem = "not connected yet"
        """Why there is no connection, one sentence for a person; empty when there is one."""
        self._hear = hear
        self._overhearing: list[Callable[[Message], None]] = []
        self._chance = chance
        self._up = False
        self._refused = False
        self._lost = asyncio.Event()
        self._booted = asyncio.Event()

    @property
    def up(self) -> bool:
        """Logged in, fully booted, not known to be lost."""
        return self._up

    @property
    def endpoint(self) -> AmiEndpoint:
        """Where we connect to."""
        return self._endpoint() if callable(self._endpoint) else self._endpoint

    async def run(self) -> None:
        """Connect, watch and reconnect until cancelled."""
        pause = self.times.retry_first
        try:
            while True:
                if await self._one_connection():
                    pause = self.times.retry_first
                await asyncio.sleep(self._pause(pause) * (0.5 + self._chance()))
                pause = min(pause * 2, self.times.retry_longest)
        finally:
            self.drop(CLOSED)

    def _pause(self, pause: float) -> float:
        return max(pause, self.times.retry_refused) if self._refused else pause

    async def act(self, action: str, headers: Mapping[str, Value] | None = None, *, within: float = 0.0) -> Reply:
        """Send one action and wait for its answer. `within`: seconds, 0 for the usual.

        Raises:
            BadInput: a value cannot be sent; nothing was sent.
            LineGoneError: the channel it names does not exist (any more).
            ActionRefused: Asterisk answered with another error.
            AsteriskUnreachable: no connection, or no answer in time. It may have been done all the same.
        """
        return (await self.pipeline((Ask(action, headers or {}),), within=within))[0]

    async def pipeline(self, asks: Sequence[Ask], *, within: float = 0.0, judge: bool = True) -> tuple[Reply, ...]:
        """Write all actions in one go, then wait for every answer; Asterisk does them in this order.

        `judge=False`: an error is an answer like any other.
        Raises: as `act`; of several errors, the first.
        """
        asked = self._post(asks)
        try:
            async with asyncio.timeout(within or self.times.answer):
                for one in asked:
                    with suppress(AsteriskUnreachable):  # `reply` says it
                        await one.future
            replies = tuple(one.reply() for one in asked)
        except TimeoutError:
            raise AsteriskUnreachable(f"Asterisk did not answer {asks[-1].action} in time.") from None
        finally:
            self._forget(asked)
        for reply in replies if judge else ():
            raise_if_refused(reply)
        return replies

    def tell(self, asks: Sequence[Ask]) -> None:
        """Send actions whose answers interest nobody. Without a connection nothing happens."""
        if self._up:
            for one in self._post(asks):
                one.future.add_done_callback(_ignore)

    def _post(self, asks: Sequence[Ask]) -> list[Asked]:
        asked = [Asked(ask) for ask in asks]
        protocol = self.protocol
        if not self._up or protocol is None or protocol.closed:
            raise AsteriskUnreachable(f"There is no connection to Asterisk: {self.problem}")
        if protocol.transport.get_write_buffer_size() > BACKLOG:
            self.drop("it does not read what we send")
            raise AsteriskUnreachable("Asterisk does not read what we send.")
        protocol.write(asked)
        return asked

    def _forget(self, asked: Iterable[Asked]) -> None:
        for one in asked:
            if not one.future.done():
                one.future.cancel()
            if self.protocol is not None:
                self.protocol.responses.pop(one.number, None)

    # ---- one connection's life ------------------------------------------------------------------------------------

    async def _one_connection(self) -> bool:
        """Whether it ever came up."""
        self._lost, self._booted, self._refused = asyncio.Event(), asyncio.Event(), False
        came_up = False
        try:
            async with asyncio.timeout(self.times.connect):
                await self._log_in()
            await self._boot()
            came_up = self._up
            await self._watch()
        except asyncio.CancelledError:
            self.drop(CLOSED)
            raise
        except (OSError, TimeoutError, AsteriskUnreachable) as error:
            self._note(str(error) or "Asterisk did not answer in time.")
        self.drop(self.problem or "the connection ended")
        return came_up

    async def _boot(self) -> None:
        try:
            async with asyncio.timeout(self.times.boot):
                await self._either(self._booted, self._lost)
        except TimeoutError:
            raise AsteriskUnreachable(
                "Asterisk lets us in, but does not say that it is fully booted: it hangs, or our account lacks "
                "`system` in `read` of manager.conf."
            ) from None

    async def _log_in(self) -> None:
        self.loop = asyncio.get_running_loop()
        place = self.endpoint
        self.config |= {"host": place.host, "port": place.port, "username": place.user, "secret": place.secret}
        connecting = self.connect()
        await connecting
        await asyncio.sleep(0)  # `connection_made` is the task's callback: let it run
        message = await self.authenticated_future
        if message.get("Response") != "Success":
            self._refused = True
            raise AsteriskUnreachable(
                f"Asterisk at {place.host}:{place.port} refuses the account {place.user}: correct its "
                "secret or its permitted addresses."
            )

    def connection_made(self, f: "asyncio.Future[object]") -> None:
        """panoramisk's callback of a connection attempt; failures are `_log_in`'s."""
        if not f.cancelled() and f.exception() is None:
            super().connection_made(f)
            self._unwatched()

    def login(self, future: "asyncio.Future[object]") -> bool:
        """panoramisk's callback of the log-in: `_log_in` judges the answer itself."""
        _ignore(future)
        return False

    async def _watch(self) -> None:
        while not self._lost.is_set():
            self.tell((Ask("Ping"),))
            try:
                async with asyncio.timeout(self.times.ping_every):
                    await self._lost.wait()
            except TimeoutError:
                await self._drop_if_silent()

    async def _drop_if_silent(self) -> None:
        if self._silent_s() > self.times.dead_after:
            await asyncio.sleep(0.05)  # when it was we who slept, what came meanwhile is read now
            if self._silent_s() > self.times.dead_after:
                self._note("Asterisk does not answer pings")
                self.drop(self.problem)

    def _silent_s(self) -> float:
        return self.clock.monotonic() - self.protocol.heard_at if self.protocol is not None else 0.0

    @staticmethod
    async def _either(*events: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def heard(self, message: Message) -> None:
        """One wanted event, from the socket's callback."""
        match message.get("Event"):
            case "FullyBooted":
                if not self._up:
                    self._up, self.problem = True, ""
                    self._booted.set()
                    log.info("connected to Asterisk", host=self.config["host"], port=self.config["port"])
                    self._hear(LinkUp())
            case "Shutdown":
                self.drop("Asterisk is shutting down")
            case _:
                if self._up:
                    self._hear(message)
                for note in self._overhearing:
                    note(message)

    @contextmanager
    def overhear(self, names: Iterable[str]) -> Generator[list[Message]]:
        """The events of these names that come meanwhile, whoever else hears them."""
        heard: list[Message] = []
        before, wanted = self.names, frozenset(names)

        def note(message: Message) -> None:
            if message.get("Event") in wanted:
                heard.append(message)

        self.names = before | {name.encode() for name in wanted}
        self._overhearing.append(note)
        try:
            yield heard
        finally:
            self._overhearing.remove(note)
            self.names = before

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket closed."""
        self.drop(f"the connection was lost ({type(exc).__name__})" if exc else "Asterisk closed the connection")

    def _unwatched(self) -> None:
        """End panoramisk's own timer of pings whose answers nobody looks at; `_watch` pings."""
        if self.pinger is not None:
            self.pinger.cancel()
            self.pinger = None

    def drop(self, reason: str) -> None:
        """Give the connection up; `run` makes a new one."""
        if self._up:
            self._up = False
            self._note(reason)
            self._hear(LinkDown(reason))
        self._lost.set()
        if self.protocol is not None:
            self.protocol.close()

    def _note(self, problem: str) -> None:
        if problem == CLOSED:
            log.info("connection to Asterisk closed", host=self.config["host"], port=self.config["port"])
        elif problem != self.problem:
            log.error("no connection to Asterisk", reason=problem, host=self.config["host"], port=self.config["port"])
        self.problem = problem


def _ignore(future: "asyncio.Future[object]") -> None:
    """Take note of a failure that interests nobody, so that asyncio does not complain of it."""
    if not future.cancelled():
        future.exception()
