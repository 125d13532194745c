"""A call that this phone makes: INVITE, ringing, answer or refusal, CANCEL."""

from telephony.softphone.call import Call
from telephony.softphone.compose import Header
from telephony.softphone.errors import NotAcceptable
from telephony.softphone.message import Message, uri
from telephony.softphone.model import CallState, EndedBy
from telephony.softphone.transactions import Sent


class OutgoingCall(Call):
    """`number` is the dialled one."""

    _sent: Sent | None = None
    _cancelled = False

    def invite(self, extra: tuple[Header, ...]) -> None:
        """Send the INVITE."""
        request = self.dialog.request("INVITE", body=self._negotiation.offer(), extra=extra)
        self._sent = self._client.requests.send(request, self._on_answer, self._on_silence)

    def _withdraw(self) -> None:
        """CANCEL is allowed only after a provisional answer (RFC 3261 §9.1): until then it is remembered."""
        first = not self._cancelled
        self._cancelled = True
        if first and self._sent and self._sent.provisional:
            self._client.requests.cancel(self._sent)

    def _on_answer(self, message: Message) -> None:
        self._note_number(message)
        if message.code < 200:
            self._ringing(message)
        elif message.code < 300:
            self._picked_up(message)
        else:
            self._refused(message)

    def _ringing(self, message: Message) -> None:
        if self._cancelled and self._sent and self.state is not CallState.ENDED:
            self._client.requests.cancel(self._sent)
            return
        if message.payload:
            self._early_media(message.payload)
        if message.code in (180, 183):
            self._move(CallState.RINGING)

    def _early_media(self, text: str) -> None:
        try:
            self._negotiation.take_answer(text)
        except NotAcceptable:
            return

    def _picked_up(self, message: Message) -> None:
        """The answer may cross our CANCEL, or come after we gave up: then it is acknowledged and ended."""
        self.dialog.established(message)
        self._client.requests.acknowledge(message, self.dialog.request("ACK"))
        if self._cancelled or self.state is CallState.ENDED:
            self._inside("BYE")
            self.end(EndedBy.US, 200, "OK")
        elif self.state is not CallState.TALKING:
            self._move(CallState.TALKING)
            self._take_answer(message.payload)

    def _refused(self, message: Message) -> None:
        by = EndedBy.US if self._cancelled and message.code == 487 else EndedBy.THEM
        contact = uri(message.value("Contact")) if 300 <= message.code < 400 else ""
        self.end(by, message.code, message.phrase, cause=message.cause, contact=contact)

    def _on_silence(self, reason: str) -> None:
        self.end(EndedBy.US if self._cancelled else EndedBy.NETWORK, 408, reason)
