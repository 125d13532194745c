"""Whose turn it is to speak: a person speaks when the other side has said something and is quiet."""

from hotline.clock import Clock
from telephony.softphone.call import Call
from telephony.softphone.model import CallState

STEP = 0.05


class Turns:
    """Follows one call. Blocks its own thread, never the phone's."""

    def __init__(self, call: Call, clock: Clock) -> None:
        self._call, self._clock = call, clock
        self._mark = self._silent_since = call.times.get(CallState.TALKING, clock.monotonic())

    def say(self, pcm: bytes, until: float) -> None:
        """Speak, and wait until it is said, the call is over, or the monotonic second `until` has come."""
        self._call.say(pcm)
        self._call.wait_said(max(0.0, until - self._clock.monotonic()))
        self._silent_since = self._clock.monotonic()

    def wait(self, pause: float, until: float, *, patience: float = float("inf")) -> bool:
        """Wait until the other side spoke since the last turn and has been quiet for `pause` seconds, or said
        nothing at all for `patience` seconds (counted from the end of what we said). False when the call ended or
        the monotonic second `until` came first."""
        while (now := self._clock.monotonic()) < until:
            quiet = self._call.ear.quiet_for(now)
            spoke = now - quiet > self._mark
            if (spoke and quiet >= pause) or (not spoke and now - max(self._mark, self._silent_since) >= patience):
                self._mark = now
                return True
            if self._call.wait_until(CallState.ENDED, STEP):
                return False
        return False

    def pause(self, until: float) -> bool:
        """Wait for a moment, whatever is heard; false when the call ended before."""
        left = until - self._clock.monotonic()
        over = self._call.wait_until(CallState.ENDED, max(0.0, left))
        self._mark = self._clock.monotonic()
        return not over
