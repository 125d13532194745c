"""The language of flows: nodes that a file describes, what the caller does, what is to be done next.

A flow is a graph without cycles. Every error leads to its `human` node, which must be a queue.
"""

from datetime import datetime

import msgspec

from ivr.calendar import Calendar
from ivr.model import Dialled, SkillNeed

MAX_TRIES = 3
"""A menu is asked at most so often before a person takes over."""


class Node(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """One place in a flow."""

    name: str
    line: int = 0
    """Where the file describes it."""


class PlayNode(Node, frozen=True, kw_only=True, tag="play"):
    """An announcement. Nobody asks for keys; those that come are remembered for the menu that follows, but `0`, which
    reaches a person at once."""

    prompts: tuple[str, ...]
    next: str
    cut: bool = False
    """A key cuts it short: for what a caller may skip, not for what everybody must be told."""


class MenuNode(Node, frozen=True, kw_only=True, tag="menu"):
    """A question that is answered by one key. `0` always reaches a person."""

    prompts: tuple[str, ...]
    keys: dict[str, str]
    """Key to node."""
    timeout_s: float = 4.0
    """Silence after the prompt before the caller goes on without a key."""
    tries: int = 2
    """So many unknown keys lead on as well; before that the menu is asked again."""
    again: tuple[str, ...] = ()
    """Prompts before the menu when it is asked again."""
    otherwise: str = ""
    """Where silence and too many unknown keys lead; empty: `human`."""


class HoursNode(Node, frozen=True, kw_only=True, tag="hours"):
    """A branch by office hours. `{hours}` is the profile of the dialled number."""

    profile: str
    open: str
    closed: str


class TransitionNode(Node, frozen=True, kw_only=True, tag="transition"):
    """A branch by the end of the dialled number's transition."""

    during: str
    after: str


class QueueNode(Node, frozen=True, kw_only=True, tag="queue"):
    """Wait for a person."""

    queue: str
    owner_first: bool = False
    """Ask for the skills of the dialled number's owner first."""
    needs: tuple[SkillNeed, ...] = ()
    priority: int = 0
    topic: str = ""
    """What the caller chose, for whoever answers."""
    ask: tuple[str, ...] = ()
    """Prompts that ask for the 工号 of the agent whom the caller wants; none: nobody is asked."""
    digits: int = 4
    agent_s: int = 60
    """So long the call waits for that agent alone, while the agent is signed in."""


class TransferNode(Node, frozen=True, kw_only=True, tag="transfer"):
    """Connect with a number outside; everything but success goes on at `failed`."""

    target: str
    failed: str
    ring_s: int = 25


class EndNode(Node, frozen=True, kw_only=True, tag="end"):
    """A stated end."""

    reason: str
    prompts: tuple[str, ...] = ()


AnyNode = PlayNode | MenuNode | HoursNode | TransitionNode | QueueNode | TransferNode | EndNode


def spoken(node: AnyNode) -> tuple[str, ...]:
    """What a caller hears at a node."""
    match node:
        case PlayNode() | MenuNode() | EndNode():
            return node.prompts
        case QueueNode():
            return node.ask
        case HoursNode() | TransitionNode() | TransferNode():
            return ()


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow as its file described it."""

    name: str
    version: str
    """Fingerprint of the file: a caller keeps the version with which the call began."""
    file: str = ""
    start: str
    human: str
    """The queue node that errors, silence and `0` lead to where nothing else is said."""
    nodes: dict[str, AnyNode]


class Input(msgspec.Struct, frozen=True):
    """What happened at the caller's end since the last action."""


class Started(Input, frozen=True):
    """The line is ours: begin."""


class Keys(Input, frozen=True):
    """Keys were pressed. Only the first one counts."""

    keys: str


class Silence(Input, frozen=True):
    """A prompt ended, or the time for keys was up."""


class Gone(Input, frozen=True):
    """The caller hung up."""


class Failed(Input, frozen=True):
    """The last action could not be done."""


AnyInput = Started | Keys | Silence | Gone | Failed


class Play(msgspec.Struct, frozen=True, tag=True):
    """Play prompts to their end (with `cut` to the first key), then step with `Silence`, or with the keys that came."""

    prompts: tuple[str, ...]
    cut: bool = False


class Collect(msgspec.Struct, frozen=True, tag=True):
    """Play prompts with barge-in and wait for a key; step with `Keys` or `Silence`."""

    prompts: tuple[str, ...]
    max_keys: int
    timeout_s: float


class ClosedWay(msgspec.Struct, frozen=True):
    """A queue's hours, and the way of its callers outside of them."""

    hours: str
    """As `hours_text` reads them. Those that cannot be read any more close nothing."""
    to: str
    """The queue that takes them in."""
    prompt: str = ""
    """What they are told before."""


class EnterQueue(msgspec.Struct, frozen=True, tag=True):
    """Wait for a person. The flow's part is over."""

    queue: str
    needs: tuple[SkillNeed, ...] = ()
    priority: int = 0
    """Seconds of head start."""
    widen_after_s: int = 0
    """Drop `needs` after this many seconds of waiting; 0: there is nothing to drop."""
    topic: str = ""
    instead_of: str = ""
    """The queue that the flow meant, which is closed."""
    agent: str = ""
    """工号 that the caller asked for."""
    agent_s: int = 0


class Transfer(msgspec.Struct, frozen=True, tag=True):
    """Connect with a number outside; step with `Failed` when that is not possible or nobody answers."""

    target: str
    ring_s: int


class End(msgspec.Struct, frozen=True, tag=True):
    """Play prompts, if any, and hang up. `reason` is for the call's record."""

    reason: str
    prompts: tuple[str, ...] = ()


Action = Play | Collect | EnterQueue | Transfer | End


class Visit(msgspec.Struct, frozen=True):
    """One node that the caller passed, and by what it was left: `keys`, `silence`, `failed`, `open`, …"""

    node: str
    left_by: str = ""
    key: str = ""
    """The menu key that was taken; a choice, not personal data."""


class FlowRun(msgspec.Struct, frozen=True, kw_only=True):
    """One caller's way through one version of a flow; a value."""

    flow: Flow
    dialled: Dialled
    at: datetime
    """When the call came, aware: hours are judged by it."""
    calendar: Calendar
    node: str = ""
    """Where the caller is; empty before the beginning."""
    misses: int = 0
    """Unknown keys in this menu."""
    typed: str = ""
    """Keys that were pressed before a menu asked for them."""
    path: tuple[Visit, ...] = ()
    done: bool = False
    """With a person, or ended."""
    queues: dict[str, ClosedWay] = {}
    """Queues that have hours."""
    told: bool = False
    """That the queue is closed."""
    asked: bool = False
    """For the agent whom the caller wants."""

    @property
    def version(self) -> str:
        return self.flow.version
