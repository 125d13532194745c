"""Nothing outside the recordings' folder is read, written or deleted, and half-written sound is never seen."""

import errno
import fcntl
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recordings import store_files
from recordings.errors import ClosedElsewhere, SoundMissing, StorageBroken, StorageFull, UnsafePath
from recordings.store_files import RecordingFiles, line_of

pytestmark = pytest.mark.unit

DAY = "2026/02/14"
EVIL = [
    "../call_1",
    "call_1/..",
    "call_1/x",
    "..",
    ".",
    "",
    "call_1\0",
    "CALL_1",
    "call_%2e%2e",
    "call_1\n",
    "/etc",
    "张",
]


def put(files: RecordingFiles, name: str, data: bytes = b"x") -> Path:
    path = files.root / DAY / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write(files: RecordingFiles, data: bytes = b"sound", recording: str = "rec_1") -> None:
    files.write_sound(DAY, "call_1", recording, writing(data), lambda _: None)


def writing(data: bytes) -> Callable[[int], None]:
    def write_it(out: int) -> None:
        os.write(out, data)

    return write_it


@pytest.mark.parametrize("name", EVIL)
def test_names_that_are_not_our_ids_are_refused_everywhere(files: RecordingFiles, name: str) -> None:
    for deed in (
        lambda: files.track_folder(DAY, name),
        lambda: files.track_folder(name, "call_1"),
        lambda: files.open_sound(DAY, name),
        lambda: files.open_sound(name, "rec_1"),
        lambda: files.delete_sound(DAY, name),
        lambda: files.delete_tracks(DAY, name, ()),
        lambda: files.tracks(DAY, name),
        lambda: files.hold(DAY, name),
        lambda: write(files, recording=name),
    ):
        with pytest.raises(UnsafePath):
            deed()


@pytest.mark.parametrize("line", ["..", "a/b", "../1.2", "a.sln.b", "1.2.3", ".1", "-1.2", "1.2\0", ""])
def test_names_that_no_asterisk_gives_are_no_lines(files: RecordingFiles, line: str) -> None:
    put(files, "call_1/keep.1.sln")
    assert line_of(f"{line}.sln") is None
    with pytest.raises(UnsafePath), files.open_track(DAY, "call_1", line):
        pass
    with pytest.raises(UnsafePath):
        files.delete_tracks(DAY, "call_1", (line,))


@pytest.mark.parametrize("line", ["hotline-1795311518.29", "1795311518.29", "a-b_c.1"])
def test_uniqueids_of_asterisk_are_lines(line: str) -> None:
    assert line_of(f"{line}.sln") == line


def test_day_is_the_offices_not_greenwichs(files: RecordingFiles) -> None:
    assert files.day(datetime(2026, 2, 14, 16, 0, tzinfo=UTC)) == "2026/02/15"


