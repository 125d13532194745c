"""SIP on the loopback, seen by the kernel: when each INVITE and BYE passed. Latencies come from these times alone."""

import re
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_NANOSECONDS = 0xA1B23C4D
_ETHERNET, _UDP = 14, 8


@dataclass(frozen=True, slots=True)
class Packet:
    """One SIP message: seconds of the kernel's clock, UDP ports, text."""

    at: float
    source: int
    target: int
    text: bytes


class Capture:
    """`tcpdump` of one SIP port, as a context manager."""

    def __init__(self, port: int, file: Path) -> None:
        self._port, self._file = port, file
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Capture":
        command = ["tcpdump", "-i", "lo", "-s", "900", "-B", "65536", "-U", "-w", str(self._file)]
        command.append(f"udp port {self._port}")
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        stderr = self._process.stderr
        if stderr is None or not any(b"listening" in line for line in stderr):
            raise RuntimeError("tcpdump cannot listen on the loopback: run the benchmark as root")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            time.sleep(0.3)  # the kernel hands over its last buffer; nothing tells when
            self._process.terminate()
            self._process.communicate(timeout=10)


def packets(file: Path) -> Iterator[Packet]:
    """Every UDP packet of a capture file."""
    data = file.read_bytes()
    scale = 1e9 if struct.unpack_from("<I", data)[0] == _NANOSECONDS else 1e6
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        header = (frame[_ETHERNET] & 15) * 4
        source, target = struct.unpack_from("!HH", frame, _ETHERNET + header)
        yield Packet(seconds + fraction / scale, source, target, frame[_ETHERNET + header + _UDP :])


@dataclass(slots=True)
class Seen:
    """What a capture says, all times in seconds."""

    first_offer: list[float] = field(default_factory=list)
    """Citizen's INVITE to the first INVITE at a seat."""
    refill: list[float] = field(default_factory=list)
    """A seat's BYE to the next INVITE at the same seat."""
    answered: int = 0
    """Seats' 200 to an INVITE."""
    offered: int = 0
    overtaken: int = 0
    """Calls offered after one that came more than 50 ms later."""
    busy_s: float = 0.0
    """Of all seats together: ringing until they answer, and talking from the other side's ACK to the first BYE."""


_NAMES = (b"Call-ID", b"From", b"CSeq", b"Via")
_HEADER = {name: re.compile(rb"\r\n" + name + rb":\s*([^\r]*)", re.IGNORECASE) for name in _NAMES}
_USER = re.compile(rb"sips?:([^@;>]*)@")


def _header(text: bytes, name: bytes) -> bytes:
    found = _HEADER[name].search(text)
    return found[1] if found else b""


def _user(text: bytes) -> bytes:
    found = _USER.search(text)
    return found[1] if found else b""


class Reader:
    """Folds packets into latencies. `callers`, `seats`: the UDP ports of the load's two sides."""

    def __init__(self, asterisk: int, callers: int, seats: int, window: tuple[float, float]) -> None:
        self._asterisk, self._callers, self._seats, self._window = asterisk, callers, seats, window
        self._called: dict[bytes, float] = {}
        self._offered: dict[bytes, float] = {}
        self._seat_of: dict[bytes, bytes] = {}
        self._free: dict[bytes, float] = {}
        self._answers: set[bytes] = set()
        self._branches: set[bytes] = set()
        self._began: dict[bytes, float] = {}
        """Since when a seat's call rings or talks, by its Call-ID."""
        self._latest = 0.0
        self.seen = Seen()

    def read(self, file: Path) -> Seen:
        """Everything in the file; only what happens inside the window (seconds of the wall clock) counts."""
        for packet in packets(file):
            if packet.text.startswith(b"INVITE "):
                self._invite(packet)
            elif packet.text.startswith(b"BYE ") and self._seats in (packet.source, packet.target):
                self._bye(packet)
            elif packet.text.startswith(b"SIP/2.0 200") and packet.source == self._seats:
                self._ok(packet)
            elif packet.text.startswith(b"ACK ") and packet.target == self._seats:
                self._ack(packet)
        for call in list(self._began):
            self._was_busy(call, self._window[1])
        return self.seen

    def _counts(self, at: float) -> bool:
        return self._window[0] <= at <= self._window[1]

    def _invite(self, packet: Packet) -> None:
        branch = _header(packet.text, b"Via")
        if branch in self._branches:
            return
        self._branches.add(branch)
        caller = _user(_header(packet.text, b"From"))
        if packet.source == self._callers:
            self._called.setdefault(caller, packet.at)
        elif packet.source == self._asterisk and packet.target == self._seats:
            self._offer(packet, caller)

    def _offer(self, packet: Packet, caller: bytes) -> None:
        seat, call = _user(packet.text), _header(packet.text, b"Call-ID")
        self._seat_of[call], self._began[call] = seat, packet.at
        counts = self._counts(packet.at)
        if caller in self._called and caller not in self._offered:
            self._offered[caller] = packet.at
            came = self._called[caller]
            if counts:
                self.seen.first_offer.append(packet.at - came)
                self.seen.offered += 1
                self.seen.overtaken += came < self._latest - 0.05
            self._latest = max(self._latest, came)
        freed = self._free.pop(seat, None)
        if freed is not None and counts:
            self.seen.refill.append(packet.at - freed)

    def _bye(self, packet: Packet) -> None:
        call = _header(packet.text, b"Call-ID")
        self._was_busy(call, packet.at)
        seat = self._seat_of.get(call)
        if seat is not None and packet.source == self._seats:
            self._free.setdefault(seat, packet.at)

    def _ok(self, packet: Packet) -> None:
        call = _header(packet.text, b"Call-ID")
        if b"INVITE" in _header(packet.text, b"CSeq") and call not in self._answers:
            self._answers.add(call)
            self._was_busy(call, packet.at)
            self.seen.answered += self._counts(packet.at)

    def _ack(self, packet: Packet) -> None:
        """The talk begins; the ACK of a refusal ends what rang."""
        call = _header(packet.text, b"Call-ID")
        if call in self._answers:
            self._began.setdefault(call, packet.at)
        else:
            self._was_busy(call, packet.at)

    def _was_busy(self, call: bytes, until: float) -> None:
        began = self._began.pop(call, None)
        if began is not None:
            self.seen.busy_s += max(0.0, min(until, self._window[1]) - max(began, self._window[0]))
