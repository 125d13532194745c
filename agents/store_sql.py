"""Profiles in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents import tables
from agents.model import Agent
from hotline.clock import Clock, SystemClock
from hotline.database import Database

_COLUMNS = [column for column in tables.agents.c if column.name != "changed_at"]


class SqlAgents:
    """An `AgentStore` on any database that SQLAlchemy speaks to."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    async def get(self, agent: str) -> Agent | None:
        """See `AgentStore.get`."""
        query = select(*_COLUMNS).where(tables.agents.c.agent == agent)

        async def read(connection: AsyncConnection) -> Agent | None:
            row = (await connection.execute(query)).mappings().first()
            return _agent(row) if row else None

        return await self._database.read(read)

    async def all(self) -> list[Agent]:
        """See `AgentStore.all`."""
        query = select(*_COLUMNS).order_by(tables.agents.c.agent)

        async def read(connection: AsyncConnection) -> list[Agent]:
            return [_agent(row) for row in (await connection.execute(query)).mappings()]

        return await self._database.read(read)

    async def put(self, agents: Sequence[Agent]) -> None:
        """See `AgentStore.put`."""
        if not agents:
            return
        now = self._clock.now()
        numbers = [agent.agent for agent in agents]

        async def change(connection: AsyncConnection) -> None:
            await connection.execute(delete(tables.agents).where(tables.agents.c.agent.in_(numbers)))
            await connection.execute(insert(tables.agents), [_row(agent, now) for agent in agents])

        await self._database.write(change)


def _row(agent: Agent, now: datetime) -> dict[str, Any]:
    return {**msgspec.to_builtins(agent), "changed_at": now}


def _agent(row: RowMapping) -> Agent:
    return msgspec.convert({str(name): value for name, value in row.items()}, Agent)
