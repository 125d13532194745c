"""The softphone: pyVoIP's phone with everything underneath replaced where it fails against chan_pjsip.

One thread per phone does all its work and ends with `stop()`. A phone with an account registers; one without
calls as whatever number it is told to (a trunk's caller).
"""

import asyncio
import random
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from hotline.clock import Clock, SystemClock
from telephony.softphone.call import Call
from telephony.softphone.client import Client
from telephony.softphone.compose import Header, check_headers, request
from telephony.softphone.dialog import ANONYMOUS, Dialog, address, dialog_of_invitation, dialog_of_outgoing
from telephony.softphone.errors import NoPortFree, NotPossibleNow, RegistrarSilent, RegistrationRefused
from telephony.softphone.incoming import IncomingCall
from telephony.softphone.loop import Loop, Timer
from telephony.softphone.message import Message, user
from telephony.softphone.model import Account, Codec, EndedBy
from telephony.softphone.outgoing import OutgoingCall
from telephony.softphone.pyvoip import PhoneStatus, VoIPPhone
from telephony.softphone.registration import Registration
from telephony.softphone.sockets import media_socket
from telephony.softphone.sources import Source

GOODBYE = 1.0
"""Seconds that `stop()` waits for the others to agree."""
FIRST_REGISTRATION = 5.0
"""Seconds that `start()` waits for the registrar."""
STATES = {True: PhoneStatus.REGISTERED, False: PhoneStatus.FAILED}


