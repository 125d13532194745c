"""One TCP connection to the manager interface: actions out, their answers matched, events passed on.

panoramisk's protocol and action underneath; replaced are framing, decoding, and the table of unanswered actions,
whose entries fail at a disconnect instead of being put aside for later.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from panoramisk.actions import Action as PanoramiskAction
from panoramisk.ami_protocol import AMIProtocol as PanoramiskProtocol

from hotline.clock import Clock
from telephony.amiwire import Framer, Message, OverlongMessage, Value, encode, parse, wanted
from telephony.errors import ActionRefused, AsteriskUnreachable, LineGoneError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """One action to send."""

    action: str
    headers: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Reply:
    """Asterisk's answer; `items` are the events of a list, without its last one."""

    headers: Message
    items: tuple[Message, ...] = ()


class Owner(Protocol):
    """What a connection needs of the link that it belongs to."""

    clock: Clock
    names: frozenset[bytes]
    protocol: Any

    def heard(self, message: Message) -> None:
        """A wanted event came."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket closed."""
        ...

    def drop(self, reason: str) -> None:
        """The connection is of no use any more."""
        ...


class Asked(PanoramiskAction):  # type: ignore[misc]  # panoramisk has no types
    """An action on its way and what came back so far."""

    def __init__(self, ask: Ask) -> None:
        super().__init__({"Action": ask.action})
        self.ask = ask
        self.number: str = self["ActionID"]
        """Kept beside panoramisk's mapping, which looks a name up in five steps."""
        self.wire = encode(ask.action, self.number, ask.headers)

    @property
    def multi(self) -> bool:
        return str(self.responses[0].get("EventList", "")).lower() == "start"

    @property
    def completed(self) -> bool:
        return not self.multi or str(self.responses[-1].get("EventList", "")).lower() in ("complete", "cancelled")

    def fail(self, reason: str) -> None:
        if not self.future.done():
            self.future.set_exception(AsteriskUnreachable(f"{self.ask.action} was not answered: {reason}"))
            self.future.exception()  # nobody may be waiting any more: that is no "never retrieved" warning

    def reply(self) -> Reply:
        answer = self.future.result()
        return Reply(answer[0], tuple(answer[1:-1])) if isinstance(answer, list) else Reply(answer)


class AmiProtocol(PanoramiskProtocol):  # type: ignore[misc]  # panoramisk has no types
    """One TCP connection."""

    responses: dict[str, Asked]
    closed: bool
    transport: asyncio.Transport

    def __init__(self, link: Owner) -> None:
        self.link = link
        self.framer = Framer()
        self.heard_at = link.clock.monotonic()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.link.clock.monotonic()
        try:
            messages = self.framer.feed(data)
        except OverlongMessage:
            self.link.drop("a message without an end")
            return
        for message in wanted(messages, self.link.names):
            self._take(parse(message))

    def _take(self, message: Message) -> None:
        try:
            self.handle_message(message)
        except Exception:
            log.exception("handling an event failed", event_name=message.get("Event", ""))

    def handle_message(self, message: Message) -> None:
        asked: Asked | None = self.responses.get(message.get("ActionID", ""))
        if asked is not None and (asked.responses or "Response" in message):
            if asked.add_message(message):
                self.responses.pop(asked.number, None)
        elif message.get("Event", "").encode() in self.link.names:
            self.link.heard(message)

    def send(self, data: Mapping[str, str] | Asked, as_list: bool | None = None) -> "asyncio.Future[object]":
        """panoramisk's own log-in passes a mapping; everything else comes as `Asked`."""
        del as_list
        if not isinstance(data, Asked):
            headers = {name: value for name, value in data.items() if name != "Action"}
            data = Asked(Ask(data["Action"], headers))
        self.write((data,))
        return data.future  # type: ignore[no-any-return]

    def write(self, asked: Iterable[Asked]) -> None:
        wire = b""
        for one in asked:
            self.responses[one.number] = one
            wire += one.wire
        self.transport.write(wire)

    def connection_lost(self, exc: Exception | None) -> None:
        self.close()
        if self.link.protocol is self:
            self.link.connection_lost(exc)

    def close(self) -> None:
        """Fail what is unanswered; put nothing aside for later."""
        unanswered = list(self.responses.values())
        self.responses = {}
        for asked in unanswered:
            asked.fail("the connection to Asterisk was lost")
        if not self.closed:
            self.closed = True
            self.transport.abort()


def raise_if_refused(reply: Reply) -> None:
    """Turn Asterisk's error into one of ours.

    Raises:
        LineGoneError: the channel does not exist.
        ActionRefused: anything else; the text is Asterisk's.
    """
    if reply.headers.get("Response") != "Error":
        return
    message = reply.headers.get("Message", "")
    low = message.lower()
    if "no such channel" in low or ("channel" in low and "does not exist" in low):
        raise LineGoneError("The line has hung up.")
    raise ActionRefused(message or "Asterisk refused without a reason.")
