"""The pages, and the feed that tells them when to look again."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from console import pages
from console.news import TOPIC
from hotline.errors import HotlineError
from hotline.ports import Broadcast
from hotline.security import Principal, SignedIn, identify

KEEP_ALIVE_S = 15.0
LOOK_AGAIN_S = 4.0
"""How often a feed asks whether the one who listens is still somebody."""
QUIET_S = 0.25
"""News within this time are one message: a page asks again anyway."""
SOON_S = 0.03
"""As above, for news of the own seat."""
OWN = "own"
"""The kind of news that is about the seat of who listens."""


def routes(broadcast: Broadcast) -> APIRouter:
    """The pages and the feed of changes."""
    router = APIRouter(include_in_schema=False)
    router.include_router(pages.routes())

    @router.get("/api/v1/feed", response_model=None)
    async def feed(request: Request, who: Annotated[Principal, Depends(SignedIn())]) -> Response:
        """Server-sent events that say *that* something changed; what changed is asked for through the API. What is
        about the own seat comes at once.

        It ends within `LOOK_AGAIN_S` when the log-in does."""

        async def is_known() -> bool:
            try:
                await identify(request)
            except HotlineError:
                return False
            return True

        stream = _changes(broadcast, is_known, who.agent)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return router


async def _changes(broadcast: Broadcast, is_known: Callable[[], Awaitable[bool]], seat: str) -> AsyncIterator[str]:
    """One event per burst of news, and a comment now and then so that proxies keep the line open."""
    heard, own, kinds = asyncio.Event(), asyncio.Event(), set[str]()

    async def listen() -> None:
        async for news in broadcast.subscribe(TOPIC):
            kinds.update(news.get("kinds", ()))
            if seat and seat in news.get("seats", ()):
                kinds.add(OWN)
                own.set()
            heard.set()

    clock = asyncio.get_running_loop().time
    listener = asyncio.create_task(listen(), name="feed")
    looked = said = clock()
    try:
        yield "retry: 1000\n\n"
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(looked + LOOK_AGAIN_S):
                    await heard.wait()
            if clock() >= looked + LOOK_AGAIN_S:
                if not await is_known():
                    return
                looked = clock()
            if heard.is_set():
                heard.clear()
                own.clear()
                told = sorted(kinds)
                kinds.clear()
                yield f"data: {json.dumps({'kinds': told})}\n\n"
                said = clock()
                await asyncio.sleep(SOON_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(QUIET_S - SOON_S):
                        await own.wait()
            elif clock() >= said + KEEP_ALIVE_S:
                yield ": still here\n\n"
                said = clock()
    finally:
        listener.cancel()
