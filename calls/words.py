"""Phases, outcomes and ratings of calls, as words."""

from enum import StrEnum


class Phase(StrEnum):
    """Where a call is in its life."""

    ARRIVED = "arrived"
    IN_IVR = "in_ivr"
    QUEUED = "queued"
    RINGING = "ringing"
    TALKING = "talking"
    CLOSING = "closing"  # the talk is over, the citizen hears good-bye
    ENDED = "ended"


class Outcome(StrEnum):
    """How a call ended; every call gets exactly one."""

    COMPLETED = "completed"  # talked with a seat
    ABANDONED = "abandoned"  # the citizen hung up before anybody answered
    INFORMED = "informed"  # a flow's stated end (closed office number, announcement)
    FAILED = "failed"  # its Asterisk went down
    TURNED_AWAY = "turned_away"  # the queue was full, and the citizen was told so
    NOT_REACHED = "not_reached"  # the citizen was called back in vain
    REJOINED = "rejoined"  # the citizen rang again before the promised call-back, and waits in that call


class Onwards(StrEnum):
    """Why a citizen is connected with somebody outside without a seat of ours."""

    TRANSFER = "transfer"  # the flow of the dialled number says so
    OVERFLOW = "overflow"  # a step of the queue's plan does


class RatedAspect(StrEnum):
    """What a citizen is asked about after the talk; service and result are kept apart."""

    SERVICE = "service"
    RESULT = "result"


class Rating(StrEnum):
    """What a citizen answered."""

    SATISFIED = "satisfied"  # 满意
    FAIR = "fair"  # 一般
    DISSATISFIED = "dissatisfied"  # 不满意
