"""Headers that tell where a call comes from, for `Softphone.call(headers=…)`: what a carrier's trunk sends. Pure."""

from telephony.softphone.compose import Header
from telephony.softphone.model import check_number


def diversion(number: str, *, reason: str = "unconditional", host: str = "trunk.invalid") -> Header:
    """The call was forwarded from `number` (RFC 5806)."""
    return "Diversion", f"<sip:{check_number(number)}@{host}>;reason={reason};counter=1"


def asserted_identity(number: str, *, host: str = "trunk.invalid") -> Header:
    """The network vouches for the caller's number (RFC 3325)."""
    return "P-Asserted-Identity", f"<sip:{check_number(number)}@{host}>"


def history(*numbers: str, host: str = "trunk.invalid") -> Header:
    """The numbers a call went through, first dialled first (RFC 7044)."""
    entries = (
        f"<sip:{check_number(number)}@{host}>;index={'.'.join(['1'] * depth)}"
        for depth, number in enumerate(numbers, 1)
    )
    return "History-Info", ", ".join(entries)


def dialled_as(number: str, *, host: str = "trunk.invalid") -> Header:
    """The number that was called first, when the trunk rewrote the request (RFC 7315's P-Called-Party-ID)."""
    return "P-Called-Party-ID", f"<sip:{check_number(number)}@{host}>"
