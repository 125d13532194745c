"""The catalogue by form: a new number with every field, own dates and what they lead to, mistakes at their fields."""

import httpx
import pytest

from tests.unit.ivr.conftest import Scribe
from tests.unit.ivr.test_http import client as client

pytestmark = pytest.mark.unit

NUMBER = {
    "number": "12399",
    "region": "0717",
    "valid_from": "2027-01-01",
    "valid_to": "2027-12-31",
    "name": "新热线",
    "owner_unit": "某局",
    "mode": "dual_track",
    "status": "planned",
    "cutover_at": "2027-01-15",
    "transition_until": "2027-06-30",
    "hours": "office",
    "queue": "general",
    "needs": ["housing_fund:3"],
    "widen_after_s": "30",
    "priority": "10",
    "experts": ["legal"],
    "external": "0717-6123456",
    "aliases": ["0717-6123457"],
    "ticket_class": "010101",
    "note": "并入计划第三批",
    "source": "市政府办 2026-15",
}
DAY = "/api/v1/calendar/2026-12-26"


def fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [problem.partition(":")[0] for problem in answer.json()["problems"]]


async def test_a_number_is_declared_with_every_field_from_a_day_on(client: httpx.AsyncClient, scribe: Scribe) -> None:
    tried = await client.post("/api/v1/numbers?check=true", json=NUMBER)
    assert (tried.status_code, tried.json()["changed"]) == (200, 1), tried.text
    assert (await client.get("/api/v1/numbers/12399?at=2027-02-01")).json()["declared"] is False
    assert scribe.lines == []
    assert (await client.post("/api/v1/numbers", json=NUMBER)).status_code == 200
    entry = (await client.get("/api/v1/numbers/12399?at=2027-02-01")).json()["entry"]
    assert {name: str(entry[name]) for name in ("region", "mode", "status", "widen_after_s", "ticket_class")} == {
        "region": "0717", "mode": "dual_track", "status": "planned", "widen_after_s": "30", "ticket_class": "010101",
    }  # fmt: skip
    assert (entry["needs"], entry["external"], entry["aliases"]) == (
        [{"skill": "housing_fund", "level": 3}], "07176123456", ["07176123457"],
    )  # fmt: skip
    assert (await client.get("/api/v1/numbers/12399?at=2026-12-31")).json()["declared"] is False
    assert scribe.lines == [("number.declare", "12399")]


async def test_every_mistake_is_told_at_its_field_and_nothing_is_changed(client: httpx.AsyncClient) -> None:
    wrong = NUMBER | {
        "number": "call me", "region": "x", "valid_from": "soon", "name": "", "mode": "merged", "status": "done",
        "hours": "Some Time", "needs": ["?"], "widen_after_s": "0", "aliases": ["x"],
    }  # fmt: skip
    found = fields(await client.post("/api/v1/numbers", json=wrong))
    assert set(found) == {
        "number", "valid_from", "name", "mode", "status", "hours", "needs", "widen_after_s", "aliases",
    }  # fmt: skip
    later = NUMBER | {"owner_unit": "", "valid_to": "2026-01-01", "transition_until": "2029-01-01", "region": "7"}
    assert set(fields(await client.post("/api/v1/numbers", json=later))) == {
        "region", "owner_unit", "valid_to", "transition_until",
    }  # fmt: skip
    unknown = NUMBER | {"hours": "nobodys", "flow": "nowhere"}
    assert fields(await client.post("/api/v1/numbers", json=unknown)) == ["hours", "flow"]
    assert (await client.get("/api/v1/numbers/12399?at=2027-02-01")).json()["declared"] is False


async def test_a_number_that_is_there_is_not_replaced_by_mistake_nor_overlapped(client: httpx.AsyncClient) -> None:
    await client.post("/api/v1/numbers", json=NUMBER)
    assert fields(await client.post("/api/v1/numbers", json=NUMBER | {"name": "别名"})) == ["number"]
    assert (await client.post("/api/v1/numbers?replace=true", json=NUMBER | {"name": "别名"})).status_code == 200
    overlapping = NUMBER | {"valid_from": "2027-06-01", "transition_until": "2027-09-30"}
    assert fields(await client.post("/api/v1/numbers", json=overlapping)) == ["valid_from"]


async def test_an_own_date_is_tried_set_and_taken_back(client: httpx.AsyncClient, scribe: Scribe) -> None:
    before = (await client.get(DAY)).json()
    assert (before["day"]["kind"], before["own"]) == ("rest", None)
    office = {one["name"]: one["times"] for one in before["profiles"]}["office"]
    assert office == []
    work = {"kind": "work", "counts_as": "fri", "note": "调休"}
    tried = (await client.put(f"{DAY}?check=true", json=work)).json()
    assert (tried["day"]["kind"], tried["day"]["name"]) == ("make_up", "调休")
    assert {one["name"]: one["times"] for one in tried["profiles"]}["office"] == ["08:30-12:00", "14:30-17:30"]
    assert (await client.get(DAY)).json() == before
    await client.put(DAY, json=work | {"times": ["09:00-11:00", "13:00-24:00"]})
    shown = (await client.get(DAY)).json()
    assert shown["own"]["times"] == ["09:00-11:00", "13:00-24:00"]
    assert {one["name"]: one["times"] for one in shown["profiles"]}["office_9_17"] == shown["own"]["times"]
    assert (await client.delete(DAY)).json() == before
    assert scribe.lines == [("calendar.set", "2026-12-26"), ("calendar.forget", "2026-12-26")]


async def test_mistakes_of_a_date_are_told_at_their_fields(client: httpx.AsyncClient) -> None:
    wrong = {"kind": "party", "counts_as": "someday", "times": ["9-5"]}
    assert fields(await client.put(DAY, json=wrong)) == ["kind", "counts_as", "times"]
    assert fields(await client.put(DAY, json={})) == ["kind"]
    assert (await client.get("/api/v1/calendar/1800-01-01")).status_code == 400
    assert (await client.put("/api/v1/calendar/1800-01-01", json={"kind": "work"})).status_code == 400
    for role in ("supervisor", "operator"):
        headers = {"authorization": f"Bearer {role}"}
        assert (await client.put(DAY, json={"kind": "work"}, headers=headers)).status_code == 403
        assert (await client.delete(DAY, headers=headers)).status_code == 403
        assert (await client.post("/api/v1/numbers", json=NUMBER, headers=headers)).status_code == 403
