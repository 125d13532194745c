"""What one event does to a call before its talk, word for word: every fact, every action, every field."""

from datetime import timedelta

import msgspec
import pytest

from acd.model import (
    Abandon,
    Answer,
    Answered,
    Finish,
    Join,
    Joined,
    Need,
    Offered,
    OfferRefused,
    OfferWithdrawn,
    Refuse,
    RefuseReason,
    Step,
)
from calls import events, script, several
from calls.events import (
    Begun,
    Collect,
    Decision,
    FloorSaid,
    HangUp,
    Hold,
    Listened,
    Play,
    Restarted,
    Ring,
    Tell,
    Wake,
)
from calls.model import CallState, Dismissed, Party, Phase, PickedUp, Queued, Ringing, TalkEnded, TalkStarted
from ivr.calendar import Calendar
from ivr.flow import AnyNode, EndNode, Flow, FlowRun, MenuNode, PlayNode, QueueNode, TransferNode
from ivr.model import DEFAULT_ENTRY, Dialled, SkillNeed, Via
from telephony.model import Collected, Heard, LineGone, OfferEndReason, SeatAnswered
from tests.unit.calls.phases import (
    ARRIVED,
    CITIZEN,
    HOUSE,
    NOW,
    OTHER,
    SEAT,
    call_in,
    decided,
    missed,
    offer_ended,
    queued,
    stepped,
)

pytestmark = pytest.mark.unit

WAITING = (Phase.QUEUED, Phase.RINGING)
LIVE = (Phase.ARRIVED, Phase.IN_IVR, *WAITING)


def run_of(*nodes: AnyNode, at: str = "") -> FlowRun:
    human = QueueNode(name="human", queue="general")
    graph: dict[str, AnyNode] = {node.name: node for node in (*nodes, human)}
    flow = Flow(name="test", version="1", start=next(iter(graph)), human="human", nodes=graph)
    dialled = Dialled(number="12329", entry=DEFAULT_ENTRY, declared=True, region="0717", via=Via.REQUEST)
    return FlowRun(flow=flow, dialled=dialled, at=ARRIVED, calendar=Calendar(), node=at)


# The flow --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Begun, Restarted])
def test_a_flow_that_begins_or_begins_again_asks_its_first_menu(kind: type[Begun | Restarted]) -> None:
    menu = MenuNode(name="menu", prompts=("menu", "more"), keys={"1": "human"}, timeout_s=3.5)
    decision = decided(call_in(Phase.ARRIVED), kind(run_of(menu)))
    assert decision.facts == (stepped("menu"),)
    assert decision.actions == (Collect(("menu", "more"), 1, timedelta(seconds=3.5)),)
    assert decision.run is not None
    assert decision.run.node == "menu"


def test_an_announcement_is_played_and_remembered() -> None:
    decision = decided(call_in(Phase.ARRIVED), Begun(run_of(PlayNode(name="notice", prompts=("one",), next="human"))))
    assert (decision.facts, decision.actions) == ((stepped("notice"),), (Play(("one",)),))
    assert decision.run is not None
    assert decision.run.node == "notice"


def test_a_queue_that_asks_for_nothing_needs_the_general_seats_and_then_anyone() -> None:
    call = call_in(Phase.ARRIVED)
    decision = decided(call, Begun(run_of()))
    assert decision.facts == (stepped("human"), queued())
    assert decision.actions == (Tell(several.join(call, queued())),)
    assert decision.run is not None
    assert decision.run.done


def test_the_owners_skill_is_asked_for_first_then_the_general_seats_then_anyone() -> None:
    needs = (SkillNeed(skill="fund", level=3),)
    owner = QueueNode(name="owner", queue="fund", needs=needs, priority=4, topic="loans")
    call = call_in(Phase.ARRIVED)
    decision = decided(call, Begun(run_of(owner)))
    widened = Step(after_s=20.0, needs=HOUSE.general)
    wanted = queued(
        queue="fund", needs=(Need("fund", 3),), priority=4, topic="loans", recipe=(widened, Step(after_s=50.0))
    )
    assert decision.facts == (stepped("owner"), wanted)
    assert decision.actions == (Tell(several.join(call, wanted)),)


def test_the_general_seats_are_never_asked_later_than_anyone() -> None:
    soon = msgspec.structs.replace(HOUSE, anyone_after=timedelta(seconds=1))
    owner = QueueNode(name="owner", queue="fund", needs=(SkillNeed(skill="fund", level=3),))
    entered = script.decide(call_in(Phase.ARRIVED), None, Begun(run_of(owner)), soon, NOW).facts[1]
    assert isinstance(entered, Queued)
    assert [one.after_s for one in entered.recipe] == [1.0, 1.0]


def test_joining_carries_the_place_of_the_queue_and_the_age_of_the_call() -> None:
    entered = queued(queue="fund", needs=(Need("fund", 3),), priority=4, topic="loans")
    assert several.join(call_in(Phase.ARRIVED), entered) == Join(
        call="c1",
        queue="fund",
        needs=(Need("fund", 3),),
        priority=4,
        recipe=entered.recipe,
        arrived_at=NOW,
        called_at=ARRIVED,
        dialled="12329",
    )


