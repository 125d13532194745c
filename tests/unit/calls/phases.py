"""One call in each phase of its life, with every field told apart, and what is decided for it."""

from datetime import UTC, datetime, timedelta

import msgspec

from acd.model import Need, Step
from calls import fold, script
from calls.events import Decision, Event, House
from calls.model import CallArrived, CallState, OfferMissed, Phase, Queued, Stepped
from ivr.flow import FlowRun
from telephony.model import LineId, OfferEnded, OfferEndReason

ARRIVED = datetime(2026, 2, 14, 12, 0, tzinfo=UTC)
NOW = ARRIVED + timedelta(seconds=30)
CITIZEN, SEAT, OTHER = LineId("h-1.1"), LineId("h-1.2"), LineId("h-1.3")
HOUSE = House(
    ring=timedelta(seconds=15),
    bye="bye",
    mute_after_key=timedelta(seconds=2),
    closing=timedelta(seconds=7),
    experts=frozenset({"9001"}),
    general=(Need("everything", 2),),
    anyone_after=timedelta(seconds=50),
)
FIRST = CallArrived(call="c1", at=ARRIVED, line=CITIZEN, dialled="12329", declared=True, booted="monday")


def call_in(phase: Phase, seat: str = "8001", **change: object) -> CallState:
    state = msgspec.structs.replace(fold.begin(FIRST), phase=phase, node="somewhere")
    if phase in (Phase.RINGING, Phase.TALKING, Phase.CLOSING):
        state = msgspec.structs.replace(state, offer="o1", seat=seat, phone="p1")
    if phase in (Phase.TALKING, Phase.CLOSING):
        state = msgspec.structs.replace(state, seat_line=SEAT, answered_at=ARRIVED)
    return msgspec.structs.replace(state, **change)


def decided(call: CallState, event: Event, run: FlowRun | None = None) -> Decision:
    return dated(call, event, script.decide(call, run, event, HOUSE, NOW))


def dated(call: CallState, event: Event, decision: Decision, now: datetime = NOW) -> Decision:
    """`decision`, whose facts say of which call they are and when they came to be: now, with the event, or, of one
    who waits again, when the waiting began."""
    moments = (now, getattr(event, "at", now), call.queued_at or call.arrived_at)
    assert all(fact.call == call.call and fact.at in moments for fact in decision.facts)
    return decision


def queued(**change: object) -> Queued:
    plain = Queued(
        call="c1", at=NOW, queue="general", needs=HOUSE.general, priority=0, recipe=(Step(after_s=50.0),), topic=""
    )
    return msgspec.structs.replace(plain, **change)


def stepped(node: str) -> Stepped:
    return Stepped(call="c1", at=NOW, node=node)


def missed(reason: str) -> OfferMissed:
    return OfferMissed(call="c1", at=NOW, offer="o1", seat="8001", reason=reason)


def offer_ended(reason: OfferEndReason, offer: str = "o1") -> OfferEnded:
    return OfferEnded(at=ARRIVED, offer=offer, line=CITIZEN, reason=reason)
