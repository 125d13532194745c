"""Each role sees its part of a ticket and nothing more; nothing of the citizen leaks through another field."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import BadInput
from hotline.security import Principal, Role
from tickets.model import CallbackReason, CallbackTask, HistoryLine, State, Ticket, TranscriptState
from tickets.numbering import NumberFormat
from tickets.visibility import (
    OWN_FOR,
    clean,
    mask_name,
    mask_number,
    may_know,
    project,
    project_callback,
    project_conclusions,
    project_history,
    project_rating,
    scope,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
CALLER, CONTACT, NAME, ADDRESS = "13812345678", "07171234567", "张小三", "夷陵路 1 号"

TICKET = Ticket(
    id="ticket_1",
    number="20260214-00001",
    state=State.DRAFT,
    created_at=NOW,
    changed_at=NOW,
    call="call_1",
    dialled="12329",
    owner_unit="住房公积金中心",
    lead_unit="城管局",
    agent="1001",
    recording="rec_1",
    transcript="tr_1",
    transcript_state=TranscriptState.READY,
    caller=CALLER,
    caller_name=NAME,
    contact_no=CONTACT,
    matter="张小三 13812345678 反映噪音",
    demand="电话 0717-1234567",
    subject_name=NAME,
    subject_address=ADDRESS,
)


def ticket(**changes: object) -> Ticket:
    return msgspec.structs.replace(TICKET, **changes)


def person(*roles: Role, agent: str = "", unit: str = "") -> Principal:
    return Principal(person="p", name="P", roles=frozenset(roles), agent=agent, unit=unit)


OWN = person(Role.OPERATOR, agent="1001")
OTHER = person(Role.OPERATOR, agent="1002")
UNIT = person(Role.UNIT, unit="城管局")
EXPERT = person(Role.EXPERT, agent="E7", unit="住房公积金中心")
QA = person(Role.QA)


def seen(who: Principal, now: datetime = NOW, **changes: object) -> dict[str, object]:
    view = project(ticket(**changes), who, now)
    assert view is not None
    return view.model_dump()


def test_operator_of_the_call_sees_it_with_the_number_masked() -> None:
    view = seen(OWN)
    assert (view["caller"], view["contact_no"]) == ("138****5678", "071****4567")
    assert (view["caller_name"], view["subject_address"], view["matter"]) == (NAME, ADDRESS, TICKET.matter)
    assert (view["recording"], view["transcript"]) == ("rec_1", "tr_1")


def test_operator_loses_recording_and_transcript_of_the_own_call_after_a_day() -> None:
    view = seen(OWN, NOW + OWN_FOR)
    assert (view["recording"], view["transcript"]) == (None, None)
    assert seen(OWN, NOW + OWN_FOR - timedelta(seconds=1))["recording"] == "rec_1"


def test_operator_reads_others_tickets_without_name_recording_and_transcript() -> None:
    view = seen(OTHER)
    assert view["matter"] == TICKET.matter
    assert [view[f] for f in ("caller_name", "subject_name", "recording", "transcript")] == [None] * 4
    confidential = seen(OTHER, confidential=True)
    assert [confidential[f] for f in ("caller", "matter")] == [None, None]
    assert seen(OWN, confidential=True)["matter"] == TICKET.matter


def test_ticket_without_an_agent_is_nobodys_own() -> None:
    view = seen(person(Role.OPERATOR), agent="")
    assert [view[f] for f in ("caller_name", "recording", "transcript")] == [None] * 3


def test_unit_sees_what_was_dispatched_to_it_with_hidden_number_and_clean_words() -> None:
    view = seen(UNIT)
    assert [view[f] for f in ("caller", "contact_no", "recording", "transcript")] == [None] * 4
    assert view["caller_name"] == NAME
    assert project(ticket(lead_unit="水务局"), UNIT, NOW) is None
    assert project(ticket(lead_unit=""), person(Role.UNIT), NOW) is None


@pytest.mark.parametrize("protected", [{"confidential": True}, {"request_type": "report"}])
def test_unit_never_learns_who_reported_or_asked_for_confidence(protected: dict[str, Any]) -> None:
    """Whatever field: neither number nor name of the citizen appears in what the unit gets."""
    view = seen(UNIT, **protected)
    told = " ".join(str(value) for value in view.values())
    for secret in (CALLER, CONTACT, NAME, ADDRESS, "0717-1234567"):
        assert secret not in told


def test_expert_sees_own_calls_and_the_own_units_number_without_the_citizens_number() -> None:
    view = seen(EXPERT)
    assert [view[f] for f in ("caller", "contact_no", "caller_name", "recording")] == [None] * 4
    assert view["matter"] == TICKET.matter
    assert NAME not in str(seen(EXPERT, confidential=True)["matter"])
    assert project(TICKET, person(Role.EXPERT, agent="E7", unit="水务局"), NOW) is None
    assert seen(person(Role.EXPERT, agent="1001", unit="水务局"))["recording"] == "rec_1"
    assert project(ticket(owner_unit="", agent=""), person(Role.EXPERT), NOW) is None


def test_who_was_called_into_the_talk_reads_its_ticket_without_number_and_name() -> None:
    expert = person(Role.EXPERT, agent="8011")
    assert project(TICKET, expert, NOW) is None
    view = project(TICKET, expert, NOW, took_part=True)
    assert view is not None
    assert (view.matter, view.transcript) == (TICKET.matter, "tr_1")
    assert (view.caller, view.contact_no, view.caller_name, view.subject_name) == (None, None, None, None)
    secret = project(ticket(confidential=True), expert, NOW, took_part=True)
    assert secret is not None
    assert secret.matter is not None
    assert CALLER not in secret.matter
    assert NAME not in secret.matter


def test_conclusions_are_read_by_who_may_read_the_text() -> None:
    said = {"text": "凭租赁备案办理,电话 13812345678", "name": "周文"}
    line = HistoryLine(
        seq=2, at=NOW, action="concluded", actor="p", agent="8011", unit="中心", from_state="", to_state="", reason="",
        detail={"conclusion": said},
    )  # fmt: skip
    other = msgspec.structs.replace(line, action="edited", detail={"matter": ["", "x"]})

    def read(who: Principal, *, took_part: bool = False) -> list[str]:
        return [one.text for one in project_conclusions([other, line], TICKET, who, NOW, took_part=took_part)]

    assert read(person(Role.OPERATOR, agent="1001")) == [said["text"]]
    assert read(person(Role.EXPERT, agent="8011")) == []
    assert read(person(Role.EXPERT, agent="8011"), took_part=True) == [said["text"]]
    assert read(person(Role.AUDITOR)) == []
    assert read(person(Role.UNIT, unit="城管局")) == ["凭租赁备案办理,电话 " + "*" * 11]
    [shown] = project_conclusions([line], TICKET, person(Role.SUPERVISOR), NOW)
    assert (shown.agent, shown.name, shown.unit, shown.at) == ("8011", "周文", "中心", NOW)
    added = msgspec.structs.replace(line, action="supplemented")
    kinds = [one.is_supplement for one in project_conclusions([line, added], TICKET, person(Role.SUPERVISOR), NOW)]
    assert kinds == [False, True]
    assert project_history(line).fields == ["conclusion"]


def test_quality_staff_see_words_and_recordings_and_masked_people() -> None:
    view = seen(QA)
    assert (view["caller"], view["caller_name"], view["recording"]) == ("138****5678", "张**", "rec_1")
    assert seen(QA, confidential=True)["caller"] is None


def test_auditor_sees_that_it_exists_and_nothing_of_the_citizen() -> None:
    view = seen(person(Role.AUDITOR))
    people = ("caller", "contact_no", "caller_name", "subject_name", "subject_address", "recording", "transcript")
    assert all(view[field] is None for field in (*people, "matter", "demand", "event_process"))
    assert view["number"] == TICKET.number


def test_dispatcher_has_no_recording_and_supervisor_has() -> None:
    assert seen(person(Role.DISPATCHER))["recording"] is None
    assert seen(person(Role.DISPATCHER))["transcript"] == "tr_1"
    assert seen(person(Role.SUPERVISOR))["recording"] == "rec_1"


@pytest.mark.parametrize("role", list(Role))
def test_nobody_ever_gets_a_whole_number(role: Role) -> None:
    """Numbers are dialled by a click. Words are left out here: they are the citizen's own."""
    view = project(ticket(matter="", demand=""), person(role, agent="1001", unit="城管局"), NOW)
    told = "" if view is None else " ".join(str(value) for value in view.model_dump().values())
    assert CALLER not in told
    assert CONTACT not in told


