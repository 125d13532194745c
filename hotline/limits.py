"""Refuses request bodies that are too large before anything reads them."""

import contextlib
from collections.abc import Mapping
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hotline.http import problem

DEFAULT = 1024 * 1024
"""Bytes; JSON of this product is far below."""


class BodyLimit:
    """ASGI middleware. `larger`: path prefixes that may take more, with their limit in bytes (uploads)."""

    def __init__(self, app: ASGIApp, limit: int = DEFAULT, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._larger = dict(larger or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = next((most for start, most in self._larger.items() if scope["path"].startswith(start)), self._limit)
        if _announced(scope) > limit:
            await _refuse(limit)(scope, receive, send)
            return
        counted = _Counted(receive, limit)

        async def replaced(message: Message) -> None:
            # Whoever reads the body may turn our exception into an answer of its own: ours goes out instead.
            if not counted.is_exceeded:
                await send(message)

        with contextlib.suppress(_TooLargeError):
            await self._app(scope, counted, replaced)
        if counted.is_exceeded:
            await _refuse(limit)(scope, receive, send)


class _TooLargeError(Exception):
    pass


class _Counted:
    """The body as it comes; a length that was announced too small, or not at all, is noticed here."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self.is_exceeded = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.is_exceeded = True
            raise _TooLargeError
        return message


def _announced(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


def _refuse(limit: int) -> ASGIApp:
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request body has at most {limit} bytes here.")
