"""The audio of one call: RTP (RFC 3550) with G.711 both ways at exactly 50 packets a second, and telephone keys.

Its work is done by the phone's loop: `_beat` every 20 ms, `_readable` when packets wait. Nothing is kept of a
packet but its audio in the `Ear`. Refuses to know SIP.
"""

import random
import socket
import struct
from collections.abc import Callable

from telephony.audio import RATE, SILENCE, SLOT_BYTES, SLOT_SAMPLES, from_alaw, from_ulaw, to_alaw, to_ulaw
from telephony.softphone.ear import Ear
from telephony.softphone.keys import KeyReader, KeySender
from telephony.softphone.loop import Loop
from telephony.softphone.model import Codec, MediaFigures
from telephony.softphone.pyvoip import PayloadType, RTPClient, TransmitType
from telephony.softphone.sdp import PAYLOADS, Description
from telephony.softphone.sockets import drain_errors
from telephony.softphone.sources import Source

HEADER = struct.Struct("!BBHLL")
VERSION = 0x80
MARKER = 0x80
REFUSALS = 50
JITTER = 0.06
"""Seconds by which a packet may come early."""
SETTLE = 1.0
"""Seconds after which audio from an address that was not announced is accepted, if nothing came from the right one."""
ENCODE = {Codec.PCMA: to_alaw, Codec.PCMU: to_ulaw}
DECODE = {Codec.PCMA: from_alaw, Codec.PCMU: from_ulaw}
NUMBERS = {codec: number for number, codec in PAYLOADS.items()}


