"""Every log call of the code base: fixed words, and no personal data but under names that the sink masks."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
ROOMS = (
    *("hotline", "telephony", "ivr", "acd", "agents", "recordings", "transcription", "tickets", "quality"),
    *("calls", "console"),
)
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
PERSONAL = frozenset(
    {"caller", "callers", "number", "numbers", "name", "names", "text", "texts", "keys", "digits", "citizen"}
    | {"address", "words", "password", "secret", "token", "cookie", "login", "identity", "ani", "cli"}
)
"""A field with one of these in its name has to begin with `pii_`."""
ALLOWED = {"event_name": "names of Asterisk's own events"}


class LogCall(NamedTuple):
    """One call of a logger."""

    where: str
    words: ast.expr | None
    fields: tuple[str | None, ...]


def log_calls(source: str, file: str) -> Iterator[LogCall]:
    """Calls such as `log.info("words", field=…)` of anything that is called a log or a logger."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            owner = ast.unparse(node.func.value).split(".")[-1].split("(")[0].lstrip("_")
            if owner in {"log", "logger", "bind", "get_logger"}:
                words = node.args[0] if node.args else None
                yield LogCall(f"{file}:{node.lineno}", words, tuple(keyword.arg for keyword in node.keywords))


def problems(call: LogCall) -> Iterator[str]:
    """What is wrong with a log call."""
    if not (isinstance(call.words, ast.Constant) and isinstance(call.words.value, str)):
        yield f"{call.where}: the words are not fixed; values belong in fields"
    for field in call.fields:
        if field is None:
            yield f"{call.where}: fields are unpacked, so nobody can list them"
        elif set(field.split("_")) & PERSONAL and not field.startswith("pii_") and field not in ALLOWED:
            yield f"{call.where}: {field} sounds like personal data: call it pii_{field}"


def every_call() -> list[LogCall]:
    files = [ROOT / "app.py", *(file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")))]
    return [
        call
        for file in files
        if file.exists() and "node_modules" not in file.parts
        for call in log_calls(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))
    ]


def test_no_log_call_shows_personal_data_or_builds_its_words() -> None:
    calls = every_call()
    assert len(calls) > 10
    assert [problem for call in calls for problem in problems(call)] == []


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ('log.info("call queued", call=call, waited=1)', 0),
        ('log.info("call queued", pii_caller=caller)', 0),
        ('log.info("call queued", caller=caller)', 1),
        ('self._log.warning("x", dialled_number=1, keys=2)', 2),
        ('log.info(f"call {caller} queued")', 1),
        ('log.info("call %s" % caller)', 1),
        ('log.info("x", **fields)', 1),
        ('log.bind(call=1).error("x", name=1)', 1),
        ('structlog.get_logger("a").error("x", name=1)', 1),
        ("future.exception()", 0),
    ],
)
def test_this_check_sees_what_it_must(line: str, count: int) -> None:
    assert len([problem for call in log_calls(line, "x.py") for problem in problems(call)]) == count
