"""Who gets which call, when and why: choices of seats, preferred agents, several that ring, steps that speak, raise or
send on, a supervisor's hand, full queues. By example."""

from datetime import timedelta

import pytest

from acd import model as m
from tests.unit.acd.driver import Driver
from tests.unit.acd.hand import HOUSING, RULES, WRAP_UP, Hand, at, talking

pytestmark = pytest.mark.unit

LAW = (m.Need("law"),)
RAISE, OVERFLOW, POSITION, PROMPT = m.StepKind.RAISE, m.StepKind.OVERFLOW, m.StepKind.POSITION, m.StepKind.PROMPT


def with_rules(**changes: object) -> Driver:
    return Driver(m.Rules(**changes))  # type: ignore[arg-type]


# ---- whose turn it is -----------------------------------------------------------------------------------------------


def crew(choice: m.SeatChoice) -> Driver:
    """`wide` is idle for longest, `narrow` has one skill, `fresh` has answered nothing."""
    floor = with_rules(choice=choice, wrap_up=timedelta())
    floor.sign_in("wide", housing=1, law=1)
    floor.sign_in("narrow", housing=1)
    for seat, call in (("wide", "w"), ("narrow", "n")):
        floor.do(m.Adopt(seat=seat, call=call))
    for call in ("w", "n"):
        floor.after(10)
        floor.do(m.Finish(call=call))
    floor.after(10)
    floor.sign_in("fresh", housing=1, law=1)
    floor.after(10)
    return floor


@pytest.mark.parametrize(
    ("choice", "order"),
    [
        (m.SeatChoice.LONGEST_IDLE, ["wide", "narrow", "fresh"]),
        (m.SeatChoice.FEWEST_CALLS, ["fresh", "wide", "narrow"]),
        (m.SeatChoice.SPECIALIST_FIRST, ["narrow", "wide", "fresh"]),
    ],
)
def test_seats_get_calls_in_the_order_that_the_house_chose(choice: m.SeatChoice, order: list[str]) -> None:
    floor = crew(choice)
    for call in ("c1", "c2", "c3"):
        floor.join(call, "housing")
    assert [floor.rings_at(call) for call in ("c1", "c2", "c3")] == order


@pytest.mark.parametrize("choice", list(m.SeatChoice))
def test_seats_that_become_free_together_take_turns_by_the_same_choice(choice: m.SeatChoice) -> None:
    apart, together = crew(choice), crew(choice)
    for seat in ("wide", "narrow", "fresh"):
        together.do(m.Reachability(phone=f"phone-{seat}", reachable=False))
    for floor in (apart, together):
        for call in ("c1", "c2"):
            floor.join(call, "housing")
    for seat in ("wide", "narrow", "fresh"):
        together.do(m.Reachability(phone=f"phone-{seat}", reachable=True))
    assert [together.rings_at(call) for call in ("c1", "c2")] == ["wide", "narrow"]
    assert apart.rings_at("c1") != apart.rings_at("c2")


def test_another_choice_counts_from_the_next_call_on() -> None:
    floor = crew(m.SeatChoice.LONGEST_IDLE)
    before = floor.floor.dump()
    floor.floor.rules = m.Rules(choice=m.SeatChoice.SPECIALIST_FIRST)
    assert floor.floor.dump() == before
    floor.join("c1", "housing")
    assert floor.rings_at("c1") == "narrow"
    floor.floor.rules = m.Rules(choice=m.SeatChoice.SPECIALIST_FIRST, ring=timedelta(seconds=3))
    floor.join("c2", "housing")
    assert floor.last(m.Offered).expires_at == floor.now + timedelta(seconds=3)
    assert floor.rings_at("c2") == "wide"


