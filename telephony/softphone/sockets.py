"""UDP sockets of the softphone. A media port belongs to a call from the moment it is chosen: it is bound at once,
so that neither another call, nor another phone, nor another process can take it."""

import itertools
import random
import socket

from telephony.softphone.errors import NoPortFree

IP_RECVERR = 11
"""Linux: tell this socket of ICMP errors, so that a closed port is known at once. Python has no name for it."""
TRIES = 64
BUFFER = 1 << 18
_turn = itertools.count(random.randrange(1 << 16))  # noqa: S311  # only spreads ports


def signalling_socket(address: str, port: int) -> socket.socket:
    """A bound, non-blocking socket; port 0 takes any.

    Raises:
        NoPortFree: somebody else listens there.
    """
    made = _udp()
    try:
        made.bind((address, port))
    except OSError as error:
        made.close()
        raise NoPortFree(
            f"The softphone cannot listen on {address}:{port} ({error.strerror}): free the port."
        ) from error
    return made


def media_socket(address: str, first: int, last: int) -> socket.socket:
    """A bound socket on an even port of `first` to `last` (RFC 3550 §11); 0 to 0 takes any even port.

    Raises:
        NoPortFree: every port is taken.
    """
    for port in _candidates(first, last):
        made = _udp()
        try:
            made.bind((address, port))
        except OSError:
            made.close()
            continue
        if made.getsockname()[1] % 2 == 0:
            return made
        made.close()
    raise NoPortFree(f"Every media port from {first} to {last} is in use: widen the range or end a call.")


def drain_errors(made: socket.socket) -> set[tuple[str, int]]:
    """Addresses that refused what was sent there (ICMP); while a report waits, the socket looks readable for ever."""
    refused: set[tuple[str, int]] = set()
    while True:
        try:
            _, _, _, address = made.recvmsg(512, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return refused
        refused.add(address)


def _candidates(first: int, last: int) -> list[int]:
    if not first and not last:
        return [0] * TRIES
    ports = list(range(first + first % 2, last + 1, 2))
    turn = next(_turn) % max(1, len(ports))
    return ports[turn:] + ports[:turn]


def _udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    made.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    return made
