"""How the product is: figures for Prometheus, whether it lives, and whether it can take calls.

`/metrics` answers only to this machine. `/healthz` says that the process serves; `/readyz` runs named checks
that the composition root registers, and tells strangers which failed, not why.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ipaddress import ip_address

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hotline.errors import HotlineError, NotAllowed

log = structlog.get_logger(__name__)

CHECK_S = 2.0
"""A check that takes longer has failed."""

Check = Callable[[], Awaitable[None]]
"""Raises a `HotlineError` whose sentence says what is wrong."""


def new_registry() -> CollectorRegistry:
    """A registry of one process, with its CPU, memory, file descriptors and garbage collections."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class Checks:
    """What has to work for the product to be ready."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Register a check. `name`: for people, e.g. `database`."""
        self._checks[name] = check

    async def run(self) -> dict[str, str]:
        """Run them side by side. Returns one sentence per check, `ok` for those that passed."""
        answers = await asyncio.gather(*(_sentence(name, check) for name, check in self._checks.items()))
        return dict(zip(self._checks, answers, strict=True))


class Readiness(BaseModel):
    is_ready: bool
    checks: dict[str, str]


def routes(registry: CollectorRegistry, checks: Checks) -> APIRouter:
    """`/metrics`, `/healthz`, `/readyz`."""
    router = APIRouter(tags=["operations"])

    @router.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        if not is_local(request):
            raise NotAllowed("Metrics are given to this machine only.")
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/healthz")
    async def health() -> dict[str, str]:
        """The process serves."""
        return {"health": "ok"}

    @router.get("/readyz")
    async def ready(request: Request, response: Response) -> Readiness:
        """Whether calls can be taken; 503 when a check fails."""
        answers = await checks.run()
        is_ready = all(answer == "ok" for answer in answers.values())
        if not is_ready:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        if not is_local(request):
            answers = {name: answer if answer == "ok" else "failed" for name, answer in answers.items()}
        return Readiness(is_ready=is_ready, checks=answers)

    return router


def is_local(request: Request) -> bool:
    """Whether this machine asks, and not a proxy on it for somebody else."""
    if request.client is None or {"forwarded", "x-forwarded-for", "x-real-ip"} & set(request.headers):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


class CountRequests:
    """ASGI middleware: how many requests, how long, with which outcome, by the route's pattern (never its ids)."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ("method", "route", "status")
        self._count = Counter("hotline_http_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram("hotline_http_seconds", "Time to answer.", ("route",), registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = time.perf_counter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = str(getattr(scope.get("route"), "path", "none"))
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._count.labels(method, route, str(status)).inc()
            self._seconds.labels(route).observe(time.perf_counter() - began)


METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


async def _sentence(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_S):
            await check()
    except TimeoutError:
        return f"It did not answer within {CHECK_S:g} s."
    except HotlineError as error:
        return str(error)
    except Exception:
        log.exception("readiness check failed", check=name)
        return "It failed unexpectedly; see the log."
    return "ok"
