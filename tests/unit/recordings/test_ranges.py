"""Ranges of bytes as players, and as attackers, ask for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.ranges import ByteRange, Unsatisfiable, applies, parse_range

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("items=0-5", None),
        ("", None),
        ("bytes=0-0", ByteRange(0, 0)),
        ("bytes=0-99", ByteRange(0, 99)),
        ("bytes=10-", ByteRange(10, 99)),
        ("bytes=-10", ByteRange(90, 99)),
        ("bytes=-1000", ByteRange(0, 99)),
        ("bytes=90-100000000000000000000000", ByteRange(90, 99)),
        ("Bytes= 5-6 ", ByteRange(5, 6)),
    ],
)
def test_one_range_is_understood(value: str | None, expected: ByteRange | None) -> None:
    assert parse_range(value, 100) == expected


@pytest.mark.parametrize(
    "value",
    [
        "bytes=",
        "bytes=-",
        "bytes=-0",
        "bytes=100-",
        "bytes=100-200",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=0-1,4-5",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(1000)),
        "bytes=" + "9" * 5000 + "-",
        "bytes=0--1",
        "bytes=1 -2",
        "bytes=٣-٤",
        "bytes=0x1-0x2",
        "bytes=99999999999999999999999999-",
    ],
)
def test_what_is_wrong_outside_or_many_is_refused(value: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(value, 100)


def test_nothing_of_an_empty_sound_can_be_asked_for() -> None:
    for value in ("bytes=0-0", "bytes=-1", "bytes=0-"):
        with pytest.raises(Unsatisfiable):
            parse_range(value, 0)


@given(st.text(max_size=120), st.integers(0, 10_000))
def test_whatever_comes_either_fits_or_is_refused(tail: str, size: int) -> None:
    try:
        asked = parse_range("bytes=" + tail, size)
    except Unsatisfiable:
        return
    assert asked is not None
    assert 0 <= asked.first <= asked.last < size


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 150))
def test_bytes_are_exactly_those_that_slicing_gives(first: int, last: int, size: int) -> None:
    whole = bytes(n % 251 for n in range(size))
    if first > last or first >= size:
        with pytest.raises(Unsatisfiable):
            parse_range(f"bytes={first}-{last}", size)
        return
    asked = parse_range(f"bytes={first}-{last}", size)
    assert asked is not None
    assert whole[asked.first : asked.last + 1] == whole[first : last + 1]
    assert asked.length == len(whole[first : last + 1])
    assert asked.content_range(size) == f"bytes {first}-{min(last, size - 1)}/{size}"


def test_range_counts_only_for_exactly_our_sound() -> None:
    assert applies(None, '"a"')
    assert applies(' "a" ', '"a"')
    assert not applies('"b"', '"a"')
    assert not applies('W/"a"', '"a"')
    assert not applies("Sat, 14 Feb 2026 09:00:00 GMT", '"a"')
