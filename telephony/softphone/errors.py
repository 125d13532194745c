"""Errors of the softphone, by whose move it is."""

from hotline.errors import HotlineError, NotAllowed, Unavailable


class RegistrationRefused(HotlineError):
    """The registrar knows no such account, or the password is wrong: correct the account."""


class RegistrarSilent(Unavailable):
    """Nobody answers at the registrar's address: start Asterisk, or correct the address."""


class NotPossibleNow(NotAllowed):
    """The call's state forbids this (answering a call that ended): the caller of the method is late or wrong."""


class NotAcceptable(HotlineError):
    """The other side's session description offers nothing this phone can speak; it is answered with 488."""


class NoPortFree(Unavailable):
    """Every media port of the range is in use: widen it or end a call."""
