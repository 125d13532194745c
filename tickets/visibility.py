"""Who sees what of a ticket: rows, and within a row the citizen's number, name, words, recording and transcript. Pure.

The source is `domain.md` 6.2. Every exit of a ticket (screen, list, export) goes through `project`.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import IntEnum

import msgspec
from pydantic import BaseModel

from hotline.security import Principal, Role
from tickets.classification import PROTECTED_TYPE
from tickets.model import (
    CONCLUDED,
    CONCLUSION,
    RATED,
    RATING_ASKED,
    SUPPLEMENTED,
    CallbackTask,
    CallbackTry,
    HistoryLine,
    State,
    Ticket,
    TranscriptState,
    Urgency,
)

OWN_FOR = timedelta(hours=24)
"""How long operators may listen to their own calls; the rule of recordings, repeated for the reference to one."""


class Sight(IntEnum):
    """How much of a field is shown."""

    HIDDEN = 0
    MASKED = 1
    CLEAN = 2
    """Free text without numbers that could be a person's."""
    FULL = 3


class Sights(msgspec.Struct, frozen=True):
    """What one person sees of one ticket."""

    number: Sight = Sight.HIDDEN
    name: Sight = Sight.HIDDEN
    """Of the citizen, and the name and address that the matter is about."""
    text: Sight = Sight.HIDDEN
    recording: bool = False
    transcript: bool = False


class Scope(msgspec.Struct, frozen=True):
    """Which tickets a person's list is made of; the store turns it into a condition. All empty: none."""

    everything: bool = False
    agent: str = ""
    owner_unit: str = ""
    lead_unit: str = ""


_ROWS_ALL = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.DISPATCHER, Role.QA, Role.AUDITOR})
_DIGITS = re.compile(r"(?<!\d)(?!(?:19|20)\d\d-\d{1,2}-\d{1,2}(?!\d))[+]?\d(?:[ -]?[\dXx]){6,}", re.ASCII)
"""Seven digits and more with blanks or dashes between them, unless they are a date."""
_SHOWN_ENDS = 3, 4


def scope(who: Principal) -> Scope:
    """What `who` may list: experts the own calls and the own unit's number, units what was dispatched to them."""
    if who.roles & _ROWS_ALL:
        return Scope(everything=True)
    expert = Role.EXPERT in who.roles
    return Scope(
        agent=who.agent if expert else "",
        owner_unit=who.unit if expert else "",
        lead_unit=who.unit if Role.UNIT in who.roles else "",
    )


def may_know(ticket: Ticket, who: Principal, *, took_part: bool = False) -> bool:
    """Whether `who` may know that the ticket exists. `took_part`: was called into its talk, or is being called."""
    seen = scope(who)
    return (
        seen.everything
        or took_part
        or (
            (bool(seen.agent) and seen.agent == ticket.agent)
            or (bool(seen.owner_unit) and seen.owner_unit == ticket.owner_unit)
            or (bool(seen.lead_unit) and seen.lead_unit == ticket.lead_unit)
        )
    )


def sights(ticket: Ticket, who: Principal, now: datetime, *, took_part: bool = False) -> Sights:
    """What `who` sees: of every field the most that one of the roles grants. Whoever took part reads the text,
    without numbers and names where the matter is confidential."""
    if not may_know(ticket, who, took_part=took_part):
        return Sights()
    granted = [_of_role(role, ticket, who, now) for role in who.roles]
    if took_part:
        text = Sight.CLEAN if ticket.confidential else Sight.FULL
        granted.append(Sights(text=text, recording=True, transcript=True))
    return Sights(
        number=max(sight.number for sight in granted),
        name=max(sight.name for sight in granted),
        text=max(sight.text for sight in granted),
        recording=any(sight.recording for sight in granted),
        transcript=any(sight.transcript for sight in granted),
    )


