"""A database file, a folder of recordings, and tracks as Asterisk writes them."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.errors import Unavailable
from hotline.ids import CountedIds
from hotline.security import Principal
from hotline.sql import OpenDatabase, connect
from recordings import tables
from recordings.model import RATE, Party, Track
from recordings.service import RecordingService
from recordings.store_files import RecordingFiles

ANSWER = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
TABLES = [tables.recordings, tables.recording_agents, tables.recording_chain, tables.purge_certificates]


class Scribe:
    """An audit that can be out of order."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str, str, Mapping[str, Any]]] = []
        self.broken = False

    async def record(
        self,
        who: Principal,
        action: str,
        subject: str,
        *,
        result: str = "ok",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        if self.broken:
            raise Unavailable("The audit cannot be written.")
        self.lines.append((who.person, action, subject, result, detail or {}))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[OpenDatabase]:
    opened = connect(f"sqlite:///{tmp_path / 'hotline.db'}")
    await opened.write(lambda connection: connection.run_sync(metadata.create_all, tables=TABLES))
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(ANSWER)


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
def files(tmp_path: Path) -> RecordingFiles:
    return RecordingFiles(tmp_path / "recordings", ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def service(database: OpenDatabase, files: RecordingFiles, clock: ManualClock) -> RecordingService:
    return RecordingService(database, files, clock, CountedIds())


Speak = Callable[..., Track]


@pytest.fixture
def speak(files: RecordingFiles) -> Speak:
    """Write one party's track: `level` for `seconds` from `start` seconds after the answer."""

    def write(
        call: str, line: str, party: Party, level: int, *, start: float = 0, seconds: float = 2, agent: str = ""
    ) -> Track:
        folder = files.track_folder(files.day(ANSWER), call)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{line}.sln").write_bytes(np.full(int(seconds * RATE), level, "<i2").tobytes())
        return Track(line=line, party=party, started_at=ANSWER + timedelta(seconds=start), agent=agent)

    return write
