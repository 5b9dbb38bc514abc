"""What of a graph is drawn: its nodes in nested groups, some closed into one node, some standing for many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from archspec.ir.graph import Graph, Node, Scope
from archspec.lower.graphviz.repeats import Repeats, Unit


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A region drawn as a frame around its items, or, without items, as one node.

    `regions` has more than one where equal regions that follow one another are drawn once. `around` are the regions
    that hold nothing but this one; they have no frame of their own.
    """

    regions: tuple[Scope, ...]
    items: tuple[Item, ...] = ()
    around: tuple[Scope, ...] = ()

    @property
    def first(self) -> Scope:
        return self.regions[0]

    @property
    def times(self) -> int:
        """How many regions it stands for."""
        return len(self.regions)

    @property
    def closed(self) -> bool:
        return not self.items

    def nodes(self) -> Iterator[Node]:
        """Every node it stands for."""
        for region in self.regions:
            yield from region.nodes()


Item = Node | Group


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is drawn, and where: `places` tells for every node of the graph which item shows it.

    `repeated` are the nodes drawn under the name of another: the second and later rounds of a repetition.
    """

    items: tuple[Item, ...]
    places: dict[Node, Item] = field(default_factory=dict)
    repeated: set[Node] = field(default_factory=set)


def view(graph: Graph, depth: int | None = None, *, fold: bool = False) -> Footprint:
    """The view of a graph that opens `depth` levels of named regions, all of them if it is None.

    With `fold`, regions that repeat their predecessor are drawn once.
    """
    viewer = _Viewer(graph, depth, fold)
    items = viewer.region(graph.body, 0) if graph.nodes else ()
    return Footprint(items, viewer.places, viewer.repeated)


class _Viewer:
    def __init__(self, graph: Graph, depth: int | None, fold: bool) -> None:
        self.repeats = Repeats(graph) if fold else None
        self.depth = depth
        self.places: dict[Node, Item] = {}
        self.repeated: set[Node] = set()

    def region(self, region: Scope, level: int) -> tuple[Item, ...]:
        """A region at its level: the network itself is at level 0."""
        if self.depth is not None and level >= self.depth:
            return (self.put(Group((region,))),)
        return self.items(region.items, level)

    def items(self, units: Sequence[Unit], level: int) -> tuple[Item, ...]:
        units = list(_units(units))
        runs = self.repeats.runs(units) if self.repeats else ((unit,) for unit in units)
        return tuple(item for run in runs for item in self.run(run, level))

    def run(self, run: Sequence[Unit], level: int) -> tuple[Item, ...]:
        """What is drawn for one unit, or for several that are equal."""
        first = run[0]
        if isinstance(first, Node):
            self.places[first] = first
            return (first,)
        regions = tuple(region for region in run if isinstance(region, Scope))
        if first.name is None and len(regions) == 1:
            return self.items(first.items, level)
        named = level + (first.name is not None)
        if first.name is not None and self.depth is not None and named >= self.depth:
            return (self.put(Group(regions)),)
        items = self.items(first.items, named)
        self.stand_in(regions)
        group = _only_child(Group(regions, items))
        return (self.put(group) if group.closed else group,)

    def put(self, group: Group) -> Group:
        """A closed group, in the place of all its nodes."""
        self.places.update(dict.fromkeys(group.nodes(), group))
        self.repeated.update(node for region in group.regions[1:] for node in region.nodes())
        return group

    def stand_in(self, regions: Sequence[Scope]) -> None:
        """Let the nodes of the first region stand for those of the others."""
        for region in regions[1:]:
            for drawn, node in zip(regions[0].nodes(), region.nodes(), strict=True):
                self.places[node] = self.places[drawn]
                self.repeated.add(node)


def _units(items: Sequence[Unit]) -> Iterator[Unit]:
    """The items, without the regions that hold none, and without the transparent ones that only hold others together.

    The rounds of a repeat, and other transparent regions of several items, stay: they may repeat one another.
    """
    for item in items:
        if isinstance(item, Node):
            yield item
        elif inside := list(_units(item.items)):
            transparent = item.name is None and (item.kind == "repeat" or len(inside) == 1)
            yield from inside if transparent else [item]


def _only_child(group: Group) -> Group:
    """The group, or the one that is all it holds, which then speaks for both."""
    if len(group.items) == 1 and group.times == 1:
        (child,) = group.items
        if isinstance(child, Group) and child.times == 1:
            return replace(child, around=(group.first, *child.around))
    return group
