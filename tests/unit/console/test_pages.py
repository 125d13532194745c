"""The pages: who is led where, what a page may load, and that nothing else is ever opened."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from console import pages
from hotline.http import install_problems
from hotline.security import COOKIE, Principal, Role

pytestmark = pytest.mark.unit


class Desk:
    """`Identity`: the cookie names the role."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        return None if cookie is None else Principal(person="p", name="n", roles=frozenset({Role(cookie)}))


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<script nonce="__NONCE__" src="/assets/a-1.js"></script>')
    (tmp_path / "assets" / "a-1.js").write_text("1")
    (tmp_path / "assets" / "a-1.js.map").write_text("{}")
    return tmp_path


def client(dist: Path) -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None)
    install_problems(app)
    app.state.identity = Desk()
    app.include_router(pages.routes(dist))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hotline")


@pytest.fixture
async def built(dist: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client(dist) as made:
        yield made


async def test_every_role_lands_in_its_room(built: httpx.AsyncClient) -> None:
    found = {}
    for role in Role:
        answer = await built.get("/", headers={"cookie": f"{COOKIE}={role}"})
        found[role] = answer.headers["location"]
    assert found == {
        Role.OPERATOR: "/desk", Role.EXPERT: "/desk", Role.SUPERVISOR: "/wallboard", Role.QA: "/replay",
        Role.DISPATCHER: "/tickets", Role.UNIT: "/tickets", Role.ADMINISTRATOR: "/office", Role.AUDITOR: "/status",
    }  # fmt: skip


async def test_whoever_is_not_logged_in_is_led_to_the_log_in_page(built: httpx.AsyncClient) -> None:
    for path in (
        "/",
        "/status",
        "/desk",
        "/wallboard",
        "/replay",
        "/replay/rec_1",
        "/wallboard/screen",
        "/office",
        "/office/numbers/12329",
    ):
        answer = await built.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path


async def test_a_page_lets_in_its_own_styles_and_scripts_alone(built: httpx.AsyncClient) -> None:
    first, second = await built.get("/login"), await built.get("/login")
    policy = first.headers["content-security-policy"]
    nonce = first.text.split('nonce="')[1].split('"')[0]
    assert f"'nonce-{nonce}'" in policy
    assert nonce not in second.text
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert first.headers["cache-control"] == "no-cache"


async def test_built_files_are_kept_and_nothing_else_is_opened(built: httpx.AsyncClient) -> None:
    answer = await built.get("/assets/a-1.js")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert (await built.get("/assets/status.js")).headers["cache-control"] == "no-cache"
    for name in ("a-1.js.map", "index.html", "..%2findex.html", "nothing.js"):
        assert (await built.get(f"/assets/{name}")).status_code == 404


async def test_without_a_built_console_there_is_the_status_page(tmp_path: Path) -> None:
    async with client(tmp_path) as plain:
        known = {"cookie": f"{COOKIE}=operator"}
        assert (await plain.get("/")).headers["location"] == "/login"
        assert "/assets/status.js" in (await plain.get("/", headers=known)).text
        assert "/assets/login.js" in (await plain.get("/login")).text
        assert (await plain.get("/desk", headers=known)).status_code == 404
        assert "/assets/status.js" in (await plain.get("/status", headers=known)).text
