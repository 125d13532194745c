"""Seats over HTTP: own seat only, unless somebody may force it, and then the audit knows."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from agents.http import routes
from agents.service import AgentService
from hotline.http import install_problems
from hotline.security import Principal, Role
from tests.unit.agents.conftest import FakeSeats, Profiles, Scribe

pytestmark = pytest.mark.unit


class Everyone:
    """Tokens are `ROLE` or `ROLE:AGENT`."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        if not token:
            return None
        role, _, agent = token.partition(":")
        return Principal(person="p", name="N", roles=frozenset({Role(role)}), agent=agent)


@pytest.fixture
async def client(service: AgentService, scribe: Scribe) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)
    app.state.identity = Everyone()
    app.include_router(routes(service, scribe))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hotline/api/v1") as opened:
        yield opened


async def ask(
    client: httpx.AsyncClient, path: str, who: str = "operator:8001", body: dict[str, str] | None = None
) -> httpx.Response:
    return await client.post(path, json=body or {}, headers={"Authorization": f"Bearer {who}"})


async def test_sign_in_gives_the_seats_state_and_its_sip_account(client: httpx.AsyncClient, seats: FakeSeats) -> None:
    answer = (await ask(client, "/seats/8001/sign-in")).json()
    assert (answer["seat"], answer["state"], answer["phone"]) == ("8001", "ready", "8001")
    assert answer["sip"] == {"username": "seat8001", "secret": "s" * 16, "server": "127.0.0.1", "port": 5060}
    assert answer["actions"] == ["pause", "sign_out"]
    assert seats.skills["8001"] == {"general": 5}


async def test_agent_may_sit_at_another_phone(client: httpx.AsyncClient) -> None:
    answer = (await ask(client, "/seats/8001/sign-in", body={"phone": "8055"})).json()
    assert (answer["phone"], answer["sip"]["username"]) == ("8055", "seat8055")


async def test_agent_without_a_phone_has_to_name_one(client: httpx.AsyncClient) -> None:
    assert (await ask(client, "/seats/8011/sign-in", "expert:8011")).status_code == 400
    assert (await ask(client, "/seats/8011/sign-in", "expert:8011", {"phone": "80a"})).status_code == 400
    assert (await ask(client, "/seats/8011/sign-in", "expert:8011", {"phone": "8011"})).status_code == 200


async def test_phone_that_talks_for_another_seat_is_not_given_away(client: httpx.AsyncClient, seats: FakeSeats) -> None:
    seats.taken_phones.add("8001")
    answer = await ask(client, "/seats/8001/sign-in")
    assert answer.status_code == 409
    assert "secret" not in answer.text


async def test_unknown_and_inactive_agents_cannot_sign_in(client: httpx.AsyncClient) -> None:
    assert (await ask(client, "/seats/7777/sign-in", "operator:7777")).status_code == 404
    assert (await ask(client, "/seats/8099/sign-in", "operator:8099")).status_code == 403


ACTIONS = ["sign-in", "sign-out", "pause", "resume", "end-wrap-up"]


@pytest.mark.parametrize("action", ACTIONS)
async def test_another_agents_seat_is_not_commanded(client: httpx.AsyncClient, seats: FakeSeats, action: str) -> None:
    await ask(client, "/seats/8001/sign-in")
    before = dict(seats.open)
    for who in ("operator:8002", "expert:8011", "operator", "unit", "dispatcher:8001"):
        answer = await ask(client, f"/seats/8001/{action}", who, {"reason": "meal"} if action == "pause" else None)
        assert answer.status_code == 403
    assert seats.open == before
    assert (await client.post(f"/seats/8001/{action}", json={})).status_code == 401


@pytest.mark.parametrize("action", ACTIONS)
async def test_supervisor_may_force_and_the_audit_knows(client: httpx.AsyncClient, scribe: Scribe, action: str) -> None:
    await ask(client, "/seats/8001/sign-in")
    assert scribe.lines == []
    body = {"reason": "meal"} if action == "pause" else None
    assert (await ask(client, f"/seats/8001/{action}", "supervisor:8101", body)).status_code == 200
    assert scribe.lines == [(f"seat.{action.replace('-', '_')}", "8001")]