class Media(RTPClient):
    """One audio stream on a socket of its own. `spoken` is called when the source ends, `heard_key` for each
    key, `vanished` when the other end's port has been closed for a second."""

    def __init__(
        self, loop: Loop, sock: socket.socket, ear: Ear, *, spoken: Callable[[], None],
        heard_key: Callable[[str], None], vanished: Callable[[], None],
    ) -> None:  # fmt: skip
        address, port = sock.getsockname()
        codecs = {number: PayloadType(number) for number in PAYLOADS}
        super().__init__(codecs, address, port, address, 0, TransmitType.SENDRECV, dtmf=heard_key)
        self.sin = self.sout = sock
        self.source: Source | None = None
        self.started = False
        self.muted = False
        """Silence is sent, and the source waits."""
        self._vanished, self._refusals = vanished, 0
        self._loop, self._ear, self._spoken, self._heard_key = loop, ear, spoken, heard_key
        self._keys, self._reader = KeySender(), KeyReader()
        self._codec, self._event, self._sending, self._listening = Codec.PCMA, 0, False, True
        self._event_known = False
        self._sequence, self._timestamp = random.getrandbits(15), random.getrandbits(31)
        self._ssrc, self._marker = random.getrandbits(32), MARKER
        self._sent = self._received = self._lost = 0
        self._gap = 0.0
        self._last_in: int | None = None
        self._last_at: float | None = None
        self._audio_in: tuple[int, int] | None = None
        """Source of the latest audio, and the time stamp due next."""
        self._heard_since = self._heard = 0.0
        """When the first audio came, and the seconds of audio and pauses since."""
        self._begun = 0.0
        self._right_source_heard = False

    def aim(self, theirs: Description, codec: Codec, *, sending: bool, listening: bool) -> None:
        """Send to where the other side wants it, as it wants it; may be called again at any time."""
        self.outIP, self.outPort = theirs.address, theirs.port
        self._codec, self._sending, self._listening = codec, sending, listening
        self._event_known = theirs.event is not None
        self._event = theirs.event or 0
        self._right_source_heard = False

    def start(self) -> None:
        if not self.started:
            self.started = True
            self._begun = self._loop.clock.monotonic()
            self._loop.watch(self.sin, self._readable)
            self._loop.beat(self, self._beat)

    def stop(self) -> None:
        """Close the socket; its port is free again."""
        self.NSD = False
        if self.started:
            self._loop.unbeat(self)
            self._loop.unwatch(self.sin)
            self.started = False
        self.sin.close()

    def press(self, keys: str, seconds: float, gap: float) -> None:
        self._keys.press(keys, seconds, gap)

    @property
    def pressing(self) -> bool:
        return self._keys.busy

    @property
    def sends_events(self) -> bool:
        """Whether the other side takes keys as RTP events."""
        return self._event_known

    @property
    def figures(self) -> MediaFigures:
        return MediaFigures(
            sent=self._sent, received=self._received, lost=self._lost, max_gap=self._gap, skipped=self._loop.skipped
        )

    # sending

    def _beat(self, _now: float) -> None:
        events = self._keys.slot(self._timestamp) if self._event_known else []
        for timestamp, first, payload in events:
            self._packet(self._event | (MARKER if first else 0), timestamp, payload)
        if not events:
            pcm = self._next_slot()
            if self._sending:
                self._packet(NUMBERS[self._codec] | self._marker, self._timestamp, ENCODE[self._codec](pcm))
                self._marker = 0
        self._timestamp = (self._timestamp + SLOT_SAMPLES) & 0xFFFFFFFF

    def _next_slot(self) -> bytes:
        if self.muted:
            return SILENCE
        pcm = self.source.read() if self.source else None
        if pcm is not None:
            return pcm if len(pcm) == SLOT_BYTES else pcm.ljust(SLOT_BYTES, b"\0")[:SLOT_BYTES]
        if self.source:
            self.source = None
            self._spoken()
        return SILENCE

    def _packet(self, kind: int, timestamp: int, payload: bytes) -> None:
        header = HEADER.pack(VERSION, kind, self._sequence, timestamp, self._ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            self.sout.sendto(header + payload, (self.outIP, self.outPort))
        except BlockingIOError:  # a full buffer: audio is not sent twice
            return
        except OSError:
            self._refused()
            return
        self._sent += 1

    def _refused(self) -> None:
        """The other end's port is closed: normal while a BYE is under way, but not for long."""
        if (self.outIP, self.outPort) in drain_errors(self.sin):
            self._refusals += 1
            if self._refusals == REFUSALS:
                self._vanished()

    # receiving

    def _readable(self) -> None:
        for _ in range(64):  # then let the clock beat
            try:
                data, source = self.sin.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                self._refused()
                return
            if len(data) >= HEADER.size and data[0] >> 6 == 2 and self._is_expected(source):
                self._take(data)

    def _is_expected(self, source: tuple[str, int]) -> bool:
        """A port that was used a moment ago may still get a stranger's audio."""
        if source == (self.outIP, self.outPort):
            self._right_source_heard = True
            return True
        return not self._right_source_heard and self._loop.clock.monotonic() - self._begun > SETTLE

    def _take(self, data: bytes) -> None:
        flags, kind, sequence, timestamp, source = HEADER.unpack_from(data)
        start = HEADER.size + 4 * (flags & 0x0F)
        if flags & 0x10 and len(data) >= start + 4:
            start += 4 + 4 * int(struct.unpack_from("!H", data, start + 2)[0])
        payload = data[start : len(data) - data[-1]] if flags & 0x20 else data[start:]
        now = self._loop.clock.monotonic()
        self._count(sequence, now)
        number = kind & 0x7F
        if self._event_known and number == self._event:
            key = self._reader.read(timestamp, payload)
            if key:
                self._heard_key(key)
        elif number in PAYLOADS and self._listening:
            pcm = DECODE[PAYLOADS[number]](payload)
            self._ear.put(now, pcm, self._pause(now, source, timestamp, len(payload)))

    def _pause(self, now: float, source: int, timestamp: int, count: int) -> float:
        """Seconds of audio that the sender left out (or that got lost) before this packet, by its own clock; packets
        that only came late leave nothing out. Clocks jump when a switch changes what it plays, and a new source has
        another one: never more than by which the audio is behind our own clock."""
        if self._audio_in is None:
            self._heard_since = now
            pause = 0.0
        else:
            behind = max(0.0, now - self._heard_since - self._heard)
            last_source, due = self._audio_in
            skipped = ((timestamp - due + 2**31) % 2**32 - 2**31) / RATE
            pause = min(max(0.0, skipped), behind + JITTER) if source == last_source else behind
        self._audio_in = (source, (timestamp + count) % 2**32)
        self._heard += pause + count / RATE
        return pause

    def _count(self, sequence: int, now: float) -> None:
        self._received += 1
        self._refusals = 0
        if self._last_in is not None and self._last_at is not None:
            missing = ((sequence - self._last_in) & 0xFFFF) - 1
            if 0 < missing < 1000:  # a larger step is a new stream
                self._lost += missing
            self._gap = max(self._gap, now - self._last_at)
        self._last_in, self._last_at = sequence, now
