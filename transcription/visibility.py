"""Who may read which transcript. Pure.

Quality staff, supervisors and dispatchers read everything, operators their own calls for a day, experts the calls
that they joined; for everybody else it is not there.
"""

from datetime import datetime, timedelta

from hotline.security import Principal, Role
from transcription.model import Transcript
from transcription.ports import Wanted

OWN_FOR = timedelta(hours=24)
"""How long operators may read what was said in their own calls."""

_ALL = frozenset({Role.QA, Role.SUPERVISOR, Role.DISPATCHER})


def reads_all(who: Principal) -> bool:
    """Whether every transcript is for `who`."""
    return not who.roles.isdisjoint(_ALL)


def readable(transcript: Transcript, who: Principal, now: datetime) -> bool:
    """Whether `who` may read it, or know that it exists."""
    if reads_all(who):
        return True
    if not who.agent or all(speaker.agent != who.agent for speaker in transcript.order.channels):
        return False
    fresh = now < transcript.requested_at + OWN_FOR
    return Role.EXPERT in who.roles or (Role.OPERATOR in who.roles and fresh)


def narrowed(call: str, who: Principal, now: datetime) -> Wanted | None:
    """What a list for `who` may show, at most of this `call` if one is named; nothing at all without a 工号."""
    if reads_all(who):
        return Wanted(call=call)
    if not who.agent:
        return None
    return Wanted(call=call, agent=who.agent, since=None if Role.EXPERT in who.roles else now - OWN_FOR)
