"""The door to pyVoIP 1.6.8: the only module that imports it. The modules around it subclass what comes through.

What pyVoIP does wrong against chan_pjsip, and where it is put right:

* random To-tag in the ACK, calls torn down after 32 s: `dialog.py`, `transactions.py`
* branch, Call-ID and tags derived from a counter or kept for ever: `transactions.py`, `phone.py`
* final answers other than 200, 404 and 503 ignored, no CANCEL: `transactions.py`, `outgoing.py`
* CANCEL from the other side ignored, `deny()` raises: `incoming.py`
* OPTIONS unanswered, callbacks a second late, `stop()` leaves a thread: `client.py`, `loop.py`
* messages it cannot parse (unknown status, compact names, several of one header) lost: `message.py`
* 8-bit audio, A-law sent as μ-law, drifting clock, memory that grows, no keys sent: `media.py`, `keys.py`
* a re-INVITE that starts a second transmitter: `negotiation.py`
* ports chosen without looking: `sockets.py`
"""

# first: it imports audioop with its deprecation notice silenced
import telephony.audio  # noqa: F401, I001  # pyright: ignore[reportUnusedImport]

import pyVoIP
from pyVoIP.VoIP import CallState as WireState  # "from pyVoIP import SIP" before this one is a circular import
from pyVoIP.VoIP import PhoneStatus, VoIPCall, VoIPPhone
from pyVoIP.RTP import PayloadType, RTPClient, TransmitType
from pyVoIP.SIP import SIPClient, SIPMessage, SIPMessageType, SIPParseError, SIPStatus

__all__ = [
    "PayloadType",
    "PhoneStatus",
    "RTPClient",
    "SIPClient",
    "SIPMessage",
    "SIPMessageType",
    "SIPParseError",
    "SIPStatus",
    "TransmitType",
    "VoIPCall",
    "VoIPPhone",
    "WireState",
]

METHODS = ("OPTIONS", "INFO", "UPDATE", "NOTIFY", "REFER", "MESSAGE", "PRACK", "SUBSCRIBE", "PUBLISH", "REGISTER")
"""pyVoIP's parser rejects a request whose method is not in its list."""

pyVoIP.SIPCompatibleMethods.extend(method for method in METHODS if method not in pyVoIP.SIPCompatibleMethods)