def test_a_queue_with_a_choice_of_its_own_has_it_beside_the_others() -> None:
    floor = crew(m.SeatChoice.LONGEST_IDLE)
    floor.floor.rules = m.Rules(choices={"12329": m.SeatChoice.SPECIALIST_FIRST, "12348": m.SeatChoice.FEWEST_CALLS})
    floor.join("c1", "housing", queue="12329")
    assert floor.rings_at("c1") == "narrow"
    floor.join("c2", "housing", queue="12348")
    assert floor.rings_at("c2") == "fresh"
    floor.join("c3", "housing", queue="12345")
    assert floor.rings_at("c3") == "wide"


def test_seats_that_become_free_together_are_chosen_by_the_queue_of_each_call() -> None:
    floor = crew(m.SeatChoice.LONGEST_IDLE)
    floor.floor.rules = m.Rules(choices={"12329": m.SeatChoice.SPECIALIST_FIRST}, unanswered_limit=9)
    floor.join("several", "housing", queue="12345", ring=3)
    floor.join("c1", "housing", queue="12329")
    floor.join("c2", "housing", queue="12345")
    floor.do(m.Abandon(call="several"))
    assert (floor.rings_at("c1"), floor.rings_at("c2")) == ("narrow", "wide")


def test_a_seat_whose_turn_it_is_for_a_call_takes_an_earlier_one_that_only_it_can_take() -> None:
    floor = with_rules(choices={"12329": m.SeatChoice.SPECIALIST_FIRST})
    floor.sign_in("wide", housing=1, law=1)
    floor.after(1)
    floor.sign_in("narrow", housing=1)
    floor.join("several", "housing", ring=2)
    floor.after(1)
    floor.join("law", "law", queue="12345")
    floor.join("housing", "housing", queue="12345")
    floor.do(m.Abandon(call="several"))
    assert (floor.rings_at("law"), floor.rings_at("housing")) == ("wide", "narrow")


def test_calls_are_counted_from_the_sign_in_on() -> None:
    floor = crew(m.SeatChoice.FEWEST_CALLS)
    assert [seat.answered for seat in floor.floor.seats()] == [1, 1, 0]
    floor.do(m.SignOut(seat="wide"))
    floor.sign_in("wide", housing=1)
    assert floor.floor.seat("wide").answered == 0  # type: ignore[union-attr]


# ---- several demands, and preferred agents --------------------------------------------------------------------------


def test_one_of_several_demands_is_enough_and_the_first_is_preferred() -> None:
    floor = Driver()
    floor.sign_in("lawyer", law=1)
    floor.after(1)
    floor.sign_in("fund", housing=1)
    floor.join("c1", "housing", also=(LAW,))
    assert floor.rings_at("c1") == "fund"
    floor.join("c2", "housing", also=(LAW, HOUSING))
    assert floor.rings_at("c2") == "lawyer"
    assert floor.floor.call("c2").options == (HOUSING, LAW)  # type: ignore[union-attr]


def two_of_housing() -> Driver:
    floor = Driver()
    floor.sign_in("a", housing=1)
    floor.after(1)
    floor.sign_in("b", housing=1)
    return floor


def test_preferred_agent_gets_the_call_before_whoever_is_idle_for_longer() -> None:
    floor = two_of_housing()
    floor.join("c1", "housing", prefer=("b",))
    assert floor.rings_at("c1") == "b"


def test_preferred_agent_who_is_busy_is_not_waited_for_unless_it_was_asked_for() -> None:
    floor = two_of_housing()
    floor.do(m.Pause(seat="b", reason="rest"))
    floor.join("c1", "housing", prefer=("b",))
    assert floor.rings_at("c1") == "a"


def test_preferred_agent_is_waited_for_as_long_as_was_asked_and_no_longer() -> None:
    floor = two_of_housing()
    floor.do(m.Pause(seat="b", reason="rest"))
    floor.join("c1", "housing", prefer=("b",), prefer_s=20, recipe=(m.Step(after_s=60),), also=(LAW,))
    floor.after(19)
    assert floor.rings_at("c1") == ""
    floor.after(1)
    assert floor.rings_at("c1") == "a"
    own = m.Need("@b")
    assert floor.floor.call("c1").options == ((own, *HOUSING), (own, *LAW), HOUSING, LAW)  # type: ignore[union-attr]
    assert [step.after_s for step in floor.floor.call("c1").recipe] == [60]  # type: ignore[union-attr]


