"""Errors of tickets, by whose move it is."""

from hotline.errors import BadInput, Conflict, NotAllowed


class StepNotAllowed(Conflict):
    """The ticket's present state has no such step: look at the ticket again."""


class NotYours(NotAllowed):
    """The step exists, but not for this person's role."""


class Outdated(Conflict):
    """Somebody changed the ticket since it was read: read it again, then change it."""


class Incomplete(BadInput):
    """Fields are missing before the ticket can be registered."""
