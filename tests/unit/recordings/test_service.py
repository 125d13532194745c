"""From the answer to the sealed file: whatever is missing, full or interrupted, no sound is lost, none sealed twice."""

import asyncio
import errno
import hashlib
import os
import tracemalloc
import wave
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.clock import ManualClock
from hotline.errors import Conflict, NotFound
from hotline.sql import OpenDatabase
from recordings import closing, tables
from recordings import store_sql as store
from recordings.chain_sql import chain
from recordings.model import RATE, Flag, Party, Recording, RecordingState, Track, Transcription
from recordings.service import RecordingService, Swept
from recordings.store_files import RecordingFiles
from recordings.store_sql import Wanted
from recordings.visibility import Scope

pytestmark = pytest.mark.unit

Speak = Callable[..., Track]
Answered = Callable[[str], Awaitable[Recording]]


@pytest.fixture
def answered(service: RecordingService, speak: Speak, clock: ManualClock) -> Answered:
    """A call of two seconds, opened and spoken, with the citizen's track beginning one second early."""

    async def begin(call: str) -> Recording:
        citizen = speak(call, f"{call}a.1", Party.CITIZEN, 1000, start=-1, seconds=3)
        operator = speak(call, f"{call}b.2", Party.OPERATOR, 2000, agent="1001")
        now = clock.now()
        return await service.open(call, arrived_at=now, answered_at=now, tracks=(citizen, operator))

    return begin


def end(clock: ManualClock) -> dict[str, Any]:
    return {"ended_at": clock.now() + timedelta(seconds=2)}


def on_disk(files: RecordingFiles) -> list[str]:
    return list(files.everything())


