"""Transcripts on an SQLite file of the test's own, and jobs that are only noted."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.database import metadata
from hotline.sql import connect
from transcription.store_sql import SqlTranscripts
from transcription.tables import transcripts


class NotedJobs:
    """`Jobs` that keeps what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], str]] = []

    async def enqueue(self, name: str, payload: Mapping[str, Any], *, key: str) -> None:
        self.asked.append((name, dict(payload), key))


@pytest.fixture
def jobs() -> NotedJobs:
    return NotedJobs()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlTranscripts]:
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}")

    async def create(connection: AsyncConnection) -> None:
        await connection.run_sync(metadata.create_all, tables=[transcripts])

    await database.write(create)
    yield SqlTranscripts(database)
    await database.close()
