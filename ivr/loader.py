"""Flows out of YAML files: every mistake with file, line and column; a flow that loads cannot loop or dead-end.

A flow's file:

    flow: dual
    start: notice
    human: seats                 # the queue that errors, silence and `0` lead to where nothing else is said
    nodes:
      notice: {play: [recording_notice, "brand_{number}"], next: seats}
      seats:  {queue: "{queue}", owner_first: true}

A node has exactly one of `play`, `menu`, `hours`, `transition`, `queue`, `transfer`, `end`. In names of prompts,
queues, hours and targets `{number}`, `{queue}`, `{hours}` and `{external}` stand for the dialled number's own.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from hotline.errors import BadInput
from ivr.fields import Fields
from ivr.flow import (
    MAX_TRIES,
    AnyNode,
    EndNode,
    Flow,
    HoursNode,
    MenuNode,
    PlayNode,
    QueueNode,
    TransferNode,
    TransitionNode,
)
from ivr.graph import loops, missing, strangers_on_zero
from ivr.model import SkillNeed
from ivr.placed import MAX_BYTES, Place, Problems, Table, Text, read_yaml

SHIPPED = Path(__file__).parent / "flows"
"""Folder of the flows that come with the product."""

MAX_NODES = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PROMPT = re.compile(r"[a-z0-9][a-z0-9_-]*(\{number\})?[a-z0-9_-]*")
_KEY = re.compile(r"[0-9*#]")
_SLOT = re.compile(r"\{[^}]*\}")
_SLOTS = frozenset({"{number}", "{queue}", "{hours}", "{external}"})


def load_flow(content: bytes, file: str) -> Flow:
    """One flow.

    Raises:
        BadInput: it cannot be used; `problems` has every mistake as `file:line:column: sentence`.
    """
    problems = Problems()
    root = read_yaml(content, file, problems)
    if not isinstance(root, Table):
        raise BadInput(f"{file} cannot be used.", (f"{root.place}: a flow is a table of fields",))
    flow = _flow(root, file, hashlib.sha256(content).hexdigest()[:12], problems)
    problems.raise_if_any(f"The flow {file} cannot be used.")
    return flow


def load_folder(folder: Path) -> tuple[dict[str, Flow], dict[str, tuple[str, ...]]]:
    """Every `*.yaml` in a folder: flows by name, and the mistakes of files that cannot be used."""
    flows: dict[str, Flow] = {}
    problems: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            flow = load_flow(read_limited(path), str(path))
        except BadInput as error:
            problems[str(path)] = error.problems or (str(error),)
            continue
        if flow.name in flows:
            problems[str(path)] = (f"{path}:1:1: the flow {flow.name} is already in {flows[flow.name].file}",)
        else:
            flows[flow.name] = flow
    return flows, problems


def read_limited(path: Path) -> bytes:
    """A file's content, never more than a little above what is allowed.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"{path}:1:1: the file cannot be read: {error.strerror}"
        raise BadInput(f"{path} cannot be read.", (message,)) from error


def _flow(root: Table, file: str, version: str, problems: Problems) -> Flow:
    fields = Fields(root, problems, "a flow")
    fields.only({"flow", "start", "human", "nodes", "note"})
    name = fields.text("flow", required=True)
    if name and not _NAME.fullmatch(name):
        fields.wrong("flow", f"the name {name!r} must be of a-z, 0-9, _ and -")
    fields.text("note", longest=2000)
    start, human = fields.text("start", required=True), fields.text("human", required=True)
    nodes = _nodes(fields)
    for field, target in (("start", start), ("human", human)):
        if target and target not in nodes:
            fields.wrong(field, f"{field} names the node {target!r}, which does not exist")
    if human in nodes and not isinstance(nodes[human], QueueNode):
        fields.wrong("human", f"human names the node {human!r}, which is not a queue")
    if start in nodes and human in nodes:
        _check_graph(nodes, problems, file)
    return Flow(name=name, version=version, file=file, start=start, human=human, nodes=nodes)


def _nodes(fields: Fields) -> dict[str, AnyNode]:
    table = fields.table.get("nodes")
    if not isinstance(table, Table) or not table.entries:
        fields.wrong("nodes", "a flow needs nodes: a table of names and nodes")
        return {}
    if len(table.entries) > MAX_NODES:
        fields.wrong("nodes", f"a flow has at most {MAX_NODES} nodes")
    nodes: dict[str, AnyNode] = {}
    for name, (place, value) in table.entries.items():
        if not _NAME.fullmatch(name):
            fields.problems.add(place, f"the node name {name!r} must be of a-z, 0-9, _ and -")
        if not isinstance(value, Table):
            fields.problems.add(place, f"the node {name} must be a table of fields")
            continue
        node = _node(name, place, Fields(value, fields.problems, f"the node {name}"))
        if node is not None:
            nodes[name] = node
    return nodes


def _node(name: str, place: Place, fields: Fields) -> AnyNode | None:
    kinds = [kind for kind in _KINDS if kind in fields.table.entries]
    if len(kinds) != 1:
        sentence = f"the node {name} needs exactly one of {', '.join(_KINDS)}"
        fields.problems.add(place, f"{sentence}; it has {' and '.join(kinds) or 'none'}")
        return None
    known, read = _KINDS[kinds[0]]
    fields.only({kinds[0], *known})
    return read(name, place.line, fields)


def _prompts(fields: Fields, name: str) -> tuple[str, ...]:
    found = fields.placed_texts(name)
    for prompt in found:
        if not _PROMPT.fullmatch(prompt.text):
            fields.problems.add(prompt.place, f"{prompt.text!r} is not the name of a prompt")
    return tuple(prompt.text for prompt in found)


