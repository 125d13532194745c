"""One SIP message as received: pyVoIP's parser, made to survive what real networks send.

Knows the text of RFC 3261 headers. Refuses to know what a message means for a call.
"""

import re
from typing import Any

from telephony.softphone.pyvoip import SIPMessage, SIPMessageType, SIPParseError, SIPStatus

COMPACT = {
    "c": "Content-Type", "f": "From", "i": "Call-ID", "k": "Supported", "l": "Content-Length", "m": "Contact",
    "s": "Subject", "t": "To", "v": "Via", "x": "Session-Expires",
}  # fmt: skip
"""Compact header names of RFC 3261 §7.3.3 (and RFC 4028)."""
CANONICAL = {name.lower(): name for name in (*COMPACT.values(), "CSeq", "WWW-Authenticate", "Proxy-Authenticate")}
NEEDED = ("Via", "From", "To", "CSeq")
"""What pyVoIP must parse; everything else is read from `fields`."""


class Message(SIPMessage):
    """A request or a response. `code` is 0 in a request, `method` is that of the CSeq in a response.

    Raises:
        SIPParseError: the bytes are no SIP message, or one of its necessary headers is missing.
    """

    source: tuple[str, int] = ("", 0)
    """Where it came from; answers go there."""

    def parse(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        text = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace"))
        start, *lines = text.split("\r\n")
        self.fields: list[tuple[str, str]] = [_field(line) for line in lines if ":" in line]
        self.payload = body.decode("utf-8", "replace")
        self.heading = start.encode()
        self._parse_start(start)
        try:
            for name in NEEDED:
                found: Any = self.values(name)
                self.parse_header(name, found if name == "Via" and found else found[0])
            self.cseq = int(self.headers["CSeq"]["check"])
            self.cseq_method = str(self.headers["CSeq"]["method"])
            self.call_id = self.values("Call-ID")[0]
            self.headers["Call-ID"] = self.call_id
        except (IndexError, ValueError) as error:
            raise SIPParseError(f"a necessary header is missing or broken: {start}") from error

    def _parse_start(self, start: str) -> None:
        words = start.split(" ", 2)
        if len(words) != 3:
            raise SIPParseError("no SIP message")
        self.code = 0
        if words[0] == "SIP/2.0" and words[1].isdigit():
            self.type = SIPMessageType.RESPONSE
            self.code, self.phrase, self.method, self.uri = int(words[1]), words[2], "", ""
            self.status = _known_status(self.code)
        elif words[2] == "SIP/2.0":
            self.type = SIPMessageType.MESSAGE
            self.method, self.uri, self.phrase = words[0], words[1], ""
        else:
            raise SIPParseError("no SIP message")

    def values(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        wanted = name.lower()
        return [value for key, value in self.fields if key.lower() == wanted]

    def value(self, name: str) -> str:
        """The first value of a header, empty when there is none."""
        return next(iter(self.values(name)), "")

    @property
    def from_tag(self) -> str:
        return tag(self.value("From"))

    @property
    def to_tag(self) -> str:
        return tag(self.value("To"))

    @property
    def branch(self) -> str:
        """The branch of the topmost Via: the name of the transaction."""
        return str(self.headers["Via"][0].get("branch", ""))

    @property
    def routes(self) -> tuple[str, ...]:
        """Record-Route values from top to bottom, each `<sip:…>`."""
        return tuple(part.strip() for value in self.values("Record-Route") for part in _split_addresses(value))

    @property
    def cause(self) -> int:
        """Q.850 cause of the Reason header (RFC 3326), 0 when there is none."""
        found = re.search(r"Q\.850\s*;.*?cause\s*=\s*(\d+)", ", ".join(self.values("Reason")), re.IGNORECASE)
        return int(found[1]) if found else 0


def tag(address: str) -> str:
    """The tag parameter of a From or To value."""
    parameters = address.rpartition(">")[2] if ">" in address else address
    found = re.search(r";\s*tag=([^;\s>]+)", parameters)
    return found[1] if found else ""


def uri(address: str) -> str:
    """The URI of an address such as `"王" <sip:8001@host>;tag=x`."""
    found = re.search(r"<([^>]*)>", address)
    return found[1] if found else address.split(";")[0].strip()


def user(address: str) -> str:
    """The part before the `@` (of a tel: address the number), empty when there is none."""
    found = re.match(r"sips?:([^@]+)@|tel:([^;]+)", uri(address))
    return (found[1] or found[2]) if found else ""


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    bare = name.strip()
    return COMPACT.get(bare.lower(), CANONICAL.get(bare.lower(), bare)), value.strip()


def _split_addresses(value: str) -> list[str]:
    return re.findall(r"<[^>]*>[^,]*", value)


def _known_status(code: int) -> SIPStatus:
    """pyVoIP knows some codes; another one counts as the x00 of its class (RFC 3261 §8.1.3.2)."""
    try:
        return SIPStatus(code)
    except ValueError:
        return {1: SIPStatus.SESSION_PROGRESS, 2: SIPStatus.OK}.get(code // 100, SIPStatus.BAD_REQUEST)
