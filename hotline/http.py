"""What every route shares: problem+json errors, pages with a cursor, creates that a retry does not repeat.

This is the one place that knows which HTTP status an error has. It knows no room and no table of a room.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Generic, Protocol, TypeVar

import structlog
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from hotline.errors import BadInput, Conflict, HotlineError, NotAllowed, NotFound, Unavailable
from hotline.security import NotLoggedIn, Principal, TooManyAttempts

log = structlog.get_logger(__name__)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

STATUS: Mapping[type[HotlineError], HTTPStatus] = {
    BadInput: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    NotLoggedIn: HTTPStatus.UNAUTHORIZED,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
}
"""The status of an error and of its subclasses; the nearest ancestor counts."""


EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2990, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
"""A time as clients send it: with its zone, and far enough from both ends of the calendar to be converted."""


class RequestBody(BaseModel):
    """Base of what clients send: unknown fields, NaN and infinities are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_max_length=20_000, frozen=True)


class Page(BaseModel, Generic[T]):
    """One page of a list. `next` is given back as `cursor` for the following page; null on the last one."""

    items: list[T]
    next: str | None = None


class Paging(BaseModel):
    """What the client asked for."""

    limit: int
    cursor: str | None

    def after(self, *types: type) -> tuple[Any, ...] | None:
        """The key behind the cursor, or `None` on the first page.

        `types`: the type of each part of the key: `str`, `int`, `float`, or `datetime`, which the list wrote as
        ISO 8601.

        Raises:
            BadInput: the cursor is not one of ours.
        """
        return None if self.cursor is None else decode_cursor(self.cursor, types)

    def page(self, rows: Sequence[T], key: Callable[[T], Sequence[str | int | float]]) -> "Page[T]":
        """A page out of up to `limit + 1` rows that were fetched; `key` is what the list is ordered by."""
        items = list(rows[: self.limit])
        more = len(rows) > self.limit
        return Page(items=items, next=encode_cursor(key(items[-1])) if more else None)


def paging(limit: Annotated[int, Query(ge=1, le=500)] = 50, cursor: str | None = None) -> Paging:
    """`Annotated[Paging, Depends(paging)]` on a route that lists. Fetch `limit + 1` rows with a key above `after()`."""
    return Paging(limit=limit, cursor=cursor)


def encode_cursor(key: Sequence[str | int | float]) -> str:
    """An opaque cursor for the key of the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, types: Sequence[type]) -> tuple[Any, ...]:
    """The key that `encode_cursor` was given.

    Raises:
        BadInput: it is not one of ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = json.loads(base64.urlsafe_b64decode(padded))
        return _key(key, types)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadInput("The cursor is not one that this list gave out.") from error


def _key(parts: object, types: Sequence[type]) -> tuple[Any, ...]:
    if not isinstance(parts, list):
        raise ValueError("a key is a list")  # noqa: TRY004 - the caller tells one kind of mistake
    return tuple(_part(part, wanted) for part, wanted in zip(parts, types, strict=True))


def _part(part: object, wanted: type) -> object:
    """One part of a key as a database can compare it."""
    if wanted is datetime and isinstance(part, str):
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None or not EARLIEST < moment < LATEST:
            raise ValueError("no moment of ours")
        return moment
    if type(part) is not wanted or (isinstance(part, int) and abs(part) >= 2**63):
        raise ValueError("another type, or too large")
    if isinstance(part, str) and b"\0" in part.encode():  # half a surrogate pair is a ValueError too
        raise ValueError("not storable")
    return part


class Idempotency(Protocol):
    """Remembers what a create answered, so that a retry with the same `Idempotency-Key` gets the same answer."""

    async def once(
        self, scope: str, key: str, fingerprint: str, make: Callable[[], Awaitable[tuple[int, bytes]]]
    ) -> tuple[int, bytes]:
        """The answer (status, JSON) of the first `make` for this `scope` and `key`.

        Raises:
            BadInput: the key was used for another body (`fingerprint`).
            Conflict: the first request with this key is still being worked on, or its outcome is unknown.
        """
        ...


async def create(
    request: Request, who: Principal, make: Callable[[], Awaitable[M]], status: HTTPStatus = HTTPStatus.CREATED
) -> Response:
    """Run `make` once per `Idempotency-Key` of this person and route, and answer with what it returned.

    Without the header `make` simply runs.
    """

    async def answer() -> tuple[int, bytes]:
        return int(status), (await make()).model_dump_json().encode()

    key = request.headers.get("idempotency-key")
    if key is None:
        code, body = await answer()
    elif not 0 < len(key) <= 200:
        raise BadInput("An Idempotency-Key has 1 to 200 characters.")
    else:
        idempotency: Idempotency = request.app.state.idempotency
        scope = f"{who.person} {request.method} {request.url.path}"
        code, body = await idempotency.once(scope, key, await _fingerprint(request), answer)
    return Response(body, status_code=code, media_type="application/json")


async def _fingerprint(request: Request) -> str:
    return hashlib.sha256(await request.body()).hexdigest()


def problem(
    status: HTTPStatus | int, detail: str = "", problems: Sequence[str] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An RFC 9457 answer. `detail` is one sentence; `problems` lists every mistake when there are several."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": int(status)}
    if detail:
        body["detail"] = detail
    if problems:
        body["problems"] = list(problems)
    return JSONResponse(body, int(status), dict(headers or {}), media_type="application/problem+json")


def status_of(error: HotlineError) -> HTTPStatus:
    """The HTTP status of an error; 500 for one that nobody mapped."""
    known = (STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return next(known, HTTPStatus.INTERNAL_SERVER_ERROR)


def install_problems(app: FastAPI) -> None:
    """Make every error of `app` a problem+json answer, without internals."""
    app.add_exception_handler(HotlineError, _hotline_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


async def _hotline_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HotlineError)  # noqa: S101 - Starlette's signature is wider than its behaviour
    status = status_of(error)
    problems = error.problems if isinstance(error, BadInput) else ()
    headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(max(1, round(error.wait.total_seconds())))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, str(error), problems, headers)


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    problems = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
    return problem(HTTPStatus.BAD_REQUEST, "The request cannot be used as it is.", problems)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
    return problem(error.status_code, detail, headers=error.headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side; it was logged.")
