"""How much CPU one AMI event costs the process that takes it in: our link beside panoramisk's own `Manager`.

A child process sends a recorded shape of stream (twenty headers, some 600 bytes, Chinese values among them) as fast as
the socket takes it. Full: every event is wanted and becomes a mapping. Filtered: the event is one that nobody wants.
"""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine

from panoramisk.manager import Manager

from bench.row import Row, compare
from hotline.clock import SystemClock
from telephony.ami import AmiLink
from telephony.endpoint import AmiEndpoint

EVENTS = 60_000
FULL_RATIO, FILTERED_RATIO = 1 / 3, 1 / 8
LAST = b"Event: EndOfBench\r\nNumber: 1\r\n\r\n"


def stream() -> bytes:
    """Two hundred events, alike in shape."""
    lines = "".join(f"Header{number}: value {number}\r\n" for number in range(14))
    events = (
        f"Event: Newexten\r\nPrivilege: dialplan,all\r\nChannel: PJSIP/trunk-{number:08x}\r\n"
        f"Uniqueid: hotline-{number}.1\r\n"
        f"CallerIDName: 路灯报修{number:04d}\r\nContext: arrive\r\n{lines}X-Rest: {'y' * 200}\r\n\r\n"
        for number in range(200)
    )
    return "".join(events).encode()


def flood(listener: socket.socket) -> int:
    """A child process that greets, lets in, and sends; returns its pid."""
    child = os.fork()
    if child:
        return child
    connection, _ = listener.accept()
    connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    request = connection.recv(4096)
    ids = [line for line in request.split(b"\r\n") if line.lower().startswith(b"actionid")]
    connection.sendall(
        b"Response: Success\r\n"
        + b"".join(line + b"\r\n" for line in ids)
        + b"Message: Authentication accepted\r\n\r\n"
    )
    connection.sendall(b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n")
    block = stream()
    for _ in range(EVENTS // 200):
        connection.sendall(block)
    connection.sendall(LAST)
    connection.settimeout(5)
    connection.recv(4096)
    os._exit(0)


async def panoramisk(port: int) -> float:
    """CPU seconds of the stock client with one handler for every event."""
    taken = [0]
    done = asyncio.get_running_loop().create_future()
    manager = Manager(loop=asyncio.get_running_loop(), host="127.0.0.1", port=port, username="u", secret="s")  # noqa: S106
    manager.register_event("*", lambda _manager, _event: taken.__setitem__(0, taken[0] + 1))
    manager.register_event("EndOfBench", lambda _manager, _event: done.set_result(None))
    began = time.process_time()
    manager.connect()
    async with asyncio.timeout(60):
        await done
    used = time.process_time() - began
    manager.close()
    return used


async def ours(port: int, *, wanted: bool) -> float:
    """CPU seconds of our link; `wanted`: whether anybody asks for the events."""
    done = asyncio.Event()

    def hear(message: object) -> None:
        if isinstance(message, dict) and message.get("Event") == "EndOfBench":
            done.set()

    names = ("EndOfBench", "Newexten") if wanted else ("EndOfBench",)
    link = AmiLink(AmiEndpoint("127.0.0.1", port, "u", "s"), SystemClock(), hear, events=names)
    began = time.process_time()
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(60):
        await done.wait()
    used = time.process_time() - began
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return used


def microseconds(take_in: Callable[[int], Coroutine[None, None, float]]) -> float:
    """CPU time of one event in a run of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        child = flood(listener)
        try:
            return asyncio.run(take_in(listener.getsockname()[1])) / EVENTS * 1e6
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def measure(rounds: int) -> list[Row]:
    """All three in turn."""
    logging.disable(logging.CRITICAL)
    stock, full, filtered = [], [], []
    for _ in range(rounds):
        stock.append(microseconds(panoramisk))
        full.append(microseconds(lambda port: ours(port, wanted=True)))
        filtered.append(microseconds(lambda port: ours(port, wanted=False)))
    logging.disable(logging.NOTSET)
    return [
        compare("ami_intake_full", "µs/event", full, stock, at_most_ratio=FULL_RATIO),
        compare("ami_intake_filtered", "µs/event", filtered, stock, at_most_ratio=FILTERED_RATIO),
    ]
