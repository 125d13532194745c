"""What a waveform is drawn from: the loudest sample of each short stretch, one row per party.

Computed once per recording and remembered; a page never has to fetch or decode the sound to draw it. Silence and
talk at the same time are read off the same rows by the page.
"""

import asyncio
from collections import OrderedDict
from typing import Annotated

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from hotline.audit import Audit
from hotline.clock import Clock
from hotline.errors import NotFound
from hotline.security import Permission, Principal, require
from recordings.model import Party, Recording, Span, is_id
from recordings.playback import Playback, Sound
from recordings.service import RecordingService
from recordings.visibility import audible, may_know
from recordings.wav import HEADER_BYTES

Player = Annotated[Principal, Depends(require(Permission.RECORDINGS_PLAY))]

MOST = 3000
"""Values per party: more than a screen has columns."""
SHORTEST = 80
"""Samples per value at least: 10 ms at 8 kHz."""
CHUNK = 1 << 20
REMEMBER = 200
FULL = 32768.0


class PeaksView(BaseModel):
    """One party's row. The list's place is the channel of the sound."""

    party: Party
    agent: str
    peaks: list[float]
    """0 to 1, at equal distances over the whole length."""


class WaveformView(BaseModel):
    """A recording as a picture."""

    recording: str
    length_ms: int
    """Of what this listener may hear."""
    step_ms: float
    channels: list[PeaksView]


class Peaks:
    """Computes and remembers."""

    def __init__(self, service: RecordingService) -> None:
        self._service, self._playback = service, Playback(service.files)
        self._known: OrderedDict[tuple[str, str], tuple[int, npt.NDArray[np.float64]]] = OrderedDict()

    async def get(self, recording: str) -> Recording:
        """The recording's row. Raises: NotFound."""
        return await self._service.get(recording)

    async def of(self, row: Recording, spans: tuple[Span, ...]) -> tuple[int, npt.NDArray[np.float64]]:
        """Samples per value, and the values: channels by places. Raises: what `Playback.open` does."""
        key = row.sha256, repr(spans)
        if key not in self._known:
            self._known[key] = await asyncio.to_thread(self._compute, row, spans)
            if len(self._known) > REMEMBER:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def _compute(self, row: Recording, spans: tuple[Span, ...]) -> tuple[int, npt.NDArray[np.float64]]:
        sound = self._playback.open(row, spans)
        try:
            step = max(SHORTEST, -(-sound.view.frames // MOST))
            return step, loudest(sound, step)
        finally:
            sound.close()


def loudest(sound: Sound, step: int) -> npt.NDArray[np.float64]:
    """The loudest sample of every `step` frames of each channel, 0 to 1. Blocking."""
    channels = len(sound.view.channels)
    found = [np.zeros((0, channels))]
    size = max(1, CHUNK // (step * channels * 2)) * step * channels * 2
    for offset in range(HEADER_BYTES, sound.size, size):
        frames = np.frombuffer(sound.read(offset, size), dtype="<i2").reshape(-1, channels).astype(np.float64)
        lacking = -len(frames) % step
        padded = np.pad(np.abs(frames), ((0, lacking), (0, 0)))
        found.append(padded.reshape(-1, step, channels).max(axis=1) / FULL)
    return np.concatenate(found).T


def routes(service: RecordingService, audit: Audit, clock: Clock) -> APIRouter:
    """The route `/api/v1/recordings/{id}/waveform`."""
    router = APIRouter(prefix="/api/v1/recordings", tags=["recordings"])
    peaks = Peaks(service)

    @router.get("/{recording}/waveform")
    async def waveform(recording: Annotated[str, Path(max_length=48)], who: Player) -> WaveformView:
        """What to draw a recording from, each party apart."""
        row, now = await peaks.get(recording), clock.now()
        if not may_know(row, who, now):
            await audit.record(who, "recording.view", recording if is_id(recording) else "invalid", result="refused")
            raise NotFound("There is no such recording.")
        await audit.record(who, "recording.view", row.id)
        spans = audible(row, who, now)
        step, values = await peaks.of(row, spans)
        return WaveformView(
            recording=row.id,
            length_ms=sum(span.to_ms - span.from_ms for span in spans),
            step_ms=step / 8,
            channels=[
                PeaksView(party=channel.party, agent=channel.agent, peaks=[round(float(v), 3) for v in line])
                for channel, line in zip(sorted(row.channels, key=lambda one: one.index), values, strict=True)
            ],
        )

    return router
