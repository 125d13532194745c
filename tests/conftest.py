"""Rules for every test: it says what it costs, and a unit test stays inside its process."""

from pathlib import Path

import pytest
from pytest_socket import disable_socket, enable_socket

CATEGORIES = frozenset({"unit", "contract", "integration", "e2e", "browser"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module without a category cannot be selected by `make test-…`, so it is an error."""
    without = {item.path for item in items if not CATEGORIES & {mark.name for mark in item.iter_markers()}}
    if without:
        names = ", ".join(sorted(_short(path) for path in without))
        raise pytest.UsageError(
            f"No category: {names}. Begin the module with `pytestmark = pytest.mark.unit` "
            f"(or {', '.join(sorted(CATEGORIES - {'unit'}))})."
        )


def _short(path: Path) -> str:
    here = Path(__file__).parent.parent
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Unit tests open no sockets; Unix ones stay, because an event loop makes a pair of them for itself."""
    if item.get_closest_marker("unit"):
        disable_socket(allow_unix_socket=True)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    if item.get_closest_marker("unit"):
        enable_socket()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What failed first and passed when it was repeated is told whole: it is something to look into."""
    reports: list[pytest.TestReport] = terminalreporter.getreports("rerun")
    for report in reports:
        terminalreporter.write_sep("=", f"RERUN, failed first: {report.nodeid}", yellow=True)
        terminalreporter.write_line(report.longreprtext)
