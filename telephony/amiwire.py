"""The manager interface's wire format: bytes to messages and back. No sockets, no time, no meaning of any event.

Framing works on bytes, so a character that TCP cut in two is whole again before anything is decoded, and an
event whose name nobody wants is dropped after looking at its first line only.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from hotline.errors import BadInput

Message = Mapping[str, str]
"""One event or response: header to value. A header that came several times has its values joined by a line feed,
which no single value can contain."""

Value = str | int | Sequence[str]

END = b"\r\n\r\n"
LONGEST_LINE = 1024
"""Bytes of one line with its CR LF that Asterisk reads (`inbuf` in main/manager.c); it refuses longer ones."""
SHORT = LONGEST_LINE - 2
"""Characters of an action that cannot hold too long a line."""
MOST_HEADERS = 128
"""Lines of one action that Asterisk reads (`AST_MAX_MANHEADERS`)."""
LONGEST_MESSAGE = 4 * 1024 * 1024
"""Bytes after which a message without an end is no message: Asterisk's longest events stay far below."""


class OverlongMessage(Exception):
    """The stream is out of step: the connection must be dropped and everything asked for anew."""


class Framer:
    """Cuts the stream into messages, one connection's worth. Keeps at most one unfinished message."""

    def __init__(self) -> None:
        self._rest = b""
        self.version = ""
        """The interface's version from the greeting line, e.g. `11.0.0`; empty before it."""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completed, without their ending.

        Raises:
            OverlongMessage: more than `LONGEST_MESSAGE` bytes without an end.
        """
        buffer = self._rest + data
        if not self.version:
            buffer = self._greeting(buffer)
        *messages, self._rest = buffer.split(END)
        if len(self._rest) > LONGEST_MESSAGE:
            raise OverlongMessage
        return messages

    def _greeting(self, buffer: bytes) -> bytes:
        line, end, after = buffer.partition(b"\r\n")
        if not end:
            return buffer
        if not line.startswith(b"Asterisk Call Manager"):
            self.version = "unknown"
            return buffer
        self.version = line.rpartition(b"/")[2].decode("ascii", "replace").strip() or "unknown"
        return after


def wanted(messages: Iterable[bytes], names: Collection[bytes]) -> list[bytes]:
    """The messages that somebody listens to: responses, items of a list that was asked for, and named events.

    One expression without a call in Python: most events end here, and a busy Asterisk sends thousands a second.
    """
    return [
        message
        for message in messages
        if message[:7] != b"Event: "
        or message[7 : end if (end := message.find(b"\r\n", 7)) > 0 else None] in names
        or b"\r\nActionID: " in message
    ]


def parse(message: bytes) -> dict[str, str]:
    """Headers of one message. Invalid UTF-8 is replaced, a line without a colon ignored; never raises."""
    lines = str(message, "utf-8", "replace").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:  # the hottest loop of the product: one partition and one store per header
        name, colon, value = line.partition(": ")
        if not colon:
            return _merge(_tolerant(lines))
        headers[name] = value
    return headers if len(headers) == len(lines) else _merge(_tolerant(lines))


def _tolerant(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            yield name, value.removeprefix(" ")


def _merge(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    return headers


def encode(action: str, action_id: str, headers: Mapping[str, Value]) -> bytes:
    """One action as bytes.

    Raises:
        BadInput: a value would end its line, a line is too long or there are too many; the text names the
            header, never the value, which may be personal.
    """
    lines = [f"Action: {action}", f"ActionID: {action_id}"]
    for name, value in headers.items():
        values = (str(value),) if isinstance(value, str | int) else value
        lines.extend(f"{name}: {one}" for one in values)
    wire = _short(lines)
    if wire is None:
        problems = tuple(_problems(lines))
        if problems:
            raise BadInput(f"The action {_printable(action)} cannot be sent: {'; '.join(problems)}", problems)
        wire = "\r\n".join(lines).encode("utf-8")
    return wire + END


def _short(lines: Sequence[str]) -> bytes | None:
    """An action that is shorter than a line may be, as almost all are: none of its parts needs to be looked at.
    `None`: look."""
    text, ends = "\r\n".join(lines), len(lines) - 1
    if len(text) > SHORT or ends >= MOST_HEADERS or not text.isascii() or "\0" in text:
        return None
    if text.count("\r") != ends or text.count("\n") != ends:
        return None
    return text.encode("ascii")


def _problems(lines: Sequence[str]) -> Iterator[str]:
    if len(lines) > MOST_HEADERS:
        yield f"it has {len(lines)} lines, Asterisk reads {MOST_HEADERS}"
    for line in lines:
        name = _printable(line.partition(":")[0])
        if "\r" in line or "\n" in line or "\0" in line:
            yield f"{name} contains a line end or a NUL"
        elif not line.isascii() and not _encodable(line):
            yield f"{name} contains half a character"
        elif len(line.encode("utf-8")) + 2 > LONGEST_LINE:
            yield f"{name} makes a line of more than {LONGEST_LINE} bytes"


def _encodable(line: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in line)


def _printable(name: str) -> str:
    return "".join(character for character in name[:40] if character.isprintable())
