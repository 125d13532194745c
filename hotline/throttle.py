"""How many log-ins may fail before nobody is asked any more. Pure: time is an argument.

An attempt counts from its begin, so a hundred at once do not slip through together; a success takes it back.
What is counted never depends on whether an account exists.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import timedelta

from hotline.security import TooManyAttempts

REMEMBERED = 20_000
"""Most keys that are remembered; the one untouched for longest is forgotten first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Failures within `window` after which further attempts are refused."""

    window: timedelta = timedelta(minutes=15)
    pair: int = 5
    """Of one login from one address."""
    login: int = 30
    """Of one login from anywhere: against many machines guessing one password."""
    address: int = 100
    """From one address: a whole desk of operators may sit behind one."""


class Throttle:
    """Counts attempts per login and address."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._begun: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def begin(self, login: str, address: str, now_s: float) -> None:
        """Count an attempt. `now_s`: seconds of a clock that does not jump.

        Raises:
            TooManyAttempts: it must not be made.
        """
        wait = max(self._wait(key, limit, now_s) for key, limit in self._keys(login, address))
        if wait > 0:
            raise TooManyAttempts(timedelta(seconds=wait))
        for key, _ in self._keys(login, address):
            self._begun.setdefault(key, deque()).append(now_s)
            self._begun.move_to_end(key)
        while len(self._begun) > REMEMBERED:
            self._begun.popitem(last=False)

    def succeeded(self, login: str, address: str) -> None:
        """It was the right password: the pair's failures are forgiven, and this attempt counts nowhere."""
        pair, *others = (key for key, _ in self._keys(login, address))
        self._begun.pop(pair, None)
        for key in others:
            if self._begun.get(key):
                self._begun[key].pop()

    def _keys(self, login: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        limits = self._limits
        return ((login, address), limits.pair), ((login, ""), limits.login), (("", address), limits.address)

    def _wait(self, key: tuple[str, str], limit: int, now_s: float) -> float:
        begun = self._begun.get(key)
        if not begun:
            return 0
        window_s = self._limits.window.total_seconds()
        while begun and begun[0] <= now_s - window_s:
            begun.popleft()
        return begun[0] + window_s - now_s if len(begun) >= limit else 0
