"""Values of the softphone: what a call is doing, how it ended, who calls. Knows no socket and no thread."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from hotline.errors import BadInput

NUMBER = re.compile(r"[0-9A-Za-z+*#_.!-]{1,64}")
"""What may stand before the `@` of a SIP address without being escaped."""
KEYS = "0123456789*#ABCD"
"""Telephone keys in the order of their RFC 4733 event codes."""


class CallState(StrEnum):
    """A call passes through these in this order; `RINGING` and `TALKING` may be left out."""

    DIALING = "dialing"  # INVITE sent, nothing rings yet
    RINGING = "ringing"  # the other phone rings (outgoing) or this one does (incoming)
    TALKING = "talking"  # answered
    ENDED = "ended"


class EndedBy(StrEnum):
    """Whose action ended a call."""

    US = "us"
    THEM = "them"
    NETWORK = "network"  # nobody answered our messages


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended."""

    by: EndedBy
    status: int
    """Final SIP status of the INVITE: 200 for a call that was answered, 487 for one that was cancelled."""
    phrase: str
    cause: int = 0
    """Q.850 cause of the Reason header; 0 when there was none."""
    contact: str = ""
    """Where a redirection (3xx) points to; it is never followed."""
    at: float
    """Monotonic seconds."""


class MediaFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of one call's audio."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    """Packets missing in the sequence of the received ones."""
    max_gap: float = 0.0
    """Longest time between two received packets, in seconds."""
    skipped: int = 0
    """Slots of 20 ms that were not sent because this process stood still."""


class Codec(StrEnum):
    """What the softphone speaks (G.711)."""

    PCMA = "PCMA"
    PCMU = "PCMU"


class Direction(StrEnum):
    """Who sends audio, seen from the one who says so (RFC 3264)."""

    BOTH = "sendrecv"
    SEND = "sendonly"
    RECEIVE = "recvonly"
    NONE = "inactive"

    @property
    def mirrored(self) -> "Direction":
        """The same agreement seen from the other side."""
        return {Direction.SEND: Direction.RECEIVE, Direction.RECEIVE: Direction.SEND}.get(self, self)

    @property
    def sends(self) -> bool:
        return self in (Direction.BOTH, Direction.SEND)

    @property
    def listens(self) -> bool:
        return self in (Direction.BOTH, Direction.RECEIVE)


@dataclass(frozen=True, slots=True)
class Account:
    """A SIP account of a seat, for example `seat8001`."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        check_number(self.user)


def check_number(number: str) -> str:
    """The number itself, when it can stand in a SIP address.

    Raises:
        BadInput: it holds anything but digits, letters and `+*#_.!-`.
    """
    if not NUMBER.fullmatch(number):
        raise BadInput(f"{number!r} cannot be dialled: use digits, letters and + * # only.")
    return number


def check_keys(keys: str) -> str:
    """The keys themselves, in upper case.

    Raises:
        BadInput: one of them is on no telephone.
    """
    wrong = sorted(set(keys.upper()) - set(KEYS))
    if wrong:
        raise BadInput(f"No telephone has the key {', '.join(wrong)}: use 0-9, * and #.")
    return keys.upper()
