"""Keeping one account registered (RFC 3261 §10): refreshed in time, tried again when the registrar was away."""

import random
import re
import secrets
from collections.abc import Callable

import structlog

from telephony.softphone.client import Client
from telephony.softphone.compose import Request
from telephony.softphone.loop import Loop, Timer
from telephony.softphone.message import Message

log = structlog.get_logger(__name__)

REFRESH_AT = 0.8
"""Part of the granted time after which it is renewed."""
FIRST_RETRY = 1.0
LONGEST_RETRY = 30.0


class Registration:
    """One account at one registrar. `changed` is called whenever `registered` or `refusal` changes."""

    def __init__(self, client: Client, loop: Loop, expires: int, changed: Callable[[], None]) -> None:
        self._client, self._loop, self._expires, self._changed = client, loop, expires, changed
        self._call_id, self._tag = secrets.token_hex(16), secrets.token_hex(6)
        self._cseq = random.getrandbits(16)
        self._timer: Timer | None = None
        self._retry = FIRST_RETRY
        self._leaving = False
        self.registered = False
        self.refusal = ""
        """Why the latest attempt failed, empty after success."""
        self.attempts = 0
        """Attempts that came to an end."""

    def renew(self) -> None:
        """Register now."""
        self._send(self._expires)

    def leave(self) -> None:
        """Take the registration back; `registered` turns false when the registrar agreed or was silent."""
        self._leaving = True
        if self._timer:
            self._timer.cancel()
        self._send(0)

    def _send(self, expires: int) -> None:
        self._cseq += 1
        me = f"<sip:{self._client.username}@{self._client.server}>"
        request = Request(
            "REGISTER", f"sip:{self._client.domain}", f"{me};tag={self._tag}", me, self._call_id, self._cseq,
            self._client.contact, (("Expires", str(expires)),),
        )  # fmt: skip
        self._client.requests.send(request, self._answered, self._failed)

    def _answered(self, message: Message) -> None:
        self._cseq = max(self._cseq, message.cseq)
        if message.code < 200:
            return
        if self._leaving:
            self._ended(registered=False, refusal="")
        elif message.code < 300:
            self._retry = FIRST_RETRY
            self._again_in(REFRESH_AT * self._granted(message))
            self._ended(registered=True, refusal="")
        elif message.code == 423 and message.value("Min-Expires").isdigit():
            self._expires = max(self._expires + 1, int(message.value("Min-Expires")))
            self.renew()
        else:
            self._failed(f"{message.code} {message.phrase}")

    def _failed(self, reason: str) -> None:
        self._ended(registered=False, refusal=reason)
        if not self._leaving:
            log.warning("softphone not registered", account=self._client.username, reason=reason, retry=self._retry)
            self._again_in(self._retry * random.uniform(0.8, 1.2))  # noqa: S311  # spreads a fleet's retries
            self._retry = min(LONGEST_RETRY, self._retry * 2)

    def _ended(self, *, registered: bool, refusal: str) -> None:
        self.registered, self.refusal = registered, refusal
        self.attempts += 1
        self._changed()

    def _again_in(self, delay: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.later(delay, self.renew)

    def _granted(self, message: Message) -> float:
        """Seconds that the registrar granted to our contact."""
        for contact in message.values("Contact"):
            found = re.search(r"expires=(\d+)", contact)
            if found and self._client.contact.split(";")[0] in contact:
                return max(5.0, float(found[1]))
        whole = message.value("Expires")
        return max(5.0, float(whole)) if whole.isdigit() else float(self._expires)
