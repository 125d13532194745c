"""Which calls are listened to when there are more than the machine can bear. Pure."""

from collections.abc import Iterable

import msgspec


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A call that goes on."""

    call: str
    order: int
    """Its place among all calls, by when its talk began."""
    urgent: bool
    """Somebody who is called in, or who listens, reads along."""
    held: bool
    """It is listened to already."""


def chosen(claims: Iterable[Claim], most: int) -> frozenset[str]:
    """At most `most` calls: those that somebody else reads first, then those that are heard already, then the oldest.

    So nobody's words stop for the sake of a call that is no more urgent.
    """
    ranked = sorted(claims, key=lambda claim: (not claim.urgent, not claim.held, claim.order))
    return frozenset(claim.call for claim in ranked[: max(most, 0)])


MOST_BY_DEFAULT = 8
"""Each look of a reader costs the controller some 4 ms, and there is about one a second for each call."""


def default_most(processors: int) -> int:
    """How many calls where nobody said: one for each processor, within reason.

    A call has two voices. The smallest model for people takes some tenth of a processor for each, the biggest half of
    one, and half of the processors listen at all.
    """
    return min(max(processors, 1), MOST_BY_DEFAULT)
