"""Tracks land in the right channel at the right sample, whatever order, lateness or damage they come with."""

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.mixdown import HORIZON, Found, Plan, Samples, blocks, plan
from recordings.model import RATE, Flag, Party, Span, Track

pytestmark = pytest.mark.unit

ANSWER = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
CITIZEN, OPERATOR, EXPERT = Party.CITIZEN, Party.OPERATOR, Party.EXPERT


def found(
    party: Party,
    start: float | None,
    samples: int | None,
    *,
    line: str = "",
    agent: str = "",
    end: float | None = None,
    modified: float | None = None,
) -> Found:
    """A track that began `start` seconds after the answer."""
    track = Track(
        line=line or f"{party}.{start}",
        party=party,
        started_at=None if start is None else ANSWER + timedelta(seconds=start),
        ended_at=None if end is None else ANSWER + timedelta(seconds=end),
        agent=agent,
    )
    return Found(track, samples, None if modified is None else ANSWER + timedelta(seconds=modified))


def sound(layout: Plan, voices: list[Samples], size: int = 1000) -> Samples:
    def read(track: int, first: int, count: int) -> Samples:
        return voices[track][first : first + count]

    parts = list(blocks(layout, read, size))
    assert all(len(part) <= size for part in parts)
    return np.concatenate(parts) if parts else np.zeros((0, len(layout.channels)), np.int16)


def voice(count: int, first: int = 1) -> Samples:
    """Samples that tell their own position."""
    return (np.arange(first, first + count) % 30_000).astype(np.int16)


def test_citizen_is_left_and_operator_is_right_whoever_is_declared_first() -> None:
    layout = plan([found(OPERATOR, 0, 80, agent="1001"), found(CITIZEN, -1, RATE + 80)], ANSWER)
    assert [channel.party for channel in layout.channels] == [CITIZEN, OPERATOR]
    mixed = sound(layout, [voice(80, 500), voice(RATE + 80)])
    assert mixed.shape == (80, 2)
    assert mixed[:, 0].tolist() == voice(80, RATE + 1).tolist()
    assert mixed[:, 1].tolist() == voice(80, 500).tolist()


def test_sound_before_the_answer_is_cut_off() -> None:
    layout = plan([found(CITIZEN, -2.5, 3 * RATE)], ANSWER)
    assert layout.frames == RATE // 2
    assert sound(layout, [voice(3 * RATE)])[0, 0] == 20_001


def test_track_that_ends_before_the_answer_leaves_silence_and_no_frames() -> None:
    layout = plan([found(CITIZEN, -10, RATE), found(OPERATOR, 0, 16)], ANSWER)
    assert layout.frames == 16
    assert not sound(layout, [voice(RATE), voice(16)])[:, 0].any()


def test_late_expert_gets_a_channel_of_its_own_behind_silence() -> None:
    layout = plan([found(CITIZEN, 0, 3 * RATE), found(OPERATOR, 0, RATE), found(EXPERT, 2, RATE, agent="E7")], ANSWER)
    assert [channel.party for channel in layout.channels] == [CITIZEN, OPERATOR, EXPERT]
    assert layout.channels[2].spans == (Span(2000, 3000),)
    mixed = sound(layout, [voice(3 * RATE), voice(RATE), voice(RATE)])
    assert not mixed[: 2 * RATE, 2].any()
    assert mixed[2 * RATE, 2] == 1
    assert not mixed[RATE:, 1].any()


def test_person_who_comes_back_on_another_line_keeps_the_channel() -> None:
    tracks = [
        found(CITIZEN, 0, 5 * RATE),
        found(OPERATOR, 0, RATE, agent="1001", line="a.1"),
        found(OPERATOR, 1, RATE, agent="1002", line="a.2"),
        found(OPERATOR, 3, RATE, agent="1001", line="a.3"),
    ]
    layout = plan(tracks, ANSWER)
    assert [(channel.agent, channel.lines) for channel in layout.channels[1:]] == [
        ("1001", ("a.1", "a.3")),
        ("1002", ("a.2",)),
    ]
    assert layout.channels[1].spans == (Span(0, 1000), Span(3000, 4000))


def test_citizens_channel_stays_left_when_the_track_is_missing() -> None:
    layout = plan([found(OPERATOR, 0, 8)], ANSWER)
    assert [channel.party for channel in layout.channels] == [CITIZEN, OPERATOR]
    assert layout.channels[0].flags == (Flag.MISSING,)
    assert layout.truncated


