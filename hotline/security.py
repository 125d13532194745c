"""Who may do and see what: roles, permissions, and the one guard that every route and socket passes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from fastapi import Request, WebSocket, WebSocketException, status
from starlette.requests import HTTPConnection

from hotline.errors import HotlineError, NotAllowed


class Role(StrEnum):
    """What a person is to the hotline; one person may have several."""

    OPERATOR = "operator"  # 话务员
    EXPERT = "expert"  # 专家
    SUPERVISOR = "supervisor"  # 班长
    DISPATCHER = "dispatcher"  # 派单员
    UNIT = "unit"  # 承办单位
    QA = "qa"  # 质检员
    ADMINISTRATOR = "administrator"  # 系统管理员
    AUDITOR = "auditor"  # 审计员


class Permission(StrEnum):
    """One thing that somebody may do or see."""

    CALLS_WATCH = "calls.watch"
    CALLS_CONTROL = "calls.control"
    CALLS_SUPERVISE = "calls.supervise"
    SEAT_USE = "seat.use"
    SEATS_WATCH = "seats.watch"
    SEATS_FORCE = "seats.force"
    ROSTER_WRITE = "roster.write"
    QUEUES_WATCH = "queues.watch"
    NUMBERS_READ = "numbers.read"
    NUMBERS_WRITE = "numbers.write"
    FLOWS_READ = "flows.read"
    FLOWS_WRITE = "flows.write"
    TICKETS_READ = "tickets.read"
    TICKETS_WRITE = "tickets.write"
    RECORDINGS_PLAY = "recordings.play"
    TRANSCRIPTS_READ = "transcripts.read"
    QUALITY_REVIEW = "quality.review"
    KPIS_READ = "kpis.read"
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    AUDIT_READ = "audit.read"
    SYSTEM_READ = "system.read"
    API_READ = "api.read"


_ALL = frozenset(Role)
_DESK = frozenset({Role.OPERATOR, Role.EXPERT, Role.SUPERVISOR})

POLICY: dict[Permission, frozenset[Role]] = {
    Permission.CALLS_WATCH: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.QA, Role.OPERATOR, Role.EXPERT}),
    Permission.CALLS_CONTROL: _DESK,
    Permission.CALLS_SUPERVISE: frozenset({Role.SUPERVISOR}),
    Permission.SEAT_USE: _DESK,
    Permission.SEATS_WATCH: _DESK | {Role.ADMINISTRATOR},
    Permission.SEATS_FORCE: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
    Permission.ROSTER_WRITE: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
    Permission.QUEUES_WATCH: _DESK | {Role.ADMINISTRATOR, Role.DISPATCHER},
    Permission.NUMBERS_READ: _ALL - {Role.UNIT},
    Permission.NUMBERS_WRITE: frozenset({Role.ADMINISTRATOR}),
    Permission.FLOWS_READ: frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.QA}),
    Permission.FLOWS_WRITE: frozenset({Role.ADMINISTRATOR}),
    Permission.TICKETS_READ: _ALL - {Role.ADMINISTRATOR},
    Permission.TICKETS_WRITE: _DESK | {Role.DISPATCHER},
    Permission.RECORDINGS_PLAY: frozenset({Role.QA, Role.SUPERVISOR, Role.OPERATOR, Role.EXPERT}),
    Permission.TRANSCRIPTS_READ: frozenset({Role.QA, Role.SUPERVISOR, Role.DISPATCHER, Role.OPERATOR, Role.EXPERT}),
    Permission.QUALITY_REVIEW: frozenset({Role.QA, Role.SUPERVISOR}),
    Permission.KPIS_READ: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.QA}),
    Permission.PEOPLE_READ: frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR}),
    Permission.PEOPLE_WRITE: frozenset({Role.ADMINISTRATOR}),
    Permission.AUDIT_READ: frozenset({Role.AUDITOR}),
    Permission.SYSTEM_READ: frozenset({Role.ADMINISTRATOR}),
    Permission.API_READ: _ALL,
}
"""Which roles have a permission (`domain.md` 6.2 is the source for what concerns citizens' data)."""


COOKIE = "hotline_session"
"""Name of the cookie that a log-in sets."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, so a foreign page gains nothing by causing them."""


PUBLIC = frozenset({"POST /api/v1/login", "GET /healthz", "GET /readyz", "GET /metrics"})
"""Doors without a guard. `/metrics` has a rule of its own: this machine only."""


class NotLoggedIn(HotlineError):
    """No valid cookie or token came with the request."""


class TooManyAttempts(HotlineError):
    """Too many failed log-ins: the same answer whether or not the account exists."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("Too many failed attempts: wait a while.")
        self.wait = wait


class Principal(msgspec.Struct, frozen=True):
    """Who is asking."""

    person: str
    """Person id, or `token:NAME` for a script."""
    name: str
    roles: frozenset[Role]
    agent: str = ""
    """工号 (work number) when the person may sit at a seat."""
    unit: str = ""
    """承办单位 (handling unit) the person belongs to."""

    def may(self, permission: Permission) -> bool:
        return not self.roles.isdisjoint(POLICY[permission])


class Identity(Protocol):
    """Tells who stands behind a cookie or a bearer token."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None: ...


class Guard:
    """A FastAPI dependency: the principal, if the permission is theirs. Tests walk every route for one of these."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Principal:
        principal = await identify(request)
        if not principal.may(self.permission):
            raise NotAllowed(f"The permission {self.permission} is needed.")
        return principal


class SignedIn:
    """A FastAPI dependency: the principal, whoever it is. For what concerns only the person who asks."""

    async def __call__(self, request: Request) -> Principal:
        return await identify(request)


class SocketGuard:
    """A FastAPI dependency of a WebSocket route: the principal, if the permission is theirs.

    A browser's socket must come from a page of ours, because the cookie travels along from anywhere. Nothing
    is ever read from the URL, which ends up in logs. A long-lived socket asks `still_allowed` every few seconds.
    """

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, websocket: WebSocket) -> Principal:
        principal = await _known(websocket)
        if principal is None or not principal.may(self.permission) or not _is_own_socket(websocket):
            raise WebSocketException(status.WS_1008_POLICY_VIOLATION, "Log in first.")
        return principal

    async def still_allowed(self, websocket: WebSocket) -> bool:
        """Whether the log-in still counts and still has the permission."""
        principal = await _known(websocket)
        return principal is not None and principal.may(self.permission)


async def identify(request: Request) -> Principal:
    """Who sent this request.

    Raises:
        NotLoggedIn: nobody we know.
        NotAllowed: a browser was made to send it by a foreign page.
    """
    principal = await _known(request)
    if principal is None:
        raise NotLoggedIn("Log in, or send a bearer token.")
    if request.method not in SAFE_METHODS and _token(request) is None and not is_same_origin(request, required=True):
        raise NotAllowed("This request has to come from a page of the hotline itself.")
    return principal


def is_same_origin(connection: HTTPConnection, *, required: bool) -> bool:
    """Whether a page of ours made the browser send this. `required`: the answer when the headers do not tell."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = connection.headers.get("origin")
    if origin is None:
        return not required
    return urlsplit(origin).netloc == connection.headers.get("host", "")


async def _known(connection: HTTPConnection) -> Principal | None:
    identity: Identity = connection.app.state.identity
    token = _token(connection)
    cookie = connection.cookies.get(COOKIE) if token is None else None
    return await identity.principal(cookie=cookie, token=token)


def _token(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _is_own_socket(websocket: WebSocket) -> bool:
    # Scripts send no Origin and no cookie; browsers always send an Origin with a socket.
    origin = websocket.headers.get("origin")
    if origin is None:
        return _token(websocket) is not None
    return urlsplit(origin).netloc == websocket.headers.get("host", "")


def require(permission: Permission) -> Callable[[Request], Awaitable[Principal]]:
    """`Depends(require(Permission.X))` on a route."""
    return Guard(permission)


def require_socket(permission: Permission) -> SocketGuard:
    """`Depends(require_socket(Permission.X))` on a WebSocket route."""
    return SocketGuard(permission)
