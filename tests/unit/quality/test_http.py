"""Notes, reviews and listeners over HTTP: who may, what is refused, what the audit knows."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.errors import NotFound, Unavailable
from hotline.http import install_problems
from hotline.ids import CountedIds
from hotline.security import Principal, Role
from hotline.sql import connect
from quality import tables
from quality.http import routes
from quality.ports import Known, Play
from quality.service import QualityService
from quality.sheet import shipped
from quality.store_sql import SqlQuality

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MARKS = {item.code: item.points for item in shipped().items}


class Everybody:
    """Tokens are `ROLE` or `ROLE:PERSON`."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        role, _, person = (token or "").partition(":")
        return Principal(person=person or "p", name="N", roles=frozenset({Role(role)})) if token else None


class OneRecording:
    async def known(self, recording: str, who: Principal) -> Known:  # noqa: ARG002
        if recording != "rec_1":
            raise NotFound("There is no such recording.")
        return Known(recording=recording, agents=("8001",), length_ms=60_000)

    async def plays(self, recording: str) -> Sequence[Play]:  # noqa: ARG002
        return [Play(person="p", name="N", roles=("qa",), at=NOW)]


class Scribe:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.broken = False

    async def record(
        self, who: Principal, action: str, subject: str, *, result: str = "ok", detail: Mapping[str, Any] | None = None
    ) -> None:
        del who, result
        if self.broken:
            raise Unavailable("The audit cannot be written.")
        assert "words" not in str(detail), "what somebody wrote is nobody's business in the audit"
        self.lines.append((action, subject))


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
async def client(tmp_path: Path, scribe: Scribe) -> AsyncIterator[httpx.AsyncClient]:
    database = connect(f"sqlite:///{tmp_path / 'hotline.db'}")
    chosen = [tables.notes, tables.reviews]
    await database.write(lambda connection: connection.run_sync(metadata.create_all, tables=chosen))
    app = FastAPI()
    app.state.identity = Everybody()
    install_problems(app)
    service = QualityService(SqlQuality(database), OneRecording(), ManualClock(NOW), CountedIds())
    app.include_router(routes(service, scribe))
    headers = {"Authorization": "Bearer qa"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://hotline/api/v1", headers=headers
    ) as opened:
        yield opened
    await database.close()


async def test_a_note_is_kept_in_its_place_and_removed_by_who_wrote_it(
    client: httpx.AsyncClient, scribe: Scribe
) -> None:
    late = {"from_ms": 30_000, "to_ms": 31_000, "text": "words", "kind": "issue"}
    early = {"from_ms": 1000, "to_ms": 4000, "text": "words too", "kind": "praise"}
    for body in (late, early):
        assert (await client.post("/recordings/rec_1/notes", json=body)).status_code == 201
    items = (await client.get("/recordings/rec_1/notes")).json()["items"]
    assert [(one["from_ms"], one["kind"], one["by_name"]) for one in items] == [
        (1000, "praise", "N"),
        (30_000, "issue", "N"),
    ]
    path = f"/recordings/rec_1/notes/{items[0]['id']}"
    stranger = {"Authorization": "Bearer supervisor:other"}
    assert (await client.delete(path, headers=stranger)).status_code == 403
    assert (await client.delete(path)).status_code == 204
    assert (await client.delete(path)).status_code == 404
    assert len((await client.get("/recordings/rec_1/notes")).json()["items"]) == 1
    assert scribe.lines.count(("quality.note", "rec_1")) == 2
    assert ("quality.note_removed", "rec_1") in scribe.lines


@pytest.mark.parametrize("stretch", [(5000, 4000), (0, 60_001), (-1, 5)])
async def test_a_note_lies_within_its_recording(client: httpx.AsyncClient, stretch: tuple[int, int]) -> None:
    body = {"from_ms": stretch[0], "to_ms": stretch[1], "text": "x"}
    assert (await client.post("/recordings/rec_1/notes", json=body)).status_code == 400


async def test_a_review_is_counted_by_the_sheet(client: httpx.AsyncClient, scribe: Scribe) -> None:
    sheet = (await client.get("/quality/sheet")).json()
    assert (sheet["passing"], len(sheet["items"]), bool(sheet["fatal"])) == (60, len(MARKS), True)
    made = await client.post("/recordings/rec_1/reviews", json={"marks": MARKS | {"tone": 5}, "comment": "words"})
    assert (made.status_code, made.json()["total"], made.json()["grade"]) == (201, 90, "good")
    await client.post("/recordings/rec_1/reviews", json={"marks": MARKS, "fatal": ["leak"]})
    items = (await client.get("/recordings/rec_1/reviews")).json()["items"]
    assert [(one["total"], one["agents"]) for one in items] == [(0, ["8001"]), (90, ["8001"])]
    assert scribe.lines.count(("quality.review", "rec_1")) == 2
    refused = await client.post("/recordings/rec_1/reviews", json={"marks": {"tone": 99}})
    assert (refused.status_code, len(refused.json()["problems"])) == (400, len(MARKS))


async def test_who_listened_before_is_told(client: httpx.AsyncClient) -> None:
    items = (await client.get("/recordings/rec_1/listeners")).json()["items"]
    assert [(one["name"], one["roles"]) for one in items] == [("N", ["qa"])]


async def test_what_is_not_there_or_not_theirs_is_not_found(client: httpx.AsyncClient) -> None:
    for part in ("notes", "reviews", "listeners"):
        assert (await client.get(f"/recordings/rec_2/{part}")).status_code == 404
        operator = {"Authorization": "Bearer operator"}
        assert (await client.get(f"/recordings/rec_1/{part}", headers=operator)).status_code == 403


async def test_what_cannot_be_audited_does_not_happen(client: httpx.AsyncClient, scribe: Scribe) -> None:
    scribe.broken = True
    assert (await client.post("/recordings/rec_1/reviews", json={"marks": MARKS})).status_code == 503
    scribe.broken = False
    assert (await client.get("/recordings/rec_1/reviews")).json()["items"] == []
