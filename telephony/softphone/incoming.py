"""A call that somebody makes to this phone: ringing, answer, refusal, and the caller's CANCEL."""

from typing import ClassVar

from telephony.softphone.call import Call
from telephony.softphone.compose import PHRASES
from telephony.softphone.errors import NotAcceptable
from telephony.softphone.message import Message
from telephony.softphone.model import CallState, EndedBy


class IncomingCall(Call):
    """`number` is the caller's, empty when withheld."""

    incoming: ClassVar[bool] = True
    tag = ""
    """This side's tag of the dialog."""
    _confirmed = False
    """Whether the caller acknowledged our answer."""
    _leaving = False

    def ring(self) -> None:
        """Tell the caller that it rings."""
        self._client.replies.give(self.invitation, 180, tag=self.tag)
        self._move(CallState.RINGING)

    def answer(self) -> None:
        """Pick up. A call that cannot be spoken on is refused with 488.

        Raises:
            NotPossibleNow: it does not ring any more: the caller gave up, or somebody answered it.
        """
        with self._loop.lock:
            self._only(CallState.RINGING, "it can be answered")
            try:
                description = self._negotiation.answer(self.invitation.payload)
            except NotAcceptable:
                self.reject(488)
                return
            self._client.replies.give(
                self.invitation, 200, tag=self.tag, body=description, silent=self._not_acknowledged
            )
            self._move(CallState.TALKING)

    def reject(self, status: int = 486, *, contact: str = "") -> None:
        """Refuse: 486 busy, 480 not there, 603 declined, 404; 302 with `contact`, the URI to try instead.

        Raises:
            NotPossibleNow: it does not ring any more.
        """
        with self._loop.lock:
            self._only(CallState.RINGING, "it can be refused")
            extra = (("Contact", f"<{contact}>"),) if contact else ()
            self._client.replies.give(self.invitation, status, tag=self.tag, extra=extra)
            self.end(EndedBy.US, status, PHRASES.get(status, "Refused"))

    def deny(self) -> None:
        """pyVoIP's name of `reject`."""
        self.reject()

    def hang_up(self) -> None:
        """End the call. Whoever answered may not say BYE before the ACK of the answer (RFC 3261 §15): until then the
        wish is kept."""
        with self._loop.lock:
            if self.state is CallState.TALKING and not self._confirmed:
                self._leaving = True
                return
            super().hang_up()

    def acknowledged(self, message: Message) -> None:
        """The caller acknowledged our answer."""
        self._confirmed = True
        super().acknowledged(message)
        if self._leaving:
            self.hang_up()

    def cancelled(self, message: Message) -> None:
        """The caller gave up. After the answer a CANCEL has no effect (RFC 3261 §9.2)."""
        self._client.replies.give(message, 200, tag=self.tag)
        if self.state is CallState.RINGING:
            self._client.replies.give(self.invitation, 487, tag=self.tag)
            self.end(EndedBy.THEM, 487, PHRASES[487], cause=message.cause)

    def _withdraw(self) -> None:
        self.reject(480)

    def _not_acknowledged(self) -> None:
        if self.state is CallState.TALKING:
            self._inside("BYE")
            self.end(EndedBy.NETWORK, 408, "the answer was not acknowledged")
