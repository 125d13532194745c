"""Server transactions (RFC 3261 §17.2): a repeated request gets the same answer again, and the final answer to an
INVITE is repeated until it is acknowledged. Refuses to know what a request means for a call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from telephony.softphone import compose
from telephony.softphone.compose import Header
from telephony.softphone.loop import Loop, Timer
from telephony.softphone.message import Message
from telephony.softphone.transactions import GIVE_UP, T1, T2

Address = tuple[str, int]
Key = tuple[str, str, int, str]


@dataclass(slots=True)
class _Unacknowledged:
    data: bytes
    to: Address
    deadline: float
    silent: Callable[[], None]
    interval: float = T1
    timer: Timer | None = None


class Replies:
    """Every answer that may have to be given again. `send` puts bytes on the wire."""

    def __init__(self, loop: Loop, send: Callable[[bytes, Address], None], contact: Callable[[], str]) -> None:
        self._loop, self._send, self._contact = loop, send, contact
        self._given: dict[Key, bytes] = {}
        self._open: dict[tuple[str, int], _Unacknowledged] = {}

    def repeat(self, message: Message) -> bool:
        """Whether this request came before; then it gets the latest answer again, if there was one yet."""
        known = self._given.get(_key(message))
        if known:
            self._send(known, message.source)
        return known is not None

    def received(self, message: Message) -> None:
        """Remember a request that is answered later."""
        self._remember(message, b"")

    def give(
        self, message: Message, code: int, *, tag: str, extra: Sequence[Header] = (), body: str = "",
        silent: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Answer a request. A final answer to an INVITE is repeated until its ACK comes; `silent` is called when none
        comes."""
        data = compose.response(message, code, tag=tag, contact=self._contact(), extra=extra, body=body)
        self._remember(message, data)
        self._send(data, message.source)
        if message.method == "INVITE" and code >= 200:
            deadline = self._loop.clock.monotonic() + GIVE_UP
            pending = _Unacknowledged(data, message.source, deadline, silent or _nothing)
            self._open[(message.call_id, message.cseq)] = pending
            pending.timer = self._loop.later(T1, lambda: self._again(message, pending))

    def acknowledged(self, message: Message) -> bool:
        """An ACK came; false when no answer awaited it (it came twice)."""
        pending = self._open.pop((message.call_id, message.cseq), None)
        if pending and pending.timer:
            pending.timer.cancel()
        return pending is not None

    def _remember(self, message: Message, data: bytes) -> None:
        key = _key(message)
        if key not in self._given:
            self._loop.later(GIVE_UP + T2, lambda: self._forget(key))
        self._given[key] = data

    def _forget(self, key: Key) -> None:
        self._given.pop(key, None)

    def _again(self, message: Message, pending: _Unacknowledged) -> None:
        if self._loop.clock.monotonic() >= pending.deadline:
            self._open.pop((message.call_id, message.cseq), None)
            pending.silent()
            return
        self._send(pending.data, pending.to)
        pending.interval = min(T2, pending.interval * 2)
        pending.timer = self._loop.later(pending.interval, lambda: self._again(message, pending))


def _key(message: Message) -> Key:
    return message.branch, message.call_id, message.cseq, message.method


def _nothing() -> None:
    return
