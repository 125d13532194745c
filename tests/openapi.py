"""Writes the API's description to standard output, from an application that serves nobody."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import app
from hotline import schema
from hotline.clock import SystemClock
from hotline.settings import Settings
from hotline.stores import open_stores


async def describe(folder: Path) -> str:
    """The document as JSON."""
    settings = Settings(data=folder)
    (folder / "spool").mkdir()
    await asyncio.to_thread(schema.upgrade, settings.sqlalchemy_url)
    async with open_stores(settings, SystemClock()) as stores:
        return json.dumps(app.create_app(app.Hotline(settings, stores)).openapi(), ensure_ascii=False)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.stdout.write(asyncio.run(describe(Path(made))) + "\n")
