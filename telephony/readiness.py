"""Is Asterisk fully booted, and which one is it? One short AMI conversation; the connection is not kept."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from telephony.endpoint import AmiEndpoint
from telephony.errors import AsteriskUnreachable, AsteriskWontStart

_RETRY_S = 0.02


@dataclass(frozen=True, slots=True)
class Ready:
    """What a fully booted Asterisk says of itself."""

    version: str
    booted: str
    """Its start, as `YYYY-MM-DD HH:MM:SS` of its own clock."""
    actions: frozenset[str]
    """Names of the AMI actions that our account may send."""


async def wait_ready(endpoint: AmiEndpoint, timeout_s: float) -> Ready:
    """Wait until Asterisk listens, lets us in and is fully booted.

    Raises:
        AsteriskUnreachable: not within `timeout_s` seconds.
        AsteriskWontStart: it is there, but refuses our account.
    """
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    return await _ask(endpoint)
                except (OSError, asyncio.IncompleteReadError):
                    await asyncio.sleep(_RETRY_S)
    except TimeoutError as error:
        raise AsteriskUnreachable(
            f"Asterisk's AMI on {endpoint.host}:{endpoint.port} did not become ready within {timeout_s:g} s."
        ) from error


async def _ask(endpoint: AmiEndpoint) -> Ready:
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    try:
        await reader.readline()  # the banner
        return await _converse(reader, writer, endpoint)
    finally:
        writer.close()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, endpoint: AmiEndpoint) -> Ready:
    _send(writer, Action="Login", Username=endpoint.user, Secret=endpoint.secret, ActionID="login")
    login = await _until(reader, "ActionID", "login")
    if login.get("Response") != "Success":
        raise AsteriskWontStart(
            f"Asterisk on {endpoint.host}:{endpoint.port} refused the AMI account {endpoint.user}: "
            "its user or secret is not the one in its manager.conf."
        )
    await _until(reader, "Event", "FullyBooted")
    _send(writer, Action="CoreSettings", ActionID="settings")
    settings = await _until(reader, "ActionID", "settings")
    _send(writer, Action="CoreStatus", ActionID="status")
    status = await _until(reader, "ActionID", "status")
    _send(writer, Action="ListCommands", ActionID="actions")
    actions = await _until(reader, "ActionID", "actions")
    _send(writer, Action="Logoff")
    return Ready(
        version=settings.get("AsteriskVersion", ""),
        booted=f"{status.get('CoreStartupDate', '')} {status.get('CoreStartupTime', '')}".strip(),
        actions=frozenset(actions.keys() - {"Response", "ActionID"}),
    )


def _send(writer: asyncio.StreamWriter, **fields: str) -> None:
    writer.write("".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n")


async def _until(reader: asyncio.StreamReader, name: str, value: str) -> Mapping[str, str]:
    """The next packet whose field `name` is `value`."""
    while True:
        packet = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        fields: dict[str, str] = {}
        for line in packet.splitlines():
            key, _, text = line.partition(": ")
            fields[key] = text
        if fields.get(name) == value:
            return fields
