"""The life of a ticket as a table: who may do what in which state, and where it leads. The table is the only way.

Pure. Time limits, units and what must be written down with a step live elsewhere; here is what may happen at all.
The system acts as well (a deadline passes, a rating comes by message): it is `None` among the roles.

    >>> step(State.DRAFT, Action.SUBMIT, {Role.OPERATOR})
    <State.REGISTERED: 'registered'>
"""

from collections.abc import Callable, Iterable, Set

import msgspec

from hotline.security import Role
from tickets.errors import NotYours, StepNotAllowed
from tickets.model import Action, State

DISPUTES = 3
"""After this many dispatches a return is not reviewed again but arbitrated."""

Actor = Role | None

_DESK = frozenset({Role.OPERATOR, Role.EXPERT, Role.SUPERVISOR})
_CENTRE = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
_LEAD = frozenset({Role.SUPERVISOR})
_UNIT = frozenset({Role.UNIT})
_CALLERS = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR})
_SYSTEM: frozenset[Actor] = frozenset({None})


class Facts(msgspec.Struct, frozen=True):
    """What some steps depend on besides the state."""

    designated: bool = False
    dispatch_count: int = 0
    contacted: bool = False
    """The unit has spoken to the citizen, and it is logged."""
    extended: bool = False
    """One extension was asked for already."""
    overdue: bool = False
    approvals: int = 0
    """How many people agreed, for steps that need two."""


NO_FACTS = Facts()


class Guard(msgspec.Struct, frozen=True):
    """A condition of a step, with the sentence for whoever does not meet it."""

    holds: Callable[[Facts], bool]
    otherwise: str


_RETURNABLE = Guard(lambda f: not f.designated, "The unit was designated; the ticket cannot be returned.")
_DISPUTED = Guard(lambda f: f.dispatch_count >= DISPUTES, "Arbitration needs a ticket that was dispatched three times.")
_UNDISPUTED = Guard(lambda f: f.dispatch_count < DISPUTES, "It was dispatched three times: bring it to arbitration.")
_EXTENSIBLE = Guard(
    lambda f: f.contacted and not f.extended and not f.overdue,
    "An extension needs contact with the citizen, can be asked for once, and only before the deadline.",
)
_TWO_AGREE = Guard(lambda f: f.approvals >= 2, "Two people have to agree that nothing new was said.")
_EVIDENCE = Guard(lambda f: f.contacted, "A reply needs logged contact with the citizen.")


class Rule(msgspec.Struct, frozen=True):
    """One row of the table."""

    state: State
    action: Action
    to: State
    actors: frozenset[Actor]
    needs_reason: bool = False
    """A reason code is written into the history with it."""
    guard: Guard | None = None


_S, _A = State, Action

