"""The audit only grows, shows what was touched, and opens for auditors alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from hotline.audit_sql import AuditQuery, SqlAudit, seal_of
from hotline.clock import SystemClock
from hotline.identity_service import SYSTEM
from hotline.security import Principal, Role
from hotline.sql import connect
from hotline.tables import audit as table
from tests.kernel import Kernel, kernel

pytestmark = pytest.mark.contract

_DAY = timedelta(days=1)
WHO = Principal(person="person_1", name="王丽", roles=frozenset({Role.QA, Role.SUPERVISOR}))


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[Kernel]:
    async with kernel(database_url) as made:
        yield made


async def _fill(house: Kernel, lines: int) -> None:
    for number in range(lines):
        await house.audit.record(WHO, "recording.play", f"rec_{number}", detail={"from": number / 3, "名": "值"})


async def test_lines_say_who_did_what_to_what_the_newest_first(house: Kernel) -> None:
    await _fill(house, 3)
    await house.audit.record(WHO, "ticket.view", "ticket_1", result="refused")
    lines = await house.audit.lines(AuditQuery())
    assert [line.subject for line in lines] == ["ticket_1", "rec_2", "rec_1", "rec_0"]
    assert lines[0].result == "refused"
    assert lines[1].roles == ("qa", "supervisor")
    assert lines[1].detail == {"from": 2 / 3, "名": "值"}
    assert [line.subject for line in await house.audit.lines(AuditQuery(action="ticket.view"))] == ["ticket_1"]
    assert [line.seq for line in await house.audit.lines(AuditQuery(person="person_1"), before=3, limit=1)] == [2]
    assert await house.audit.lines(AuditQuery(since=lines[0].at, until=lines[0].at)) == []


async def test_an_untouched_chain_is_whole(house: Kernel) -> None:
    assert await house.audit.verify() is None
    await _fill(house, 30)
    assert await house.audit.verify() is None
    assert await house.audit.verify(await house.audit.head()) is None


@pytest.mark.parametrize("column", ["person", "roles", "action", "subject", "result", "detail", "digest"])
async def test_a_changed_line_is_found(house: Kernel, column: str) -> None:
    await _fill(house, 10)
    change = update(table).where(table.c.seq == 4).values({column: '{"x":1}'})
    await house.database.write(lambda c: c.execute(change))
    assert await house.audit.verify() == 4


async def test_a_changed_moment_is_found(house: Kernel) -> None:
    await _fill(house, 10)
    change = update(table).where(table.c.seq == 4).values(at=SystemClock().now())
    await house.database.write(lambda c: c.execute(change))
    assert await house.audit.verify() == 4


async def test_a_changed_line_that_was_sealed_anew_breaks_the_next(house: Kernel) -> None:
    await _fill(house, 10)
    rows = (await house.database.read(lambda c: c.execute(select(table).order_by(table.c.seq)))).all()
    forged = rows[3]._asdict() | {"subject": "rec_forged"}
    change = update(table).where(table.c.seq == 4).values(subject="rec_forged", digest=seal_of(rows[2].digest, forged))
    await house.database.write(lambda c: c.execute(change))
    assert await house.audit.verify() == 5


async def test_a_removed_line_and_a_cut_off_end_are_found(house: Kernel) -> None:
    await _fill(house, 10)
    noted = await house.audit.head()
    await house.database.write(lambda c: c.execute(delete(table).where(table.c.seq > 7)))
    assert await house.audit.verify() is None  # a chain alone cannot tell
    assert await house.audit.verify(noted) == 8
    await _fill(house, 3)
    assert await house.audit.verify(noted) == 10
    await house.database.write(lambda c: c.execute(delete(table).where(table.c.seq == 2)))
    assert await house.audit.verify() == 2


async def test_many_at_once_from_two_processes_make_one_chain(house: Kernel, database_url: str) -> None:
    other = connect(database_url)
    theirs = SqlAudit(other, SystemClock())
    await asyncio.gather(
        *(audit.record(WHO, "ticket.view", f"t_{number}") for number in range(20) for audit in (house.audit, theirs))
    )
    assert (await house.audit.head())[0] == 40
    assert await house.audit.verify() is None
    await other.close()


async def test_only_auditors_read_it_and_reading_is_audited(house: Kernel) -> None:
    await _fill(house, 3)
    for role in Role:
        _, secret = await house.identity.add_token(SYSTEM, role.value, frozenset({role}), _DAY)
        async with house.client(Authorization=f"Bearer {secret}") as client:
            answer = await client.get("/api/v1/audit", params={"limit": 2})
            health = await client.get("/api/v1/audit/health")
        assert (answer.status_code, health.status_code) == ((200, 200) if role is Role.AUDITOR else (403, 403))
        if role is Role.AUDITOR:
            assert len(answer.json()["items"]) == 2
            assert answer.json()["next"]
            assert health.json()["is_intact"] is True
    read = await house.audit.lines(AuditQuery(action="audit.read"))
    assert [line.person for line in read] == ["token:auditor"]
