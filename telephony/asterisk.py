"""Our own Asterisk as a child that outlives us: started or adopted, watched, started again, stopped.

Knows nothing of calls. Whoever speaks AMI asks `ami` for the address at each connect: a restart may change the port.
"""

import asyncio
from collections.abc import Callable
from secrets import SystemRandom

import structlog

from hotline.clock import Clock
from hotline.errors import HotlineError
from hotline.settings import Settings
from hotline.tasks import Tasks
from telephony.child import Child
from telephony.endpoint import AmiEndpoint, parse_ami_url
from telephony.errors import AsteriskWontStart
from telephony.instance import Instance, Running
from telephony.places import Places
from telephony.readiness import Ready, wait_ready
from telephony.requirements import account_problems

__all__ = ["AmiEndpoint", "AsteriskProcess", "parse_ami_url", "restart_pause_s"]

log = structlog.get_logger(__name__)

READY_S = 20.0
"""A slow machine needs some 2 s; more means that it hangs."""
STOP_S = 5.0
_LOG_CHECK_S = 30.0
_chance = SystemRandom().random
_LOUD = 5
"""After so many failures in a row only every so many-th is logged."""
_CALM_S = 30.0
"""Who lived that long is started again at once; who died sooner, after a growing pause."""


def restart_pause_s(failures: int, chance: float) -> float:
    """Seconds to wait after `failures` quick deaths in a row; `chance` from 0 to 1 spreads the nodes of a centre.
    At most 3 s, so that service is back within 5."""
    return 0.0 if failures == 0 else min(0.25 * 2 ** (failures - 1), 3.0) * (0.5 + chance / 2)


class AsteriskProcess:
    """The Asterisk of one data folder. `chance` gives numbers from 0 to 1."""

    def __init__(self, settings: Settings, clock: Clock, *, chance: Callable[[], float] = _chance) -> None:
        self._instance = Instance(settings)
        self._clock = clock
        self._chance = chance
        self._tasks = Tasks("asterisk")
        self._running: Running | None = None
        self._ready: Ready | None = None
        self._up = asyncio.Event()
        self._since = 0.0
        self._failures = 0
        self.adopted = False
        """Was the present process already there when we came?"""
        self.restarts = 0
        """How often it died and was started again."""

    @property
    def places(self) -> Places:
        """Its folders."""
        return self._instance.places

    @property
    def ami(self) -> AmiEndpoint:
        """Where its AMI listens now. Only after `start`."""
        return self._instance.ami

    @property
    def pid(self) -> int | None:
        """Its process id; none while it is down."""
        return self._running.child.pid if self._running and self._up.is_set() else None

    @property
    def ready(self) -> Ready | None:
        """Version, start time and allowed actions, as last told."""
        return self._ready

    async def wait_up(self) -> None:
        """Wait until it is fully booted (again)."""
        await self._up.wait()

    async def start(self) -> AmiEndpoint:
        """Adopt the one that lives in this data folder, or start one; then keep it alive until `stop` or `leave`.

        Raises:
            AsteriskMissing: no usable Asterisk on this machine.
            AsteriskWontStart: it cannot run as configured; the sentence says why and which setting helps.
            AsteriskUnreachable: it started, but did not become ready.
            Conflict: another process of ours keeps this data folder.
        """
        try:
            await asyncio.to_thread(self._instance.prepare)
            if not await self._adopt():
                await self._launch()
        except BaseException:
            self._instance.release()
            raise
        self._tasks.keep(self._guard, "watch", 0.1)
        self._tasks.keep(self._trim_logs, "logs", _LOG_CHECK_S)
        return self.ami

    async def stop(self) -> None:
        """End Asterisk and with it every call: politely, then by force."""
        await self._tasks.close()
        self._up.clear()
        running, self._running = self._running, None
        if running is not None:
            if not await running.child.end(STOP_S):
                log.warning("asterisk had to be killed", pid=running.child.pid)
            await asyncio.to_thread(self._instance.forget)
        self._instance.release()

    async def leave(self) -> None:
        """Go without ending Asterisk: calls live on, and the next process of this data folder adopts it."""
        await self._tasks.close()
        self._instance.release()

    async def _adopt(self) -> bool:
        """Take over the one that lives here; one that does not answer is ended."""
        living = await asyncio.to_thread(self._instance.living)
        if living is None:
            return False
        try:
            digest = await asyncio.to_thread(self._instance.configure, living.child)
            ready = await wait_ready(self.ami, READY_S / 2)
        except HotlineError as error:
            log.warning("asterisk lives here, but is of no use: ending it", pid=living.child.pid, reason=str(error))
            await living.child.end(STOP_S)
            return False
        if living.digest != digest:
            log.warning("asterisk runs with earlier settings: ports and modules change at its next start")
        self.adopted = True
        await self._is_up(living, ready)
        log.info("asterisk adopted", pid=living.child.pid, version=ready.version)
        return True

    async def _launch(self) -> None:
        began = self._clock.monotonic()
        running = await asyncio.to_thread(self._instance.spawn)
        try:
            ready = await self._ready_or_dead(running.child)
            problems = await asyncio.to_thread(self._instance.start_problems)
        except BaseException:
            await running.child.end(1.0)
            await asyncio.to_thread(self._instance.forget)
            raise
        self.adopted = False
        await self._is_up(running, ready)
        took = round(self._clock.monotonic() - began, 3)
        log.info("asterisk ready", pid=running.child.pid, version=ready.version, took_s=took)
        for problem in problems[:10]:
            log.warning("asterisk complained at its start", said=problem)

    async def _is_up(self, running: Running, ready: Ready) -> None:
        for problem in account_problems(ready.actions):
            log.error("asterisk's AMI account is wrong", problem=problem)
        await asyncio.to_thread(self._instance.note, running)
        self._running, self._ready = running, ready
        self._since = self._clock.monotonic()
        self._up.set()

    async def _ready_or_dead(self, child: Child) -> Ready:
        ready = asyncio.create_task(wait_ready(self.ami, READY_S))
        gone = asyncio.create_task(child.gone())
        try:
            await asyncio.wait({ready, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise AsteriskWontStart(f"Asterisk ended while it started: {self._instance.last_words()}")
            return ready.result()
        finally:
            for task in (ready, gone):
                task.cancel()
            await asyncio.gather(ready, gone, return_exceptions=True)

    async def _guard(self) -> None:
        """Wait for its death, then start it again until it stands."""
        if self._running is not None:
            await self._running.child.gone()
            self._up.clear()
            lived = self._clock.monotonic() - self._since
            self._failures = 0 if lived > _CALM_S else self._failures + 1
            log.error("asterisk died", pid=self._running.child.pid, lived_s=round(lived, 1))
            self._running = None
            self.restarts += 1
        await asyncio.sleep(restart_pause_s(self._failures, self._chance()))
        try:
            await self._launch()
        except HotlineError as error:
            self._failures += 1
            if self._failures <= _LOUD or self._failures % _LOUD == 0:
                log.error("asterisk does not start", reason=str(error), attempt=self._failures)  # noqa: TRY400 - a sentence

    async def _trim_logs(self) -> None:
        await asyncio.to_thread(self._instance.trim_logs)
