"""The floor against queueing theory, small and with fixed seeds; `bench/simulate.py` does it at length."""

from dataclasses import replace
from statistics import mean

import pytest

from bench.simulate import (
    BUSY,
    CHAIN,
    POOLED,
    Load,
    Outcome,
    answered_within,
    compare,
    erlang_b,
    kept,
    runs,
    theory,
)

pytestmark = pytest.mark.unit


def test_formulas_agree_with_published_figures() -> None:
    hundred_in_half_an_hour = Load(seats=14, arrivals=100 / 1800, talk_s=180)
    assert theory(hundred_in_half_an_hour).waits == pytest.approx(0.1741319335950498)
    assert answered_within(hundred_in_half_an_hour, 20) == pytest.approx(0.8883500191794669)
    impatient = theory(Load(seats=13, arrivals=100 / 1800, talk_s=180, patience_s=300))
    assert impatient.waits == pytest.approx(0.226, abs=5e-4)
    assert impatient.abandons == pytest.approx(0.025, abs=5e-4)
    assert impatient.mean_wait_s == pytest.approx(0.125 * 60, abs=0.05)
    fifty = Load(seats=50, arrivals=48 / 60, talk_s=60)
    assert theory(fifty).mean_wait_s == pytest.approx(20.8, abs=0.05)
    assert erlang_b(1, 1.0) == 0.5


@pytest.mark.parametrize("patience_s", [float("inf"), 90.0])
def test_floor_waits_as_theory_says(patience_s: float) -> None:
    load = Load(seats=5, arrivals=4 / 60, talk_s=60, patience_s=patience_s)
    for name, _, _, _, distance in compare(runs(load, 400, 4, 1), theory(load)):
        assert distance < 4, name


def mean_wait_s(load: Load) -> tuple[float, list[Outcome]]:
    found = runs(load, 2000, 1, 1)
    return mean(outcome.mean_wait_s for outcome in found), found


def test_a_chain_of_two_skills_keeps_most_of_what_pooling_gains_and_a_recipe_nearly_all() -> None:
    apart, pooled = theory(replace(POOLED, seats=5, arrivals=POOLED.arrivals / 10)), theory(POOLED)
    assert kept(apart.mean_wait_s, apart, pooled) == 0
    assert kept(pooled.mean_wait_s, apart, pooled) == 1
    chain, _ = mean_wait_s(CHAIN)
    widened, found = mean_wait_s(replace(CHAIN, anyone_after_s=10))
    assert max(widened, chain) < apart.mean_wait_s
    assert kept(chain, apart, pooled) > 0.7
    assert kept(widened, apart, pooled) > 0.9
    assert 0 < mean(outcome.outside for outcome in found) < 0.6
    assert found[0].in_20_s > 0.5


def test_nobody_is_overtaken_by_who_came_later_than_the_head_start() -> None:
    """More calls than the seats can take, half of them with a head start: the others are served all the same."""
    (outcome,) = runs(BUSY, 1500, 1, 1)
    assert 1 < outcome.overtaken_s <= BUSY.head_start_s + 0.001
    assert outcome.abandons > 0.05
