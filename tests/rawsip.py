"""A phone that does nothing by itself: the test writes each SIP message and says what follows it.

Independent of the product's own softphone, so that both cannot share a mistake. One dialog per `RawPhone`. It knows
text and datagrams only; what is right or wrong in SIP is the test's business.
"""

import hashlib
import re
import secrets
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Raw:
    """One message as it came."""

    start: str
    fields: tuple[tuple[str, str], ...]
    body: str

    @property
    def code(self) -> int:
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """Of a request its own, of a response that of its CSeq."""
        return self.one("CSeq").split(" ")[-1]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def read(data: bytes) -> Raw:
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Raw(start, tuple((name.strip(), value.strip()) for name, _, value in pairs), body)


@dataclass
class Media:
    """What the phone offers about sound."""

    payloads: tuple[int, ...] = (8, 0)
    events: bool = True
    ptime: int = 20
    direction: str = "sendrecv"
    sends: bool = True
    """Whether packets are sent at all."""
    heard: list[float] = field(default_factory=list[float])
    """Monotonic second of every packet that came."""
    loud: list[float] = field(default_factory=list[float])
    """Of those that are not silent."""


class RawPhone:
    """`with RawPhone(server) as phone`: two sockets, one for SIP and one for sound."""

    def __init__(self, server: tuple[str, int], user: str = "13912340000", media: Media | None = None) -> None:
        self.server, self.user, self.media = server, user, media or Media()
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind(("127.0.0.1", 0))
        self.sip.settimeout(0.1)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.rtp.settimeout(0.1)
        self.port, self.rtp_port = self.sip.getsockname()[1], self.rtp.getsockname()[1]
        self.call_id, self.tag, self.cseq, self.branch = secrets.token_hex(8), secrets.token_hex(4), 1, ""
        self.uri, self.remote, self.local, self.target = "", "", "", ""
        self.sends_to: tuple[str, int] | None = None
        self.log: deque[tuple[float, Raw]] = deque(maxlen=500)
        self.on_request: Callable[[Raw], None] | None = None
        """What to do with a request that comes; unset: OPTIONS and BYE are answered with 200."""
        self._end = threading.Event()
        self._came = threading.Condition()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._listen, self._hear, self._speak)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(2)
        self.sip.close()
        self.rtp.close()

    # What comes ------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._end.is_set():
            try:
                data, _ = self.sip.recvfrom(65535)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(data) > 4:
                self._take(read(data))

    def _take(self, message: Raw) -> None:
        if not message.code:
            if self.on_request is not None:
                self.on_request(message)
            elif message.method in ("OPTIONS", "BYE", "UPDATE", "CANCEL"):
                self.reply(message, 200)
        with self._came:
            self.log.append((time.monotonic(), message))
            self._came.notify_all()

    def wait(self, wanted: Callable[[Raw], bool], what: str, timeout: float = 5.0) -> Raw:
        """The first message, old or new, that is `wanted`."""
        found: list[Raw] = []

        def there() -> bool:
            found[:] = [message for _, message in self.log if wanted(message)]
            return bool(found)

        with self._came:
            got = [message.start for _, message in self.log]
            assert self._came.wait_for(there, timeout), f"{what} did not come; there were {got}"
        return found[0]

    def wait_code(self, code: int, method: str = "INVITE", timeout: float = 5.0) -> Raw:
        """A response: an exact code, or a class when it is below 10."""
        return self.wait(
            lambda one: one.method == method and (one.code == code or (code < 10 and one.code // 100 == code)),
            f"{code} to {method}", timeout,
        )  # fmt: skip

    def wait_answer(self, cseq: int) -> Raw:
        """The 200 to an INVITE inside the dialog."""
        return self.wait(lambda one: one.code == 200 and one.one("CSeq") == f"{cseq} INVITE", f"200 to INVITE {cseq}")

    def wait_request(self, method: str, timeout: float = 5.0) -> Raw:
        return self.wait(lambda one: not one.code and one.method == method, f"a {method}", timeout)

    # What goes -------------------------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        self.sip.sendto(text.encode("utf-8", "surrogateescape"), self.server)

    def sdp(self, direction: str = "") -> str:
        names = {8: "PCMA/8000", 0: "PCMU/8000", 18: "G729/8000"}
        numbers = [*self.media.payloads, *((101,) if self.media.events else ())]
        lines = [
            "v=0", f"o=- 1 {self.cseq} IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
            f"m=audio {self.rtp_port} RTP/AVP {' '.join(map(str, numbers))}",
            *(f"a=rtpmap:{number} {names[number]}" for number in self.media.payloads),
            *(("a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15") if self.media.events else ()),
            f"a=ptime:{self.media.ptime}", f"a={direction or self.media.direction}",
        ]  # fmt: skip
        return "\r\n".join(lines) + "\r\n"

    def request(
        self, method: str, uri: str, *, body: str = "", extra: tuple[str, ...] = (), branch: str = "", cseq: int = 0,
        content: str = "application/sdp",
    ) -> None:  # fmt: skip
        self.branch = branch or f"z9hG4bK{secrets.token_hex(6)}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={self.branch};rport",
            "Max-Forwards: 70", f"From: {self.local}", f"To: {self.remote}", f"Call-ID: {self.call_id}",
            f"CSeq: {cseq or self.cseq} {method}", f"Contact: <sip:{self.user_part}@127.0.0.1:{self.port}>", *extra,
            *((f"Content-Type: {content}",) if body else ()), f"Content-Length: {len(body.encode())}",
        ]  # fmt: skip
        self.send("\r\n".join(lines) + "\r\n\r\n" + body)

    @property
    def user_part(self) -> str:
        return re.sub(r"[^0-9A-Za-z]", "", self.user)[:30] or "phone"

    def invite(
        self, number: str, *, sdp: bool = True, extra: tuple[str, ...] = (), caller: str = "", to: str = "",
        uri: str = "",
    ) -> str:  # fmt: skip
        """The first INVITE; its branch. `caller`: the whole From value without tag, `to`: the whole To value."""
        host = f"{self.server[0]}:{self.server[1]}"
        self.uri = uri or f"sip:{number}@{host}"
        self.local = f"{caller or f'<sip:{self.user}@127.0.0.1>'};tag={self.tag}"
        self.remote = to or f"<sip:{number}@{host}>"
        self.request("INVITE", self.uri, body=self.sdp() if sdp else "", extra=extra)
        return self.branch

    def cancel(self, branch: str) -> None:
        self.request("CANCEL", self.uri, branch=branch)

    def ack(self, response: Raw, *, body: str = "", branch: str = "") -> None:
        """Acknowledge; from then on the dialog is the one that `response` made."""
        self.enter(response)
        uri = self.uri if response.code >= 300 else self.target
        self.request("ACK", uri, cseq=int(response.one("CSeq").split()[0]), branch=branch, body=body)

    def enter(self, response: Raw) -> None:
        self.remote = response.one("To")
        found = re.search(r"<([^>]+)>", response.one("Contact"))
        self.target = found.group(1) if found else self.uri
        self._media_to(response.body)

    def _media_to(self, body: str) -> None:
        port = re.search(r"^m=audio (\d+)", body, re.MULTILINE)
        if port:
            self.sends_to = ("127.0.0.1", int(port.group(1)))

    def again(self, method: str, **options: object) -> int:
        """A request inside the dialog; its CSeq."""
        self.cseq += 1
        self.request(method, self.target, **options)  # type: ignore[arg-type]
        return self.cseq

    def call(self, number: str, timeout: float = 8.0, **options: object) -> Raw:
        """INVITE, 200, ACK."""
        self.invite(number, **options)  # type: ignore[arg-type]
        answer = self.wait(lambda one: one.method == "INVITE" and one.code >= 200, "a final answer", timeout)
        self.ack(answer)
        return answer

    def bye(self) -> None:
        self.again("BYE")

    def reply(self, request: Raw, code: int, *, body: str = "", extra: tuple[str, ...] = ()) -> None:
        """Answer a request; a tag is added to To where there is none."""
        to = request.one("To")
        to = to if ";tag=" in to or code == 100 else f"{to};tag={self.tag}"
        lines = [
            f"SIP/2.0 {code} Because", *(f"Via: {via}" for via in request.all("Via")),
            *(f"Record-Route: {route}" for route in request.all("Record-Route")),
            f"From: {request.one('From')}", f"To: {to}", f"Call-ID: {request.one('Call-ID')}",
            f"CSeq: {request.one('CSeq')}", f"Contact: <sip:{self.user_part}@127.0.0.1:{self.port}>", *extra,
            *(("Content-Type: application/sdp",) if body else ()), f"Content-Length: {len(body.encode())}",
        ]  # fmt: skip
        self.send("\r\n".join(lines) + "\r\n\r\n" + body)

    def answer(self, invite: Raw) -> None:
        """200 with our SDP to a call that came; the dialog is this one from now on."""
        self.call_id = invite.one("Call-ID")
        self.local, self.remote = f"{invite.one('To')};tag={self.tag}", invite.one("From")
        found = re.search(r"<([^>]+)>", invite.one("Contact"))
        self.target = found.group(1) if found else ""
        self._media_to(invite.body)
        self.reply(invite, 200, body=self.sdp())

    # A seat ----------------------------------------------------------------------------------------------------------

    def register(self, account: str, secret: str, *, expires: int = 120, timeout: float = 5.0) -> None:
        host = f"{self.server[0]}:{self.server[1]}"
        self.user = account
        self.local = f"<sip:{account}@{host}>;tag={self.tag}"
        self.remote, kept, self.call_id = f"<sip:{account}@{host}>", self.call_id, secrets.token_hex(8)
        self.cseq += 1
        self.request("REGISTER", f"sip:{host}", extra=(f"Expires: {expires}",))
        refused = self._final(self.cseq, timeout)
        self.cseq += 1
        self.request(
            "REGISTER", f"sip:{host}", extra=(f"Expires: {expires}", _digest(refused, account, secret, f"sip:{host}"))
        )
        accepted = self._final(self.cseq, timeout)
        assert accepted.code == 200, accepted.start
        self.call_id = kept

    def _final(self, cseq: int, timeout: float) -> Raw:
        return self.wait(
            lambda one: (one.one("Call-ID"), one.one("CSeq")) == (self.call_id, f"{cseq} REGISTER") and one.code >= 200,
            "an answer to REGISTER",
            timeout,
        )  # fmt: skip

    # Sound -----------------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        while not self._end.is_set():
            try:
                packet, _ = self.rtp.recvfrom(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            now = time.monotonic()
            self.media.heard.append(now)
            if len(set(packet[12:])) > 3:
                self.media.loud.append(now)

    def _speak(self) -> None:
        number, at = 0, time.monotonic()
        while not self._end.wait(max(0.0, at - time.monotonic())):
            at += self.media.ptime / 1000
            if self.sends_to is None or not self.media.sends:
                continue
            number += 1
            size = 8 * self.media.ptime
            header = struct.pack("!BBHII", 0x80, self.media.payloads[0], number & 0xFFFF, number * size, 0x1234)
            try:
                self.rtp.sendto(header + bytes(_TONE[n % 8] for n in range(size)), self.sends_to)
            except OSError:
                return


_TONE = bytes((0xD5, 0x2A, 0x35, 0x2A, 0xD5, 0xAA, 0xB5, 0xAA))
"""One period of a loud 1 kHz, near enough, in A-law."""


def _digest(refused: Raw, account: str, secret: str, uri: str) -> str:
    asked = dict(re.findall(r'(\w+)="?([^",]+)"?', refused.one("WWW-Authenticate").removeprefix("Digest")))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    cnonce = secrets.token_hex(4)
    middle = f"{asked['nonce']}:00000001:{cnonce}:auth" if "qop" in asked else asked["nonce"]
    proof = md5(":".join((md5(":".join((account, asked["realm"], secret))), middle, md5("REGISTER:" + uri))))
    opaque = f', opaque="{asked["opaque"]}"' if "opaque" in asked else ""
    quality = f', qop=auth, nc=00000001, cnonce="{cnonce}"' if "qop" in asked else ""
    return (
        f'Authorization: Digest username="{account}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}",'
        f' response="{proof}"{opaque}{quality}, algorithm=MD5'
    )
