"""The one thread of a softphone: it reads sockets, runs timers and beats every 20 ms on an absolute clock.

Everything runs under one lock, so that signalling, audio and the caller's threads never meet half-way.
Refuses to know what SIP and RTP are.
"""

import heapq
import itertools
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from hotline.clock import Clock
from telephony.audio import SLOT_SECONDS

log = structlog.get_logger(__name__)

STALL = 0.5
"""A process that stood still for longer than this gives up the slots it missed instead of sending them in a burst."""


@dataclass(order=True)
class Timer:
    """An action at a time; `cancel()` at any moment before."""

    at: float
    order: int
    action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        self.action = None


class Loop:
    """Owns the thread, the timers and the watched sockets. `lock` guards everything the thread touches."""

    def __init__(self, clock: Clock, name: str) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.skipped = 0
        """Slots given up because this process stood still."""
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._beaters: dict[object, Callable[[float], None]] = {}
        self._beat_at = 0.0
        self._outside: list[Callable[[], None]] = []
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, self._woken)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; not from the thread itself."""
        self._ending = True
        self.wake()
        self._thread.join()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    @property
    def inside(self) -> bool:
        """Whether the caller is the loop's own thread."""
        return threading.current_thread() is self._thread

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        """Call `readable` when the socket has something to read."""
        with self.lock:
            self._selector.register(sock, selectors.EVENT_READ, readable)

    def unwatch(self, sock: socket.socket) -> None:
        with self.lock:
            self._selector.unregister(sock)

    def later(self, delay: float, action: Callable[[], None]) -> Timer:
        """Do something `delay` seconds from now, under the lock."""
        with self.lock:
            timer = Timer(self.clock.monotonic() + delay, next(self._order), action)
            heapq.heappush(self._timers, timer)
        self.wake()
        return timer

    def outside(self, action: Callable[[], None]) -> None:
        """Do something soon in this thread without the lock: for callbacks of whoever uses the phone."""
        with self.lock:
            self._outside.append(action)
        self.wake()

    def beat(self, who: object, action: Callable[[float], None]) -> None:
        """Call `action(now)` 50 times a second until `unbeat(who)`."""
        with self.lock:
            if not self._beaters:
                self._beat_at = self.clock.monotonic()
            self._beaters[who] = action
        self.wake()

    def unbeat(self, who: object) -> None:
        with self.lock:
            self._beaters.pop(who, None)

    def wake(self) -> None:
        if not self.inside and self._thread.is_alive():
            try:
                self._wake_out.send(b"x")
            except OSError:  # full: it wakes anyway; closed: it has ended
                return

    def _woken(self) -> None:
        while True:
            try:
                if not self._wake_in.recv(4096):
                    return
            except OSError:
                return

    def _run(self) -> None:
        while not self._ending:
            for key, _ in self._selector.select(self._patience()):
                with self.lock:
                    if key.fileobj.fileno() >= 0:  # type: ignore[union-attr]  # only sockets are registered
                        key.data()
            with self.lock:
                self.run_timers()
                self._run_beats()
                waiting, self._outside = self._outside, []
            for action in waiting:
                _guarded(action)

    def _patience(self) -> float | None:
        with self.lock:
            times = [timer.at for timer in self._timers[:1]]
            if self._beaters:
                times.append(self._beat_at)
            waits = self._outside
        return 0.0 if waits else max(0.0, min(times) - self.clock.monotonic()) if times else None

    def run_timers(self) -> None:
        """Do what is due; the thread's work, and a test's that has no thread."""
        while self._timers and self._timers[0].at <= self.clock.monotonic():
            action = heapq.heappop(self._timers).action
            if action is not None:
                action()

    def _run_beats(self) -> None:
        while self._beaters and self._beat_at <= (now := self.clock.monotonic()):
            if now - self._beat_at > STALL:
                missed = int((now - self._beat_at) / SLOT_SECONDS)
                self.skipped += missed
                self._beat_at += missed * SLOT_SECONDS
            for action in list(self._beaters.values()):
                action(now)
            self._beat_at += SLOT_SECONDS


def _guarded(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:  # somebody else's callback must not end the phone
        log.exception("softphone callback failed")
