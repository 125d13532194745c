"""What callers meet: shipped flows by example, any flow under any keys by promise."""

from collections.abc import Callable
from datetime import date, datetime, time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.calendar import Calendar
from ivr.flow import (
    AnyNode,
    ClosedWay,
    Collect,
    End,
    EndNode,
    EnterQueue,
    Failed,
    Flow,
    FlowRun,
    Gone,
    HoursNode,
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
from ivr.interpreter import MAX_VISITS, step
from ivr.model import Catalogue, DayWindow, Entry, HoursProfile, MergeMode, SkillNeed
from ivr.numbers import ZONE, identify

pytestmark = pytest.mark.unit

Begin = Callable[..., FlowRun]
OPEN, CLOSED = "2026-11-23T10:00", "2026-02-14T20:00"


@pytest.fixture
def begin(demo: Catalogue, shipped_flows: dict[str, Flow], local: Callable[[str], datetime]) -> Begin:
    """A shipped number's run at a time."""

    def make(number: str, at: str = OPEN, **changed: object) -> FlowRun:
        dialled = identify(demo, number, "", (), local(at))
        entry = msgspec.structs.replace(dialled.entry, **changed)
        dialled = msgspec.structs.replace(dialled, entry=entry)
        calendar = Calendar(profiles=demo.profiles)
        return FlowRun(flow=shipped_flows[entry.flow_name], dialled=dialled, at=local(at), calendar=calendar)

    return make


def walk(run: FlowRun, *events: object) -> tuple[FlowRun, list[object]]:
    """Step with each event; everything that was asked for."""
    actions: list[object] = []
    for event in events:
        run, action = step(run, event)  # type: ignore[arg-type]
        actions.append(action)
    return run, actions


NOTICE = Play(("recording_notice",))
GENERAL = EnterQueue("general")


def test_12345_has_a_recording_notice_and_then_a_person(begin: Begin) -> None:
    run, actions = walk(begin("12345"), Started(), Silence())
    assert actions == [NOTICE, GENERAL]
    assert (run.done, run.node, run.path) == (True, "seats", (Visit("notice", "played"),))


def test_whole_number_tells_of_the_merger_until_the_transition_ends(begin: Begin) -> None:
    _, during = walk(begin("12336"), Started(), Silence(), Silence())
    assert during == [NOTICE, Play(("merged_12336",)), GENERAL]
    run = begin("12336")
    over = msgspec.structs.replace(run, dialled=msgspec.structs.replace(run.dialled, in_transition=False))
    _, after = walk(over, Started(), Silence())
    assert after == [NOTICE, GENERAL]


def test_dual_number_greets_with_its_brand_and_asks_for_the_owners_seats_first(begin: Begin) -> None:
    _, actions = walk(begin("12333"), Started(), Silence(), Silence())
    owner = EnterQueue("general", (SkillNeed("social_security"),), 0, 20)
    assert actions == [NOTICE, Play(("brand_12333",), cut=True), owner]


def test_dual_number_out_of_hours_goes_to_a_general_seat(begin: Begin) -> None:
    run, actions = walk(begin("12333", CLOSED, hours="office"), Started(), Silence(), Silence())
    assert actions == [NOTICE, Play(("out_of_hours",)), GENERAL]
    assert Visit("hours", "closed") in run.path


def test_sub_centre_without_a_trunk_is_taken_in_here(begin: Begin) -> None:
    _, actions = walk(begin("12366"), Started(), Silence(), Silence())
    assert actions == [NOTICE, Play(("taken_in_here",)), GENERAL]


def test_sub_centre_with_a_trunk_is_connected_and_taken_in_here_when_that_fails(begin: Begin) -> None:
    run, actions = walk(begin("12366", external="071712366"), Started(), Silence(), Failed(), Silence())
    assert actions == [NOTICE, Transfer("071712366", 25), Play(("taken_in_here",)), GENERAL]
    assert run.path[1] == Visit("connect", "failed")


def test_emergency_number_meets_no_prompt_and_goes_ahead_of_all(begin: Begin) -> None:
    _, actions = walk(begin("110"), Started())
    assert actions == [EnterQueue("general", (), 3600, 0, "emergency")]


def test_office_land_line_is_told_where_requests_go(begin: Begin) -> None:
    _, actions = walk(begin("0931-8772182"), Started(), Silence())
    assert actions == [Play(("recording_notice", "office_only")), GENERAL]


def test_undeclared_number_goes_the_way_of_12345(begin: Begin) -> None:
    _, actions = walk(begin("12399"), Started(), Silence())
    assert actions == [NOTICE, GENERAL]


FUND = (SkillNeed("housing_fund"),)
MENU = Collect(("menu_12329",), 1, 3.0)


@pytest.mark.parametrize(("key", "topic"), [("1", "deposit"), ("2", "withdrawal"), ("3", "loan"), ("0", "")])
def test_menu_key_leads_to_the_owners_seats_with_its_topic(begin: Begin, key: str, topic: str) -> None:
    run, actions = walk(begin("12329"), Started(), Silence(), Keys(key))
    assert actions == [NOTICE, MENU, EnterQueue("general", FUND, 0, 20, topic)]
    assert Visit("menu", "keys", key) in run.path


def test_silence_in_the_menu_leads_to_the_owners_seats_at_once(begin: Begin) -> None:
    for nothing in (Silence(), Keys("")):
        run, actions = walk(begin("12329"), Started(), Silence(), nothing)
        assert actions[-1] == EnterQueue("general", FUND, 0, 20)
        assert Visit("menu", "silence") in run.path


def test_unknown_key_is_asked_again_once_and_then_a_person_answers(begin: Begin) -> None:
    run, actions = walk(begin("12329"), Started(), Silence(), Keys("9"), Keys("#"))
    again = Collect(("try_again", "menu_12329"), 1, 3.0)
    assert actions == [NOTICE, MENU, again, EnterQueue("general", FUND, 0, 20)]
    assert Visit("menu", "misses") in run.path


def test_key_after_an_unknown_one_still_counts(begin: Begin) -> None:
    _, actions = walk(begin("12329"), Started(), Silence(), Keys("9"), Keys("2"))
    assert actions[-1] == EnterQueue("general", FUND, 0, 20, "withdrawal")


def test_only_the_first_of_many_keys_counts(begin: Begin) -> None:
    _, actions = walk(begin("12329"), Started(), Silence(), Keys("3" + "1" * 100))
    assert actions[-1] == EnterQueue("general", FUND, 0, 20, "loan")


def test_nobody_is_asked_anything_out_of_hours(begin: Begin) -> None:
    _, actions = walk(begin("12329", CLOSED), Started(), Silence(), Silence())
    assert actions == [NOTICE, Play(("out_of_hours",)), GENERAL]


def test_a_key_in_the_notice_answers_the_menu_that_follows(begin: Begin) -> None:
    run, actions = walk(begin("12329"), Started(), Keys("3"))
    assert actions == [NOTICE, EnterQueue("general", FUND, 0, 20, "loan")]
    assert run.path == (Visit("notice", "played"), Visit("hours", "open"), Visit("menu", "keys", "3"))


def test_zero_in_the_notice_reaches_a_person_at_once(begin: Begin) -> None:
    _, actions = walk(begin("12329"), Started(), Keys("03"))
    assert actions == [NOTICE, GENERAL]


def test_a_key_ahead_that_the_menu_does_not_know_costs_no_try(begin: Begin) -> None:
    run, actions = walk(begin("12329"), Started(), Keys("73"))
    assert isinstance(actions[-1], Collect)
    assert (run.typed, run.misses) == ("", 0)
    assert step(run, Keys("3"))[1] == EnterQueue("general", FUND, 0, 20, "loan")


def test_keys_ahead_lead_through_one_menu_after_the_other() -> None:
    run = run_of(
        {
            "a": PlayNode(name="a", prompts=("x",), next="b"),
            "b": PlayNode(name="b", prompts=("y",), next="c", cut=True),
            "c": MenuNode(name="c", prompts=("p",), keys={"1": "d"}),
            "d": MenuNode(name="d", prompts=("q",), keys={"2": "e", "1": "f"}),
            "e": EndNode(name="e", reason="both"),
            "f": EndNode(name="f", reason="wrong"),
        }
    )
    run, actions = walk(run, Started(), Keys("1"), Keys("2"))
    assert actions == [Play(("x",)), Play(("y",), cut=True), End("both")]
    assert run.typed == ""


def test_zero_ahead_of_a_menu_reaches_a_person() -> None:
    run = run_of(
        {
            "a": PlayNode(name="a", prompts=("x",), next="b"),
            "b": MenuNode(name="b", prompts=("p",), keys={"1": "c"}),
            "c": MenuNode(name="c", prompts=("q",), keys={"1": "d"}),
            "d": EndNode(name="d", reason="wrong"),
        }
    )
    run, actions = walk(run, Started(), Keys("10"))
    assert isinstance(actions[-1], EnterQueue)
    assert run.path[-1] == Visit("c", "keys", "0")


def test_menu_that_cannot_be_played_leads_to_a_person(begin: Begin) -> None:
    run, actions = walk(begin("12329"), Started(), Silence(), Failed())
    assert actions[-1] == GENERAL
    assert run.path[-1] == Visit("menu", "failed")


def test_announcement_that_cannot_be_played_is_skipped(begin: Begin) -> None:
    run, actions = walk(begin("12336"), Started(), Failed(), Failed())
    assert actions == [NOTICE, Play(("merged_12336",)), GENERAL]
    assert [visit.left_by for visit in run.path] == ["failed", "during", "failed"]


def test_zero_during_an_announcement_leads_to_a_person_at_once(begin: Begin) -> None:
    _, actions = walk(begin("12336"), Started(), Keys("0"))
    assert actions == [NOTICE, GENERAL]


def test_other_keys_during_an_announcement_change_nothing(begin: Begin) -> None:
    _, actions = walk(begin("12336"), Started(), Keys("5"))
    assert actions == [NOTICE, Play(("merged_12336",))]


def test_hanging_up_ends_the_flow_wherever_it_is(begin: Begin) -> None:
    for before in range(4):
        events = [Started(), Silence(), Silence(), Silence()][:before]
        run, actions = walk(begin("12329"), *events, Gone())
        assert actions[-1] == End("gone")
        assert run.done


def test_finished_run_stays_with_its_person(begin: Begin) -> None:
    run, _ = walk(begin("12345"), Started(), Silence())
    for event in (Failed(), Silence(), Keys("1"), Started()):
        again, action = step(run, event)
        assert (again, action) == (run, GENERAL)


def test_priority_is_the_higher_of_the_numbers_and_the_flows(begin: Begin) -> None:
    for own, higher in ((7200, 7200), (60, 3600)):
        _, action = step(begin("110", priority=own), Started())
        assert isinstance(action, EnterQueue)
        assert action.priority == higher


def test_queue_and_time_to_widen_are_the_numbers_own(begin: Begin) -> None:
    _, actions = walk(begin("12333", queue="elderly", widen_after_s=45), Started(), Silence(), Silence())
    last = actions[-1]
    assert isinstance(last, EnterQueue)
    assert (last.queue, last.widen_after_s) == ("elderly", 45)


def test_dual_track_is_dual_and_then_merged(begin: Begin) -> None:
    run = begin("12333", mode=MergeMode.DUAL_TRACK)
    _, during = walk(run, Started(), Silence(), Silence())
    assert during[1] == Play(("brand_12333",), cut=True)
    over = msgspec.structs.replace(run, dialled=msgspec.structs.replace(run.dialled, in_transition=False))
    _, after = walk(over, Started(), Silence())
    assert after == [NOTICE, GENERAL]


def test_end_is_stated_with_its_prompts() -> None:
    run, action = step(run_of({"a": EndNode(name="a", reason="closed", prompts=("bye",))}), Started())
    assert (action, run.done) == (End("closed", ("bye",)), True)


# ---- queues that have hours -----------------------------------------------------------------------------------------

SEATS: dict[str, AnyNode] = {"a": QueueNode(name="a", queue="q", owner_first=True, priority=60, topic="loan")}
SHUT = "daily 08:00-09:00"


def through(ways: dict[str, ClosedWay], hour: int = 12) -> list[object]:
    run = run_through(Flow(name="f", version="1", start="a", human="a", nodes=SEATS), hour, ways)
    return walk(run, Started(), Silence())[1]


def test_queue_outside_its_hours_says_so_and_sends_its_callers_on() -> None:
    way = {"q": ClosedWay("daily 08:00-18:00", "r", "closed")}
    meant = EnterQueue("q", (SkillNeed("s"),), 60, 20, "loan")
    assert through(way, 12)[0] == meant
    assert through(way, 18) == [Play(("closed",)), EnterQueue("r", (), 60, 0, "loan", instead_of="q")]
    assert through({"q": ClosedWay("p", "r")}, 22)[0] == EnterQueue("r", (), 60, 0, "loan", instead_of="q")
    assert through({"q": ClosedWay("gone", "r", "closed")}, 22)[0] == meant


def test_queues_that_send_to_each_other_end_with_the_general_one() -> None:
    ways = {"q": ClosedWay(SHUT, "r", "closed"), "r": ClosedWay(SHUT, "q", "later")}
    assert through(ways) == [Play(("closed", "later")), EnterQueue("general", (), 60, 0, "loan", instead_of="q")]
    ways["r"] = ClosedWay(SHUT, "s", "closed")
    assert through(ways) == [Play(("closed",)), EnterQueue("s", (), 60, 0, "loan", instead_of="q")]


def test_what_a_caller_has_heard_is_not_said_again() -> None:
    nodes: dict[str, AnyNode] = {"told": PlayNode(name="told", prompts=("closed",), next="a"), **SEATS}
    run = run_through(
        Flow(name="f", version="1", start="told", human="a", nodes=nodes), ways={"q": ClosedWay(SHUT, "r", "closed")}
    )
    _, actions = walk(run, Started(), Silence())
    assert actions == [Play(("closed",)), EnterQueue("r", (), 60, 0, "loan", instead_of="q")]


def test_who_is_sent_to_a_person_by_an_error_never_waits_in_a_closed_queue() -> None:
    nodes: dict[str, AnyNode] = {"b": MenuNode(name="b", prompts=("p",), keys={}), **SEATS}
    run = run_through(
        Flow(name="f", version="1", start="b", human="a", nodes=nodes), ways={"q": ClosedWay(SHUT, "r", "closed")}
    )
    _, actions = walk(run, Started(), Failed())
    assert actions[-1] == EnterQueue("r", (), 60, 0, "loan", instead_of="q")


NAMES = ("a", "b", "c", "d", "e", "nowhere")
TARGET = st.sampled_from(NAMES)
PROMPTS = st.lists(st.sampled_from(["p", "{number}", "{external}"]), max_size=2).map(tuple)
KEYS = st.dictionaries(st.sampled_from([*"0123456789*#"]), TARGET, max_size=4)


def nodes(name: str) -> st.SearchStrategy[object]:
    """Any node at all, also ones that the loader would refuse."""
    fixed = {"name": st.just(name)}
    return st.one_of(
        st.builds(PlayNode, **fixed, prompts=PROMPTS, next=TARGET),
        st.builds(
            MenuNode,
            **fixed,
            prompts=PROMPTS,
            keys=KEYS,
            tries=st.integers(0, 99),
            otherwise=st.sampled_from(["", *NAMES]),
        ),
        st.builds(HoursNode, **fixed, profile=st.sampled_from(["", "{hours}", "nobody"]), open=TARGET, closed=TARGET),
        st.builds(TransitionNode, **fixed, during=TARGET, after=TARGET),
        st.builds(
            QueueNode,
            **fixed,
            queue=st.sampled_from(["", "q", "{queue}"]),
            owner_first=st.booleans(),
            ask=st.sampled_from([(), (), ("who",)]),
        ),
        st.builds(TransferNode, **fixed, target=st.sampled_from(["", "{external}", "110"]), failed=TARGET),
        st.builds(EndNode, **fixed, reason=st.just("stated"), prompts=PROMPTS),
    )


FLOWS = st.builds(
    Flow,
    name=st.just("any"),
    version=st.just("1"),
    start=TARGET,
    human=TARGET,
    nodes=st.fixed_dictionaries({}, optional={name: nodes(name) for name in NAMES[:5]}),
)
EVENTS = st.one_of(
    st.just(Started()), st.just(Silence()), st.just(Failed()), st.text("0123456789*#ABCD", max_size=5).map(Keys)
)
ENTRY = Entry(number="12329", name="x", mode=MergeMode.DUAL, hours="p", external="12366", needs=(SkillNeed("s"),))
CALENDAR = Calendar(
    profiles=(HoursProfile(name="p", windows=(DayWindow(days=frozenset({"daily"}), start=time(8), end=time(18)),)),)
)


def run_of(described: dict[str, object], start: str = "a", human: str = "a") -> FlowRun:
    flow = Flow(name="any", version="1", start=start, human=human, nodes=described)  # type: ignore[arg-type]
    return run_through(flow)


WAYS = st.dictionaries(
    st.sampled_from(["q", "r", "general"]),
    st.builds(
        ClosedWay,
        hours=st.sampled_from(["p", "daily 08:00-18:00", "gone"]),
        to=st.sampled_from(["q", "r", "general"]),
        prompt=st.sampled_from(["", "p", "closed"]),
    ),
)


def run_through(flow: Flow, hour: int = 12, ways: dict[str, ClosedWay] | None = None) -> FlowRun:
    at = datetime.combine(date(2026, 11, 23), time(hour), ZONE)
    dialled = identify(Catalogue(home="0717", entries=(ENTRY,)), "12329", "", (), at)
    return FlowRun(flow=flow, dialled=dialled, at=at, calendar=CALENDAR, queues=ways or {})


@given(FLOWS, st.lists(EVENTS, min_size=1, max_size=200), st.sampled_from([12, 22]), WAYS)
def test_any_flow_under_any_keys_reaches_a_person_or_a_stated_end_in_bounded_steps(
    flow: Flow, events: list[object], hour: int, ways: dict[str, ClosedWay]
) -> None:
    run, steps = run_through(flow, hour, ways), 0
    action: object = None
    endless = (event for _ in range(1000) for event in [*events, Silence()])
    while not isinstance(action, EnterQueue | End):
        run, action = step(run, next(endless))  # type: ignore[arg-type]
        steps += 1
        assert steps <= 3 * MAX_VISITS + 1
    assert run.done
    if isinstance(action, EnterQueue):
        assert action.queue
        way = ways.get(action.queue)
        is_open = way is None or hour == 12 or way.hours == "gone" or action.queue == "general"
        assert is_open, "nobody waits in a queue that is closed"


@given(FLOWS, st.lists(EVENTS, max_size=20), st.sampled_from([Keys("0"), Failed(), Silence()]), WAYS)
def test_zero_error_and_silence_never_end_a_call_but_where_the_flow_states_an_end(
    flow: Flow, events: list[object], then: object, ways: dict[str, ClosedWay]
) -> None:
    run, _ = walk(run_through(flow, 22, ways), *events)
    while not run.done:
        run, action = step(run, then)  # type: ignore[arg-type]
        if isinstance(action, End):
            assert isinstance(flow.nodes[run.node], EndNode)
            assert action.reason == "stated"


@given(FLOWS, st.lists(EVENTS, max_size=20))
def test_the_same_events_give_the_same_way(flow: Flow, events: list[object]) -> None:
    assert walk(run_through(flow), *events) == walk(run_through(flow), *events)


@given(data=st.data())
def test_every_shipped_flow_ends_at_a_person_under_any_keys(
    data: st.DataObject, shipped_flows: dict[str, Flow]
) -> None:
    flow = data.draw(st.sampled_from(sorted(shipped_flows)).map(shipped_flows.__getitem__))
    run, action, steps = run_through(flow, data.draw(st.sampled_from([12, 22]))), None, 0
    while not run.done:
        event = Started() if action is None else data.draw(EVENTS)
        run, action = step(run, event)
        steps += 1
    assert isinstance(action, EnterQueue)
    assert steps <= 6
