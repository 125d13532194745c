"""What an instance is called and which secret and ports it keeps, made once and remembered in the data folder."""

import errno
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from telephony.endpoint import AmiEndpoint

LOWEST_PORT = 12_000


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """One instance's own facts. The file is 0600."""

    node: str
    """Asterisk's systemname: the prefix of every Uniqueid."""
    entity: str
    """Asterisk's entity id, a locally administered MAC address."""
    ami_user: str
    ami_secret: str
    ami_port: int
    http_port: int

    def __repr__(self) -> str:
        return f"Identity({self.node})"

    @property
    def ami(self) -> AmiEndpoint:
        return AmiEndpoint("127.0.0.1", self.ami_port, self.ami_user, self.ami_secret)


def remembered(file: Path) -> Identity | None:
    """The identity kept in `file`; none when there is no usable one."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Identity)
    except (OSError, msgspec.MsgspecError):
        return None


def new_identity(free_port: Callable[[], int]) -> Identity:
    """Fresh names, secret and ports."""
    mark = secrets.token_hex(3)
    octets = [0x02, *secrets.token_bytes(5)]  # 0x02: locally administered, unicast
    return Identity(
        node=f"hotline-{mark}",
        entity=":".join(f"{octet:02x}" for octet in octets),
        ami_user="hotline",
        ami_secret=secrets.token_urlsafe(24),
        ami_port=free_port(),
        http_port=free_port(),
    )


def with_usable_ports(identity: Identity, free_port: Callable[[], int], is_free: Callable[[int], bool]) -> Identity:
    """The same instance with another AMI or HTTP port where somebody else has taken the remembered one."""
    return msgspec.structs.replace(
        identity,
        ami_port=identity.ami_port if is_free(identity.ami_port) else free_port(),
        http_port=identity.http_port if is_free(identity.http_port) else free_port(),
    )


def keep(identity: Identity, file: Path) -> None:
    """Write it, 0600, whole or not at all."""
    write_private(file, msgspec.json.format(msgspec.json.encode(identity)))


def write_private(file: Path, content: bytes) -> None:
    """Replace `file` by `content`, readable by its owner alone, whole or not at all."""
    partial = file.with_name(f".{file.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)


def free_tcp_port() -> int:
    """A TCP port on loopback that nobody listens on now. It is below those that the kernel gives to outgoing
    connections (ip(7), ip_local_port_range), any of which could take it before its listener starts or starts again."""
    most = _first_outgoing_port() - LOWEST_PORT
    for _ in range(200 if most > 0 else 0):
        port = LOWEST_PORT + secrets.randbelow(most)
        if tcp_port_is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_outgoing_port() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return LOWEST_PORT


def tcp_port_is_free(port: int) -> bool:
    """Could somebody listen on this loopback port?"""
    return tcp_port_problem("127.0.0.1", port) == 0


def tcp_port_problem(address: str, port: int) -> int:
    """The errno that keeps us from listening on this TCP port; 0 when nothing does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port in TIME_WAIT is free
        return _bind_problem(probe, address, port)


def udp_port_problem(address: str, port: int) -> int:
    """The errno that keeps us from receiving on this UDP port; 0 when nothing does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return _bind_problem(probe, address, port)


def _bind_problem(probe: socket.socket, address: str, port: int) -> int:
    try:
        probe.bind((address, port))
    except OSError as error:
        return error.errno or errno.EINVAL
    return 0
