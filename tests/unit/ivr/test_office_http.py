"""What the administration's pages are shown: flows as graphs, calls with keys, prompts to listen to, the calendar."""

import httpx
import pytest

from tests.unit.ivr.test_http import client as client

pytestmark = pytest.mark.unit


async def test_a_flow_is_shown_with_every_way_and_who_comes_by_it(client: httpx.AsyncClient) -> None:
    flow = (await client.get("/api/v1/flows/menu_12329")).json()
    assert flow["nodes"][0]["name"] == flow["start"] == "notice"
    assert {node["kind"] for node in flow["nodes"]} == {"play", "hours", "menu", "queue"}
    menu = {(way["label"], way["target"]) for way in flow["ways"] if way["source"] == "menu"}
    assert menu == {("0", "owner"), ("1", "deposit"), ("2", "withdrawal"), ("3", "loan"), ("otherwise", "owner")}
    assert ("open", "menu") in {(way["label"], way["target"]) for way in flow["ways"] if way["source"] == "hours"}
    assert flow["numbers"] == ["12329"]
    assert (await client.get("/api/v1/flows/nothing")).status_code == 404


async def test_keys_lead_where_a_caller_would_come(client: httpx.AsyncClient) -> None:
    path = "/api/v1/numbers/12329/simulate"
    pressed = (await client.get(path, params={"at": "2026-11-23T10:00", "keys": "2"})).json()
    assert (pressed["moments"][-1]["node"], pressed["open"]) == ("withdrawal", True)
    menu = next(one for one in pressed["moments"] if one["action"] == "collect")
    assert (menu["prompts"], menu["key"]) == (["menu_12329"], "2")
    waited = (await client.get(path, params={"at": "2026-11-23T10:00"})).json()
    assert waited["moments"][-1]["node"] == "owner"
    assert (await client.get(path, params={"keys": "a"})).status_code == 400


async def test_prompts_say_their_words_and_can_be_heard(client: httpx.AsyncClient) -> None:
    items = (await client.get("/api/v1/prompts")).json()["items"]
    known = {one["name"]: one for one in items}
    assert known["recording_notice"]["text"]
    assert "menu_12329" in known["menu_12329"]["flows"]
    assert "dual" in known["brand_12333"]["flows"]
    sound = await client.get("/api/v1/prompts/recording_notice/audio")
    assert (sound.status_code, sound.content[:4]) == (200, b"RIFF")
    assert (await client.get("/api/v1/prompts/..%2fsecret/audio")).status_code == 404


async def test_the_calendar_knows_holidays_and_make_up_days(client: httpx.AsyncClient) -> None:
    shown = (await client.get("/api/v1/calendar", params={"since": "2026-02-14", "days": 3})).json()
    assert [(one["day"], one["kind"]) for one in shown["days"]] == [
        ("2026-02-14", "make_up"),
        ("2026-02-15", "holiday"),
        ("2026-02-16", "holiday"),
    ]
    office = next(one for one in shown["profiles"] if one["name"] == "office_9_17")
    assert (office["numbers"], bool(office["windows"])) == (["12329"], True)
    assert (await client.get("/api/v1/calendar", params={"since": "1800-01-01"})).status_code == 400
