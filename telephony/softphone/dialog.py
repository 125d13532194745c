"""What two phones must remember of one call to name it in every later request (RFC 3261 §12). No IO."""

import secrets
from dataclasses import dataclass

from telephony.softphone.compose import Header, Request
from telephony.softphone.message import Message, uri
from telephony.softphone.model import check_number

ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""Who withholds the number (RFC 3261 §8.1.1.3)."""


@dataclass(slots=True)
class Dialog:
    """Tags, sequence number, target and route of one call, seen from this side."""

    call_id: str
    local: str
    """From value of our requests, with our tag."""
    remote: str
    """To value of our requests, with the other side's tag once it is known."""
    target: str
    """Where requests inside the dialog go: the other side's Contact."""
    contact: str
    """Our own URI."""
    cseq: int
    routes: tuple[str, ...] = ()

    def request(
        self, method: str, *, body: str = "", content_type: str = "", extra: tuple[Header, ...] = ()
    ) -> Request:
        """The next request of this dialog; an ACK or CANCEL keeps the number of its INVITE."""
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        fields = {"content_type": content_type} if content_type else {}
        return Request(
            method, self.target, self.local, self.remote, self.call_id, self.cseq, self.contact, extra, self.routes,
            body, **fields,
        )  # fmt: skip

    def established(self, answer: Message) -> None:
        """Take the other side's tag, Contact and route from a 2xx or from a ringing with a tag."""
        if answer.to_tag:
            self.remote = answer.value("To")
        self.retarget(answer)
        self.routes = tuple(reversed(answer.routes))

    def retarget(self, message: Message) -> None:
        """A re-INVITE or its answer may move the other side (target refresh)."""
        contact = message.value("Contact")
        if contact:
            self.target = uri(contact)


def dialog_of_outgoing(number: str, to: str, domain: str, *, local: str, contact: str) -> Dialog:
    """The dialog of a call to `number`, before anybody answered; `local` is who calls (see `address`).

    Raises:
        BadInput: a number cannot stand in a SIP address.
    """
    target = f"sip:{check_number(number)}@{domain}"
    return Dialog(
        call_id=f"{secrets.token_hex(16)}@{domain.partition(':')[0]}",
        local=f"{local};tag={secrets.token_hex(6)}",
        remote=f"<sip:{check_number(to)}@{domain}>",
        target=target,
        contact=contact,
        cseq=secrets.randbits(15),
    )


def address(number: str, host: str, name: str = "") -> str:
    """A From value without its tag; a display name loses quotes and whatever cannot be printed.

    Raises:
        BadInput: the number cannot stand in a SIP address.
    """
    shown = "".join(character for character in name if character.isprintable() and character not in '"\\')
    return (f'"{shown}" ' if shown else "") + f"<sip:{check_number(number)}@{host}>"


def dialog_of_invitation(invitation: Message, *, tag: str, contact: str, cseq: int) -> Dialog:
    """The dialog of a call that somebody else started."""
    return Dialog(
        call_id=invitation.call_id,
        local=f"{invitation.value('To')};tag={tag}",
        remote=invitation.value("From"),
        target=uri(invitation.value("Contact") or invitation.value("From")),
        contact=contact,
        cseq=cseq,
        routes=invitation.routes,
    )
