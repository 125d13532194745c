"""One node at a time: what is asked for, where it leads, and how it is written down."""

import msgspec
import pytest

from ivr.flow import (
    AnyNode,
    Collect,
    End,
    EndNode,
    EnterQueue,
    Failed,
    Flow,
    FlowRun,
    Gone,
    HoursNode,
    Input,
    Keys,
    MenuNode,
    Play,
    PlayNode,
    QueueNode,
    Silence,
    Started,
    Transfer,
    TransferNode,
    TransitionNode,
    Visit,
)
from ivr.interpreter import step
from ivr.model import SkillNeed
from tests.unit.ivr.test_interpreter import run_through

pytestmark = pytest.mark.unit

NOTICE = PlayNode(name="notice", prompts=("notice",), next="human")
HUMAN = QueueNode(name="human", queue="seats", needs=(SkillNeed("calm"),), priority=5, topic="lost")
PERSON = EnterQueue("seats", (SkillNeed("calm"),), 5, 20, "lost")


def run_at(*nodes: AnyNode, at: str = "", hour: int = 12, **entry: object) -> FlowRun:
    """A caller who stands at `at`, or just before the first node."""
    graph = {node.name: node for node in (*nodes, NOTICE, HUMAN)}
    flow = Flow(name="any", version="1", start=next(iter(graph)), human="human", nodes=graph)
    run = run_through(flow, hour)
    changed = msgspec.structs.replace(run.dialled.entry, **entry)
    return msgspec.structs.replace(run, dialled=msgspec.structs.replace(run.dialled, entry=changed), node=at)


def menu(otherwise: str = "", tries: int = 2) -> MenuNode:
    return MenuNode(
        name="menu",
        prompts=("menu", "{external}"),
        keys={"1": "notice"},
        timeout_s=3.5,
        again=("again",),
        otherwise=otherwise,
        tries=tries,
    )


def after(run: FlowRun, event: Input) -> tuple[str, tuple[Visit, ...], bool, object]:
    ended, action = step(run, event)  # type: ignore[arg-type]
    return ended.node, ended.path, ended.done, action


@pytest.mark.parametrize(
    ("event", "left"),
    [
        (Keys("0"), Visit("notice", "keys", "0")),
        (Keys("012"), Visit("notice", "keys", "0")),
        (Keys("7"), Visit("notice", "played")),
        (Keys(""), Visit("notice", "played")),
        (Silence(), Visit("notice", "played")),
        (Started(), Visit("notice", "played")),
        (Failed(), Visit("notice", "failed")),
    ],
)
def test_an_announcement_is_left_by_what_ended_it(event: Input, left: Visit) -> None:
    assert after(run_at(at="notice"), event) == ("human", (left,), True, PERSON)


def test_a_zero_in_an_announcement_skips_what_would_follow() -> None:
    first = PlayNode(name="first", prompts=("first",), next="notice")
    assert after(run_at(first, at="first"), Keys("0")) == ("human", (Visit("first", "keys", "0"),), True, PERSON)
    assert after(run_at(first, at="first"), Silence())[3] == Play(("notice",))


@pytest.mark.parametrize(
    ("event", "left"),
    [
        (Keys("0"), Visit("menu", "keys", "0")),
        (Keys("099"), Visit("menu", "keys", "0")),
        (Failed(), Visit("menu", "failed")),
    ],
)
def test_zero_and_failure_in_a_menu_lead_to_a_person_and_not_to_its_otherwise(event: Input, left: Visit) -> None:
    assert after(run_at(menu(otherwise="notice"), at="menu"), event) == ("human", (left,), True, PERSON)


@pytest.mark.parametrize("event", [Keys("1"), Keys("199")])
def test_the_first_key_chooses(event: Keys) -> None:
    taken = (Visit("menu", "keys", "1"),)
    assert after(run_at(menu(), at="menu"), event) == ("notice", taken, False, Play(("notice",)))


@pytest.mark.parametrize("event", [Silence(), Keys(""), Started()])
@pytest.mark.parametrize(("otherwise", "node"), [("notice", "notice"), ("", "human")])
def test_silence_goes_the_menus_own_way_or_to_a_person(event: Input, otherwise: str, node: str) -> None:
    expected = Play(("notice",)) if otherwise else PERSON
    silent = (Visit("menu", "silence"),)
    assert after(run_at(menu(otherwise=otherwise), at="menu"), event) == (node, silent, not otherwise, expected)


def test_an_unknown_key_is_asked_again_as_often_as_the_menu_says_and_never_more_than_three_times() -> None:
    for tries, asked in ((0, 0), (1, 0), (2, 1), (3, 2), (9, 2)):
        run = run_at(menu(tries=tries, otherwise="notice"), at="menu")
        for count in range(asked):
            run, action = step(run, Keys("9"))
            assert (run.node, run.misses, run.done) == ("menu", count + 1, False)
            assert action == Collect(("again", "menu", "12366"), 1, 3.5)
        assert after(run, Keys("9")) == ("notice", (Visit("menu", "misses"),), False, Play(("notice",)))
        assert step(run, Keys("9"))[0].misses == 0


