"""What comes of every event in every situation of a talk, as data: the source of docs/three-way.md and of its tests.

A row says where everybody is afterwards; `parties.decide` is held to it. Knows nothing of how it comes to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from calls import orders
from calls.legs import Callee, Goal, Leg, Party, Place, Situation, Talk
from calls.outcome_rows import ROWS
from calls.outcome_rows_outside import ROWS as OUTSIDE_ROWS
from telephony.model import LineId

CITIZEN, OPERATOR, EXPERT, BOSS = LineId("citizen"), LineId("operator"), LineId("expert"), LineId("supervisor")
OFFICE = LineId("office")
"""Somebody outside, called through the carrier."""
_PARTIES = {
    OFFICE: Party.OUTSIDE,
    CITIZEN: Party.CITIZEN,
    OPERATOR: Party.OPERATOR,
    EXPERT: Party.EXPERT,
    BOSS: Party.SUPERVISOR,
}
REFUSED = "refused"
T, H, R = Place.TALKING, Place.HELD, Place.RINGING


@dataclass(frozen=True, slots=True)
class Row:
    """One stated outcome."""

    given: str
    when: str
    then: str
    """Where everybody is: see `picture`."""


def leg(
    line: LineId,
    place: Place,
    goal: Goal | None = None,
    target: LineId = LineId(""),  # noqa: B008
    then: tuple[Callee, ...] = (),
) -> Leg:
    """A party by its name; its seat and phone are called like it."""
    seat, outside = "" if line == CITIZEN else str(line), line == OFFICE
    return Leg(
        line=line, party=_PARTIES[line], place=place, seat=seat, phone=seat, goal=goal, target=target, then=then,
        outside=outside,
    )  # fmt: skip


def talk(*legs: Leg, in_room: bool = True, owner: str = OPERATOR) -> Talk:
    """A talk that the operator answers for."""
    phone = "" if owner == OFFICE else owner
    return Talk(room="room_x", legs=legs, in_room=in_room, owner=owner, owner_phone=phone)


NEXT = Callee(phone=OFFICE, party=Party.EXPERT)
"""Who is called when the expert does not come."""

GIVEN: Mapping[str, Talk] = {
    "pair": talk(leg(CITIZEN, T), leg(OPERATOR, T), in_room=False),
    "asking": talk(leg(CITIZEN, H), leg(OPERATOR, T), leg(EXPERT, R, Goal.CONSULT)),
    "consulting": talk(leg(CITIZEN, H), leg(OPERATOR, T), leg(EXPERT, T)),
    "inviting": talk(leg(CITIZEN, T), leg(OPERATOR, T), leg(EXPERT, R, Goal.JOIN)),
    "three": talk(leg(CITIZEN, T), leg(OPERATOR, T), leg(EXPERT, T)),
    "swapped": talk(leg(CITIZEN, T), leg(OPERATOR, T), leg(EXPERT, H)),
    "handed over": talk(leg(CITIZEN, T), leg(EXPERT, T), owner=EXPERT),
    "transferring": talk(leg(CITIZEN, H), leg(EXPERT, R, Goal.TRANSFER)),
    "recalling": talk(leg(CITIZEN, H), leg(OPERATOR, R, Goal.RECALL)),
    "listened to": talk(leg(CITIZEN, T), leg(OPERATOR, T), leg(BOSS, Place.LISTENING, target=OPERATOR), in_room=False),
    "taken over": talk(leg(CITIZEN, T), leg(OPERATOR, T), leg(BOSS, R, Goal.TAKE_OVER)),
    "asking by ranks": talk(leg(CITIZEN, H), leg(OPERATOR, T), leg(EXPERT, R, Goal.CONSULT, then=(NEXT,))),
    "inviting by ranks": talk(leg(CITIZEN, T), leg(OPERATOR, T), leg(EXPERT, R, Goal.JOIN, then=(NEXT,))),
    "transferring by ranks": talk(leg(CITIZEN, H), leg(EXPERT, R, Goal.TRANSFER, then=(NEXT,))),
    "calling outside": talk(leg(CITIZEN, T), leg(OPERATOR, T), leg(OFFICE, R, Goal.JOIN)),
    "three with outside": talk(leg(CITIZEN, T), leg(OPERATOR, T), leg(OFFICE, T)),
    "handed over outside": talk(leg(CITIZEN, T), leg(OFFICE, T), owner=OFFICE),
}
"""Each situation by an example."""


def everybody(given: Talk, *, but: str = "", answered: bool = False) -> orders.Found:
    """What is found when our process comes back: all lines but one; who rang rings on, or has answered."""
    rings = {one.line for one in given.legs if one.place is R}
    lives = {one.line for one in given.legs if one.line != but}
    return orders.Found(
        up=frozenset(lives if answered else lives - rings), ringing=frozenset(() if answered else lives & rings)
    )


def happenings(given: Talk) -> dict[str, orders.Command | orders.News]:
    """Everything that can happen in a situation, by the words of the table."""
    made: dict[str, orders.Command | orders.News] = {}
    for one in given.legs:
        if one.place is R:
            made[f"{one.line}'s phone is answered"] = orders.Answered(line=one.line)
            made[f"{one.line} refuses, is busy, unreachable or does not answer"] = orders.Failed(line=one.line)
        else:
            made[f"{one.line} hangs up"] = orders.Gone(line=one.line)
        if one.place is not R and one.party is not Party.CITIZEN:
            made[f"{one.line} falls silent"] = orders.Gone(line=one.line, lost=True)
    if any(one.place is H for one in given.legs):
        made["the hold lasts too long"] = orders.TooLong()
    made |= _absences(given) | _commands(given)
    return made


def _absences(given: Talk) -> dict[str, orders.Command | orders.News]:
    made: dict[str, orders.Command | orders.News] = {"our process was away": everybody(given)}
    for one in given.legs:
        verb = "gave up ringing" if one.place is R else "hung up"
        made[f"our process was away, {one.line} {verb} meanwhile"] = everybody(given, but=one.line)
        if one.place is R:
            made[f"our process was away, {one.line} answered meanwhile"] = everybody(given, answered=True)
    return made


def _commands(given: Talk) -> dict[str, orders.Command | orders.News]:
    me = next((one.seat for one in given.talking if not one.outside), str(OPERATOR))
    new, boss = "new expert", str(BOSS)
    asked = given.of_line(EXPERT) or given.of_line(OFFICE)
    made: dict[str, orders.Command | orders.News] = {
        f"{me} consults": orders.Consult(by=me, seat=new, phone=new),
        f"{me} invites": orders.Consult(by=me, seat=new, phone=new, private=False),
        f"{me} merges": orders.Merge(by=me),
        f"{me} swaps": orders.Swap(by=me),
        f"{me} retrieves": orders.Retrieve(by=me),
        f"{me} cancels": orders.Cancel(by=me),
        f"{me} leaves": orders.Leave(by=me),
        f"{me} puts citizen on hold": orders.Park(by=me, line=CITIZEN),
        f"{me} transfers": orders.Transfer(by=me, seat=new, phone=new),
        "supervisor listens": orders.Listen(by=boss, phone=boss),
        "supervisor whispers": orders.Whisper(by=boss),
        "supervisor barges in": orders.Barge(by=boss, phone=boss),
        "supervisor takes over": orders.TakeOver(by=boss, phone=boss),
    }
    if asked is not None and me != EXPERT:
        made[f"{me} drops {asked.line}"] = orders.Drop(by=me, line=asked.line)
        made[f"{me} puts {asked.line} on hold"] = orders.Park(by=me, line=asked.line)
    return made


def picture(after: Talk, ending: str = "") -> str:
    """Where everybody is: `talk: citizen + operator; music: expert; rings: …`."""
    if ending:
        return _ENDINGS[ending]
    parts: list[str] = []
    for place, word in _WORDS.items():
        names = [_name(one) for one in after.legs if one.place is place]
        parts += [f"{word} {' + '.join(names)}"] if names else []
    return "; ".join(parts)


_WORDS = {
    Place.TALKING: "talk:", Place.HELD: "music:", Place.RINGING: "rings:", Place.LISTENING: "listens:",
    Place.WHISPERING: "whispers:",
}  # fmt: skip
_ENDINGS = {
    Situation.OVER.value: "over: good-bye for the citizen",
    Situation.CITIZEN_LEFT.value: "over: everybody is hung up",
    Situation.TO_QUEUE.value: "music, first in the queue",
}


def _name(one: Leg) -> str:
    return str(OFFICE) if one.outside else one.seat or str(one.line)


def rows() -> tuple[Row, ...]:
    """The table."""
    return tuple(Row(*row) for row in (*ROWS, *OUTSIDE_ROWS))


def render() -> str:
    """docs/three-way.md."""
    parts = [_HEAD]
    for given, example in GIVEN.items():
        parts.append(
            f"\n## {given.capitalize()}\n\n{picture(example)}\n\n| what happens | what comes of it |\n|---|---|\n"
        )
        here = [row for row in rows() if row.given == given]
        parts += [f"| {row.when} | {row.then} |\n" for row in here if row.then != REFUSED]
        parts.append(f"\nRefused: {', '.join(row.when for row in here if row.then == REFUSED)}.\n")
    return "".join(parts)


_HEAD = """# Three-way, transfer, supervision: what comes of what

