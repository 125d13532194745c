"""The day in numbers: the same figures for each queue or number, and stretch by stretch."""

from datetime import UTC, datetime, timedelta

import pytest

from acd.measures import CallStay
from acd.series import By, rows, stretches
from acd.values import LeaveReason

pytestmark = pytest.mark.unit

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
STEP = timedelta(minutes=15)


def stay(minute: float, waited: float, reason: LeaveReason | None = LeaveReason.ANSWERED, **more: object) -> CallStay:
    joined = NINE + timedelta(minutes=minute)
    left = None if reason is None else joined + timedelta(seconds=waited)
    values = {"queue": "general", "dialled": "12345", "called_at": joined, **more}
    return CallStay(call="c", joined_at=joined, left_at=left, reason=reason, waited=timedelta(seconds=waited), **values)  # type: ignore[arg-type]


def test_each_dialled_number_has_figures_of_its_own_the_busiest_first() -> None:
    stays = [
        stay(0, 3, dialled="12329"),
        stay(1, 5),
        stay(2, 40, LeaveReason.ABANDONED),
        stay(3, 2, LeaveReason.ABANDONED),
        stay(4, 9, None),
        stay(5, 1, call_back=True),
    ]
    first, second = rows(stays, By.DIALLED)
    assert (first.key, first.calls, first.answered, first.abandoned, first.short_abandons) == ("12345", 3, 1, 1, 1)
    assert (first.answer_rate, first.abandon_rate, first.service_level_standard) == (1 / 3, 1 / 2, 1 / 2)
    assert (second.key, second.calls, second.answered_in_15_s_from_arrival, second.asa_mean_s) == ("12329", 1, 1, 3)
    assert [row.key for row in rows(stays, By.QUEUE)] == ["general"]


def test_each_unit_has_the_figures_of_the_numbers_that_were_its_own_then() -> None:
    until, funds, labour = NINE + timedelta(hours=1), "housing fund", "labour"
    asked: list[str] = []
    stays = [
        stay(0, 3, dialled="12329"),
        stay(1, 30, LeaveReason.ABANDONED, dialled="12329"),
        stay(2, 4, dialled="12333"),
        stay(80, 5, dialled="12329"),
        stay(81, 6),
    ]

    def unit_of(number: str, at: datetime) -> str:
        asked.append(number)
        return {"12329": funds if at < until else labour, "12333": labour}.get(number, "")

    found = {row.key: (row.calls, row.answered, row.answer_rate) for row in rows(stays, By.UNIT, unit_of)}
    assert found == {funds: (2, 1, 1 / 2), labour: (2, 2, 1), "": (1, 1, 1)}
    assert asked == ["12329", "12333", "12329", "12345"], "once for each hour"


def test_every_stretch_is_there_even_where_nothing_happened() -> None:
    stays = [stay(1, 5), stay(14, 120), stay(40, 25, LeaveReason.ABANDONED), stay(41, 3, None)]
    found = stretches(stays, NINE + timedelta(minutes=4), NINE + timedelta(minutes=50), STEP)
    assert [one.at for one in found] == [NINE + number * STEP for number in range(4)]
    assert [one.joined for one in found] == [2, 0, 2, 0]
    assert [one.answered for one in found] == [1, 1, 0, 0]
    assert [one.abandoned for one in found] == [0, 0, 1, 0]
    assert [one.longest_wait_s for one in found] == [5, 120, 25, 0]
    assert [one.service_level_standard for one in found] == [1, 0, 0, None]


def test_stretches_begin_at_whole_quarters_whatever_the_moment() -> None:
    (only,) = stretches([], NINE + timedelta(minutes=7), NINE + timedelta(minutes=9), STEP)
    assert only.at == NINE
