"""Retention, the hash chain, the disk's alarm, and who may hear what."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from hotline.errors import BadInput
from hotline.security import Principal, Role
from recordings.disk import DiskWatch, Room, is_low, room
from recordings.integrity import GENESIS, Deed, Head, Link, broken, differences, next_link
from recordings.model import Channel, Party, Recording, RecordingState, Span
from recordings.retention import RetentionPolicy, Verdict
from recordings.visibility import OWN_FOR, audible, may_know, scope

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def recording(**changes: object) -> Recording:
    base = Recording(
        id="rec_1",
        call="call_1",
        folder="2026/02/14",
        state=RecordingState.CLOSED,
        opened_at=NOW,
        answered_at=NOW,
        ended_at=NOW,
        length_ms=60_000,
        size_bytes=44,
        sha256="ab",
        agents=("1001", "E7"),
        channels=(
            Channel(index=0, party=Party.CITIZEN, spans=(Span(0, 60_000),)),
            Channel(index=1, party=Party.OPERATOR, agent="1001", spans=(Span(0, 40_000),)),
            Channel(index=2, party=Party.EXPERT, agent="E7", spans=(Span(20_000, 30_000), Span(45_000, 60_000))),
        ),
    )
    return msgspec.structs.replace(base, **changes)


def person(*roles: Role, agent: str = "") -> Principal:
    return Principal(person="p", name="P", roles=frozenset(roles), agent=agent)


# Retention


def test_each_class_is_kept_for_its_own_days() -> None:
    policy = RetentionPolicy({"consultation": 180}, 1000)
    short = recording(retention_class="consultation")
    assert policy.verdict(short, NOW + 180 * DAY - timedelta(seconds=1)) is Verdict.KEEP
    assert policy.verdict(short, NOW + 180 * DAY) is Verdict.PURGE
    assert policy.verdict(recording(retention_class=""), NOW + 999 * DAY) is Verdict.KEEP
    assert policy.verdict(recording(retention_class="other"), NOW + 1000 * DAY) is Verdict.PURGE


def test_legal_hold_wins_over_every_age() -> None:
    assert RetentionPolicy().verdict(recording(legal_hold=True), NOW + 100_000 * DAY) is Verdict.HELD


@pytest.mark.parametrize("state", [RecordingState.OPEN, RecordingState.PENDING, RecordingState.PURGED])
def test_what_is_not_sealed_is_never_purged(state: RecordingState) -> None:
    assert RetentionPolicy().verdict(recording(state=state), NOW + 100_000 * DAY) is Verdict.KEEP


def test_time_is_counted_from_the_end_of_the_call() -> None:
    assert RetentionPolicy({}, 1).kept_until(recording(ended_at=NOW + DAY)) == NOW + 2 * DAY


def test_unclassified_is_kept_as_long_as_a_complaint() -> None:
    policy = RetentionPolicy()
    assert policy.keep_days("") == policy.keep_days("complaint") == 1095
    assert policy.keep_days("consultation") == 180
    assert policy.shortest == 180 * DAY


def test_policy_that_keeps_nothing_is_refused_with_every_mistake() -> None:
    with pytest.raises(BadInput) as caught:
        RetentionPolicy({"a": 0, "b": 5, "c": -1}, 0)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["a", "c", "default"]


# The chain


def links(count: int) -> list[Link]:
    made: list[Link] = []
    for number in range(count):
        head = Head(made[-1].seq, made[-1].hash) if made else None
        made.append(next_link(head, recording(id=f"rec_{number}", sha256=f"{number:02x}"), Deed.CLOSED, NOW))
    return made


def test_untouched_chain_holds_also_when_read_in_runs() -> None:
    chain = links(6)
    assert chain[0].previous == GENESIS
    assert list(broken(chain)) == []
    assert list(broken(chain[3:], Head(chain[2].seq, chain[2].hash))) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"body": links(3)[1].body.replace("01", "0f")}, "changed"),
        ({"hash": "f" * 64}, "changed"),
        ({"previous": "f" * 64}, "follow"),
        ({"recording": "rec_9"}, "another recording"),
    ],
)
def test_changed_link_is_found(change: dict[str, str], text: str) -> None:
    chain = links(4)
    chain[1] = msgspec.structs.replace(chain[1], **change)
    assert text in next(broken(chain))[1]


def test_link_rewritten_with_a_fitting_hash_breaks_the_next_one() -> None:
    chain = links(4)
    forged = next_link(Head(chain[0].seq, chain[0].hash), recording(id="rec_1", sha256="ee"), Deed.CLOSED, NOW)
    assert [link.seq for link, _ in broken([chain[0], forged, *chain[2:]])] == [3]


def test_removed_link_is_found() -> None:
    chain = links(4)
    assert "missing" in next(broken([chain[0], *chain[2:]]))[1]


def test_row_that_differs_from_its_link_is_named() -> None:
    link = next_link(None, recording(), Deed.CLOSED, NOW)
    assert differences(link, recording()) == []
    assert differences(link, recording(sha256="cd", length_ms=1)) == ["length_ms", "sha256"]
    shifted = NOW.astimezone(tz=__import__("zoneinfo").ZoneInfo("Asia/Shanghai"))
    assert differences(link, recording(answered_at=shifted)) == []


# The disk


def test_alarm_goes_on_below_the_floor_and_off_only_well_above_it() -> None:
    assert not is_low(Room(100, 1000), was_low=False, floor=100)
    assert is_low(Room(99, 1000), was_low=False, floor=100)
    assert is_low(Room(109, 1000), was_low=True, floor=100)
    assert not is_low(Room(110, 1000), was_low=True, floor=100)


async def test_watch_tells_changes_only() -> None:
    told: list[bool] = []
    free = iter([500, 50, 40, 105, 200, 300])
    watch = DiskWatch(Path(), lambda low, _: told.append(low), floor=100, measure=lambda _: Room(next(free), 1000))
    for _ in range(6):
        await watch.round()
    assert told == [True, False]


def test_room_of_a_folder_that_is_not_made_yet_is_that_of_its_volume(tmp_path: Path) -> None:
    assert room(tmp_path / "not" / "there").total == room(tmp_path).total


# Who may hear what


def test_operator_hears_the_own_call_for_a_day_and_no_other() -> None:
    mine, other = person(Role.OPERATOR, agent="1001"), person(Role.OPERATOR, agent="1002")
    before, after = NOW + OWN_FOR - timedelta(seconds=1), NOW + OWN_FOR
    assert audible(recording(), mine, before) == (Span(0, 60_000),)
    assert may_know(recording(), mine, before)
    assert audible(recording(), mine, after) == ()
    assert not may_know(recording(), mine, after)
    assert audible(recording(), other, before) == ()
    assert not may_know(recording(), other, before)


def test_expert_hears_only_what_was_joined() -> None:
    expert = person(Role.EXPERT, agent="E7")
    assert audible(recording(), expert, NOW + 100 * DAY) == (Span(20_000, 30_000), Span(45_000, 60_000))
    assert audible(recording(), person(Role.EXPERT, agent="E8"), NOW) == ()


def test_overlapping_stretches_of_an_expert_are_heard_once() -> None:
    channel = Channel(index=0, party=Party.EXPERT, agent="E7", spans=(Span(5, 9), Span(1, 6)))
    assert audible(recording(channels=(channel,)), person(Role.EXPERT, agent="E7"), NOW) == (Span(1, 9),)


@pytest.mark.parametrize("role", [Role.QA, Role.SUPERVISOR])
def test_quality_staff_and_supervisors_hear_everything(role: Role) -> None:
    assert audible(recording(), person(role), NOW + 100 * DAY) == (Span(0, 60_000),)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.QA, Role.SUPERVISOR}))
def test_without_an_agent_number_nobody_else_knows_of_any(role: Role) -> None:
    who = person(role)
    assert audible(recording(agents=("",)), who, NOW) == ()
    assert not may_know(recording(agents=("",)), who, NOW)
    assert not scope(who, NOW).everything
    assert scope(who, NOW).agent == ""


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.UNIT, Role.ADMINISTRATOR, Role.AUDITOR])
def test_other_roles_hear_nothing_even_of_calls_with_their_number(role: Role) -> None:
    who = person(role, agent="1001")
    assert audible(recording(), who, NOW) == ()
    assert not may_know(recording(), who, NOW)
    assert scope(who, NOW).agent == ""


def test_lists_are_cut_by_the_same_rules() -> None:
    assert scope(person(Role.QA, Role.OPERATOR, agent="1"), NOW).everything
    operator = scope(person(Role.OPERATOR, agent="1"), NOW)
    assert (operator.agent, operator.ended_after) == ("1", NOW - OWN_FOR)
    assert scope(person(Role.EXPERT, agent="1"), NOW).ended_after is None
