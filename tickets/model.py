"""Values of tickets: states, actions, the ticket, its history, and call-back tasks."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

_ID = re.compile(r"[a-z]{1,12}_[0-9a-z]{1,35}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether `text` can be an id of ours; what cannot is not looked for."""
    return _ID.fullmatch(text) is not None


class State(StrEnum):
    """Where a ticket is in its life."""

    DRAFT = "draft"  # 草稿: the call was answered, the operator has not submitted yet
    DISCARDED = "discarded"  # 无效: harassment, wrong number
    REGISTERED = "registered"  # 已受理
    CLOSED_DIRECT = "closed_direct"  # 直接答复办结
    NOT_ACCEPTED = "not_accepted"  # 不予受理(已告知途径)
    EMERGENCY_HANDOFF = "emergency_handoff"  # 紧急转接
    TRIAGE = "triage"  # 待转办
    BACK_TO_OPERATOR = "back_to_operator"  # 回退受理补充
    KB_ANSWERED = "kb_answered"  # 知识库已有答复
    ESCALATED_TRIAGE = "escalated_triage"  # 疑难件
    SPLIT = "split"  # 拆单: its parts live on as tickets of their own
    DISPATCHED = "dispatched"  # 已派单待签收
    RETURN_REQUESTED = "return_requested"  # 退单申请
    RETURN_REVIEW = "return_review"  # 退单争议审核
    ARBITRATION = "arbitration"  # 会商/指定承办
    ACCEPTED = "accepted"  # 已签收
    SUB_DISPATCHED = "sub_dispatched"  # 二级派单/加派
    PROCESSING = "processing"  # 办理中
    EXTENSION_REVIEW = "extension_review"  # 延期申请审核
    ESCALATED_UP = "escalated_up"  # 提级办理
    REPLIED = "replied"  # 已反馈待审核
    AUDIT = "audit"  # 办结审核
    CALLBACK = "callback"  # 待回访
    UNREACHABLE = "unreachable"  # 回访未接通
    REOPENED = "reopened"  # 二次办理
    CLOSED = "closed"  # 办结
    APPEAL = "appeal"  # 异议申诉
    MERGED = "merged"  # 并单
    REPEAT_TERMINATED = "repeat_terminated"  # 无理重复(终止)
    ARCHIVED = "archived"  # 归档


OVER = frozenset(
    {
        State.DISCARDED,
        State.CLOSED_DIRECT,
        State.NOT_ACCEPTED,
        State.EMERGENCY_HANDOFF,
        State.KB_ANSWERED,
        State.SPLIT,
        State.CLOSED,
        State.MERGED,
        State.REPEAT_TERMINATED,
        State.ARCHIVED,
    }
)
"""Nobody works at these any more; some can be opened again."""


class Action(StrEnum):
    """What is done with a ticket; only these move it from state to state."""

    SUBMIT = "submit"  # 提交受理
    DISCARD = "discard"  # 作废
    CLOSE_DIRECT = "close_direct"  # 直接办结
    REFUSE = "refuse"  # 不予受理
    HAND_OFF = "hand_off"  # 紧急转接
    TO_TRIAGE = "to_triage"  # 转分拣
    MERGE = "merge"  # 并单
    SEND_BACK = "send_back"  # 回退补充
    ANSWER_FROM_KB = "answer_from_kb"  # 知识库答复
    ESCALATE = "escalate"  # 报疑难
    SPLIT = "split"  # 拆单
    DISPATCH = "dispatch"  # 派单
    DESIGNATE = "designate"  # 指定承办
    ARBITRATE = "arbitrate"  # 提交会商
    ACCEPT = "accept"  # 签收
    REQUEST_RETURN = "request_return"  # 申请退单
    REVIEW_RETURN = "review_return"  # 受理退单申请
    UPHOLD_RETURN = "uphold_return"  # 同意退单
    REJECT_RETURN = "reject_return"  # 驳回退单
    START = "start"  # 开始办理
    SUB_DISPATCH = "sub_dispatch"  # 二级派单
    REQUEST_EXTENSION = "request_extension"  # 申请延期
    DECIDE_EXTENSION = "decide_extension"  # 延期审批
    ESCALATE_UP = "escalate_up"  # 提级
    TAKE_OVER = "take_over"  # 上级接办
    REPLY = "reply"  # 反馈结果
    AUDIT = "audit"  # 进入审核
    PASS_AUDIT = "pass_audit"  # 审核通过  # noqa: S105 - not a password
    FAIL_AUDIT = "fail_audit"  # 驳回重办
    CALL_BACK = "call_back"  # 转回访
    RATE = "rate"  # 回访评价
    GIVE_UP = "give_up"  # 回访未接通
    REOPEN = "reopen"  # 重办
    APPEAL = "appeal"  # 申诉
    DECIDE_APPEAL = "decide_appeal"  # 申诉裁定
    TERMINATE = "terminate"  # 认定无理重复
    ARCHIVE = "archive"  # 归档


CONCLUDED, CONCLUSION = "concluded", "conclusion"
"""Of the line of history that holds what somebody who was asked concluded: its action, and its detail's name."""
SUPPLEMENTED = "supplemented"
"""The action of a line, with the same detail, that holds what a citizen added who called again."""


