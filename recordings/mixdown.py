"""Puts the parties' tracks side by side: who goes into which channel, at which sample, and the samples themselves.

Pure: it is told how long each track is and reads samples through a function, block by block, so that a call
of hours needs no more memory than a call of seconds. It knows no files and no rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recordings.model import RATE, Channel, Flag, Party, Span, Track

Samples = NDArray[np.int16]
ReadSamples = Callable[[int, int, int], Samples]
"""`read(track, first, count)`: samples of the track with this position in the plan's tracks; may return fewer."""

TOLERANCE = timedelta(seconds=1)
"""A track this much shorter than its party's presence is not called truncated: events and files are not exact."""

HORIZON = timedelta(hours=24)
"""A start further than this from the answer is a clock's mistake, not a conversation."""

BLOCK = 30 * RATE
"""Frames composed at a time."""

_ORDER = (
    Party.CITIZEN,
    Party.OPERATOR,
    Party.EXPERT,
    Party.SUPERVISOR,
    Party.OUTSIDE,
    Party.ANNOUNCEMENT,
    Party.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A track and what is there of it."""

    track: Track
    samples: int | None
    """How many; nothing when there is no file."""
    modified_at: datetime | None = None
    """When its last sample was written."""
    flags: tuple[Flag, ...] = ()
    """What is known to be wrong already."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of samples of one track and where it goes."""

    track: int
    channel: int
    at: int
    """First frame of the finished sound that it covers."""
    skip: int
    """Samples of the track before the answer, left out."""
    count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What the finished sound is made of."""

    channels: tuple[Channel, ...]
    pieces: tuple[Piece, ...]
    frames: int

    @property
    def length_ms(self) -> int:
        return self.frames * 1000 // RATE

    @property
    def truncated(self) -> bool:
        return any(channel.flags for channel in self.channels)


def plan(found: Sequence[Found], answered_at: datetime) -> Plan:
    """Lay out the tracks of one call. The finished sound begins at `answered_at` and ends with its last sample."""
    placed = [_place(item, answered_at) for item in found]
    groups = _group(found, placed)
    pieces: list[Piece] = []
    channels: list[Channel] = []
    for index, members in enumerate(groups):
        runs = [Piece(number, index, *placed[number].run) for number in members if placed[number].run[2]]
        pieces.extend(runs)
        channels.append(_channel(index, [found[n] for n in members], [placed[n] for n in members], runs))
    frames = max((piece.at + piece.count for piece in pieces), default=0)
    return Plan(tuple(channels), tuple(pieces), frames)


def blocks(layout: Plan, read: ReadSamples, size: int = BLOCK) -> Iterator[Samples]:
    """The finished sound as arrays of shape (frames, channels), at most `size` frames each, int16.

    Voices of one party that overlap (two lines of the same person) are added and clipped.
    """
    for start in range(0, layout.frames, size):
        count = min(size, layout.frames - start)
        mixed = np.zeros((count, max(1, len(layout.channels))), np.int32)
        for piece in layout.pieces:
            _add(mixed[:, piece.channel], piece, start, read)
        yield mixed.clip(-32768, 32767).astype("<i2")


def _add(into: NDArray[np.int32], piece: Piece, start: int, read: ReadSamples) -> None:
    low, high = max(start, piece.at), min(start + len(into), piece.at + piece.count)
    if low >= high:
        return
    samples = read(piece.track, piece.skip + low - piece.at, high - low)
    into[low - start : low - start + len(samples)] += samples


@dataclass(frozen=True, slots=True)
class _Placed:
    run: tuple[int, int, int]
    """First frame, samples left out before it, samples used."""
    started_at: datetime | None
    flags: tuple[Flag, ...]


def _place(item: Found, answered_at: datetime) -> _Placed:
    if item.samples is None:
        return _Placed((0, 0, 0), item.track.started_at, (*item.flags, Flag.MISSING))
    if item.samples == 0:
        return _Placed((0, 0, 0), item.track.started_at, (*item.flags, Flag.EMPTY))
    started_at = item.track.started_at or _from_its_end(item)
    flags = list(item.flags)
    if started_at is None or abs(started_at - answered_at) > HORIZON:
        flags.append(Flag.MISPLACED)
        started_at = answered_at
    if _is_short(item, started_at):
        flags.append(Flag.TRUNCATED)
    offset = round((started_at - answered_at) / timedelta(seconds=1) * RATE)
    skip = min(max(0, -offset), item.samples)
    return _Placed((max(0, offset), skip, item.samples - skip), started_at, tuple(flags))


def _from_its_end(item: Found) -> datetime | None:
    """When a track began that nobody saw begin: its end less its length."""
    end = item.track.ended_at or item.modified_at
    return None if end is None else end - timedelta(seconds=(item.samples or 0) / RATE)


def _is_short(item: Found, started_at: datetime) -> bool:
    if item.track.ended_at is None or item.samples is None:
        return False
    return timedelta(seconds=item.samples / RATE) < item.track.ended_at - started_at - TOLERANCE


def _group(found: Sequence[Found], placed: Sequence[_Placed]) -> list[list[int]]:
    """Positions of tracks by channel: the citizen first (even without a track), then who came first.

    A person who comes back on another line keeps the channel.
    """
    groups: dict[tuple[Party, str], list[int]] = {(Party.CITIZEN, ""): []}
    for number in sorted(range(len(found)), key=lambda n: _order(found[n].track, placed[n].started_at)):
        track = found[number].track
        who = "" if track.party is Party.CITIZEN else track.agent or f"line {track.line}"
        groups.setdefault((track.party, who), []).append(number)
    return list(groups.values())


def _order(track: Track, started_at: datetime | None) -> tuple[int, float, str]:
    return _ORDER.index(track.party), started_at.timestamp() if started_at else float("inf"), track.line


def _channel(index: int, items: list[Found], placed: list[_Placed], runs: list[Piece]) -> Channel:
    flags = {flag for place in placed for flag in place.flags} or ({Flag.MISSING} if not items else set[Flag]())
    return Channel(
        index=index,
        party=items[0].track.party if items else Party.CITIZEN,
        agent=items[0].track.agent if items else "",
        lines=tuple(item.track.line for item in items),
        spans=tuple(Span(run.at * 1000 // RATE, (run.at + run.count) * 1000 // RATE) for run in runs),
        flags=tuple(sorted(flags)),
    )
