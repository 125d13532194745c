"""Which prompts were heard: the loudness curve of a call against those of the known prompts. Pure.

Telephone codecs change samples but hardly the curve: the same prompt correlates at 0.95 and more, another one at
less than 0.7 (measured with rendered speech through A-law).
"""

from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

import msgspec
import numpy as np

from telephony.audio import SLOT_SECONDS, Curve

FIRST = 60
"""Slots (1.2 s) of a prompt's beginning that are searched for; a caller's key may cut off the rest."""
SHORTEST = 25
"""Slots (0.5 s) below which a prompt cannot be told from another."""
LIKELY = 0.85
CERTAIN = 0.95
"""What a beginning alone must reach: other speech with a word in common was seen to reach 0.91."""
QUIET = 60.0
"""RMS in sample units below which a prompt has not begun or is over."""


class HeardPrompt(msgspec.Struct, frozen=True):
    """One prompt in what was heard."""

    name: str
    at: float
    """Seconds from the beginning of what was heard to the prompt's first sound."""
    score: float
    """Correlation, 1 is the same curve."""
    whole: bool
    """Heard to its end."""


def heard_prompts(heard: Curve, known: Mapping[str, Curve]) -> tuple[HeardPrompt, ...]:
    """The prompts found, in the order of time; where two fit, the better and longer one."""
    trimmed = {name: cut for name, curve in known.items() if len(cut := _trimmed(curve)) >= SHORTEST}
    found = [hit for name, curve in trimmed.items() for hit in _hits(name, curve, heard)]
    found.sort(key=lambda hit: (-round(hit.score, 2), hit.start - hit.stop))
    taken: list[_Hit] = []
    for hit in found:
        if all(hit.stop <= other.start or hit.start >= other.stop for other in taken):
            taken.append(hit)
    taken.sort(key=lambda hit: hit.start)
    return tuple(HeardPrompt(h.name, round(h.start * SLOT_SECONDS, 2), round(h.score, 3), h.whole) for h in taken)


def correlation(one: Curve, other: Curve) -> float:
    """Pearson's correlation of two curves of one length, 0 when one is flat."""
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


class _Hit(NamedTuple):
    name: str
    score: float
    start: int
    """First slot in what was heard."""
    stop: int
    """Slot after the last."""
    whole: bool


def _hits(name: str, prompt: Curve, heard: Curve) -> list[_Hit]:
    """Every place where the prompt begins."""
    head = prompt[:FIRST]
    if len(heard) < len(head):
        return []
    scores = _sliding(heard, head)
    likely = np.flatnonzero(scores >= LIKELY)
    peaks = [
        max(group, key=lambda at: scores[at])
        for group in ([at for _, at in run] for _, run in groupby(enumerate(likely.tolist()), lambda p: p[1] - p[0]))
    ]
    measured = [_measured(name, prompt, heard, at, float(scores[at])) for at in peaks]
    return [hit for hit in measured if hit.whole or hit.score >= CERTAIN]


def _measured(name: str, prompt: Curve, heard: Curve, at: int, head: float) -> _Hit:
    length = min(len(prompt), len(heard) - at)
    full = correlation(heard[at : at + length], prompt[:length])
    if full >= LIKELY:
        return _Hit(name, full, at, at + length, length == len(prompt))
    return _Hit(name, head, at, at + min(FIRST, length), whole=False)


def _sliding(heard: Curve, head: Curve) -> Curve:
    windows = np.lib.stride_tricks.sliding_window_view(heard, len(head))
    centred = windows - windows.mean(axis=1, keepdims=True)
    pattern = head - head.mean()
    scale = np.sqrt((centred**2).sum(axis=1) * (pattern @ pattern))
    scores: Curve = np.divide(centred @ pattern, scale, out=np.zeros(len(windows)), where=scale > 0)
    return scores


def _trimmed(curve: Curve) -> Curve:
    loud = np.flatnonzero(curve > QUIET)
    return curve[loud[0] : loud[-1] + 1] if len(loud) else curve[:0]