A talk of more than two is one transaction: for every event in every situation there is one outcome, and this is it. The
table is data (`calls/outcome_rows*.py`); `python -m scripts.three_way` writes this page, and tests hold the code to it.

- **talk**: these hear each other. **music**: on hold. **rings**: the phone rings; who waits for it hears music.
- The citizen is never alone in silence: he talks, hears music while somebody is called or asked for him, or the call
  has ended. The music has an end: a phone rings for a limited time, and a hold is ended when it lasts too long.
- Whoever hangs up takes nobody with him, except the citizen: without him there is nothing to talk about.
- Each party has a recording channel of its own from its answer to its end, on hold too. Who only listens or whispers is
  no party and is not recorded; that it happened is audited.
- *Our process was away*: it was killed and came back. Meanwhile the talk goes on as it was; a phone that rings can be
  answered; a citizen on hold whom nobody decides about is joined after 8 s to whoever is in the room.
- *Falls silent*: a phone without power or network, a page that was closed or crashed. Nobody wanted the talk to end, so
  a citizen who is left alone is first in the queue; a page that was only loaded anew gets its call back.
- A transfer that fails calls back who made it; when that fails too, the citizen is first in the queue.
- *Office*: somebody outside, called through the carrier: a party like any other, but nobody signs in there, so he asks
  for nothing and is not called back. *By ranks*: an expert of a unit was asked for, and when the one who rings does
  not come, the next one of the roster is called, at his seat or outside; the longest hold ends it.
- *Emergency lines* are called into the talk, never instead of it: who called stays until they answer (`leave` is
  refused until then), and a prompt tells everybody that they have come. When they do not answer they are dialled again,
  then a supervisor is called.
- A refused command changes nothing, and the one who asked is told why.
"""
