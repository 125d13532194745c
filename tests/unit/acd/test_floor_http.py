"""The floor over HTTP: what is shown, to whom, and never a citizen's number."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

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
        if not token:
            return None
        role, _, agent = token.partition("@")
        return Principal(person="p", name="N", roles=frozenset({Role(role)}), agent=agent)


class Lines:
    """An audit that keeps its lines in the application."""

    def __init__(self, app: FastAPI) -> None:
        self.lines: list[tuple[str, str, str]] = []
        app.state.audited = self.lines

    async def record(
        self,
        who: Principal,  # noqa: ARG002
        action: str,
        subject: str,
        *,
        result: str = "ok",  # noqa: ARG002
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        self.lines.append((action, subject, str(dict(detail or {}))))


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
    names = {"12345": "Main line", "12329": "Housing fund"}
    app.include_router(routes(keeper, clock, queue_names=lambda: names, audit=Lines(app)))
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
    waits = next(one for one in keeper.floor.waiting() if one.queue == "12329")
    later = clock.now() + timedelta(hours=9)
    await keeper.do(m.PromiseCallBack(call=waits.call, not_before=later))
    row = (await get(client, "queues", "operator")).json()["items"][0]
    assert (row["waiting"], row["call_backs"], row["longest_wait_s"]) == (0, 1, 0), "nobody is on the line"
    promised = next(one for one in (await get(client, "floor")).json()["waiting"] if one["call"] == waits.call)
    assert promised["call_back"]
    assert datetime.fromisoformat(promised["not_before"]) == later


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


async def post(client: httpx.AsyncClient, path: str, role: str = "supervisor", **body: object) -> httpx.Response:
    return await client.post(f"/api/v1/{path}", json=body, headers={"Authorization": f"Bearer {role}"})


def audited(client: httpx.AsyncClient) -> list[tuple[str, str, str]]:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    lines: list[tuple[str, str, str]] = transport.app.state.audited  # type: ignore[attr-defined]
    return lines


async def test_supervisor_moves_a_waiting_call(client: httpx.AsyncClient, keeper: FloorKeeper) -> None:
    await keeper.do(m.SignIn(seat="1001", agent="1001", phone="8001", skills={"law": 5}))
    await keeper.do(m.Join(call="c1", queue="12329", needs=(m.Need("housing", 3),)))
    shown = await post(client, "floor/waiting/c1/route", queue="12348", priority=60)
    assert shown.json() == {"call": "c1", "queue": "12348", "priority": 60, "ahead": 0, "rings": False}
    shown = await post(client, "floor/waiting/c1/route", needs="law >= 5")
    assert shown.json() == {"call": "c1", "queue": "12348", "priority": 60, "ahead": 0, "rings": True}
    assert audited(client) == [
        ("call.route", "c1", "{'queue': '12348', 'priority': 60}"),
        ("call.route", "c1", "{'needs': 'law >= 5'}"),
    ]
    assert (await post(client, "floor/waiting/c1/route", priority=1)).status_code == 409, "it rings"
    assert (await post(client, "floor/waiting/c9/route", priority=1)).status_code == 404
    assert len(audited(client)) == 2


@pytest.mark.parametrize("needs", ["law and", "law or housing", "law >= 11"])
async def test_route_must_be_one_demand(client: httpx.AsyncClient, keeper: FloorKeeper, needs: str) -> None:
    await keeper.do(m.Join(call="c1", queue="12329"))
    refused = await post(client, "floor/waiting/c1/route", needs=needs)
    assert refused.status_code == 400
    assert audited(client) == []


async def test_operators_do_not_move_calls(client: httpx.AsyncClient) -> None:
    assert (await post(client, "floor/waiting/c1/route", "operator", priority=9)).status_code == 403


async def wrapping_up(keeper: FloorKeeper) -> None:
    await keeper.do(m.SignIn(seat="1001", agent="1001", phone="8001", skills={}))
    await keeper.do(m.Adopt(seat="1001", call="c1"))
    await keeper.do(m.Finish(call="c1"))


async def test_agent_takes_more_time_to_wrap_up_but_not_for_ever(
    client: httpx.AsyncClient, keeper: FloorKeeper
) -> None:
    await wrapping_up(keeper)
    before = keeper.floor.seat("1001").until  # type: ignore[union-attr]
    assert before is not None
    shown = await post(client, "seats/1001/extend-wrap-up", "operator@1001", seconds=90)
    assert datetime.fromisoformat(shown.json()["until"]) == before + timedelta(seconds=90)
    assert audited(client) == [], "it is the agent's own"
    assert (await post(client, "seats/1001/extend-wrap-up")).status_code == 200
    assert audited(client) == [("seat.extend_wrap_up", "1001", "{}")]
    assert (await post(client, "seats/1001/extend-wrap-up", "operator@1001")).status_code == 409
    assert (await post(client, "seats/1001/extend-wrap-up", "operator@1002")).status_code == 403
    await keeper.do(m.EndWrapUp(seat="1001"))
    for seat in ("1001", "1009"):
        assert (await post(client, f"seats/{seat}/extend-wrap-up")).status_code == 409


async def test_abuse_is_reported_step_by_step(client: httpx.AsyncClient, keeper: FloorKeeper) -> None:
    await keeper.do(m.SignIn(seat="1001", agent="1001", phone="8001", skills={}))
    assert (await post(client, "seats/1001/report-abuse", "operator@1001", step="warned")).status_code == 409
    await keeper.do(m.Adopt(seat="1001", call="c1"))
    shown = await post(client, "seats/1001/report-abuse", "operator@1001", step="warned", code="A1")
    assert shown.json() == {"seat": "1001", "step": "warned"}
    assert (await post(client, "seats/1001/report-abuse", "operator@1001", step="ended")).status_code == 409
    assert (await post(client, "seats/1001/report-abuse", "operator@1002", step="supervisor")).status_code == 403
    assert (await post(client, "seats/1001/report-abuse", step="supervisor")).status_code == 200
    assert (await post(client, "seats/1001/report-abuse", step="ended", code="x y")).status_code == 400
    assert audited(client)[1] == ("call.report_abuse", "1001", "{'step': 'warned', 'code': 'A1'}")


async def test_strain_and_missed_calls_are_told_to_supervisors(
    client: httpx.AsyncClient, keeper: FloorKeeper, clock: ManualClock
) -> None:
    await wrapping_up(keeper)
    await keeper.do(m.Join(call="c2", queue="12329", needs=(m.Need("housing"),), caller="mark"))
    clock.advance(timedelta(minutes=40))
    await keeper.do(m.Abandon(call="c2"))
    (strain,) = (await get(client, "floor/strain")).json()["items"]
    assert (strain["seat"], strain["without_rest_s"], strain["alarms"]) == ("1001", 2400, [])
    await keeper.do(m.ReportStrain(seat="1001", kinds=(m.StrainKind.NO_REST,)))
    (strain,) = (await get(client, "floor/strain")).json()["items"]
    assert strain["alarms"] == ["no_rest"]
    (missed,) = (await get(client, "missed-calls")).json()["items"]
    assert (missed["call"], missed["queue"], missed["tries"]) == ("c2", "12329", 1)
    assert "mark" not in str(missed)
    for path in ("floor/strain", "missed-calls"):
        assert (await get(client, path, "operator")).status_code == 403


async def test_whoever_listens_hears_what_the_log_has_and_what_comes(clock: ManualClock) -> None:
    log = MemoryLog()
    keeper = FloorKeeper(log, clock, CountedIds())
    await keeper.start()
    await keeper.do(m.Join(call="old", queue="q", caller="n1"))
    clock.advance(timedelta(seconds=20))
    await keeper.do(m.Abandon(call="old"))
    missed = (await recall(log, keeper, ManualClock(datetime(2026, 1, 1, 5, tzinfo=UTC)))).missed
    assert [each.call for each in missed.to_call(clock.now())] == ["old"]
    await keeper.do(m.Join(call="new", queue="q", caller="n1", call_back=True))
    await keeper.do(m.Abandon(call="new", reason=m.LeaveReason.ANSWERED))
    assert missed.to_call(clock.now()) == []
    await keeper.close()
