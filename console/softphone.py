"""`/sip`: the socket of a softphone in the page, relayed to Asterisk for those who may sit at a seat.

A browser reaches Asterisk through here alone: same origin, guarded by the log-in, over the one certificate. Only a
seat's own account may speak, and Asterisk asks it for its secret; a line of the trunk cannot be played from a page.
Knows SIP's first line and its From, nothing more. Sound does not pass here and goes on when this socket breaks.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import structlog
import websockets
from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from hotline.security import Permission, Principal, SocketGuard, require_socket
from telephony.identity import remembered

log = structlog.get_logger(__name__)

CONNECT_S = 5.0
SEND_S = 5.0
LOOK_AGAIN_S = 4.0
"""How often the relay asks whether the one who talks may still sit at a seat."""
LARGEST = 64 * 1024
"""Bytes of one SIP message; an offer with every candidate of a machine has some 5000."""
GOING_AWAY, POLICY, TRY_LATER = 1001, 1008, 1013

_TO = re.compile(r"^(?:to|t)[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_FROM = re.compile(r"^(?:from|f)[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_SEAT = re.compile(r"""[ \t]*(?:(?:"[^"\\]*"[ \t]*|[^"<>:;@]*)<)?sips?:seat[0-9]{2,12}@""")
"""At the beginning of a From: a display name, if any, and the address of a seat's account."""

Address = Callable[[], str | None]
"""Where Asterisk's own socket is, `ws://…`; none when there is no Asterisk of ours."""


def socket_of(identity: Path) -> Address:
    """Where the Asterisk listens whose identity is kept in this file."""

    def address() -> str | None:
        known = remembered(identity)
        return None if known is None else f"ws://127.0.0.1:{known.http_port}/ws"

    return address


def routes(address: Address) -> APIRouter:
    """The route `/sip`."""
    router = APIRouter()
    guard = require_socket(Permission.SEAT_USE)

    @router.websocket("/sip")
    async def sip(websocket: WebSocket, who: Annotated[Principal, Depends(guard)]) -> None:
        """SIP over WebSocket (RFC 7118)."""
        await websocket.accept(subprotocol="sip" if "sip" in websocket.scope["subprotocols"] else None)
        where = await asyncio.to_thread(address)
        if where is None:
            await websocket.close(TRY_LATER, "There is no telephone exchange for browsers here.")
            return
        try:
            async with asyncio.timeout(CONNECT_S):
                line = await _connect(where)
        except (OSError, TimeoutError, websockets.WebSocketException):
            await websocket.close(TRY_LATER, "The telephone exchange does not answer.")
            return
        log.info("softphone connected", agent=who.agent)
        async with contextlib.aclosing(_Line(line)) as closing:
            await _relay(websocket, closing.line, guard)
        log.info("softphone gone", agent=who.agent)

    return router


def may_pass(message: str) -> bool:
    """Whether a browser may send this: an answer, a keep-alive, the request of one seat's account.

    Or a request within a dialog, where a phone that was called goes by the name that it was called by; to one that
    belongs to no dialog Asterisk answers 481 and does nothing.
    """
    if message.startswith("SIP/2.0 ") or not message.strip():
        return True
    headers = message.partition("\r\n\r\n")[0]
    to, named = _TO.findall(headers), _FROM.findall(headers)
    if len(to) != 1 or len(named) != 1:
        return False
    return ";tag=" in to[0].rpartition(">")[2] or _SEAT.match(named[0]) is not None


class _Line:
    """A connection to Asterisk that is closed whatever happens."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line

    async def aclose(self) -> None:
        await self.line.close()


async def _connect(where: str) -> ClientConnection:
    return await websockets.connect(
        where, subprotocols=[Subprotocol("sip")], compression=None, max_size=LARGEST, close_timeout=1, proxy=None
    )


async def _relay(websocket: WebSocket, line: ClientConnection, guard: SocketGuard) -> None:
    """Carry messages both ways until one side ends, or the log-in does."""
    tasks = [
        asyncio.create_task(_from_page(websocket, line), name="sip from page"),
        asyncio.create_task(_to_page(websocket, line), name="sip to page"),
        asyncio.create_task(_watch(websocket, guard), name="sip guard"),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        code = next((task.result() for task in done if not task.exception()), GOING_AWAY)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        async with asyncio.timeout(SEND_S):
            await websocket.close(code)


async def _from_page(websocket: WebSocket, line: ClientConnection) -> int:
    with contextlib.suppress(WebSocketDisconnect, websockets.ConnectionClosed, KeyError, TimeoutError):
        while True:
            message = await websocket.receive_text()
            if len(message) > LARGEST or not may_pass(message):
                return POLICY
            async with asyncio.timeout(SEND_S):
                await line.send(message)
    return GOING_AWAY


async def _to_page(websocket: WebSocket, line: ClientConnection) -> int:
    with contextlib.suppress(WebSocketDisconnect, websockets.ConnectionClosed, RuntimeError, TimeoutError):
        async for message in line:
            async with asyncio.timeout(SEND_S):
                await websocket.send_text(message if isinstance(message, str) else message.decode())
    return TRY_LATER


async def _watch(websocket: WebSocket, guard: SocketGuard) -> int:
    while True:
        await asyncio.sleep(LOOK_AGAIN_S)
        if not await guard.still_allowed(websocket):
            return POLICY
