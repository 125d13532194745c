"""Catalogues out of files: all of it or every mistake with its place; the shipped lists and their counts."""

from collections import Counter
from datetime import date, time

import pytest

from hotline.errors import BadInput
from ivr.catalogue_file import parse, read_catalogue
from ivr.model import Catalogue, Entry, MergeMode, MergeStatus, SkillNeed
from ivr.service import DATA

pytestmark = pytest.mark.unit

EMPTY = Catalogue(home="0717")


def problems(text: str | bytes, file: str = "n.yaml", stored: Catalogue = EMPTY) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(BadInput) as caught:
        parse(content, file, stored, {"whole", "dual"})
    return list(caught.value.problems)


def shipped(name: str) -> list[Entry]:
    return [entry for entry, _ in read_catalogue((DATA / name).read_bytes(), name, "0717").entries]


FULL = """
region: "0717"
hours:
  - name: office
    windows:
      - {days: [workdays], times: ["08:30-12:00", "14:30-24:00"], season: 05-01 to 09-30}
days:
  - {day: 2026-11-23, kind: work, counts_as: fri, note: 说明, windows: [{times: [10:00-11:00]}]}
numbers:
  - number: 0717-12329
    name: 住房公积金
    owner_unit: 公积金中心
    mode: 双号并行
    status: forwarding
    valid_from: 2026-01-01
    valid_to: 2026年12月31日
    cutover_at: 2026/1/2
    transition_until: 2026-06-30
    hours: office
    queue: fund
    needs: [housing_fund:3, dialect]
    widen_after_s: 30
    priority: 60
    experts: [fund_expert]
    external: 0717-6123456
    aliases: ["6123457", +86 717 6123458]
    ticket_class: "030201"
    note: 备注
    source: 方案
"""


def test_every_field_is_read() -> None:
    catalogue = parse(FULL.encode(), "n.yaml", EMPTY)
    assert catalogue.entries == (
        Entry(
            number="12329",
            region="0717",
            name="住房公积金",
            owner_unit="公积金中心",
            mode=MergeMode.DUAL,
            status=MergeStatus.FORWARDING,
            valid_from=date(2026, 1, 1),
            valid_to=date(2026, 12, 31),
            cutover_at=date(2026, 1, 2),
            transition_until=date(2026, 6, 30),
            hours="office",
            queue="fund",
            needs=(SkillNeed("housing_fund", 3), SkillNeed("dialect")),
            widen_after_s=30,
            priority=60,
            experts=("fund_expert",),
            external="07176123456",
            aliases=("07176123457", "07176123458"),
            ticket_class="030201",
            note="备注",
            source="方案",
        ),
    )
    first, second = catalogue.profiles[0].windows
    assert (first.start, first.end, first.season) == (time(8, 30), time(12), ((5, 1), (9, 30)))
    assert (second.start, second.end) == (time(14, 30), None)
    day = catalogue.days[0]
    assert (day.day, day.kind, day.counts_as, day.windows[0].end) == (date(2026, 11, 23), "work", "fri", time(11))


def test_csv_says_the_same_as_yaml() -> None:
    text = (
        "\ufeffnumber,name,owner_unit,mode,needs,aliases,valid_from,note\r\n"
        '0717-12329,公积金,中心,dual,housing_fund:3;dialect,"6123457;6123458",2026-01-01,"a, b\n'
        'c"\r\n\r\n110,报警,,紧急,,,,\r\n'
    )
    fund, police = sorted(parse(text.encode(), "n.csv", EMPTY).entries, key=lambda one: one.number, reverse=True)
    assert (fund.number, fund.region, fund.needs) == (
        "12329",
        "0717",
        (SkillNeed("housing_fund", 3), SkillNeed("dialect")),
    )
    assert (fund.aliases, fund.note) == (("07176123457", "07176123458"), "a, b\nc")
    assert (police.number, police.mode) == ("110", MergeMode.EMERGENCY)


