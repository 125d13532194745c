"""Many seats' phones on one UDP socket: register, ring, answer, hang up. Run as a process of its own.

    python -m bench.seatfarm --port 17062 --server 127.0.0.1:17060 --ring 0.1 --talk 4 [--accounts FILE] [--media PORT]

Accounts (JSON, `{user: password}`) are registered first; without them the server already knows where the phones are.
With a media port every talking seat sends 50 packets of A-law a second, or one every `--every` seconds.
Prints `ready`, serves until SIGTERM, prints its counters as JSON. It is a load generator, not a test of SIP.
"""

import argparse
import asyncio
import hashlib
import json
import random
import re
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

from bench.media import PACKET_S, Media

HOST = "127.0.0.1"
Headers = dict[str, str]
Address = tuple[str, int]
_HOST, _PORT = re.compile(rb"\r\nc=IN IP4 (\S+)"), re.compile(rb"\r\nm=audio (\d+)")


@dataclass(slots=True, eq=False)
class Talk:
    """One INVITE at one seat."""

    seat: str
    address: Address
    vias: str
    headers: Headers
    tag: str
    media: Address | None = None
    state: str = "ringing"
    timer: asyncio.TimerHandle | None = None
    sent: int = 0
    ended: float = 0.0
    """By the loop's clock."""


@dataclass(slots=True)
class Load:
    """How the seats behave; times in seconds."""

    ring: float
    talk: float
    spread: str
    """`fixed` or `uniform` (0 to twice the mean)."""

    def talk_time(self) -> float:
        return self.talk if self.spread == "fixed" else random.uniform(0, 2 * self.talk)


@dataclass(slots=True)
class Counters:
    invites: int = 0
    answered: int = 0
    cancelled: int = 0
    glare: int = 0
    double: int = 0
    """Offers at a seat that had one already."""
    besides: list[str] = field(default_factory=list)
    """What each of those seats did, and for how long beside the second offer."""
    busy: dict[str, list[Talk]] = field(default_factory=dict)