@pytest.mark.parametrize(("samples", "flag"), [(None, Flag.MISSING), (0, Flag.EMPTY)])
def test_track_without_sound_is_flagged_and_the_rest_is_kept(samples: int | None, flag: Flag) -> None:
    layout = plan([found(CITIZEN, 0, samples), found(OPERATOR, 0, 8)], ANSWER)
    assert layout.channels[0].flags == (flag,)
    assert layout.channels[1].flags == ()
    assert layout.frames == 8


def test_cut_track_is_flagged_as_truncated_and_a_whole_one_is_not() -> None:
    whole = found(CITIZEN, 0, 10 * RATE, end=10.9)
    cut = found(OPERATOR, 0, 10 * RATE, end=11.1)
    layout = plan([whole, cut], ANSWER)
    assert [channel.flags for channel in layout.channels] == [(), (Flag.TRUNCATED,)]


def test_track_nobody_saw_begin_is_aligned_by_its_end() -> None:
    told = plan([found(CITIZEN, 0, 9 * RATE), found(OPERATOR, None, 2 * RATE, line="x.1", end=7)], ANSWER)
    seen = plan([found(CITIZEN, 0, 9 * RATE), found(OPERATOR, None, 2 * RATE, line="x.1", modified=7)], ANSWER)
    assert told.channels[1].spans == seen.channels[1].spans == (Span(5000, 7000),)
    assert not told.truncated


def test_start_that_cannot_be_right_is_flagged_and_costs_no_memory() -> None:
    far = HORIZON.total_seconds() + 1
    layout = plan([found(CITIZEN, far, 80), found(OPERATOR, -far, 80), found(EXPERT, None, 80)], ANSWER)
    assert [channel.flags for channel in layout.channels] == [(Flag.MISPLACED,)] * 3
    assert layout.frames == 80


def test_two_lines_of_one_party_are_added_and_clipped() -> None:
    loud = np.full(4, 30_000, np.int16)
    layout = plan([found(CITIZEN, 0, 4, line="a.1"), found(CITIZEN, 0, 4, line="a.2")], ANSWER)
    assert len(layout.channels) == 1
    assert sound(layout, [loud, loud])[:, 0].tolist() == [32_767] * 4


def test_length_is_in_milliseconds() -> None:
    assert plan([found(CITIZEN, 0, RATE + RATE // 4)], ANSWER).length_ms == 1250


def test_nothing_at_all_is_a_plan_without_frames() -> None:
    layout = plan([], ANSWER)
    assert (layout.frames, layout.length_ms, layout.truncated) == (0, 0, True)
    assert sound(layout, []).shape == (0, 1)


TRACKS = st.lists(
    st.tuples(st.sampled_from([CITIZEN, OPERATOR, EXPERT]), st.integers(-900, 900), st.integers(0, 700)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(TRACKS, st.integers(1, 400), st.randoms(use_true_random=False))
def test_every_sample_after_the_answer_is_heard_once_at_its_moment(
    shapes: list[tuple[Party, int, int]], size: int, shuffle: Random
) -> None:
    """An independent model: write each voice sample by sample where it belongs; compare with the blocks."""
    items = [found(p, s / RATE, n, line=f"l.{i}", agent=f"a{i}") for i, (p, s, n) in enumerate(shapes)]
    order = list(range(len(items)))
    shuffle.shuffle(order)
    items = [items[n] for n in order]
    voices = [voice(item.samples or 0, 7 * n) for n, item in zip(order, items, strict=True)]
    layout = plan(items, ANSWER)
    mixed = sound(layout, voices, size)
    wide = np.zeros((layout.frames, len(layout.channels)), np.int64)
    for item, samples, number in zip(items, voices, order, strict=True):
        column = next(c.index for c in layout.channels if item.track.line in c.lines)
        for k, sample in enumerate(samples.tolist()):
            if shapes[number][1] + k >= 0:
                wide[shapes[number][1] + k, column] += sample
    assert np.array_equal(mixed, wide.clip(-32768, 32767))
    assert layout.frames == max([0, *(s + n for _, s, n in shapes if n)])
    assert [c.index for c in layout.channels] == list(range(len(layout.channels)))
