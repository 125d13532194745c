"""pyVoIP's SIP client with its own receive loop, message texts and identifiers replaced: one UDP socket, read by the
phone's loop, and the two halves of every transaction. What a request means is decided by the phone."""

import socket
from collections import deque
from typing import TYPE_CHECKING, Any

import structlog

from telephony.softphone.errors import RegistrarSilent
from telephony.softphone.loop import Loop
from telephony.softphone.message import Message
from telephony.softphone.model import Account
from telephony.softphone.pyvoip import SIPClient, SIPMessageType, SIPParseError
from telephony.softphone.replies import Address, Replies
from telephony.softphone.sockets import drain_errors, signalling_socket
from telephony.softphone.transactions import Requests

if TYPE_CHECKING:
    from telephony.softphone.phone import Softphone

log = structlog.get_logger(__name__)

LONGEST = 65535
AT_ONCE = 64
"""Messages read before timers and the audio clock get their turn."""


class Client(SIPClient):
    """Sends and receives the SIP messages of one phone."""

    requests: Requests
    replies: Replies

    def __init__(self, phone: "Softphone", loop: Loop, server: Address, account: Account | None, user: str) -> None:
        password = account.password if account else ""
        super().__init__(server[0], server[1], user, password, phone=phone, myIP=phone.ip, myPort=phone.wanted_port)
        self._phone, self._loop, self._account = phone, loop, account
        self.unreadable: deque[str] = deque(maxlen=20)
        """Reasons why the latest unreadable messages were dropped."""

    def start(self) -> None:
        """Bind and listen.

        Raises:
            RegistrarSilent: the server's name is unknown.
            NoPortFree: the local port is taken.
        """
        self._address = _resolve(self.server, self.port)
        self.s = self.out = signalling_socket(self.myIP, self.myPort)
        self.myPort = int(self.s.getsockname()[1])
        via = f"{self.myIP}:{self.myPort}"
        self.requests = Requests(self._loop, lambda data: self.send(data, self._address), via, self._account)
        self.replies = Replies(self._loop, self.send, lambda: self.contact)
        self.NSD = True
        self._loop.watch(self.s, self._readable)

    def stop(self) -> None:
        if self.NSD:
            self.NSD = False  # pyright: ignore[reportConstantRedefinition]  # pyVoIP's name
            self._loop.unwatch(self.s)
            self._close_sockets()

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return self.NSD and self.requests.busy

    @property
    def contact(self) -> str:
        """Where this phone can be reached."""
        return f"sip:{self.username}@{self.myIP}:{self.myPort}"

    @property
    def domain(self) -> str:
        """`HOST:PORT` of the server as it is dialled."""
        return f"{self.server}:{self.port}"

    def send(self, data: bytes, to: Address) -> None:
        """Put a message on the wire; what is lost is repeated by its transaction."""
        if not self.NSD:
            return
        try:
            self.s.sendto(data, to)
        except BlockingIOError:
            return
        except OSError:  # a report about an earlier message: this one was not sent
            self._reported()
            self._send_again(data, to)

    def parse_message(self, message: Any) -> None:
        """One message from the wire."""
        if message.type == SIPMessageType.RESPONSE:
            self.requests.response(message)
        elif message.method == "ACK":
            if self.replies.acknowledged(message):
                self._phone.acknowledged(message)
        elif not self.replies.repeat(message):
            self._phone.requested(message)

    def _send_again(self, data: bytes, to: Address) -> None:
        try:
            self.s.sendto(data, to)
        except OSError as error:
            log.debug("sip message not sent", reason=error.strerror)

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, source = self.s.recvfrom(LONGEST)
            except BlockingIOError:
                return
            except OSError:
                self._reported()
                return
            if data.strip(b"\r\n\0"):  # the rest are keep-alives
                self._received(data, source)
            if not self.NSD:
                return

    def _received(self, data: bytes, source: Address) -> None:
        try:
            message = Message(data)
        except (SIPParseError, ValueError, KeyError, IndexError) as error:
            self.unreadable.append(str(error))
            log.warning("sip message unreadable", reason=str(error)[:200])
            return
        message.source = source
        self.parse_message(message)

    def _reported(self) -> None:
        if self._address in drain_errors(self.s):
            self.requests.fail("nobody listens there")


def _resolve(server: str, port: int) -> Address:
    try:
        return socket.gethostbyname(server), port
    except OSError as error:
        raise RegistrarSilent(f"The name {server} is unknown: correct the SIP server's address.") from error
