"""The floor over HTTP: what is shown, to whom, and never a citizen's number."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

import agents.model
from acd import model as m
from acd.http import routes
from acd.recall import position_before, recall
from acd.service import FloorKeeper
from acd.views import ShownState
from hotline.clock import ManualClock
from hotline.http import install_problems
from hotline.ids import CountedIds
from hotline.ports import Entry
from hotline.security import Principal, Role
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.unit


class Everyone:
    """A token is a role."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        return Principal(person="p", name="N", roles=frozenset({Role(token)})) if token else None


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
async def keeper(clock: ManualClock) -> AsyncIterator[FloorKeeper]:
    keeper = FloorKeeper(MemoryLog(), clock, CountedIds())
    await keeper.start()
    yield keeper
    await keeper.close()


@pytest.fixture
async def client(keeper: FloorKeeper, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)
    app.state.identity = Everyone()
    app.include_router(routes(keeper, clock, queue_names=lambda: {"12345": "Main line", "12329": "Housing fund"}))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hotline") as opened:
        yield opened


async def a_busy_minute(keeper: FloorKeeper, clock: ManualClock) -> None:
    await keeper.do(m.SignIn(seat="1001", agent="1001", phone="8001", skills={"general": 5}))
    await keeper.do(m.Join(call="c1", queue="12345", called_at=clock.now() - timedelta(seconds=30), dialled="12345"))
    await keeper.do(m.Join(call="c2", queue="12329", needs=(m.Need("housing", 3),), dialled="12329"))
    clock.advance(timedelta(seconds=10))


async def get(client: httpx.AsyncClient, path: str, role: str = "supervisor", **params: str) -> httpx.Response:
    return await client.get(f"/api/v1/{path}", params=params, headers={"Authorization": f"Bearer {role}"})


async def test_queues_tell_who_waits(client: httpx.AsyncClient, keeper: FloorKeeper, clock: ManualClock) -> None:
    await a_busy_minute(keeper, clock)
    shown = (await get(client, "queues", "operator")).json()
    assert shown["next"] is None
    assert [(row["queue"], row["name"], row["waiting"], row["ringing"]) for row in shown["items"]] == [
        ("12329", "Housing fund", 1, 0),
        ("12345", "Main line", 0, 1),
    ]
    assert shown["items"][0]["longest_wait_s"] == 10


async def test_floor_tells_seats_calls_and_offers(
    client: httpx.AsyncClient, keeper: FloorKeeper, clock: ManualClock
) -> None:
    await a_busy_minute(keeper, clock)
    shown = (await get(client, "floor")).json()
    (seat,) = shown["seats"]
    assert (seat["seat"], seat["state"], seat["call"], seat["skills"]) == ("1001", "offered", "c1", {"general": 5})
    assert [(row["call"], row["waited_s"], bool(row["offer"])) for row in shown["waiting"]] == [
        ("c1", 10, True),
        ("c2", 10, False),
    ]
    assert shown["waiting"][1]["needs"] == [[{"skill": "housing", "level": 3}]]
    assert [offer["phone"] for offer in shown["offers"]] == ["8001"]
    assert not shown["degraded"]


async def test_a_seat_is_shown_as_ready_only_while_a_call_could_ring_there(
    client: httpx.AsyncClient, keeper: FloorKeeper
) -> None:
    async def state() -> str:
        (seat,) = (await get(client, "floor")).json()["seats"]
        return str(seat["state"])

    await keeper.do(m.SignIn(seat="1001", agent="1001", phone="8001", skills={"general": 5}, reachable=False))
    assert await state() == "unreachable"
    await keeper.do(m.Reachability(phone="8001", reachable=True))
    assert await state() == "ready"
    await keeper.do(m.Pause(seat="1001", reason="meal"))
    await keeper.do(m.Reachability(phone="8001", reachable=False))
    assert await state() == "paused"


def test_every_state_of_a_seat_can_be_shown() -> None:
    assert {state.value for state in m.SeatState} < {state.value for state in ShownState}
    assert [state.value for state in ShownState] == [state.value for state in agents.model.SeatState]


async def test_figures_come_with_their_formulas(
    client: httpx.AsyncClient, keeper: FloorKeeper, clock: ManualClock
) -> None:
    await a_busy_minute(keeper, clock)
    (offer,) = keeper.floor.offers()
    await keeper.do(m.Answer(offer=offer.offer))
    await keeper.do(m.Abandon(call="c2"))
    shown = (await get(client, "kpis")).json()
    values = {item["name"]: item["value"] for item in shown["items"]}
    assert all(item["formula"] for item in shown["items"])
    assert (shown["calls"], values["answer_rate"], values["asa_mean"]) == (2, 0.5, 10)
    assert (values["answered_in_15_s_from_queue"], values["answered_in_15_s_from_arrival"]) == (0.5, 0)
    of_one = (await get(client, "kpis", queue="12345")).json()
    assert of_one["calls"] == 1
    by_number = (await get(client, "kpis", dialled="12329")).json()
    assert {item["name"]: item["value"] for item in by_number["items"]}["abandon_rate"] == 1


async def test_figures_of_nothing_are_null(client: httpx.AsyncClient) -> None:
    shown = (await get(client, "kpis", hours="1")).json()
    assert {item["value"] for item in shown["items"] if item["unit"] != "calls"} == {None}


@pytest.mark.parametrize(("path", "role"), [("floor", "unit"), ("kpis", "operator"), ("queues", "auditor")])
async def test_others_may_not_look(client: httpx.AsyncClient, path: str, role: str) -> None:
    assert (await get(client, path, role)).status_code == 403
    assert (await client.get(f"/api/v1/{path}")).status_code == 401


async def test_ledger_recalls_what_the_log_has_and_then_listens(clock: ManualClock) -> None:
    log = MemoryLog()
    written = FloorKeeper(log, clock, CountedIds())
    await written.start()
    await written.do(m.Join(call="old", queue="q"))
    await written.do(m.Abandon(call="old"))
    ledger = await recall(log, written, ManualClock(datetime(2026, 1, 1, 5, tzinfo=UTC)))
    await written.do(m.Join(call="new", queue="q"))
    assert [stay.call for stay in ledger.stays(datetime(2026, 1, 1, tzinfo=UTC))] == ["old", "new"]
    assert (await recall(log, written, ManualClock(datetime(2026, 2, 1, tzinfo=UTC)))).stays(clock.now()) == []
    await written.close()


@pytest.mark.parametrize(("minute", "position"), [(0, 0), (1, 0), (2, 1), (5, 4), (99, 7)])
async def test_moment_is_found_in_the_log(minute: int, position: int) -> None:
    class Timed(MemoryLog):
        async def read(self, stream: str, after: int = 0, limit: int = 1000) -> list[Entry]:
            start = datetime(2026, 1, 1, tzinfo=UTC)
            entries = await super().read(stream, after, limit)
            return [Entry(entry.seq, start + timedelta(minutes=entry.seq), entry.body) for entry in entries]

    log = Timed()
    await log.append("floor", 0, [b"{}"] * 7)
    assert await position_before(log, "floor", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)) == position