RATING_ASKED, RATED = "rating_asked", "rated"
"""Of lines of history: the citizen was handed to the questions after the talk; an answer, with aspect and rating."""


class Urgency(StrEnum):
    """How fast it must go."""

    NORMAL = "normal"  # 一般
    URGENT = "urgent"  # 紧急
    CRITICAL = "critical"  # 特急


class TranscriptState(StrEnum):
    """What is known of the call's transcript."""

    WAITING = "waiting"
    READY = "ready"
    NO_MODEL = "no_model"  # no speech model is installed
    FAILED = "failed"


REGISTRATION = (
    "matter",
    "contact_no",
    "incident_time",
    "subject_name",
    "subject_address",
    "event_process",
    "demand",
    "operator_suggestion",
)
"""The eight fields of a registration: 事项、联系电话、时间、主体名称、主体地址、事件过程、市民诉求、办理建议."""

CLASSED = ("request_type", "urgency", "category_code")
"""What a registration is classed by; their values come from `tickets.classification`."""

PROPOSED = "proposed_unit"
"""拟办单位: whom the operator would give it to. The dispatch decides (`lead_unit`)."""

EDITED = (*REGISTRATION, *CLASSED, PROPOSED)
"""Everything that the desk writes into a ticket."""

REQUIRED = ("matter", "demand")
"""Without these a ticket cannot be registered. A proposal: the phone is known from the call, the rest may not apply."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One matter of one citizen."""

    id: str
    number: str
    """What people call it by; see `tickets.numbering`."""
    state: State
    version: int = 1
    """Counts changes; a change names the version that it was made from."""
    created_at: datetime
    changed_at: datetime
    source_channel: str = "phone"
    call: str
    dialled: str
    """The legacy number that the citizen dialled (被叫号码)."""
    line_name: str = ""
    owner_unit: str = ""
    """责任单位 of the dialled number, as the catalogue named it when the call came."""
    class_hint: str = ""
    agent: str = ""
    """工号 of who answered (首问)."""
    recording: str = ""
    transcript: str = ""
    transcript_state: TranscriptState = TranscriptState.WAITING
    transcript_label: str = ""
    """A sentence that has to stand beside the transcript, or instead of it."""
    demo_model: bool = False
    """The transcript was made by the demonstration model: no evidence of anything."""
    caller: str = ""
    """Calling number. Personal data."""
    caller_name: str = ""
    """Personal data."""
    matter: str = ""
    contact_no: str = ""
    """Personal data."""
    incident_time: str = ""
    """In the citizen's words."""
    subject_name: str = ""
    subject_address: str = ""
    event_process: str = ""
    demand: str = ""
    operator_suggestion: str = ""
    confidential: bool = False
    """保密: the citizen asked for it."""
    request_type: str = ""
    """咨询/求助/投诉/举报/建议/表扬 as a code; empty until classified."""
    category_code: str = ""
    """GB/T 39666, six digits."""
    urgency: Urgency = Urgency.NORMAL
    handling_mode: str = ""
    proposed_unit: str = ""
    """拟办单位 as the operator proposed it; nobody is granted anything by it."""
    lead_unit: str = ""
    """首接责任单位, set by the dispatch."""
    dispatch_count: int = 0
    designated: bool = False
    """指定承办: may not be returned any more."""
    legal_hold: bool = False
    details: dict[str, Any] = {}
    """Fields of later stages of its life, by their names in the docking standard."""


class Transcribed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the transcript of a call."""

    call: str
    transcript: str
    state: TranscriptState
    label: str = ""
    """The sentence that people have to read with it."""
    demo_model: bool = False


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a ticket. Never changed, never removed."""

    seq: int
    """From 1 within its ticket."""
    at: datetime
    action: str
    """An `Action`, or the word of a note such as `transcript_attached`."""
    actor: str = ""
    """Person id, or `system`."""
    agent: str = ""
    """工号 of the person, if any."""
    unit: str = ""
    from_state: str = ""
    to_state: str = ""
    reason: str = ""
    """A code, never free text about the citizen."""
    detail: dict[str, Any] = {}
    """Old and new values of what changed, deadlines, ids. May hold personal data: shown as names of fields only."""


class CallbackReason(StrEnum):
    """Why a citizen is owed a call."""

    FAILED_NODE = "failed_node"  # our Asterisk went down during the call
    MISSED = "missed"  # 漏接: nobody answered in time
    NOT_REACHED = "not_reached"  # a call-back was promised, and the citizen was called in vain


class CallbackTask(msgspec.Struct, frozen=True, kw_only=True):
    """A citizen who is owed a call (漏接回拨)."""

    id: str
    call: str
    caller: str
    """Whom to call. Personal data; empty when the number was withheld, then nobody can be called."""
    dialled: str = ""
    reason: CallbackReason
    created_at: datetime
    done_at: datetime | None = None
    done_by: str = ""
    reached_call: str = ""
    """The call in which somebody spoke with the citizen after all."""


class CallbackTry(msgspec.Struct, frozen=True, kw_only=True):
    """One time that the citizen of a call was called back."""

    line: str
    call: str
    """The call that is made up for."""
    at: datetime
    seat: str
    ended_at: datetime | None = None
    result: str = ""
    """`reached`, `busy`, `no_answer`, `rejected`, `unreachable`, `seat_left`, or why it was not dialled; empty: it
    rings."""
