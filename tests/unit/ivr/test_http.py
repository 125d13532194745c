"""The routes of numbers and flows: answers, pages, refusals, and who may."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hotline.clock import ManualClock
from hotline.http import install_problems
from hotline.security import Principal, Role
from hotline.tasks import Tasks
from ivr.http import routes
from ivr.service import IvrService
from tests.unit.ivr.conftest import MemoryStore, Scribe, ToneVoice

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
NEW = "numbers:\n  - {number: 12399, name: 新号, owner_unit: u, mode: whole, valid_from: 2027-01-01}\n"


class Everybody:
    """An identity whose token is the role."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        return Principal(person=f"p_{token}", name="x", roles=frozenset({Role(token)})) if token else None


@pytest.fixture
async def client(
    tmp_path: Path, store: MemoryStore, voice: ToneVoice, scribe: Scribe
) -> AsyncIterator[httpx.AsyncClient]:
    clock = ManualClock(NOON)
    service = IvrService(store, clock, tmp_path, home="0717", voice=voice)
    app = FastAPI()
    app.state.identity = Everybody()
    install_problems(app)
    app.include_router(routes(service, clock, scribe))
    async with Tasks("test") as tasks:
        await service.seed("seed", demo=True)
        await service.start(tasks)
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": "Bearer administrator"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield client


async def test_list_goes_through_all_pages_without_gap_or_repeat(client: httpx.AsyncClient) -> None:
    seen, cursor = [], None
    while True:
        page = (
            await client.get("/api/v1/numbers", params={"limit": 7} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [(item["number"], item["region"], item["valid_from"]) for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 46
    assert [one[:2] for one in seen] == sorted(one[:2] for one in seen)


async def test_list_by_mode_and_by_day(client: httpx.AsyncClient) -> None:
    whole = (await client.get("/api/v1/numbers", params={"mode": "whole"})).json()["items"]
    assert {item["number"] for item in whole} == {"12336", "12356", "96119"}
    assert whole[0]["mode_name"] == "整体并入"
    later = (await client.get("/api/v1/numbers", params={"mode": "whole", "at": "2026-11-23"})).json()["items"]
    assert {item["number"] for item in later} == {"12336", "96119"}


async def test_what_happens_to_a_number_on_a_date(client: httpx.AsyncClient) -> None:
    before = (await client.get("/api/v1/numbers/12356", params={"at": "2025-04-30T23:59:59"})).json()
    after = (await client.get("/api/v1/numbers/12356", params={"at": "2025-05-01"})).json()
    assert (before["entry"]["mode"], after["entry"]["mode"]) == ("whole", "dual")
    assert len(after["entries"]) == 2
    assert after["call"]["needs"] == ["psychological:1"]
    closed = (await client.get("/api/v1/numbers/0717-12329", params={"at": "2026-02-14T20:00"})).json()["call"]
    assert (closed["open"], closed["day"], closed["queue"], closed["needs"]) == (
        False,
        "make_up Spring Festival",
        "general",
        [],
    )


async def test_undeclared_number_is_told_as_such(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/numbers/12399")).json()
    assert (answer["declared"], answer["entry"]["number"]) == (False, "12345")
    assert (await client.get("/api/v1/flows")).json()["undeclared"] == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/numbers/nonsense", 400),
        ("/api/v1/numbers/12345?at=yesterday", 400),
        ("/api/v1/numbers?at=2026-02-30", 400),
        ("/api/v1/numbers?mode=nothing", 400),
        ("/api/v1/numbers?cursor=zzz", 400),
        ("/api/v1/numbers?limit=0", 400),
    ],
)
async def test_wrong_question_is_refused_with_a_sentence(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_import_can_be_tried_done_and_repeated(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/yaml"}
    url = "/api/v1/numbers/import"
    tried = await client.post(url, params={"check": True}, content=NEW, headers=headers)
    assert tried.json()["changed"] == 1
    assert (await client.get("/api/v1/numbers/12399", params={"at": "2027-01-01"})).json()["declared"] is False
    done = await client.post(url, content=NEW, headers=headers)
    assert (done.status_code, done.json()["changed"]) == (200, 1)
    again = await client.post(url, content=NEW, headers=headers)
    assert (again.json()["changed"], again.json()["revision"]) == (0, done.json()["revision"])
    found = (await client.get("/api/v1/numbers/12399", params={"at": "2027-01-01"})).json()
    assert (found["declared"], found["entry"]["name"]) == (True, "新号")
    assert (await client.get("/api/v1/numbers/12399", params={"at": "2026-12-31"})).json()["declared"] is False


async def test_import_of_csv_by_content_type_or_name(client: httpx.AsyncClient) -> None:
    csv = "number,name,owner_unit,mode\n12399,x,u,whole\n"
    by_type = await client.post(
        "/api/v1/numbers/import", content=csv, headers={"Content-Type": "text/csv; charset=utf-8"}
    )
    by_name = await client.post("/api/v1/numbers/import", params={"file": "n.csv"}, content=csv)
    assert (by_type.json()["changed"], by_name.json()["changed"]) == (1, 0)


async def test_wrong_import_lists_every_mistake_with_its_place(client: httpx.AsyncClient) -> None:
    bad = (
        "numbers:\n  - {number: 12399, name: x, mode: whole}\n  - {number: 12336, name: x, owner_unit: u, mode: what}\n"
    )
    answer = await client.post("/api/v1/numbers/import", params={"file": "list.yaml"}, content=bad)
    assert answer.status_code == 400
    assert [problem.split(": ")[0] for problem in answer.json()["problems"]] == ["list.yaml:2:14", "list.yaml:3:51"]


@pytest.mark.parametrize(
    ("params", "content"), [({}, "x"), ({"file": "a.exe"}, "x"), ({"file": "a.yaml"}, "#" * 1_000_001)]
)
async def test_import_of_unknown_form_or_size_is_refused(
    client: httpx.AsyncClient, params: dict[str, str], content: str
) -> None:
    assert (await client.post("/api/v1/numbers/import", params=params, content=content)).status_code == 400


async def test_ledger_tells_who_changed_it(client: httpx.AsyncClient) -> None:
    items = (await client.get("/api/v1/numbers/12345/ledger", params={"limit": 1})).json()
    assert (items["items"][0]["who"], len(items["items"]), items["next"] is None) == ("seed", 1, False)
    rest = (await client.get("/api/v1/numbers/12345/ledger", params={"cursor": items["next"]})).json()
    assert len(rest["items"]) == 1


async def test_flows_in_force_with_what_should_be_looked_at(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/flows")).json()
    assert set(answer["flows"]) >= {"self", "whole", "dual"}
    assert (answer["problems"], answer["catalogue_source"]) == ([], "database")
    assert all("/" not in finding["file"] for finding in answer["findings"])


@pytest.mark.parametrize(
    ("method", "path", "role", "status"),
    [
        ("GET", "/api/v1/numbers", "", 401),
        ("GET", "/api/v1/numbers", "unit", 403),
        ("GET", "/api/v1/numbers", "operator", 200),
        ("GET", "/api/v1/numbers/12345", "unit", 403),
        ("GET", "/api/v1/numbers/12345/ledger", "unit", 403),
        ("POST", "/api/v1/numbers/import?file=a.yaml", "supervisor", 403),
        ("GET", "/api/v1/flows", "operator", 403),
        ("GET", "/api/v1/flows", "qa", 200),
    ],
)
async def test_each_route_asks_who_may(
    client: httpx.AsyncClient, method: str, path: str, role: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {role}" if role else ""}
    assert (await client.request(method, path, headers=headers)).status_code == status
