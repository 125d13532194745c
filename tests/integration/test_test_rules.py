"""The rules that `tests/conftest.py` sets for every test are kept."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def _collected(tmp_path: Path, source: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_made.py").write_text(source)
    words = [
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(ROOT),
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_a_module_without_a_category_fails_with_a_hint(tmp_path: Path) -> None:
    done = _collected(tmp_path, "def test_it():\n    pass\n")
    assert done.returncode == 4
    assert "pytestmark = pytest.mark.unit" in done.stderr
    assert "test_made.py" in done.stderr


@pytest.mark.parametrize(("category", "code"), [("unit", 1), ("contract", 0)])
def test_only_unit_tests_are_kept_from_sockets(tmp_path: Path, category: str, code: int) -> None:
    source = f"""
import socket, pytest
pytestmark = pytest.mark.{category}

async def test_a_loop_has_what_it_needs():
    pass

def test_a_socket():
    socket.socket(socket.AF_INET).close()
"""
    done = _collected(tmp_path, source)
    assert done.returncode == code, done.stdout
    assert ("SocketBlockedError" in done.stdout) == (category == "unit")
