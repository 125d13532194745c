"""Session descriptions (RFC 4566) and offer/answer (RFC 3264) for one G.711 audio stream with telephone-event.

Pure text in, values out. Refuses to know sockets; video, SRTP and other codecs are left out of every answer.
"""

import re
from dataclasses import dataclass

from telephony.softphone.errors import NotAcceptable
from telephony.softphone.model import Codec, Direction

PAYLOADS = {0: Codec.PCMU, 8: Codec.PCMA}
"""Static payload types of RFC 3551."""
EVENT_PAYLOAD = 101
"""Our own number for telephone-event (RFC 4733) when we offer."""


@dataclass(frozen=True, slots=True)
class Description:
    """One side's wishes about the audio stream."""

    address: str
    port: int
    codecs: tuple[Codec, ...]
    """In the order of preference, at least one."""
    event: int | None = EVENT_PAYLOAD
    """Payload type of telephone-event, None when keys cannot be sent as events."""
    direction: Direction = Direction.BOTH


def parse(text: str) -> Description:
    """The first usable audio stream of a description.

    Raises:
        NotAcceptable: there is no audio stream of plain RTP with G.711.
    """
    session, *streams = re.split(r"^m=", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    for stream in streams:
        media, _, attributes = stream.partition("\n")
        words = media.split()
        if len(words) < 4 or words[0] != "audio" or words[2] != "RTP/AVP" or not words[1].isdigit():
            continue
        numbers = [int(word) for word in words[3:] if word.isdigit()]
        codecs = tuple(PAYLOADS[number] for number in numbers if number in PAYLOADS)
        address = _address(attributes) or _address(session)
        if codecs and address and int(words[1]):
            direction = _direction(attributes) or _direction(session) or Direction.BOTH
            if address == "0.0.0.0":  # noqa: S104  # the old way (RFC 2543) to say "hold", no address to bind
                direction = Direction.NONE
            return Description(address, int(words[1]), codecs, _event(attributes, numbers), direction)
    raise NotAcceptable("The session description offers no G.711 audio over plain RTP.")


def render(wish: Description, session: int, version: int) -> str:
    """The description as text. `version` rises with every change (RFC 3264 §8)."""
    numbers = {codec: number for number, codec in PAYLOADS.items()}
    payloads = [numbers[codec] for codec in wish.codecs]
    lines = [
        "v=0",
        f"o=hotline {session} {version} IN IP4 {wish.address}",
        "s=-",
        f"c=IN IP4 {wish.address}",
        "t=0 0",
        f"m=audio {wish.port} RTP/AVP {' '.join(str(n) for n in (*payloads, *_events(wish)))}",
        *(f"a=rtpmap:{number} {PAYLOADS[number]}/8000" for number in payloads),
        *(f"a=rtpmap:{number} telephone-event/8000\r\na=fmtp:{number} 0-15" for number in _events(wish)),
        "a=ptime:20",
        f"a={wish.direction}",
    ]
    return "\r\n".join(lines) + "\r\n"


def common(ours: tuple[Codec, ...], theirs: tuple[Codec, ...]) -> tuple[Codec, ...]:
    """What both speak, in the other side's order.

    Raises:
        NotAcceptable: nothing.
    """
    both = tuple(codec for codec in theirs if codec in ours)
    if not both:
        raise NotAcceptable("The other side offers no codec that this phone is allowed to use.")
    return both


def _events(wish: Description) -> tuple[int, ...]:
    return () if wish.event is None else (wish.event,)


def _address(text: str) -> str:
    found = re.search(r"^c=IN IP4 ([0-9.]+)", text, re.MULTILINE)
    return found[1] if found else ""


def _direction(text: str) -> Direction | None:
    found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", text, re.MULTILINE)
    return Direction(found[1]) if found else None


def _event(attributes: str, numbers: list[int]) -> int | None:
    found = re.findall(r"^a=rtpmap:(\d+) telephone-event/8000", attributes, re.MULTILINE | re.IGNORECASE)
    return next((int(number) for number in found if int(number) in numbers), None)