def test_preferred_agent_who_comes_back_in_time_has_the_call() -> None:
    floor = two_of_housing()
    floor.do(m.Pause(seat="b", reason="rest"))
    floor.join("c1", "housing", prefer=("b",), prefer_s=20)
    floor.after(10)
    floor.do(m.Resume(seat="b"))
    assert floor.rings_at("c1") == "b"


def test_preferred_agent_who_is_not_there_or_cannot_is_not_waited_for() -> None:
    floor = two_of_housing()
    floor.sign_in("lawyer", law=1)
    floor.join("c1", "housing", prefer=("gone", "lawyer"), prefer_s=20)
    assert floor.rings_at("c1") == "a"
    assert floor.last(m.Widened).nobody


def test_agent_is_known_by_the_agents_number_wherever_the_agent_sits() -> None:
    floor = two_of_housing()
    floor.do(m.SignIn(seat="desk7", agent="1007", phone="p7", skills={"housing": 1}))
    floor.join("c1", "housing", prefer=("1007",))
    assert floor.rings_at("c1") == "desk7"
    floor.do(m.SignIn(seat="desk7", agent="1008", phone="p7", skills={"housing": 1}))
    floor.join("c2", "housing", prefer=("1007",))
    assert floor.rings_at("c2") == "a"
    floor.refuse("c1")
    floor.join("c3", "housing", prefer=("1008",))
    assert floor.rings_at("c3") == "desk7"


# ---- several seats ring ---------------------------------------------------------------------------------------------


def experts(count: int = 4) -> Driver:
    floor = Driver()
    for number in range(1, count + 1):
        floor.sign_in(f"e{number}", law=1)
        floor.after(1)
    return floor


def rings(floor: Driver) -> dict[str, str]:
    return {offer.seat: offer.call for offer in floor.floor.offers()}


def test_several_ring_and_the_first_answer_wins() -> None:
    floor = experts()
    floor.join("c1", "law", ring=3)
    assert rings(floor) == {"e1": "c1", "e2": "c1", "e3": "c1"}
    offer = next(offer.offer for offer in floor.floor.offers() if offer.seat == "e2")
    facts = floor.do(m.Answer(offer=offer))
    assert [type(fact).__name__ for fact in facts] == [
        *("OfferWithdrawn", "OfferWithdrawn", "Answered", "LeftQueue"),
        *("SeatChanged", "SeatChanged", "SeatChanged"),
    ]
    assert [floor.state(f"e{number}") for number in (1, 2, 3, 4)] == ["ready", "talking", "ready", "ready"]
    assert rings(floor) == {}
    assert floor.do(m.Answer(offer="offer_1")) == ()


def test_no_more_ring_than_are_idle_and_nobody_joins_later() -> None:
    floor = experts(1)
    floor.join("c1", "law", ring=3)
    floor.sign_in("late", law=1)
    assert rings(floor) == {"e1": "c1"}
    floor.refuse("c1")
    assert rings(floor) == {"late": "c1"}


def test_call_rings_on_until_the_last_refuses_and_then_looks_again() -> None:
    floor = experts(2)
    floor.join("c1", "law", ring=2)
    floor.refuse("c1")
    assert rings(floor) == {"e2": "c1"}
    assert floor.state("e1") == "ready"
    floor.refuse("c1")
    assert rings(floor) == {}
    floor.after(10)
    assert rings(floor) == {"e1": "c1", "e2": "c1"}


def test_call_that_waits_goes_before_a_further_ring_of_another() -> None:
    floor = Driver()
    floor.sign_in("a", law=1, housing=1)
    floor.sign_in("b", law=1)
    floor.sign_in("idle", law=1)
    for seat in ("a", "b", "idle"):
        floor.do(m.Reachability(phone=f"phone-{seat}", reachable=False))
    floor.join("several", "law", ring=3)
    floor.after(1)
    floor.join("single", "housing")
    floor.do(m.Reachability(phone="phone-b", reachable=True))
    assert rings(floor) == {"b": "several"}
    floor.do(m.Reachability(phone="phone-a", reachable=True))
    assert rings(floor) == {"b": "several", "a": "single"}


