"""Who may do and see what: roles, permissions, and the one guard that every route and socket passes."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Protocol

import msgspec
from fastapi import Request

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
    SEAT_USE = "seat.use"
    SEATS_WATCH = "seats.watch"
    SEATS_FORCE = "seats.force"
    QUEUES_WATCH = "queues.watch"
    NUMBERS_READ = "numbers.read"
    NUMBERS_WRITE = "numbers.write"
    FLOWS_READ = "flows.read"
    FLOWS_WRITE = "flows.write"
    TICKETS_READ = "tickets.read"
    TICKETS_WRITE = "tickets.write"
    RECORDINGS_PLAY = "recordings.play"
    TRANSCRIPTS_READ = "transcripts.read"
    KPIS_READ = "kpis.read"
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    AUDIT_READ = "audit.read"
    SYSTEM_READ = "system.read"


_ALL = frozenset(Role)
_DESK = frozenset({Role.OPERATOR, Role.EXPERT, Role.SUPERVISOR})

POLICY: dict[Permission, frozenset[Role]] = {
    Permission.CALLS_WATCH: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.QA, Role.OPERATOR, Role.EXPERT}),
    Permission.CALLS_CONTROL: _DESK,
    Permission.SEAT_USE: _DESK,
    Permission.SEATS_WATCH: _DESK | {Role.ADMINISTRATOR},
    Permission.SEATS_FORCE: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
    Permission.QUEUES_WATCH: _DESK | {Role.ADMINISTRATOR, Role.DISPATCHER},
    Permission.NUMBERS_READ: _ALL - {Role.UNIT},
    Permission.NUMBERS_WRITE: frozenset({Role.ADMINISTRATOR}),
    Permission.FLOWS_READ: frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.QA}),
    Permission.FLOWS_WRITE: frozenset({Role.ADMINISTRATOR}),
    Permission.TICKETS_READ: _ALL - {Role.ADMINISTRATOR},
    Permission.TICKETS_WRITE: _DESK | {Role.DISPATCHER},
    Permission.RECORDINGS_PLAY: frozenset({Role.QA, Role.SUPERVISOR, Role.OPERATOR, Role.EXPERT}),
    Permission.TRANSCRIPTS_READ: frozenset({Role.QA, Role.SUPERVISOR, Role.OPERATOR, Role.EXPERT}),
    Permission.KPIS_READ: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.QA}),
    Permission.PEOPLE_READ: frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR}),
    Permission.PEOPLE_WRITE: frozenset({Role.ADMINISTRATOR}),
    Permission.AUDIT_READ: frozenset({Role.AUDITOR}),
    Permission.SYSTEM_READ: frozenset({Role.ADMINISTRATOR}),
}
"""Which roles have a permission (`domain.md` 6.2 is the source for what concerns citizens' data)."""


class NotLoggedIn(HotlineError):
    """No valid cookie or token came with the request."""


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


async def identify(request: Request) -> Principal:
    """Who sent this request.

    Raises:
        NotLoggedIn: nobody we know.
    """
    identity: Identity = request.app.state.identity
    header = request.headers.get("authorization", "")
    token = header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else None
    principal = await identity.principal(cookie=request.cookies.get("hotline_session"), token=token)
    if principal is None:
        raise NotLoggedIn("Log in, or send a bearer token.")
    return principal


def require(permission: Permission) -> Callable[[Request], Awaitable[Principal]]:
    """`Depends(require(Permission.X))` on a route."""
    return Guard(permission)
