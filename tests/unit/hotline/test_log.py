"""What a log line may show."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hotline.log import masked, protect, set_up

pytestmark = pytest.mark.unit


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    yield
    root.handlers, root.level = before, level
    structlog.reset_defaults()


def _fail(reason: str) -> None:
    error = ValueError(reason)
    structlog.get_logger("acd").error("it failed", exc_info=error)


def _shown(**fields: object) -> dict[str, object]:
    return dict(protect(None, "info", {"event": "call queued", **fields}))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("13800138000", "***00"),
        ("+86 138 0013 8000", "***00"),
        ("王丽", "***"),
        ("12345", "***"),
        ("", "***"),
        (None, "***"),
        (13800138000, "***00"),
        (["13800138000"], "***00"),
    ],
)
def test_personal_fields_show_two_digits_of_a_number_and_nothing_else(value: object, shown: str) -> None:
    assert _shown(pii_caller=value)["pii_caller"] == shown == masked(value)


@pytest.mark.parametrize(
    ("stray", "shown"),
    [
        ("caller 13800138000 hung up", "caller *** hung up"),
        ("caller +8613800138000", "caller ***"),
        ("tel:13800138000", "tel:***"),
        ("sip:13800138000@10.0.0.1:5060", "sip:***@10.0.0.1:5060"),
        ("0717-6221234", "***"),
        ("138 0013 8000", "***"),
        ("<420500199001011234>", "<***>"),
        ("keys 12345", "keys ***"),
        ("(13800138000)", "(***)"),
        ("a,13800138000,b", "a,***,b"),
        ("号码13800138000。", "号码***。"),
        ("tel13800138000x", "tel***x"),
        ("call_13800138000", "call_***"),
        ("13800138000 0x", "*** 0x"),
        ("1.13800138000", "1.***"),
        ("13800138000.5", "***.5"),
        ("0.1234567890123", "0.***"),
        ("20000-20999", "***"),
    ],
)
def test_runs_of_digits_in_stray_strings_are_masked(stray: str, shown: str) -> None:
    assert _shown(reason=stray)["reason"] == shown
    assert _shown(nested={"a": [stray]})["nested"] == {"a": [shown]}


@pytest.mark.parametrize(
    "plain",
    [
        "call_01jd3v8w9k6m2n4p5q7r8s9t0v",
        "hotline-1795311518.29",
        "127.0.0.1:50600",
        "port 50600",
        "2026-02-14T20:00:00",
        "on 2026-02-14 at 20:00",
        "2026-02-14 20:00:00.123456",
        "(2026-02-14)",
        "192.168.100.200",
        "0.123456789",
        "took 1234 ms",
        "d41d8cd98f00b204e9800998ecf8427e",
        "rev_20261122a",
        "8001",
        "12345.678 s",
        "rev_12345",
    ],
)
def test_ids_ports_dates_and_fractions_stay_readable(plain: str) -> None:
    assert _shown(reason=plain)["reason"] == plain


def test_numbers_and_the_hotlines_own_fields_stay() -> None:
    shown = _shown(port=50600, waited=12.5, is_new=True, nothing=None, dialled="12329", count=123456)
    assert shown == {
        "event": "call queued",
        "port": 50600,
        "waited": 12.5,
        "is_new": True,
        "nothing": None,
        "dialled": "12329",
        "count": 123456,
    }


def test_nobody_forges_a_line() -> None:
    shown = _shown(reason="a\r\nb\x1b[31mred\x00\u2028\u202eevil\x85")["reason"]
    assert shown == "a\\r\\nb\\x1b[31mred\\x00\\u2028\\u202eevil\\x85"


@given(st.text(), st.text(alphabet="0123456789 -+:.x\n", max_size=40))
def test_whatever_comes_no_line_breaks_and_no_telephone_number_is_shown(words: str, digits: str) -> None:
    shown = str(_shown(reason=words + digits)["reason"])
    assert len(shown.splitlines()) <= 1
    spoken = str(_shown(reason=f"{words} 13800138000 {digits}")["reason"])
    assert "13800138000" not in spoken


def test_lines_of_both_kinds_go_through_the_same_masks(restored: None, capsys: pytest.CaptureFixture[str]) -> None:
    del restored
    out = io.StringIO()
    set_up(is_json=True, stream=out)
    structlog.get_logger("acd").info("call queued", call="call_1", pii_caller="13800138000", waited=1.5)
    logging.getLogger("library").warning("strange %s\nforged", "13800138000", extra={"pii_x": "王丽"})
    _fail("bad number 13800138000\nforged line")
    first, second, third = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["call"], first["waited"]) == ("call queued", "call_1", 1.5)
    assert (first["pii_caller"], first["level"], first["logger"]) == ("***00", "info", "acd")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["pii_x"]) == ("strange ***\\nforged", "***")
    assert "bad number ***" in third["exception"]
    assert "13800138000" not in out.getvalue()
    assert capsys.readouterr() == ("", "")


def test_a_line_for_a_terminal_is_one_line_and_its_traceback_is_indented(restored: None) -> None:
    del restored
    out = io.StringIO()
    set_up(is_json=False, stream=out)
    structlog.get_logger("acd").info("call queued", call="call_1", queue="宜昌", waited=2)
    _fail("first\n2026-01-01 error forged")
    first, *rest = out.getvalue().splitlines()
    assert first.endswith("info     call queued call='call_1' queue='宜昌' waited=2")
    assert rest[0].endswith("error    it failed")
    assert all(line.startswith("    | ") for line in rest[1:])
    assert len(rest) == 3


def test_chatter_of_libraries_is_left_out(restored: None) -> None:
    del restored
    out = io.StringIO()
    set_up(is_json=True, stream=out)
    logging.getLogger("httpx").info("HTTP Request")
    logging.getLogger("huey.consumer").info("started")
    structlog.get_logger("acd").debug("detail")
    assert out.getvalue() == ""