def _of_role(role: Role, ticket: Ticket, who: Principal, now: datetime) -> Sights:
    own = bool(who.agent) and who.agent == ticket.agent
    open_ = not ticket.confidential
    masked, full, hidden = Sight.MASKED, Sight.FULL, Sight.HIDDEN
    match role:
        case Role.OPERATOR:
            fresh = own and now < ticket.created_at + OWN_FOR
            number = masked if own or open_ else hidden
            return Sights(number, full if own else hidden, full if own or open_ else hidden, fresh, fresh)
        case Role.EXPERT:
            return Sights(hidden, hidden, full if own or open_ else Sight.CLEAN, own, own)
        case Role.SUPERVISOR:
            return Sights(masked, full, full, recording=True, transcript=True)
        case Role.DISPATCHER:
            return Sights(masked, full, full, recording=False, transcript=True)
        case Role.UNIT:
            return Sights(hidden, full if open_ and ticket.request_type not in _PROTECTED else hidden, Sight.CLEAN)
        case Role.QA:
            return Sights(masked if open_ else hidden, masked if open_ else hidden, full, True, True)
        case Role.AUDITOR | Role.ADMINISTRATOR:
            return Sights()


_PROTECTED = frozenset({PROTECTED_TYPE})


class TicketView(BaseModel):
    """A ticket as one person may see it. Fields that are hidden are `None`, not empty."""

    id: str
    number: str
    state: State
    version: int
    created_at: datetime
    changed_at: datetime
    source_channel: str
    call: str
    dialled: str
    line_name: str
    owner_unit: str
    lead_unit: str
    proposed_unit: str
    class_hint: str
    agent: str
    urgency: Urgency
    request_type: str
    category_code: str
    confidential: bool
    caller: str | None
    caller_name: str | None
    contact_no: str | None
    matter: str | None
    incident_time: str | None
    subject_name: str | None
    subject_address: str | None
    event_process: str | None
    demand: str | None
    operator_suggestion: str | None
    recording: str | None
    transcript: str | None
    transcript_state: TranscriptState
    transcript_label: str
    """What has to stand beside the text."""
    transcript_note: str
    """Why there is no text."""
    demo_model: bool


def project(ticket: Ticket, who: Principal, now: datetime, *, took_part: bool = False) -> TicketView | None:
    """The ticket as `who` may see it; nothing when they may not know of it."""
    if not may_know(ticket, who, took_part=took_part):
        return None
    seen = sights(ticket, who, now, took_part=took_part)
    names = (ticket.caller_name, ticket.subject_name)
    shown: dict[str, object] = {name: getattr(ticket, name) for name in _PLAIN}
    shown |= {name: _text(getattr(ticket, name), seen, names) for name in _TEXTS}
    shown |= {name: _number(getattr(ticket, name), seen.number) for name in ("caller", "contact_no")}
    shown |= {name: _name(getattr(ticket, name), seen.name) for name in _NAMES}
    shown["proposed_unit"] = clean(ticket.proposed_unit, names)
    ready = ticket.transcript_state is TranscriptState.READY
    shown["transcript_label"], shown["transcript_note"] = (
        (ticket.transcript_label, "") if ready else ("", ticket.transcript_label)
    )
    shown["recording"] = (ticket.recording or None) if seen.recording else None
    shown["transcript"] = (ticket.transcript or None) if seen.transcript else None
    return TicketView.model_validate(shown)


_TEXTS = ("matter", "incident_time", "event_process", "demand", "operator_suggestion")
_NAMES = ("caller_name", "subject_name", "subject_address")
_PLAIN = (
    "id", "number", "state", "version", "created_at", "changed_at", "source_channel", "call", "dialled", "line_name",
    "owner_unit", "lead_unit", "class_hint", "agent", "request_type", "category_code", "confidential",
    "urgency", "transcript_state", "demo_model",
)  # fmt: skip


class HistoryView(BaseModel):
    """A line of the history: what was done by whom, and which fields it touched, never their contents."""

    seq: int
    at: datetime
    action: str
    agent: str
    unit: str
    from_state: str
    to_state: str
    reason: str
    fields: list[str]


def project_history(line: HistoryLine) -> HistoryView:
    """A line of the history as everybody who may see the ticket sees it."""
    return HistoryView(
        seq=line.seq,
        at=line.at,
        action=line.action,
        agent=line.agent,
        unit=line.unit,
        from_state=line.from_state,
        to_state=line.to_state,
        reason=line.reason,
        fields=sorted(line.detail),
    )


class ConclusionView(BaseModel):
    """What somebody who was asked concluded, or what the citizen added by calling again."""

    at: datetime
    is_supplement: bool
    agent: str
    name: str
    unit: str
    text: str


