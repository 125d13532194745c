"""Quality finds recordings by number, words, score, agent and time, on every database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.tables import calls
from console.search import Sought, excerpt, find
from hotline.database import metadata
from hotline.sql import OpenDatabase
from quality.tables import reviews
from recordings.tables import recording_agents, recordings
from transcription.tables import transcripts

pytestmark = pytest.mark.contract

NOW = datetime(2026, 2, 14, 9, tzinfo=UTC)
TABLES = [recordings, recording_agents, calls, transcripts, reviews]


@pytest.fixture(autouse=True)
async def _rows(database: OpenDatabase) -> None:
    await database.write(lambda connection: connection.run_sync(metadata.create_all, tables=TABLES))
    await database.write(_fill)


async def _fill(connection: AsyncConnection) -> None:
    for nr, (caller, said, totals) in enumerate(
        (("13912345678", "噪音很大。", ()), ("07171234567", "100%好", (55, 92)), ("", "", (40,)))
    ):
        at, name = NOW + timedelta(hours=nr), f"rec_{nr}"
        await connection.execute(insert(recordings).values(**recording(name, f"call_{nr}", at)))
        await connection.execute(insert(recording_agents).values(recording=name, agent=f"800{nr}"))
        await connection.execute(
            insert(calls).values(
                call=f"call_{nr}", line="l", dialled="12329", declared=True, caller=caller, phase="ended", arrived_at=at
            )
        )
        if said:
            await connection.execute(insert(transcripts).values(**transcript(name, f"call_{nr}", said, at)))
        for at_nr, total in enumerate(totals):
            await connection.execute(insert(reviews).values(**review(f"review_{nr}{at_nr}", name, total, at)))


def recording(name: str, call: str, at: datetime) -> dict[str, Any]:
    return {
        "id": name, "call": call, "folder": "2026/02/14", "state": "closed", "opened_at": at, "answered_at": at,
        "tracks": [], "channels": [{"party": "citizen"}], "muted": [], "length_ms": 1000, "size_bytes": 1, "sha256": "",
        "truncated": False, "problem": "", "attempts": 0, "retention_class": "normal", "legal_hold": False,
        "transcription": "done",
    }  # fmt: skip


def transcript(name: str, call: str, said: str, at: datetime) -> dict[str, Any]:
    return {
        "id": f"text_{name}", "recording": name, "call": call, "path": "", "channels": [], "agents": "",
        "state": "done", "attempts": 1, "reason": "", "demo_model": True, "segments": [{"text": said, "start_ms": 500}],
        "duration_ms": 1000, "took_ms": 1, "requested_at": at, "touched_at": at, "told": True,
    }  # fmt: skip


def review(name: str, of: str, total: int, at: datetime) -> dict[str, Any]:
    return {
        "id": name, "recording": of, "agents": [], "sheet": "1", "marks": {}, "fatal": [], "total": total,
        "grade": "good", "comment": "", "by": "p", "by_name": "", "at": at,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        (Sought(), [2, 1, 0]),
        (Sought(number="13912345678"), [0]),
        (Sought(number="5678"), [0]),
        (Sought(number="345678"), []),
        (Sought(number="12329"), [2, 1, 0]),
        (Sought(words="噪音"), [0]),
        (Sought(words="0%"), [1]),
        (Sought(words="噪%大"), []),
        (Sought(agent="8001"), [1]),
        (Sought(score_from=90), [1]),
        (Sought(score_to=59), [2]),
        (Sought(reviewed=False), [0]),
        (Sought(reviewed=True, since=NOW + timedelta(hours=2)), [2]),
        (Sought(until=NOW + timedelta(hours=1)), [0]),
    ],
)
async def test_what_is_looked_for_is_found_and_nothing_else(
    database: OpenDatabase, sought: Sought, found: list[int]
) -> None:
    rows, agents = await database.read(lambda connection: find(connection, sought, 10))
    assert [row.id for row in rows] == [f"rec_{nr}" for nr in found]
    assert agents == {f"rec_{nr}": [f"800{nr}"] for nr in found}


async def test_the_newest_score_counts_and_a_page_follows_the_last(database: OpenDatabase) -> None:
    rows, _ = await database.read(lambda connection: find(connection, Sought(), 1))
    after = (rows[0].answered_at, rows[0].id)
    more, _ = await database.read(lambda connection: find(connection, Sought(), 5, after))
    assert [(row.id, row.total) for row in (*rows, *more)] == [("rec_2", 40), ("rec_1", 92), ("rec_0", None)]


def test_the_sentence_that_was_found_is_told_and_no_other_field_of_it() -> None:
    segments = [{"text": "您好。", "start_ms": 0}, {"text": "Wifi 噪音。", "start_ms": 900}]
    found = excerpt(segments, "wifi")
    assert found is not None
    assert (found.text, found.start_ms) == ("Wifi 噪音。", 900)
    assert excerpt(segments, "start_ms") is None
