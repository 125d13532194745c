"""What the floor costs as it grows: looks and bytes, the same on every machine (times: `bench/floor_cost.py`)."""

from datetime import UTC, datetime

import msgspec
import pytest

import acd.waiting
from acd import model as m
from acd.floor import Floor
from acd.records import Needs, Offer, Seat, Waiting
from bench.floor_cost import Shift, growth, measure, memory_per_waiting, mixes
from hotline.ids import CountedIds

pytestmark = pytest.mark.unit

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
KILOBYTE = 1024


def facts() -> list[type[m.FloorFact]]:
    return m.FloorFact.__subclasses__()


def test_the_collector_of_garbage_never_follows_a_record_or_a_fact() -> None:
    """Thousands of them that live long would make a young collection take milliseconds in the middle of an offer."""
    assert len(facts()) >= 16
    records: tuple[type[msgspec.Struct], ...] = (m.Need, m.Step, Seat, Waiting, Offer)
    kinds: list[type[msgspec.Struct]] = [*records, *facts(), *m.Command.__subclasses__()]
    for kind in kinds:
        assert not kind.__struct_config__.gc, kind


def test_a_waiting_call_takes_less_than_twenty_kilobytes() -> None:
    assert memory_per_waiting(300, seed=1) < 20 * KILOBYTE


def looks_of_a_free_seat(monkeypatch: pytest.MonkeyPatch, waiting: int) -> int:
    """How many demands are looked at when a seat becomes ready beside so many waiting calls."""
    looks = 0

    def counted(skills: dict[str, int], needs: Needs) -> bool:
        nonlocal looks
        looks += 1
        return all(skills.get(need.skill, 0) >= need.level for need in needs)

    floor, ids = Floor(), CountedIds()
    for number in range(waiting):
        demand = tuple(m.Need(f"skill{(number * step) % 20}", number % 10 + 1) for step in (3, 7))
        for fact in floor.decide(m.Join(call=f"c{number}", queue="q", needs=demand), NINE, ids.new):
            floor.apply(fact)
    monkeypatch.setattr(acd.waiting, "meets", counted)
    skills = {f"skill{number}": 10 for number in range(0, 20, 2)}
    facts = floor.decide(m.SignIn(seat="s", agent="s", phone="p", skills=skills), NINE, ids.new)
    assert any(isinstance(fact, m.Offered) for fact in facts)
    return looks


def test_a_free_seat_looks_at_demands_and_not_at_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (looks_of_a_free_seat(monkeypatch, waiting) for waiting in (100, 2000))
    assert many <= 2 * few


def test_a_shift_of_every_mix_can_be_measured() -> None:
    costs = [
        measure(mix, size, 20, backlog=backlog) for mix in mixes(1) for size in (4, 8) for backlog in (True, False)
    ]
    assert [cost.commands > 50 and cost.p50 <= cost.p99 <= cost.longest for cost in costs] == [True] * len(costs)
    assert len(growth(costs)) == 6


def test_a_shift_answers_everything_that_rings() -> None:
    shift = Shift(next(mixes(1)), 5)
    shift.fill(5)
    assert list(shift.floor.offers()) == []
    assert sum(1 for _ in shift.floor.waiting()) >= 5
