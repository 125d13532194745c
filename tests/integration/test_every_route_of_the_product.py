"""The whole application, as it is served: no door opens without the right."""

from pathlib import Path

import pytest

import app as product
from console.pages import ROOMS
from hotline import schema
from hotline.clock import SystemClock
from hotline.security import PUBLIC
from hotline.settings import Settings
from hotline.stores import open_stores
from tests.routes import doors, trespasses

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PAGES = frozenset(
    {
        *(f"GET {path}" for path in ("/", "/status", *ROOMS)),  # lead whoever is not logged in to the log-in page
        "GET /login",
        "GET /assets/{name}",
    }
)


async def test_no_door_of_the_product_opens_without_the_right(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    (tmp_path / "spool").mkdir()
    schema.upgrade(settings.sqlalchemy_url)
    async with open_stores(settings, SystemClock()) as stores:
        served = product.create_app(product.Hotline(settings, stores))
        found = [str(door) for door in doors(served)]
        assert len(found) > 40
        assert await trespasses(served, PUBLIC | PAGES) == []
