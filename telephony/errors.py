"""Errors of telephony, by whose move it is."""

from hotline.errors import HotlineError, Unavailable


class AsteriskUnreachable(Unavailable):
    """No connection to Asterisk, or no answer in time: retry after `NodeUp`, raise an alarm."""


class LineGoneError(HotlineError):
    """The line hung up meanwhile: normal."""


class ActionRefused(HotlineError):
    """Asterisk refused an action for another reason; the sentence is Asterisk's own."""


class AsteriskMissing(Unavailable):
    """This machine has no Asterisk that can be used: install one, or say where it is."""


class AsteriskWontStart(Unavailable):
    """Asterisk is there, but cannot run as configured: a port, a folder, a module or its own log says why."""
