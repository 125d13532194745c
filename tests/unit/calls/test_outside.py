"""The guard of outgoing calls: who may be dialled, and everything that is refused."""

from datetime import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import outside
from calls.outside import SENTENCES, Kind, Permitted, Rules, Target, Usage, Why, decide, read

pytestmark = pytest.mark.unit

TARGETS = {
    "110": Target(number="110", dial="110", kind=Kind.EMERGENCY),
    "12366": Target(number="12366", dial="07176900000", kind=Kind.SUBCENTER),
    "12351": Target(number="12351", dial="12351", kind=Kind.EXTERNAL),
    "07176251234": Target(number="07176251234", dial="07176251234", kind=Kind.ROSTER),
    "16899999": Target(number="16899999", dial="16899999", kind=Kind.EXTERNAL),
    "00441632960000": Target(number="00441632960000", dial="00441632960000", kind=Kind.ROSTER),
}
RULES = Rules(trunk=True, region="0717", allow=("021*",), lines=2, daily=5, daily_seat=3, night=(time(22), time(6)))
NOON, MIDNIGHT = time(12), time(0, 30)


def verdict(number: str, usage: Usage | None = None, now: time = NOON, **rules: object) -> Why | str:
    """Why it is refused, or what is dialled."""
    found = decide(number, TARGETS, msgspec.structs.replace(RULES, **rules), usage or Usage(), now)
    return found.admitted.digits if isinstance(found, Permitted) else found


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("110", "110"), ("12366", "07176900000"), ("0717-12366", "07176900000"), ("+86 717 12366", Why.NOT_LISTED),
        ("6251234", "07176251234"), ("0717 6251234", "07176251234"), ("0086 0717 6251234", "07176251234"),
        ("02161234567", "02161234567"),
    ],
)  # fmt: skip
def test_the_catalogue_the_roster_and_the_list_are_dialled(written: str, dialled: Why | str) -> None:
    assert verdict(written) == dialled


@pytest.mark.parametrize(
    "odd",
    ["", "1", "110\r\nAction: Originate", "110\n", "110,1", "110&PJSIP/x", "110@elsewhere", "sip:110", "１１０",
     "*110#", "110--1", " 110", "1" * 21, "110;x", "${x}", "+", "110\0"],
)  # fmt: skip
def test_odd_characters_are_refused(odd: str) -> None:
    assert verdict(odd) is Why.MALFORMED


def test_numbers_that_nobody_lists_are_refused() -> None:
    assert verdict("13912345678") is Why.NOT_LISTED
    assert verdict("12329") is Why.NOT_LISTED, "it is answered here"
    assert verdict("0216") == "0216"


def test_premium_and_international_numbers_need_a_word_of_their_own() -> None:
    assert verdict("16899999") is Why.PREMIUM, "the catalogue is not enough"
    assert verdict("0717 16899999") is Why.PREMIUM
    assert verdict("00441632960000") is Why.INTERNATIONAL, "nor is the roster"
    assert verdict("+44 1632 960000") is Why.INTERNATIONAL
    assert verdict("16899999", allow=("16899999",)) == "16899999"
    assert verdict("09316000051", allow=("0931*",)) == "09316000051"
    assert verdict("09316000051") is Why.NOT_LISTED, "an area code of four digits and an ordinary number"
    assert verdict("+441632960000", allow=("+44*",)) == "00441632960000"


def test_a_catalogue_target_that_leads_to_a_premium_number_is_refused() -> None:
    sly = {"12399": Target(number="12399", dial="16812345", kind=Kind.SUBCENTER)}
    assert decide("12399", sly, RULES, Usage(), NOON) is Why.PREMIUM


def test_limits_of_lines_and_days() -> None:
    assert verdict("12366", Usage(lines=1, today=4, today_of_seat=2)) == "07176900000"
    assert verdict("12366", Usage(lines=2)) is Why.LINES_BUSY
    assert verdict("12366", Usage(today=5)) is Why.DAY_FULL
    assert verdict("12366", Usage(today_of_seat=3)) is Why.SEAT_DAY_FULL


def test_at_night_only_those_are_called_who_are_there() -> None:
    for night in (time(22), MIDNIGHT, time(5, 59)):
        assert verdict("12351", now=night) is Why.NIGHT
        assert verdict("02161234567", now=night) is Why.NIGHT
        assert verdict("12366", now=night) == "07176900000"
        assert verdict("07176251234", now=night) == "07176251234"
    assert verdict("12351", now=time(6)) == verdict("12351", now=time(21, 59)) == "12351"
    assert verdict("12351", now=NOON, night=(time(11), time(13))) is Why.NIGHT
    assert verdict("12351", now=MIDNIGHT, night=None) == "12351"


