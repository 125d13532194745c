"""Whether a phone can be rung, of what its device's state and its registrations tell. Pure."""

from datetime import datetime

from telephony.known import Facts, Known
from telephony.model import PhoneChanged, PhoneId


def reach(known: Known, phone: PhoneId, reachable: bool, at: datetime) -> Facts:
    """A phone's reachability; told when it changed."""
    if known.phones.get(phone) is reachable:
        return []
    known.phones[phone] = reachable
    known.phones_at[phone] = at
    return [PhoneChanged(at=at, phone=phone, reachable=reachable)]


def register(known: Known, phone: PhoneId, contact: str, is_there: bool, at: datetime) -> Facts:
    """A phone registered, or its registration ended: its socket broke, say. One that is in use cannot be rung either
    then, whatever state its device has."""
    others = known.contacts.get(phone, frozenset()) - {contact}
    known.contacts[phone] = others | {contact} if is_there else others
    return reach(known, phone, bool(known.contacts[phone]), at)


def use(known: Known, phone: PhoneId, is_usable: bool, is_idle: bool, at: datetime) -> Facts:
    """The state of a phone's device: one that is in use tells nothing of its registration."""
    if is_usable and not is_idle and known.contacts.get(phone) == frozenset():
        return []
    return reach(known, phone, is_usable, at)
