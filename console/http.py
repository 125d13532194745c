"""The pages, and the feed that tells them when to look again."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from console import pages
from console.feed import Audience, changes
from hotline.errors import HotlineError
from hotline.security import Principal, SignedIn, identify
from transcription.visibility import reads_all


def routes(audience: Audience) -> APIRouter:
    """The pages and the feed of changes."""
    router = APIRouter(include_in_schema=False)
    router.include_router(pages.routes())

    @router.get("/api/v1/feed", response_model=None)
    async def feed(request: Request, who: Annotated[Principal, Depends(SignedIn())]) -> Response:
        """Server-sent events that say *that* something changed; what changed is asked for through the API. What is
        about the own seat comes at once.

        It ends within five seconds when the log-in does."""

        async def is_known() -> bool:
            try:
                await identify(request)
            except HotlineError:
                return False
            return True

        stream = _events(changes(audience, is_known, who.agent, reads_all=reads_all(who)))
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return router


async def _events(changed: AsyncGenerator[list[str], None]) -> AsyncIterator[str]:
    """One event per burst of news, and a comment now and then so that proxies keep the line open."""
    yield "retry: 1000\n\n"
    async with aclosing(changed) as news:
        async for kinds in news:
            yield f"data: {json.dumps({'kinds': kinds})}\n\n" if kinds else ": still here\n\n"
