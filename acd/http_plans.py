"""Routes of the queues' plans: who gets its calls, how many may wait, what is said to whoever waits."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel, Field

from acd.plan_service import QueuePlans
from acd.plans import GENERAL, MOST_GUESTS, MOST_RINGING, MOST_STEPS, GuestWindow, Known, PlanStep, QueuePlan, check
from acd.values import SeatChoice, StepKind
from hotline.audit import Audit
from hotline.http import RequestBody
from hotline.security import Permission, Principal, require

Queue = Annotated[str, Path(pattern="^[A-Za-z0-9_.-]{1,64}$")]
Watcher = Annotated[Principal, Depends(require(Permission.QUEUES_WATCH))]
Writer = Annotated[Principal, Depends(require(Permission.SEATS_FORCE))]


_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"


class StepBody(RequestBody):
    """Something that happens to whoever has waited for so long."""

    after_s: Annotated[float, Field(ge=0, le=3600)]
    does: Literal["widen", "raise", "position", "prompt", "call_back", "overflow"]
    every_s: Annotated[float, Field(ge=0, le=3600)] = 0
    """Again after each further so many seconds, at least 15; 0: once."""
    needs: Annotated[str, Field(max_length=500)] = ""
    by_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    prompt: Annotated[str, Field(max_length=64, pattern="^[a-z0-9_-]*$")] = ""
    number: Annotated[str, Field(max_length=32)] = ""
    """For `overflow`: the other centre's number, one of the catalogue that is answered elsewhere."""

    def step(self) -> PlanStep:
        return PlanStep(
            after_s=self.after_s,
            does=StepKind(self.does),
            every_s=max(15.0, self.every_s) if self.every_s else 0.0,
            needs=self.needs,
            by_s=self.by_s,
            prompt=self.prompt,
            number=self.number.strip(),
        )


class GuestBody(RequestBody):
    """Somebody answers for the queue from one moment to another, and before everybody else: a leader's day, a guest.
    Nothing is offered before and after; a talk goes on."""

    agent: Annotated[str, Field(pattern="^[0-9]{2,20}$")]
    begins_at: AwareDatetime
    ends_at: AwareDatetime
    title: Annotated[str, Field(max_length=100)] = ""

    def window(self) -> GuestWindow:
        begins_at, ends_at = self.begins_at.astimezone(UTC), self.ends_at.astimezone(UTC)
        return GuestWindow(agent=self.agent, begins_at=begins_at, ends_at=ends_at, title=self.title)


class PlanBody(RequestBody):
    """How a queue treats who waits in it; what is left out is as it is without a plan of its own."""

    ring: Annotated[int, Field(ge=1, le=MOST_RINGING)] = 1
    """So many idle seats ring at once; the first that answers has the citizen."""
    capacity: Annotated[int, Field(ge=0, le=100_000)] = 0
    """How many may wait; 0: no limit. Who comes then is told so."""
    steps: Annotated[list[StepBody], Field(max_length=MOST_STEPS, default_factory=list)]
    rating: bool = True
    """Whether a citizen whose talk the seat has ended is asked how it was."""
    choice: SeatChoice | None = None
    """Whose turn it is among idle seats that can take a call; null: as in the house (`HOTLINE_SEAT_CHOICE`)."""
    own_s: Annotated[float | None, Field(ge=0, le=600)] = None
    """So long a citizen with an open ticket waits for the agent who took it alone, while that agent is signed in; 0:
    only when that agent is idle; null: no agent is preferred."""
    hours: Annotated[str, Field(max_length=400)] = ""
    """When it takes calls in: the name of an hours profile, or windows such as `workdays 08:30-12:00 14:30-17:30;
    sat 09:00-12:00`; empty: always. Public holidays, make-up days and the tenant's own dates count."""
    closed_to: Annotated[str, Field(max_length=64, pattern="^[A-Za-z0-9_.-]+$")] = GENERAL
    """The queue that takes its calls in outside of them."""
    closed_prompt: Annotated[str, Field(max_length=64, pattern="^[a-z0-9_-]*$")] = "out_of_hours"
    """What callers are told then; empty: nothing."""
    call_back_hours: Annotated[str, Field(max_length=11, pattern=f"^({_CLOCK}-{_CLOCK})?$")] = ""
    """When its citizens are called back, as `08:30-18:00`, never outside of `HOTLINE_CALL_BACK_HOURS`; empty: then."""
    guests: Annotated[list[GuestBody], Field(max_length=MOST_GUESTS, default_factory=list)]

    def plan(self) -> QueuePlan:
        steps = tuple(step.step() for step in self.steps)
        return QueuePlan(
            ring=self.ring,
            capacity=self.capacity,
            steps=steps,
            rating=self.rating,
            choice=self.choice,
            own_s=self.own_s,
            hours=self.hours.strip(),
            closed_to=self.closed_to,
            closed_prompt=self.closed_prompt,
            call_back_hours=self.call_back_hours,
            guests=tuple(guest.window() for guest in self.guests),
        )


class StepView(BaseModel):
    """A step as it is in force."""

    after_s: float
    does: StepKind
    every_s: float
    needs: str
    by_s: int
    prompt: str
    number: str


class GuestView(BaseModel):
    """A window in which somebody answers besides."""

    agent: str
    begins_at: datetime
    ends_at: datetime
    title: str


class PlanView(BaseModel):
    """A queue's plan as it is in force."""

    queue: str
    own: bool
    """False: nobody made a plan for this queue, it is the ordinary one."""
    ring: int
    capacity: int
    steps: list[StepView]
    rating: bool
    choice: SeatChoice | None
    own_s: float | None
    hours: str
    closed_to: str
    closed_prompt: str
    call_back_hours: str
    guests: list[GuestView]


def _view(plans: QueuePlans, queue: str) -> PlanView:
    return PlanView(queue=queue, own=queue in plans.own, **msgspec.to_builtins(plans.of(queue)))


def plan_routes(plans: QueuePlans, audit: Audit, known: Known) -> APIRouter:
    """`GET`, `PUT` and `DELETE /api/v1/queues/{queue}/plan`. `known`: what a plan may name."""
    router = APIRouter(prefix="/api/v1/queues", tags=["floor"])

    @router.get("/{queue}/plan")
    async def show(queue: Queue, _: Watcher) -> PlanView:
        """The plan in force."""
        return _view(plans, queue)

    @router.put("/{queue}/plan")
    async def change(queue: Queue, who: Writer, body: PlanBody) -> PlanView:
        """Give the queue this plan. Calls that come from now on follow it; who waits already goes on as before."""
        plan = body.plan()
        check(queue, plan, known)
        await audit.record(who, "queue.plan", queue, detail=msgspec.to_builtins(plan))
        await plans.put(queue, plan, who.person)
        return _view(plans, queue)

    @router.delete("/{queue}/plan")
    async def forget(queue: Queue, who: Writer) -> PlanView:
        """The ordinary plan again."""
        await audit.record(who, "queue.plan", queue, detail={"own": False})
        await plans.put(queue, None, who.person)
        return _view(plans, queue)

    return router
