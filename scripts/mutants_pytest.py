"""How the unit tests run against a mutant: quick ones first, and every generated example the same each time."""

import pytest
from hypothesis import HealthCheck, Phase, settings

LOOKS_ENDLESS = 5.0
"""Seconds after which an example has failed: it takes some milliseconds when nothing was changed."""

settings.register_profile(
    "mutants",
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=50,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Most mutants fall to an example of a few milliseconds: whatever generates many comes after those."""
    items.sort(key=_generates)
    for item in items:
        if not _generates(item):
            item.add_marker(pytest.mark.timeout(LOOKS_ENDLESS))


def _generates(item: pytest.Item) -> bool:
    function = getattr(item, "obj", None)
    return hasattr(function, "hypothesis") or "Machine" in repr(getattr(item, "cls", ""))
