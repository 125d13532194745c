"""How many log-ins may fail: pure, in virtual time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import throttle
from hotline.security import TooManyAttempts
from hotline.throttle import Limits, Throttle

pytestmark = pytest.mark.unit

LIMITS = Limits(window=timedelta(seconds=100), pair=3, login=5, address=8)


def _allowed(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except TooManyAttempts:
        return False
    return True


def test_one_login_from_one_address_is_refused_after_its_limit() -> None:
    throttled = Throttle(LIMITS)
    assert [_allowed(lambda: throttled.begin("wang", "10.0.0.1", 0)) for _ in range(5)] == [True] * 3 + [False] * 2
    assert _allowed(lambda: throttled.begin("wang", "10.0.0.2", 0))
    assert _allowed(lambda: throttled.begin("li", "10.0.0.1", 0))


def test_one_login_from_many_addresses_is_refused_after_its_limit() -> None:
    throttled = Throttle(LIMITS)
    tried = [_allowed(lambda a=address: throttled.begin("wang", f"10.0.0.{a}", 0)) for address in range(9)]  # type: ignore[misc]
    assert tried == [True] * 5 + [False] * 4


def test_many_logins_from_one_address_are_refused_after_its_limit() -> None:
    throttled = Throttle(LIMITS)
    tried = [_allowed(lambda n=number: throttled.begin(f"p{n}", "10.0.0.1", 0)) for number in range(12)]  # type: ignore[misc]
    assert tried == [True] * 8 + [False] * 4


def test_the_wait_is_until_the_oldest_attempt_leaves_the_window() -> None:
    throttled = Throttle(LIMITS)
    for moment in (0, 10, 20):
        throttled.begin("wang", "a", moment)
    with pytest.raises(TooManyAttempts) as refused:
        throttled.begin("wang", "a", 60)
    assert refused.value.wait == timedelta(seconds=40)
    with pytest.raises(TooManyAttempts):
        throttled.begin("wang", "a", 99.9)
    throttled.begin("wang", "a", 100)
    with pytest.raises(TooManyAttempts) as refused:
        throttled.begin("wang", "a", 100)
    assert refused.value.wait == timedelta(seconds=10)


def test_a_refused_attempt_does_not_prolong_the_wait() -> None:
    throttled = Throttle(LIMITS)
    for _ in range(3):
        throttled.begin("wang", "a", 0)
    for moment in range(1, 100):
        assert not _allowed(lambda at=moment: throttled.begin("wang", "a", at))  # type: ignore[misc]
    throttled.begin("wang", "a", 100)


def test_a_success_forgives_the_pair_and_counts_nowhere() -> None:
    throttled = Throttle(LIMITS)
    for _ in range(20):
        throttled.begin("wang", "a", 0)
        throttled.succeeded("wang", "a")
    assert [_allowed(lambda: throttled.begin("wang", "a", 0)) for _ in range(4)] == [True] * 3 + [False]


def test_success_of_one_does_not_forgive_failures_of_others_at_the_address() -> None:
    throttled = Throttle(LIMITS)
    for number in range(7):
        throttled.begin(f"p{number}", "a", 0)
    throttled.begin("wang", "a", 0)
    throttled.succeeded("wang", "a")
    assert _allowed(lambda: throttled.begin("x", "a", 0))
    assert not _allowed(lambda: throttled.begin("y", "a", 0))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "REMEMBERED", 10)
    throttled = Throttle(LIMITS)
    for number in range(1000):
        throttled.begin(f"p{number}", f"a{number}", 0)
    assert len(throttled._begun) == 10  # pyright: ignore[reportPrivateUsage]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 30)), max_size=60))
def test_never_more_attempts_within_a_window_than_allowed(steps: list[tuple[str, str, int]]) -> None:
    throttled = Throttle(LIMITS)
    now, made = 0.0, []
    for login, address, pause in steps:
        now += pause
        if _allowed(lambda at=now, who=login, where=address: throttled.begin(who, where, at)):  # type: ignore[misc]
            made.append((login, address, now))
        recent = [step for step in made if step[2] > now - 100]
        assert all(sum(step[:2] == (a, b) for step in recent) <= 3 for a in "abc" for b in "xy")
        assert all(sum(step[0] == a for step in recent) <= 5 for a in "abc")
        assert all(sum(step[1] == b for step in recent) <= 8 for b in "xy")
