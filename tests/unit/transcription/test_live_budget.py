"""Which calls are listened to when there are more than the machine can bear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.live.budget import Claim, chosen, default_most

pytestmark = pytest.mark.unit


def claim(call: str, order: int, *, urgent: bool = False, held: bool = False) -> Claim:
    return Claim(call=call, order=order, urgent=urgent, held=held)


def test_calls_that_somebody_else_reads_come_first() -> None:
    claims = [claim("a", 1, held=True), claim("b", 2, held=True), claim("c", 3, urgent=True)]
    assert chosen(claims, 2) == {"a", "c"}


def test_a_call_that_is_heard_goes_on_being_heard() -> None:
    assert chosen([claim("old", 1), claim("heard", 2, held=True)], 1) == {"heard"}


def test_among_equals_the_oldest_talk_is_heard() -> None:
    assert chosen([claim("b", 2), claim("a", 1), claim("c", 3)], 2) == {"a", "b"}


@pytest.mark.parametrize("most", [0, -1])
def test_without_a_budget_nothing_is_heard(most: int) -> None:
    assert chosen([claim("a", 1, urgent=True)], most) == frozenset()


def test_every_machine_may_hear_something() -> None:
    assert [default_most(count) for count in (0, 1, 4, 64)] == [1, 1, 4, 8]


CLAIMS = st.lists(
    st.builds(Claim, call=st.text("abcdef", min_size=1, max_size=3), order=st.integers(0, 99), urgent=st.booleans(),
              held=st.booleans()),
    unique_by=lambda one: one.call,
)  # fmt: skip


@given(CLAIMS, st.integers(0, 8))
def test_the_budget_is_used_whole_and_never_exceeded_and_choosing_again_changes_nothing(
    claims: list[Claim], most: int
) -> None:
    first = chosen(claims, most)
    assert len(first) == min(most, len(claims))
    left_out = [one for one in claims if one.call not in first]
    assert not any(one.urgent for one in left_out) or all(one.urgent for one in claims if one.call in first)
    again = [claim(one.call, one.order, urgent=one.urgent, held=one.call in first) for one in claims]
    assert chosen(again, most) == first
