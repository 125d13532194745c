"""One hotline per data folder."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.data_lock import NAME, locked
from hotline.errors import Conflict, Unavailable

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
LATER = datetime(2026, 11, 24, tzinfo=UTC)


def test_the_second_one_is_told_who_has_it_and_touches_nothing(tmp_path: Path) -> None:
    with locked(tmp_path, NOW):
        before = (tmp_path / NAME).read_bytes(), (tmp_path / NAME).stat().st_mtime_ns
        with pytest.raises(Conflict) as refused, locked(tmp_path, LATER):
            pytest.fail("two have it")
        assert ((tmp_path / NAME).read_bytes(), (tmp_path / NAME).stat().st_mtime_ns) == before
    assert str(refused.value) == (
        f"Another hotline already runs on the data folder {tmp_path} (process {os.getpid()} since 2026-11-23 04:05:06 "
        "UTC): stop it, or choose another HOTLINE_DATA."
    )
    assert [one.name for one in tmp_path.iterdir()] == [NAME]


def test_who_ended_leaves_it_to_the_next(tmp_path: Path) -> None:
    with locked(tmp_path, NOW):
        pass
    with locked(tmp_path, LATER):
        assert "2026-11-24" in (tmp_path / NAME).read_text()
    with pytest.raises(ZeroDivisionError), locked(tmp_path, NOW):
        _ = 1 / 0
    with locked(tmp_path, NOW):
        pass


def test_two_folders_are_two_hotlines(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with locked(tmp_path / "a", NOW), locked(tmp_path / "b", NOW):
        pass


def test_a_programme_that_we_start_does_not_have_it_after_us(tmp_path: Path) -> None:
    with locked(tmp_path, NOW):
        opened = [int(one.name) for one in Path("/proc/self/fd").iterdir() if _is(one, tmp_path / NAME)]
        assert opened
        assert not any(os.get_inheritable(one) for one in opened)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"), locked(tmp_path / "none", NOW):
        pass


def _is(descriptor: Path, file: Path) -> bool:
    try:
        return descriptor.readlink() == file
    except OSError:
        return False