async def test_forcing_that_cannot_be_audited_does_not_happen(
    client: httpx.AsyncClient, seats: FakeSeats, scribe: Scribe
) -> None:
    await ask(client, "/seats/8001/sign-in")
    scribe.broken = True
    assert (await ask(client, "/seats/8001/sign-out", "supervisor:8101")).status_code == 503
    assert "8001" in seats.open


async def test_pause_needs_a_known_reason(client: httpx.AsyncClient, seats: FakeSeats) -> None:
    await ask(client, "/seats/8001/sign-in")
    for reason in ("fishing", "no_answer", ""):
        assert (await ask(client, "/seats/8001/pause", body={"reason": reason})).status_code == 400
    answer = (await ask(client, "/seats/8001/pause", body={"reason": "meal"})).json()
    assert (answer["state"], answer["reason"]) == ("paused", "meal")
    assert seats.open["8001"].reason == "meal"
    assert (await ask(client, "/seats/8001/resume")).json()["state"] == "ready"


async def test_sign_out_leaves_an_empty_seat(client: httpx.AsyncClient, seats: FakeSeats) -> None:
    await ask(client, "/seats/8001/sign-in")
    answer = (await ask(client, "/seats/8001/sign-out", body={"reason": "shift_over"})).json()
    assert (answer["state"], answer["actions"]) == (None, [])
    assert seats.reasons == ["shift_over"]


@pytest.mark.parametrize("action", ["pause", "resume", "end-wrap-up"])
async def test_nobody_at_the_seat_is_said(client: httpx.AsyncClient, action: str) -> None:
    body = {"reason": "meal"} if action == "pause" else None
    assert (await ask(client, f"/seats/8001/{action}", body=body)).status_code == 404


async def test_list_has_signed_in_and_empty_seats_of_active_agents(client: httpx.AsyncClient) -> None:
    await ask(client, "/seats/8011/sign-in", "expert:8011", {"phone": "8070"})
    headers = {"Authorization": "Bearer supervisor"}
    rows = (await client.get("/seats", headers=headers)).json()["items"]
    assert [(row["seat"], row["state"], row["phone"], row["kind"]) for row in rows] == [
        ("8001", None, "8001", "operator"),
        ("8011", "ready", "8070", "expert"),
    ]
    first = (await client.get("/seats", params={"limit": 1}, headers=headers)).json()
    assert [row["seat"] for row in first["items"]] == ["8001"]
    rest = (await client.get("/seats", params={"limit": 1, "cursor": first["next"]}, headers=headers)).json()
    assert ([row["seat"] for row in rest["items"]], rest["next"]) == (["8011"], None)


async def test_reasons_for_a_pause_are_listed(client: httpx.AsyncClient) -> None:
    rows = (await client.get("/pause-reasons", headers={"Authorization": "Bearer operator"})).json()["items"]
    assert {row["code"]: row["chosen"] for row in rows}["meal"] is True


async def test_demonstration_is_seeded_once(seats: FakeSeats) -> None:
    empty = AgentService(Profiles(), seats, None, None)  # type: ignore[arg-type]
    assert await empty.seed() == 9
    assert await empty.seed() == 0
    assert len(await empty.all()) == 9


async def test_a_profile_is_changed_by_administrators_alone_and_audited(
    client: httpx.AsyncClient, scribe: Scribe, seats: FakeSeats
) -> None:
    body = {"name": "D", "kind": "expert", "skills": {"legal": 7}, "phone": "8020", "units": ["u2"]}
    refused = await client.put("/agents/8020", json=body, headers={"Authorization": "Bearer supervisor"})
    assert refused.status_code == 403
    made = await client.put("/agents/8020", json=body, headers={"Authorization": "Bearer administrator"})
    assert (made.status_code, made.json()["skills"], made.json()["active"]) == (200, {"legal": 7}, True)
    shown = await client.get("/agents", headers={"Authorization": "Bearer supervisor"})
    assert "8020" in [one["agent"] for one in shown.json()["items"]]
    assert "8020" in seats.experts
    wrong = {"name": "D", "skills": {"Legal!": 99}}
    answer = await client.put("/agents/8020", json=wrong, headers={"Authorization": "Bearer administrator"})
    assert answer.status_code == 400
    assert len(answer.json()["problems"]) == 2
    assert [line for line in scribe.lines if line[0] == "agent.change"] == [("agent.change", "8020")]
