"""Words are read while they are recorded: a real process, the real Vosk, and a track that grows block by block."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from hotline.clock import SystemClock
from hotline.ids import UlidIds
from hotline.settings import Settings
from tests.speech import mandarin
from transcription.live.child import Child
from transcription.live.ear import LAG_MS
from transcription.live.model import LiveState, Voice
from transcription.live.service import LiveTranscripts
from transcription.live.session import Session
from transcription.live.tail import RATE, SAMPLE_BYTES, Tail, silenced
from transcription.model_folder import model_mark

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

BLOCK = 32 * 1024
"""What Asterisk keeps back."""
CITIZEN, OPERATOR = "你好我要投诉小区楼下半夜施工噪音扰民", "好的请问是哪里"
NUMBER, LATER = "我的电话是幺三九零零幺二三四五六", "谢谢再见"
DEADLINE_S = 40.0


class Track:
    """A file that a telephone line's voice is written to, in blocks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = b""
        path.write_bytes(b"")

    def write(self, sound: bytes) -> None:
        self._kept += sound
        whole = len(self._kept) // BLOCK * BLOCK
        with self.path.open("ab") as file:
            file.write(self._kept[:whole])
        self._kept = self._kept[whole:]

    def close(self) -> None:
        with self.path.open("ab") as file:
            file.write(self._kept)


class House:
    """Live transcripts with a process of their own."""

    def __init__(self, data: Path) -> None:
        settings, self.told = Settings(data=data, demo=True), list[str]()
        self.live = LiveTranscripts(
            most=2, model_mark=lambda: model_mark(settings), clock=SystemClock(), ids=UlidIds(),
            tell=lambda command: self.child.tell(command), told=self.told.append,
        )  # fmt: skip
        self.child = Child(settings, heard=self.live.news, born=self.live.born, died=self.live.died)

    @property
    def session(self) -> Session:
        found = self.live.session("call_1")
        assert found is not None
        return found

    def text(self, party: str) -> str:
        """What a reader sees of a party; `|` for a gap."""
        return "".join(one.line.text or "|" for one in self.session.look("").lines if one.party == party)

    async def wait(self, there: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + DEADLINE_S
        while not there():
            assert time.monotonic() < until, f"{what}: {self.session.look('')}"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def house(data: Path) -> AsyncIterator[House]:
    made = House(data)
    running = asyncio.create_task(made.child.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def silence(seconds: float) -> bytes:
    return bytes(int(seconds * RATE) * SAMPLE_BYTES)


async def test_words_are_read_while_the_talk_goes_on_and_after_the_process_died(tmp_path: Path) -> None:
    now = SystemClock().now()
    async with house(tmp_path) as rooms:
        tracks = {name: Track(tmp_path / f"{name}.sln") for name in ("c", "o")}
        voices = {
            name: Voice(line=name, party=party, path=str(tracks[name].path), began_at=now + timedelta(seconds=1))
            for name, party in (("c", "citizen"), ("o", "operator"))
        }
        rooms.live.talk("call_1", now, voices, urgent=False)
        tracks["c"].write(silence(1) + mandarin(CITIZEN, "f3") + silence(4))
        await rooms.wait(lambda: "投诉" in rooms.text("citizen"), "the citizen's words are there before the end")
        first = rooms.session.look("").lines[0].line
        assert 1500 < first.start_ms < 3500
        assert 0.5 < first.confidence <= 1
        assert rooms.live.model is not None
        assert rooms.live.model.demonstration
        tracks["o"].write(silence(1) + mandarin(OPERATOR, "m4") + silence(4))
        tracks["c"].write(mandarin(NUMBER, "f3") + silence(4))
        await rooms.wait(lambda: "请问" in rooms.text("operator"), "the operator's words are there")
        await rooms.wait(lambda: "电话" in rooms.text("citizen"), "the citizen goes on")
        assert "****" in rooms.text("citizen")
        assert not any(digits in rooms.text("citizen") for digits in ("三九", "零零", "四五六"))

        os.kill(rooms.child.pid, signal.SIGKILL)
        await rooms.wait(lambda: rooms.live.state(rooms.session) is LiveState.FAILED, "readers are told")
        tracks["c"].write(silence(8))
        await rooms.wait(lambda: rooms.live.state(rooms.session) is LiveState.ON, "another process listens")
        await rooms.wait(lambda: "|" in rooms.text("citizen"), "what was not heard is marked")
        tracks["c"].write(mandarin(LATER, "f3"))
        tracks["c"].close()
        rooms.live.over("call_1")
        await rooms.wait(lambda: "再见" in rooms.text("citizen"), "the rest is heard when the track is closed")
        assert rooms.text("citizen").index("投诉") < rooms.text("citizen").index("|")


async def test_a_call_that_is_chosen_late_is_heard_from_not_too_long_ago(tmp_path: Path) -> None:
    now = SystemClock().now()
    async with house(tmp_path) as rooms:
        track = Track(tmp_path / "c.sln")
        track.write(silence(130) + mandarin(CITIZEN, "f5") + silence(4))
        voice = Voice(line="c", party="citizen", path=str(track.path), began_at=now)
        rooms.live.talk("call_1", now, {"c": voice}, urgent=True)
        await rooms.wait(lambda: "|" in rooms.text("citizen"), "what lies too far back is passed over")
        gap = rooms.session.look("").lines[0].line
        assert (gap.start_ms, gap.text) == (0, "")
        assert gap.end_ms > 120_000
        track.write(silence(LAG_MS / 2000) + mandarin(LATER, "f5") + silence(4))
        await rooms.wait(lambda: "再见" in rooms.text("citizen"), "what is said from then on is heard")


def test_a_track_is_a_plain_file_and_what_is_hushed_is_not_in_it(tmp_path: Path) -> None:
    file = tmp_path / "a.sln"
    file.write_bytes(np.full(RATE, 1000, "<i2").tobytes() + b"\x01")
    (tmp_path / "link.sln").symlink_to(file)
    os.mkfifo(tmp_path / "pipe.sln")
    assert [Tail.open(str(tmp_path / name)) for name in ("link.sln", "pipe.sln", "none.sln")] == [None] * 3
    tail = Tail.open(str(file), 500)
    assert tail is not None
    assert (tail.length_ms, tail.behind_ms) == (1000, 500)
    pcm = silenced(tail.read(5000), 500, [(0, 600), (800, None)])
    assert [int(pcm[ms * 8]) for ms in (0, 99, 101, 299, 301, 499)] == [0, 0, 1000, 1000, 0, 0]
    assert (len(tail.read(1000)), tail.at_ms) == (0, 1000)
    tail.close()