def test_two_roles_see_the_more_of_each_field() -> None:
    both = project(TICKET, person(Role.AUDITOR, Role.QA), NOW)
    assert both == project(TICKET, QA, NOW)
    wide = seen(person(Role.QA, Role.DISPATCHER))
    assert (wide["caller_name"], wide["recording"]) == (NAME, "rec_1")


@given(
    st.frozensets(st.sampled_from(Role), min_size=1),
    st.sampled_from(["", "1001", "1002"]),
    st.sampled_from(["", "城管局", "住房公积金中心"]),
    st.sampled_from(["", "1001"]),
    st.sampled_from(["", "城管局"]),
)
def test_list_and_single_view_agree_on_what_exists(
    roles: frozenset[Role], agent: str, unit: str, own: str, lead: str
) -> None:
    who, row = person(*roles, agent=agent, unit=unit), ticket(agent=own, lead_unit=lead)
    within = scope(who)
    listed = within.everything or any(
        granted and granted == value
        for granted, value in ((within.agent, own), (within.owner_unit, row.owner_unit), (within.lead_unit, lead))
    )
    assert listed == may_know(row, who) == (project(row, who, NOW) is not None)


def test_sentence_stands_beside_the_text_or_instead_of_it() -> None:
    demo = seen(QA, transcript_label="演示模型", demo_model=True)
    assert (demo["transcript_label"], demo["transcript_note"], demo["demo_model"]) == ("演示模型", "", True)
    none = seen(QA, transcript_label="未安装", transcript_state=TranscriptState.NO_MODEL)
    assert (none["transcript_label"], none["transcript_note"]) == ("", "未安装")


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13812345678", "138****5678"),
        ("+8613812345678", "+86*******5678"),
        ("1234567890", "123***7890"),
        ("123456789", "*******89"),
        ("12345", "***45"),
        ("1234", "****"),
        ("", ""),
    ],
)
def test_middle_of_a_number_is_hidden(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@given(st.from_regex(r"[0-9]{1,16}", fullmatch=True))
def test_at_least_three_digits_are_hidden_and_the_length_stays(number: str) -> None:
    masked = mask_number(number)
    assert len(masked) == len(number)
    assert masked.count("*") >= min(3, len(number))


def test_names_keep_their_first_character() -> None:
    assert [mask_name(name) for name in ("", "张", "张三", "欧阳小明")] == ["", "*", "张*", "欧***"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("打 13812345678 找我", "打 *********** 找我"),
        ("身份证42050119900101123X。", "身份证******************。"),
        ("0717-1234567", "************"),
        ("138 1234 5678", "*************"),
        ("房号 1203，罚款 200 元", "房号 1203，罚款 200 元"),
        ("2026-02-14 20:00 起", "2026-02-14 20:00 起"),
        ("2026-02-145678", "**************"),
    ],
)
def test_words_for_units_hold_no_numbers_of_people(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_names_are_taken_out_of_the_words() -> None:
    assert clean("张小三说张小三的邻居", (NAME, "", "李")) == "张**说张**的邻居"


def test_history_names_fields_and_never_what_they_held() -> None:
    line = HistoryLine(seq=1, at=NOW, action="edited", agent="1001", detail={"contact_no": ["", CALLER]})
    view = project_history(line).model_dump()
    assert view["fields"] == ["contact_no"]
    assert CALLER not in str(view)


def test_callback_shows_a_masked_number() -> None:
    task = CallbackTask(id="c_1", call="call_1", caller=CALLER, reason=CallbackReason.MISSED, created_at=NOW)
    assert project_callback(task).caller == "138****5678"


# Numbers of tickets


def test_number_is_made_of_prefix_day_and_counter() -> None:
    assert NumberFormat("YC").number(date(2026, 2, 14), 7) == "YC2026021400007"
    assert NumberFormat("", "{date:%y}/{counter}").number(date(2026, 2, 14), 123456) == "26/123456"


@pytest.mark.parametrize("pattern", ["{counter}", "{date}", "", "{date}{counter}{caller}", "{date}{counter}{}"])
def test_pattern_that_repeats_numbers_or_names_something_else_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput):
        NumberFormat("", pattern)


