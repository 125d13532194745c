"""Dialled numbers in every form, and which entry they mean on a day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.model import Catalogue, Dialled, Entry, MergeMode, MergeStatus, Via
from ivr.numbers import Number, check_entry, field_of, half_a_year_after, identify, normalise, overlaps, warnings

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
SHORT = Number("12329", "")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("12329", SHORT),
        ("0717-12329", Number("12329", "0717")),
        ("071712329", Number("12329", "0717")),
        ("(0717) 12329", Number("12329", "0717")),
        ("+8612329", SHORT),
        ("8612329", SHORT),
        ("86 12329", SHORT),
        ("008612329", SHORT),
        ("0086 717 12329", Number("12329", "0717")),
        ("+86-717-12329", Number("12329", "0717")),
        ("8671712329", Number("12329", "0717")),
        ("tel:12329", SHORT),
        ("tel:+86-717-12329;phone-context=x", Number("12329", "0717")),
        ("sip:071712329@10.0.0.1:5060;user=phone", Number("12329", "0717")),
        ("SIPS:12329@host", SHORT),
        ("<sip:12329@host>;reason=unconditional", SHORT),
        ('"宜昌 热线" <sip:12329@host>', SHORT),
        ("１２３２９", SHORT),
        ("010-12345", Number("12345", "010")),
        ("02812345", Number("12345", "028")),
        ("110", Number("110", "")),
        ("0717110", Number("110", "0717")),
        ("96119", Number("96119", "")),
        ("13800138000", Number("13800138000", "")),
        ("013800138000", Number("13800138000", "")),
        ("+8613800138000", Number("13800138000", "")),
        ("6123456", Number("07176123456", "")),
        ("0717-6123456", Number("07176123456", "0717")),
        ("+867176123456", Number("07176123456", "0717")),
        ("0931-8772182", Number("09318772182", "0931")),
        ("86123456", Number("071786123456", "")),
    ],
)
def test_every_way_to_write_a_number_gives_its_digits_and_area_code(raw: str, expected: Number) -> None:
    assert normalise(raw, "0717") == expected


@pytest.mark.parametrize(
    "raw",
    ["", " ", "anonymous", "s", "sip:anonymous@anonymous.invalid", "*12#", "12a45", "+", "tel:", "1" * 21, "''; --"],
)
def test_what_is_no_number_is_none(raw: str) -> None:
    assert normalise(raw, "0717") is None


@pytest.mark.timeout(5)
@pytest.mark.parametrize("raw", [" " * 100_000 + "sip:", "<" * 100_000, '"' * 100_000, "0" * 100_000, "86" * 50_000])
def test_long_nonsense_costs_no_time(raw: str) -> None:
    assert all(normalise(raw, "0717") is None for _ in range(1000))


@given(st.text(max_size=300))
@example("0")
@example("+86")
def test_no_text_breaks_it_and_the_digits_stay_digits(raw: str) -> None:
    found = normalise(raw, "0717")
    assert found is None or (found.digits.isascii() and found.digits.isdigit())


@given(
    st.sampled_from(["12345", "12329", "110", "96119", "13912345678", "07176123456", "01065432109"]),
    st.sampled_from(["", "+86", "0086", "86", "tel:", "tel:+86", "sip:", "<sip:+86"]),
    st.sampled_from(["", " ", "-"]),
)
def test_the_same_number_in_every_form_is_the_same_digits(digits: str, prefix: str, gap: str) -> None:
    national = digits.removeprefix("0") if "86" in prefix else digits
    raw = prefix + national[:3] + gap + national[3:] + ("@host>" if "sip:" in prefix else "")
    found = normalise(raw, "0717")
    assert found is not None
    assert found.digits == digits
    assert normalise(found.digits, "0717") in {found, Number(found.digits, "")}


def entry(number: str, mode: MergeMode = MergeMode.WHOLE, **more: object) -> Entry:
    return Entry(number=number, mode=mode, name=number, owner_unit="unit", **more)  # type: ignore[arg-type]


CATALOGUE = Catalogue(
    home="0717",
    entries=(
        entry("12345", MergeMode.SELF, aliases=("07176123456",)),
        entry("12329", MergeMode.DUAL, region="0717"),
        entry("12329", MergeMode.WHOLE, region="0379"),
        entry("12336", region="0717", valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30)),
        entry("12336", MergeMode.DUAL, region="0717", valid_from=date(2026, 7, 1)),
        entry("12331"),
        entry("12315", MergeMode.DUAL),
        entry("07178612329", MergeMode.OFFICE_ONLY, region="0717"),
    ),
)


def dialled(request: str, to: str = "", *diversions: str, at: datetime = NOON) -> Dialled:
    return identify(CATALOGUE, request, to, diversions, at)


def test_number_in_the_request_wins() -> None:
    found = dialled("0717-12329", "12331", "12315")
    assert (found.number, found.entry.mode, found.declared, found.via) == ("12329", MergeMode.DUAL, True, Via.REQUEST)


def test_diverted_legacy_number_wins_over_12345_and_over_its_pilot_number() -> None:
    for request in ("12345", "6123456", "sip:+867176123456@trunk", "s", "5551234"):
        found = dialled(request, "12345", "12336")
        assert (found.number, found.via, found.declared) == ("12336", Via.DIVERSION, True)


def test_legacy_number_in_to_wins_over_diversions() -> None:
    assert dialled("12345", "sip:12331@x", "12315").via is Via.TO


def test_number_that_was_dialled_first_wins_among_several_diversions() -> None:
    assert dialled("12345", "12345", "12315", "12331").number == "12331"


def test_area_code_decides_the_entry_and_the_responsible_region() -> None:
    there = dialled("0379-12329")
    assert (there.entry.mode, there.region) == (MergeMode.WHOLE, "0379")
    here = dialled("12329")
    assert (here.entry.mode, here.region) == (MergeMode.DUAL, "0717")
    no_entry_there = dialled("0358-12315")
    assert (no_entry_there.declared, no_entry_there.region) == (True, "0358")
    assert dialled("0358-12345").region == "0358"


def test_undeclared_number_goes_to_12345_and_says_so() -> None:
    found = dialled("12399")
    assert (found.number, found.entry.number, found.declared, found.region) == ("12399", "12345", False, "0717")


def test_undeclared_short_code_in_a_diversion_is_counted_but_a_private_number_is_not() -> None:
    assert (dialled("12345", "", "12399").number, dialled("12345", "", "12399").declared) == ("12399", False)
    private = dialled("12345", "", "13800138000", "07175550000")
    assert (private.number, private.declared, private.via) == ("12345", True, Via.REQUEST)


def test_nothing_readable_is_12345_undeclared() -> None:
    found = dialled("s", "anonymous")
    assert (found.number, found.declared, found.via) == ("12345", False, Via.NOTHING)


def test_empty_catalogue_still_answers_as_12345() -> None:
    found = identify(Catalogue(home="0717"), "12345", "", (), NOON)
    assert (found.entry.mode, found.declared) == (MergeMode.SELF, True)


def test_pilot_number_is_12345_itself() -> None:
    found = dialled("6123456")
    assert (found.number, found.declared) == ("12345", True)


def test_declared_land_line_that_begins_with_86_is_not_taken_for_a_country_code() -> None:
    assert dialled("8612329").entry.mode is MergeMode.OFFICE_ONLY


def test_entry_changes_at_midnight_in_shanghai_to_the_second() -> None:
    midnight = datetime(2026, 6, 30, 16, tzinfo=UTC)
    assert dialled("12336", at=midnight - timedelta(seconds=1)).entry.mode is MergeMode.WHOLE
    assert dialled("12336", at=midnight).entry.mode is MergeMode.DUAL
    assert dialled("12336", at=datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC)).declared is False


def test_transition_ends_with_its_last_day() -> None:
    catalogue = Catalogue(home="0717", entries=(entry("12336", transition_until=date(2026, 6, 30)),))
    before = identify(catalogue, "12336", "", (), datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC))
    after = identify(catalogue, "12336", "", (), datetime(2026, 6, 30, 16, tzinfo=UTC))
    assert (before.in_transition, after.in_transition) == (True, False)


def test_12356_changed_its_meaning_in_2025(demo: Catalogue) -> None:
    last, first = datetime(2025, 4, 30, 15, 59, 59, tzinfo=UTC), datetime(2025, 4, 30, 16, tzinfo=UTC)
    assert identify(demo, "12356", "", (), last).entry.mode is MergeMode.WHOLE
    now = identify(demo, "12356", "", (), first).entry
    assert (now.mode, now.status, now.needs[0].skill) == (MergeMode.DUAL, MergeStatus.REASSIGNED, "psychological")


@given(st.text(max_size=40), st.text(max_size=40), st.lists(st.text(max_size=40), max_size=4))
def test_every_call_is_identified(request: str, to: str, diversions: list[str]) -> None:
    found = identify(CATALOGUE, request, to, diversions, NOON)
    assert found.number.isdigit()
    assert found.declared or found.entry.mode is MergeMode.SELF


def test_entries_that_claim_the_same_day_overlap_even_across_others() -> None:
    long = entry("12336", valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
    early = entry("12336", valid_from=date(2026, 2, 1), valid_to=date(2026, 2, 2))
    late = entry("12336", valid_from=date(2026, 12, 31))
    assert overlaps([early, late]) == []
    assert overlaps([long, early, late]) == [(long, early), (long, late)]
    assert overlaps([entry("12336"), entry("12336", region="0717")]) == []


def test_alias_that_is_another_entrys_number_overlaps() -> None:
    one, two = entry("12345", MergeMode.SELF, aliases=("12336",)), entry("12336")
    assert overlaps([one, two]) == [(one, two)]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (entry("12"), "3 to 12 digits"),
        (entry("6123456"), "catalogue form"),
        (entry("12336", region="717"), "area code"),
        (Entry(number="12336", name="x", mode=MergeMode.WHOLE), "owner_unit"),
        (entry("12336", valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1)), "before valid_from"),
        (entry("12336", valid_from=date(2026, 2, 1), transition_until=date(2026, 1, 1)), "transition_until"),
        (entry("12336", MergeMode.DUAL_TRACK, valid_from=date(2026, 1, 1)), "half a year"),
        (
            entry("12336", MergeMode.DUAL_TRACK, valid_from=date(2026, 1, 1), transition_until=date(2026, 7, 2)),
            "more than half a year",
        ),
    ],
)
def test_wrong_entry_is_told_in_a_sentence(bad: Entry, told: str) -> None:
    found = check_entry(bad)
    assert len(found) == 1
    assert told in found[0]


@pytest.mark.parametrize(
    "good",
    [
        entry("12336", MergeMode.DUAL_TRACK, valid_from=date(2026, 1, 1), transition_until=date(2026, 7, 1)),
        entry("09318772182", MergeMode.OFFICE_ONLY, region="0931"),
        entry("12336", valid_from=date(2026, 1, 1), valid_to=date(2026, 1, 1)),
        Entry(number="110", name="x", mode=MergeMode.EMERGENCY),
    ],
)
def test_right_entry_has_no_problem(good: Entry) -> None:
    assert check_entry(good) == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 1, 15), date(2026, 7, 15)),
        (date(2026, 8, 31), date(2027, 2, 28)),
        (date(2027, 8, 31), date(2028, 2, 29)),
        (date(2026, 6, 30), date(2026, 12, 30)),
        (date(2026, 7, 1), date(2027, 1, 1)),
    ],
)
def test_half_a_year_ends_on_the_same_day_or_the_months_last(day: date, expected: date) -> None:
    assert half_a_year_after(day) == expected


def test_advice_names_endless_transitions_dual_tracks_about_to_end_and_missing_skills() -> None:
    today = date(2026, 6, 15)
    assert "until further notice" in warnings(entry("12336"), today)[0]
    assert warnings(entry("12336", valid_to=date(2026, 1, 1)), today) == []
    track = entry("12336", MergeMode.DUAL_TRACK, transition_until=date(2026, 7, 1))
    assert [told.split(":")[0] for told in warnings(track, today)] == [
        "the dual track ends in 16 days",
        "the owner's skill is not named in needs",
    ]
    assert "is over" in warnings(track, date(2026, 7, 2))[0]


@pytest.mark.parametrize(
    ("problem", "field"),
    [
        ("the number '1' is not 3 to 12 digits", "number"),
        ("owner_unit is missing", "owner_unit"),
        ("the transition ends before it begins", "transition_until"),
    ],
)
def test_a_mistake_belongs_to_the_field_that_its_sentence_names(problem: str, field: str) -> None:
    assert field_of(problem) == field