RULES: tuple[Rule, ...] = (
    Rule(_S.DRAFT, _A.SUBMIT, _S.REGISTERED, _DESK),
    Rule(_S.DRAFT, _A.DISCARD, _S.DISCARDED, _DESK, needs_reason=True),
    Rule(_S.DISCARDED, _A.ARCHIVE, _S.ARCHIVED, _SYSTEM | _LEAD),
    Rule(_S.REGISTERED, _A.CLOSE_DIRECT, _S.CLOSED_DIRECT, _DESK),
    Rule(_S.REGISTERED, _A.TO_TRIAGE, _S.TRIAGE, _DESK | _CENTRE | _SYSTEM),
    Rule(_S.REGISTERED, _A.REFUSE, _S.NOT_ACCEPTED, _DESK, needs_reason=True),
    Rule(_S.REGISTERED, _A.HAND_OFF, _S.EMERGENCY_HANDOFF, _DESK),
    Rule(_S.REGISTERED, _A.MERGE, _S.MERGED, _DESK | _CENTRE, needs_reason=True),
    Rule(_S.CLOSED_DIRECT, _A.CALL_BACK, _S.CALLBACK, _SYSTEM | _CENTRE | {Role.QA}),
    Rule(_S.CLOSED_DIRECT, _A.REOPEN, _S.REOPENED, _CALLERS, needs_reason=True),
    Rule(_S.CLOSED_DIRECT, _A.ARCHIVE, _S.ARCHIVED, _SYSTEM),  # not drawn for a call-back
    Rule(_S.NOT_ACCEPTED, _A.ARCHIVE, _S.ARCHIVED, _SYSTEM | _LEAD),
    Rule(_S.NOT_ACCEPTED, _A.REOPEN, _S.REOPENED, _CALLERS, needs_reason=True),  # objection
    Rule(_S.EMERGENCY_HANDOFF, _A.TO_TRIAGE, _S.TRIAGE, _DESK | _CENTRE),  # a remainder is left
    Rule(_S.EMERGENCY_HANDOFF, _A.ARCHIVE, _S.ARCHIVED, _SYSTEM | _LEAD),  # on feedback
    Rule(_S.TRIAGE, _A.DISPATCH, _S.DISPATCHED, _CENTRE),
    Rule(_S.TRIAGE, _A.SEND_BACK, _S.BACK_TO_OPERATOR, _CENTRE, needs_reason=True),
    Rule(_S.TRIAGE, _A.ANSWER_FROM_KB, _S.KB_ANSWERED, _CENTRE),
    Rule(_S.TRIAGE, _A.ESCALATE, _S.ESCALATED_TRIAGE, _CENTRE, needs_reason=True),
    Rule(_S.TRIAGE, _A.SPLIT, _S.SPLIT, _CENTRE),
    Rule(_S.TRIAGE, _A.MERGE, _S.MERGED, _CENTRE, needs_reason=True),
    Rule(_S.TRIAGE, _A.TERMINATE, _S.REPEAT_TERMINATED, _CENTRE, needs_reason=True, guard=_TWO_AGREE),
    Rule(_S.BACK_TO_OPERATOR, _A.SUBMIT, _S.REGISTERED, _DESK),
    Rule(_S.KB_ANSWERED, _A.CLOSE_DIRECT, _S.CLOSED_DIRECT, _DESK),  # after the operator called back
    Rule(_S.ESCALATED_TRIAGE, _A.DISPATCH, _S.DISPATCHED, _LEAD),
    Rule(_S.ESCALATED_TRIAGE, _A.ARBITRATE, _S.ARBITRATION, _LEAD),
    Rule(_S.SPLIT, _A.ARCHIVE, _S.ARCHIVED, _SYSTEM),  # when its parts are archived
    Rule(_S.DISPATCHED, _A.ACCEPT, _S.ACCEPTED, _UNIT | _SYSTEM),  # the system at the deadline
    Rule(_S.DISPATCHED, _A.REQUEST_RETURN, _S.RETURN_REQUESTED, _UNIT, needs_reason=True, guard=_RETURNABLE),
    Rule(_S.RETURN_REQUESTED, _A.REVIEW_RETURN, _S.RETURN_REVIEW, _SYSTEM | _CENTRE),
    Rule(_S.RETURN_REVIEW, _A.UPHOLD_RETURN, _S.TRIAGE, _CENTRE, needs_reason=True, guard=_UNDISPUTED),
    Rule(_S.RETURN_REVIEW, _A.REJECT_RETURN, _S.ACCEPTED, _CENTRE, needs_reason=True),
    Rule(_S.RETURN_REVIEW, _A.ARBITRATE, _S.ARBITRATION, _CENTRE, guard=_DISPUTED),
    Rule(_S.ARBITRATION, _A.DESIGNATE, _S.DISPATCHED, _LEAD, needs_reason=True),
    Rule(_S.ACCEPTED, _A.START, _S.PROCESSING, _UNIT),
    Rule(_S.ACCEPTED, _A.SUB_DISPATCH, _S.SUB_DISPATCHED, _UNIT),
    Rule(_S.SUB_DISPATCHED, _A.START, _S.PROCESSING, _UNIT),
    Rule(_S.PROCESSING, _A.REPLY, _S.REPLIED, _UNIT, guard=_EVIDENCE),
    Rule(_S.PROCESSING, _A.REQUEST_EXTENSION, _S.EXTENSION_REVIEW, _UNIT, needs_reason=True, guard=_EXTENSIBLE),
    Rule(_S.PROCESSING, _A.ESCALATE_UP, _S.ESCALATED_UP, _UNIT | _LEAD, needs_reason=True),
    Rule(_S.EXTENSION_REVIEW, _A.DECIDE_EXTENSION, _S.PROCESSING, _CENTRE, needs_reason=True),
    Rule(_S.ESCALATED_UP, _A.TAKE_OVER, _S.PROCESSING, _UNIT | _LEAD),
    Rule(_S.REPLIED, _A.AUDIT, _S.AUDIT, _SYSTEM | _CENTRE),
    Rule(_S.AUDIT, _A.PASS_AUDIT, _S.CALLBACK, _CENTRE),
    Rule(_S.AUDIT, _A.FAIL_AUDIT, _S.PROCESSING, _CENTRE, needs_reason=True),
    Rule(_S.CALLBACK, _A.RATE, _S.CLOSED, _CALLERS | _SYSTEM),
    Rule(_S.CALLBACK, _A.REOPEN, _S.REOPENED, _CALLERS, needs_reason=True),  # unsatisfied and reasonable
    Rule(_S.CALLBACK, _A.GIVE_UP, _S.UNREACHABLE, _CALLERS | _SYSTEM),
    Rule(_S.UNREACHABLE, _A.RATE, _S.CLOSED, _SYSTEM | _CALLERS),  # by message, or not rated: counted apart
    Rule(_S.REOPENED, _A.DISPATCH, _S.DISPATCHED, _CENTRE),
    Rule(_S.CLOSED, _A.ARCHIVE, _S.ARCHIVED, _SYSTEM),
    Rule(_S.CLOSED, _A.APPEAL, _S.APPEAL, _UNIT, needs_reason=True),
    Rule(_S.CLOSED, _A.TERMINATE, _S.REPEAT_TERMINATED, _CENTRE, needs_reason=True, guard=_TWO_AGREE),
    Rule(_S.APPEAL, _A.DECIDE_APPEAL, _S.CLOSED, _CENTRE, needs_reason=True),
    Rule(_S.MERGED, _A.CALL_BACK, _S.CALLBACK, _SYSTEM),  # its parent passed the audit; the child has a caller too
    Rule(_S.REPEAT_TERMINATED, _A.ARCHIVE, _S.ARCHIVED, _SYSTEM | _LEAD),
    Rule(_S.REPEAT_TERMINATED, _A.REOPEN, _S.REOPENED, _CALLERS, needs_reason=True),  # a new fact
)