BAD = """
region: "0717"
hours:
  - {name: h, windows: [{days: [someday], times: ["12:00-08:00", "25:00-26:00"], season: 02-30 to 03-01}]}
  - {name: empty}
days:
  - {day: 2026-02-30, kind: work}
  - {day: 2026-11-23, kind: party, counts_as: someday}
numbers:
  - {number: abc, name: x, owner_unit: u, mode: whole}
  - {number: 12336, owner_unit: u, mode: whol, flavour: 1}
  - {number: 0931-12336, name: x, owner_unit: u, mode: whole}
  - {number: 12337, name: x, mode: whole, status: gone, valid_from: 2026-13-01, widen_after_s: soon}
  - {number: 12338, name: x, owner_unit: u, mode: dual_track, valid_from: 2026-01-01, transition_until: 2026-12-31}
  - {number: 12339, name: x, owner_unit: u, mode: whole, hours: nobody}
  - {number: 12340, name: x, owner_unit: u, mode: whole, flow: nothing}
  - {number: 12341, name: x, owner_unit: u, mode: whole}
  - {number: 12341, name: x, owner_unit: u, mode: whole}
  - {number: 12342, name: x, owner_unit: u, mode: dual, needs: [a b], external: nowhere, aliases: [you]}
"""


@pytest.mark.parametrize(
    "expected",
    [
        "n.yaml:4:33: the day 'someday' is unknown",
        "n.yaml:4:51: '12:00-08:00' ends before it begins; over midnight, write two spans",
        "n.yaml:4:66: '25:00-26:00' is not a time span",
        "n.yaml:4:90: season '02-30 to 03-01' is not two days of a year",
        "n.yaml:5:5: an hours profile needs windows",
        "n.yaml:7:11: day '2026-02-30' is not a day",
        "n.yaml:8:29: kind 'party' is unknown; use work, rest or holiday",
        "n.yaml:8:47: counts_as 'someday' is unknown",
        "n.yaml:10:14: 'abc' is not a telephone number",
        "n.yaml:11:5: a number needs name",
        "n.yaml:11:42: mode 'whol' is unknown; use one of whole, dual",
        "n.yaml:11:48: a number has no field 'flavour'",
        "n.yaml:12:14: '0931-12336' has the area code 0931, but the region is 0717",
        "n.yaml:13:51: status 'gone' is unknown",
        "n.yaml:13:69: valid_from '2026-13-01' is not a day",
        "n.yaml:13:96: widen_after_s 'soon' is not a whole number from 1 to 600",
        "n.yaml:14:14: the dual track runs to 2026-12-31, more than half a year after 2026-01-01",
        "n.yaml:15:14: the hours profile 'nobody' of 12339 is not defined",
        "n.yaml:16:14: the flow 'nothing' of 12340 does not exist",
        "n.yaml:18:14: 12341 with this region and first day is in line 17 already",
        "n.yaml:19:65: 'a b' is not a skill with a level",
        "n.yaml:19:81: 'nowhere' is not a telephone number",
        "n.yaml:19:100: 'you' is not a telephone number",
    ],
)
def test_each_of_many_mistakes_is_told_in_one_go(expected: str) -> None:
    found = problems(BAD)
    assert any(one.startswith(expected) for one in found), found


def test_csv_mistakes_name_line_and_field() -> None:
    text = "number,name,owner_unit,mode,mood\n12336,x,u,whole,\n12337,x,u,wholly\n12338,x,u,whole,,,extra\n"
    found = problems(text, "n.csv")
    assert "n.csv:3:4: mode 'wholly' is unknown" in found[2]
    assert found[0].startswith("n.csv:4:6: the row has 7 fields, the header 5")
    assert "has no field 'mood'" in found[1]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "n.csv:1:1: the file is empty"),
        (b'number,name\n"12336,x\n', "n.csv:2:1: this is not CSV"),
        (b"number,number\n12336,x\n", "n.csv:1:2: the header 'number' is empty or stands there twice"),
        ("number,name\n12336,中\n".encode("gb18030"), "n.csv:2:7: the text is not UTF-8"),
    ],
)
def test_unreadable_csv_gets_a_sentence(content: bytes, expected: str) -> None:
    assert problems(content, "n.csv")[0].startswith(expected)


