"""What must happen at the switch so that one talk becomes another: the difference of two values, in a safe order.

First everybody is where he belongs, then phones ring, then lines end: nobody loses his partner before he has another.
"""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from calls.legs import Goal, Leg, Party, Place, Talk
from telephony.model import LineId, Placed


class Put(msgspec.Struct, frozen=True):
    """Move one line, or two at once."""

    room: str
    placed: tuple[Placed, ...]
    fresh: bool = False
    """Nobody was ever offered these lines: they do not know yet where their tracks go."""


class Invite(msgspec.Struct, frozen=True):
    """Ring a phone; it comes into the room."""

    room: str
    line: LineId
    phone: str
    outside: bool = False
    """`phone` is a number outside, to be admitted by the guard."""
    asked_by: str = ""
    seat: str = ""
    """Look first whether this seat is free: it was chosen a while ago."""
    citizen: bool = False
    """`phone` is the number of a citizen who is called back."""
    ring: timedelta | None = None
    """How long it rings; nothing: as everybody who is called into a talk."""


class Eavesdrop(msgspec.Struct, frozen=True):
    """Ring a supervisor's phone; it hears the target."""

    line: LineId
    phone: str
    target: LineId


class Murmur(msgspec.Struct, frozen=True):
    """Who listens is heard by the target, or no longer."""

    line: LineId
    on: bool


class Release(msgspec.Struct, frozen=True):
    """Stop a phone that rings, or hang a line up."""

    line: LineId


class Arrive(msgspec.Struct, frozen=True):
    """Wait until a line is in its room, before others leave: a room whose last seat leaves ends."""

    line: LineId


class Announce(msgspec.Struct, frozen=True):
    """A prompt for everybody in the room, on a track of its own."""

    room: str
    line: LineId
    prompt: str


Move = Put | Arrive | Announce | Invite | Eavesdrop | Murmur | Release
_IN = (Place.TALKING, Place.HELD)


def moves(before: Talk, after: Talk, *, displaced: frozenset[LineId] = frozenset()) -> tuple[Move, ...]:
    """From `before` to `after`. `displaced`: lines that are not where `before` says, because the switch moved them or
    nobody saw. Lines that hung up by themselves are to be no part of `before`."""
    ends = tuple(_ends(before, after))
    came = tuple(_came(before, after)) if ends else ()
    return (*_puts(before, after, displaced), *_rings(before, after), *_murmurs(before, after), *came, *ends)


def _puts(before: Talk, after: Talk, displaced: frozenset[LineId]) -> Iterator[Move]:
    first = after.in_room and not before.in_room
    was = {leg.line: leg.place for leg in before.legs if leg.line not in displaced}
    moved = [leg for leg in after.legs if leg.place in _IN and (first or _moves(leg, was))]
    moved.sort(key=lambda leg: (leg.place is Place.TALKING, leg.party is Party.CITIZEN))
    if not after.in_room:
        return
    together = [leg for leg in moved if leg.line in was and was[leg.line] in _IN] if first else []
    stay = {leg.line for leg in after.legs}
    deaf = [leg for leg in moved if (heard := _target(before, leg)) and heard not in stay]
    for leg in deaf:  # whom he listened to is hung up as soon as the citizen is moved, and then his line would end
        yield Put(after.room, (_placed(leg),))
        yield Arrive(leg.line)
    if together:
        yield Put(after.room, tuple(_placed(leg) for leg in together))
    for leg in moved:
        if leg not in together and leg not in deaf:
            yield Put(after.room, (_placed(leg),))


def _target(before: Talk, leg: Leg) -> LineId:
    """Whom a line listened to, or whispered to; nobody's when it did neither."""
    known = before.of_line(leg.line)
    return known.target if known is not None and known.place not in (*_IN, Place.RINGING) else LineId("")


def _moves(leg: Leg, was: dict[LineId, Place]) -> bool:
    """Who rang is in the room as soon as he has answered."""
    place = was.get(leg.line)
    return place is None or (place is not leg.place and (place, leg.place) != (Place.RINGING, Place.TALKING))


def _placed(leg: Leg) -> Placed:
    return Placed(line=leg.line, citizen=leg.party is Party.CITIZEN, held=leg.place is Place.HELD)


def _rings(before: Talk, after: Talk) -> Iterator[Move]:
    for leg in after.legs:
        if leg.place is not Place.RINGING or before.of_line(leg.line) is not None:
            continue
        if leg.goal is Goal.LISTEN:
            yield Eavesdrop(leg.line, leg.phone, leg.target)
        else:
            yield _invite(after.room, leg)


def _invite(room: str, leg: Leg) -> Invite:
    if leg.outside:
        return Invite(room, leg.line, leg.phone, outside=True, asked_by=leg.asked_by)
    later = bool(leg.ask) and leg.ask != leg.line
    return Invite(room, leg.line, leg.phone, seat=leg.seat if later else "")


def _murmurs(before: Talk, after: Talk) -> Iterator[Move]:
    for leg in after.legs:
        was = before.of_line(leg.line)
        ears = (Place.LISTENING, Place.WHISPERING)
        if was is not None and was.place in ears and leg.place in ears and was.place is not leg.place:
            yield Murmur(leg.line, leg.place is Place.WHISPERING)


def _came(before: Talk, after: Talk) -> Iterator[Arrive]:
    """Whoever has just answered is on the way into the room."""
    for leg in after.talking:
        was = before.of_line(leg.line)
        if was is not None and was.place is Place.RINGING:
            yield Arrive(leg.line)


def _ends(before: Talk, after: Talk) -> Iterator[Move]:
    for leg in before.legs:
        if after.of_line(leg.line) is None:
            yield Release(leg.line)
