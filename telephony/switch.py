"""One Asterisk as the rooms above see it: `telephony.ports.Switch` over AMI and AsyncAGI.

One inbox holds, in the order they came, the connection's ups and downs, events and snapshots; one task takes them out
and turns them into facts. Nothing else touches what is known, but for the notes that a command makes of itself.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from hotline.clock import Clock
from hotline.tasks import Tasks
from telephony.ami import AmiLink, AmiTimes, LinkDown, LinkUp
from telephony.amiproto import Ask, Reply
from telephony.amiwire import Message
from telephony.asyncagi import AsyncAgi, check_prompts, playbacks
from telephony.bridges import AsteriskRooms, Target, check_words, redirect, set_all
from telephony.channels import asked_variables, in_agi, lines_of
from telephony.endpoint import AmiEndpoint
from telephony.errors import ActionRefused, AsteriskUnreachable, LineGoneError
from telephony.known import CARRIER, NO_PHONE, Facts, Known, begin_offers, bundle, drop_offer, expire, phone_of, sent
from telephony.model import Collected, LineId, NodeDown, NodeUp, PhoneId, Snapshot, SwitchFact
from telephony.provisioning import account_of
from telephony.reconcile import reconcile
from telephony.selfcheck import self_check
from telephony.translate import EVENTS, is_reachable, translate

log = structlog.get_logger(__name__)

MOST_WAITING = 50_000
"""Messages in the inbox, or facts nobody took, after which we are too slow: drop everything and look anew."""
LEASE_EVERY_S = 4.0
RECONCILE_EVERY_S = 10.0
EXPIRE_EVERY_S = 0.5
ARRIVAL_S = 3.0
"""How long a redirected line may take to stand in AGI: some milliseconds, unless Asterisk is ill."""
WATCH_S = 1.0
SPOKEN_MS = 5000
"""How long the way into a talk may take."""
CLOSING_S = 1.0
"""How long a phone may take to be rid of its last line before it is rung for the next."""
ANSWERED_ELSEWHERE = 26
"""Q.850 cause by which a phone that stops to ring shows no missed call."""
ABSENCE_S = 5.0
"""Having stood still for so long (a stopped process, a frozen machine), nothing may be commanded from what was known:
the dialplan takes waiting callers to its own queue 8 s after our last heartbeat, and a beat may be 2 s old."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A snapshot, on its way through the inbox."""

    snapshot: Snapshot
    agi: frozenset[LineId]
    asked_at: datetime