TABLE: dict[tuple[State, Action], Rule] = {(rule.state, rule.action): rule for rule in RULES}

EDITABLE: dict[State, frozenset[Role]] = {
    State.DRAFT: _DESK,
    State.BACK_TO_OPERATOR: _DESK,
    State.REGISTERED: _CENTRE,
    State.TRIAGE: _CENTRE,
}
"""In which states who may change the fields of the registration."""


def step(
    state: State,
    action: Action,
    actors: Set[Actor],
    facts: Facts = NO_FACTS,
    reason: str = "",
) -> State:
    """The state that `action` leads to for somebody with these roles (`{None}`: the system).

    Raises:
        StepNotAllowed: there is no such step from here, its condition does not hold, or a reason is missing.
        NotYours: none of the roles may take it.
    """
    rule = TABLE.get((state, action))
    if rule is None:
        raise StepNotAllowed(f"A ticket that is {state} has no step {action}.")
    if not actors & rule.actors:
        raise NotYours(f"The step {action} is not yours to take.")
    if rule.guard is not None and not rule.guard.holds(facts):
        raise StepNotAllowed(rule.guard.otherwise)
    if rule.needs_reason and not reason:
        raise StepNotAllowed(f"The step {action} needs a reason.")
    return rule.to


def steps(state: State, actors: Set[Actor], facts: Facts = NO_FACTS) -> list[Action]:
    """What somebody with these roles may do with a ticket in this state."""
    return [
        rule.action
        for rule in RULES
        if rule.state is state and actors & rule.actors and (rule.guard is None or rule.guard.holds(facts))
    ]


def reachable(start: State, rules: Iterable[Rule] = RULES) -> set[State]:
    """Every state that a ticket can come to from `start`."""
    seen, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for rule in rules:
            if rule.state is here and rule.to not in seen:
                seen.add(rule.to)
                waiting.append(rule.to)
    return seen
