"""三固定: who answers for a unit, at which fixed number, in which fixed hours; and who of them is called now. Pure.

Each place of a unit's roster has a seat (signed in, it is rung first), an office phone (called through the trunk when
the seat cannot be rung), or both. What hours mean, what a seat is doing and whether a number may be dialled are
arguments.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from hotline.errors import BadInput

MOST = 9
"""Places of one unit: nobody waits for a tenth."""
_SEAT = re.compile(r"[0-9]{2,20}", re.ASCII)


class RosterPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a unit's roster."""

    unit: str
    rank: int
    """From 1; who is called first."""
    person: str
    seat: str = ""
    """工号 of the seat that this person signs in at; empty: none."""
    number: str = ""
    """The fixed office phone; empty: none."""
    hours: str
    """An hours profile of the catalogue, or windows: `workdays 08:30-12:00 14:30-17:30; sat 09:00-12:00`."""
    note: str = ""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to be called: at a seat, or, without one, at a number."""

    rank: int
    person: str
    seat: str = ""
    number: str = ""


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is not called: `off_duty`, `not_signed_in`, `unreachable`, `busy`, or what the guard says."""

    rank: int
    person: str
    how: str
    """`seat`, `phone`, or nothing when it is the person."""
    why: str


class Ranks(msgspec.Struct, frozen=True, kw_only=True):
    """Who is called, one after the other, and who is not."""

    candidates: tuple[Candidate, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()


Says = Callable[[str], str]
"""Of a seat or a number: why it cannot be called now, a code; empty when it can."""


def ranks(places: Iterable[RosterPlace], is_on_duty: Callable[[str], bool], seat: Says, number: Says) -> Ranks:
    """Everybody on duty in order of rank, each first at the seat, then at the office phone."""
    candidates: list[Candidate] = []
    passed_over: list[PassedOver] = []
    for place in sorted(places, key=lambda one: one.rank):
        if not is_on_duty(place.hours):
            passed_over.append(PassedOver(rank=place.rank, person=place.person, how="", why="off_duty"))
            continue
        for how, named, says in (("seat", place.seat, seat), ("phone", place.number, number)):
            if not named:
                continue
            if why := says(named):
                passed_over.append(PassedOver(rank=place.rank, person=place.person, how=how, why=why))
            else:
                field = {"seat": named} if how == "seat" else {"number": named}
                candidates.append(Candidate(rank=place.rank, person=place.person, **field))
    return Ranks(candidates=tuple(candidates), passed_over=tuple(passed_over))


def check(places: Sequence[RosterPlace], hours: Says, number: Says, named: Callable[[int], str]) -> list[str]:
    """What is wrong with a roster, every mistake. `hours`, `number`: what is wrong with one, a sentence; `named`:
    where the place of an index stands."""
    problems = [f"{named(at)}: {told}" for at, place in enumerate(places) for told in _problems(place, hours, number)]
    ranked = Counter((place.unit, place.rank) for place in places)
    twice = [at for at, place in enumerate(places) if ranked[place.unit, place.rank] > 1]
    problems += [f"{named(at)}: rank {places[at].rank} of this unit is there more than once." for at in twice]
    many = [unit for unit, count in Counter(place.unit for place in places).items() if count > MOST]
    return problems + [f"{unit}: a unit has at most {MOST} places." for unit in many]


def _problems(place: RosterPlace, hours: Says, number: Says) -> list[str]:
    found: list[str] = []
    if not place.unit.strip() or len(place.unit) > 200:
        found.append("a unit of at most 200 characters is needed.")
    if not place.person.strip() or len(place.person) > 100:
        found.append("a person of at most 100 characters is needed: the answerer is fixed.")
    if not 1 <= place.rank <= 99:
        found.append("a rank is 1 to 99.")
    if not place.seat and not place.number:
        found.append("a seat or a number is needed: the number is fixed.")
    if place.seat and not _SEAT.fullmatch(place.seat):
        found.append("a seat is the work number of an agent, 2 to 20 digits.")
    if place.number and (wrong := number(place.number)):
        found.append(wrong)
    if not place.hours.strip() or len(place.hours) > 400:
        found.append("hours are needed, in at most 400 characters: working time is fixed.")
    elif wrong := hours(place.hours):
        found.append(wrong)
    if len(place.note) > 200:
        found.append("a note has at most 200 characters.")
    return found


def refuse(problems: Sequence[str]) -> None:
    """Raises:
    BadInput: there are problems.
    """
    if problems:
        raise BadInput("This roster cannot be used: " + " ".join(problems), tuple(problems))
