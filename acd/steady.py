"""Time for the floor: tells the wall's time but moves like a stopwatch, so that a clock that is set forward or back
ends no offer early, freezes none and turns nobody's order around. Set anew at each start of the process."""

from datetime import datetime, timedelta

from hotline.clock import Clock


class SteadyClock:
    """The wall's time at the moment of making, plus what the monotonic clock measured since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = clock.now()
        self._origin = clock.monotonic()

    def now(self) -> datetime:
        """Aware, UTC."""
        return self._wall + timedelta(seconds=self._clock.monotonic() - self._origin)
