"""A flow as a picture needs it: its nodes with what they say, and named ways between them. Pure."""

from collections.abc import Iterator

import msgspec

from ivr.flow import (
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

KINDS: dict[type[AnyNode], str] = {
    PlayNode: "play", MenuNode: "menu", HoursNode: "hours", TransitionNode: "transition", QueueNode: "queue",
    TransferNode: "transfer", EndNode: "end",
}  # fmt: skip


class DrawnNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node."""

    name: str
    kind: str
    line: int
    prompts: tuple[str, ...] = ()
    detail: str = ""
    """Queue, hours profile, number outside, or the reason of an end."""
    owner_first: bool = False


class DrawnWay(msgspec.Struct, frozen=True, kw_only=True):
    """One way; `label`: a key, or `next`, `otherwise`, `open`, `closed`, `during`, `after`, `failed`."""

    source: str
    target: str
    label: str


def nodes(flow: Flow) -> list[DrawnNode]:
    """Every node, the first one first."""
    ordered = [flow.nodes[flow.start], *(node for name, node in flow.nodes.items() if name != flow.start)]
    return [_drawn(node) for node in ordered]


def ways(flow: Flow) -> list[DrawnWay]:
    """Every way between two nodes, in the file's order."""
    return [
        DrawnWay(source=node.name, target=target, label=label)
        for node in flow.nodes.values()
        for label, target in _labelled(node)
        if target in flow.nodes
    ]


def _drawn(node: AnyNode) -> DrawnNode:
    drawn = DrawnNode(name=node.name, kind=KINDS[type(node)], line=node.line)
    match node:
        case PlayNode() | MenuNode():
            return msgspec.structs.replace(drawn, prompts=node.prompts)
        case EndNode():
            return msgspec.structs.replace(drawn, prompts=node.prompts, detail=node.reason)
        case QueueNode():
            return msgspec.structs.replace(drawn, detail=node.topic or node.queue, owner_first=node.owner_first)
        case HoursNode():
            return msgspec.structs.replace(drawn, detail=node.profile)
        case TransferNode():
            return msgspec.structs.replace(drawn, detail=node.target)
        case TransitionNode():
            return drawn


def _labelled(node: AnyNode) -> Iterator[tuple[str, str]]:
    match node:
        case PlayNode():
            yield "next", node.next
        case MenuNode():
            yield from sorted(node.keys.items())
            if node.otherwise:
                yield "otherwise", node.otherwise
        case HoursNode():
            yield from (("open", node.open), ("closed", node.closed))
        case TransitionNode():
            yield from (("during", node.during), ("after", node.after))
        case TransferNode():
            yield "failed", node.failed
        case QueueNode() | EndNode():
            return