async def test_closed_recording_has_the_citizen_left_and_the_operator_right(
    service: RecordingService, answered: Answered, clock: ManualClock, files: RecordingFiles
) -> None:
    await answered("call_1")
    done = await service.close("call_1", **end(clock))
    assert done is not None
    assert (done.state, done.length_ms, done.truncated, done.problem) == (RecordingState.CLOSED, 2000, False, "")
    assert done.agents == ("1001",)
    assert done.transcription is Transcription.WANTED
    path = service.sound_path(done)
    assert on_disk(files) == [path.relative_to(files.root).as_posix()]
    data = path.read_bytes()
    assert (done.sha256, done.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert sound.shape == (2 * RATE, 2)
    assert set(sound[:, 0].tolist()) == {1000}
    assert set(sound[:, 1].tolist()) == {2000}


async def test_opening_again_gives_the_same_recording_and_keeps_what_is_known(
    service: RecordingService, answered: Answered, clock: ManualClock
) -> None:
    first = await answered("call_1")
    now = clock.now()
    again = await service.open("call_1", arrived_at=now, answered_at=now + timedelta(hours=1), agents=("1002",))
    assert again.id == first.id
    assert again.answered_at == first.answered_at
    assert again.tracks == first.tracks
    assert again.agents == ("1001", "1002")


async def test_closing_again_changes_nothing(
    service: RecordingService, answered: Answered, clock: ManualClock, database: OpenDatabase
) -> None:
    await answered("call_1")
    first = await service.close("call_1", **end(clock))
    clock.advance(timedelta(hours=1))
    assert await service.close("call_1", ended_at=clock.now()) == first
    assert first is not None
    assert await service.finish(first.id) == first
    assert len(await database.read(lambda c: chain(c, 0, 10))) == 1


async def test_closing_at_the_same_time_seals_once(
    service: RecordingService, answered: Answered, clock: ManualClock, database: OpenDatabase
) -> None:
    await answered("call_1")
    outcomes = await asyncio.gather(*(service.close("call_1", **end(clock)) for _ in range(10)))
    assert {outcome.sha256 for outcome in outcomes if outcome} == {outcomes[0].sha256 if outcomes[0] else ""}
    assert len(await database.read(lambda c: chain(c, 0, 10))) == 1


async def test_call_that_nobody_answered_has_no_recording_and_its_tracks_are_discarded(
    service: RecordingService, speak: Speak, clock: ManualClock, files: RecordingFiles
) -> None:
    speak("call_9", "z.1", Party.CITIZEN, 5)
    assert await service.close("call_9", **end(clock)) is None
    await service.discard("call_9", clock.now())
    assert on_disk(files) == []


async def test_tracks_of_an_answered_call_are_not_discarded(
    service: RecordingService, answered: Answered, clock: ManualClock, files: RecordingFiles
) -> None:
    await answered("call_1")
    await service.discard("call_1", clock.now())
    assert len(on_disk(files)) == 2


async def test_running_call_cannot_be_finished_and_an_unknown_one_is_not_found(
    service: RecordingService, answered: Answered, files: RecordingFiles
) -> None:
    row = await answered("call_1")
    with pytest.raises(Conflict):
        await service.finish(row.id)
    with pytest.raises(NotFound):
        await service.finish("rec_404")
    assert len(on_disk(files)) == 2


async def test_missing_empty_and_cut_tracks_are_flags_on_the_row(
    service: RecordingService, speak: Speak, clock: ManualClock
) -> None:
    now = clock.now()
    operator = speak("call_1", "b.2", Party.OPERATOR, 7, seconds=1, agent="1001")
    expert = speak("call_1", "c.3", Party.EXPERT, 7, seconds=0, agent="E7")
    citizen = Track(line="a.1", party=Party.CITIZEN, started_at=now)
    await service.open("call_1", arrived_at=now, answered_at=now, tracks=(citizen, operator, expert))
    done = await service.close("call_1", ended_at=now + timedelta(seconds=5))
    assert done is not None
    assert (done.state, done.truncated, done.length_ms) == (RecordingState.CLOSED, True, 1000)
    assert [c.flags for c in done.channels] == [(Flag.MISSING,), (Flag.TRUNCATED,), (Flag.EMPTY,)]


async def test_odd_byte_of_a_crash_is_left_out(
    service: RecordingService, answered: Answered, clock: ManualClock, files: RecordingFiles
) -> None:
    row = await answered("call_1")
    track = files.track_folder(row.folder, row.call) / "call_1b.2.sln"
    track.write_bytes(track.read_bytes()[:-1])
    done = await service.close("call_1", **end(clock))
    assert done is not None
    assert (done.state, done.length_ms) == (RecordingState.CLOSED, 2000)


async def test_track_nobody_declared_is_kept_on_a_channel_of_its_own(
    service: RecordingService, answered: Answered, speak: Speak, clock: ManualClock, files: RecordingFiles
) -> None:
    await answered("call_1")
    speak("call_1", "stray.9", Party.EXPERT, 3000, seconds=1)
    stray = files.track_folder(files.day(clock.now()), "call_1") / "stray.9.sln"
    at = (clock.now() + timedelta(seconds=2)).timestamp()
    os.utime(stray, (at, at))
    done = await service.close("call_1", **end(clock))
    assert done is not None
    last = done.channels[-1]
    assert (last.party, last.lines, last.flags) == (Party.UNKNOWN, ("stray.9",), (Flag.UNDECLARED,))
    assert (last.spans[0].from_ms, last.spans[0].to_ms) == (1000, 2000)
    assert not stray.exists()


async def test_linked_track_is_flagged_and_never_read(
    service: RecordingService, answered: Answered, clock: ManualClock, files: RecordingFiles, tmp_path: Path
) -> None:
    row = await answered("call_1")
    (tmp_path / "secret").write_bytes(b"\1\2" * RATE)
    track = files.track_folder(row.folder, row.call) / "call_1b.2.sln"
    track.unlink()
    track.symlink_to(tmp_path / "secret")
    done = await service.close("call_1", **end(clock))
    assert done is not None
    assert done.channels[1].flags == (Flag.MISSING, Flag.REFUSED)
    assert (tmp_path / "secret").exists()


async def test_call_without_any_sound_is_sealed_as_lost(
    service: RecordingService, clock: ManualClock, database: OpenDatabase, files: RecordingFiles
) -> None:
    now = clock.now()
    await service.open("call_1", arrived_at=now, answered_at=now)
    done = await service.close("call_1", **end(clock))
    assert done is not None
    assert (done.state, done.truncated, done.sha256) == (RecordingState.LOST, True, "")
    assert await service.pending_transcription() == []
    assert len(await database.read(lambda c: chain(c, 0, 10))) == 1
    assert on_disk(files) == []


async def test_full_disk_leaves_it_pending_with_a_sentence_until_a_sweep(
    service: RecordingService,
    answered: Answered,
    clock: ManualClock,
    files: RecordingFiles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await answered("call_1")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr("recordings.closing.os.write", full)
        waiting = await service.close("call_1", **end(clock))
        assert await service.sweep() == Swept(waiting=1)
    assert waiting is not None
    assert waiting.state is RecordingState.PENDING
    assert "full" in waiting.problem
    assert (await service.get(waiting.id)).attempts == 2
    assert len(on_disk(files)) == 2
    assert await service.sweep() == Swept(closed=1)
    done = await service.get(waiting.id)
    assert (done.state, done.problem) == (RecordingState.CLOSED, "")


async def test_sound_that_reads_back_differently_is_not_sealed_and_the_tracks_stay(
    service: RecordingService,
    answered: Answered,
    clock: ManualClock,
    files: RecordingFiles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await answered("call_1")
    with monkeypatch.context() as patch:
        patch.setattr("recordings.closing.digest", lambda _: ("0" * 64, 0))
        waiting = await service.close("call_1", **end(clock))
    assert waiting is not None
    assert waiting.state is RecordingState.PENDING
    assert "other bytes" in waiting.problem
    assert [name.rpartition(".")[2] for name in on_disk(files)] == ["sln", "sln"]


@pytest.mark.parametrize("seam", ["fsync", "rename", "seal", "delete"])
async def test_closing_that_was_cut_off_anywhere_ends_the_same_when_run_again(
    service: RecordingService,
    answered: Answered,
    clock: ManualClock,
    files: RecordingFiles,
    database: OpenDatabase,
    monkeypatch: pytest.MonkeyPatch,
    seam: str,
) -> None:
    await answered("call_1")
    await answered("call_2")
    reference = await service.close("call_2", **end(clock))

    def dies(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        target = {
            "fsync": "recordings.store_files.os.fsync",
            "rename": "recordings.store_files.os.rename",
            "seal": "recordings.closer.store.seal",
            "delete": "recordings.store_files.RecordingFiles.delete_tracks",
        }[seam]
        patch.setattr(target, dies)
        with pytest.raises(RuntimeError):
            await service.close("call_1", **end(clock))
    await service.sweep()
    done = await service.for_call("call_1")
    assert done is not None
    assert reference is not None
    assert done.state is RecordingState.CLOSED
    assert (done.sha256, done.channels[1].spans) == (reference.sha256, reference.channels[1].spans)
    assert len(await database.read(lambda c: chain(c, 0, 10))) == 2
    assert [name for name in on_disk(files) if not name.endswith(".wav")] == []


async def test_sound_composed_before_the_database_was_set_back_is_kept(
    service: RecordingService, answered: Answered, clock: ManualClock, database: OpenDatabase
) -> None:
    row = await answered("call_1")
    done = await service.close("call_1", **end(clock))
    assert done is not None
    pending = {"state": "pending", "sha256": "", "size_bytes": 0, "channels": []}

    async def set_back(connection: AsyncConnection) -> None:
        await connection.execute(delete(tables.recording_chain))
        await connection.execute(update(tables.recordings).values(**pending))

    await database.write(set_back)
    again = await service.finish(row.id)
    assert (again.state, again.sha256, again.length_ms) == (RecordingState.CLOSED, done.sha256, 2000)


async def test_tracks_stay_when_the_sealed_sound_beside_them_is_damaged(
    service: RecordingService, answered: Answered, speak: Speak, clock: ManualClock, files: RecordingFiles
) -> None:
    await answered("call_1")
    done = await service.close("call_1", **end(clock))
    assert done is not None
    service.sound_path(done).write_bytes(b"damaged")
    speak("call_1", "call_1a.1", Party.CITIZEN, 1000)
    await service.sweep()
    assert any(name.endswith(".sln") for name in on_disk(files))


async def test_call_answered_again_before_closing_grows_one_recording(
    service: RecordingService, answered: Answered, speak: Speak, clock: ManualClock, database: OpenDatabase
) -> None:
    row = await answered("call_1")
    await database.write(lambda c: store.close_recording(c, "call_1", clock.now() + timedelta(seconds=2)))
    second = speak("call_1", "c.3", Party.OPERATOR, 9, start=5, seconds=1, agent="1002")
    now = clock.now()
    again = await service.open("call_1", arrived_at=now, answered_at=now, tracks=(second,))
    assert (again.id, again.state, again.ended_at) == (row.id, RecordingState.OPEN, None)
    done = await service.close("call_1", ended_at=now + timedelta(seconds=6))
    assert done is not None
    assert (done.length_ms, [c.agent for c in done.channels]) == (6000, ["", "1001", "1002"])
    assert done.agents == ("1001", "1002")


async def test_sweep_counts_folders_that_no_recording_knows_and_leaves_them(
    service: RecordingService, speak: Speak, files: RecordingFiles
) -> None:
    speak("call_7", "a.1", Party.CITIZEN, 1)
    assert await service.sweep() == Swept(strays=1)
    assert len(on_disk(files)) == 1


async def test_transcripts_are_wanted_until_somebody_says_what_became_of_them(
    service: RecordingService, answered: Answered, clock: ManualClock
) -> None:
    for call in ("call_1", "call_2"):
        await answered(call)
        await service.close(call, **end(clock))
    first, second = await service.pending_transcription()
    await service.transcribed({first.id: Transcription.DONE})
    assert await service.pending_transcription() == [second]
    assert (await service.get(first.id)).transcription is Transcription.DONE


async def test_folder_of_a_call_is_always_the_same(service: RecordingService, clock: ManualClock) -> None:
    folder = service.track_folder("call_1", clock.now())
    assert folder.is_absolute()
    assert folder.parts[-4:] == ("2026", "02", "14", "call_1")


async def test_lists_are_newest_first_and_cut_by_scope(service: RecordingService, clock: ManualClock) -> None:
    for number, agent in enumerate(["1001", "1002", "1001"]):
        at = clock.now() + timedelta(minutes=number)
        await service.open(f"call_{number}", arrived_at=at, answered_at=at, agents=(agent,))
    everything = Scope(everything=True)
    assert [r.call for r in await service.find(Wanted(), everything, 10)] == ["call_2", "call_1", "call_0"]
    assert [r.call for r in await service.find(Wanted(), Scope(agent="1001"), 10)] == ["call_2", "call_0"]
    assert await service.find(Wanted(), Scope(), 10) == []
    first = (await service.find(Wanted(agent="1001"), everything, 1))[0]
    rest = await service.find(Wanted(agent="1001"), everything, 10, (first.answered_at, first.id))
    assert [r.call for r in rest] == ["call_0"]
    assert await service.find(Wanted(call="call_1", agent="1001"), everything, 10) == []


async def test_three_hours_are_composed_in_little_memory(service: RecordingService, clock: ManualClock) -> None:
    now = clock.now()
    folder = service.track_folder("call_1", now)
    folder.mkdir(parents=True)
    for line in ("a.1", "b.2"):
        with (folder / f"{line}.sln").open("wb") as file:
            file.truncate(3 * 3600 * RATE * 2 // 20)  # nine minutes are enough to show a growth
    tracks = [Track(line="a.1", party=Party.CITIZEN, started_at=now)]
    tracks.append(Track(line="b.2", party=Party.OPERATOR, started_at=now))
    await service.open("call_1", arrived_at=now, answered_at=now, tracks=tracks)
    tracemalloc.start()
    done = await service.close("call_1", ended_at=now + timedelta(minutes=9))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done is not None
    assert done.length_ms == 9 * 60_000
    assert peak < 12_000_000 < done.size_bytes


async def test_folders_are_looked_through_at_first_and_then_once_an_hour(
    service: RecordingService, speak: Speak, clock: ManualClock
) -> None:
    speak("call_7", "a.1", Party.CITIZEN, 1)
    assert [await service.sweep(), await service.sweep()] == [Swept(strays=1), Swept()]
    clock.advance(timedelta(hours=1))
    assert await service.sweep() == Swept(strays=1)


async def test_recording_that_fails_in_an_unforeseen_way_keeps_no_other_waiting(
    service: RecordingService,
    answered: Answered,
    clock: ManualClock,
    database: OpenDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [await answered(f"call_{number}") for number in range(3)]
    for row in rows:
        await database.write(partial(store.close_recording, call=row.call, ended_at=clock.now()))
    bad = min(row.id for row in rows)

    def composed(files: RecordingFiles, row: Recording) -> closing.Composed:
        if row.id == bad:
            raise ValueError("nobody thought of this")
        return closing.compose(files, row)

    monkeypatch.setattr("recordings.workbench.compose", composed)
    assert await service.sweep() == Swept(closed=2, waiting=1)


async def test_track_that_came_after_the_sealing_is_not_in_the_sound_and_therefore_stays(
    service: RecordingService, answered: Answered, speak: Speak, clock: ManualClock, files: RecordingFiles
) -> None:
    await answered("call_1")
    await service.close("call_1", **end(clock))
    speak("call_1", "call_1a.1", Party.CITIZEN, 1000)
    speak("call_1", "late.9", Party.EXPERT, 7)
    await service.sweep()
    assert [name.rpartition("/")[2] for name in on_disk(files) if name.endswith(".sln")] == ["late.9.sln"]


async def test_call_taken_up_again_while_it_was_composed_is_not_sealed_without_its_end(
    service: RecordingService,
    answered: Answered,
    speak: Speak,
    clock: ManualClock,
    database: OpenDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = await answered("call_1")
    now, loop = clock.now(), asyncio.get_running_loop()

    async def again() -> None:
        second = speak("call_1", "c.3", Party.OPERATOR, 9, start=5, seconds=1, agent="1002")
        await service.open("call_1", arrived_at=now, answered_at=now, tracks=(second,))
        await database.write(lambda c: store.close_recording(c, "call_1", now + timedelta(seconds=6)))

    def composed(files: RecordingFiles, pending: Recording) -> closing.Composed:
        made = closing.compose(files, pending)
        asyncio.run_coroutine_threadsafe(again(), loop).result(10)
        return made

    with monkeypatch.context() as patch:
        patch.setattr("recordings.workbench.compose", composed)
        first = await service.close("call_1", **end(clock))
    assert first is not None
    assert (first.state, first.length_ms) == (RecordingState.PENDING, 0)
    done = await service.finish(row.id)
    assert (done.state, done.length_ms, len(done.channels)) == (RecordingState.CLOSED, 6000, 3)
