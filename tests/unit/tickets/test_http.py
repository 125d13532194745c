"""Tickets over HTTP: each role its projection, each view a line in the audit, each bad body a plain refusal."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from hotline.clock import ManualClock
from hotline.http import install_problems
from hotline.security import Principal, Role
from tests.unit.tickets.conftest import CallRow, Scribe
from tickets.http import routes
from tickets.model import REGISTRATION, Ticket
from tickets.service import TicketService

pytestmark = pytest.mark.unit

BASE = "/api/v1/tickets"


class Everyone:
    """Tokens are `ROLE:AGENT:UNIT`, percent-encoded by nobody."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        if not token:
            return None
        role, agent, unit = token.split(":")
        return Principal(person=f"person-{agent}", name="N", roles=frozenset({Role(role)}), agent=agent, unit=unit)


class Once:
    """Remembers answers by key."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], tuple[int, bytes]] = {}

    async def once(
        self,
        scope: str,
        key: str,
        fingerprint: str,  # noqa: ARG002
        make: Callable[[], Awaitable[tuple[int, bytes]]],
    ) -> tuple[int, bytes]:
        if (scope, key) not in self.known:
            self.known[scope, key] = await make()
        return self.known[scope, key]


def as_(role: Role, agent: str = "", unit: str = "") -> dict[str, str]:
    return {"authorization": f"Bearer {role}:{agent}:{unit}"}


OWN, OTHER, BOSS = as_(Role.OPERATOR, "1001"), as_(Role.OPERATOR, "1002"), as_(Role.SUPERVISOR, "9")


@pytest.fixture
async def client(service: TicketService, scribe: Scribe, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)
    app.state.identity = Everyone()
    app.state.idempotency = Once()
    app.include_router(routes(service, scribe, clock))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hotline") as opened:
        yield opened


@pytest.fixture
async def born(service: TicketService, call_row: type[CallRow], clock: ManualClock) -> Ticket:
    return await service.open_for_call(call_row(), agent="1001", at=clock.now(), recording="rec_1")


async def test_one_ticket_comes_with_its_history_masked_and_audited(
    client: httpx.AsyncClient, born: Ticket, scribe: Scribe
) -> None:
    answer = await client.get(f"{BASE}/{born.id}", headers=OWN)
    body = answer.json()
    assert (body["number"], body["caller"], body["recording"]) == (born.number, "138****5678", "rec_1")
    assert (body["dialled"], body["owner_unit"], body["state"]) == ("12329", "住房公积金中心", "draft")
    assert [line["action"] for line in body["history"]] == ["created"]
    assert "no-store" in answer.headers["cache-control"]
    assert scribe.lines == [("person-1001", "ticket.view", born.id, "ok", {})]


async def test_refused_view_looks_like_nothing_and_is_audited(
    client: httpx.AsyncClient, born: Ticket, scribe: Scribe
) -> None:
    unit = as_(Role.UNIT, unit="x")
    refused = await client.get(f"{BASE}/{born.id}", headers=unit)
    nothing = await client.get(f"{BASE}/ticket_404", headers=unit)
    assert refused.status_code == nothing.status_code == 404
    assert refused.json() == nothing.json()
    await client.get(f"{BASE}/%00bad", headers=unit)
    assert [line[1:4] for line in scribe.lines] == [
        ("ticket.view", born.id, "refused"),
        ("ticket.view", "ticket_404", "refused"),
        ("ticket.view", "invalid", "refused"),
    ]


async def test_nothing_is_shown_or_changed_without_an_audit(
    client: httpx.AsyncClient, born: Ticket, scribe: Scribe, service: TicketService
) -> None:
    scribe.broken = True
    change = {"version": 1, "matter": "x"}
    answers = [
        await client.get(BASE, headers=OWN),
        await client.get(f"{BASE}/{born.id}", headers=OWN),
        await client.patch(f"{BASE}/{born.id}", headers=OWN, json=change),
        await client.post(f"{BASE}/{born.id}/submit", headers=OWN, json={"version": 1}),
        await client.get("/api/v1/callbacks", headers=OWN),
    ]
    assert [answer.status_code for answer in answers] == [503] * 5
    assert await service.for_call("call_1") == born


async def test_list_has_pages_filters_and_one_line_in_the_audit_for_each(
    client: httpx.AsyncClient, service: TicketService, call_row: type[CallRow], clock: ManualClock, scribe: Scribe
) -> None:
    for number in range(5):
        row = call_row(call=f"call_{number}", dialled="12345" if number % 2 else "12329")
        await service.open_for_call(row, agent="1001", at=clock.now() + timedelta(seconds=number))
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(BASE, params=query, headers=OWN)).json()
        seen += [item["call"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"call_{number}" for number in (4, 3, 2, 1, 0)]
    assert [len(line[4]["tickets"]) for line in scribe.lines] == [2, 2, 1]
    dialled = (await client.get(BASE, params={"dialled": "12345"}, headers=OWN)).json()["items"]
    assert [item["call"] for item in dialled] == ["call_3", "call_1"]
    since = (clock.now() + timedelta(seconds=4)).isoformat()
    assert len((await client.get(BASE, params={"since": since}, headers=OWN)).json()["items"]) == 1
    assert (await client.get(BASE, params={"call": "call_0", "state": "draft"}, headers=OWN)).json()["items"]
    assert (await client.get(BASE, headers=as_(Role.UNIT, unit="x"))).json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        "state=dreaming",
        "dialled=%00",
        "call=%00",
        "call='",
        "since=yesterday",
        "category=1",
        "category=x%27",
        "request_type=%00",
        "urgency=soon",
        "since=0001-01-01T00:00:00%2B14:00",
        "since=2026-02-14T00:00:00",
        "limit=0",
        "limit=99999",
        "cursor=x",
        "cursor=WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgInRpY2tldF8xIl0",
        "cursor=WyIyMDI2LTAyLTE0VDAwOjAwOjAwKzAwOjAwIiwgIlx1MDAwMCJd",
    ],
)
async def test_bad_queries_are_refused_with_a_sentence(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"{BASE}?{query}", headers=OWN)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_desk_changes_the_eight_fields_and_submits(
    client: httpx.AsyncClient, born: Ticket, scribe: Scribe, service: TicketService
) -> None:
    body = {name: f"值{number}" for number, name in enumerate(REGISTRATION)} | {"contact_no": "0717-1234567"}
    answer = await client.patch(f"{BASE}/{born.id}", headers=OWN, json={"version": 1, **body})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["version"], answer.json()["contact_no"]) == (2, "071*****4567")
    stored = await service.for_call("call_1")
    assert stored is not None
    assert {name: getattr(stored, name) for name in REGISTRATION} == body
    done = await client.post(f"{BASE}/{born.id}/submit", headers=OWN, json={"version": 2})
    assert (done.status_code, done.json()["state"]) == (200, "registered")
    assert [line[1] for line in scribe.lines] == ["ticket.edit", "ticket.submit"]
    assert scribe.lines[0][4] == {"fields": sorted(body)}
    again = await client.post(f"{BASE}/{born.id}/submit", headers=OWN, json={"version": 3})
    assert again.status_code == 409


async def test_desk_classes_a_ticket_and_lists_find_it_by_that(
    client: httpx.AsyncClient, born: Ticket, service: TicketService, call_row: type[CallRow], clock: ManualClock
) -> None:
    await service.open_for_call(call_row(call="call_2"), agent="1001", at=clock.now())
    known = (await client.get(f"{BASE}/classification", headers=OWN)).json()
    assert known["types"][2] == {"code": "complaint", "zh": "投诉", "en": "Complaint"}
    classed = {
        "request_type": "complaint",
        "urgency": "urgent",
        "category_code": "010401",
        "proposed_unit": "住房和城乡建设局",
    }
    answer = await client.patch(f"{BASE}/{born.id}", headers=OWN, json={"version": 1, **classed})
    assert {name: answer.json()[name] for name in classed} == classed
    lines = (await client.get(f"{BASE}/{born.id}", headers=OWN)).json()["history"]
    assert lines[-1]["fields"] == sorted(classed)
    for query in ("request_type=complaint", "urgency=urgent", "category=01", "category=0104", "category=010401"):
        items = (await client.get(f"{BASE}?{query}", headers=OWN)).json()["items"]
        assert [item["id"] for item in items] == [born.id], query
    for query in ("request_type=praise", "category=02", "category=0102"):
        assert (await client.get(f"{BASE}?{query}", headers=OWN)).json()["items"] == [], query


async def test_unknown_classes_are_refused_together_and_nothing_is_changed(
    client: httpx.AsyncClient, born: Ticket, service: TicketService
) -> None:
    body = {"version": 1, "matter": "x", "request_type": "gossip", "urgency": "now", "category_code": "0104"}
    answer = await client.patch(f"{BASE}/{born.id}", headers=OWN, json=body)
    assert answer.status_code == 400
    told = [problem.partition(":")[0] for problem in answer.json()["problems"]]
    assert told == ["request_type", "urgency", "category_code"]
    assert await service.for_call("call_1") == born


async def test_null_and_missing_fields_stay_as_they_are(
    client: httpx.AsyncClient, born: Ticket, service: TicketService
) -> None:
    await client.patch(f"{BASE}/{born.id}", headers=OWN, json={"version": 1, "matter": "甲", "demand": "乙"})
    await client.patch(f"{BASE}/{born.id}", headers=OWN, json={"version": 2, "matter": None, "demand": ""})
    stored = await service.for_call("call_1")
    assert stored is not None
    assert (stored.matter, stored.demand) == ("甲", "")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"matter": "x"},
        {"version": 1, "state": "archived"},
        {"version": 1, "caller": "1"},
        {"version": 1, "owner_unit": "x"},
        {"version": 1, "confidential": False},
        {"version": 1, "category_code": "01\u0000"},
        {"version": 1, "urgency": ""},
        {"version": 1, "lead_unit": "x"},
        {"version": 1, "proposed_unit": "x" * 201},
        {"version": 0, "matter": "x"},
        {"version": 10**30, "matter": "x"},
        {"version": "1; DROP", "matter": "x"},
        {"version": 1, "matter": 5},
        {"version": 1, "matter": "a\0b"},
        {"version": 1, "matter": "x" * 10_001},
        {"version": 1, "contact_no": "138****5678"},
        {"version": 1, "contact_no": "call me"},
        [],
        "x",
    ],
)
async def test_bad_bodies_change_nothing(
    client: httpx.AsyncClient, born: Ticket, body: object, service: TicketService
) -> None:
    answer = await client.patch(f"{BASE}/{born.id}", headers=OWN, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await service.for_call("call_1") == born


async def test_lone_surrogate_is_refused(client: httpx.AsyncClient, born: Ticket) -> None:
    raw = b'{"version": 1, "matter": "\\ud800"}'
    headers = {**OWN, "content-type": "application/json"}
    assert (await client.patch(f"{BASE}/{born.id}", headers=headers, content=raw)).status_code == 400


async def test_others_tickets_outdated_versions_and_roles_are_refused(client: httpx.AsyncClient, born: Ticket) -> None:
    path, change = f"{BASE}/{born.id}", {"version": 1, "matter": "x", "demand": "y"}
    assert (await client.patch(path, headers=OTHER, json=change)).status_code == 403
    assert (await client.post(f"{path}/submit", headers=OTHER, json={"version": 1})).status_code == 403
    for role in (Role.QA, Role.AUDITOR, Role.UNIT, Role.ADMINISTRATOR):
        assert (await client.patch(path, headers=as_(role, "1001", "x"), json=change)).status_code == 403
    assert (await client.patch(path, json=change)).status_code == 401
    assert (await client.post(f"{path}/submit", headers=OWN, json={"version": 1})).status_code == 400
    assert (await client.patch(path, headers=OWN, json=change)).status_code == 200
    assert (await client.patch(path, headers=OWN, json=change)).status_code == 409
    assert (await client.patch(f"{BASE}/ticket_404", headers=OWN, json=change)).status_code == 404


async def test_retried_submit_with_the_same_key_gets_the_same_answer(
    client: httpx.AsyncClient, born: Ticket, service: TicketService
) -> None:
    await client.patch(f"{BASE}/{born.id}", headers=OWN, json={"version": 1, "matter": "x", "demand": "y"})
    headers = {**OWN, "idempotency-key": "k1"}
    first = await client.post(f"{BASE}/{born.id}/submit", headers=headers, json={"version": 2})
    second = await client.post(f"{BASE}/{born.id}/submit", headers=headers, json={"version": 2})
    assert (first.status_code, first.json()) == (200, second.json())
    assert len(await service.history(born.id)) == 3


async def test_history_shows_which_fields_changed_and_never_their_contents(
    client: httpx.AsyncClient, born: Ticket
) -> None:
    await client.patch(f"{BASE}/{born.id}", headers=OWN, json={"version": 1, "contact_no": "13900001111"})
    answer = await client.get(f"{BASE}/{born.id}", headers=as_(Role.AUDITOR))
    assert answer.json()["history"][1]["fields"] == ["contact_no"]
    assert "13900001111" not in answer.text
    assert "13812345678" not in answer.text


async def test_desk_sees_who_is_owed_a_call_and_ticks_it_off(
    client: httpx.AsyncClient, service: TicketService, call_row: type[CallRow], clock: ManualClock, scribe: Scribe
) -> None:
    task = await service.ask_callback(call_row(), "failed_node", clock.now())
    assert task is not None
    page = (await client.get("/api/v1/callbacks", headers=OWN)).json()
    assert [(item["caller"], item["reason"]) for item in page["items"]] == [("138****5678", "failed_node")]
    for role in (Role.UNIT, Role.AUDITOR, Role.QA, Role.ADMINISTRATOR):
        assert (await client.get("/api/v1/callbacks", headers=as_(role, "1", "x"))).status_code == 403
    done = await client.post(f"/api/v1/callbacks/{task.id}/done", headers=OWN)
    assert done.json()["done_at"] is not None
    assert (await client.get("/api/v1/callbacks", headers=OWN)).json()["items"] == []
    assert len((await client.get("/api/v1/callbacks?done=true", headers=OWN)).json()["items"]) == 1
    assert (await client.post("/api/v1/callbacks/callback_404/done", headers=OWN)).status_code == 404
    assert [line[1] for line in scribe.lines[:2]] == ["callback.list", "callback.done"]
