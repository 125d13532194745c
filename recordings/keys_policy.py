"""When a recording is silent because the citizen types: keys may be a card number, an identity number, a secret.

Pure: the controller tells it of keys and of time, and does what it says to every line of the call.
"""

from datetime import datetime, timedelta

import msgspec


class KeyMuting(msgspec.Struct, frozen=True):
    """Mute at the first key, unmute when no key came for `quiet`."""

    quiet: timedelta = timedelta(seconds=1.5)
    enabled: bool = True


class KeyStep(msgspec.Struct, frozen=True):
    """What follows from a key or from time passing."""

    muted_until: datetime | None
    """Remember this and give it back; nothing: not muted."""
    mute: bool | None = None
    """Mute (true) or unmute (false) now; nothing: leave it as it is."""


def on_key(policy: KeyMuting, muted_until: datetime | None, at: datetime) -> KeyStep:
    """A key went down. Repeated and late news only ever lengthen the silence."""
    if not policy.enabled:
        return KeyStep(muted_until)
    until = at + policy.quiet
    if muted_until is None:
        return KeyStep(until, mute=True)
    return KeyStep(max(until, muted_until))


def on_time(muted_until: datetime | None, now: datetime) -> KeyStep:
    """Time passed: look again at `muted_until`."""
    if muted_until is None or now < muted_until:
        return KeyStep(muted_until)
    return KeyStep(None, mute=False)


def on_end(muted_until: datetime | None) -> KeyStep:
    """The talk is over. Nothing stays muted for whoever talks next on this line."""
    return KeyStep(None, mute=None if muted_until is None else False)
