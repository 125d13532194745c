"""What each fact changes in the floor's memory, and that it changes nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from acd import model as m
from acd.evolve import evolve
from acd.records import Offer, Seat, Waiting
from acd.state import Due, State, Stored

pytestmark = pytest.mark.unit

BORN = datetime(2026, 3, 2, 9, tzinfo=UTC)
BEFORE, NOW, THEN = (BORN + timedelta(minutes=minutes) for minutes in (1, 2, 3))
HOUSING, ENGLISH = (m.Need("housing", 2),), (m.Need("english"),)
RECIPE = (m.Step(after_s=20, needs=ENGLISH), m.Step(after_s=60))

SEAT = Seat(
    seat="s1",
    agent="8001",
    phone="p1",
    skills={"housing": 3},
    reachable=True,
    state=m.SeatState.TALKING,
    since=BORN,
    idle_since=BEFORE,
    until=THEN,
    reason="why",
    offer="o1",
    call="c9",
    unanswered=1,
    pause_asked="meal",
    leaving=True,
    leaving_reason="home",
)
CALL = Waiting(
    call="c1",
    queue="q",
    options=(HOUSING,),
    priority=5,
    arrived_at=BEFORE,
    number=0,
    recipe=RECIPE,
    refused={"s8": THEN, "s9": THEN},
    offer="o1",
)
OFFER = Offer(offer="o1", call="c1", seat="s1", phone="p1", since=BORN, expires_at=NOW, ends_at=THEN)
OTHER_SEAT = replace(SEAT, seat="s2", phone="p2", call="", offer="", state=m.SeatState.READY)
OTHER_CALL = replace(CALL, call="c2", number=1, offer="")
FULL = Stored(joined=2, seats=[SEAT, OTHER_SEAT], waiting=[CALL, OTHER_CALL], offers=[OFFER])


def after(fact: m.AnyFloorFact, before: Stored = FULL) -> Stored:
    state = State.of(before)
    evolve(state, fact)
    return state.stored()


def seat_with(**change: object) -> Stored:
    return replace(FULL, seats=[replace(SEAT, **change), OTHER_SEAT])


def call_with(**change: object) -> list[Waiting]:
    return [replace(CALL, **change), OTHER_CALL]


def changed(state: m.SeatState, previous: m.SeatState, **more: object) -> m.SeatChanged:
    return m.SeatChanged(at=NOW, seat="s1", state=state, previous=previous, **more)  # type: ignore[arg-type]


def test_a_new_seat_is_ready_and_idle_from_its_sign_in() -> None:
    fact = m.SignedIn(at=NOW, seat="s3", agent="8003", phone="p3", skills={"a": 1}, reachable=False)
    seat = Seat(seat="s3", agent="8003", phone="p3", skills={"a": 1}, reachable=False, since=NOW, idle_since=NOW)
    assert after(fact) == replace(FULL, seats=[SEAT, OTHER_SEAT, seat])


def test_a_second_sign_in_changes_who_sits_there_and_forgets_the_leaving() -> None:
    fact = m.SignedIn(at=NOW, seat="s1", agent="8003", phone="p3", skills={"a": 1}, reachable=False)
    assert after(fact) == seat_with(
        agent="8003", phone="p3", skills={"a": 1}, reachable=False, leaving=False, leaving_reason=""
    )


def test_a_seat_that_signed_out_is_gone() -> None:
    assert after(m.SignedOut(at=NOW, seat="s1")) == replace(FULL, seats=[OTHER_SEAT])


@pytest.mark.parametrize("previous", [m.SeatState.TALKING, m.SeatState.WRAP_UP, m.SeatState.READY])
def test_a_seat_that_becomes_ready_is_idle_from_then_on(previous: m.SeatState) -> None:
    assert after(changed(m.SeatState.READY, previous)) == seat_with(
        state=m.SeatState.READY, reason="", until=None, since=NOW, idle_since=NOW, pause_asked=""
    )


def test_a_seat_whose_offer_ended_keeps_its_turn_and_its_count() -> None:
    assert after(changed(m.SeatState.READY, m.SeatState.OFFERED)) == seat_with(
        state=m.SeatState.READY, reason="", until=None, since=NOW, pause_asked=""
    )


def test_a_return_from_pause_forgives_what_was_unanswered() -> None:
    assert after(changed(m.SeatState.READY, m.SeatState.PAUSED)) == seat_with(
        state=m.SeatState.READY, reason="", until=None, since=NOW, idle_since=NOW, pause_asked="", unanswered=0
    )


def test_a_pause_has_its_reason_and_forgets_that_it_was_asked_for() -> None:
    assert after(changed(m.SeatState.PAUSED, m.SeatState.PAUSED, reason="rest")) == seat_with(
        state=m.SeatState.PAUSED, reason="rest", until=None, since=NOW, pause_asked=""
    )


def test_a_wrap_up_has_its_end_and_keeps_the_pause_that_was_asked_for() -> None:
    assert after(changed(m.SeatState.WRAP_UP, m.SeatState.TALKING, until=NOW)) == seat_with(
        state=m.SeatState.WRAP_UP, reason="", until=NOW, since=NOW
    )


def test_the_same_state_for_the_same_reason_goes_on_since_it_began() -> None:
    assert after(changed(m.SeatState.TALKING, m.SeatState.TALKING, reason="why", until=NOW)) == seat_with(until=NOW)
    assert after(changed(m.SeatState.TALKING, m.SeatState.TALKING)) == seat_with(reason="", until=None, since=NOW)
    assert after(changed(m.SeatState.OFFERED, m.SeatState.TALKING, reason="why")) == seat_with(
        state=m.SeatState.OFFERED, until=None, since=NOW
    )


LATER = NOW + timedelta(minutes=9)
FOLDS: list[tuple[m.AnyFloorFact, Stored]] = [
    (m.ReachabilityChanged(at=NOW, phone="p1", reachable=False), seat_with(reachable=False)),
    (m.PauseAsked(at=NOW, seat="s1", reason="rest"), seat_with(pause_asked="rest")),
    (m.SignOutAsked(at=NOW, seat="s1", reason="late"), seat_with(leaving=True, leaving_reason="late")),
    (m.Finished(at=NOW, call="c9", seat="s1"), seat_with(call="")),
    (m.Adopted(at=NOW, call="c7", seat="s1"), seat_with(call="c7", unanswered=0, answered=1)),
    (m.LeftQueue(at=NOW, call="c1", reason=m.LeaveReason.FAILED, waited_s=1), replace(FULL, waiting=[OTHER_CALL])),
    (
        m.OfferWithdrawn(at=NOW, offer="o1", call="c1", seat="s1"),
        replace(seat_with(offer=""), waiting=call_with(offer=""), offers=[]),
    ),
    (
        m.Answered(at=NOW, offer="o1", call="c1", seat="s1", waited_s=1),
        replace(seat_with(offer="", call="c1", unanswered=0, answered=1), waiting=call_with(offer=""), offers=[]),
    ),
    (
        m.OfferRefused(
            at=NOW, offer="o1", call="c1", seat="s1", reason=m.RefuseReason.BUSY, retry_at=THEN + timedelta(1)
        ),
        replace(
            seat_with(offer="", idle_since=NOW, unanswered=2),
            waiting=call_with(offer="", refused={"s8": THEN, "s9": THEN, "s1": THEN + timedelta(1)}),
            offers=[],
        ),
    ),
    (
        m.OfferRefused(at=NOW, offer="o1", call="c1", seat="s1", reason=m.RefuseReason.BUSY),
        replace(seat_with(offer="", idle_since=NOW, unanswered=2), waiting=call_with(offer=""), offers=[]),
    ),
    (m.RetryAllowed(at=NOW, call="c1", seats=("s8", "x")), replace(FULL, waiting=call_with(refused={"s9": THEN}))),
    (
        m.Widened(at=NOW, call="c1", needs=ENGLISH),
        replace(FULL, waiting=call_with(options=(HOUSING, ENGLISH), recipe=RECIPE[1:])),
    ),
    (m.Widened(at=NOW, call="c1", needs=HOUSING), replace(FULL, waiting=call_with(recipe=RECIPE[1:]))),
    (
        m.Widened(at=NOW, call="c1", needs=HOUSING, step=1),
        replace(FULL, waiting=call_with(recipe=(*RECIPE[:1], *RECIPE[2:]))),
    ),
    (
        m.Raised(at=NOW, call="c1", by_s=7),
        replace(FULL, waiting=call_with(recipe=RECIPE[1:], priority=CALL.priority + 7)),
    ),
    (
        m.Prompted(at=NOW, call="c1", kind=m.StepKind.PROMPT, prompt="", ahead=0, estimate_s=None),
        replace(FULL, waiting=call_with(recipe=RECIPE[1:])),
    ),
    (
        m.Rerouted(at=NOW, call="c1", queue="r", needs=ENGLISH, priority=9),
        replace(FULL, waiting=call_with(queue="r", priority=9, options=(ENGLISH,), recipe=())),
    ),
    (
        m.Rerouted(at=NOW, call="c1", queue="r", needs=None, priority=9),
        replace(FULL, waiting=call_with(queue="r", priority=9)),
    ),
    (
        m.CallBackPromised(at=NOW, call="c1", not_before=LATER),
        replace(FULL, waiting=call_with(call_back=True, not_before=LATER)),
    ),
    (m.AbuseReported(at=NOW, seat="s1", call="c9", step=m.AbuseStep.WARNED), seat_with(abuse=m.AbuseStep.WARNED)),
    (m.TurnedAway(at=NOW, call="c1", queue="q", limit=1), FULL),
]


@pytest.mark.parametrize(("fact", "expected"), FOLDS, ids=[type(fact).__name__ for fact, _ in FOLDS])
def test_a_fact_changes_what_it_says_and_nothing_else(fact: m.AnyFloorFact, expected: Stored) -> None:
    assert after(fact) == expected


NOWHERE: list[m.AnyFloorFact] = [
    m.SignedOut(at=NOW, seat="x"),
    m.SeatChanged(at=NOW, seat="x", state=m.SeatState.READY, previous=m.SeatState.PAUSED),
    m.ReachabilityChanged(at=NOW, phone="x", reachable=False),
    m.PauseAsked(at=NOW, seat="x", reason="rest"),
    m.SignOutAsked(at=NOW, seat="x"),
    m.Widened(at=NOW, call="x", needs=ENGLISH),
    m.RetryAllowed(at=NOW, call="x", seats=("s8",)),
    m.OfferRefused(at=NOW, offer="x", call="x", seat="x", reason=m.RefuseReason.BUSY, retry_at=NOW),
    m.OfferWithdrawn(at=NOW, offer="x", call="c1", seat="x"),
    m.Answered(at=NOW, offer="x", call="x", seat="x", waited_s=1),
    m.LeftQueue(at=NOW, call="x", reason=m.LeaveReason.FAILED, waited_s=1),
    m.Finished(at=NOW, call="x", seat="x"),
    m.Adopted(at=NOW, call="x", seat="x"),
]


@pytest.mark.parametrize("fact", NOWHERE, ids=[type(fact).__name__ for fact in NOWHERE])
def test_a_fact_about_what_is_not_there_changes_nothing(fact: m.AnyFloorFact) -> None:
    assert after(fact) == FULL


def test_a_call_joins_with_its_demand_in_one_form_and_its_number() -> None:
    fact = m.Joined(
        at=NOW,
        call="c3",
        queue="q3",
        needs=(m.Need("b", 2), m.Need("a"), m.Need("b", 3)),
        priority=7,
        arrived_at=BEFORE,
        exclude=("s1", "s2"),
        retry_at=THEN,
        recipe=RECIPE,
    )
    waiting = Waiting(
        call="c3",
        queue="q3",
        options=((m.Need("a"), m.Need("b", 3)),),
        priority=7,
        arrived_at=BEFORE,
        number=2,
        recipe=RECIPE,
        refused={"s1": THEN, "s2": THEN},
    )
    assert after(fact) == replace(FULL, joined=3, waiting=[waiting, CALL, OTHER_CALL])
    forgotten = after(replace(fact, retry_at=None)).waiting[0]
    assert forgotten.refused == {"s1": NOW, "s2": NOW}


def test_an_offer_binds_its_call_and_its_seat() -> None:
    fact = m.Offered(at=NOW, offer="o2", call="c2", seat="s2", phone="p2", expires_at=NOW, ends_at=THEN)
    offer = Offer(offer="o2", call="c2", seat="s2", phone="p2", since=NOW, expires_at=NOW, ends_at=THEN)
    expected = Stored(
        joined=2,
        seats=[SEAT, replace(OTHER_SEAT, offer="o2")],
        waiting=[CALL, replace(OTHER_CALL, offer="o2")],
        offers=[OFFER, offer],
    )
    assert after(fact) == expected
    assert after(replace(fact, ends_at=None)).offers[1].ends_at == NOW
    lost = after(replace(fact, call="x", seat="x"))
    assert lost == replace(FULL, offers=[OFFER, replace(offer, call="x", seat="x")])


def test_what_ends_by_itself_stands_in_the_agenda_in_order() -> None:
    wrapping = replace(SEAT, state=m.SeatState.WRAP_UP, until=BEFORE)
    state = State.of(replace(FULL, seats=[wrapping, OTHER_SEAT]))
    retry = (THEN, Due.RETRY, "c2")
    widen = (BEFORE + timedelta(seconds=20), Due.STEP, "c2")
    assert list(state.agenda) == [(BEFORE, Due.WRAP_UP, "s1"), widen, (THEN, Due.OFFER, "o1"), retry]
    state.put_call("c2", replace(OTHER_CALL, refused={"s8": THEN, "s9": NOW}, recipe=()))
    assert list(state.agenda) == [(BEFORE, Due.WRAP_UP, "s1"), (NOW, Due.RETRY, "c2"), (THEN, Due.OFFER, "o1")]
    for endless in (replace(wrapping, until=None), replace(wrapping, state=m.SeatState.OFFERED)):
        state.put_seat("s1", endless)
        assert list(state.agenda) == [(NOW, Due.RETRY, "c2"), (THEN, Due.OFFER, "o1")]
    state.put_call("c2", None)
    state.put_offer("o1", None)
    assert list(state.agenda) == []


def _try(state: State) -> None:
    with state.trial():
        state.put_seat("s1", None)
        state.put_seat("s1", replace(SEAT, phone="p9"))
        state.put_seat("s3", replace(SEAT, seat="s3", phone="p3"))
        state.put_call("c1", None)
        state.put_call("c1", OTHER_CALL)
        state.put_call("c3", replace(CALL, call="c3"))
        state.put_offer("o1", None)
        state.put_offer("o2", replace(OFFER, offer="o2"))
        state.joined += 5
        raise RuntimeError("on the way")


def test_a_trial_leaves_no_trace_even_when_it_fails() -> None:
    state = State.of(FULL)
    agenda = list(state.agenda)
    with pytest.raises(RuntimeError, match="on the way"):
        _try(state)
    assert state.stored() == FULL
    assert list(state.agenda) == agenda
    assert state._undo is None, "what happens outside a trial is not kept for taking back"
    state.put_seat("s1", None)
    assert state.stored() == replace(FULL, seats=[OTHER_SEAT])


def test_a_checkpoint_does_not_depend_on_history() -> None:
    second = replace(OFFER, offer="o2")
    mixed = replace(FULL, seats=[OTHER_SEAT, SEAT], waiting=[OTHER_CALL, CALL], offers=[second, OFFER])
    assert State.of(mixed).stored() == replace(FULL, offers=[OFFER, second])
    assert State().stored() == Stored(joined=0, seats=[], waiting=[], offers=[])
