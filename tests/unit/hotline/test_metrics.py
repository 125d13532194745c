"""Who may ask for figures, and what readiness says to whom."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from hotline import metrics
from hotline.errors import Unavailable
from hotline.http import install_problems

pytestmark = pytest.mark.unit


@pytest.fixture
def checks() -> metrics.Checks:
    return metrics.Checks()


@pytest.fixture
def app(checks: metrics.Checks) -> FastAPI:
    app = FastAPI(openapi_url=None)
    install_problems(app)
    registry = metrics.new_registry()
    app.add_middleware(metrics.CountRequests, registry=registry)
    app.include_router(metrics.routes(registry, checks))

    @app.get("/things/{thing}")
    async def thing(thing: str) -> str:
        return thing

    return app


@pytest.fixture
async def local(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(app, "127.0.0.1") as made:
        yield made


def _client(app: FastAPI, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://hotline")


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.8.8.8", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.5", {}, 403),
        ("", {}, 403),
        ("localhost", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.5"}, 403),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.5"}, 403),
        ("127.0.0.1", {"X-Real-IP": "10.0.0.5"}, 403),
        ("10.0.0.5", {"X-Forwarded-For": "127.0.0.1"}, 403),
    ],
)
async def test_figures_are_for_this_machine_only(
    app: FastAPI, address: str, headers: dict[str, str], status: int
) -> None:
    async with _client(app, address) as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


async def test_requests_are_counted_by_pattern_and_never_by_id(local: httpx.AsyncClient) -> None:
    for path in ("/things/rec_1", "/things/rec_2", "/nowhere/13800138000"):
        await local.get(path)
    await local.request("BREW", "/things/rec_1")
    text = (await local.get("/metrics")).text
    assert 'hotline_http_requests_total{method="GET",route="/things/{thing}",status="200"} 2.0' in text
    assert 'hotline_http_requests_total{method="GET",route="none",status="404"} 1.0' in text
    assert 'method="other"' in text
    assert "rec_1" not in text
    assert "13800138000" not in text
    assert "process_resident_memory_bytes" in text


async def test_ready_when_every_check_passes(local: httpx.AsyncClient, checks: metrics.Checks) -> None:
    async def fine() -> None:
        return None

    checks.add("database", fine)
    answer = await local.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"is_ready": True, "checks": {"database": "ok"}})
    assert (await local.get("/healthz")).json() == {"health": "ok"}


async def test_not_ready_says_why_to_this_machine_and_only_that_to_others(
    app: FastAPI, local: httpx.AsyncClient, checks: metrics.Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "CHECK_S", 0.05)

    async def fine() -> None:
        return None

    async def away() -> None:
        raise Unavailable("Redis is away at /secret/path.")

    async def hangs() -> None:
        await asyncio.Event().wait()

    async def bug() -> None:
        raise KeyError("secret")

    for name, check in (("a", fine), ("b", away), ("c", hangs), ("d", bug)):
        checks.add(name, check)
    answer = await local.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "a": "ok",
        "b": "Redis is away at /secret/path.",
        "c": "It did not answer within 0.05 s.",
        "d": "It failed unexpectedly; see the log.",
    }
    async with _client(app, "10.0.0.5") as stranger:
        seen = await stranger.get("/readyz")
    assert seen.status_code == 503
    assert seen.json()["checks"] == {"a": "ok", "b": "failed", "c": "failed", "d": "failed"}
    assert (await local.get("/healthz")).status_code == 200