def test_an_emergency_line_knows_no_limit_but_the_trunk() -> None:
    worst = Usage(lines=99, today=99, today_of_seat=99)
    assert verdict("110", worst, MIDNIGHT) == "110"
    assert verdict("110", trunk=False) is Why.NO_TRUNK
    assert verdict("110", prefix="9") == "9110"


def test_every_refusal_has_a_sentence_that_says_whose_move_it_is() -> None:
    assert SENTENCES.keys() == set(Why)
    assert all(":" in sentence or "wait" in sentence for sentence in SENTENCES.values())


@given(st.text(max_size=30))
def test_whatever_is_written_only_digits_are_dialled(written: str) -> None:
    digits = read(written)
    assert digits is None or (digits.isascii() and digits.isdigit())
    found = decide(written, TARGETS, RULES, Usage(), NOON)
    assert isinstance(found, Why) or found.admitted.digits.isdigit()


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("13912345678", "013912345678"), ("013912345678", "0013912345678"), ("07176251234", "007176251234"),
        ("6251234", "06251234"), ("+86 13912345678", "013912345678"),
        ("110", Why.NO_SUBSCRIBER), ("12345", Why.NO_SUBSCRIBER), ("95588", Why.NO_SUBSCRIBER),
        ("4008001234", Why.NO_SUBSCRIBER), ("16899999", Why.PREMIUM), ("00441632960000", Why.INTERNATIONAL),
        ("", Why.MALFORMED), ("139x", Why.MALFORMED),
    ],
)  # fmt: skip
def test_citizens_are_called_back_at_subscribers_numbers_and_nowhere_else(written: str, dialled: Why | str) -> None:
    rules = Rules(trunk=True, region="0717", prefix="0")
    found = outside.call_back(written, rules, Usage(), NOON)
    assert (found if isinstance(found, Why) else found.admitted.digits) == dialled


def test_limits_and_hours_of_calls_to_citizens_are_their_own() -> None:
    rules = Rules(trunk=True, region="0717", call_back=(time(8), time(21)), citizens_daily=3, number_daily=2, daily=0)

    def why(usage: Usage = Usage(), now: time = NOON, **more: object) -> Why | None:  # noqa: B008 - frozen
        found = outside.call_back("13912345678", msgspec.structs.replace(rules, **more), usage, now)
        return found if isinstance(found, Why) else None

    assert why(Usage(today=500, today_of_seat=500)) is None
    assert why(now=time(21)) is Why.OFF_HOURS
    assert why(now=time(7, 59)) is Why.OFF_HOURS
    assert why(now=time(8)) is None
    assert why(Usage(lines=10)) is Why.LINES_BUSY
    assert why(Usage(citizens_today=3)) is Why.DAY_FULL
    assert why(Usage(today_of_number=2)) is Why.NUMBER_DAY_FULL
    assert why(trunk=False) is Why.NO_TRUNK
    assert outside.call_back("07176251234", rules, Usage(), NOON, ours=True) is Why.OURS
    listed = outside.call_back("16899999", msgspec.structs.replace(rules, allow=("168*",)), Usage(), NOON)
    assert isinstance(listed, Permitted)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("12366", None), ("0717-12366", None), ("6251234", None), ("02161234567", None), ("110", Why.UNATTENDED),
        ("0717110", Why.UNATTENDED), ("13912345678", Why.NOT_LISTED), ("16800000", Why.PREMIUM),
        ("00441632960001", Why.INTERNATIONAL), ("110;x", Why.MALFORMED), ("", Why.MALFORMED),
    ],
)  # fmt: skip
def test_citizens_alone_are_connected_with_listed_lines_and_never_with_an_emergency_line(
    number: str, why: Why | None
) -> None:
    assert outside.unattended(number, TARGETS, RULES, ours=False) is why


def test_citizens_alone_are_never_connected_with_ourselves() -> None:
    assert outside.unattended("12366", TARGETS, RULES, ours=True) is Why.OURS


@pytest.mark.parametrize(
    ("lines", "daily", "usage", "why"),
    [
        (10, 500, Usage(lines=4, today_alone=249), None), (10, 500, Usage(lines=5), Why.LINES_BUSY),
        (1, 500, Usage(), None), (10, 500, Usage(today_alone=250), Why.DAY_FULL), (10, 0, Usage(), Why.DAY_FULL),
    ],
)  # fmt: skip
def test_citizens_alone_leave_half_of_the_lines_and_of_the_day_to_the_seats(
    lines: int, daily: int, usage: Usage, why: Why | None
) -> None:
    assert outside.share(msgspec.structs.replace(RULES, lines=lines, daily=daily), usage) is why
