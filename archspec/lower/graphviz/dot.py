"""A graph as DOT: nodes, frames and arrows, with their text and their looks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from archspec.diagnostics import did_you_mean, fail
from archspec.ir.graph import Graph, Node, Output, Value
from archspec.lower.graphviz import html_labels, style
from archspec.lower.graphviz.collapse import Footprint, Group, Item, view
from archspec.lower.graphviz.edges import Edge, End, edges, span, trunk
from archspec.lower.graphviz.labels import FACTS, Labels
from archspec.lower.graphviz.rendering import Diagram
from archspec.lower.graphviz.style import Attributes
from archspec.lower.graphviz.u_layout import Course, courses, rows
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
    climb: bool = True,
) -> Diagram:
    """The diagram of a graph: the regions of the spec are frames, or, beyond `depth`, single nodes.

    Args:
        graph: the network.
        depth: how many levels of names are opened: with 1, `layer1` is one node, with 2, `layer1.0` is. All if None.
        fold: draw regions that repeat their predecessor (same ops, attributes and shapes, one after the other) once,
            marked ×N. If None, what has a `depth` is folded, and a diagram of every layer is not.
        rankdir: the direction of flow: TB, LR, BT or RL.
        show: what is written beside the op: of `shapes`, `names`, `params`, `macs` and `field` (receptive fields).
            Shapes and fields are written where they change.
        climb: draw a decoder that reads its encoder at several heights back up beside it, as a U.

    Raises:
        ArchspecError: the direction or a fact is unknown, the depth is negative, or the library graphviz is missing.
    """
    require("graphviz", "drawing a diagram")
    if depth is not None and depth < 0:
        raise fail("wrong-value", f"a depth is at least 0, not {depth}")
    if rankdir not in RANKDIRS:
        raise fail("wrong-value", f"there is no direction '{rankdir}'", help=did_you_mean(rankdir, RANKDIRS))
    show = (show,) if isinstance(show, str) else show  # one is meant as one
    for fact in show:
        if fact not in FACTS:
            raise fail("wrong-value", f"there is no '{fact}' to show", help=did_you_mean(fact, FACTS))
    seen = view(graph, depth, fold=depth is not None if fold is None else fold)
    drawing = _Drawing(graph, seen, Labels(graph, show))
    return Diagram(drawing.dot(rankdir, climb=climb).source)


class _Drawing:
    def __init__(self, graph: Graph, view: Footprint, labels: Labels) -> None:
        self.graph = graph
        self.view = view
        self.labels = labels
        self.frames: dict[End, Group] = {}

    def dot(self, rankdir: str, *, climb: bool) -> graphviz.Digraph:
        """The whole diagram."""
        import graphviz

        arrows = list(edges(self.graph, self.view))
        dot = graphviz.Digraph(
            html_labels.identifier(self.graph.name),
            graph_attr={**style.GRAPH, "rankdir": rankdir, **style.effort(span(arrows))},
            node_attr=style.NODE,
            edge_attr=style.EDGE,
        )
        # Graphviz turns the first order of a row round if the flow is sideways; with the outputs first, all levels of
        # a decoder then stay on one side of its encoder.
        if rankdir in ("LR", "RL"):
            self.outputs(dot)
        for value in self.graph.inputs:
            self.terminal(dot, value, value)
        self.items(dot, self.view.items, None, 0)
        if rankdir in ("TB", "BT"):
            self.outputs(dot)
        ways = courses(self.graph, arrows) if climb else dict.fromkeys(arrows, Course.ON)
        straight = trunk(arrows)
        for edge in arrows:
            self.edge(dot, edge, ways[edge], straight=edge in straight)
        self.rows(dot, ways)
        return dot

    def items(self, dot: graphviz.Digraph, items: Iterable[Item], lender: str | None, level: int) -> None:
        """What stands inside a frame, whose weights are those of `lender` if it has one."""
        for item in items:
            if isinstance(item, Node):
                self.node(dot, item, lender)
            elif item.closed:
                self.closed(dot, item, lender)
            else:
                self.frame(dot, item, lender, level)

    def node(self, dot: graphviz.Digraph, node: Node, lender: str | None) -> None:
        label = self.labels.node(node, lender)
        looks: Attributes = {}
        if sign := style.sign(node):
            text, looks = html_labels.sign(sign), style.SIGN
        elif style.is_slim(node):
            text, looks = html_labels.line(label), style.SLIM
        else:
            text = html_labels.block(label)
        training = style.TRAINING if node in self.graph.training_only else {}
        dot.node(identity(node), text, **{**looks, **style.colours(node), **training, **self.tooltip(node)})

    def closed(self, dot: graphviz.Digraph, group: Group, lender: str | None) -> None:
        text = html_labels.block(self.labels.closed(group, lender))
        looks = style.CLOSED if group.times == 1 else style.MANY_CLOSED
        training = style.TRAINING if self.is_training(group) else {}
        dot.node(identity(group), text, **{**looks, **training, **self.tooltip(group)})

    def frame(self, dot: graphviz.Digraph, group: Group, lender: str | None, level: int) -> None:
        with dot.subgraph(name=f"cluster {identity(group)}") as inside:
            label = html_labels.heading(self.labels.frame(group, lender))
            looks = style.frame(level, many=group.times > 1)
            training = style.TRAINING if self.is_training(group) else {}
            inside.attr(**{"label": label, **looks, **training, **self.tooltip(group)})
            self.frames.update(dict.fromkeys(group.items, group))
            self.items(inside, group.items, group.first.owner or lender, level + 1)

    def outputs(self, dot: graphviz.Digraph) -> None:
        for output in self.graph.outputs:
            self.terminal(dot, output, output.value, training=output.training_only)

    def terminal(self, dot: graphviz.Digraph, end: Value | Output, value: Value, *, training: bool = False) -> None:
        text = html_labels.block(self.labels.terminal(end.name, value))
        looks = {**style.TERMINAL, **(style.TRAINING if training else {})}
        dot.node(identity(end), text, **{**looks, "tooltip": html_labels.tooltip(f"{end.name}\n{value.type}")})

    def edge(self, dot: graphviz.Digraph, edge: Edge, course: Course, *, straight: bool) -> None:
        ends = identity(edge.tail), identity(edge.head)
        looks: dict[str, str] = {"tooltip": html_labels.tooltip(f"{edge.value.name} {edge.value.type}")}
        if self.is_training(edge.reader or edge.head):
            looks |= {"style": "dashed"}
        if straight and course is not Course.ACROSS:
            looks |= style.trunk(within=self.frames.get(edge.tail) is self.frames.get(edge.head))
        if course is Course.UP:
            ends, looks = ends[::-1], {**looks, **style.UP}
        elif course is Course.ACROSS:
            looks |= style.ACROSS
        dot.edge(*ends, **looks)

    def rows(self, dot: graphviz.Digraph, ways: dict[Edge, Course]) -> None:
        """Keep level what belongs level."""
        for row in rows(self.graph, ways):
            with dot.subgraph() as level:
                level.attr(rank="same")
                for end in row:
                    level.node(identity(end))

    def is_training(self, end: End) -> bool:
        """Whether something runs only while training."""
        if isinstance(end, Node):
            return end in self.graph.training_only
        if isinstance(end, Group):
            return all(node in self.graph.training_only for node in end.nodes())
        return isinstance(end, Output) and end.training_only

    def tooltip(self, item: Item) -> Attributes:
        return {"tooltip": html_labels.tooltip(self.labels.tooltip(item))}


def identity(end: End) -> str:
    """What an end of an arrow is called in the DOT text: the name it has in the graph, as an identifier."""
    if isinstance(end, Group):
        nodes = list(end.first.nodes())
        ends = [end.first.name] if end.first.name else [nodes[0].name, nodes[-1].name]
        return "/".join(map(html_labels.identifier, ends))
    if isinstance(end, Node):
        return html_labels.identifier(end.name)
    return ("out/" if isinstance(end, Output) else "in/") + html_labels.identifier(end.name)