class Farm(asyncio.DatagramProtocol):
    """All phones."""

    def __init__(self, port: int, server: Address, load: Load, accounts: dict[str, str], media: Media) -> None:
        self._port, self._server, self._load, self._accounts, self._media = port, server, load, accounts, media
        self._talks: dict[str, Talk] = {}
        self._registering: dict[str, tuple[str, int]] = {}
        self.registered: set[str] = set()
        self.counters = Counters()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # uvloop's is no subclass of asyncio's
        self._loop = asyncio.get_running_loop()

    # Registration ----------------------------------------------------------------------------------------------

    def register(self, seat: str) -> None:
        call = f"reg-{seat}-{random.getrandbits(40):x}"
        self._registering[call] = (seat, 1)
        self._send_register(call, seat, 1, "")

    def _send_register(self, call: str, seat: str, turn: int, authorization: str) -> None:
        server = f"{self._server[0]}:{self._server[1]}"
        self._send(
            f"REGISTER sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:{self._port};branch=z9hG4bK{call}{turn}\r\n"
            f"From: <sip:{seat}@{server}>;tag={call}\r\nTo: <sip:{seat}@{server}>\r\nCall-ID: {call}\r\n"
            f"CSeq: {turn} REGISTER\r\nContact: <sip:{seat}@{HOST}:{self._port}>\r\nExpires: 600\r\n"
            f"Max-Forwards: 70\r\n{authorization}Content-Length: 0\r\n\r\n",
            self._server,
        )

    def _registered(self, call: str, status: int, headers: Headers) -> None:
        seat, turn = self._registering[call]
        if status == 200:
            self.registered.add(seat)
        elif status == 401 and turn == 1:
            self._registering[call] = (seat, 2)
            self._send_register(call, seat, 2, self._authorize(seat, headers["www-authenticate"]))

    def _authorize(self, seat: str, challenge: str) -> str:
        """RFC 2617 digest with qop=auth or none."""
        fields = dict(part.strip().split("=", 1) for part in challenge.removeprefix("Digest").split(",") if "=" in part)
        realm, nonce = fields["realm"].strip('"'), fields["nonce"].strip('"')
        uri = f"sip:{self._server[0]}:{self._server[1]}"
        first = _md5(f"{seat}:{realm}:{self._accounts[seat]}")
        second = _md5(f"REGISTER:{uri}")
        answer = (
            _md5(f"{first}:{nonce}:00000001:bench:auth:{second}")
            if "qop" in fields
            else _md5(f"{first}:{nonce}:{second}")
        )
        extra = ',qop=auth,nc=00000001,cnonce="bench"' if "qop" in fields else ""
        opaque = f",opaque={fields['opaque']}" if "opaque" in fields else ""
        return (
            f'Authorization: Digest username="{seat}",realm="{realm}",nonce="{nonce}",uri="{uri}",'
            f'response="{answer}",algorithm=MD5{opaque}{extra}\r\n'
        )

    # Calls -------------------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Address) -> None:
        first, headers, vias = _parse(data)
        call = headers.get("call-id", "")
        if first.startswith("SIP/2.0"):
            self._answered(call, int(first.split(" ", 2)[1]), headers)
            return
        method, uri = first.split(" ", 2)[:2]
        talk = self._talks.get(call)
        match method:
            case "INVITE" if talk is None:
                tag = f"t{random.getrandbits(40):x}"
                self._invited(call, Talk(_user(uri), addr, vias, headers, tag, _media(data)))
            case "ACK" if talk is not None:
                self._acknowledged(call, talk)
            case "CANCEL":
                self._cancelled(call, talk, headers, vias, addr)
            case "BYE":
                self._reply_to(headers, vias, addr)
                self._end(call)
            case "OPTIONS":
                self._reply_to(headers, vias, addr)
            case _:
                pass

    def _answered(self, call: str, status: int, headers: Headers) -> None:
        talk = self._talks.get(call)
        if call in self._registering:
            self._registered(call, status, headers)
        elif talk is not None and talk.state == "bye":
            self._end(call)

    def _invited(self, call: str, talk: Talk) -> None:
        self._talks[call] = talk
        self.counters.invites += 1
        beside = self.counters.busy.setdefault(talk.seat, [])
        for other in beside:
            self.counters.double += 1
            self._loop.call_later(1, self._tell_beside, other, self._loop.time(), other.state)
        beside.append(talk)
        self._reply(talk, "180 Ringing")
        talk.timer = self._loop.call_later(self._load.ring, self._answer, call, talk)

    def _answer(self, call: str, talk: Talk) -> None:
        """200, again every 500 ms until the ACK."""
        self.counters.answered += talk.state == "ringing"
        talk.state, talk.sent = "answered", talk.sent + 1
        self._reply(talk, "200 OK", self._sdp())
        talk.timer = self._loop.call_later(0.5, self._answer, call, talk) if talk.sent < 8 else None

    def _acknowledged(self, call: str, talk: Talk) -> None:
        _stop(talk)
        if talk.state == "answered":
            talk.state, talk.sent = "talking", 0
            self._media.speak(call, talk.media)
            talk.timer = self._loop.call_later(self._load.talk_time(), self._bye, call, talk)
        elif talk.state == "refused":
            self._end(call)

    def _cancelled(self, call: str, talk: Talk | None, headers: Headers, vias: str, address: Address) -> None:
        self._reply_to(headers, vias, address)
        if talk is None:
            return
        if talk.state != "ringing":
            self.counters.glare += 1
            return
        _stop(talk)
        self.counters.cancelled += 1
        talk.state = "refused"
        self._free(talk)
        self._reply(talk, "487 Request Terminated")
        talk.timer = self._loop.call_later(2, self._end, call)

    def _bye(self, call: str, talk: Talk) -> None:
        self._media.hush(call)
        talk.state, talk.sent = "bye", talk.sent + 1
        if talk.sent > 10:
            self._end(call)
            return
        headers = talk.headers
        target = headers["contact"].split("<")[-1].split(">")[0]
        self._send(
            f"BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:{self._port};branch=z9hG4bK{talk.tag}\r\n"
            f"From: {headers['to']};tag={talk.tag}\r\nTo: {headers['from']}\r\nCall-ID: {call}\r\nCSeq: 900 BYE\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            talk.address,
        )
        talk.timer = self._loop.call_later(0.5, self._bye, call, talk)

    def _end(self, call: str) -> None:
        talk = self._talks.pop(call, None)
        self._media.hush(call)
        if talk is not None:
            _stop(talk)
            self._free(talk)

    def _free(self, talk: Talk) -> None:
        """It neither rings nor talks any more."""
        if talk in self.counters.busy[talk.seat]:
            talk.ended = self._loop.time()
            self.counters.busy[talk.seat].remove(talk)

    def _tell_beside(self, other: Talk, since: float, state: str) -> None:
        over = f"over {1000 * (other.ended - since):.1f} ms later" if other.ended else "not over a second later"
        self.counters.besides.append(f"{other.seat} was {state}, {over}")

    # Wire --------------------------------------------------------------------------------------------------------

    def _reply(self, talk: Talk, status: str, body: str = "") -> None:
        headers = talk.headers
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._send(
            f"SIP/2.0 {status}\r\n{talk.vias}From: {headers['from']}\r\nTo: {headers['to']};tag={talk.tag}\r\n"
            f"Call-ID: {headers['call-id']}\r\nCSeq: {headers['cseq']}\r\n"
            f"Contact: <sip:{talk.seat}@{HOST}:{self._port}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}",
            talk.address,
        )

    def _reply_to(self, headers: Headers, vias: str, address: Address) -> None:
        self._send(
            f"SIP/2.0 200 OK\r\n{vias}From: {headers['from']}\r\nTo: {headers['to']}\r\n"
            f"Call-ID: {headers['call-id']}\r\nCSeq: {headers['cseq']}\r\nContent-Length: 0\r\n\r\n",
            address,
        )

    def _send(self, text: str, address: Address) -> None:
        self._transport.sendto(text.encode(), address)

    def _sdp(self) -> str:
        return (
            f"v=0\r\no=farm 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {self._media.port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
        )


