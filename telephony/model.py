"""What telephony tells the rooms above (facts, past tense) and the values they share.

A line is one party's connection to one Asterisk, named by Asterisk's `Uniqueid` (which carries the instance's
name and the second it was made, so it is never used again after a restart). What Asterisk does with channels
and bridges to get there stays inside this room.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

import msgspec

LineId = NewType("LineId", str)
"""Asterisk's Uniqueid of a channel, e.g. `hotline-1795311518.29`."""

PhoneId = NewType("PhoneId", str)
"""Digits by which a seat's phone is dialled inside Asterisk, e.g. `8001`; its SIP account is `seat8001`."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact"):
    """Something that happened at the switch."""

    at: datetime
    """When we heard of it, UTC."""


class Arrived(Fact, frozen=True, kw_only=True, tag="arrived"):
    """A citizen's call reached the static dialplan and was handed to us. It is already answered."""

    line: LineId
    dialled: str
    """The number in the request line, as it came."""
    caller: str = ""
    """Calling number as it came; empty when withheld. Personal data."""
    caller_name: str = ""
    diverted_from: tuple[str, ...] = ()
    """Numbers of Diversion and History-Info, nearest first, as they came."""
    called: str = ""
    """User part of the To header, as it came."""


LOST = frozenset({27, 38, 41, 44, 102})
"""Q.850 causes of a line whose far end said nothing: Asterisk ends one without media (`rtp_timeout`) with 44 (seen with
22.10); the others are its own for a phone out of order, a network that failed, and a timer that ran out."""


class LineGone(Fact, frozen=True, kw_only=True, tag="line_gone"):
    """A line hung up, for whatever reason."""

    line: LineId
    cause: int = 16
    """Q.850 cause."""

    @property
    def is_lost(self) -> bool:
        """Nobody hung up: the far end fell silent."""
        return self.cause in LOST


class ReturnedLine(Fact, frozen=True, kw_only=True, tag="returned_line"):
    """A line that was in somebody else's hands (a talk that ended, the fallback) is ours to command again."""

    line: LineId
    place: str
    """The dialplan context it stands in: `after`, `hold`, `fallback`."""


class Rang(Fact, frozen=True, kw_only=True, tag="rang"):
    """A seat's phone rings."""

    offer: str
    seat_line: LineId


class SeatAnswered(Fact, frozen=True, kw_only=True, tag="seat_answered"):
    """The seat's phone picked up an offer; the bridge follows within milliseconds."""

    offer: str
    line: LineId
    seat_line: LineId


class OfferEndReason(StrEnum):
    """How an offer ended at the switch."""

    TALKED = "talked"  # it was answered, and the talk is over
    BUSY = "busy"  # 486, 600
    REJECTED = "rejected"  # 603, 480, 3xx (never followed) and other refusals
    NO_ANSWER = "no_answer"  # rang until the time was up
    UNREACHABLE = "unreachable"  # not registered, no reply, 404, congestion
    CANCELLED = "cancelled"  # the citizen left, or we withdrew it


class OfferEnded(Fact, frozen=True, kw_only=True, tag="offer_ended"):
    """The dialplan is done with an offer. After anything but `TALKED` the citizen's line is back on hold."""

    offer: str
    line: LineId
    reason: OfferEndReason
    cause: int = 0
    """Q.850 cause of the seat's leg, 0 when there was none."""


class Bridged(Fact, frozen=True, kw_only=True, tag="bridged"):
    """Two or more lines hear each other."""

    bridge: str
    line: LineId


class Unbridged(Fact, frozen=True, kw_only=True, tag="unbridged"):
    """A line left its bridge."""

    bridge: str
    line: LineId


class KeyPressed(Fact, frozen=True, kw_only=True, tag="key_pressed"):
    """A key outside a menu, while talking. Which key it was is not told: it may be personal data."""

    line: LineId


class TrackStarted(Fact, frozen=True, kw_only=True, tag="track_started"):
    """Recording of one line began."""

    line: LineId


class TrackStopped(Fact, frozen=True, kw_only=True, tag="track_stopped"):
    """Recording of one line ended and its file is closed."""

    line: LineId


class PhoneChanged(Fact, frozen=True, kw_only=True, tag="phone_changed"):
    """A seat's phone became reachable or unreachable."""

    phone: PhoneId
    reachable: bool


class LegRang(Fact, frozen=True, kw_only=True, tag="leg_rang"):
    """The phone of somebody who was called into a room rings."""

    leg: LineId


class LegAnswered(Fact, frozen=True, kw_only=True, tag="leg_answered"):
    """It was picked up: the leg is an ordinary line from now on, whose end is a `LineGone`."""

    leg: LineId


class LegFailed(Fact, frozen=True, kw_only=True, tag="leg_failed"):
    """It was not picked up; told once, and after it nothing more of this leg."""

    leg: LineId
    reason: OfferEndReason


class NodeUp(Fact, frozen=True, kw_only=True, tag="node_up"):
    """Asterisk is fully booted and we are logged in. Everything known before may be stale: resynchronise."""

    version: str
    booted: str
    """Asterisk's start time as it tells it: differs after a restart."""


class NodeDown(Fact, frozen=True, kw_only=True, tag="node_down"):
    """The connection to Asterisk is lost. Its calls may live on."""

    reason: str


SwitchFact = (
    Arrived | LineGone | ReturnedLine | Rang | SeatAnswered | OfferEnded | Bridged | Unbridged
    | KeyPressed | TrackStarted | TrackStopped | PhoneChanged | LegRang | LegAnswered | LegFailed | NodeUp | NodeDown
)  # fmt: skip


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A number that may be dialled through the carrier. Only the guard of outgoing calls makes one."""

    digits: str
    """As the carrier wants them."""
    longest: timedelta
    """The call is ended after this."""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where a line of a room belongs."""

    line: LineId
    citizen: bool = False
    held: bool = False
    """With music instead of the others."""


class LineSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One line as Asterisk sees it now."""

    line: LineId
    place: str
    """Dialplan context: `arrive`, `ivr`, `hold`, `connect`, `after`, `fallback`, `room-citizen`, …; a seat's line:
    `room` and the like, otherwise `seat`."""
    bridge: str = ""
    """Bridge id, empty when alone."""
    dialled: str = ""
    caller: str = ""
    offer: str = ""
    """The offer id the line carries, empty for none."""
    phone: PhoneId = PhoneId("")
    """For a seat's line: its phone."""
    up: bool = True
    """Answered (false: still ringing)."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that lives on one Asterisk at one moment."""

    at: datetime
    booted: str
    lines: tuple[LineSnapshot, ...] = ()
    reachable: frozenset[PhoneId] = frozenset()


class Heard(StrEnum):
    """How a prompt or a collection of keys ended."""

    KEYS = "keys"
    SILENCE = "silence"  # nothing, or too few keys, before the time was up
    GONE = "gone"  # the line hung up
    FAILED = "failed"  # the prompt could not be played


class Collected(msgspec.Struct, frozen=True):
    """Keys that a citizen pressed. Personal data."""

    heard: Heard
    keys: str = ""
