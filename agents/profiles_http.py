"""Routes of profiles: who may sit at a seat, with which skills, at which phone. Every change is audited."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from agents.model import Agent, AgentKind
from agents.service import AgentService
from hotline.audit import Audit
from hotline.http import Page, RequestBody
from hotline.security import Permission, Principal, require

Reader = Annotated[Principal, Depends(require(Permission.PEOPLE_READ))]
Writer = Annotated[Principal, Depends(require(Permission.PEOPLE_WRITE))]
Number = Annotated[str, Path(pattern=r"^[0-9]{2,20}$")]
Skill = Annotated[str, Field(max_length=40)]
Unit = Annotated[str, Field(max_length=64)]


class ProfileView(BaseModel):
    """Who may sit at the seat of this work number."""

    agent: str
    name: str
    kind: AgentKind
    skills: dict[str, int]
    units: list[str]
    phone: str
    second_phone: str
    active: bool

    @classmethod
    def of(cls, agent: Agent) -> "ProfileView":
        return cls(
            agent=agent.agent,
            name=agent.name,
            kind=agent.kind,
            skills=agent.skills,
            units=list(agent.units),
            phone=agent.phone,
            second_phone=agent.second_phone,
            active=agent.active,
        )


class ProfileBody(RequestBody):
    """A whole profile: what is left out is empty."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    kind: AgentKind = AgentKind.OPERATOR
    skills: Annotated[dict[Skill, int], Field(default_factory=dict, max_length=50)]
    units: Annotated[list[Unit], Field(default_factory=list, max_length=20)]
    phone: Annotated[str, Field(max_length=12)] = ""
    second_phone: Annotated[str, Field(max_length=12)] = ""
    """Rings while the first is not registered: a desk phone beside a page. Sign in at it once for its SIP account."""
    active: bool = True


def routes(service: AgentService, audit: Audit) -> APIRouter:
    """`…/agents` and `…/agents/{agent}`, below the room's own prefix."""
    router = APIRouter()

    @router.get("/agents")
    async def agents(_: Reader) -> Page[ProfileView]:
        """Every profile in order of work numbers, those that are not active too."""
        return Page(items=[ProfileView.of(agent) for agent in await service.all()])

    @router.put("/agents/{agent}")
    async def put_agent(agent: Number, who: Writer, body: ProfileBody) -> ProfileView:
        """Add or replace a profile; a seat that is signed in takes new skills over at its next sign-in."""
        known = next((one for one in await service.all() if one.agent == agent), None)
        new = Agent(
            agent=agent,
            name=body.name,
            kind=body.kind,
            person=known.person if known else "",
            skills=body.skills,
            units=tuple(body.units),
            phone=body.phone,
            second_phone=body.second_phone,
            active=body.active,
        )
        service.check(new)
        await audit.record(who, "agent.change", agent, detail={"skills": body.skills, "active": body.active})
        await service.load([new])
        return ProfileView.of(new)

    return router