def _parse(data: bytes) -> tuple[str, Headers, str]:
    """First line, headers in lower case (the first of each name), all Via lines as they came."""
    first, *lines = data.decode("latin1").split("\r\n\r\n", 1)[0].split("\r\n")
    headers: Headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), value.strip())
    vias = "".join(f"{line}\r\n" for line in lines if line.lower().startswith(("via:", "v:")))
    return first, headers, vias


def _media(data: bytes) -> Address | None:
    """Where an offer wants its media."""
    host, port = _HOST.search(data), _PORT.search(data)
    return (host[1].decode(), int(port[1])) if host and port else None


def _user(uri: str) -> str:
    return uri.split(":", 1)[1].split("@")[0]


def _stop(talk: Talk) -> None:
    if talk.timer is not None:
        talk.timer.cancel()
        talk.timer = None


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


async def serve(arguments: argparse.Namespace, accounts: dict[str, str]) -> None:
    """Register, say `ready`, serve until SIGTERM."""
    host, _, port = arguments.server.partition(":")
    load = Load(arguments.ring, arguments.talk, arguments.spread)
    loop, stop, media = asyncio.get_running_loop(), asyncio.Event(), Media(arguments.media, arguments.every)
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    plug = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    plug.bind((HOST, arguments.port))
    plug.setblocking(False)
    _, farm = await loop.create_datagram_endpoint(
        lambda: Farm(arguments.port, (host, int(port)), load, accounts, media), sock=plug
    )
    await _register_all(farm, accounts)
    speaking = asyncio.create_task(media.run())
    print("ready", flush=True)
    await stop.wait()
    speaking.cancel()
    counters = farm.counters
    told = ("invites", "answered", "cancelled", "glare", "double", "besides")
    print(json.dumps({name: getattr(counters, name) for name in told}))


async def _register_all(farm: Farm, accounts: dict[str, str]) -> None:
    """A few at a time, again until the server has confirmed every one."""
    async with asyncio.timeout(60):
        while missing := [seat for seat in accounts if seat not in farm.registered]:
            for seat in missing[:40]:
                farm.register(seat)
            await asyncio.sleep(0.15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--ring", type=float, default=0.2)
    parser.add_argument("--talk", type=float, default=1.0)
    parser.add_argument("--spread", choices=["fixed", "uniform"], default="fixed")
    parser.add_argument("--accounts", default="")
    parser.add_argument("--media", type=int, default=0)
    parser.add_argument("--every", type=float, default=PACKET_S)
    arguments = parser.parse_args()
    accounts: dict[str, str] = json.loads(Path(arguments.accounts).read_text()) if arguments.accounts else {}
    uvloop.run(serve(arguments, accounts))


if __name__ == "__main__":
    main()
