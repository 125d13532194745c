"""Marks of callers: the same for the same number, and no way back."""

from pathlib import Path

import pytest

from calls.marks import Marks

pytestmark = pytest.mark.unit


def test_a_number_has_one_mark_that_outlives_a_restart_and_does_not_show_it(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "callers.key"
    mark = Marks(file).of("13912345678")
    assert mark == Marks(file).of("13912345678")
    assert mark != Marks(file).of("13912345679")
    assert len(mark) == 24
    assert file.stat().st_mode & 0o777 == 0o600


def test_another_installation_has_other_marks_and_who_hides_has_none(tmp_path: Path) -> None:
    here, there = Marks(tmp_path / "a" / "key"), Marks(tmp_path / "b" / "key")
    assert here.of("110") != there.of("110")
    assert here.of("") == ""


def test_a_broken_key_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"short")
    assert Marks(file).of("110")
    assert len(file.read_bytes()) == 32
