"""Who may know of which recording and hear which part of it. Pure.

Operators hear their own calls for a day, experts the part they joined, quality staff and supervisors everything;
everybody else nothing, and nothing looks the same as not there.
"""

from datetime import datetime, timedelta

import msgspec

from hotline.security import Principal, Role
from recordings.model import Recording, Span

OWN_FOR = timedelta(hours=24)
"""How long operators may listen to their own calls, counted from the end of the call."""

_ALL = frozenset({Role.QA, Role.SUPERVISOR})


class Scope(msgspec.Struct, frozen=True):
    """Which rows a person's list is made of; the store turns it into a condition."""

    everything: bool = False
    agent: str = ""
    """Only recordings of this 工号; empty and not `everything`: none."""
    ended_after: datetime | None = None
    """And only those that ended later, or did not end yet."""


def scope(who: Principal, now: datetime) -> Scope:
    """What `who` may list."""
    if who.roles & _ALL:
        return Scope(everything=True)
    if who.agent and Role.EXPERT in who.roles:
        return Scope(agent=who.agent)
    if who.agent and Role.OPERATOR in who.roles:
        return Scope(agent=who.agent, ended_after=now - OWN_FOR)
    return Scope()


def audible(recording: Recording, who: Principal, now: datetime) -> tuple[Span, ...]:
    """The stretches of a sealed recording that `who` may hear; empty: may not know that it exists."""
    whole = (Span(0, recording.length_ms),)
    if who.roles & _ALL:
        return whole
    if not who.agent or who.agent not in recording.agents:
        return ()
    ended = recording.ended_at or recording.answered_at
    if Role.OPERATOR in who.roles and now < ended + OWN_FOR:
        return whole
    return _joined(recording, who.agent) if Role.EXPERT in who.roles else ()


def may_know(recording: Recording, who: Principal, now: datetime) -> bool:
    """Whether `who` may see the row."""
    if who.roles & _ALL:
        return True
    if not who.agent or who.agent not in recording.agents:
        return False
    still = recording.ended_at is None or now < recording.ended_at + OWN_FOR
    return Role.EXPERT in who.roles or (Role.OPERATOR in who.roles and still)


def _joined(recording: Recording, agent: str) -> tuple[Span, ...]:
    """When the person with this 工号 was in the call, overlaps merged."""
    spans = sorted(
        (span for channel in recording.channels if channel.agent == agent for span in channel.spans),
        key=lambda span: span.from_ms,
    )
    merged: list[Span] = []
    for span in spans:
        if merged and span.from_ms <= merged[-1].to_ms:
            merged[-1] = Span(merged[-1].from_ms, max(merged[-1].to_ms, span.to_ms))
        else:
            merged.append(span)
    return tuple(merged)