@pytest.mark.parametrize(
    "node",
    [
        HUMAN,
        EndNode(name="end", reason="x"),
        HoursNode(name="hours", profile="p", open="notice", closed="notice"),
        TransitionNode(name="moved", during="notice", after="notice"),
    ],
    ids=["queue", "end", "hours", "transition"],
)
def test_whoever_stands_where_nobody_can_stand_reaches_a_person(node: AnyNode) -> None:
    left = (Visit(node.name, "failed"),)
    assert after(run_at(node, at=node.name), Silence()) == ("human", left, True, PERSON)


def test_whoever_stands_at_a_node_that_is_gone_reaches_a_person() -> None:
    assert after(run_at(at="gone"), Silence()) == ("human", (Visit("gone", "failed"),), True, PERSON)


def test_a_transfer_that_fails_goes_its_own_way() -> None:
    away = TransferNode(name="away", target="{external}", failed="notice", ring_s=7)
    assert after(run_at(away), Started()) == ("away", (), False, Transfer("12366", 7))
    assert after(run_at(away, at="away"), Failed())[:2] == ("notice", (Visit("away", "failed"),))
    nowhere = run_at(away, external="")
    assert after(nowhere, Started()) == ("notice", (Visit("away", "failed"),), False, Play(("notice",)))


def test_an_announcement_with_nothing_to_say_is_passed() -> None:
    mute = PlayNode(name="mute", prompts=("{external}", ""), next="notice")
    found = after(run_at(mute, external=""), Started())
    assert found == ("notice", (Visit("mute", "played"),), False, Play(("notice",)))


@pytest.mark.parametrize(("hour", "left", "node"), [(12, "open", "notice"), (22, "closed", "human")])
def test_hours_lead_apart(hour: int, left: str, node: str) -> None:
    hours = HoursNode(name="hours", profile="{hours}", open="notice", closed="human")
    assert after(run_at(hours, hour=hour), Started())[:2] == (node, (Visit("hours", left),))


@pytest.mark.parametrize(("during", "left", "node"), [(True, "during", "notice"), (False, "after", "human")])
def test_a_transition_leads_apart(during: bool, left: str, node: str) -> None:
    run = run_at(TransitionNode(name="moved", during="notice", after="human"))
    run = msgspec.structs.replace(run, dialled=msgspec.structs.replace(run.dialled, in_transition=during))
    assert after(run, Started())[:2] == (node, (Visit("moved", left),))


def test_a_menu_and_an_end_are_entered_with_their_prompts() -> None:
    assert after(run_at(menu()), Started()) == ("menu", (), False, Collect(("menu", "12366"), 1, 3.5))
    bye = EndNode(name="bye", reason="closed", prompts=("{number}", "bye"))
    assert after(run_at(bye), Started()) == ("bye", (), True, End("closed", ("12329", "bye")))


@pytest.mark.parametrize(
    ("text", "meant"), [("{number}", "12329"), ("{queue}", "q"), ("{hours}", "p"), ("{external}", "12366")]
)
def test_a_placeholder_means_the_dialled_numbers_own(text: str, meant: str) -> None:
    play = PlayNode(name="play", prompts=(f"a_{text}_b", "{other}"), next="human")
    assert after(run_at(play, queue="q"), Started())[3] == Play((f"a_{meant}_b", "{other}"))


def test_the_owners_skills_come_before_the_nodes_where_the_owner_comes_first() -> None:
    first = QueueNode(name="first", queue="{queue}", owner_first=True, needs=(SkillNeed("loan"),), topic="t")
    asked = EnterQueue("general", (SkillNeed("s"), SkillNeed("loan")), 0, 20, "t")
    assert after(run_at(first), Started()) == ("first", (), True, asked)
    plain = QueueNode(name="plain", queue="", topic="t")
    assert after(run_at(plain, priority=9), Started())[3] == EnterQueue("general", (), 9, 0, "t")


def test_a_flow_without_its_human_queue_still_ends_in_the_general_one() -> None:
    flow = Flow(name="any", version="1", start="x", human="notice", nodes={"notice": NOTICE})
    assert after(run_through(flow), Started()) == ("notice", (), True, EnterQueue("general"))


def test_a_circle_of_nodes_ends_at_a_person_after_so_many_visits() -> None:
    one = TransitionNode(name="one", during="two", after="two")
    two = TransitionNode(name="two", during="one", after="one")
    node, path, done, action = after(run_at(one, two), Started())
    assert (node, len(path), done, action) == ("human", 32, True, PERSON)


def test_a_hang_up_is_the_end_in_every_state_and_changes_nothing_else() -> None:
    for run in (run_at(), run_at(menu(), at="menu"), run_at(at="gone")):
        assert step(run, Gone()) == (msgspec.structs.replace(run, done=True), End("gone"))


def test_a_finished_run_answers_with_its_person_again_and_does_not_move() -> None:
    run = msgspec.structs.replace(run_at(menu(), at="menu"), done=True)
    assert step(run, Keys("1")) == (run, PERSON)
