"""One call of a softphone: its state, how it ended, what is said and heard. Its two kinds, `OutgoingCall` and
`IncomingCall`, know how it comes to talking; this class knows everything from there on.

Methods may be called from any thread; they return at once, except those named `wait_…`.
"""

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from telephony.softphone.client import Client
from telephony.softphone.dialog import Dialog
from telephony.softphone.ear import Ear
from telephony.softphone.errors import NotAcceptable, NotPossibleNow
from telephony.softphone.media import Media
from telephony.softphone.message import Message, user
from telephony.softphone.model import CallState, Direction, EndedBy, Ending, MediaFigures, check_keys
from telephony.softphone.negotiation import Negotiation
from telephony.softphone.pyvoip import PayloadType, VoIPCall, WireState
from telephony.softphone.sources import Clip, Source

if TYPE_CHECKING:
    from telephony.softphone.phone import Softphone

ORDER = list(CallState)
KEY_SECONDS = 0.12
KEY_GAP = 0.08
MOST_KEYS = 1000
"""Received keys that a call remembers."""


class Call(VoIPCall):
    """A call of either direction."""

    incoming: ClassVar[bool] = False
    state: CallState  # type: ignore[assignment]  # ours has more to tell than pyVoIP's

    def __init__(self, phone: "Softphone", dialog: Dialog, invitation: Message, number: str) -> None:
        self.ear = Ear(phone.ear_seconds)
        """What was heard."""
        self._phone, self._loop, self._changed = phone, phone.loop, phone.changed
        self._client: Client = phone.sip
        self.media = Media(
            phone.loop, phone.take_media_socket(), self.ear,
            spoken=self._spoken, heard_key=self._heard_key, vanished=self._vanished,
        )  # fmt: skip
        port = int(self.media.inPort)
        session = random.getrandbits(30)
        super().__init__(phone, WireState.DIALING, invitation, session, phone.ip, ms={port: PayloadType.PCMA})
        self.RTPClients = [self.media]
        self.dialog, self.invitation, self.number = dialog, invitation, number
        self._negotiation = Negotiation(self.media, phone.ip, phone.codecs, session)
        self.state = CallState.DIALING
        self.times: dict[CallState, float] = {CallState.DIALING: phone.loop.clock.monotonic()}
        """Monotonic second at which each state began."""
        self.ending: Ending | None = None
        self.keys = ""
        """Keys that the other side pressed. Personal data."""
        self.held = False
        """Whether the other side put this call on hold."""
        self.on_key: Callable[[str], None] | None = None
        self.on_change: Callable[[Call], None] | None = None
        """Called after every change of state, in the phone's thread: it must return at once."""

    # what anybody may ask

    @property
    def was_answered(self) -> bool:
        """Whether the call ever came to talking."""
        return CallState.TALKING in self.times

    @property
    def figures(self) -> MediaFigures:
        return self.media.figures

    def headers(self, name: str) -> list[str]:
        """Values of a header of the INVITE, for example `Diversion`."""
        return self.invitation.values(name)

    @property
    def caller(self) -> str:
        """The number in the From header of the INVITE."""
        return user(self.invitation.value("From"))

    def wait_until(self, state: CallState, timeout: float) -> bool:
        """Wait until the call reaches `state`; false when it did not in `timeout` seconds or ended without it."""
        self._phone.check_may_wait()
        with self._changed:
            self._changed.wait_for(lambda: self.state is CallState.ENDED or self._reached(state), timeout)
            return self._reached(state)

    async def until(self, state: CallState, timeout: float) -> bool:
        """`wait_until` for asyncio."""
        return await asyncio.to_thread(self.wait_until, state, timeout)

    def wait_said(self, timeout: float) -> bool:
        """Wait until the source has come to its end, or the call has; false when it speaks on."""
        return self._wait_for(lambda: self.media.source is None or self.state is CallState.ENDED, timeout)

    def wait_for_keys(self, count: int, timeout: float) -> str:
        """Wait for `count` keys from the other side; whatever came until then."""
        self._wait_for(lambda: len(self.keys) >= count or self.state is CallState.ENDED, timeout)
        return self.keys

    # what anybody may do

    def say(self, source: Source | bytes) -> None:
        """Say this from now on, instead of what is being said; bytes are telephone audio said once."""
        with self._loop.lock:
            self.media.source = Clip(source) if isinstance(source, bytes) else source

    def press(self, keys: str, *, seconds: float = KEY_SECONDS, gap: float = KEY_GAP, by_info: bool = False) -> None:
        """Press telephone keys, as RTP events, or by SIP INFO where the other side takes no events.

        Raises:
            BadInput: there is no such key.
            NotPossibleNow: nobody answered yet, or the call is over.
        """
        checked = check_keys(keys)
        with self._loop.lock:
            self._only(CallState.TALKING, "keys can be pressed")
            if self.media.sends_events and not by_info:
                self.media.press(checked, seconds, gap)
            else:
                for key in checked:
                    body = f"Signal={key}\r\nDuration={round(1000 * seconds)}\r\n"
                    self._inside("INFO", body, "application/dtmf-relay")

    def hold(self) -> None:
        """Ask the other side to wait: a re-INVITE that only sends, and what it sends is silence."""
        self._offer_again(Direction.SEND)

    def resume(self) -> None:
        """End the hold."""
        self._offer_again(Direction.BOTH)

    def hang_up(self) -> None:
        """End the call in whatever state it is: BYE, CANCEL or a refusal. Over already: nothing happens."""
        with self._loop.lock:
            if self.state is CallState.TALKING:
                self._inside("BYE")
                self.end(EndedBy.US, 200, "OK")
            elif self.state is not CallState.ENDED:
                self._withdraw()

    def hangup(self) -> None:
        """pyVoIP's name of `hang_up`."""
        self.hang_up()

    # what the phone tells

    def requested(self, message: Message) -> None:
        """A request of this call other than its INVITE, ACK and CANCEL."""
        match message.method:
            case "INVITE" | "UPDATE":
                self._renegotiate(message)
            case "BYE":
                self._reply(message, 200)
                self.end(EndedBy.THEM, 200 if self.was_answered else 487, "OK", cause=message.cause)
            case "INFO":
                self._reply(message, 200)
                self._info(message.payload)
            case _:
                self._reply(message, 200)

    def acknowledged(self, message: Message) -> None:
        """The ACK of our answer; it may carry the answer to a late offer."""
        if message.payload:
            self._take_answer(message.payload)

    def end(self, by: EndedBy, status: int, phrase: str, *, cause: int = 0, contact: str = "") -> None:
        """The call is over, whoever said so; the first one counts."""
        if self.state is CallState.ENDED:
            return
        now = self._loop.clock.monotonic()
        self.ending = Ending(by=by, status=status, phrase=phrase, cause=cause, contact=contact, at=now)
        self.media.stop()
        self._phone.forget(self)
        self._move(CallState.ENDED)

    # inside

    def _withdraw(self) -> None:
        raise NotImplementedError

    def _move(self, state: CallState) -> None:
        if ORDER.index(state) <= ORDER.index(self.state):
            return
        self.state = state
        self.times[state] = self._loop.clock.monotonic()
        self._notify()
        if self.on_change:
            hook = self.on_change
            self._loop.outside(lambda: hook(self))

    def _reached(self, state: CallState) -> bool:
        return state in self.times

    def _wait_for(self, ready: Callable[[], bool], timeout: float) -> bool:
        self._phone.check_may_wait()
        with self._changed:
            return self._changed.wait_for(ready, timeout)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _only(self, state: CallState, what: str) -> None:
        if self.state is not state:
            raise NotPossibleNow(f"This call is {self.state}: {what} only while it is {state}.")

    def _inside(self, method: str, body: str = "", content_type: str = "") -> None:
        """A request inside the dialog whose answer does not matter."""
        request = self.dialog.request(method, body=body, content_type=content_type)
        self._client.requests.send(request, self._note_number, _ignore)

    def _note_number(self, message: Message) -> None:
        self.dialog.cseq = max(self.dialog.cseq, message.cseq)

    def _reply(self, message: Message, code: int, body: str = "") -> None:
        self._client.replies.give(message, code, tag="", body=body)

    def _offer_again(self, direction: Direction) -> None:
        with self._loop.lock:
            self._only(CallState.TALKING, "it can be held")
            self._negotiation.direction = direction
            self.media.muted = direction is not Direction.BOTH
            request = self.dialog.request("INVITE", body=self._negotiation.offer())
            self._client.requests.send(request, self._offer_answered, _ignore)

    def _offer_answered(self, message: Message) -> None:
        self._note_number(message)
        if 200 <= message.code < 300 and self.state is not CallState.ENDED:
            self.dialog.retarget(message)
            self._client.requests.acknowledge(message, self.dialog.request("ACK"))
            self._take_answer(message.payload)

    def _renegotiate(self, message: Message) -> None:
        if message.method == "UPDATE" and not message.payload:
            self._reply(message, 200)
            return
        try:
            answer = self._negotiation.answer(message.payload)
        except NotAcceptable:
            self._reply(message, 488)
            return
        self.dialog.retarget(message)
        theirs = self._negotiation.theirs
        self.held = theirs is not None and theirs.direction in (Direction.SEND, Direction.NONE)
        self._reply(message, 200, answer)
        self._notify()

    def _take_answer(self, text: str) -> None:
        try:
            self._negotiation.take_answer(text)
        except NotAcceptable:
            self.hang_up()

    def _info(self, body: str) -> None:
        for line in body.splitlines():
            name, _, value = line.partition("=")
            if name.strip().lower() == "signal" and value.strip().upper() in "0123456789*#ABCD":
                self._heard_key(value.strip().upper())

    def _spoken(self) -> None:
        self._notify()

    def _heard_key(self, key: str) -> None:
        self.keys = (self.keys + key)[-MOST_KEYS:]
        self._notify()
        if self.on_key:
            hook = self.on_key
            self._loop.outside(lambda: hook(key))

    def _vanished(self) -> None:
        self._loop.later(0, lambda: self.end(EndedBy.NETWORK, 200, "the other end closed its port"))


def _ignore(_reason: str) -> None:
    return
