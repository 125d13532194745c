"""Figures of the floor as the API shows them: each beside the formula that gave it."""

from datetime import datetime, timedelta

from pydantic import BaseModel

from acd import measures
from acd.ledger import Ledger
from acd.measures import CallStay, OfferEnd, ServiceLevelFormula
from acd.series import UnitOf, remembered


class Figure(BaseModel):
    """A figure beside the formula that gave it; null when there is nothing to divide by."""

    name: str
    value: float | None
    unit: str
    formula: str


class Figures(BaseModel):
    """Figures of the last hours, of everything or of one queue, dialled number or unit."""

    since: datetime
    until: datetime
    queue: str | None
    dialled: str | None
    unit: str | None
    calls: int
    items: list[Figure]


def figures(
    ledger: Ledger,
    now: datetime,
    span: timedelta,
    queue: str | None,
    dialled: str | None,
    unit: str | None = None,
    unit_of: UnitOf = lambda _number, _at: "",
) -> Figures:
    """The figures of the stays that left the queue within `span`. What rang is told of all or of a queue."""
    ledger.forget(now)
    unit_of = remembered(unit_of)
    stays = [
        stay
        for stay in ledger.stays(now - span)
        if stay.left_at is not None and queue in (None, stay.queue) and dialled in (None, stay.dialled)
        if unit is None or unit == unit_of(stay.dialled, stay.called_at)
    ]
    offers = [] if dialled or unit else [end for end in ledger.offers(now - span) if queue in (None, end.queue)]
    items = [*_shares(stays), *_losses(stays), *_times(stays, ledger, now), *_offers(stays, offers)]
    calls = sum(not stay.call_back for stay in stays)
    return Figures(since=now - span, until=now, queue=queue, dialled=dialled, unit=unit, calls=calls, items=items)


def _shares(stays: list[CallStay]) -> list[Figure]:
    short = f"{measures.SHORT_ABANDON.total_seconds():g} s"
    within = f"answered within 15 s / (answered + abandoned after {short}), timed from"
    levels = [
        Figure(
            name=f"service_level_{formula.name.lower()}",
            value=measures.service_level(stays, formula=formula),
            unit="share",
            formula=f"{formula.value}, within 20 s of joining the queue",
        )
        for formula in ServiceLevelFormula
    ]
    return [
        Figure(
            name="answer_rate",
            value=measures.answer_rate(stays),
            unit="share",
            formula="answered, also by call-back / left the queue, promised call-backs when they are over",
        ),
        *(
            Figure(
                name=f"answered_in_15_s_from_{clock.value}",
                value=measures.answered_within(stays, clock=clock),
                unit="share",
                formula=f"{within} {clock.value}",
            )
            for clock in measures.Clock
        ),
        *levels,
        Figure(
            name="abandon_rate",
            value=measures.abandon_rate(stays),
            unit="share",
            formula=f"abandoned after {short} / (left the queue - abandoned within {short})",
        ),
        Figure(
            name="short_abandons",
            value=float(measures.short_abandons(stays)),
            unit="calls",
            formula=f"abandoned within {short}",
        ),
    ]


def _losses(stays: list[CallStay]) -> list[Figure]:
    of = "left the queue because another centre answered: in the whole of the answer rate, not in what was answered"
    return [
        Figure(name="overflowed", value=float(measures.overflowed(stays)), unit="calls", formula=of),
        *(
            Figure(
                name=f"lost_{reason.value}",
                value=float(count),
                unit="calls",
                formula=f"left the queue unanswered: {reason.value}",
            )
            for reason, count in measures.losses(stays).items()
        ),
    ]


def _offers(stays: list[CallStay], offers: list[OfferEnd]) -> list[Figure]:
    return [
        Figure(
            name="call_back_rate",
            value=measures.call_back_rate(stays),
            unit="share",
            formula="call-backs answered / call-backs that are over, those left out whose citizen rang again",
        ),
        Figure(
            name="reach_rate",
            value=measures.reach_rate(offers),
            unit="share",
            formula="offers to seats answered / offers answered or not; not told for a dialled number",
        ),
        Figure(
            name="ring_time",
            value=measures.ring_time(offers),
            unit="s",
            formula="mean ringing of answered offers",
        ),
    ]


def _times(stays: list[CallStay], ledger: Ledger, now: datetime) -> list[Figure]:
    asa = measures.speed_of_answer(stays)
    of = "waiting of answered calls, from joining the queue"
    return [
        Figure(name="asa_mean", value=asa and asa.mean_s, unit="s", formula=f"mean {of}"),
        Figure(name="asa_median", value=asa and asa.median_s, unit="s", formula=f"median {of}"),
        Figure(name="asa_p95", value=asa and asa.p95_s, unit="s", formula=f"95th percentile {of}, nearest rank"),
        Figure(
            name="aht",
            value=measures.handle_time(stays),
            unit="s",
            formula="(talk with holds + wrap-up) / handled calls",
        ),
        Figure(name="talk_time", value=measures.talk_time(stays), unit="s", formula="talk with holds / talks"),
        Figure(name="wrap_up_time", value=measures.wrap_up_time(stays), unit="s", formula="wrap-up / handled calls"),
        Figure(
            name="occupancy",
            value=measures.occupancy(ledger.seat_times(now)),
            unit="share",
            formula="(talk with holds + wrap-up) / (signed in - paused), all seats",
        ),
    ]