class Softphone(VoIPPhone):
    """A SIP phone. `server` is (host, port); `ip` its own address (empty: the one that reaches the server);
    `sip_port` 0 and `media_ports` (0, 0) take free ones. `on_call` is called with every ringing call in the phone's
    thread and must return at once; without it calls are refused with 480."""

    sip: Client

    def __init__(
        self, server: tuple[str, int], *, account: Account | None = None, ip: str = "", sip_port: int = 0,
        media_ports: tuple[int, int] = (0, 0), codecs: tuple[Codec, ...] = (Codec.PCMA, Codec.PCMU),
        on_call: Callable[[IncomingCall], None] | None = None, ear_seconds: float = 600.0, expires: int = 300,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self.account, self.codecs, self.on_call, self.ear_seconds = account, codecs, on_call, ear_seconds
        self.ip, self.wanted_port = ip or _own_address(server), sip_port
        name = account.user if account else "softphone"
        super().__init__(
            *server, name, account.password if account else "", myIP=self.ip, sipPort=sip_port,
            rtpPortLow=media_ports[0], rtpPortHigh=media_ports[1],
        )  # fmt: skip
        self.loop = Loop(clock or SystemClock(), f"phone-{name}")
        self.changed = threading.Condition(self.loop.lock)
        self.calls: dict[str, Call] = {}  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]
        self.sip = Client(self, self.loop, server, account, name)
        self._registration = Registration(self.sip, self.loop, expires, self._registration_changed) if account else None
        self._started = self._stopped = False

    def start(self) -> None:
        """Listen, and register when there is an account.

        Raises:
            RegistrarSilent: nobody answers at the server's address.
            RegistrationRefused: the account or its password is wrong.
            NoPortFree: the SIP port is taken.
        """
        self.loop.start()
        self._started = True
        try:
            with self.loop.lock:
                self.sip.start()
                if self._registration:
                    self._registration.renew()
            if self._registration:
                self._wait_registered(self._registration)
        except BaseException:
            self.stop()
            raise

    def stop(self, failed: bool = False) -> None:  # noqa: ARG002  # pyVoIP's signature
        """End every call, take the registration back, end the thread and close every socket."""
        if self._stopped or not self._started:
            return
        self.check_may_wait()
        self._stopped = True
        with self.loop.lock:
            self.on_call = None
            for call in list(self.calls.values()):
                call.hang_up()
        self._wait_quietly(lambda: not self.calls and not self.sip.busy)
        with self.loop.lock:
            for call in list(self.calls.values()):
                call.end(EndedBy.US, 487, "the phone was switched off")
            if self._registration and self._registration.registered:
                self._registration.leave()
        self._wait_quietly(lambda: not self.registered)
        with self.loop.lock:
            self.sip.stop()
        self.loop.stop()

    def call(
        self, number: str, *, caller: str = "", name: str = "", to: str = "", headers: Sequence[Header] = (),
        source: Source | bytes | None = None,
    ) -> OutgoingCall:  # fmt: skip
        """Dial. `caller` is the calling number of a phone without an account (empty: withheld), `name` its display
        name, `to` the number of the To header where it differs from the dialled one; `headers` are added to the
        INVITE (see `telephony.softphone.headers`).

        Raises:
            BadInput: a number or header cannot be sent.
            NoPortFree: no media port is left.
            NotPossibleNow: the phone is not started, or stopped.
        """
        extra = check_headers(headers)
        with self.loop.lock:
            if not self._started or self._stopped:
                raise NotPossibleNow("This phone is switched off: start it before it calls.")
            local = self._who_calls(caller, name)
            dialog = dialog_of_outgoing(number, to or number, self.sip.domain, local=local, contact=self.sip.contact)
            call = OutgoingCall(self, dialog, self._blank_invitation(dialog), number)
            if source is not None:
                call.say(source)
            self.calls[call.call_id] = call
            call.invite(extra)
        return call

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Do something later, in the phone's thread and without its lock; never after `stop()`."""
        return self.loop.later(seconds, lambda: self.loop.outside(action))

    @property
    def registered(self) -> bool:
        return self._registration is not None and self._registration.registered

    @property
    def registration_attempts(self) -> int:
        """How often the registrar was asked and an end came of it."""
        return self._registration.attempts if self._registration else 0

    @property
    def sip_port(self) -> int:
        """The port this phone listens on, once it is started."""
        return int(self.sip.myPort)

    def wait_registered(self, timeout: float, *, registered: bool = True) -> bool:
        """Wait for the registration to be there (or, `registered=False`, to be gone)."""
        self.check_may_wait()
        with self.changed:
            return self.changed.wait_for(lambda: self.registered is registered, timeout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    # what the layers below ask and tell

    def requested(self, message: Message) -> None:
        """A request that came for the first time."""
        call = self.calls.get(message.call_id)
        match message.method:
            case "INVITE" if call is None and not message.to_tag:
                self._invited(message)
            case "CANCEL":
                self._cancelled(message, call)
            case "INVITE" | "BYE" | "INFO" | "UPDATE" | "OPTIONS" | "NOTIFY" | "MESSAGE" if call:
                call.requested(message)
            case "OPTIONS" | "NOTIFY" | "MESSAGE":
                self._refuse(message, 200)
            case "INVITE" | "BYE" | "INFO" | "UPDATE":
                self._refuse(message, 481)
            case _:
                self._refuse(message, 405)

    def acknowledged(self, message: Message) -> None:
        call = self.calls.get(message.call_id)
        if call:
            call.acknowledged(message)

    def take_media_socket(self) -> socket.socket:
        """A media port that belongs to its taker until the socket is closed."""
        return media_socket(self.ip, int(self.rtpPortLow), int(self.rtpPortHigh))

    def release_ports(self, call: object = None) -> None:
        """pyVoIP asks for it from a destructor; a port is free when its socket is closed."""

    def forget(self, call: Call) -> None:
        """A call is over."""
        self.calls.pop(call.call_id, None)

    def check_may_wait(self) -> None:
        """Waiting in the phone's own thread would wait for ever.

        Raises:
            NotPossibleNow: this is the phone's thread.
        """
        if self.loop.inside:
            raise NotPossibleNow("A callback of this phone may not wait: return, and go on in `after(…)`.")

    # inside

    def _invited(self, message: Message) -> None:
        if self.on_call is None:
            self._refuse(message, 480)
            return
        tag = secrets.token_hex(6)
        dialog = dialog_of_invitation(message, tag=tag, contact=self.sip.contact, cseq=random.getrandbits(15))
        try:
            call = IncomingCall(self, dialog, message, user(message.value("From")))
        except NoPortFree:
            self._refuse(message, 503)
            return
        call.tag = tag
        self.calls[call.call_id] = call
        call.ring()
        take = self.on_call
        self.loop.outside(lambda: take(call))

    def _cancelled(self, message: Message, call: Call | None) -> None:
        if isinstance(call, IncomingCall) and call.invitation.branch == message.branch:
            call.cancelled(message)
        else:
            self._refuse(message, 481)

    def _refuse(self, message: Message, code: int) -> None:
        self.sip.replies.give(message, code, tag=secrets.token_hex(6))

    def _who_calls(self, caller: str, name: str) -> str:
        if self.account:
            return address(self.account.user, self.sip.server, name)
        return address(caller, self.ip, name) if caller else ANONYMOUS

    def _blank_invitation(self, dialog: Dialog) -> Message:
        """pyVoIP's calls want the message they began with; its own branch is chosen when it is sent."""
        asked = dialog.request("INVITE")
        dialog.cseq -= 1
        return Message(request(asked, via=f"{self.ip}:{self.sip_port}", branch="z9hG4bK0"))

    def _registration_changed(self) -> None:
        self._status = STATES[self.registered]
        self.changed.notify_all()

    def _wait_registered(self, registration: Registration) -> None:
        with self.changed:
            self.changed.wait_for(lambda: registration.attempts > 0, FIRST_REGISTRATION)
        if registration.registered:
            return
        if _said_no(registration.refusal):
            raise RegistrationRefused(
                f"The SIP account {self.sip.username} was refused ({registration.refusal}): correct its password."
            )
        raise RegistrarSilent(f"Nobody answers SIP at {self.sip.domain}: start Asterisk, or correct the address.")

    def _wait_quietly(self, ready: Callable[[], bool]) -> None:
        deadline = self.loop.clock.monotonic() + GOODBYE
        with self.changed:
            while not ready() and self.loop.clock.monotonic() < deadline:
                self.changed.wait(0.01)


def _said_no(refusal: str) -> bool:
    """Whether the registrar itself said no, rather than nobody."""
    return refusal[:1].isdigit()


def _own_address(server: tuple[str, int]) -> str:
    """This machine's address on the way to the server; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((server[0], server[1] or 5060))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
