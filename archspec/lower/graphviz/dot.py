"""A graph as DOT: nodes, frames and arrows with their labels and style."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from archspec.diagnostics import did_you_mean, fail
from archspec.ir.graph import Graph, Node, Output, Value
from archspec.lower.graphviz import html_labels, style
from archspec.lower.graphviz.collapse import CollapsedGraph, DrawnItem, Group, collapse
from archspec.lower.graphviz.edges import Edge, Endpoint, edges, main_path, total_span
from archspec.lower.graphviz.labels import FACTS, Labels
from archspec.lower.graphviz.rendering import Diagram
from archspec.lower.graphviz.style import Attributes
from archspec.lower.graphviz.u_layout import EdgeDirection, edge_directions, level_rows
from archspec.lower.optional_deps import require

if TYPE_CHECKING:
    import graphviz

RANKDIRS = ("TB", "LR", "BT", "RL")


def draw(
    graph: Graph,
    *,
    depth: int | None = None,
    fold: bool | None = None,
    rankdir: str = "TB",
    show: Collection[str] = ("shapes", "names"),
    u_layout: bool = True,
) -> Diagram:
    """The diagram of a graph: named scopes of the spec are frames or, below `depth`, single nodes.

    Args:
        graph: the network.
        depth: the number of levels of names that are drawn as frames: with 1, `layer1` is one node, with 2,
            `layer1.0` is. All if None.
        fold: draw scopes that repeat their predecessor (same ops, attributes and shapes) once, marked ×N. If None,
            they are folded if `depth` is given.
        rankdir: the direction of the diagram: TB, LR, BT or RL.
        show: the facts shown at each op: of `shapes`, `names`, `params`, `macs` and `field` (receptive fields). Shapes
            and fields are shown where they change.
        u_layout: draw a decoder that reads its encoder at several resolutions upwards beside it, as a U.

    Raises:
        ArchspecError: the direction or a fact is unknown, the depth is negative, or the library graphviz is missing.
    """
    require("graphviz", "drawing a diagram")
    if depth is not None and depth < 0:
        raise fail("wrong-value", f"the depth must be at least 0, not {depth}")
    if rankdir not in RANKDIRS:
        raise fail("wrong-value", f"unknown direction '{rankdir}'", help=did_you_mean(rankdir, RANKDIRS))
    show = (show,) if isinstance(show, str) else show  # a string is a single fact
    for fact in show:
        if fact not in FACTS:
            raise fail("wrong-value", f"unknown fact '{fact}'", help=did_you_mean(fact, FACTS))
    collapsed = collapse(graph, depth, fold=depth is not None if fold is None else fold)
    writer = _DotWriter(graph, collapsed, Labels(graph, show))
    return Diagram(writer.dot(rankdir, u_layout=u_layout).source)


class _DotWriter:
    def __init__(self, graph: Graph, collapsed: CollapsedGraph, labels: Labels) -> None:
        self.graph = graph
        self.collapsed_graph = collapsed
        self.labels = labels
        self.frames: dict[Endpoint, Group] = {}

    def dot(self, rankdir: str, *, u_layout: bool) -> graphviz.Digraph:
        """The whole diagram."""
        import graphviz

        arrows = list(edges(self.graph, self.collapsed_graph))
        dot = graphviz.Digraph(
            html_labels.identifier(self.graph.name),
            graph_attr={**style.GRAPH, "rankdir": rankdir, **style.layout_limits(total_span(arrows))},
            node_attr=style.NODE,
            edge_attr=style.EDGE,
        )
        # Graphviz reverses the initial order of a rank if the diagram is horizontal. With the outputs first, all levels
        # of a decoder then stay on one side of its encoder.
        if rankdir in ("LR", "RL"):
            self.outputs(dot)
        for value in self.graph.inputs:
            self.terminal(dot, value, value)
        self.items(dot, self.collapsed_graph.items, None, 0)
        if rankdir in ("TB", "BT"):
            self.outputs(dot)
        forward = dict.fromkeys(arrows, EdgeDirection.FORWARD)
        directions = edge_directions(self.graph, arrows) if u_layout else forward
        straight = main_path(arrows)
        for edge in arrows:
            self.edge(dot, edge, directions[edge], is_straight=edge in straight)
        self.rows(dot, directions)
        return dot

    def items(self, dot: graphviz.Digraph, items: Iterable[DrawnItem], owner: str | None, level: int) -> None:
        """The items of a frame, whose weights are shared from `owner` if that is not None."""
        for item in items:
            if isinstance(item, Node):
                self.node(dot, item, owner)
            elif item.is_collapsed:
                self.collapsed(dot, item, owner)
            else:
                self.frame(dot, item, owner, level)

    def node(self, dot: graphviz.Digraph, node: Node, owner: str | None) -> None:
        label = self.labels.node(node, owner)
        attributes: Attributes = {}
        if symbol := style.symbol(node):
            text, attributes = html_labels.symbol(symbol), style.SYMBOL
        elif style.is_slim(node):
            text, attributes = html_labels.line(label), style.SLIM
        else:
            text = html_labels.block(label)
        training = style.TRAINING if node in self.graph.training_only else {}
        colours = style.node_colours(node)
        dot.node(identity(node), text, **{**attributes, **colours, **training, **self.tooltip(node)})

    def collapsed(self, dot: graphviz.Digraph, group: Group, owner: str | None) -> None:
        text = html_labels.block(self.labels.collapsed(group, owner))
        attributes = style.COLLAPSED if group.times == 1 else style.REPEATED_COLLAPSED
        training = style.TRAINING if self.is_training(group) else {}
        dot.node(identity(group), text, **{**attributes, **training, **self.tooltip(group)})

    def frame(self, dot: graphviz.Digraph, group: Group, owner: str | None, level: int) -> None:
        with dot.subgraph(name=f"cluster {identity(group)}") as inside:
            label = html_labels.heading(self.labels.frame(group, owner))
            attributes = style.frame(level, is_repeated=group.times > 1)
            training = style.TRAINING if self.is_training(group) else {}
            inside.attr(**{"label": label, **attributes, **training, **self.tooltip(group)})
            self.frames.update(dict.fromkeys(group.items, group))
            self.items(inside, group.items, group.first.owner or owner, level + 1)

    def outputs(self, dot: graphviz.Digraph) -> None:
        for output in self.graph.outputs:
            self.terminal(dot, output, output.value, training=output.training_only)

    def terminal(self, dot: graphviz.Digraph, end: Value | Output, value: Value, *, training: bool = False) -> None:
        text = html_labels.block(self.labels.terminal(end.name, value))
        attributes = {**style.TERMINAL, **(style.TRAINING if training else {})}
        dot.node(identity(end), text, **{**attributes, "tooltip": html_labels.tooltip(f"{end.name}\n{value.type}")})

    def edge(self, dot: graphviz.Digraph, edge: Edge, direction: EdgeDirection, *, is_straight: bool) -> None:
        ends = identity(edge.tail), identity(edge.head)
        attributes: dict[str, str] = {"tooltip": html_labels.tooltip(f"{edge.value.name} {edge.value.type}")}
        if self.is_training(edge.reader or edge.head):
            attributes |= {"style": "dashed"}
        if is_straight and direction is not EdgeDirection.LEVEL:
            within_frame = self.frames.get(edge.tail) is self.frames.get(edge.head)
            attributes |= style.main_path(within_frame=within_frame)
        if direction is EdgeDirection.UPWARD:
            ends, attributes = ends[::-1], {**attributes, **style.UPWARD}
        elif direction is EdgeDirection.LEVEL:
            attributes |= style.LEVEL
        dot.edge(*ends, **attributes)

    def rows(self, dot: graphviz.Digraph, directions: dict[Edge, EdgeDirection]) -> None:
        """Keep the nodes of a level row at the same height."""
        for row in level_rows(self.graph, directions):
            with dot.subgraph() as level:
                level.attr(rank="same")
                for end in row:
                    level.node(identity(end))

    def is_training(self, end: Endpoint) -> bool:
        """Whether an endpoint runs only in training."""
        if isinstance(end, Node):
            return end in self.graph.training_only
        if isinstance(end, Group):
            return all(node in self.graph.training_only for node in end.nodes())
        return isinstance(end, Output) and end.training_only

    def tooltip(self, item: DrawnItem) -> Attributes:
        return {"tooltip": html_labels.tooltip(self.labels.tooltip(item))}


def identity(end: Endpoint) -> str:
    """The identifier of an endpoint in the DOT text, from its name in the graph."""
    if isinstance(end, Group):
        nodes = list(end.first.nodes())
        ends = [end.first.name] if end.first.name else [nodes[0].name, nodes[-1].name]
        return "/".join(map(html_labels.identifier, ends))
    if isinstance(end, Node):
        return html_labels.identifier(end.name)
    return ("out/" if isinstance(end, Output) else "in/") + html_labels.identifier(end.name)
