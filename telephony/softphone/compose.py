"""The text of the SIP messages that the softphone sends. Pure; knows no call and no socket."""

from collections.abc import Sequence
from dataclasses import dataclass

from hotline.errors import BadInput
from telephony.softphone.message import Message

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY, MESSAGE"
AGENT = "hotline softphone"
SDP = "application/sdp"
Header = tuple[str, str]

PHRASES = {
    100: "Trying", 180: "Ringing", 200: "OK", 301: "Moved Permanently", 302: "Moved Temporarily", 400: "Bad Request",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
    500: "Server Internal Error", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it has a branch and credentials."""

    method: str
    uri: str
    sender: str
    """The From value with its tag."""
    receiver: str
    """The To value, with its tag inside a dialog."""
    call_id: str
    cseq: int
    contact: str
    extra: tuple[Header, ...] = ()
    routes: tuple[str, ...] = ()
    body: str = ""
    content_type: str = SDP


def request(asked: Request, *, via: str, branch: str) -> bytes:
    """`via` is `ADDRESS:PORT` of this phone."""
    headers: list[Header] = [
        ("Via", f"SIP/2.0/UDP {via};branch={branch};rport"),
        ("Max-Forwards", "70"),
        *(("Route", route) for route in asked.routes),
        ("From", asked.sender),
        ("To", asked.receiver),
        ("Call-ID", asked.call_id),
        ("CSeq", f"{asked.cseq} {asked.method}"),
        ("Contact", f"<{asked.contact}>"),
        ("Allow", ALLOW),
        ("User-Agent", AGENT),
        *asked.extra,
    ]
    return _message(f"{asked.method} {asked.uri} SIP/2.0", headers, asked.body, asked.content_type)


def response(
    asked: Message, code: int, *, tag: str, contact: str, extra: Sequence[Header] = (), body: str = ""
) -> bytes:
    """An answer to a received request. `tag` is this side's, put on the To header unless it has one already."""
    receiver = asked.value("To")
    headers: list[Header] = [
        *(("Via", value) for value in asked.values("Via")),
        *(("Record-Route", value) for value in asked.values("Record-Route")),
        ("From", asked.value("From")),
        ("To", receiver if asked.to_tag or code == 100 else f"{receiver};tag={tag}"),
        ("Call-ID", asked.call_id),
        ("CSeq", asked.value("CSeq")),
        ("Allow", ALLOW),
        ("User-Agent", AGENT),
        *(() if 300 <= code < 400 else (("Contact", f"<{contact}>"),)),
        *extra,
    ]
    return _message(f"SIP/2.0 {code} {PHRASES.get(code, 'Refused')}", headers, body, SDP)


def check_headers(headers: Sequence[Header]) -> tuple[Header, ...]:
    """Extra headers of a caller.

    Raises:
        BadInput: a name or value could smuggle in another header.
    """
    for name, value in headers:
        if not name.replace("-", "").isalnum() or any(character in value for character in "\r\n\0"):
            raise BadInput(f"The header {name!r} cannot be sent: no line breaks, and a name of letters and hyphens.")
    return tuple(headers)


def _message(start: str, headers: Sequence[Header], body: str, content_type: str) -> bytes:
    payload = body.encode()
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    if payload:
        lines.append(f"Content-Type: {content_type}")
    lines.append(f"Content-Length: {len(payload)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload
