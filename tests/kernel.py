"""The kernel's own application, put together for tests from real parts on an SQLite file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from hotline import audit_http, identity_http, metrics
from hotline.audit_sql import SqlAudit
from hotline.clock import Clock, SystemClock
from hotline.database import metadata
from hotline.http import install_problems
from hotline.idempotency import SqlIdempotency
from hotline.identity_service import IdentityService
from hotline.ids import UlidIds
from hotline.passwords import Passwords
from hotline.sql import OpenDatabase, connect
from hotline.throttle import Throttle

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@dataclass
class Kernel:
    """What tests reach into."""

    database: OpenDatabase
    audit: SqlAudit
    identity: IdentityService
    checks: metrics.Checks
    app: FastAPI

    def client(self, address: str = "127.0.0.1", **more: str) -> httpx.AsyncClient:
        """A client that is seen to come from `address`."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://hotline", headers=more)


@asynccontextmanager
async def kernel(url: str, clock: Clock | None = None) -> AsyncIterator[Kernel]:
    """Everything started, with empty tables."""
    clock = clock or SystemClock()
    database = connect(url)
    await database.write(lambda connection: connection.run_sync(metadata.create_all))
    audit = SqlAudit(database, clock)
    passwords = Passwords(CHEAP)
    identity = IdentityService(database, clock, UlidIds(), audit, passwords=passwords, throttle=Throttle())
    app = FastAPI(openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    install_problems(app)
    checks = metrics.Checks()
    registry = metrics.new_registry()
    app.add_middleware(metrics.CountRequests, registry=registry)
    app.state.identity = identity
    app.state.idempotency = SqlIdempotency(database, clock)
    for router in (identity_http.routes(identity), audit_http.routes(audit), metrics.routes(registry, checks)):
        app.include_router(router)
    yield Kernel(database, audit, identity, checks, app)
    await database.close()
    passwords.close()
