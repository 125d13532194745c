"""What may be asked of a talk (commands, verbs) and what is heard of it (news, past tense). Values only."""

from enum import StrEnum

import msgspec

from calls.legs import Callee, Ending, Party, Talk
from telephony.model import LineId


class Purpose(StrEnum):
    """What somebody is called for."""

    SEAT = "seat"  # a seat, by its number
    UNIT = "unit"  # the unit's expert on duty (三固定), whoever of them comes
    LINE = "line"  # a number outside: utilities, sub-centres, other bodies
    EMERGENCY = "emergency"  # 110, 119, 120, 122: the operator stays until they answer


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of the roster who is not called, and why: a code such as `off_duty` or `not_signed_in`."""

    rank: int
    person: str
    how: str
    """`seat` or `phone`."""
    why: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Whom somebody wants: who is called first, who next, and what for."""

    by: str
    seat: str = ""
    """Empty: somebody outside, whose number is `phone`."""
    phone: str
    party: Party = Party.EXPERT
    person: str = ""
    rank: int = 0
    then: tuple[Callee, ...] = ()
    """Who is called, one after the other, while nobody comes."""
    purpose: Purpose = Purpose.SEAT
    unit: str = ""
    """Whose expert, or whose line."""
    number: str = ""
    """The number as people know it: `110`."""
    passed_over: tuple[PassedOver, ...] = ()
    unclear: bool = False
    """Of an emergency: whose matter it is, is to be found out by the three."""


class Consult(Wanted, frozen=True, kw_only=True):
    """Somebody of the talk asks another one: with the citizen on hold, or (`private=False`) into the talk."""

    private: bool = True


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody with everybody."""

    by: str


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """Citizen and who was asked change places: one on hold, one spoken with."""

    by: str


class Retrieve(msgspec.Struct, frozen=True, kw_only=True):
    """The citizen comes off hold; who is asked waits, a phone that rings rings on."""

    by: str


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """The asking ends: who rings or was asked goes, the citizen comes off hold."""

    by: str


class Leave(msgspec.Struct, frozen=True, kw_only=True):
    """The others talk on; while somebody is asked or rings, this hands the citizen over."""

    by: str


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """One party, not the citizen, is taken out."""

    by: str
    line: LineId


class Park(msgspec.Struct, frozen=True, kw_only=True):
    """One of those who talk, perhaps the citizen, hears music; the others talk on. `Merge` brings everybody back."""

    by: str
    line: LineId


class Transfer(Wanted, frozen=True, kw_only=True):
    """Blind: who asks leaves at once, the citizen hears music until the other answers."""


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor hears one seat's talk."""

    by: str
    phone: str
    seat: str = ""
    """Whom to listen to; nothing: whoever answers for the call."""


class Whisper(msgspec.Struct, frozen=True, kw_only=True):
    """Who listens speaks to that seat alone, or no longer."""

    by: str
    on: bool = True


class Barge(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor comes into the talk."""

    by: str
    phone: str


class TakeOver(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor takes the place of who answers for the call."""

    by: str
    phone: str


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was asked for, and nobody can be called: it is only kept that it was so."""

    by: str
    ask: str
    purpose: Purpose = Purpose.UNIT
    unit: str = ""
    number: str = ""
    passed_over: tuple[PassedOver, ...] = ()


Command = (
    Consult | Merge | Swap | Retrieve | Cancel | Leave | Drop | Park | Transfer | Listen | Whisper | Barge | TakeOver
)  # fmt: skip


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    line: LineId


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """Refused, busy, unreachable, no answer, or Asterisk could not."""

    line: LineId
    reason: str = ""


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A line hung up, or (`lost`) fell silent: nobody wanted the talk to end."""

    line: LineId
    lost: bool = False


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """The switch sent the citizen out of the room: the last seat has left it."""


class TooLong(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody has been on hold for as long as may be."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """After we were away: lines that live and are answered, and lines that still ring."""

    up: frozenset[LineId]
    ringing: frozenset[LineId] = frozenset()


News = Answered | Failed | Gone | Left | TooLong | Found


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision comes to."""

    talk: Talk
    ending: Ending | None = None
    refused: str = ""
    """Why a command changes nothing, one sentence; empty when it does."""
