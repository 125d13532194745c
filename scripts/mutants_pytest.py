"""How the unit tests run against a mutant: quick ones first, and every generated example the same each time."""

import pytest
from hypothesis import HealthCheck, Phase, settings

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
    items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis") or "TestFloor" in item.nodeid)
