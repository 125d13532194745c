"""Sound of the seats: A-law packets from one UDP socket, to every seat's talk 50 a second, or one in a while.

A phone that sends nothing at all is a phone that died, to the product: after half a minute its talk is over. One packet
every few seconds keeps four hundred talks alive without the cost of four hundred voices.
"""

import asyncio
import random
import socket
import struct

Address = tuple[str, int]
PACKET_S, SAMPLES = 0.02, 160
SILENT_PORT = 9
"""What is written into the SDP when nobody speaks: the discard port."""


class Media:
    """All seats' sound. `port` 0: they send nothing. `every_s`: seconds between two packets of one talk."""

    def __init__(self, port: int, every_s: float = PACKET_S) -> None:
        self.port = port or SILENT_PORT
        self._turns, self._turn = max(1, round(every_s / PACKET_S)), 0
        self._speaking: dict[str, tuple[Address, int, int, int]] = {}
        self._voice = bytes(random.randrange(256) for _ in range(SAMPLES))
        self._socket = _socket(port) if port else None

    def speak(self, call: str, to: Address | None) -> None:
        """Begin to send to the other side of this call."""
        if self._socket is not None and to is not None:
            self._speaking[call] = (to, random.getrandbits(32), 0, random.randrange(self._turns))

    def hush(self, call: str) -> None:
        """Stop; harmless when nobody spoke."""
        self._speaking.pop(call, None)

    async def run(self) -> None:
        """Send until cancelled, in step with the clock; rare packets are spread over their time."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += PACKET_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._turn = (self._turn + 1) % self._turns
            self._send_all()

    def _send_all(self) -> None:
        if self._socket is None:
            return
        for call, (to, source, number, turn) in self._speaking.items():
            if turn != self._turn:
                continue
            self._speaking[call] = (to, source, number + 1, turn)
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
