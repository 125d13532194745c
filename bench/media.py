"""Voices of the seats: A-law packets from one UDP socket, 50 a second for every seat that talks."""

import asyncio
import random
import socket
import struct

Address = tuple[str, int]
PACKET_S, SAMPLES = 0.02, 160
SILENT_PORT = 9
"""What is written into the SDP when nobody speaks: the discard port."""


class Media:
    """All seats' voices. `port` 0: they stay silent."""

    def __init__(self, port: int) -> None:
        self.port = port or SILENT_PORT
        self._speaking: dict[str, tuple[Address, int, int]] = {}
        self._voice = bytes(random.randrange(256) for _ in range(SAMPLES))
        self._socket = _socket(port) if port else None

    def speak(self, call: str, to: Address | None) -> None:
        """Begin to send to the other side of this call."""
        if self._socket is not None and to is not None:
            self._speaking[call] = (to, random.getrandbits(32), 0)

    def hush(self, call: str) -> None:
        """Stop; harmless when nobody spoke."""
        self._speaking.pop(call, None)

    async def run(self) -> None:
        """Send until cancelled, in step with the clock."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += PACKET_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._send_all()

    def _send_all(self) -> None:
        if self._socket is None:
            return
        for call, (to, source, number) in self._speaking.items():
            self._speaking[call] = (to, source, number + 1)
            head = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * SAMPLES & 0xFFFFFFFF, source)
            try:
                self._socket.sendto(head + self._voice, to)
            except OSError:
                continue  # the other side has closed its port


def _socket(port: int) -> socket.socket:
    plug = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    plug.bind(("127.0.0.1", port))
    plug.setblocking(False)
    return plug
