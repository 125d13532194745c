"""What the rooms above may ask of a switch. `telephony.switch` is the real one; tests of the rooms use a double."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from telephony.model import Admitted, Collected, LineId, PhoneId, Placed, Snapshot, SwitchFact


class Rooms(Protocol):
    """Talks of more than two. A room needs no making: it is there while somebody is in it.

    When the last seat has left, the citizen comes back as `ReturnedLine` from `after`. Every party's voice goes to its
    own track through every move. Names of rooms begin with `room_`. Raises as `Switch` does.
    """

    async def place(self, room: str, placed: Sequence[Placed], *, track_folder: str = "") -> None:
        """Move one line, or two that talk with each other: both at once, for one that loses its partner hangs up.
        `track_folder`: of lines that were never offered to a seat."""
        ...

    async def arrive(self, line: LineId) -> None:
        """Wait until a line that was just placed shares its room, for a moment at most; it may have hung up."""
        ...

    async def invite(self, room: str, leg: LineId, *, phone: PhoneId, ring: timedelta, track_folder: str) -> None:
        """Ring `phone`; it is in the room as soon as it answers. `leg` names the line from now on; `LegAnswered` or
        `LegFailed` tells how it went."""
        ...

    async def dial_out(self, room: str, leg: LineId, *, number: Admitted, ring: timedelta, track_folder: str) -> None:
        """The same with somebody outside, through the carrier. A redirect is a refusal."""
        ...

    async def call_citizen(
        self, room: str, leg: LineId, *, number: Admitted, ring: timedelta, track_folder: str
    ) -> None:
        """Call a citizen back, through the carrier: answered, the line is a citizen's like one that came in, in this
        room. A redirect is a refusal."""
        ...

    async def announce(self, room: str, leg: LineId, *, prompt: str, track_folder: str) -> None:
        """Play a prompt (a file without extension, absolute) to everybody in the room; `leg` names its track. No fact
        tells of it."""
        ...

    async def listen(self, leg: LineId, *, phone: PhoneId, target: LineId, ring: timedelta, track_folder: str) -> None:
        """Ring `phone`; answered, it hears what `target` hears and says, and nobody hears it. Ends with `target`."""
        ...

    async def whisper(self, leg: LineId, *, on: bool) -> None:
        """Let the listened-to party, and nobody else, hear the listening one too; or no longer."""
        ...

    async def cancel(self, leg: LineId) -> None:
        """Stop a phone that rings; one that has answered is hung up."""
        ...


class Switch(Protocol):
    """One Asterisk, commanded.

    Every method has a time-out of its own and raises:
        LineGoneError: the line hung up: normal, its `LineGone` fact comes or came.
        AsteriskUnreachable: no connection, or no answer in time; nothing is sent again later.
    """

    @property
    def rooms(self) -> Rooms:
        """Talks of more than two."""
        ...

    def facts(self) -> AsyncIterator[SwitchFact]:
        """Every fact in the order Asterisk told it. One reader; never blocks Asterisk."""
        ...

    async def snapshot(self) -> Snapshot:
        """What lives now."""
        ...

    async def play(self, line: LineId, prompts: Sequence[str], *, cut: bool = False) -> Collected:
        """Play prompts to their end (an announcement), or with `cut` to the first key; `KEYS` with what was pressed
        meanwhile, `SILENCE` without any. `prompts`: file names without extension, absolute. Brings the line into `ivr`
        first when it is elsewhere."""
        ...

    async def collect(self, line: LineId, prompts: Sequence[str], *, max_keys: int, timeout: timedelta) -> Collected:
        """Play prompts, stop at the first key (barge-in), collect up to `max_keys` (`#` ends early);
        `timeout` counts from the last prompt's end or key. Keys pressed in `ivr` before this was asked count first."""
        ...

    async def hold(self, line: LineId) -> None:
        """Let the line wait with music. Withdraws an offer that rings for it."""
        ...

    async def offer(self, line: LineId, *, offers: Mapping[str, PhoneId], ring: timedelta, track_folder: str) -> None:
        """Ring the phone of each offer for the waiting line and connect it with the first that answers; the others
        stop at once and are told that it was answered elsewhere. The end of each offer comes as `OfferEnded`: of one
        that refused at once, while the others ring on. Offers that still rang for the line end. Each party's voice
        goes to `track_folder/LINE.sln` (mono, 8 kHz, 16 bit) from the answer."""
        ...

    async def withdraw(self, offer: str) -> None:
        """Stop one of several phones that ring for a line; the others ring on. One that does not ring is no error."""
        ...

    async def speak(self, line: LineId, prompts: Sequence[str]) -> None:
        """Say prompts (as `play`) to a line that talks, and whoever talks with it, while they go on talking. Returns
        when it begins."""
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
