"""What a caller's flow does next: `(run, input) -> (run, action)`.

Pure and total: whatever the flow's file says and whatever keys come, after a bounded number of steps the caller is
with a person or at a stated end. It refuses to know how a prompt is played.
"""

import re

import msgspec

from ivr import hours_text
from ivr.flow import (
    MAX_TRIES,
    Action,
    AnyInput,
    AnyNode,
    ClosedWay,
    Collect,
    End,
    EndNode,
    EnterQueue,
    Failed,
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
from ivr.model import GENERAL_QUEUE

MAX_VISITS = 32
"""Nodes that one caller may pass; the next one is a person. Shipped flows need fewer than ten."""

HUMAN_KEY = "0"
AGENT_TIMEOUT_S = 5.0
"""Silence after the question for an agent's number, and after each of its digits."""

_PLACEHOLDER = re.compile(r"\{(number|queue|hours|external)\}")


def step(run: FlowRun, event: AnyInput) -> tuple[FlowRun, Action]:
    """The next action for this caller. A finished run stays with its person or its end."""
    if isinstance(event, Gone):
        return msgspec.structs.replace(run, done=True), End("gone")
    if run.done:
        return run, _human(run)
    if not run.node:
        return _enter(run, run.flow.start)
    node = run.flow.nodes.get(run.node)
    match node:
        case MenuNode():
            return _in_menu(run, node, event)
        case PlayNode():
            return _after_play(run, node, event)
        case TransferNode():
            return _enter(_leave(run, "failed"), node.failed)
        case QueueNode() if run.told or run.asked:
            return msgspec.structs.replace(run, done=True), _queue(run, node, event if run.asked else None)
        case QueueNode() | EndNode() | HoursNode() | TransitionNode() | None:
            return _to_human(_leave(run, "failed"))


def _after_play(run: FlowRun, node: PlayNode, event: AnyInput) -> tuple[FlowRun, Action]:
    if isinstance(event, Keys) and event.keys[:1] == HUMAN_KEY:
        return _to_human(_leave(run, "keys", HUMAN_KEY))
    if isinstance(event, Keys):
        run = msgspec.structs.replace(run, typed=run.typed + event.keys)
    return _enter(_leave(run, "failed" if isinstance(event, Failed) else "played"), node.next)


def _in_menu(run: FlowRun, node: MenuNode, event: AnyInput) -> tuple[FlowRun, Action]:
    match event:
        case Keys(keys) if keys[:1] in node.keys:
            return _enter(_leave(run, "keys", keys[:1]), node.keys[keys[:1]])
        case Keys(keys) if keys[:1] == HUMAN_KEY:
            return _to_human(_leave(run, "keys", HUMAN_KEY))
        case Keys(keys) if keys:
            return _missed(run, node)
        case Keys() | Silence() | Started():
            return _otherwise(run, node, "silence")
        case Failed() | Gone():
            return _to_human(_leave(run, "failed"))


def _missed(run: FlowRun, node: MenuNode) -> tuple[FlowRun, Action]:
    """An unknown key: ask again while there are tries left."""
    misses = run.misses + 1
    if misses >= min(node.tries, MAX_TRIES):
        return _otherwise(run, node, "misses")
    again = msgspec.structs.replace(run, misses=misses)
    return again, Collect(_expand_all(run, (*node.again, *node.prompts)), 1, node.timeout_s)


def _otherwise(run: FlowRun, node: MenuNode, left_by: str) -> tuple[FlowRun, Action]:
    """Nothing was chosen: who presses no key, or only wrong ones, is not asked for ever."""
    run = _leave(run, left_by)
    return _enter(run, node.otherwise) if node.otherwise else _to_human(run)


def _leave(run: FlowRun, left_by: str, key: str = "") -> FlowRun:
    return msgspec.structs.replace(run, path=(*run.path, Visit(run.node, left_by, key)), misses=0)


def _enter(run: FlowRun, name: str) -> tuple[FlowRun, Action]:
    """Go to a node and through those that need nothing from the caller."""
    while len(run.path) < MAX_VISITS and (node := run.flow.nodes.get(name)) is not None:
        run = msgspec.structs.replace(run, node=name)
        if isinstance(node, MenuNode) and run.typed:
            key, run = run.typed[:1], msgspec.structs.replace(run, typed=run.typed[1:])
            if key == HUMAN_KEY or key in node.keys:
                return _in_menu(run, node, Keys(key))
            run = msgspec.structs.replace(run, typed="")  # it was meant for nobody: the question is asked
        action = _action(run, node)
        if isinstance(node, QueueNode) and isinstance(action, Play | Collect):
            is_question = isinstance(action, Collect)
            return msgspec.structs.replace(run, told=not is_question, asked=is_question), action
        if action is not None:
            return msgspec.structs.replace(run, done=isinstance(action, EnterQueue | End)), action
        left_by, name = _pass(run, node)
        run = _leave(run, left_by)
    return _to_human(run)


def _action(run: FlowRun, node: AnyNode) -> Action | None:
    """What a node asks for; `None` when it is passed at once."""
    match node:
        case PlayNode():
            prompts = _expand_all(run, node.prompts)
            return Play(prompts, node.cut) if prompts else None
        case MenuNode():
            return Collect(_expand_all(run, node.prompts), 1, node.timeout_s)
        case QueueNode():
            return _before_queue(run, node) or _queue(run, node)
        case TransferNode():
            target = _expand(run, node.target)
            return Transfer(target, node.ring_s) if target else None
        case EndNode():
            return End(node.reason, _expand_all(run, node.prompts))
        case HoursNode() | TransitionNode():
            return None


def _pass(run: FlowRun, node: AnyNode) -> tuple[str, str]:
    """How a node is left that asked for nothing, and where to."""
    match node:
        case HoursNode():
            is_open = run.calendar.hours(_expand(run, node.profile), run.at).is_open
            return ("open", node.open) if is_open else ("closed", node.closed)
        case TransitionNode():
            return ("during", node.during) if run.dialled.in_transition else ("after", node.after)
        case PlayNode():
            return "played", node.next
        case TransferNode():
            return "failed", node.failed
        case MenuNode() | QueueNode() | EndNode():
            return "failed", run.flow.human


def _before_queue(run: FlowRun, node: QueueNode) -> Action | None:
    """A closed queue says so; an open one may ask which agent the caller wants."""
    meant = _expand(run, node.queue) or GENERAL_QUEUE
    queue, said = _open_queue(run, meant)
    if said:
        return Play(said)
    return Collect(node.ask, node.digits, AGENT_TIMEOUT_S) if node.ask and queue == meant else None


def _queue(run: FlowRun, node: QueueNode, heard: AnyInput | None = None) -> EnterQueue:
    """Whom a queue's own seats would answer is taken in by another one's while it is closed. `heard`: the 工号 that the
    caller was asked for, if any; `0` is nobody in particular."""
    entry, meant = run.dialled.entry, _expand(run, node.queue) or GENERAL_QUEUE
    queue, _ = _open_queue(run, meant)
    needs = (*entry.needs, *node.needs) if node.owner_first else node.needs
    needs = needs if queue == meant else ()
    wanted = heard.keys if isinstance(heard, Keys) else ""
    agent = wanted if wanted.isdecimal() and wanted != HUMAN_KEY else ""
    return EnterQueue(
        queue=queue,
        needs=needs,
        priority=max(node.priority, entry.priority),
        widen_after_s=entry.widen_after_s if needs else 0,
        topic=node.topic,
        instead_of=meant if queue != meant else "",
        agent=agent,
        agent_s=node.agent_s if agent else 0,
    )


def _open_queue(run: FlowRun, queue: str) -> tuple[str, tuple[str, ...]]:
    """The queue that takes its callers in at that time, and what they have not been told of it yet. Queues that send
    to each other while all of them are closed end with the general one."""
    seen, said = set[str](), list[str]()
    while (way := run.queues.get(queue)) is not None and _is_closed(run, way):
        if queue in seen:
            return GENERAL_QUEUE, tuple(said)
        seen.add(queue)
        if way.prompt and way.prompt not in said and way.prompt not in _heard(run):
            said.append(way.prompt)
        queue = way.to
    return queue, tuple(said)


def _is_closed(run: FlowRun, way: ClosedWay) -> bool:
    is_readable = not hours_text.problem(way.hours, run.calendar)
    return is_readable and not hours_text.is_open(way.hours, run.at, run.calendar)


def _heard(run: FlowRun) -> set[str]:
    """What the caller was told on the way, by the numbers' own hours for example."""
    nodes = (run.flow.nodes.get(visit.node) for visit in run.path)
    return {prompt for node in nodes if isinstance(node, PlayNode) for prompt in node.prompts}


def _to_human(run: FlowRun) -> tuple[FlowRun, Action]:
    return msgspec.structs.replace(run, node=run.flow.human, done=True), _human(run)


def _human(run: FlowRun) -> EnterQueue:
    """The flow's queue for everything that went wrong; the general one if the flow does not even have that."""
    node = run.flow.nodes.get(run.flow.human)
    return _queue(run, node) if isinstance(node, QueueNode) else EnterQueue(_open_queue(run, GENERAL_QUEUE)[0])


def _expand_all(run: FlowRun, texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in (_expand(run, one) for one in texts) if text)


def _expand(run: FlowRun, text: str) -> str:
    """`{number}`, `{queue}`, `{hours}` and `{external}` are those of the dialled number's entry, hours perhaps its
    unit's."""
    entry = run.dialled.entry
    hours = run.calendar.profile_of(entry)
    values = {"number": entry.number, "queue": entry.queue, "hours": hours, "external": entry.external}
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