def test_everything_that_rings_stops_when_the_caller_hangs_up() -> None:
    floor = experts(3)
    floor.join("c1", "law", ring=3)
    floor.do(m.Abandon(call="c1"))
    assert rings(floor) == {}
    assert floor.count(m.OfferWithdrawn) == 3
    assert [floor.state(f"e{number}") for number in (1, 2, 3)] == ["ready"] * 3


def test_talk_found_at_one_of_several_is_its_answer() -> None:
    floor = experts(3)
    floor.join("c1", "law", ring=2)
    floor.do(m.Adopt(seat="e2", call="c1"))
    assert [floor.state(f"e{number}") for number in (1, 2, 3)] == ["ready", "talking", "ready"]
    assert floor.count(m.Answered) == 1


def test_talk_found_elsewhere_silences_all_of_them() -> None:
    floor = experts(3)
    floor.join("c1", "law", ring=2)
    floor.do(m.Adopt(seat="e3", call="c1"))
    assert [floor.state(f"e{number}") for number in (1, 2, 3)] == ["ready", "ready", "talking"]


# ---- recipes --------------------------------------------------------------------------------------------------------


def test_recipe_widens_raises_speaks_and_sends_on_in_its_order() -> None:
    hand = Hand()
    hand.sign_in("expert", housing=5)
    hand.do(m.Pause(seat="expert", reason="rest"))
    recipe = (
        m.Step(after_s=5, needs=(m.Need("housing", 3),)),
        m.Step(after_s=10, does=RAISE, by_s=45),
        m.Step(after_s=15, does=PROMPT, prompt="storm"),
        m.Step(after_s=20, does=OVERFLOW, to="province"),
    )
    hand.join("c1", "housing:5", recipe=recipe)
    hand.facts.clear()
    hand.after(30)
    assert hand.facts == [
        m.Widened(at=at(5), call="c1", needs=(m.Need("housing", 3),)),
        m.Raised(at=at(10), call="c1", by_s=45),
        m.Prompted(at=at(15), call="c1", kind=PROMPT, prompt="storm", ahead=0, estimate_s=300),
        m.Prompted(at=at(20), call="c1", kind=OVERFLOW, prompt="", ahead=0, estimate_s=300, to="province"),
    ]


def test_raised_call_overtakes_who_came_before() -> None:
    floor = Driver()
    floor.join("c1", "housing")
    floor.after(10)
    floor.join("c2", "housing", recipe=(m.Step(after_s=5, does=RAISE, by_s=11),))
    floor.after(4)
    assert [call.call for call in floor.floor.waiting()] == ["c1", "c2"]
    floor.after(1)
    assert [call.call for call in floor.floor.waiting()] == ["c2", "c1"]
    floor.sign_in("a", housing=1)
    assert floor.rings_at("c2") == "a"


def test_place_and_estimated_wait_are_told() -> None:
    floor = with_rules(handling=timedelta(seconds=100))
    for seat in ("a", "b"):
        floor.sign_in(seat, housing=4, english=1)
        floor.do(m.Pause(seat=seat, reason="rest"))
    floor.sign_in("low", housing=2)
    floor.sign_in("english", english=1)
    for seat in ("low", "english"):
        floor.do(m.Pause(seat=seat, reason="rest"))
    floor.join("c1", "housing:3")
    floor.join("c2", "housing:3")
    floor.join("c3", "housing:3", recipe=(m.Step(after_s=30, does=POSITION),))
    floor.after(30)
    told = floor.last(m.Prompted)
    assert (told.ahead, told.estimate_s, told.prompt) == (2, 150, "")
    floor.join("c4", "housing:1", "english", recipe=(m.Step(after_s=1, does=POSITION),), also=(HOUSING,))
    floor.after(1)
    assert (floor.last(m.Prompted).ahead, floor.last(m.Prompted).estimate_s) == (0, 100 / 3)


