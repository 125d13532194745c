"""Values of the agents: who may sit at a seat, what they can do, and what a seat looks like from here."""

from datetime import datetime
from enum import StrEnum

import msgspec


class AgentKind(StrEnum):
    """What an agent is to a caller."""

    OPERATOR = "operator"  # 话务员
    EXPERT = "expert"  # 专家
    SUPERVISOR = "supervisor"  # 班长
    GUEST = "guest"  # 嘉宾、接听领导: gets calls only in the windows of a queue's plan


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may sign in at a seat. The seat has the agent's work number as its name."""

    agent: str
    """工号 (work number), digits."""
    name: str
    kind: AgentKind = AgentKind.OPERATOR
    person: str = ""
    """The account that logs in as this agent; empty while there is none."""
    skills: dict[str, int] = {}
    """Skill to level, 1 to 10."""
    units: tuple[str, ...] = ()
    """承办单位 (handling units) the agent speaks for."""
    phone: str = ""
    """The phone where the agent usually sits, digits; empty: it must be given at sign-in."""
    second_phone: str = ""
    """The phone that rings while that one is not registered (a desk phone beside a page), digits; empty: none."""
    active: bool = True


class SeatState(StrEnum):
    """What a signed-in seat is doing."""

    READY = "ready"  # 就绪: a call could ring here
    UNREACHABLE = "unreachable"  # 话机离线: it would be ready, but its phone is not registered
    OFFERED = "offered"  # 振铃
    TALKING = "talking"  # 通话
    WRAP_UP = "wrap_up"  # 话后处理
    PAUSED = "paused"  # 小休/示忙


class SeatStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in seat at one moment."""

    seat: str
    agent: str
    phone: str
    state: SeatState
    reason: str = ""
    """Why it is paused."""
    since: datetime
    """In this state since."""
    until: datetime | None = None
    """When the ringing or the wrap-up ends by itself."""
    reachable: bool = True
    call: str = ""
    """The call that it talks with, or that rings."""
    pause_asked: str = ""
    """The reason for which it will pause after its work."""
    leaving: bool = False
    """It will sign out after its talk."""


class SipAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What a softphone needs to register. The secret is for the phone's owner only."""

    username: str
    secret: str
    server: str
    """Host name or address of the SIP registrar."""
    port: int
