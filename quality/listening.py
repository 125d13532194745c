"""Who listened when: many fetched stretches of a recording are one time of listening. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from quality.ports import Play

APART = timedelta(minutes=10)
"""A pause from which on it is another time."""


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """One time that somebody listened."""

    person: str
    name: str
    roles: tuple[str, ...]
    began_at: datetime
    ended_at: datetime
    """When the last stretch was asked for."""


def listenings(plays: Iterable[Play]) -> list[Listening]:
    """The newest first, each person by themselves."""
    found: dict[str, list[Listening]] = {}
    for play in sorted(plays, key=lambda one: one.at):
        mine = found.setdefault(play.person, [])
        if mine and play.at - mine[-1].ended_at < APART:
            mine[-1] = msgspec.structs.replace(mine[-1], ended_at=play.at)
        else:
            mine.append(
                Listening(person=play.person, name=play.name, roles=play.roles, began_at=play.at, ended_at=play.at)
            )
    return sorted((one for mine in found.values() for one in mine), key=lambda one: one.began_at, reverse=True)