class AsteriskSwitch:
    """Commands one Asterisk and tells its facts. `async with` it, or call `start` and `close`."""

    def __init__(
        self,
        endpoint: AmiEndpoint | Callable[[], AmiEndpoint],
        clock: Clock,
        *,
        times: AmiTimes | None = None,
        reconcile_every_s: float = RECONCILE_EVERY_S,
    ) -> None:
        self._clock = clock
        self._reconcile_every_s = reconcile_every_s
        self._inbox: deque[Message | LinkUp | LinkDown | _Seen] = deque()
        self._facts: deque[SwitchFact] = deque()
        self._came, self._told, self._hung_up = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._is_idle = False
        """The reader has emptied the inbox and waits."""
        self._known = Known()
        self._awake_at = clock.monotonic()
        self._tasks = Tasks("switch")
        self.link = AmiLink(endpoint, clock, self._hear, events=EVENTS, times=times)
        self.agi = AsyncAgi(self.link)
        self.rooms = AsteriskRooms(
            self.link, clock, known=lambda: self._known, must_live=self._must_live, leaving=self.agi.leaving
        )

    async def __aenter__(self) -> "AsteriskSwitch":
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        self._awake_at = self._clock.monotonic()  # until now there was nothing to be away from
        self._tasks.keep(self._read, "read", 0.0)
        self._tasks.keep(self.link.run, "link", 1.0)
        self._tasks.keep(self._watch, "absence", WATCH_S)
        self._tasks.keep(self._extend_leases, "leases", LEASE_EVERY_S)
        self._tasks.keep(self._look_around, "reconcile", self._reconcile_every_s)
        self._tasks.keep(self._expire, "expire", EXPIRE_EVERY_S)

    async def close(self) -> None:
        """Leave Asterisk alone; its calls live on."""
        await self._tasks.close()

    @property
    def problem(self) -> str:
        """Why there is no connection, one sentence for a person; empty when there is one."""
        return self.link.problem

    async def check(self) -> tuple[str, ...]:
        """What is wrong with this Asterisk or our account on it; ask it after `NodeUp`.

        Raises:
            AsteriskUnreachable: no connection.
        """
        return await self_check(self.link)

    # ---- facts ----------------------------------------------------------------------------------------------------

    async def facts(self) -> AsyncIterator[SwitchFact]:
        """Every fact in order; one reader."""
        while True:
            while self._facts:
                yield self._facts.popleft()
            self._told.clear()
            await self._told.wait()

    def _hear(self, message: Message | LinkUp | LinkDown) -> None:
        """Take in what came; called inside the socket's callback. An event that nothing waits before is understood at
        once: the next turn of the loop may be a busy millisecond away."""
        if self._is_idle and not self._inbox and not isinstance(message, LinkUp | LinkDown):
            self._event(message)
            return
        self._inbox.append(message)
        self._came.set()
        if len(self._inbox) > MOST_WAITING and not isinstance(message, LinkDown):
            self._inbox.clear()
            self.link.drop("we were too slow to read its events")

    def _tell(self, facts: Facts) -> None:
        self._facts.extend(facts)
        self._told.set()
        if len(self._facts) > MOST_WAITING:
            log.error("facts were not read in time: starting over", waiting=len(self._facts))
            self._facts.clear()
            self._known = Known()
            self.link.drop("nobody took the facts")

    async def _read(self) -> None:
        while True:
            await self._empty_inbox()
            self._came.clear()
            self._is_idle = True
            try:
                await self._came.wait()
            finally:
                self._is_idle = False

    async def _empty_inbox(self) -> None:
        while self._inbox:
            message = self._inbox.popleft()
            match message:
                case LinkUp():
                    await self._resynchronise()
                case LinkDown(reason=reason):
                    self.agi.lost()
                    self._tell([NodeDown(at=self._clock.now(), reason=reason)])
                case _Seen():
                    self._tell(reconcile(self._known, message.snapshot, message.asked_at))
                case _:
                    self._event(message)

    def _event(self, event: Message) -> None:
        self._to_agi(event)
        facts = translate(self._known, event, self._clock.now())
        if facts:
            self._tell(facts)

    def _to_agi(self, event: Message) -> None:
        line = LineId(event.get("Uniqueid", ""))
        match event.get("Event"):
            case "AsyncAGIStart":
                self.agi.started(line)
            case "AsyncAGIExec":
                self.agi.finished(event.get("CommandId") or event.get("CommandID", ""), event.get("Result", ""))
            case "DTMFEnd" if event.get("Direction") == "Received":
                self.agi.key(line, event.get("Digit", ""))
            case "AsyncAGIEnd":
                self.agi.ended(line)
            case "Hangup":
                self.agi.gone(line)
                self._hung_up.set()
            case _:
                pass

    # ---- looking at what lives ------------------------------------------------------------------------------------

    async def snapshot(self) -> Snapshot:
        """What lives now."""
        return (await self._look()).snapshot

    async def _resynchronise(self) -> None:
        """After a (re)connect: say so, then what was missed. Events wait in the inbox meanwhile."""
        try:
            await self.beat()  # before anybody hears of `NodeUp`, so that who calls from now on is ours
            settings = await self.link.act("CoreSettings")
            seen = await self._look()
        except (AsteriskUnreachable, ActionRefused) as error:
            log.warning("resynchronising failed", reason=str(error))
            self.link.drop(f"it could not be resynchronised: {error}")
            return
        self.agi.resume(seen.agi)
        version = settings.headers.get("AsteriskVersion", "")
        up = NodeUp(at=self._clock.now(), version=version, booted=seen.snapshot.booted)
        self._tell([up, *reconcile(self._known, seen.snapshot, seen.asked_at, first=True)])

    async def _look_around(self) -> None:
        if self.link.up:
            seen = await self._look()
            self._inbox.append(seen)
            self._came.set()

    async def _look(self) -> _Seen:
        asked_at = self._clock.now()
        asks = (Ask("CoreShowChannels"), Ask("CoreStatus"), Ask("DeviceStateList"))
        rows, status, devices = await self.link.pipeline(asks)
        wanted = asked_variables(rows.items)
        replies = await self._variables(wanted)
        variables = {key: reply.headers.get("Value", "") for key, reply in zip(wanted, replies, strict=True)}
        booted = f"{status.headers.get('CoreStartupDate', '')} {status.headers.get('CoreStartupTime', '')}"
        snapshot = Snapshot(
            at=self._clock.now(), booted=booted, lines=lines_of(rows.items, variables), reachable=_reachable(devices)
        )
        return _Seen(snapshot, in_agi(rows.items), asked_at)

    async def _variables(self, wanted: Sequence[tuple[LineId, str]]) -> tuple[Reply, ...]:
        """A line that hung up meanwhile has an error for an answer, and no value."""
        asks = tuple(Ask("Getvar", {"Channel": line, "Variable": name}) for line, name in wanted)
        return await self.link.pipeline(asks, judge=False) if asks else ()

    async def _extend_leases(self) -> None:
        self.agi.extend_leases()

    async def _expire(self) -> None:
        facts = expire(self._known, self._clock.now())
        if facts:
            self._tell(facts)

    async def _watch(self) -> None:
        self._was_away()

    def _was_away(self) -> bool:
        """Whether we stood still since the last question; then the link is dropped, so that everything is compared
        anew as after a restart: whom the fallback connected meanwhile keeps talking."""
        now = self._clock.monotonic()
        stood_s, self._awake_at = now - self._awake_at, now
        if stood_s < ABSENCE_S:
            return False
        log.warning("we stood still", seconds=round(stood_s, 1))
        self.link.drop(f"this process stood still for {stood_s:.0f} s")
        return True

    # ---- commands -------------------------------------------------------------------------------------------------

    async def play(self, line: LineId, prompts: Sequence[str], *, cut: bool = False) -> Collected:
        await self._bring(line)
        return await self.agi.play(line, prompts, cut=cut)

    async def collect(self, line: LineId, prompts: Sequence[str], *, max_keys: int, timeout: timedelta) -> Collected:
        await self._bring(line)
        return await self.agi.collect(line, prompts, max_keys, timeout)

    async def _bring(self, line: LineId) -> None:
        """Have the line stand in AGI."""
        if self.agi.holds(line):
            return
        arrival = self.agi.arrival(line)
        await self._move(line, "ivr")
        try:
            async with asyncio.timeout(ARRIVAL_S):
                await arrival
        except TimeoutError:
            raise AsteriskUnreachable("The line did not come when it was sent for.") from None

    async def hold(self, line: LineId) -> None:
        await self._move(line, "hold")

    async def _move(self, line: LineId, place: str) -> None:
        self._must_live(line)
        self.agi.leaving(line)
        sent(self._known, line, place, self._clock.now())
        await self._redirect((), Target(line, place, "s"))

    async def offer(self, line: LineId, *, offers: Mapping[str, PhoneId], ring: timedelta, track_folder: str) -> None:
        self._must_live(line)
        for offer, phone in offers.items():
            check_words(offer, phone, track_folder)
        await self._rid_of_lines(frozenset(offers.values()))
        self._must_live(line)
        ring_s = str(max(1, round(ring.total_seconds())))
        variables = {"__OFFERID": bundle(offers), "RINGSEC": ring_s, "__TRACKS": track_folder}
        target = Target(line, "connect", next(iter(offers.values())))
        if len(offers) > 1:
            variables["PHONES"] = "&".join(f"PJSIP/{account_of(phone)}" for phone in offers.values())
            target = Target(line, "connect", "several")
        self.agi.leaving(line)
        begin_offers(self._known, offers, line, self._clock.now())
        try:
            await self._redirect((set_all(line, variables),), target)
        except Exception:
            for offer in offers:
                drop_offer(self._known, offer)
            raise

    async def _rid_of_lines(self, phones: frozenset[PhoneId]) -> None:
        """Wait until nothing of these phones' last calls is left: when a citizen hangs up, the seat is free before
        Asterisk has told its phone so (some 20 ms before, 300 on a busy machine), and the phone would be busy."""
        if not self._on_the_line(phones):
            return
        try:
            async with asyncio.timeout(CLOSING_S):
                while self._on_the_line(phones):
                    self._hung_up.clear()
                    await self._hung_up.wait()
        except TimeoutError:
            log.info("rung beside a line that stays", phones=sorted(phones))

    def _on_the_line(self, phones: frozenset[PhoneId]) -> bool:
        return any(line.phone in phones for line in self._known.lines.values())

    async def withdraw(self, offer: str) -> None:
        state = self._known.offers.get(offer)
        if state is None or not state.seat_line or state.answered:
            return
        self._known.offers[offer] = replace(state, withdrawn_at=self._clock.now())
        with contextlib.suppress(LineGoneError):
            await self.link.act("Hangup", {"Channel": state.seat_line, "Cause": ANSWERED_ELSEWHERE})

    async def speak(self, line: LineId, prompts: Sequence[str]) -> None:
        self._must_live(line)
        check_prompts(prompts)
        for spoken in playbacks(prompts)[:1]:
            headers = {"Channel": "Local/speak@spy/n", "Application": "Playback", "Data": spoken, "Async": "true"}
            await self.link.act("Originate", {**headers, "Variable": f"TARGET={line}", "Timeout": SPOKEN_MS})

    async def mute_recording(self, line: LineId, *, muted: bool) -> None:
        await self.link.act("MixMonitorMute", {"Channel": line, "Direction": "both", "State": int(muted)})

    async def hang_up(self, line: LineId, cause: int = 16) -> None:
        try:
            self._must_live(line)
            await self.link.act("Hangup", {"Channel": line, "Cause": cause})
        except LineGoneError:
            pass  # that is what was wanted

    async def beat(self) -> None:
        epoch = int(self._clock.now().timestamp())
        await self.link.act("Setvar", {"Variable": "CTL_BEAT", "Value": epoch})

    def _must_live(self, line: LineId) -> None:
        if self._was_away():
            raise AsteriskUnreachable("What is known of this line is old: it is asked for anew.")
        if line in self._known.gone:
            raise LineGoneError("The line has hung up.")

    async def _redirect(self, first: Sequence[Ask], *targets: Target) -> None:
        await redirect(self.link, self._clock, first, targets)


def _reachable(devices: Reply) -> frozenset[PhoneId]:
    states: Mapping[PhoneId, bool] = {
        phone_of(item.get("Device", "") + "-"): is_reachable(item.get("State", "")) for item in devices.items
    }
    return frozenset(phone for phone, reachable in states.items() if phone not in (NO_PHONE, CARRIER) and reachable)
