"""Phones for tests: a citizen who calls, a seat that answers or refuses, and tones by which one knows who hears whom.

Everything here is closed by `with`; nothing sleeps, everything waits on conditions with a deadline.
"""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from telephony.softphone import (
    Account,
    Call,
    CallState,
    Clip,
    Ear,
    IncomingCall,
    OutgoingCall,
    Softphone,
    Source,
    Tone,
)
from telephony.softphone.message import user

CITIZEN_TONE = 600
SEAT_TONE = 1300
EXPERT_TONE = 2100
"""Hz; far from each other's harmonics and from the keys' tones."""
HEARD = 1500.0
"""Amplitude in sample units above which a tone (sent at 8000) counts as heard."""
STEP = 0.01


def free_udp_port(address: str = "127.0.0.1") -> int:
    """A port that nobody used a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def eventually(ready: Callable[[], bool], what: str, timeout: float = 10.0) -> float:
    """Wait for a condition; the seconds it took. Fails with `what` after `timeout`."""
    began = time.monotonic()
    while not ready():
        assert time.monotonic() - began < timeout, f"not within {timeout} s: {what}"
        time.sleep(STEP)
    return time.monotonic() - began


def hears(ear: Ear, frequency: float, *, seconds: float = 0.2) -> bool:
    """Whether a tone was in the last `seconds`."""
    return ear.tone(frequency, since=time.monotonic() - seconds) > HEARD


def wait_hears(ear: Ear, frequency: float, timeout: float = 5.0) -> None:
    """Fail unless the tone is heard in time."""
    eventually(lambda: hears(ear, frequency), f"a tone of {frequency} Hz is heard", timeout)


def wait_silent(ear: Ear, frequency: float, timeout: float = 5.0) -> None:
    """Fail unless the tone stops in time."""
    eventually(lambda: not hears(ear, frequency), f"the tone of {frequency} Hz stops", timeout)


class Citizen:
    """A caller behind the trunk. One citizen can make many calls."""

    def __init__(self, server: tuple[str, int], number: str = "13912345678", *, ear_seconds: float = 600.0) -> None:
        self.number = number
        self.phone = Softphone(server, ear_seconds=ear_seconds)

    def dial(
        self, number: str, *, saying: Source | bytes | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> OutgoingCall:
        """Call and return at once; says `saying`, else a tone of `CITIZEN_TONE`, from the answer on."""
        source = Tone(CITIZEN_TONE) if saying is None else saying
        return self.phone.call(number, caller=self.number, headers=headers, source=source)

    def talk(
        self, number: str, *, saying: Source | bytes | None = None, headers: Sequence[tuple[str, str]] = (),
        timeout: float = 10.0,
    ) -> OutgoingCall:  # fmt: skip
        """Call and wait for the answer."""
        call = self.dial(number, saying=saying, headers=headers)
        assert call.wait_until(CallState.TALKING, timeout), f"{number} did not answer: {call.ending}"
        return call

    def __enter__(self) -> Self:
        self.phone.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.phone.stop()


@dataclass(frozen=True, slots=True)
class Manners:
    """What a seat's phone does with a call."""

    answer_after: float | None = 0.0
    """Seconds of ringing, None: it rings on."""
    refuse: int = 0
    """SIP status to refuse with: 486, 480, 603, 404, 302; 0: no refusal."""
    contact: str = ""
    """Where a 302 points to."""
    hang_up_after: float | None = None
    """Seconds from its answer to its BYE, None: it stays."""
    saying: Source | bytes | None = None
    """None: a tone of `SEAT_TONE`."""