def test_linked_sound_is_not_opened(files: RecordingFiles, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    put(files, "other.txt")
    (files.root / DAY / "rec_1.wav").symlink_to(secret)
    with pytest.raises(UnsafePath):
        files.open_sound(DAY, "rec_1")


def test_pipe_and_folder_are_not_opened_and_nobody_waits_for_them(files: RecordingFiles) -> None:
    put(files, "x")
    os.mkfifo(files.root / DAY / "rec_1.wav")
    (files.root / DAY / "rec_2.wav").mkdir()
    for recording in ("rec_1", "rec_2"):
        with pytest.raises(UnsafePath):
            files.open_sound(DAY, recording)


def test_linked_day_leads_nowhere(files: RecordingFiles, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "rec_1.wav").write_bytes(b"x")
    (files.root / "2026/02").mkdir(parents=True)
    (files.root / DAY).symlink_to(outside)
    for deed in (
        lambda: files.open_sound(DAY, "rec_1"),
        lambda: files.delete_sound(DAY, "rec_1"),
        lambda: write(files),
        lambda: files.hold(DAY, "call_1"),
    ):
        with pytest.raises(UnsafePath):
            deed()
    assert sorted(path.name for path in outside.iterdir()) == ["rec_1.wav"]


def test_linked_track_is_listed_as_not_plain(files: RecordingFiles, tmp_path: Path) -> None:
    put(files, "call_1/a.1.sln", b"1234")
    (tmp_path / "secret").write_bytes(b"secret")
    (files.root / DAY / "call_1" / "b.2.sln").symlink_to(tmp_path / "secret")
    found = files.tracks(DAY, "call_1")
    assert (found["a.1"].size, found["a.1"].plain) == (4, True)
    assert (found["b.2"].size, found["b.2"].plain) == (0, False)
    with pytest.raises(UnsafePath), files.open_track(DAY, "call_1", "b.2"):
        pass


def test_missing_things_are_missing_and_deleting_them_is_no_error(files: RecordingFiles) -> None:
    assert files.tracks(DAY, "call_1") == {}
    with pytest.raises(SoundMissing):
        files.open_sound(DAY, "rec_1")
    with pytest.raises(SoundMissing), files.open_track(DAY, "call_1", "a.1"):
        pass
    files.delete_sound(DAY, "rec_1")
    files.delete_tracks(DAY, "call_1", ("a.1",))
    assert list(files.everything()) == []


def test_folder_goes_with_its_last_track_and_stays_with_anything_else_in_it(files: RecordingFiles) -> None:
    put(files, "call_1/a.1.sln")
    put(files, "call_2/a.1.sln")
    put(files, "call_2/b.1.sln")
    files.delete_tracks(DAY, "call_1", ("a.1",))
    files.delete_tracks(DAY, "call_2", ("a.1",))
    assert list(files.everything()) == [f"{DAY}/call_2/b.1.sln"]
    assert list(files.call_folders()) == [(DAY, "call_2")]


def test_written_sound_is_there_as_a_whole(files: RecordingFiles) -> None:
    seen: list[bytes] = []
    files.write_sound(
        DAY,
        "call_1",
        "rec_1",
        writing(b"sound"),
        lambda out: seen.append(os.pread(out, 9, 0)),
    )
    assert seen == [b"sound"]
    assert (files.root / DAY / "rec_1.wav").read_bytes() == b"sound"
    files.delete_tracks(DAY, "call_1", ())
    assert list(files.everything()) == [f"{DAY}/rec_1.wav"]


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, StorageBroken)]
)
def test_disk_that_refuses_leaves_the_old_sound_and_no_rest(
    files: RecordingFiles, number: int, error: type[Exception]
) -> None:
    write(files, b"old")

    def fails(_: int) -> None:
        raise OSError(number, "no")

    for deeds in ((fails, lambda _: None), (lambda out: os.write(out, b"new") and None, fails)):
        with pytest.raises(error) as caught:
            files.write_sound(DAY, "call_1", "rec_1", *deeds)
        assert str(files.root) not in str(caught.value)
    assert (files.root / DAY / "rec_1.wav").read_bytes() == b"old"
    assert list(files.everything()) == [f"{DAY}/rec_1.wav"]


def test_what_a_killed_process_left_half_written_is_cleared_by_the_next(files: RecordingFiles) -> None:
    put(files, "call_1/rec_1.4711.part", b"half")
    write(files)
    files.delete_tracks(DAY, "call_1", ())
    assert list(files.everything()) == [f"{DAY}/rec_1.wav"]


def test_call_is_closed_by_one_at_a_time(files: RecordingFiles) -> None:
    hold = files.hold(DAY, "call_1")
    with pytest.raises(ClosedElsewhere):
        files.hold(DAY, "call_1")
    os.close(files.hold(DAY, "call_2"))
    os.close(hold)
    os.close(files.hold(DAY, "call_1"))


def test_folder_that_its_last_closer_removes_while_it_is_taken_is_closed_elsewhere(
    files: RecordingFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.close(files.hold(DAY, "call_1"))
    real = os.open

    def gone_before(path: str, *args: int, **more: int) -> int:
        if path == "call_1":
            files.track_folder(DAY, "call_1").rmdir()
        return real(path, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", gone_before)
        with pytest.raises(ClosedElsewhere):
            files.hold(DAY, "call_1")
    lock = fcntl.flock

    def gone_after(descriptor: int, how: int) -> None:
        files.track_folder(DAY, "call_1").rmdir()
        lock(descriptor, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", gone_after)
        with pytest.raises(ClosedElsewhere):
            files.hold(DAY, "call_1")
    os.close(files.hold(DAY, "call_1"))


def test_everything_names_links_and_does_not_follow_them(files: RecordingFiles, tmp_path: Path) -> None:
    put(files, "rec_1.wav")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_bytes(b"x")
    (files.root / DAY / "link").symlink_to(outside)
    assert list(files.everything()) == [f"{DAY}/link", f"{DAY}/rec_1.wav"]


def test_suffixes_are_what_the_dialplan_writes() -> None:
    assert (store_files.TRACK, store_files.SOUND) == (".sln", ".wav")
