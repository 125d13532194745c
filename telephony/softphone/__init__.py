"""A softphone on pyVoIP: used by `hotline dial`, by the demonstration seat and by the tests. Start at `phone.py`."""

from telephony.softphone.call import Call
from telephony.softphone.ear import Ear
from telephony.softphone.errors import NoPortFree, NotPossibleNow, RegistrarSilent, RegistrationRefused
from telephony.softphone.headers import asserted_identity, dialled_as, diversion, history
from telephony.softphone.incoming import IncomingCall
from telephony.softphone.model import Account, CallState, Codec, EndedBy, Ending, MediaFigures
from telephony.softphone.outgoing import OutgoingCall
from telephony.softphone.phone import Softphone
from telephony.softphone.sources import Clip, Feed, Source, Tone

__all__ = [
    "Account",
    "Call",
    "CallState",
    "Clip",
    "Codec",
    "Ear",
    "EndedBy",
    "Ending",
    "Feed",
    "IncomingCall",
    "MediaFigures",
    "NoPortFree",
    "NotPossibleNow",
    "OutgoingCall",
    "RegistrarSilent",
    "RegistrationRefused",
    "Softphone",
    "Source",
    "Tone",
    "asserted_identity",
    "dialled_as",
    "diversion",
    "history",
]