def number(line: str) -> str:
    return f"numbers:\n  - {{number: 12336, name: x, owner_unit: u, mode: whole, {line}}}\n"


def test_new_entry_must_not_overlap_with_a_stored_one() -> None:
    stored = parse(number("valid_from: 2026-01-01").encode(), "old.yaml", EMPTY)
    found = problems(number("valid_from: 2026-06-01"), "n.yaml", stored)
    assert found == [
        "n.yaml:2:14: 12336 (whole) from 2026-06-01 on overlaps with 12336 (whole) from 2026-01-01 on",
    ]


def test_entry_with_the_same_number_region_and_first_day_replaces_the_stored_one() -> None:
    stored = parse(number("valid_from: 2026-01-01").encode(), "old.yaml", EMPTY)
    ended = parse(number("valid_from: 2026-01-01, valid_to: 2026-05-31").encode(), "n.yaml", stored)
    both = parse(number("valid_from: 2026-06-01").encode(), "n.yaml", ended)
    assert [entry.valid_to for entry in both.entries] == [date(2026, 5, 31), None]


def test_entry_may_use_hours_that_are_stored() -> None:
    stored = parse(FULL.encode(), "old.yaml", EMPTY)
    assert len(parse(number("hours: office").encode(), "n.yaml", stored).entries) == 2


def test_a_unit_has_one_calendar() -> None:
    profile = "  - {{name: {}, units: [公积金中心], windows: [{{days: [daily], times: [08:00-12:00]}}]}}\n"
    stored = parse(("hours:\n" + profile.format("one")).encode(), "old.yaml", EMPTY)
    assert stored.profiles[0].units == ("公积金中心",)
    told = problems("hours:\n" + profile.format("two"), stored=stored)
    assert told == ["the unit 公积金中心 is in several hours profiles (one, two): leave one"]


def test_counts_of_the_source_must_be_met() -> None:
    text = "counts: {whole: 3, dual: 0}\nunknown: [{mode: whole, count: 1, note: lost}]\n" + number("note: x")
    found = problems(text)
    assert found == ["n.yaml:1:17: the source counts 3 numbers of mode whole; 1 are here, 1 unknown"]


def test_yichang_has_3_whole_11_dual_and_1_sub_centre() -> None:
    entries = shipped("yichang.yaml")
    assert Counter(entry.mode for entry in entries) == {MergeMode.WHOLE: 3, MergeMode.DUAL: 11, MergeMode.SUBCENTER: 1}
    experts = {entry.number for entry in entries if entry.experts}
    assert experts == {"12320", "12348", "12329", "12333"}
    assert next(entry for entry in entries if entry.number == "12319").status is MergeStatus.ALREADY_MERGED


def test_lanzhou_names_what_its_source_names_and_counts_the_rest_as_unknown() -> None:
    found = read_catalogue((DATA / "lanzhou.yaml").read_bytes(), "lanzhou.yaml", "0717")
    numbers = {entry.number: entry.mode for entry, _ in found.entries}
    assert numbers == {
        "12336": MergeMode.WHOLE,
        "96119": MergeMode.WHOLE,
        "12333": MergeMode.DUAL,
        "12319": MergeMode.DUAL,
        "12328": MergeMode.DUAL,
        "09318772182": MergeMode.OFFICE_ONLY,
        "09318105032": MergeMode.OFFICE_ONLY,
    }
    assert [told.split(":")[0] for told in found.unknown] == [
        "5 numbers of mode whole are not known",
        "11 numbers of mode office_only are not known",
    ]


def test_common_numbers_have_12345_emergency_lines_and_the_five_sub_centres() -> None:
    modes = {entry.number: entry.mode for entry in shipped("common.yaml")}
    assert modes["12345"] is MergeMode.SELF
    assert {number for number, mode in modes.items() if mode is MergeMode.EMERGENCY} == {"110", "119", "120", "122"}
    sub_centres = {number for number, mode in modes.items() if mode is MergeMode.SUBCENTER}
    assert sub_centres == {"12305", "12313", "12360", "12366", "12367"}
    assert {MergeMode.EXTERNAL, MergeMode.UTILITY} <= set(modes.values())
