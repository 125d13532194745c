"""A real Asterisk for tests, configured as the product configures it: free loopback ports, a folder of its own.

`asterisk_node` is fresh for each test (0.5 s), `shared_asterisk_node` lives as long as the whole run: use numbers
and phones of your own on it. `asterisk_nodes` starts as many as a test wants, with settings of its own. Nobody
supervises these; `telephony.asterisk.AsteriskProcess` is for tests of supervision.
"""

import asyncio
import random
import signal
import socket
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hotline.settings import Settings
from telephony.child import Child
from telephony.endpoint import AmiEndpoint
from telephony.instance import Instance, Running
from telephony.provisioning import Provisioning
from telephony.readiness import Ready, wait_ready

FALLBACK_HZ, BYE_HZ = 620, 940
"""Pitches of the stand-in prompts `fallback` (1.2 s) and `bye` (0.6 s)."""


class AsteriskNode:
    """One Asterisk of one folder."""

    def __init__(self, folder: Path, **settings: object) -> None:
        chosen: dict[str, object] = {"data": folder, "sip_port": free_udp_port(), "rtp_ports": free_rtp_ports()}
        self.settings = Settings(**(chosen | settings))  # type: ignore[arg-type]
        self.instance = Instance(self.settings)
        self.running: Running | None = None
        self.ready: Ready | None = None

    @property
    def data(self) -> Path:
        return self.settings.data

    @property
    def sip(self) -> tuple[str, int]:
        """Where SIP is served."""
        return self.settings.bind, self.settings.sip_port

    @property
    def ami(self) -> AmiEndpoint:
        return self.instance.ami

    @property
    def provisioning(self) -> Provisioning:
        return Provisioning(self.instance.places.seats)

    @property
    def child(self) -> Child:
        assert self.running is not None, "this Asterisk is not running"
        return self.running.child

    @property
    def log(self) -> str:
        return self.instance.places.messages.read_text("utf-8", "replace")

    def start(self) -> "AsteriskNode":
        if self.running is None:
            self.instance.prepare()
            for name, pitch, seconds in (("fallback", FALLBACK_HZ, 1.2), ("bye", BYE_HZ, 0.6)):
                write_tone(self.instance.places.prompts / f"{name}.wav", pitch, seconds)
        self.running = self.instance.spawn()
        with ThreadPoolExecutor(1) as thread:  # a test may call this inside its event loop
            self.ready = thread.submit(asyncio.run, wait_ready(self.ami, 20)).result()
        return self

    def kill(self) -> None:
        """As a crash would: SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it and let the folder go."""
        if self.running is not None:
            self._end(signal.SIGKILL)  # nothing of it is wanted any more
        self.instance.release()

    def _end(self, number: signal.Signals) -> None:
        self.child.signal(number)
        deadline = time.monotonic() + 5
        while self.child.alive():
            assert time.monotonic() < deadline, "this Asterisk does not end"
            time.sleep(0.01)


def write_tone(file: Path, pitch: float, seconds: float) -> None:
    """A sine of 8 kHz, 16 bit, at a third of full scale."""
    samples = np.sin(2 * np.pi * pitch * np.arange(int(8000 * seconds)) / 8000) * 11000
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(8000)
        stream.writeframes(samples.astype("<i2").tobytes())


def free_udp_port() -> int:
    """Below the range from which the kernel serves others, so that it is still free after a restart."""
    return next(port for port in _candidates(1) if _free(port))


def free_rtp_ports(count: int = 400) -> str:
    """A range for `Settings.rtp_ports`, apart from those of other tests."""
    start = next(port for port in _candidates(count) if all(_free(port + step) for step in range(0, count, 20)))
    return f"{start}-{start + count - 1}"


def _candidates(count: int) -> Iterator[int]:
    while True:
        yield random.randrange(10000, 32000 - count, 2)


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@pytest.fixture
def asterisk_nodes(tmp_path: Path) -> Iterator[Callable[..., AsteriskNode]]:
    """Call it for one more started node; keyword arguments are settings."""
    nodes: list[AsteriskNode] = []

    def start(**settings: object) -> AsteriskNode:
        node = AsteriskNode(tmp_path / f"node{len(nodes)}", **settings)
        nodes.append(node)
        return node.start()

    yield start
    for node in nodes:
        node.stop()


@pytest.fixture
def asterisk_node(asterisk_nodes: Callable[..., AsteriskNode]) -> AsteriskNode:
    """A node of the test's own."""
    return asterisk_nodes()


@pytest.fixture(scope="session")
def shared_asterisk_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskNode]:
    """One node for all tests that leave nothing behind."""
    node = AsteriskNode(tmp_path_factory.mktemp("asterisk")).start()
    yield node
    node.stop()
