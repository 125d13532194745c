"""What can be said of a flow as a graph: where nodes lead, loops, what is reachable, how deep its menus are.

Pure. It refuses to know files and prompts.
"""

from collections.abc import Iterator, Mapping

from ivr.flow import (
    AnyNode,
    EndNode,
    HoursNode,
    MenuNode,
    PlayNode,
    QueueNode,
    TransferNode,
    TransitionNode,
)


def targets(node: AnyNode) -> tuple[str, ...]:
    """The nodes that a node leads to; errors, which lead to `human`, are left out."""
    match node:
        case PlayNode():
            return (node.next,)
        case MenuNode():
            return (*node.keys.values(), *((node.otherwise,) if node.otherwise else ()))
        case HoursNode():
            return node.open, node.closed
        case TransitionNode():
            return node.during, node.after
        case TransferNode():
            return (node.failed,)
        case QueueNode() | EndNode():
            return ()


def missing(nodes: Mapping[str, AnyNode]) -> Iterator[tuple[str, str]]:
    """`(node, target)` for targets that are no nodes."""
    for node in nodes.values():
        for target in dict.fromkeys(targets(node)):
            if target and target not in nodes:
                yield node.name, target


def loops(nodes: Mapping[str, AnyNode]) -> Iterator[tuple[str, ...]]:
    """One way round for every edge that leads back (depth-first, without recursion)."""
    finished: set[str] = set()
    for root in nodes:
        way: list[tuple[str, list[str]]] = [] if root in finished else [(root, list(targets(nodes[root])))]
        while way:
            name, rest = way[-1]
            if not rest:
                finished.add(name)
                way.pop()
                continue
            target = rest.pop(0)
            names = [step for step, _ in way]
            if target in names:
                yield (*names[names.index(target) :], target)
            elif target in nodes and target not in finished:
                way.append((target, list(targets(nodes[target]))))


def reachable(nodes: Mapping[str, AnyNode], *starts: str) -> dict[str, AnyNode]:
    """Everything that can be reached from `starts`, themselves included."""
    found: dict[str, AnyNode] = {}
    todo = list(starts)
    while todo:
        name = todo.pop()
        if name in nodes and name not in found:
            found[name] = nodes[name]
            todo += targets(nodes[name])
    return found


def strangers_on_zero(nodes: Mapping[str, AnyNode]) -> Iterator[tuple[str, str]]:
    """`(menu, node)` where the menu's key 0 can lead to another menu or to an end instead of a person."""
    for menu in nodes.values():
        if isinstance(menu, MenuNode) and "0" in menu.keys:
            for node in reachable(nodes, menu.keys["0"]).values():
                if isinstance(node, MenuNode | EndNode):
                    yield menu.name, node.name


def ways(nodes: Mapping[str, AnyNode], start: str, limit: int) -> Iterator[tuple[str, ...]]:
    """Every way from `start` to a node that leads nowhere, at most `limit` of them. The graph has no loops."""
    todo: list[tuple[str, ...]] = [(start,)]
    while todo and limit > 0:
        way = todo.pop()
        further = [target for target in dict.fromkeys(targets(nodes[way[-1]])) if target in nodes]
        if not further:
            limit -= 1
            yield way
        todo += [(*way, target) for target in reversed(further)]
