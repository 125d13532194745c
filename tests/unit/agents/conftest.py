"""Doubles of what the agents need: a floor that remembers, accounts, profiles, an audit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from agents.model import Agent, AgentKind, SeatState, SeatStatus, SipAccount
from agents.service import AgentService
from hotline.clock import ManualClock
from hotline.errors import Unavailable
from hotline.ids import CountedIds
from hotline.security import Principal

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Profiles:
    def __init__(self, *agents: Agent) -> None:
        self.agents = {agent.agent: agent for agent in agents}

    async def get(self, agent: str) -> Agent | None:
        return self.agents.get(agent)

    async def all(self) -> list[Agent]:
        return [self.agents[number] for number in sorted(self.agents)]

    async def put(self, agents: Sequence[Agent]) -> None:
        self.agents.update({agent.agent: agent for agent in agents})


class FakeSeats:
    def __init__(self) -> None:
        self.open: dict[str, SeatStatus] = {}
        self.skills: dict[str, dict[str, int]] = {}
        self.taken_phones: set[str] = set()
        self.reasons: list[str] = []
        self.experts: set[str] = set()

    def learn(self, agents: Iterable[Agent]) -> None:
        self.experts |= {agent.agent for agent in agents if agent.kind is AgentKind.EXPERT}

    async def sign_in(self, seat: str, agent: str, phone: str, skills: dict[str, int]) -> None:
        if phone not in self.taken_phones:
            self.open[seat] = SeatStatus(seat=seat, agent=agent, phone=phone, state=SeatState.READY, since=NOW)
            self.skills[seat] = skills

    async def sign_out(self, seat: str, reason: str) -> None:
        self.open.pop(seat, None)
        self.reasons.append(reason)

    async def pause(self, seat: str, reason: str) -> None:
        self.open[seat] = replace(self.open[seat], state=SeatState.PAUSED, reason=reason)

    async def resume(self, seat: str) -> None:
        self.open[seat] = replace(self.open[seat], state=SeatState.READY, reason="")

    async def end_wrap_up(self, seat: str) -> None:
        await self.resume(seat)

    def seat(self, seat: str) -> SeatStatus | None:
        return self.open.get(seat)

    def seats(self) -> Sequence[SeatStatus]:
        return [self.open[seat] for seat in sorted(self.open)]

    async def account(self, phone: str) -> SipAccount:
        return SipAccount(username=f"seat{phone}", secret="s" * 16, server="127.0.0.1", port=5060)


class Scribe:
    """An audit that can be out of order."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.broken = False

    async def record(
        self,
        who: Principal,  # noqa: ARG002
        action: str,
        subject: str,
        *,
        result: str = "ok",  # noqa: ARG002
        detail: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> None:
        if self.broken:
            raise Unavailable("The audit cannot be written.")
        self.lines.append((action, subject))


OPERATOR = Agent(agent="8001", name="A", phone="8001", skills={"general": 5})
EXPERT = Agent(agent="8011", name="B", kind=AgentKind.EXPERT, units=("u1",), skills={"housing_fund": 8})
GONE = Agent(agent="8099", name="C", phone="8099", active=False)


@pytest.fixture
def seats() -> FakeSeats:
    return FakeSeats()


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
def service(seats: FakeSeats) -> AgentService:
    return AgentService(Profiles(OPERATOR, EXPERT, GONE), seats, ManualClock(NOW), CountedIds())
