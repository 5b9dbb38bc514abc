"""What a diagram shows of a graph: nodes in nested groups, some of them collapsed, some standing for repetitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from archspec.ir.graph import Graph, Node, Scope
from archspec.lower.graphviz.repeats import NodeOrScope, RepeatFinder


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A scope drawn as a frame around its items, or, if it is collapsed, as one node without items.

    Attributes:
        scopes: the scope; several if equal scopes in a row are drawn once.
        items: what is drawn in the frame.
        enclosing: the scopes that contain nothing but this one; they have no frame of their own.
    """

    scopes: tuple[Scope, ...]
    items: tuple[DrawnItem, ...] = ()
    enclosing: tuple[Scope, ...] = ()

    @property
    def first(self) -> Scope:
        return self.scopes[0]

    @property
    def times(self) -> int:
        """The number of scopes that the group stands for."""
        return len(self.scopes)

    @property
    def is_collapsed(self) -> bool:
        return not self.items

    def nodes(self) -> Iterator[Node]:
        """All nodes that the group stands for."""
        for scope in self.scopes:
            yield from scope.nodes()


DrawnItem = Node | Group


@dataclass(frozen=True, slots=True)
class CollapsedGraph:
    """What is drawn of a graph.

    Attributes:
        items: the nodes and groups, in order.
        shown_by: for every node of the graph, the node or collapsed group that shows it.
        repetitions: the nodes of the second and later scopes of a repetition, which the first stands for.
    """

    items: tuple[DrawnItem, ...]
    shown_by: dict[Node, DrawnItem] = field(default_factory=dict)
    repetitions: set[Node] = field(default_factory=set)


def collapse(graph: Graph, depth: int | None = None, *, fold: bool = False) -> CollapsedGraph:
    """Collapse a graph for drawing.

    Args:
        graph: the network.
        depth: the number of levels of named scopes that are drawn as frames; all if None.
        fold: draw scopes that repeat their predecessor once.
    """
    collapser = _Collapser(graph, depth, fold)
    items = collapser.scope(graph.body, 0) if graph.nodes else ()
    return CollapsedGraph(items, collapser.shown_by, collapser.repetitions)


class _Collapser:
    def __init__(self, graph: Graph, depth: int | None, fold: bool) -> None:
        self.finder = RepeatFinder(graph) if fold else None
        self.depth = depth
        self.shown_by: dict[Node, DrawnItem] = {}
        self.repetitions: set[Node] = set()

    def scope(self, scope: Scope, level: int) -> tuple[DrawnItem, ...]:
        """What is drawn for a scope; the network itself is at level 0."""
        if self.depth is not None and level >= self.depth:
            return (self.collapsed(Group((scope,))),)
        return self.items(scope.items, level)

    def items(self, items: Sequence[NodeOrScope], level: int) -> tuple[DrawnItem, ...]:
        items = list(_without_wrappers(items))
        runs = self.finder.runs(items) if self.finder else ((item,) for item in items)
        return tuple(drawn for run in runs for drawn in self.run(run, level))

    def run(self, run: Sequence[NodeOrScope], level: int) -> tuple[DrawnItem, ...]:
        """What is drawn for one item, or for several equal scopes in a row."""
        first = run[0]
        if isinstance(first, Node):
            self.shown_by[first] = first
            return (first,)
        scopes = tuple(item for item in run if isinstance(item, Scope))
        if first.name is None and len(scopes) == 1:
            return self.items(first.items, level)
        inner_level = level + (first.name is not None)
        if first.name is not None and self.depth is not None and inner_level >= self.depth:
            return (self.collapsed(Group(scopes)),)
        items = self.items(first.items, inner_level)
        self.represent(scopes)
        group = _without_only_child(Group(scopes, items))
        return (self.collapsed(group) if group.is_collapsed else group,)

    def collapsed(self, group: Group) -> Group:
        """Show all nodes of a group by the group itself."""
        self.shown_by.update(dict.fromkeys(group.nodes(), group))
        self.repetitions.update(node for scope in group.scopes[1:] for node in scope.nodes())
        return group

    def represent(self, scopes: Sequence[Scope]) -> None:
        """Show the nodes of all scopes by those of the first."""
        for scope in scopes[1:]:
            for shown, node in zip(scopes[0].nodes(), scope.nodes(), strict=True):
                self.shown_by[node] = self.shown_by[shown]
                self.repetitions.add(node)


def _without_wrappers(items: Sequence[NodeOrScope]) -> Iterator[NodeOrScope]:
    """The items without empty scopes, with `repeat` scopes and unnamed scopes of one item replaced by their content.

    The iterations of a repeat, and other unnamed scopes of several items, remain, because they may be repetitions.
    """
    for item in items:
        if isinstance(item, Node):
            yield item
        elif inside := list(_without_wrappers(item.items)):
            is_wrapper = item.name is None and (item.kind == "repeat" or len(inside) == 1)
            yield from inside if is_wrapper else [item]


def _without_only_child(group: Group) -> Group:
    """The group, or, if a group is all that it contains, that one with the names of both."""
    if len(group.items) == 1 and group.times == 1:
        (child,) = group.items
        if isinstance(child, Group) and child.times == 1:
            return replace(child, enclosing=(group.first, *child.enclosing))
    return group