@pytest.mark.parametrize(("prompts", "last"), [(("closed",), Play(("closed",))), ((), HangUp(CITIZEN))])
def test_a_stated_end_says_its_prompt_or_hangs_up(prompts: tuple[str, ...], last: object) -> None:
    decision = decided(call_in(Phase.ARRIVED), Begun(run_of(EndNode(name="end", reason="office", prompts=prompts))))
    assert decision.facts == (stepped("end"), Dismissed(call="c1", at=NOW, reason="office"))
    assert decision.actions == (last,)
    assert decision.run is not None
    assert decision.run.done


def test_a_transfer_to_the_outside_goes_the_flows_own_way_on() -> None:
    """As long as no line to the outside can be dialled."""
    away = TransferNode(name="away", target="110", failed="farther")
    farther = TransferNode(name="farther", target="119", failed="notice")
    notice = PlayNode(name="notice", prompts=("sorry",), next="human")
    decision = decided(call_in(Phase.ARRIVED), Begun(run_of(away, farther, notice)))
    assert (decision.facts, decision.actions) == ((stepped("notice"),), (Play(("sorry",)),))


@pytest.mark.parametrize("phase", [Phase.ARRIVED, Phase.IN_IVR])
@pytest.mark.parametrize(
    ("collected", "node"),
    [(Collected(Heard.KEYS, "1"), "one"), (Collected(Heard.SILENCE), "quiet"), (Collected(Heard.FAILED), "human")],
)
def test_what_was_heard_leads_on_in_the_flow(phase: Phase, collected: Collected, node: str) -> None:
    menu = MenuNode(name="menu", prompts=("menu",), keys={"1": "one"}, otherwise="quiet")
    one = PlayNode(name="one", prompts=("one",), next="human")
    quiet = PlayNode(name="quiet", prompts=("quiet",), next="human")
    decision = decided(call_in(phase), Listened(collected), run_of(menu, one, quiet, at="menu"))
    assert decision.facts[0] == stepped(node)


@pytest.mark.parametrize("phase", [Phase.QUEUED, Phase.RINGING, Phase.TALKING])
def test_what_is_heard_outside_the_flow_changes_nothing(phase: Phase) -> None:
    run = run_of(MenuNode(name="menu", prompts=("menu",), keys={"1": "human"}), at="menu")
    assert decided(call_in(phase), Listened(Collected(Heard.KEYS, "1")), run) == script.NOTHING


@pytest.mark.parametrize("phase", [*LIVE, Phase.CLOSING])
def test_a_line_that_is_gone_is_not_listened_to(phase: Phase) -> None:
    assert decided(call_in(phase), Listened(Collected(Heard.GONE)), run_of()) == script.NOTHING


@pytest.mark.parametrize("phase", [Phase.ARRIVED, Phase.IN_IVR])
def test_what_is_heard_before_the_flow_is_known_changes_nothing(phase: Phase) -> None:
    assert decided(call_in(phase), Listened(Collected(Heard.KEYS, "1"))) == script.NOTHING


@pytest.mark.parametrize("run", [None, run_of()])
def test_the_last_prompt_is_followed_by_the_lines_end(run: FlowRun | None) -> None:
    over = Listened(Collected(Heard.SILENCE))
    assert decided(call_in(Phase.CLOSING), over, run) == Decision(actions=(HangUp(CITIZEN),))


# The floor -------------------------------------------------------------------------------------------------

JOINED = Joined(at=ARRIVED, call="c1", queue="general", needs=(), priority=0, arrived_at=ARRIVED)
OFFERED = Offered(at=ARRIVED, offer="o1", call="c1", seat="8001", phone="p1", expires_at=ARRIVED)
RUNG = Ringing(call="c1", at=NOW, offer="o1", seat="8001", phone="p1")


@pytest.mark.parametrize("phase", WAITING)
def test_an_offer_rings_at_its_phone(phase: Phase) -> None:
    decision = decided(call_in(phase, offer="o0", seat="8000"), FloorSaid((JOINED, OFFERED), "folder"))
    assert decision == Decision((RUNG,), (Ring((("o1", "p1"),), "folder"),))


@pytest.mark.parametrize("phase", [Phase.ARRIVED, Phase.IN_IVR, Phase.TALKING, Phase.CLOSING])
def test_an_offer_rings_for_nobody_who_does_not_wait(phase: Phase) -> None:
    assert decided(call_in(phase), FloorSaid((OFFERED,), "folder")) == script.NOTHING


def test_a_joined_call_hears_music() -> None:
    assert decided(call_in(Phase.QUEUED), FloorSaid((JOINED,))) == Decision(actions=(Hold(),))


def test_the_floor_may_have_nothing_to_say() -> None:
    assert decided(call_in(Phase.QUEUED), FloorSaid(())) == script.NOTHING


