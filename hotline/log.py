"""Logs for the night shift: fixed words, values as fields, and nobody's personal data.

- Fields named `pii_…` are masked: `***`, and the last two digits of a number so that two lines can be compared.
- In every other string, the event's own included, a run of five digits or more that stands alone (single blanks
  or hyphens within, a `+` before it) is masked. What touches letters or `_` is part of an id (`call_01jd…`) and
  stays, as do `hotline-1795311518.29`, fractions, dates, and five digits after a colon or the word "port"; but
  eleven digits that read like a mobile number go wherever they stand. Numbers that are not strings stay: nobody
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

RUN = re.compile(r"(?<![0-9A-Za-z_+])\+?\d++(?:[ -]\d++)*(?![0-9A-Za-z_])")
"""Digits that stand alone, in groups or not."""
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
MOMENT = re.compile(
    r"(?<![\d-])((?:19|20)\d\d-(?:0\d|1[0-2])-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)?)(?![\d-])"
)
SHORTEST = 5
LONGEST_FRACTION = 9
UNIQUEID_DIGITS = 10
"""Asterisk's Uniqueid begins with seconds since 1970."""

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
    parts = MOMENT.split(text)
    parts[::2] = [RUN.sub(_run, MOBILE.sub("***", part)) for part in parts[::2]]
    return _escaped("".join(parts))


def _run(found: re.Match[str]) -> str:
    return found[0] if _is_harmless(found) else "***"


def _is_harmless(found: re.Match[str]) -> bool:
    count = sum(character.isdigit() for character in found[0])
    before, after = found.string[: found.start()], found.string[found.end() :]
    if count < SHORTEST:
        return True
    if count == SHORTEST and before.endswith((":", "port ")):
        return True
    if re.search(r"\d\.$", before[-2:]):
        return count <= LONGEST_FRACTION
    return found[0].isdigit() and count <= UNIQUEID_DIGITS and re.match(r"\.\d", after) is not None


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
