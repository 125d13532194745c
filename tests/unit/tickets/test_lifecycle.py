"""The table is the only way; it leads every ticket into the archive; conditions and roles hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import Conflict, NotAllowed
from hotline.security import Role
from tickets.errors import NotYours, StepNotAllowed
from tickets.lifecycle import EDITABLE, RULES, TABLE, Facts, reachable, step, steps
from tickets.model import Action, State

pytestmark = pytest.mark.unit

EVERYBODY = frozenset({*Role, None})
GENEROUS = Facts(contacted=True, approvals=2)

DOMAIN = {
    State.DRAFT: {State.REGISTERED, State.DISCARDED},
    State.REGISTERED: {
        State.CLOSED_DIRECT, State.TRIAGE, State.NOT_ACCEPTED, State.EMERGENCY_HANDOFF, State.MERGED
    },
    State.CLOSED_DIRECT: {State.CALLBACK, State.REOPENED, State.ARCHIVED},
    State.NOT_ACCEPTED: {State.ARCHIVED, State.REOPENED},
    State.EMERGENCY_HANDOFF: {State.TRIAGE, State.ARCHIVED},
    State.TRIAGE: {
        State.DISPATCHED, State.BACK_TO_OPERATOR, State.KB_ANSWERED, State.ESCALATED_TRIAGE, State.SPLIT,
        State.MERGED, State.REPEAT_TERMINATED,
    },
    State.BACK_TO_OPERATOR: {State.REGISTERED},
    State.KB_ANSWERED: {State.CLOSED_DIRECT},
    State.ESCALATED_TRIAGE: {State.DISPATCHED, State.ARBITRATION},
    State.DISPATCHED: {State.ACCEPTED, State.RETURN_REQUESTED},
    State.RETURN_REQUESTED: {State.RETURN_REVIEW},
    State.RETURN_REVIEW: {State.TRIAGE, State.ACCEPTED, State.ARBITRATION},
    State.ARBITRATION: {State.DISPATCHED},
    State.ACCEPTED: {State.PROCESSING, State.SUB_DISPATCHED},
    State.SUB_DISPATCHED: {State.PROCESSING},
    State.PROCESSING: {State.REPLIED, State.EXTENSION_REVIEW, State.ESCALATED_UP},
    State.EXTENSION_REVIEW: {State.PROCESSING},
    State.ESCALATED_UP: {State.PROCESSING},
    State.REPLIED: {State.AUDIT},
    State.AUDIT: {State.CALLBACK, State.PROCESSING},
    State.CALLBACK: {State.CLOSED, State.REOPENED, State.UNREACHABLE},
    State.UNREACHABLE: {State.CLOSED},
    State.REOPENED: {State.DISPATCHED},
    State.CLOSED: {State.ARCHIVED, State.APPEAL, State.REPEAT_TERMINATED},
    State.APPEAL: {State.CLOSED},
    State.MERGED: {State.CALLBACK},
    State.REPEAT_TERMINATED: {State.ARCHIVED, State.REOPENED},
    State.DISCARDED: {State.ARCHIVED},
    State.SPLIT: {State.ARCHIVED},
    State.ARCHIVED: set(),
}  # fmt: skip


def test_table_is_the_one_of_the_domain() -> None:
    assert {state: {rule.to for rule in RULES if rule.state is state} for state in State} == DOMAIN


@pytest.mark.parametrize("state", list(State))
def test_every_state_can_reach_the_archive(state: State) -> None:
    assert State.ARCHIVED in reachable(state)


def test_every_state_can_be_reached_from_the_draft() -> None:
    assert reachable(State.DRAFT) == set(State)


def test_reachable_sees_a_dead_end() -> None:
    without = [rule for rule in RULES if rule.state is not State.APPEAL]
    assert reachable(State.APPEAL, without) == {State.APPEAL}


def test_no_step_has_two_meanings_and_somebody_may_take_each() -> None:
    assert len(TABLE) == len(RULES)
    assert all(rule.actors for rule in RULES)
    assert {rule.action for rule in RULES} == set(Action)


@given(st.sampled_from(State), st.sampled_from(Action), st.frozensets(st.sampled_from([*Role, None])), st.booleans())
def test_table_is_the_only_way(state: State, action: Action, actors: frozenset[Role | None], reason: bool) -> None:
    rule = next((rule for rule in RULES if (rule.state, rule.action) == (state, action)), None)
    try:
        to = step(state, action, actors, GENEROUS, "code" if reason else "")
    except StepNotAllowed:
        held = rule is not None and (rule.guard is None or rule.guard.holds(GENEROUS))
        assert not held or (rule is not None and rule.needs_reason and not reason)
    except NotYours:
        assert rule is not None
        assert not actors & rule.actors
    else:
        assert rule is not None
        assert to is rule.to
        assert actors & rule.actors
        assert reason or not rule.needs_reason
        assert action in steps(state, actors, GENEROUS)


def test_errors_say_whose_move_it_is() -> None:
    with pytest.raises(Conflict):
        step(State.CLOSED, Action.SUBMIT, EVERYBODY)
    with pytest.raises(NotAllowed):
        step(State.DRAFT, Action.SUBMIT, {Role.UNIT})


@pytest.mark.parametrize(
    ("state", "action", "good", "bad"),
    [
        (State.DISPATCHED, Action.REQUEST_RETURN, Facts(), Facts(designated=True)),
        (State.RETURN_REVIEW, Action.UPHOLD_RETURN, Facts(dispatch_count=2), Facts(dispatch_count=3)),
        (State.RETURN_REVIEW, Action.ARBITRATE, Facts(dispatch_count=3), Facts(dispatch_count=2)),
        (State.PROCESSING, Action.REPLY, Facts(contacted=True), Facts()),
        (State.PROCESSING, Action.REQUEST_EXTENSION, Facts(contacted=True), Facts()),
        (State.PROCESSING, Action.REQUEST_EXTENSION, Facts(contacted=True), Facts(contacted=True, extended=True)),
        (State.PROCESSING, Action.REQUEST_EXTENSION, Facts(contacted=True), Facts(contacted=True, overdue=True)),
        (State.CLOSED, Action.TERMINATE, Facts(approvals=2), Facts(approvals=1)),
        (State.TRIAGE, Action.TERMINATE, Facts(approvals=2), Facts(approvals=1)),
    ],
)
def test_condition_of_a_step_holds(state: State, action: Action, good: Facts, bad: Facts) -> None:
    step(state, action, EVERYBODY, good, "code")
    assert action in steps(state, EVERYBODY, good)
    with pytest.raises(StepNotAllowed):
        step(state, action, EVERYBODY, bad, "code")
    assert action not in steps(state, EVERYBODY, bad)


@pytest.mark.parametrize(("state", "action"), [(rule.state, rule.action) for rule in RULES if rule.needs_reason])
def test_step_that_somebody_may_question_needs_a_reason(state: State, action: Action) -> None:
    facts = Facts(contacted=True, approvals=2)
    with pytest.raises(StepNotAllowed, match="reason"):
        step(state, action, EVERYBODY, facts)


def test_who_may_do_what_in_the_first_states() -> None:
    submit = {role for role in Role if Action.SUBMIT in steps(State.DRAFT, {role})}
    assert submit == {Role.OPERATOR, Role.EXPERT, Role.SUPERVISOR}
    dispatch = {role for role in Role if Action.DISPATCH in steps(State.TRIAGE, {role})}
    assert dispatch == {Role.DISPATCHER, Role.SUPERVISOR}
    accept = {role for role in [*Role, None] if Action.ACCEPT in steps(State.DISPATCHED, {role})}
    assert accept == {Role.UNIT, None}
    for role in (Role.AUDITOR, Role.ADMINISTRATOR):
        assert not any(steps(state, {role}, GENEROUS) for state in State)


def test_registration_changes_only_before_it_is_dispatched() -> None:
    assert set(EDITABLE) == {State.DRAFT, State.BACK_TO_OPERATOR, State.REGISTERED, State.TRIAGE}
    assert Role.OPERATOR not in EDITABLE[State.REGISTERED]