def test_a_refused_offer_is_missed_for_its_reason_and_means_music() -> None:
    refused = OfferRefused(at=ARRIVED, offer="o1", call="c1", seat="8001", reason=RefuseReason.BUSY)
    assert decided(call_in(Phase.RINGING), FloorSaid((refused,))) == Decision((missed("busy"),), (Hold(),))
    assert decided(call_in(Phase.RINGING, offer="o2"), FloorSaid((refused,))) == script.NOTHING


def test_a_withdrawn_offer_is_missed_and_means_music_while_it_rings() -> None:
    withdrawn = OfferWithdrawn(at=ARRIVED, offer="o1", call="c1", seat="8001")
    assert decided(call_in(Phase.RINGING), FloorSaid((withdrawn,))) == Decision((missed("withdrawn"),), (Hold(),))
    assert decided(call_in(Phase.RINGING, offer="o2"), FloorSaid((withdrawn,))) == script.NOTHING
    assert decided(call_in(Phase.TALKING), FloorSaid((withdrawn,))) == script.NOTHING


@pytest.mark.parametrize(("seat", "party"), [("8001", Party.OPERATOR), ("9001", Party.EXPERT)])
def test_an_answered_offer_starts_the_talk(seat: str, party: Party) -> None:
    answered = Answered(at=ARRIVED, offer="o1", call="c1", seat=seat, waited_s=1)
    started = TalkStarted(call="c1", at=NOW, offer="o1", seat=seat, agent=seat, party=party, tracks="folder")
    assert decided(call_in(Phase.RINGING), FloorSaid((answered,), "folder")) == Decision((started,))


def test_an_answer_to_another_offer_or_after_the_ringing_starts_nothing() -> None:
    answered = Answered(at=ARRIVED, offer="o1", call="c1", seat="8001", waited_s=1)
    assert decided(call_in(Phase.RINGING, offer="o2"), FloorSaid((answered,))) == script.NOTHING
    assert decided(call_in(Phase.TALKING), FloorSaid((answered,))) == script.NOTHING


# The seat's phone ------------------------------------------------------------------------------------------

PICKED = SeatAnswered(at=ARRIVED, offer="o1", line=CITIZEN, seat_line=SEAT)


def test_a_seat_that_picks_up_is_told_to_the_floor() -> None:
    picked = PickedUp(call="c1", at=NOW, offer="o1", seat_line=SEAT)
    assert decided(call_in(Phase.RINGING), PICKED) == Decision((picked,), (Tell(Answer(offer="o1")),))


@pytest.mark.parametrize(
    "call",
    [
        call_in(Phase.QUEUED, offer="o1"),
        call_in(Phase.TALKING, seat_line=OTHER),
        call_in(Phase.RINGING, offer="o2"),
        call_in(Phase.RINGING, seat_line=SEAT),
    ],
    ids=["nothing rings", "it talks", "another rings", "said before"],
)
def test_a_seat_that_picks_up_late_or_twice_changes_nothing(call: CallState) -> None:
    assert decided(call, PICKED) == script.NOTHING


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        (OfferEndReason.BUSY, RefuseReason.BUSY),
        (OfferEndReason.REJECTED, RefuseReason.REJECTED),
        (OfferEndReason.NO_ANSWER, RefuseReason.NO_ANSWER),
        (OfferEndReason.UNREACHABLE, RefuseReason.UNREACHABLE),
    ],
)
def test_a_phone_that_did_not_answer_refuses_for_its_reason(reason: OfferEndReason, refused: RefuseReason) -> None:
    told = Tell(Refuse(offer="o1", reason=refused))
    decision = decided(call_in(Phase.RINGING), offer_ended(reason))
    assert decision == Decision((missed(refused.value),), (told,))
    assert decided(call_in(Phase.RINGING), offer_ended(reason, "o2")) == script.NOTHING
    assert decided(call_in(Phase.QUEUED, offer="o1"), offer_ended(reason)) == script.NOTHING


def test_a_seat_whose_citizen_left_while_it_rang_has_refused_nothing() -> None:
    ringing = call_in(Phase.RINGING)
    assert decided(ringing, offer_ended(OfferEndReason.CANCELLED)) == script.NOTHING
    gone = decided(ringing, LineGone(at=ARRIVED, line=CITIZEN))
    assert Tell(Abandon(call="c1")) in gone.actions


def test_a_talk_without_its_beginning_is_answered_and_finished() -> None:
    answer, finish = Tell(Answer(offer="o1")), Tell(Finish(call="c1"))
    started = TalkStarted(call="c1", at=NOW, offer="o1", seat="8001", agent="8001")
    facts = (started, TalkEnded(call="c1", at=NOW, by=None))
    close = Wake(events.CLOSE, timedelta(seconds=7))
    ended = decided(call_in(Phase.RINGING), offer_ended(OfferEndReason.TALKED))
    assert ended == Decision(facts, (answer, finish, close))
