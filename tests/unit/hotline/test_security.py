"""The guards of routes and sockets, with an identity that needs no database."""

from typing import Any

import pytest
from fastapi import FastAPI, Request, WebSocket, WebSocketException

from hotline.errors import NotAllowed
from hotline.security import (
    COOKIE,
    POLICY,
    Guard,
    NotLoggedIn,
    Permission,
    Principal,
    Role,
    SignedIn,
    SocketGuard,
    is_same_origin,
)

pytestmark = pytest.mark.unit


class House:
    """Knows one cookie and one token, and whom they belong to."""

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles)

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:
        if token == "right" or (token is None and cookie == "right"):
            return Principal(person="p", name="p", roles=self.roles)
        return None


def _scope(kind: str, house: House, headers: dict[str, str], method: str = "POST") -> dict[str, Any]:
    app = FastAPI()
    app.state.identity = house
    named = {"host": "hotline:8000"} | headers
    return {
        "type": kind,
        "method": method,
        "path": "/",
        "query_string": b"token=right&access_token=right",
        "headers": [(key.lower().encode(), value.encode()) for key, value in named.items()],
        "app": app,
    }


def _request(headers: dict[str, str], *roles: Role, method: str = "POST") -> Request:
    return Request(_scope("http", House(*roles), headers, method))


def _socket(headers: dict[str, str], *roles: Role) -> WebSocket:
    async def unused(*_: Any) -> Any:
        raise AssertionError("the guard decides before the socket is accepted")

    return WebSocket(_scope("websocket", House(*roles), headers), unused, unused)


COOKIED = {"cookie": f"{COOKIE}=right"}
BEARER = {"authorization": "Bearer right"}
OURS = {"origin": "http://hotline:8000"}


def test_every_permission_is_given_to_somebody_and_every_role_has_some() -> None:
    assert set(POLICY) == set(Permission)
    assert all(POLICY.values())
    assert frozenset[Role]().union(*POLICY.values()) == set(Role)


def test_administrators_see_no_citizens_data_and_auditors_only_the_audit_and_tickets() -> None:
    for seen in (Permission.TICKETS_READ, Permission.RECORDINGS_PLAY, Permission.TRANSCRIPTS_READ):
        assert Role.ADMINISTRATOR not in POLICY[seen]
    assert POLICY[Permission.AUDIT_READ] == {Role.AUDITOR}
    for seen in (Permission.RECORDINGS_PLAY, Permission.TRANSCRIPTS_READ):
        assert Role.AUDITOR not in POLICY[seen]
        assert Role.UNIT not in POLICY[seen]


@pytest.mark.parametrize("permission", list(Permission))
@pytest.mark.parametrize("role", list(Role))
async def test_a_guard_does_what_the_policy_says(permission: Permission, role: Role) -> None:
    guard = Guard(permission)
    if role in POLICY[permission]:
        assert (await guard(_request(BEARER, role))).roles == {role}
    else:
        with pytest.raises(NotAllowed, match=f"The permission {permission} is needed"):
            await guard(_request(BEARER, role))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic right"},
        {"authorization": "right"},
        {"authorization": "Bearer"},
        {"cookie": f"{COOKIE}=wrong"},
        {"cookie": "session=right"},
        COOKIED | {"authorization": "Bearer wrong"},
    ],
)
async def test_nobody_comes_in_without_a_right_cookie_or_token(headers: dict[str, str]) -> None:
    for guard in (Guard(Permission.TICKETS_READ), SignedIn()):
        with pytest.raises(NotLoggedIn):
            await guard(_request(headers, *Role, method="GET"))
    with pytest.raises(WebSocketException):
        await SocketGuard(Permission.TICKETS_READ)(_socket(headers | OURS, *Role))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
async def test_a_cookie_changes_things_only_from_our_own_pages(method: str) -> None:
    for headers in ({}, {"origin": "http://evil"}, {"origin": "http://hotline:9000"}, {"sec-fetch-site": "none"}):
        with pytest.raises(NotAllowed, match="page of the hotline"):
            await SignedIn()(_request(COOKIED | headers, Role.QA, method=method))
    await SignedIn()(_request(COOKIED | OURS, Role.QA, method=method))
    await SignedIn()(_request(BEARER, Role.QA, method=method))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_reading_needs_no_page_of_ours(method: str) -> None:
    await SignedIn()(_request(COOKIED | {"origin": "http://evil"}, Role.QA, method=method))


def test_what_the_headers_do_not_tell_is_answered_as_asked() -> None:
    assert is_same_origin(_request({}), required=False)
    assert not is_same_origin(_request({}), required=True)
    assert not is_same_origin(_request({"sec-fetch-site": "cross-site"}), required=False)


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        (COOKIED | OURS, True),
        (COOKIED | {"origin": "https://hotline:8000"}, True),  # TLS ends at a proxy in front of us
        (COOKIED | {"origin": "http://evil.example"}, False),
        (COOKIED | {"origin": "http://hotline:8000.evil.example"}, False),
        (COOKIED | {"origin": "null"}, False),
        (COOKIED | {"origin": ""}, False),
        (COOKIED, False),
        (BEARER, True),
        (BEARER | OURS, True),
        (BEARER | {"origin": "http://evil.example"}, False),
        (OURS, False),
    ],
)
async def test_a_socket_opens_for_our_own_pages_and_for_scripts_with_a_token(
    headers: dict[str, str], is_let_in: bool
) -> None:
    guard = SocketGuard(Permission.TICKETS_READ)
    if is_let_in:
        assert (await guard(_socket(headers, Role.QA))).person == "p"
    else:
        with pytest.raises(WebSocketException):
            await guard(_socket(headers, Role.QA))


async def test_a_socket_needs_the_permission_and_loses_it_with_the_role() -> None:
    guard = SocketGuard(Permission.AUDIT_READ)
    with pytest.raises(WebSocketException):
        await guard(_socket(BEARER, Role.QA))
    socket = _socket(BEARER, Role.AUDITOR)
    await guard(socket)
    assert await guard.still_allowed(socket)
    socket.app.state.identity.roles = frozenset({Role.QA})
    assert not await guard.still_allowed(socket)
    socket.app.state.identity = House()
    assert not await guard.still_allowed(socket)