def test_no_wait_is_estimated_when_nobody_is_there() -> None:
    floor = Driver()
    floor.join("c1", "housing", recipe=(m.Step(after_s=30, does=POSITION),))
    floor.after(30)
    assert (floor.last(m.Prompted).ahead, floor.last(m.Prompted).estimate_s) == (0, None)


def test_with_nobody_there_steps_that_speak_keep_their_time_and_those_that_help_do_not() -> None:
    floor = Driver()
    floor.sign_in("operator", general=1)
    wider = m.Step(after_s=60, needs=(m.Need("general"),))
    floor.join("c1", "housing", recipe=(m.Step(after_s=10, does=POSITION), wider))
    assert floor.rings_at("c1") == "operator"
    assert floor.last(m.Widened).step == 1
    assert [step.does for step in floor.floor.call("c1").recipe] == [POSITION]  # type: ignore[union-attr]


def test_with_nobody_there_at_all_another_centre_is_called_at_once_and_the_call_waits_on() -> None:
    floor = Driver()
    recipe = (m.Step(after_s=20, needs=LAW), m.Step(after_s=60, does=OVERFLOW, to="province"))
    floor.join("c1", "housing", recipe=recipe)
    assert floor.floor.call("c1") is not None
    assert (floor.last(m.Prompted).kind, floor.last(m.Prompted).to) == (OVERFLOW, "province")


def test_only_the_first_other_centre_is_called_before_its_time() -> None:
    floor = Driver()
    twice = (m.Step(after_s=60, does=OVERFLOW, to="province"), m.Step(after_s=90, does=OVERFLOW, to="country"))
    floor.join("c1", "housing", recipe=twice)
    floor.after(89)
    assert floor.count(m.Prompted) == 1
    floor.after(1)
    assert (floor.count(m.Prompted), floor.last(m.Prompted).to) == (2, "country")


def test_who_waits_while_another_centre_is_called_is_offered_like_anybody() -> None:
    floor = Driver()
    floor.join("c1", "housing", recipe=(m.Step(after_s=0, does=OVERFLOW, to="province"),))
    floor.sign_in("a", housing=1)
    assert floor.rings_at("c1") == "a"
    floor.do(m.Abandon(call="c1", reason=m.LeaveReason.OVERFLOWED, to="province"))
    assert (floor.last(m.LeftQueue).reason, floor.last(m.LeftQueue).to) == (m.LeaveReason.OVERFLOWED, "province")
    assert floor.state("a") == "ready"


def test_with_nobody_there_a_call_back_is_offered_before_the_call_is_sent_on() -> None:
    floor = Driver()
    offer = m.Step(after_s=10, does=m.StepKind.CALL_BACK)
    floor.join("c1", "housing", recipe=(offer, m.Step(after_s=60, does=OVERFLOW, to="province")))
    floor.after(9)
    assert floor.floor.call("c1") is not None
    floor.after(1)
    told = [fact.kind for fact in floor.facts if isinstance(fact, m.Prompted)]
    assert told == [m.StepKind.CALL_BACK, OVERFLOW]


# ---- a supervisor's hand --------------------------------------------------------------------------------------------


def test_rerouted_call_is_looked_at_anew_and_keeps_its_arrival() -> None:
    floor = Driver()
    floor.sign_in("lawyer", law=1)
    floor.sign_in("expert", housing=1)
    floor.do(m.Pause(seat="expert", reason="rest"))
    floor.join("c1", "housing", recipe=(m.Step(after_s=60),))
    floor.do(m.Reroute(call="c1", needs=LAW, queue="12348", priority=30))
    assert floor.rings_at("c1") == "lawyer"
    call = floor.floor.call("c1")
    assert call is not None
    assert (call.queue, call.options, call.priority, call.recipe) == ("12348", (LAW,), 30, ())
    assert floor.do(m.Reroute(call="c1", needs=HOUSING)) == (), "it rings: too late"


