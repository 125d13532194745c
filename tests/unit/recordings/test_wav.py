"""Views of a file: any byte range of a chosen channel and stretch equals that range of the file one would have made."""

import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.wav import HEADER_BYTES, Shape, View, header, parse

pytestmark = pytest.mark.unit


def test_header_is_read_by_the_standard_library() -> None:
    data = np.arange(30, dtype="<i2").tobytes()
    with wave.open(io.BytesIO(header(3, 10) + data)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth(), file.getnframes()) == (3, 8000, 2, 10)
        assert file.readframes(10) == data


def test_header_says_what_parse_reads() -> None:
    assert parse(header(2, 1234)) == Shape(2, 1234)


@pytest.mark.parametrize("head", [b"", b"RIFF" * 3, header(1, 1)[:-1], header(1, 1).replace(b"WAVE", b"AVI ")])
def test_foreign_bytes_are_no_header(head: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(head)


def test_more_than_riff_can_count_is_refused() -> None:
    with pytest.raises(ValueError, match="WAV"):
        header(2, 1 << 30)


@given(
    st.integers(1, 4),
    st.integers(0, 40),
    st.data(),
)
def test_any_range_of_a_view_is_that_range_of_the_cut_file(channels: int, frames: int, data: st.DataObject) -> None:
    samples = np.arange(channels * frames, dtype="<i2").reshape(frames, channels)
    stored = header(channels, frames) + samples.tobytes()
    chosen = data.draw(st.lists(st.integers(0, channels - 1), min_size=1, unique=True))
    cuts = sorted(data.draw(st.lists(st.integers(0, frames), min_size=2, max_size=6)))
    stretches = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    view = View(Shape(channels, frames), tuple(chosen), stretches)
    pieces = [samples[start:end][:, chosen] for start, end in stretches]
    made = header(len(chosen), sum(map(len, pieces))) + b"".join(piece.tobytes() for piece in pieces)
    offset = data.draw(st.integers(0, len(made) + 5))
    count = data.draw(st.integers(0, len(made) + 5))
    assert view.size == len(made)
    assert view.read(lambda at, many: stored[at : at + many], offset, count) == made[offset : offset + count]
    assert len(made) >= HEADER_BYTES
