"""The whole API under the hands of somebody who means no good: odd values, forged origins, guessed passwords.

The application is the product's own, as it is served, without an Asterisk; on SQLite and on PostgreSQL.
"""

import asyncio
import base64
import json
import re
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import app as product
from console.server import quiet_server
from hotline import schema
from hotline.clock import SystemClock
from hotline.identity_service import SYSTEM, first_accounts
from hotline.passwords import Passwords
from hotline.security import Role
from hotline.settings import Settings
from hotline.stores import open_stores
from tests.kernel import CHEAP
from tests.servers import PostgresServer

pytestmark = pytest.mark.integration

MOMENTS = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999-12-31", "2026-02-30", "2026-02-14T20:00")
KEYS: tuple[list[object], ...] = (
    [1], [-1], [2**62], [2**70], [1.5], ["a"], ["\ud800"], ["a\0"], [[]], [None], [True], ["2026", "x"],
    ["2026-01-01T00:00:00", "x"], [MOMENTS[0], "x"], [MOMENTS[1], "x"], ["2026-01-01T00:00:00+00:00", "\ud800"],
    ["a", "b", "c"], ["a", "\ud800", "c"],
)  # fmt: skip
CURSORS = tuple(base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=") for key in KEYS)
WORDS = (
    "", "0", "-1", "9" * 40, "NaN", "inf", "1e9", "%00", "a%00b", "%ff", "%ed%a0%80", "%F0%9F%98%80", "..%2f..%2fetc",
    "%2e%2e", "'%20OR%201=1--", "1" * 3000, "[]", "true", *(moment.replace("+", "%2b") for moment in MOMENTS), *CURSORS,
)  # fmt: skip
BODIES = (
    b"", b"{", b"null", b"[]", b"1", b'"x"', b'{"a":1}', b"[" * 20_000, b'{"a":' * 20_000, b"NaN", b'{"version":NaN}',
    b'{"version":1e999}', b'{"version":' + b"9" * 5000 + b"}", b"\xff\xfe", b'{"\\ud800":1}', b"\0", b"x" * 1_000_000,
    b"x" * 10_000_000, b'{"version":1,"version":2}',
)  # fmt: skip
TYPES = ("text/plain", "application/json; charset=utf-16", "multipart/form-data; boundary=x", "\x7f", "")
VALUES: tuple[object, ...] = (
    None, 0, -1, 2**63, 2**200, 1.5, "", "\0", "\ud800", "x" * 30_000, [], {}, [[]], True, "../../etc/passwd",
    MOMENTS[0], "\r\n", "<script>", ["\ud800"], {"a": {"a": {}}},
)  # fmt: skip
USUAL: Mapping[str, object] = {"name": "n", "roles": ["qa"], "days": 1, "version": 1, "reason": "lunch", "phone": ""}
STREAMS = frozenset({"/api/v1/feed"})
SLOW_S = 0.05


@dataclass
class House:
    """The application with a way in for every role, and what it answered wrongly."""

    parts: product.Hotline
    accounts: dict[str, str]
    client: httpx.AsyncClient
    tokens: dict[Role, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    async def ask(self, method: str, path: str, role: Role | None = None, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers["authorization"] = f"Bearer {self.tokens[role]}"
        return await self.client.request(method, path, headers=headers, **options)

    async def poke(self, method: str, path: str, role: Role, what: str, **options: Any) -> None:
        """Ask, and note an answer that nobody should get for what is only odd."""
        began = time.perf_counter()
        answer = await self.ask(method, path, role, **options)
        self.took.append(time.perf_counter() - began)
        kind = answer.headers.get("content-type", "")
        is_problem = kind == "application/problem+json" and "Traceback" not in answer.text
        if answer.status_code >= 500 or (answer.status_code >= 400 and not is_problem):
            self.wrong.append(f"{method} {path[:100]} {what[:60]}: {answer.status_code} {kind} {answer.text[:100]}")

    async def log_in(self, login: str, password: str = "", **headers: str) -> httpx.Response:
        body = {"login": login, "password": password or self.accounts[login]}
        answer = await self.client.post("/api/v1/login", json=body, headers=headers)
        self.client.cookies.clear()
        return answer


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    return {"cookie": f"hotline_session={answer.cookies['hotline_session']}"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = ""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    (tmp_path / "spool").mkdir()
    return Settings(data=tmp_path, database_url=url)


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    async for made in open_house(settings):
        yield made


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "spool").mkdir()
    async for made in open_house(Settings(data=tmp_path)):
        yield made


async def open_house(settings: Settings) -> AsyncIterator[House]:
    schema.upgrade(settings.sqlalchemy_url)
    async with open_stores(settings, SystemClock()) as stores:
        parts = product.Hotline(settings, stores)
        parts.identity._passwords = Passwords(CHEAP)  # guessed at a hundred times here
        accounts = {login: word for login, word, _ in await first_accounts(parts.identity, is_demo=True)}
        config = quiet_server(product.create_app(parts), settings).config
        config.load()
        transport = httpx.ASGITransport(config.loaded_app, raise_app_exceptions=False, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://hotline") as client:
            made = House(parts, accounts, client)
            for role in Role:
                made.tokens[role] = (
                    await parts.identity.add_token(SYSTEM, role, frozenset({role}), timedelta(days=1))
                )[1]
            yield made


# Odd values ------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(240)
async def test_nothing_odd_is_an_error_of_ours_and_every_refusal_is_a_problem(house: House) -> None:
    document = (await house.ask("GET", "/api/openapi.json", Role.UNIT)).json()
    for path, doors in document["paths"].items():
        for method, door in doors.items():
            if path not in STREAMS and path != "/api/v1/login":
                role = await allowed(house, method.upper(), filled(path, "x"))
                await try_words(house, method.upper(), path, door, role)
                await try_bodies(house, method.upper(), path, fields_of(document, door), role)
    assert len(house.took) > 2500
    assert house.wrong == []
    assert statistics.median(house.took) < SLOW_S


async def allowed(house: House, method: str, path: str) -> Role:
    """A role that the door's guard lets in."""
    for role in (Role.ADMINISTRATOR, Role.SUPERVISOR, Role.AUDITOR):
        if (await house.ask(method, path, role)).status_code != 403:
            return role
    raise AssertionError(f"{method} {path} lets nobody in")


async def try_words(house: House, method: str, path: str, door: Mapping[str, Any], role: Role) -> None:
    names = [one["name"] for one in door.get("parameters", ()) if one["in"] == "query"]
    for word in WORDS:
        if "{" in path:
            await house.poke(method, filled(path, word or "x"), role, "path")
        for name in names:
            await house.poke(method, f"{filled(path, 'x')}?{name}={word}", role, "query")


async def try_bodies(house: House, method: str, path: str, names: list[str], role: Role) -> None:
    if method not in {"POST", "PUT", "PATCH"}:
        return
    path, json_ = filled(path, "x"), {"content-type": "application/json"}
    for content in BODIES:
        await house.poke(method, path, role, str(content[:20]), content=content, headers=json_)
    for kind in TYPES:
        await house.poke(method, path, role, kind, content=b'{"a":1}', headers={"content-type": kind} if kind else {})
    for number, name in enumerate(names):
        for value in VALUES:
            body = {one: USUAL[one] for one in names if one in USUAL} | {"login": f"odd{number}"} | {name: value}
            body = {one: body[one] for one in names if one in body}
            await house.poke(method, path, role, f"{name}={value!r}", content=json.dumps(body).encode(), headers=json_)


def filled(path: str, word: str) -> str:
    return re.sub(r"\{[^}]*\}", lambda _: word, path)


def fields_of(document: Mapping[str, Any], door: Mapping[str, Any]) -> list[str]:
    """The names that a body may have."""
    named = json.dumps(door.get("requestBody", {}))
    found = re.search(r"#/components/schemas/(\w+)", named)
    return list(document["components"]["schemas"][found[1]].get("properties", ())) if found else []


async def test_ten_megabytes_are_refused_before_they_are_read(embedded: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 10_000
        raise AssertionError("all of it was read")

    answer = await embedded.ask("POST", "/api/v1/people", Role.ADMINISTRATOR, content=endless())
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


# Who is who ------------------------------------------------------------------------------------------------------


async def test_guessing_is_stopped_wherever_it_says_to_come_from(embedded: House) -> None:
    answers = [
        await embedded.log_in("qa", f"guess{number}", **{"x-forwarded-for": f"203.0.113.{number}"})
        for number in range(8)
    ]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) > 60
    assert (await embedded.log_in("qa")).status_code == 429, "the right word does not help while guessing goes on"
    assert (await embedded.log_in("auditor")).status_code == 200, "others are not locked out"


async def test_a_login_that_is_not_there_looks_and_lasts_like_a_wrong_word(embedded: House) -> None:
    told: dict[str, list[tuple[float, str]]] = {"qa": [], "nobody": []}
    for number in range(4):
        for login in told:
            began = time.perf_counter()
            answer = await embedded.log_in(login, f"guess{number}")
            told[login].append((time.perf_counter() - began, answer.text))
    fastest = {login: min(took for took, _ in answers) for login, answers in told.items()}
    assert {text for answers in told.values() for _, text in answers} == {told["qa"][0][1]}
    assert 0.3 < fastest["nobody"] / fastest["qa"] < 3


FOREIGN: tuple[dict[str, str], ...] = (
    {}, {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": "http://hotline.evil.example"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site", "origin": "http://hotline"},
)  # fmt: skip


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_changes_nothing_with_somebodys_cookie(embedded: House, headers: dict[str, str]) -> None:
    cookie = cookie_of(await embedded.log_in("administrator"))
    body = {"login": "evil", "name": "evil", "roles": ["administrator"]}
    answer = await embedded.ask("POST", "/api/v1/people", json=body, headers=cookie | headers)
    assert answer.status_code == 403
    ours = await embedded.ask("POST", "/api/v1/people", json=body, headers=cookie | {"origin": "http://hotline"})
    assert ours.status_code == 201


async def test_whoever_is_disabled_or_loses_a_role_is_out_at_the_next_request(embedded: House) -> None:
    cookie = cookie_of(await embedded.log_in("qa"))
    me = (await embedded.ask("GET", "/api/v1/me", headers=cookie)).json()["person"]
    path, admin = f"/api/v1/people/{me}", Role.ADMINISTRATOR
    assert (await embedded.ask("GET", "/api/v1/recordings", headers=cookie)).status_code == 200
    await embedded.ask("PATCH", path, admin, json={"roles": ["unit"]})
    assert (await embedded.ask("GET", "/api/v1/recordings", headers=cookie)).status_code == 403
    await embedded.ask("PATCH", path, admin, json={"is_disabled": True})
    assert (await embedded.ask("GET", "/api/v1/me", headers=cookie)).status_code == 401
    await embedded.ask("PATCH", path, admin, json={"is_disabled": False})
    assert (await embedded.ask("GET", "/api/v1/me", headers=cookie)).status_code == 401, "an ended log-in stays ended"


async def test_a_revoked_token_and_one_in_the_address_open_nothing(embedded: House) -> None:
    body = {"name": "script", "roles": ["qa"], "days": 1}
    made = (await embedded.ask("POST", "/api/v1/tokens", Role.ADMINISTRATOR, json=body)).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert (await embedded.ask("GET", "/api/v1/recordings", headers=bearer)).status_code == 200
    in_address = await embedded.ask("GET", f"/api/v1/me?token={made['token']}&access_token={made['token']}")
    assert in_address.status_code == 401
    await embedded.ask("DELETE", f"/api/v1/tokens/{made['id']}", Role.ADMINISTRATOR)
    assert (await embedded.ask("GET", "/api/v1/recordings", headers=bearer)).status_code == 401


async def test_nobody_but_this_machine_reads_figures_or_what_is_wrong(embedded: House) -> None:
    assert (await embedded.ask("GET", "/metrics")).status_code == 200
    assert (await embedded.ask("GET", "/metrics", headers={"x-forwarded-for": "203.0.113.9"})).status_code == 403
    told = (await embedded.ask("GET", "/readyz", headers={"x-forwarded-for": "203.0.113.9"})).json()["checks"]
    assert set(told.values()) <= {"ok", "failed"}


async def test_files_beside_the_pages_are_out_of_reach(embedded: House) -> None:
    paths = ("/assets/../http.py", "/assets/%2e%2e%2fhttp.py", "/assets/status.css%00", "//etc/passwd", "/docs",
             "/openapi.json", "/redoc", "/.env", "/static/index.html")  # fmt: skip
    assert {(await embedded.ask("GET", path)).status_code for path in paths} == {404}
    assert (await embedded.ask("GET", "/api/openapi.json")).status_code == 401


# Races -----------------------------------------------------------------------------------------------------------


async def test_twenty_posts_of_one_account_at_once_make_one(house: House) -> None:
    body = {"login": "racer", "name": "n", "roles": ["qa"]}
    answers = await asyncio.gather(
        *(house.ask("POST", "/api/v1/people", Role.ADMINISTRATOR, json=body) for _ in range(20))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}


async def test_the_audit_is_whole_after_everything_at_once(house: House) -> None:
    await asyncio.gather(*(house.ask("GET", "/api/v1/tickets", role) for role in (Role.QA, Role.SUPERVISOR) * 20))
    health = (await house.ask("GET", "/api/v1/audit/health", Role.AUDITOR)).json()
    assert health["is_intact"]
    assert health["head"] >= 40