def project_conclusions(
    lines: Sequence[HistoryLine], ticket: Ticket, who: Principal, now: datetime, *, took_part: bool = False
) -> list[ConclusionView]:
    """Conclusions of a ticket, oldest first, for those who may read its text."""
    seen = sights(ticket, who, now, took_part=took_part)
    names = (ticket.caller_name, ticket.subject_name)
    shown: list[ConclusionView] = []
    for line in lines:
        said = line.detail.get(CONCLUSION) if line.action in (CONCLUDED, SUPPLEMENTED) else None
        text = _text(str(said["text"]), seen, names) if isinstance(said, dict) else None
        if isinstance(said, dict) and text is not None:
            shown.append(
                ConclusionView(
                    at=line.at,
                    agent=line.agent,
                    name=str(said["name"]),
                    unit=line.unit,
                    text=text,
                    is_supplement=line.action == SUPPLEMENTED,
                )
            )
    return shown


class RatingView(BaseModel):
    """What became of the questions after the talk; an empty word is no answer."""

    service: str
    """How the service was: `satisfied`, `fair` or `dissatisfied`."""
    result: str
    """Whether the matter is settled, in the same words."""


_RATING_SEEN = frozenset({Role.SUPERVISOR, Role.QA, Role.DISPATCHER})


def project_rating(lines: Sequence[HistoryLine], ticket: Ticket, who: Principal) -> RatingView | None:
    """How the citizen rated, for quality, supervisors, dispatchers, and who answered the call; nothing where the
    citizen was not asked."""
    own = bool(who.agent) and who.agent == ticket.agent
    if not (own or who.roles & _RATING_SEEN) or not any(line.action in (RATING_ASKED, RATED) for line in lines):
        return None
    given = {str(line.detail.get("aspect")): str(line.detail.get("rating")) for line in lines if line.action == RATED}
    return RatingView(service=given.get("service", ""), result=given.get("result", ""))


class TryView(BaseModel):
    """One time that the citizen was called; `result` is empty while it rings."""

    at: datetime
    ended_at: datetime | None
    seat: str
    result: str


class CallbackView(BaseModel):
    """A call-back task; the number is dialled by a click, not by reading it."""

    id: str
    call: str
    caller: str
    dialled: str
    reason: str
    created_at: datetime
    done_at: datetime | None
    reached_call: str
    """The call in which somebody spoke with the citizen."""
    tries: list[TryView]


def project_callback(task: CallbackTask, tries: Sequence[CallbackTry] = ()) -> CallbackView:
    """A call-back task as the desk sees it."""
    return CallbackView(
        id=task.id,
        call=task.call,
        caller=mask_number(task.caller),
        dialled=task.dialled,
        reason=task.reason.value,
        created_at=task.created_at,
        done_at=task.done_at,
        reached_call=task.reached_call,
        tries=[TryView(at=one.at, ended_at=one.ended_at, seat=one.seat, result=one.result) for one in tries],
    )


def mask_number(number: str) -> str:
    """The middle of a telephone number hidden: 138****5678. A short one keeps only its last two digits."""
    first, last = _SHOWN_ENDS
    if len(number) >= first + last + 3:
        return number[:first] + "*" * (len(number) - first - last) + number[-last:]
    return "*" * max(0, len(number) - 2) + number[-2:] if len(number) > 4 else "*" * len(number)


def mask_name(name: str) -> str:
    """The first character, and as many marks as there were others."""
    return name[:1] + "*" * (len(name) - 1) if len(name) > 1 else "*" * len(name)


def clean(text: str, names: tuple[str, ...] = ()) -> str:
    """Free text without the names given and without runs of seven digits and more (telephones, identity numbers)."""
    for name in sorted({name for name in names if len(name) > 1}, key=len, reverse=True):
        text = text.replace(name, mask_name(name))
    return _DIGITS.sub(lambda match: "*" * len(match[0]), text)


def _number(value: str, sight: Sight) -> str | None:
    return None if sight is Sight.HIDDEN else value if sight is Sight.FULL else mask_number(value)


def _name(value: str, sight: Sight) -> str | None:
    return None if sight is Sight.HIDDEN else value if sight is Sight.FULL else mask_name(value)


def _text(value: str, seen: Sights, names: tuple[str, ...]) -> str | None:
    match seen.text:
        case Sight.HIDDEN | Sight.MASKED:
            return None
        case Sight.CLEAN:
            return clean(value, names)
        case Sight.FULL:
            return value
