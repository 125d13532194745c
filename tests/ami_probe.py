"""A bare AMI client for tests of Asterisk's configuration: what it says is what Asterisk said, unfiltered by ours.

Blocking, with one reading thread; `beat` plays the heartbeat of a living controller.
"""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from telephony.endpoint import AmiEndpoint

Packet = dict[str, str]


class AmiProbe:
    """One logged-in connection; use it in a `with` block."""

    def __init__(self, endpoint: AmiEndpoint) -> None:
        self.events: list[Packet] = []
        """Every event, oldest first."""
        self._answers: dict[str, Packet] = {}
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._beating = threading.Event()
        self._socket = socket.create_connection((endpoint.host, endpoint.port), timeout=5)
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._beat)]
        self._open = True
        for thread in self._threads:
            thread.start()
        login = self.action("Login", Username=endpoint.user, Secret=endpoint.secret)
        assert login["Response"] == "Success", login

    def action(self, name: str, **fields: str) -> Packet:
        """Send one action; its answer."""
        number = f"t{next(self._numbers)}"
        lines = [f"Action: {name}", f"ActionID: {number}", *(f"{key}: {value}" for key, value in fields.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        with self._changed:
            assert self._changed.wait_for(lambda: number in self._answers, 5), f"no answer to {name}"
            return self._answers.pop(number)

    def find(self, name: str, **fields: str) -> list[Packet]:
        """Events so far with this name and these fields."""
        return [event for event in list(self.events) if event["Event"] == name and fields.items() <= event.items()]

    def wait(self, name: str, timeout: float = 5.0, count: int = 1, **fields: str) -> Packet:
        """Wait for `count` such events since the connection began; the last of them."""
        with self._changed:
            done = self._changed.wait_for(lambda: len(self.find(name, **fields)) >= count, timeout)
            assert done, f"no {name} {fields} among {[event['Event'] for event in self.events]}"
        return self.find(name, **fields)[count - 1]

    def wait_arrival(self, place: str = "arrive", timeout: float = 5.0, count: int = 1) -> Packet:
        """Wait until a line is handed to us in `place`; the AsyncAGIStart event."""
        return self.wait("AsyncAGIStart", timeout, count, Context=place)

    def redirect(self, channel: str, context: str, exten: str = "s") -> Packet:
        return self.action("Redirect", Channel=channel, Context=context, Exten=exten, Priority="1")

    def offer(self, channel: str, phone: str, offer: str, tracks: str = "", ring: int = 5) -> Packet:
        """As the product does: variables, then Redirect."""
        for name, value in (("__OFFERID", offer), ("RINGSEC", str(ring)), ("__TRACKS", tracks)):
            self.action("Setvar", Channel=channel, Variable=name, Value=value)
        return self.redirect(channel, "connect", phone)

    def beat(self) -> None:
        """Say every second that we live."""
        self._say_alive()
        self._beating.set()

    def stop_beating(self) -> None:
        self._beating.clear()

    def close(self) -> None:
        self._open = False
        self._beating.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the reader
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _say_alive(self) -> None:
        self.action("Setvar", Variable="CTL_BEAT", Value=str(int(time.time())))

    def _beat(self) -> None:
        while self._open:
            self._beating.wait()
            if self._open:
                try:
                    self._say_alive()
                except (OSError, AssertionError):
                    return
                time.sleep(0.5)

    def _read(self) -> None:
        with self._socket.makefile("r", encoding="utf-8", errors="replace", newline="\r\n") as lines:
            try:
                lines.readline()
                while packet := _packet(iter(lines.readline, "")):
                    with self._changed:
                        self._take(packet)
                        self._changed.notify_all()
            except OSError:
                return

    def _take(self, packet: Packet) -> None:
        if "Event" in packet:
            self.events.append(packet)
        else:
            self._answers[packet.get("ActionID", "")] = packet


def _packet(lines: Iterator[str]) -> Packet:
    packet: Packet = {}
    for line in lines:
        text = line.rstrip("\r\n")
        if not text and packet:
            return packet
        name, _, value = text.partition(": ")
        packet[name] = value
    return {}


def environment(start: Packet) -> Packet:
    """The AGI variables of an AsyncAGIStart."""
    return dict(line.partition(": ")[::2] for line in unquote(start["Env"]).splitlines() if line)
