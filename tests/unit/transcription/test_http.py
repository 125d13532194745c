"""Transcripts over HTTP: only for those who may read them, masked, audited, page by page."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hotline.clock import ManualClock
from hotline.errors import Unavailable
from hotline.http import install_problems
from hotline.ids import CountedIds
from hotline.security import Principal, Role
from tests.unit.transcription.conftest import NotedJobs
from transcription.engine import Heard
from transcription.http import routes
from transcription.model import ModelIdentity, Order, Speaker, Utterance, Word
from transcription.segments import default_punctuation, dialogue
from transcription.service import TranscriptService
from transcription.store_sql import SqlTranscripts

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 20, tzinfo=UTC)
SPEAKERS = (Speaker("citizen"), Speaker("operator", "8001"))
MODEL = ModelIdentity(engine="vosk", name="tiny", digest="d", rate=8000, demonstration=True, words=326)


class NotedAudit:
    """`Audit` that keeps what it was told, or refuses."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.details: list[tuple[str, dict[str, Any]]] = []
        self.full = False

    async def record(
        self, who: Principal, action: str, subject: str, *, result: str = "ok", detail: Mapping[str, Any] | None = None
    ) -> None:
        if self.full:
            raise Unavailable("The audit cannot be written.")
        self.lines.append((action, subject, result))
        self.details.append((who.person, dict(detail or {})))


class Desk:
    """A client whose roles can be chosen."""

    def __init__(self, store: SqlTranscripts) -> None:
        self.store, self.clock, self.audit = store, ManualClock(NOW), NotedAudit()
        self.roles, self.agent = frozenset({Role.QA}), ""
        self.service = TranscriptService(store, NotedJobs(), self.clock, CountedIds(), lambda: "model")
        app = FastAPI()
        install_problems(app)
        app.state.identity = self
        app.include_router(routes(self.service, self.audit, self.clock))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hotline")

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        return Principal(person="p", name="n", roles=self.roles, agent=self.agent)

    def be(self, role: Role, agent: str = "") -> None:
        self.roles, self.agent = frozenset({role}), agent

    async def add(self, call: str, text: str = "我的电话是幺三九零零幺二三四五六") -> str:
        order = Order(recording=f"recording_of_{call}", call=call, path="a.wav", channels=SPEAKERS)
        transcript = await self.service.request(order)
        words = tuple(Word(letter, 100 * n, 100 * n + 100, 1.0) for n, letter in enumerate(text))
        segments = dialogue([[Utterance(words)], []], SPEAKERS, default_punctuation())
        await self.store.ready(order.recording, Heard(segments, 5000), MODEL, 7, NOW)
        return transcript.id

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        return await self.client.get(f"/api/v1/transcripts{path}", params=query)


@pytest.fixture
async def desk(store: SqlTranscripts) -> AsyncIterator[Desk]:
    made = Desk(store)
    yield made
    await made.client.aclose()


async def test_a_transcript_is_shown_with_its_dialogue_and_its_label(desk: Desk) -> None:
    shown = (await desk.get("/" + await desk.add("call_1"))).json()
    assert shown["state"] == "ready"
    assert shown["demo_model"] is True
    assert shown["label_en"] == "made by a demonstration model of some 300 words"
    assert [(one["party"], one["start_ms"], one["end_ms"]) for one in shown["segments"]] == [("citizen", 0, 1600)]
    assert desk.audit.lines == [("transcript.view", "transcript_1", "ok")]


async def test_numbers_of_people_are_masked_in_text_and_words(desk: Desk) -> None:
    (segment,) = (await desk.get("/" + await desk.add("call_1"))).json()["segments"]
    assert segment["text"] == "我的电话是***********。"
    assert "幺" not in "".join(word["word"] for word in segment["words"])


async def test_markup_that_somebody_said_comes_out_as_text(desk: Desk) -> None:
    response = await desk.get("/" + await desk.add("call_1", "<b>';--"))
    assert response.headers["content-type"] == "application/json"
    assert response.json()["segments"][0]["text"] == "<b>';--。"


async def test_without_an_audit_nothing_is_shown(desk: Desk) -> None:
    transcript = await desk.add("call_1")
    desk.audit.full = True
    assert (await desk.get("/" + transcript)).status_code == 503
    assert (await desk.get("")).status_code == 503


@pytest.mark.parametrize("role", [Role.UNIT, Role.ADMINISTRATOR, Role.AUDITOR])
async def test_roles_without_the_permission_are_refused(desk: Desk, role: Role) -> None:
    transcript = await desk.add("call_1")
    desk.be(role)
    assert (await desk.get("/" + transcript)).status_code == 403
    assert (await desk.get("")).status_code == 403


async def test_a_dispatcher_reads_what_a_ticket_was_made_of(desk: Desk) -> None:
    transcript = await desk.add("call_1")
    desk.be(Role.DISPATCHER)
    assert (await desk.get("/" + transcript)).status_code == 200
    assert [one["id"] for one in (await desk.get("")).json()["items"]] == [transcript]


async def test_operators_read_their_own_calls_for_a_day(desk: Desk) -> None:
    transcript = await desk.add("call_1")
    desk.be(Role.OPERATOR, "8001")
    assert (await desk.get("/" + transcript)).status_code == 200
    assert len((await desk.get("")).json()["items"]) == 1
    desk.clock.advance(timedelta(hours=24))
    assert (await desk.get("/" + transcript)).status_code == 404
    assert (await desk.get("")).json()["items"] == []


@pytest.mark.parametrize("agent", ["8002", "800", ""])
async def test_operators_do_not_learn_of_the_calls_of_others(desk: Desk, agent: str) -> None:
    transcript = await desk.add("call_1")
    desk.be(Role.OPERATOR, agent)
    missing = await desk.get("/transcript_9")
    refused = await desk.get("/" + transcript)
    assert (refused.status_code, missing.status_code) == (404, 404)
    assert refused.json() == missing.json()
    assert (await desk.get("")).json()["items"] == []
    assert ("transcript.view", transcript, "refused") in desk.audit.lines
    assert ("transcript.view", "transcript_9", "refused") in desk.audit.lines


async def test_experts_read_the_calls_that_they_joined(desk: Desk) -> None:
    transcript = await desk.add("call_1")
    desk.be(Role.EXPERT, "8001")
    desk.clock.advance(timedelta(days=30))
    assert (await desk.get("/" + transcript)).status_code == 200


async def test_a_list_goes_page_by_page_and_can_be_of_one_call(desk: Desk) -> None:
    for number in range(3):
        await desk.add(f"call_{number}")
    first = (await desk.get("", limit=2)).json()
    second = (await desk.get("", limit=2, cursor=first["next"])).json()
    assert [row["call"] for row in first["items"] + second["items"]] == ["call_2", "call_1", "call_0"]
    assert second["next"] is None
    assert [row["call"] for row in (await desk.get("", call="call_1")).json()["items"]] == ["call_1"]
    assert desk.audit.lines[-1] == ("transcript.list", "call_1", "ok")
    assert desk.audit.details[-1] == ("p", {"transcripts": ["transcript_2"]})
