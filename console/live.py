"""`/ws/desk`: the same news as the feed's, over a socket, for programs beside our pages.

Each message is `{"kinds": […]}`: *that* something changed; what changed is asked for through the API. The first has no
kinds, and others now and then. Nothing may be said from the other side. A listener whose rights end is closed with
1008, one who does not read for `SEND_S` with 1013.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect

from console.feed import Audience, changes
from hotline.security import Permission, Principal, SocketGuard, require_socket
from transcription.visibility import reads_all

log = structlog.get_logger(__name__)

SEND_S = 5.0
CLOSE_S = 1.0
GOING_AWAY, POLICY, TRY_LATER = 1001, 1008, 1013


def routes(audience: Audience) -> APIRouter:
    """The route `/ws/desk`."""
    router = APIRouter()
    guard = require_socket(Permission.QUEUES_WATCH)

    @router.websocket("/ws/desk")
    async def desk(websocket: WebSocket, who: Annotated[Principal, Depends(guard)]) -> None:
        """The live floor."""
        await websocket.accept()
        code = await _tell(websocket, audience, guard, who)
        if code == TRY_LATER:
            log.warning("listener of the live floor closed", agent=who.agent)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await websocket.close(code)

    return router


async def _tell(websocket: WebSocket, audience: Audience, guard: SocketGuard, who: Principal) -> int:
    """Tell news until one side ends. Returns the code to close with."""

    async def is_known() -> bool:
        return await guard.still_allowed(websocket)

    async with contextlib.aclosing(changes(audience, is_known, who.agent, reads_all=reads_all(who))) as news:
        tasks = [
            asyncio.create_task(_send(websocket, news, is_known), name="live floor"),
            asyncio.create_task(_gone(websocket), name="live floor left"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return next((task.result() for task in done if not task.exception()), GOING_AWAY)


async def _send(
    websocket: WebSocket, news: AsyncGenerator[list[str], None], is_known: Callable[[], Awaitable[bool]]
) -> int:
    try:
        async for kinds in news:
            async with asyncio.timeout(SEND_S):
                await websocket.send_json({"kinds": kinds})
    except TimeoutError:
        return TRY_LATER
    return GOING_AWAY if await is_known() else POLICY


async def _gone(websocket: WebSocket) -> int:
    """Until the other side leaves, or says anything: there is nothing to be said here."""
    message = await websocket.receive()
    return GOING_AWAY if message["type"] == "websocket.disconnect" else POLICY