class SeatPhone:
    """A registered seat's phone. `manners` may be changed between calls."""

    def __init__(
        self, server: tuple[str, int], account: Account, manners: Manners | None = None, *, sip_port: int = 0,
        ear_seconds: float = 600.0,
    ) -> None:  # fmt: skip
        self.manners = manners or Manners()
        self.calls: list[IncomingCall] = []
        """Every call that rang here, oldest first."""
        self.rang_at: list[float] = []
        """Monotonic second of each."""
        self._changed = threading.Condition()
        self.phone = Softphone(server, account=account, on_call=self._rings, sip_port=sip_port, ear_seconds=ear_seconds)

    @property
    def call(self) -> IncomingCall:
        """The latest call."""
        return self.calls[-1]

    def wait_rings(self, count: int = 1, timeout: float = 10.0) -> IncomingCall:
        """Wait until this phone rang `count` times in all; the latest call."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.calls) >= count, timeout), f"rang {len(self.calls)} times"
        return self.call

    def wait_talks(self, timeout: float = 10.0) -> IncomingCall:
        """Wait until the latest call talks."""
        call = self.wait_rings(max(1, len(self.calls)), timeout)
        assert call.wait_until(CallState.TALKING, timeout), f"did not talk: {call.ending}"
        return call

    def _rings(self, call: IncomingCall) -> None:
        manners = self.manners
        with self._changed:
            self.calls.append(call)
            self.rang_at.append(time.monotonic())
            self._changed.notify_all()
        if manners.refuse:
            call.reject(manners.refuse, contact=manners.contact)
        elif manners.answer_after is not None:
            call.say(Tone(SEAT_TONE) if manners.saying is None else manners.saying)
            self.phone.after(manners.answer_after, lambda: self._answer(call, manners))

    def _answer(self, call: IncomingCall, manners: Manners) -> None:
        if call.state is CallState.RINGING:
            call.answer()
            if manners.hang_up_after is not None:
                self.phone.after(manners.hang_up_after, call.hang_up)

    def __enter__(self) -> Self:
        self.phone.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.phone.stop()


class Carrier:
    """The other end of the outgoing trunk: takes every call that comes, as `manners` of its number say."""

    def __init__(self, server: tuple[str, int], *, sip_port: int = 0, ear_seconds: float = 600.0) -> None:
        self.manners: dict[str, Manners] = {}
        """By number; what is not there answers at once with a tone of `EXPERT_TONE`."""
        self.calls: list[tuple[str, IncomingCall]] = []
        """Every call that rang here with the number it was for, oldest first."""
        self._changed = threading.Condition()
        self.phone = Softphone(server, on_call=self._rings, sip_port=sip_port, ear_seconds=ear_seconds)

    def numbers(self) -> list[str]:
        """What was dialled so far."""
        return [number for number, _ in list(self.calls)]

    def wait_rings(self, number: str, count: int = 1, timeout: float = 20.0) -> IncomingCall:
        """Wait until `number` was dialled `count` times; the latest of these calls."""
        with self._changed:
            rang = self._changed.wait_for(lambda: self.numbers().count(number) >= count, timeout)
            assert rang, f"{number} was not dialled {count} times: {self.numbers()}"
        return [call for dialled, call in self.calls if dialled == number][-1]

    def wait_talks(self, number: str, timeout: float = 20.0) -> IncomingCall:
        """Wait until `number` was dialled and talks."""
        call = self.wait_rings(number, timeout=timeout)
        assert call.wait_until(CallState.TALKING, timeout), f"did not talk: {call.ending}"
        return call

    def _rings(self, call: IncomingCall) -> None:
        number = user(call.invitation.value("To"))
        manners = self.manners.get(number, Manners(saying=Tone(EXPERT_TONE)))
        with self._changed:
            self.calls.append((number, call))
            self._changed.notify_all()
        if manners.refuse:
            call.reject(manners.refuse, contact=manners.contact)
        elif manners.answer_after is not None:
            call.say(Tone(EXPERT_TONE) if manners.saying is None else manners.saying)
            self.phone.after(manners.answer_after, lambda: self._answer(call))

    def _answer(self, call: IncomingCall) -> None:
        if call.state is CallState.RINGING:
            call.answer()

    def __enter__(self) -> Self:
        self.phone.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.phone.stop()


def speech(pcm: bytes, *, repeat: bool = False, pause: float = 2.0) -> Clip:
    """Speech to say, once or again and again with pauses."""
    return Clip(pcm, repeat=repeat, gap=pause)


def ended(call: Call, timeout: float = 10.0) -> Call:
    """Wait until the call is over."""
    assert call.wait_until(CallState.ENDED, timeout), f"the call goes on: {call.state}"
    return call