def test_reroute_changes_only_what_it_names() -> None:
    hand = Hand()
    hand.sign_in("expert", housing=1, law=1)
    hand.do(m.Pause(seat="expert", reason="rest"))
    hand.join("c1", "housing", priority=5, recipe=(m.Step(after_s=60),))
    assert hand.do(m.Reroute(call="c1", priority=9)) == (
        m.Rerouted(at=hand.now, call="c1", queue="q", needs=None, priority=9),
    )
    assert hand.do(m.Reroute(call="c1", queue="r")) == (
        m.Rerouted(at=hand.now, call="c1", queue="r", needs=None, priority=9),
    )
    assert len(hand.floor.call("c1").recipe) == 1  # type: ignore[union-attr]
    assert hand.do(m.Reroute(call="c1", needs=HOUSING)) == (
        m.Rerouted(at=hand.now, call="c1", queue="r", needs=HOUSING, priority=9),
    )
    assert hand.floor.call("c1").recipe == ()  # type: ignore[union-attr]
    for nothing in (
        m.Reroute(call="c1", needs=HOUSING, queue="r", priority=9),
        m.Reroute(call="c1"),
        m.Reroute(call="x", priority=1),
    ):
        assert hand.do(nothing) == ()
    assert hand.do(m.Reroute(call="c1", needs=LAW))
    assert hand.floor.call("c1").options == (LAW,)  # type: ignore[union-attr]


# ---- full queues ----------------------------------------------------------------------------------------------------


def test_full_queue_turns_callers_away_and_others_do_not() -> None:
    floor = with_rules(capacity=2, capacities={"wide": 3, "endless": 0})
    for queue, room in (("narrow", 2), ("wide", 3), ("endless", 5)):
        for number in range(5):
            floor.do(m.Join(call=f"{queue}{number}", queue=queue, needs=HOUSING, dialled="12345", called_at=at(-1)))
        assert sum(call.queue == queue for call in floor.floor.waiting()) == room
    assert next(fact for fact in floor.facts if isinstance(fact, m.TurnedAway)) == m.TurnedAway(
        at=floor.now, call="narrow2", queue="narrow", limit=2, called_at=at(-1), dialled="12345"
    )
    floor.do(m.Abandon(call="narrow0"))
    floor.do(m.Join(call="narrow2", queue="narrow", needs=HOUSING))
    assert floor.floor.call("narrow2") is not None


def test_call_that_rings_takes_room_and_one_that_is_answered_does_not() -> None:
    floor = with_rules(capacity=1)
    floor.sign_in("a")
    floor.join("c1")
    floor.join("c2")
    assert floor.floor.call("c2") is None
    floor.answer("c1")
    floor.join("c2")
    assert floor.floor.call("c2") is not None


def test_who_waited_or_talked_before_is_never_turned_away() -> None:
    floor = with_rules(capacity=1)
    floor.join("c1")
    floor.do(m.Join(call="c2", queue="q", returns=True))
    assert floor.floor.call("c2") is not None
    floor.join("c3")
    assert floor.floor.call("c3") is None


def test_repeated_join_of_a_call_that_waits_is_not_turned_away() -> None:
    floor = with_rules(capacity=1)
    floor.join("c1", "housing")
    assert floor.do(m.Join(call="c1", queue="q")) == ()


# ---- wrap-up --------------------------------------------------------------------------------------------------------


def wrapping_up() -> Hand:
    hand = talking()
    hand.do(m.Finish(call="c1"))
    return hand


def test_wrap_up_is_extended_so_often_and_no_more() -> None:
    hand = wrapping_up()
    ends = hand.now + RULES.wrap_up
    more = m.ExtendWrapUp(seat="a", by_s=60)
    for times in (1, 2):
        until = ends + timedelta(seconds=60 * times)
        assert hand.do(more) == (hand.changed("a", WRAP_UP, WRAP_UP, until=until),)
    assert hand.do(more) == ()
    hand.after(139)
    assert hand.state("a") == "wrap_up"
    hand.after(1)
    assert hand.state("a") == "ready"
    assert hand.floor.seat("a").extended == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(("seat", "by_s"), [("a", 0), ("a", -5), ("b", 60), ("x", 60)])
