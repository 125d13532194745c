"""A database file, an audit that can be out of order, and a call as the controller's row shows it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.errors import Unavailable
from hotline.ids import CountedIds
from hotline.security import Principal
from hotline.sql import OpenDatabase, connect
from tickets import tables
from tickets.numbering import NumberFormat
from tickets.service import TicketService

NOW = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
TABLES = [tables.tickets, tables.ticket_history, tables.ticket_counters, tables.callback_tasks, tables.callback_tries]


@dataclass(frozen=True)
class CallRow:
    """What the service needs of a call."""

    call: str = "call_1"
    dialled: str = "12329"
    line_name: str = "住房公积金热线"
    owner_unit: str = "住房公积金中心"
    caller: str = "13812345678"


class Scribe:
    """An audit that can be out of order."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str, str, Mapping[str, Any]]] = []
        self.broken = False

    async def record(
        self,
        who: Principal,
        action: str,
        subject: str,
        *,
        result: str = "ok",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        if self.broken:
            raise Unavailable("The audit cannot be written.")
        self.lines.append((who.person, action, subject, result, detail or {}))


@pytest.fixture
def call_row() -> type[CallRow]:
    return CallRow


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[OpenDatabase]:
    opened = connect(f"sqlite:///{tmp_path / 'hotline.db'}")
    await opened.write(lambda connection: connection.run_sync(metadata.create_all, tables=TABLES))
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
def service(database: OpenDatabase, clock: ManualClock) -> TicketService:
    zone = ZoneInfo("Asia/Shanghai")
    return TicketService(database, clock, CountedIds(), numbers=NumberFormat("YC"), zone=zone)
