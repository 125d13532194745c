"""Errors that say whose move it is.

HotlineError
├── BadInput          the caller of the function (a person, a file, a request) must correct something
├── NotFound          no such thing, or not for this person to know of
├── NotAllowed        the state or the role forbids it now
├── Conflict          somebody was faster: reload and decide again
└── Unavailable       an outside service does not answer: retry, raise an alarm, calls go on
"""


class HotlineError(Exception):
    """The root of every error that this product raises on purpose. Its text is one sentence for a person."""


class BadInput(HotlineError):
    """What was given cannot be used. `problems` lists every mistake found, not only the first."""

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class NotFound(HotlineError):
    """There is no such thing, or this person may not know of it: both look the same."""


class NotAllowed(HotlineError):
    """The present state or the person's role forbids this action."""


class Conflict(HotlineError):
    """Somebody else changed it first: reload and decide again."""


class Unavailable(HotlineError):
    """An outside service (Asterisk, Redis, the database, speech) does not answer."""
