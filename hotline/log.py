"""Logs for the night shift: fixed words, values as fields, and nobody's personal data.

- Fields named `pii_…` are masked: `***`, and the last two digits of a number so that two lines can be compared.
- In every other string, the event's own included, a run of five digits or more (blanks or hyphens between
  them, a `+` before them) is masked, unless it is part of an id (`call_01jd…`, `hotline-1795311518.29`), a
  fraction, a date, or five digits after a colon or the word "port". Numbers that are not strings stay: nobody
  may log a telephone number as one, and a test over every log call sees to it. The fields of `EXEMPT` hold
  numbers of the hotline itself.
- Control characters are written as escapes, so that nobody forges a line; lines of a traceback are indented.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO, cast

import structlog
from structlog.typing import Processor, WrappedLogger

EXEMPT = frozenset({"dialled", "pid", "port", "digest", "timestamp", "level", "logger"})
"""Fields whose digits are the hotline's own."""

DIGITS = re.compile(
    r"(?<![0-9A-Za-z_.+])"  # not in the middle of a number, an id or a fraction
    r"(?!\d{4}-\d{2}-\d{2}(?![0-9-]))"  # not a date
    r"(?!(?<=:)\d{5}(?![0-9]))(?!(?<=port )\d{5}(?![0-9]))"  # not a port
    r"\+?\d(?:[ -]?\d){4,}+"
    r"(?![0-9A-Za-z_])(?!\.\d)"  # not the begin of an id or of a number with a fraction
)

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def set_up(*, is_json: bool, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's logs to `stream` (standard error), one line per event."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.format_exc_info,
        protect,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(is_json)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "huey", "asyncio", "alembic", "uvicorn.access", "aiosqlite"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _renderer(is_json: bool) -> Processor:
    return structlog.processors.JSONRenderer(ensure_ascii=False) if is_json else _line


def protect(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor that masks and escapes; see the module's docstring for its rules."""
    for key, value in list(event.items()):
        if key == "exception":
            event[key] = "\n".join(_safe(line) for line in str(value).splitlines())
        elif key.startswith("pii_"):
            event[key] = masked(value)
        elif key not in {"_record", "_from_structlog", "exc_info"}:
            event[key] = _protected(value, key in EXEMPT)
    return event


def masked(value: object) -> str:
    """What may be shown of personal data."""
    digits = [character for character in str(value) if character.isdigit()]
    return "***" + "".join(digits[-2:]) if len(digits) >= 7 else "***"


def _protected(value: Any, is_exempt: bool) -> Any:
    match value:
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {
                _safe(str(key)): masked(item) if str(key).startswith("pii_") else _protected(item, str(key) in EXEMPT)
                for key, item in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [_protected(item, is_exempt) for item in cast("list[Any]", value)]
        case _:
            return _escaped(str(value)) if is_exempt else _safe(str(value))


def _safe(text: str) -> str:
    return _escaped(DIGITS.sub("***", text))


def _escaped(text: str) -> str:
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _line(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    """A line for a terminal: time, level, words, fields; a traceback indented below."""
    exception = event.pop("exception", None)
    head = f"{event.pop('timestamp', '')} {event.pop('level', ''):<8} {event.pop('event', '')}"
    event.pop("logger", None)
    fields = "".join(
        f" {key}={value if isinstance(value, int | float) else repr(value)}" for key, value in event.items()
    )
    trace = "".join(f"\n    | {line}" for line in str(exception).split("\n")) if exception else ""
    return head + fields + trace