def _slotted(fields: Fields, name: str) -> str:
    text = fields.text(name, required=True)
    for slot in _SLOT.findall(text):
        if slot not in _SLOTS:
            fields.wrong(name, f"{slot} is unknown; use one of {', '.join(sorted(_SLOTS))}")
    return text


def _play(name: str, line: int, fields: Fields) -> AnyNode:
    prompts = _prompts(fields, "play")
    if not prompts:
        fields.wrong("play", "play needs at least one prompt")
    following, cut = fields.text("next", required=True), fields.flag("cut")
    return PlayNode(name=name, line=line, prompts=prompts, next=following, cut=cut)


def _menu(name: str, line: int, fields: Fields) -> AnyNode:
    prompts = _prompts(fields, "menu")
    if not prompts:
        fields.wrong("menu", "menu needs at least one prompt")
    return MenuNode(
        name=name,
        line=line,
        prompts=prompts,
        keys=_keys(fields),
        timeout_s=fields.seconds("timeout_s", 4.0, 1, 15),
        tries=fields.whole("tries", 2, 1, MAX_TRIES),
        again=_prompts(fields, "again"),
        otherwise=fields.text("otherwise"),
    )


def _keys(fields: Fields) -> dict[str, str]:
    table = fields.table.get("keys")
    if not isinstance(table, Table) or not table.entries:
        fields.wrong("keys", "a menu needs keys: a table of keys and nodes")
        return {}
    keys: dict[str, str] = {}
    for key, (place, value) in table.entries.items():
        if not _KEY.fullmatch(key):
            fields.problems.add(place, f"{key!r} is not one key of 0-9, * and #")
        elif not isinstance(value, Text) or not value.text:
            fields.problems.add(place, f"the key {key} needs the name of a node")
        else:
            keys[key] = value.text
    return keys


def _hours(name: str, line: int, fields: Fields) -> AnyNode:
    profile = _slotted(fields, "hours")
    opened, closed = fields.text("open", required=True), fields.text("closed", required=True)
    return HoursNode(name=name, line=line, profile=profile, open=opened, closed=closed)


def _transition(name: str, line: int, fields: Fields) -> AnyNode:
    during = fields.text("transition", required=True)
    return TransitionNode(name=name, line=line, during=during, after=fields.text("after", required=True))


def _queue(name: str, line: int, fields: Fields) -> AnyNode:
    ask = _prompts(fields, "ask_agent")
    return QueueNode(
        name=name,
        line=line,
        queue=_slotted(fields, "queue"),
        owner_first=fields.flag("owner_first"),
        needs=read_needs(fields, "needs"),
        priority=fields.whole("priority", 0, 0, 86_400),
        topic=fields.text("topic"),
        ask=ask,
        digits=fields.whole("digits", 4, 2, 12),
        agent_s=fields.whole("agent_s", 60, 0, 600),
    )


def _transfer(name: str, line: int, fields: Fields) -> AnyNode:
    target, failed = _slotted(fields, "transfer"), fields.text("failed", required=True)
    return TransferNode(name=name, line=line, target=target, failed=failed, ring_s=fields.whole("ring_s", 25, 5, 60))


def _end(name: str, line: int, fields: Fields) -> AnyNode:
    return EndNode(name=name, line=line, reason=fields.text("end", required=True), prompts=_prompts(fields, "prompts"))


_Read = Callable[[str, int, Fields], AnyNode]
_KINDS: Mapping[str, tuple[frozenset[str], _Read]] = {
    "play": (frozenset({"next", "cut"}), _play),
    "menu": (frozenset({"keys", "timeout_s", "tries", "again", "otherwise"}), _menu),
    "hours": (frozenset({"open", "closed"}), _hours),
    "transition": (frozenset({"after"}), _transition),
    "queue": (frozenset({"owner_first", "needs", "priority", "topic", "ask_agent", "digits", "agent_s"}), _queue),
    "transfer": (frozenset({"failed", "ring_s"}), _transfer),
    "end": (frozenset({"prompts"}), _end),
}


def read_needs(fields: Fields, name: str) -> tuple[SkillNeed, ...]:
    """Skills such as `housing_fund` or `housing_fund:3` (level 3 or better)."""
    needs: list[SkillNeed] = []
    for text in fields.placed_texts(name):
        found = re.fullmatch(r"([A-Za-z0-9_.-]{1,64})(?::([1-9]|10))?", text.text)
        if found:
            needs.append(SkillNeed(found[1], int(found[2] or 1)))
        else:
            fields.problems.add(text.place, f"{text.text!r} is not a skill with a level, such as housing_fund:3")
    return tuple(needs)


def _check_graph(nodes: Mapping[str, AnyNode], problems: Problems, file: str) -> None:
    """Every target exists, no way leads back to where it came from, and `0` leads to nothing but a person."""
    for name, target in missing(nodes):
        problems.add(Place(file, nodes[name].line, 1), f"the node {name} leads to {target!r}, which is no node")
    for loop in loops(nodes):
        where = Place(file, nodes[loop[0]].line, 1)
        problems.add(where, f"the nodes {' > '.join(loop)} are a loop: a caller could go round for ever")
    if not problems.found:
        for menu, stranger in strangers_on_zero(nodes):
            sentence = f"the key 0 of the menu {menu} can lead to {stranger}, which is not a person"
            problems.add(Place(file, nodes[menu].line, 1), sentence)
