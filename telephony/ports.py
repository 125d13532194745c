"""What the rooms above may ask of a switch. `telephony.switch` is the real one; tests of the rooms use a double."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Protocol

from telephony.model import Collected, LineId, PhoneId, Snapshot, SwitchFact


class Switch(Protocol):
    """One Asterisk, commanded.

    Every method has a time-out of its own and raises:
        LineGoneError: the line hung up: normal, its `LineGone` fact comes or came.
        AsteriskUnreachable: no connection, or no answer in time; nothing is sent again later.
    """

    def facts(self) -> AsyncIterator[SwitchFact]:
        """Every fact in the order Asterisk told it. One reader; never blocks Asterisk."""
        ...

    async def snapshot(self) -> Snapshot:
        """What lives now."""
        ...

    async def play(self, line: LineId, prompts: Sequence[str]) -> Collected:
        """Play prompts to their end without listening for keys (an announcement). `prompts`: file names
        without extension, absolute. Brings the line into `ivr` first when it is elsewhere."""
        ...

    async def collect(self, line: LineId, prompts: Sequence[str], *, max_keys: int, timeout: timedelta) -> Collected:
        """Play prompts, stop at the first key (barge-in), collect up to `max_keys` (`#` ends early);
        `timeout` counts from the last prompt's end or key."""
        ...

    async def hold(self, line: LineId) -> None:
        """Let the line wait with music. Withdraws an offer that rings for it."""
        ...

    async def offer(self, line: LineId, *, offer: str, phone: PhoneId, ring: timedelta, track_folder: str) -> None:
        """Ring `phone` for the waiting line and connect them when it answers. The end of it comes as
        `OfferEnded`. Each party's voice goes to `track_folder/LINE.sln` (mono, 8 kHz, 16 bit) from the answer."""
        ...

    async def mute_recording(self, line: LineId, *, muted: bool) -> None:
        """Write silence instead of this line's voice (both directions), keeping time."""
        ...

    async def hang_up(self, line: LineId, cause: int = 16) -> None:
        """End the line. A line that is gone already is no error."""
        ...

    async def beat(self) -> None:
        """Tell the static dialplan that we live; every 2 s."""
        ...
