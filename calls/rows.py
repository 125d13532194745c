"""A call's row, folded from its facts: pure values, no SQL.

Several facts of one call that come together change its row once.
"""

from datetime import datetime
from typing import assert_never

import msgspec

from calls.model import (
    AbuseNoted,
    Announced,
    AnyCallFact,
    CallArrived,
    CallBackAsked,
    CallBackPromised,
    CallEnded,
    CitizenDialled,
    CitizenMissed,
    CitizenReached,
    Dismissed,
    LineLeft,
    OfferMissed,
    OnwardDialled,
    OnwardMissed,
    OnwardReached,
    PartyAsked,
    Phase,
    PickedUp,
    Queued,
    Rated,
    RatedAspect,
    RatingAsked,
    RecordingMuted,
    Remembered,
    Ringing,
    Stepped,
    TalkChanged,
    TalkEnded,
    TalkStarted,
    TrackOpened,
)


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of the table `calls`."""

    call: str
    line: str
    dialled: str
    declared: bool
    caller: str
    via: str
    merge_mode: str
    owner_unit: str
    line_name: str
    region: str
    class_hint: str
    phase: str
    queue: str = ""
    seat: str = ""
    outcome: str = ""
    offers_missed: int = 0
    waited_s: float | None = None
    talked_s: float | None = None
    arrived_at: datetime
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    talk_ended_at: datetime | None = None
    rated_service: str = ""
    rated_result: str = ""
    call_back: bool = False
    """The citizen was to be called back."""
    ended_at: datetime | None = None


def arrived(fact: CallArrived) -> CallRow:
    """The row of a new call."""
    return CallRow(
        call=fact.call,
        line=fact.line,
        dialled=fact.dialled,
        declared=fact.declared,
        caller=fact.caller,
        via=fact.via,
        merge_mode=fact.merge_mode,
        owner_unit=fact.owner_unit,
        line_name=fact.line_name,
        region=fact.region,
        class_hint=fact.class_hint,
        phase=Phase.ARRIVED.value,
        arrived_at=fact.at,
    )


def fold(row: CallRow, fact: AnyCallFact) -> CallRow:
    """The row after `fact`; the same one when it says nothing about it."""
    change = msgspec.structs.replace
    match fact:
        case Stepped():
            return change(row, phase=Phase.IN_IVR.value)
        case Dismissed():
            return change(row, phase=Phase.CLOSING.value)
        case Queued():
            return change(row, phase=Phase.QUEUED.value, queue=fact.queue, queued_at=fact.at)
        case Ringing():
            beside = row.phase == Phase.RINGING.value and row.seat
            return change(row, phase=Phase.RINGING.value, seat=row.seat if beside else fact.seat)
        case OfferMissed():
            missed = row.offers_missed + 1
            if fact.others:
                return change(row, offers_missed=missed)
            return change(row, phase=Phase.QUEUED.value, seat="", offers_missed=missed)
        case TalkStarted():
            first = change(row, phase=Phase.TALKING.value, seat=fact.seat)
            if row.answered_at is not None:  # its first seat was lost: the citizen was answered then
                return first
            waited = _seconds(row.queued_at or row.arrived_at, fact.at)
            return change(first, answered_at=fact.at, waited_s=waited)
        case TalkChanged():
            owner = fact.talk.of_seat(fact.talk.owner)
            return row if owner is not None and owner.outside else change(row, seat=fact.talk.owner or row.seat)
        case TalkEnded():
            talked = _seconds(row.answered_at, fact.at) if row.answered_at else None
            return change(row, phase=Phase.CLOSING.value, talk_ended_at=fact.at, talked_s=talked)
        case CallEnded():
            return change(row, phase=Phase.ENDED.value, outcome=fact.outcome.value, ended_at=fact.at)
        case Rated():
            return _rated(row, fact)
        case CallBackPromised():
            return change(row, call_back=True)
        case CitizenMissed():
            return change(row, phase=Phase.QUEUED.value, seat="")
        case (
            CallArrived()
            | PickedUp()
            | TrackOpened()
            | RecordingMuted()
            | Announced()
            | RatingAsked()
            | PartyAsked()
            | AbuseNoted()
            | Remembered()
            | CallBackAsked()
            | LineLeft()
            | CitizenDialled()
            | CitizenReached()
            | OnwardDialled()
            | OnwardMissed()
            | OnwardReached()
        ):
            return row
        case _:
            assert_never(fact)


def _rated(row: CallRow, fact: Rated) -> CallRow:
    rating = "" if fact.rating is None else fact.rating.value
    if fact.aspect is RatedAspect.SERVICE:
        return msgspec.structs.replace(row, rated_service=rating)
    return msgspec.structs.replace(row, rated_result=rating)


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())
