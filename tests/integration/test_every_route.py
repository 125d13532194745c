"""No door opens without the right: every route and socket, without log-in and with every role."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, WebSocket

from hotline.http import install_problems
from hotline.security import PUBLIC, Permission, Principal, require, require_socket
from tests.kernel import kernel
from tests.routes import doors, trespasses

pytestmark = pytest.mark.integration


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with kernel(f"sqlite:///{tmp_path / 'hotline.db'}") as made:
        yield made.app


async def test_no_door_of_the_kernel_opens_without_the_right(app: FastAPI) -> None:
    assert len(list(doors(app))) > 15
    assert await trespasses(app, PUBLIC | {"GET /api/openapi.json"}) == []


async def test_the_walk_finds_doors_that_are_left_open() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    install_problems(app)

    @app.get("/forgotten/{thing}")
    async def forgotten(thing: str) -> str:
        return thing

    @app.post("/guarded")
    async def guarded(_: Annotated[Principal, Depends(require(Permission.AUDIT_READ))]) -> str:
        return "in"

    @app.websocket("/ws/forgotten")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    @app.websocket("/ws/guarded")
    async def guarded_socket(
        websocket: WebSocket, _: Annotated[Principal, Depends(require_socket(Permission.QUEUES_WATCH))]
    ) -> None:
        await websocket.accept()

    assert await trespasses(app) == [
        "GET /forgotten/{thing} has no guard and is not public.",
        "WS /ws/forgotten has no guard and is not public.",
    ]


async def test_the_walk_finds_a_guard_that_lets_in_the_wrong_role(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    install_problems(app)

    @app.get("/guarded")
    async def guarded(_: Annotated[Principal, Depends(require(Permission.AUDIT_READ))]) -> str:
        return "in"

    @app.websocket("/ws/guarded")
    async def guarded_socket(
        websocket: WebSocket, _: Annotated[Principal, Depends(require_socket(Permission.AUDIT_READ))]
    ) -> None:
        await websocket.accept()

    monkeypatch.setattr(Principal, "may", lambda *_: True)
    found = await trespasses(app)
    assert len(found) == 14
    assert "GET /guarded lets in operator (200), against POLICY." in found
    assert "WS /ws/guarded lets in operator, against POLICY." in found
