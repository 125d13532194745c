"""A double of Asterisk's manager interface. It is not Asterisk: it says byte for byte what a test tells it to.

It serves the tests of what a real Asterisk does too rarely or never: lost answers, characters cut in two, silence.
"""

import asyncio
import socket
import struct
from collections.abc import Callable

from telephony.amiwire import END, parse
from telephony.endpoint import AmiEndpoint

Action = dict[str, str]
Answer = Callable[[Action], bytes | None]

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
BOOTED = b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n"


def success(action: Action, **headers: str) -> bytes:
    """A plain positive answer."""
    return response(action, "Success", **headers)


def error(action: Action, message: str) -> bytes:
    """A plain refusal."""
    return response(action, "Error", Message=message)


def response(action: Action, kind: str, **headers: str) -> bytes:
    lines = {"Response": kind, "ActionID": action["ActionID"], **headers}
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n"


def event(name: str, **headers: str) -> bytes:
    """One event as bytes."""
    return "".join(f"{key}: {value}\r\n" for key, value in {"Event": name, **headers}.items()).encode() + b"\r\n"


class FakeAmi:
    """Listens on a free port of 127.0.0.1; `answers` say what each action gets, None: nothing at all."""

    def __init__(self) -> None:
        self.received: list[tuple[int, Action]] = []
        """Every action with the number of the connection that it came on."""
        self.connections = 0
        self.answers: dict[str, Answer] = {"Login": lambda action: success(action) + BOOTED}
        self.stalled = False
        """Read nothing and say nothing, like a stopped process."""
        self._writers: list[asyncio.StreamWriter] = []
        self._moved = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "FakeAmi":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    @property
    def endpoint(self) -> AmiEndpoint:
        assert self._server is not None
        return AmiEndpoint("127.0.0.1", self._server.sockets[0].getsockname()[1], "hotline", "s3cret")

    def actions(self, name: str) -> list[tuple[int, Action]]:
        """Actions of that name, in order, with their connections."""
        return [(number, action) for number, action in self.received if action.get("Action") == name]

    async def wait_for(self, condition: Callable[[], bool], within: float = 5.0) -> None:
        """Wait until something received makes `condition` true."""
        async with asyncio.timeout(within), self._moved:
            await self._moved.wait_for(condition)

    def say(self, data: bytes) -> None:
        """Write to the newest connection."""
        self._writers[-1].write(data)

    def reset(self) -> None:
        """Cut the newest connection by a TCP reset."""
        writer = self._writers[-1]
        plain: socket.socket = writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._writers.append(writer)
        writer.write(GREETING)
        try:
            while True:
                raw = await reader.readuntil(END)
                if self.stalled:
                    continue
                await self._take(number, parse(raw.removesuffix(END)), writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    async def _take(self, number: int, action: Action, writer: asyncio.StreamWriter) -> None:
        async with self._moved:
            self.received.append((number, action))
            self._moved.notify_all()
        answer = self.answers.get(action["Action"], success)(action)
        if answer:
            writer.write(answer)
