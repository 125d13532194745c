"""The floor against queueing theory, small and with fixed seeds; `bench/simulate.py` does it at length."""

import pytest

from bench.simulate import Load, answered_within, compare, erlang_b, runs, theory

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
