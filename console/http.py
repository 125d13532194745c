"""The pages and their feed. Pages are files; everything they show comes through the API with its own guards."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from hotline.errors import HotlineError, NotFound
from hotline.ports import Broadcast
from hotline.security import NotLoggedIn, Principal, SignedIn, identify

STATIC = Path(__file__).parent / "static"
ASSETS = {
    "status.css": "text/css; charset=utf-8",
    "status.js": "text/javascript; charset=utf-8",
    "login.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
KEEP_ALIVE_S = 15.0
LOOK_AGAIN_S = 4.0
"""How often a feed asks whether the one who listens is still somebody."""
QUIET_S = 0.25
"""News within this time are one message: a page asks again anyway."""


def routes(broadcast: Broadcast) -> APIRouter:
    """`/`, `/login`, `/assets/…` and the feed of changes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/", response_model=None)
    async def home(request: Request) -> Response:
        """The status page; whoever is not logged in is led to the log-in page."""
        try:
            await identify(request)
        except NotLoggedIn:
            return RedirectResponse("/login", status_code=303, headers=HEADERS)
        return FileResponse(STATIC / "index.html", headers=HEADERS)

    @router.get("/login", response_model=None)
    async def login() -> Response:
        return FileResponse(STATIC / "login.html", headers=HEADERS)

    @router.get("/assets/{name}", response_model=None)
    async def asset(name: str) -> Response:
        if name not in ASSETS:
            raise NotFound("There is no such file.")
        return FileResponse(STATIC / name, media_type=ASSETS[name], headers=HEADERS)

    @router.get("/api/v1/feed", response_model=None)
    async def feed(request: Request, _: Annotated[Principal, Depends(SignedIn())]) -> Response:
        """Server-sent events that say *that* something changed; what changed is asked for through the API.

        It ends within `LOOK_AGAIN_S` when the log-in does."""

        async def is_known() -> bool:
            try:
                await identify(request)
            except HotlineError:
                return False
            return True

        stream = _changes(broadcast, is_known)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return router


async def _changes(broadcast: Broadcast, is_known: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    """One event per burst of news, and a comment now and then so that proxies keep the line open."""
    heard, kinds = asyncio.Event(), set[str]()

    async def listen() -> None:
        async for news in broadcast.subscribe("changes"):
            kinds.update(news.get("kinds", ()))
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
                told = sorted(kinds)
                kinds.clear()
                yield f"data: {json.dumps({'kinds': told})}\n\n"
                said = clock()
                await asyncio.sleep(QUIET_S)
            elif clock() >= said + KEEP_ALIVE_S:
                yield ": still here\n\n"
                said = clock()
    finally:
        listener.cancel()
