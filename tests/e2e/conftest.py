"""One hotline for the tests that leave it as they found it, and fresh ones for those that break it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import invariants
from tests.house import Server


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running hotline with demonstration data."""
    with Server(tmp_path_factory.mktemp("hotline") / "data") as server:
        yield server


@pytest.fixture
def fresh_hotline(tmp_path: Path) -> Iterator[Server]:
    """A running hotline of this test alone."""
    with Server(tmp_path / "data") as server:
        yield server


@pytest.fixture
def judged(hotline: Server) -> Iterator[Server]:
    """The shared hotline; after the test it drains, and every invariant holds of what it stored."""
    yield hotline
    invariants.check(hotline, 40)
