"""The parties of a talk of more than two: who they are, where each is, and what the one who rings is called for.

Values only; who may be where is decided by `parties`. A call that two talk in has none of this (`CallState.talk` is
nothing), until somebody is called in or listens.
"""

from enum import StrEnum

import msgspec

from telephony.model import LineId


class Party(StrEnum):
    """Whose voice a line carries."""

    CITIZEN = "citizen"
    OPERATOR = "operator"
    EXPERT = "expert"
    SUPERVISOR = "supervisor"
    OUTSIDE = "outside"  # 外线: an emergency line, a utility, another body
    ANNOUNCEMENT = "announcement"  # 播报: what our own machine said to all


class Place(StrEnum):
    """Where a party is."""

    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"  # hears music
    LISTENING = "listening"  # hears the talk, heard by nobody
    WHISPERING = "whispering"  # heard by one seat alone


class Goal(StrEnum):
    """What somebody who rings is called for."""

    CONSULT = "consult"  # to be asked while the citizen hears music
    JOIN = "join"  # to come into the talk that goes on
    TRANSFER = "transfer"  # to take the call: who called has left
    RECALL = "recall"  # a transfer failed: back to who made it
    TAKE_OVER = "take_over"  # to take the operator's place
    LISTEN = "listen"


class Callee(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can be called in: at a seat's phone, or outside."""

    seat: str = ""
    """Empty for somebody outside."""
    phone: str
    """The seat's phone, or the number."""
    party: Party = Party.EXPERT
    person: str = ""
    """Whom the roster names."""
    rank: int = 0
    """The place in the roster, from 1."""

    @property
    def outside(self) -> bool:
        return not self.seat


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One party of the talk."""

    line: LineId
    party: Party
    place: Place
    seat: str = ""
    """Who sits there; empty for the citizen."""
    phone: str = ""
    goal: Goal | None = None
    """Of one who rings."""
    target: LineId = LineId("")
    """Of one who listens: the seat's line that is listened to."""
    outside: bool = False
    """Called through the carrier: `phone` is the number, and `seat` a name that nobody signs in with (`x1`)."""
    asked_by: str = ""
    """The seat that had this one called."""
    ask: LineId = LineId("")
    """What was asked, named by the first line that was called for it; empty when a seat was asked directly."""
    person: str = ""
    rank: int = 0
    then: tuple[Callee, ...] = ()
    """Who is called next when this one does not come."""
    warm: bool = False
    """An emergency line: who called it stays until it answers."""


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who is in it or called to it."""

    room: str
    legs: tuple[Leg, ...]
    in_room: bool = False
    """False: citizen and operator still talk as two, and leave that only together."""
    owner: str = ""
    """The seat that answers for the call: who is called back when a transfer fails."""
    owner_phone: str = ""
    called_in: int = 0
    """How many were ever called; their lines are named `ROOM_1`, `ROOM_2`, …"""

    def with_place(self, *places: Place) -> tuple[Leg, ...]:
        """Seats (not the citizen) that are in one of these places."""
        return tuple(leg for leg in self.legs if leg.party is not Party.CITIZEN and leg.place in places)

    @property
    def inside(self) -> tuple[LineId, ...]:
        """Lines of everybody who talks or is on hold, the citizen too."""
        return tuple(leg.line for leg in self.legs if leg.place in (Place.TALKING, Place.HELD))

    @property
    def citizen(self) -> Leg | None:
        return next((leg for leg in self.legs if leg.party is Party.CITIZEN), None)

    @property
    def talking(self) -> tuple[Leg, ...]:
        return self.with_place(Place.TALKING)

    @property
    def held(self) -> tuple[Leg, ...]:
        return self.with_place(Place.HELD)

    @property
    def called(self) -> tuple[Leg, ...]:
        """Who rings in order to talk."""
        return tuple(leg for leg in self.with_place(Place.RINGING) if leg.goal is not Goal.LISTEN)

    def of_seat(self, seat: str) -> Leg | None:
        """The party that sits at a seat."""
        return next((leg for leg in self.legs if seat and leg.seat == seat), None)

    def owned_by(self, leg: Leg) -> "Talk":
        """`leg` answers for the call. Somebody outside cannot be called back: what fails then leads to the queue."""
        return msgspec.structs.replace(self, owner=leg.seat, owner_phone="" if leg.outside else leg.phone)

    def of_line(self, line: str) -> Leg | None:
        return next((leg for leg in self.legs if leg.line == line), None)


class Situation(StrEnum):
    """The talk in one word, as people call it."""

    PAIR = "pair"
    ASKING = "asking"  # the citizen hears music while the phone rings
    CONSULTING = "consulting"
    INVITING = "inviting"  # the phone rings while they talk on
    THREE = "three"
    SWAPPED = "swapped"  # the citizen is spoken with, the one who was asked hears music
    TRANSFERRING = "transferring"  # only a ringing phone and the citizen
    RECALLING = "recalling"
    OVER = "over"
    CITIZEN_LEFT = "citizen_left"
    TO_QUEUE = "to_queue"


class Ending(StrEnum):
    """How a talk ends."""

    OVER = Situation.OVER.value  # the seats have left: good-bye for the citizen
    CITIZEN_LEFT = Situation.CITIZEN_LEFT.value
    TO_QUEUE = Situation.TO_QUEUE.value  # nobody is left and the citizen was promised somebody


def situation(talk: Talk) -> Situation:
    """One word for where everybody is."""
    if talk.citizen is None:
        return Situation.CITIZEN_LEFT
    if talk.citizen.place is Place.HELD:
        return _on_hold(talk)
    if talk.called:
        return Situation.INVITING
    if talk.held:
        return Situation.SWAPPED
    if not talk.talking:
        return Situation.OVER
    return Situation.THREE if len(talk.talking) > 1 else Situation.PAIR


def _on_hold(talk: Talk) -> Situation:
    if len(talk.talking) > 1:
        return Situation.CONSULTING
    if talk.talking:
        return Situation.ASKING
    if not talk.called:
        return Situation.TO_QUEUE
    recalled = any(leg.goal is Goal.RECALL for leg in talk.called)
    return Situation.RECALLING if recalled else Situation.TRANSFERRING
