"""Walks every route and socket of an application and tries to get in without the right to.

`trespasses(app)` is given any FastAPI application; it replaces who is who by one principal per role, asks at
every door without log-in and with every role, and compares with `POLICY`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Message

from hotline.security import POLICY, PUBLIC, Guard, Permission, Principal, Role, SignedIn, SocketGuard

ANSWER_S = 10.0


@dataclass(frozen=True)
class Door:
    """One method of one path, or one socket (`WS`)."""

    method: str
    path: str
    permission: Permission | None
    """What its guard asks for; `None` for a door that needs any log-in, or none at all."""
    is_guarded: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class EveryRole:
    """`Identity` of the walk: the token names the role."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:
        del cookie
        if token not in set(Role):
            return None
        return Principal(person=f"person_{token}", name=str(token), roles=frozenset({Role(str(token))}), agent="1001")


def doors(app: FastAPI) -> Iterator[Door]:
    """Every method of every route, with the guard that stands in it."""
    for route in iter_route_contexts(app.routes):
        guards = list(_guards(getattr(route, "dependant", None)))
        permissions = [guard.permission for guard in guards if not isinstance(guard, SignedIn)]
        permission = permissions[0] if permissions else None
        methods = route.methods if hasattr(route.route, "methods") or route.methods else None
        for method in sorted(methods or {"WS"}) if route.endpoint or methods else ["MOUNT"]:
            if method != "HEAD":
                yield Door(method, str(route.path), permission, bool(guards))


async def trespasses(app: FastAPI, public: frozenset[str] = PUBLIC) -> list[str]:
    """What is wrong, one sentence each; nothing when every door keeps out who must stay out.

    `public`: doors that need no log-in, as `METHOD /path`.
    """
    app.state.identity = EveryRole()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 1))
    found: list[str] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://hotline") as client:
        for door in doors(app):
            if str(door) in public:
                continue
            if not door.is_guarded:
                found.append(f"{door} has no guard and is not public.")
            elif door.method == "WS":
                found += [problem async for problem in _try_socket(app, door)]
            else:
                found += [problem async for problem in _try_route(client, door)]
    return found


async def _try_route(client: httpx.AsyncClient, door: Door) -> AsyncIterator[str]:
    path = _filled(door.path)
    answer = await _ask(client, door.method, path, None)
    if answer is None or answer.status_code != 401:
        yield f"{door} answers {_code(answer)} without log-in."
    for role in Role:
        answer = await _ask(client, door.method, path, role)
        is_refused = answer is not None and answer.status_code == 403 and _says(answer, door)
        may = door.permission is None or role in POLICY[door.permission]
        if answer is not None and answer.status_code == 401:
            yield f"{door} does not know {role}."
        elif may == is_refused:
            yield f"{door} {'refuses' if is_refused else 'lets in'} {role} ({_code(answer)}), against POLICY."


async def _try_socket(app: FastAPI, door: Door) -> AsyncIterator[str]:
    for role in (None, *Role):
        if role is not None and (door.permission is None or role in POLICY[door.permission]):
            continue
        if await _is_accepted(app, _filled(door.path), role):
            yield f"{door} lets in {role or 'somebody without log-in'}, against POLICY."
    allowed = next((role for role in Role if door.permission and role in POLICY[door.permission]), None)
    if allowed and await _is_accepted(app, _filled(door.path), allowed, origin="http://elsewhere"):
        yield f"{door} lets in a page of another site."


async def _ask(client: httpx.AsyncClient, method: str, path: str, role: Role | None) -> httpx.Response | None:
    headers = {"Authorization": f"Bearer {role.value}"} if role else {}
    try:
        async with asyncio.timeout(ANSWER_S):
            return await client.request(method, path, headers=headers)
    except TimeoutError:
        return None  # a stream that goes on: it let us in


async def _is_accepted(app: FastAPI, path: str, role: Role | None, origin: str = "") -> bool:
    headers = [(b"host", b"hotline")]
    if role:
        headers.append((b"authorization", f"Bearer {role.value}".encode()))
    if origin:
        headers.append((b"origin", origin.encode()))
    answers: asyncio.Queue[Message] = asyncio.Queue()
    asked = iter([{"type": "websocket.connect"}])

    async def receive() -> Message:
        return next(asked, {"type": "websocket.disconnect", "code": 1000})

    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "ws",
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("203.0.113.9", 1),
        "server": ("hotline", 80),
        "subprotocols": [],
        "state": {},
        "app": app,
    }
    served = asyncio.create_task(app(scope, receive, answers.put))
    try:
        async with asyncio.timeout(ANSWER_S):
            first = await answers.get()
    finally:
        served.cancel()
        await asyncio.gather(served, return_exceptions=True)
    return bool(first["type"] == "websocket.accept")


def _guards(dependant: object) -> Iterator[Guard | SignedIn | SocketGuard]:
    for child in getattr(dependant, "dependencies", ()):
        if isinstance(child.call, Guard | SignedIn | SocketGuard):
            yield child.call
        yield from _guards(child)


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "1", path)


def _says(answer: httpx.Response, door: Door) -> bool:
    # A room may refuse by its own rules what the guard allowed; only the guard's sentence counts here.
    return door.permission is not None and str(door.permission) in answer.text and "is needed" in answer.text


def _code(answer: httpx.Response | None) -> str:
    return "with a stream" if answer is None else str(answer.status_code)
