"""Client transactions (RFC 3261 §17.1): a request is repeated until it is answered, answers one challenge, and is
told of silence. The final answer to an INVITE is acknowledged as often as it comes.

Refuses to know what an answer means for a call.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from telephony.softphone import compose
from telephony.softphone.compose import Request
from telephony.softphone.digest import authorisation, challenge
from telephony.softphone.loop import Loop, Timer
from telephony.softphone.message import Message
from telephony.softphone.model import Account

T1 = 0.5
"""RFC 3261's estimate of a round trip, in seconds."""
T2 = 4.0
GIVE_UP = 64 * T1
"""Seconds after which an unanswered request has failed (timers B and F)."""
RING_LIMIT = 300.0
"""Seconds that an INVITE may ring after its last provisional answer (a proxy's timer C is at least 180)."""


@dataclass(slots=True)
class Sent:
    """One request on its way."""

    request: Request
    branch: str
    data: bytes
    answered: Callable[[Message], None]
    silent: Callable[[str], None]
    deadline: float
    interval: float = T1
    timer: Timer | None = None
    provisional: bool = False
    finished: bool = False
    challenged: bool = False
    """Credentials were sent already: a second challenge is a refusal."""
    cancelling: bytes = b""
    """The CANCEL, which is repeated until the INVITE is answered."""
    ack: bytes = b""
    """What to send again when the final answer to the INVITE comes again."""

    @property
    def is_invite(self) -> bool:
        return self.request.method == "INVITE"


class Requests:
    """Every request of one phone that is not done with. `send` puts bytes on the wire; `via` is `ADDRESS:PORT`."""

    def __init__(self, loop: Loop, send: Callable[[bytes], None], via: str, account: Account | None) -> None:
        self._loop, self._send, self._via, self._account = loop, send, via, account
        self._sent: dict[str, Sent] = {}

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return any(not sent.finished for sent in self._sent.values())

    @property
    def remembered(self) -> int:
        """How many requests are kept, the answered ones among them."""
        return len(self._sent)

    def send(self, request: Request, answered: Callable[[Message], None], silent: Callable[[str], None]) -> Sent:
        """Send it until it is answered. `answered` gets every answer but a first challenge that this phone can
        meet; `silent` gets the reason when nobody answers."""
        sent = Sent(request, "", b"", answered, silent, 0.0)
        self._launch(sent)
        return sent

    def cancel(self, sent: Sent) -> None:
        """Withdraw an INVITE; it may be answered all the same. Allowed once a provisional answer came."""
        request = replace(sent.request, method="CANCEL", extra=(), body="")
        sent.cancelling = compose.request(request, via=self._via, branch=sent.branch)
        self._send(sent.cancelling)
        sent.deadline, sent.interval = self._loop.clock.monotonic() + GIVE_UP, T1
        self._schedule(sent, T1)

    def acknowledge(self, answer: Message, ack: Request) -> None:
        """Send the ACK of a 2xx, and again whenever that answer is repeated."""
        data = compose.request(ack, via=self._via, branch=_branch())
        sent = self._sent.get(answer.branch)
        if sent:
            sent.ack = data
        self._send(data)

    def response(self, message: Message) -> None:
        """An answer came."""
        sent = self._sent.get(message.branch)
        if sent is None or message.cseq_method != sent.request.method:
            return
        if message.code < 200:
            self._provisional(sent, message)
        elif sent.finished:
            if sent.ack:
                self._send(sent.ack)
        else:
            self._final(sent, message)

    def fail(self, reason: str) -> None:
        """Nobody listens at the server's address: every request without any answer has failed."""
        for sent in list(self._sent.values()):
            if not sent.finished and not sent.provisional:
                self._give_up(sent, reason)

    def _launch(self, sent: Sent) -> None:
        sent.branch, sent.interval = _branch(), T1
        sent.data = compose.request(sent.request, via=self._via, branch=sent.branch)
        sent.deadline = self._loop.clock.monotonic() + GIVE_UP
        self._sent[sent.branch] = sent
        self._send(sent.data)
        self._schedule(sent, T1)

    def _provisional(self, sent: Sent, message: Message) -> None:
        if sent.finished:
            return
        sent.provisional = True
        if sent.is_invite and not sent.cancelling:
            sent.deadline = self._loop.clock.monotonic() + RING_LIMIT
            self._schedule(sent, RING_LIMIT)
        sent.answered(message)

    def _final(self, sent: Sent, message: Message) -> None:
        if sent.timer:
            sent.timer.cancel()
        sent.finished = True
        if sent.is_invite and message.code >= 300:
            ack = replace(sent.request, method="ACK", receiver=message.value("To"), extra=(), body="")
            sent.ack = compose.request(ack, via=self._via, branch=sent.branch)
            self._send(sent.ack)
        asked = challenge(message) if message.code in (401, 407) and not sent.challenged else None
        if asked and self._account:
            self._retire(replace(sent))
            self._launch(self._with_credentials(sent, message.code, asked, self._account))
        else:
            answered = sent.answered
            sent.answered, sent.silent = _nobody, _nobody  # what is kept must not keep the call and its audio
            self._retire(sent)
            answered(message)

    def _retire(self, sent: Sent) -> None:
        """An INVITE's final answer may come again for a while; nobody repeats the others."""
        self._sent[sent.branch] = sent
        if sent.is_invite:
            self._loop.later(GIVE_UP, lambda: self._forget(sent.branch))
        else:
            self._forget(sent.branch)

    def _with_credentials(self, sent: Sent, code: int, asked: dict[str, str], account: Account) -> Sent:
        method, uri = sent.request.method, sent.request.uri
        header = authorisation(account, asked, code=code, method=method, uri=uri, cnonce=secrets.token_hex(8))
        extra = (*sent.request.extra, header)
        sent.request = replace(sent.request, extra=extra, cseq=sent.request.cseq + 1)
        sent.finished, sent.provisional, sent.challenged, sent.ack = False, False, True, b""
        return sent

    def _again(self, sent: Sent) -> None:
        if sent.finished:
            return
        if self._loop.clock.monotonic() >= sent.deadline:
            self._give_up(sent, "nobody answered in time")
            return
        if sent.cancelling or not (sent.is_invite and sent.provisional):
            self._send(sent.cancelling or sent.data)
        capped = sent.cancelling or not sent.is_invite
        sent.interval = min(T2, sent.interval * 2) if capped else sent.interval * 2
        self._schedule(sent, min(sent.interval, sent.deadline - self._loop.clock.monotonic()))

    def _schedule(self, sent: Sent, delay: float) -> None:
        if sent.timer:
            sent.timer.cancel()
        sent.timer = self._loop.later(delay, lambda: self._again(sent))

    def _give_up(self, sent: Sent, reason: str) -> None:
        sent.finished = True
        if sent.timer:
            sent.timer.cancel()
        self._forget(sent.branch)
        sent.silent(reason)

    def _forget(self, branch: str) -> None:
        self._sent.pop(branch, None)


def _nobody(_what: object) -> None:
    return


def _branch() -> str:
    return f"z9hG4bK{secrets.token_hex(12)}"
