"""What two phones must remember of one call to name it in every later request (RFC 3261 §12). No IO."""

from dataclasses import dataclass

from telephony.softphone.compose import Header, Request
from telephony.softphone.message import Message, uri


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