def test_only_a_wrap_up_is_extended_and_never_shortened(seat: str, by_s: float) -> None:
    assert wrapping_up().do(m.ExtendWrapUp(seat=seat, by_s=by_s)) == ()


def test_wrap_up_may_be_extended_by_half_a_second() -> None:
    hand = wrapping_up()
    hand.do(m.ExtendWrapUp(seat="a", by_s=0.5))
    assert hand.floor.seat("a").until == hand.now + RULES.wrap_up + timedelta(seconds=0.5)  # type: ignore[union-attr]


def test_next_wrap_up_may_be_extended_anew() -> None:
    hand = wrapping_up()
    for _ in range(2):
        hand.do(m.ExtendWrapUp(seat="a", by_s=5))
    hand.do(m.Adopt(seat="a", call="c2"))
    hand.do(m.Finish(call="c2"))
    assert hand.do(m.ExtendWrapUp(seat="a", by_s=5))


# ---- abuse -----------------------------------------------------------------------------------------------------------

WARNED, SUPERVISOR, ENDED = m.AbuseStep


def test_abuse_is_reported_step_by_step_and_the_seat_cools_down_afterwards() -> None:
    hand = talking()
    for step in (SUPERVISOR, ENDED):
        assert hand.do(m.ReportAbuse(seat="a", step=step)) == (), "not before the warning"
    assert hand.do(m.ReportAbuse(seat="a", step=WARNED, code="insult")) == (
        m.AbuseReported(at=hand.now, seat="a", call="c1", step=WARNED, code="insult"),
    )
    for step in (WARNED, ENDED):
        assert hand.do(m.ReportAbuse(seat="a", step=step)) == ()
    for step in (SUPERVISOR, ENDED):
        assert hand.do(m.ReportAbuse(seat="a", step=step))
    assert hand.do(m.ReportAbuse(seat="a", step=ENDED)) == ()
    hand.do(m.Finish(call="c1"))
    until = hand.now + timedelta(minutes=5)
    assert hand.last(m.SeatChanged) == hand.changed("a", WRAP_UP, m.SeatState.TALKING, until=until)
    assert hand.do(m.ReportAbuse(seat="a", step=WARNED)) == (), "it talks with nobody"


@pytest.mark.parametrize(("usual", "cool_down", "pause"), [(0, 300, 300), (400, 300, 400), (0, 0, 0)])
def test_cooling_down_is_never_shorter_than_a_wrap_up(usual: float, cool_down: float, pause: float) -> None:
    floor = with_rules(wrap_up=timedelta(seconds=usual), cool_down=timedelta(seconds=cool_down))
    floor.sign_in("a")
    floor.do(m.Adopt(seat="a", call="c1"))
    for step in m.AbuseStep:
        floor.do(m.ReportAbuse(seat="a", step=step))
    floor.do(m.Finish(call="c1"))
    if pause:
        assert floor.last(m.SeatChanged).until == floor.now + timedelta(seconds=pause)
    floor.after(pause)
    assert floor.state("a") == "ready"


def test_warning_alone_cools_nobody_down_and_the_next_citizen_is_innocent() -> None:
    hand = talking()
    hand.do(m.ReportAbuse(seat="a", step=WARNED))
    hand.do(m.Finish(call="c1"))
    assert hand.last(m.SeatChanged).until == hand.now + RULES.wrap_up
    hand.do(m.Adopt(seat="a", call="c2"))
    assert hand.floor.seat("a").abuse is None  # type: ignore[union-attr]
    assert hand.do(m.ReportAbuse(seat="a", step=WARNED))
    assert hand.do(m.ReportAbuse(seat="x", step=WARNED)) == ()