def rating_of(role: Role, *lines: HistoryLine, agent: str = "") -> tuple[str, str] | None:
    who = Principal(person="p", name="P", roles=frozenset({role}), agent=agent, unit="住房公积金中心")
    found = project_rating(lines, TICKET, who)
    return None if found is None else (found.service, found.result)


def test_a_rating_is_for_quality_and_supervisors_and_who_answered() -> None:
    asked = HistoryLine(seq=1, at=NOW, action="rating_asked")
    service = HistoryLine(seq=2, at=NOW, action="rated", detail={"aspect": "service", "rating": "fair"})
    for role in (Role.QA, Role.SUPERVISOR, Role.DISPATCHER):
        assert rating_of(role, asked, service) == ("fair", "")
    for role in (Role.OPERATOR, Role.EXPERT, Role.UNIT, Role.AUDITOR):
        assert rating_of(role, asked, service, agent="1002") is None
    assert rating_of(Role.OPERATOR, asked, service, agent="1001") == ("fair", "")


def test_who_was_asked_and_said_nothing_is_told_apart_from_who_was_not_asked() -> None:
    assert rating_of(Role.QA, HistoryLine(seq=1, at=NOW, action="rating_asked")) == ("", "")
    assert rating_of(Role.QA, HistoryLine(seq=1, at=NOW, action="created")) is None
