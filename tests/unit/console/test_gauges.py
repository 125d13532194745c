"""Figures for Prometheus: every state has a line, and what waits in the database is counted beside the scrape."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.fold import begin, evolve
from calls.model import CallArrived, CallBackPromised, Queued
from console.gauges import Gauges, phase_of
from hotline.sql import OpenDatabase, connect
from recordings.tables import recordings
from telephony.model import LineId
from tickets.tables import callback_tasks
from transcription.tables import transcripts

pytestmark = pytest.mark.unit

AT = datetime(2026, 2, 14, 20, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[OpenDatabase]:
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}")
    tables = [recordings, transcripts, callback_tasks]
    await database.write(lambda c: c.run_sync(recordings.metadata.create_all, tables=tables))
    yield database
    await database.close()


def gauges(database: OpenDatabase, registry: CollectorRegistry) -> Gauges:
    return Gauges(
        registry,
        database,
        phases=lambda: ["talking", "queued", "ringing", "queued", "without_line"],
        seats=lambda: ["ready", "ready", "paused"],
        undeclared=lambda: 7,
        degraded=lambda: True,
    )


def told(registry: CollectorRegistry) -> dict[str, float]:
    lines = generate_latest(registry).decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


async def test_calls_seats_and_troubles_are_told_as_they_are_now(database: OpenDatabase) -> None:
    registry = CollectorRegistry()
    gauges(database, registry)
    found = told(registry)
    assert found['hotline_calls{phase="queued"}'] == 2
    assert found['hotline_calls{phase="talking"}'] == 1
    assert found['hotline_calls{phase="in_ivr"}'] == 0
    assert found["hotline_calls_waiting"] == 3, "who is to be called back waits on no line"
    assert found["hotline_call_backs_promised"] == found['hotline_calls{phase="without_line"}'] == 1
    assert found['hotline_seats{state="ready"}'] == 2
    assert found['hotline_seats{state="talking"}'] == 0
    assert found["hotline_undeclared_calls_total"] == 7
    assert found["hotline_degraded"] == 1


def test_a_promised_call_back_is_no_caller_who_waits() -> None:
    line = LineId("h-1.1")
    arrived = CallArrived(call="c1", at=AT, line=line, dialled="12345", declared=True, booted="monday")
    call = evolve(begin(arrived), Queued(call="c1", at=AT, queue="general"))
    assert phase_of(call) == "queued"
    assert phase_of(evolve(call, CallBackPromised(call="c1", at=AT, number="13900000001"))) == "without_line"


async def test_what_waits_in_the_database_is_counted(database: OpenDatabase) -> None:
    registry = CollectorRegistry()
    made = gauges(database, registry)

    async def fill(connection: AsyncConnection) -> None:
        for number, done in enumerate((None, None, AT)):
            task = {"id": f"t{number}", "call": f"c{number}", "caller": "", "dialled": "12345", "reason": "r"}
            await connection.execute(insert(callback_tasks), {**task, "created_at": AT, "done_at": done, "done_by": ""})
        for number, state in enumerate(("waiting", "running", "ready")):
            await connection.execute(insert(transcripts), _transcript(str(number), state))
        for number, state in enumerate(("pending", "pending", "closed")):
            await connection.execute(insert(recordings), _recording(str(number), state))

    await database.write(fill)
    await made.count()
    found = told(registry)
    assert found["hotline_callbacks_owed"] == 2
    assert found['hotline_recordings_unsealed{state="pending"}'] == 2
    assert found['hotline_recordings_unsealed{state="open"}'] == 0
    unfinished = [found[f'hotline_transcripts_unfinished{{state="{state}"}}'] for state in ("waiting", "running")]
    assert unfinished == [1, 1]


def _transcript(name: str, state: str) -> dict[str, object]:
    text = dict.fromkeys(("path", "agents", "reason"), "")
    numbers = dict.fromkeys(("attempts", "duration_ms", "took_ms"), 0)
    lists: dict[str, object] = {"channels": [], "segments": [], "demo_model": False, "told": False}
    times = {"requested_at": AT, "touched_at": AT}
    return {"id": name, "recording": name, "call": name, "state": state, **text, **numbers, **lists, **times}


def _recording(name: str, state: str) -> dict[str, object]:
    text = dict.fromkeys(("folder", "sha256", "problem", "retention_class", "transcription"), "")
    numbers = dict.fromkeys(("length_ms", "size_bytes", "attempts"), 0)
    lists: dict[str, object] = {"tracks": [], "channels": [], "muted": [], "truncated": False, "legal_hold": False}
    return {"id": name, "call": name, "state": state, "opened_at": AT, "answered_at": AT, **text, **numbers, **lists}
