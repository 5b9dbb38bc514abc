"""What is written on nodes and frames and in their tooltips: what they are, their names, and the facts asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.ir.printer import format_attributes
from archspec.lower.graphviz.collapse import Group, Item
from archspec.lower.graphviz.formatting import counted, details, is_automatic, row_name, short, sizes, spoken
from archspec.passes.facts import Facts

FACTS = ("shapes", "names", "params", "macs", "field")
"""What can be written on a node beside what it is."""


@dataclass(frozen=True, slots=True)
class Label:
    """The text of a node or a frame: what it is, how it is set up, and what else is said of it.

    `times` is how many regions a group stands for.
    """

    title: str
    details: str = ""
    notes: tuple[str, ...] = ()
    times: int = 1


class Labels:
    """The labels and tooltips of one graph; `shown` are entries of `FACTS`."""

    def __init__(self, graph: Graph, shown: Collection[str]) -> None:
        self.shown = frozenset(shown)
        self.network = graph.name
        self.facts = Facts(graph)

    def terminal(self, name: str, value: Value) -> Label:
        """The label of an input or an output of the network."""
        return Label(name, "", tuple(self._shapes([value])))

    def node(self, node: Node, lender: str | None = None) -> Label:
        """The label of one op.

        A shape or a receptive field that the op leaves as it is, is not said again; nor is that its weights are those
        of `lender`, if that is said around it.
        """
        name = node.local_name if "names" in self.shown and not is_automatic(node.local_name, node.op.kind) else ""
        setup, shapes = details(node), self._new_shapes(node)
        if not hasattr(node.op, "kernel"):
            setup, shapes = _without_echo(setup, shapes)
        notes = [name, *shapes, *self._counts([node]), *self._new_field(node), *_lent(node, lender)]
        return Label(spoken(node.op.kind), setup, tuple(filter(None, notes)))

    def closed(self, group: Group, lender: str | None = None) -> Label:
        """The label of a closed group, which is one node."""
        region, outputs = group.first, group.regions[-1].outputs
        name, block = self._called(group)
        each, all_ = (" each", " in all") if group.times > 1 else ("", "")
        notes = [
            name if block else "",
            *self._shapes(outputs),
            contents(region) + each,
            *(count + all_ for count in self._counts(list(group.nodes()))),
            *self._field(outputs),
            *_lent(region, lender),
        ]
        return Label(block or name or self.network, "", tuple(filter(None, notes)), group.times)

    def frame(self, group: Group, lender: str | None = None) -> Label:
        """The label of an open group, which is a frame around its items."""
        name, block = self._called(group)
        title, note = (block, "") if group.times > 1 and not name else (name, block)
        return Label(title, "", tuple(filter(None, [note, *_lent(group.first, lender)])), group.times)

    def tooltip(self, item: Item) -> str:
        """Everything known of a node or a group, a line each."""
        return "\n".join(self._about_node(item) if isinstance(item, Node) else self._about_group(item))

    def _about_node(self, node: Node) -> Iterator[str]:
        yield node.name
        yield f"{node.op.kind} {format_attributes(node.op)}".rstrip()
        yield f"{_types(node.inputs)} → {_types(node.outputs)}"
        for weight in node.weights:
            yield f"{weight.name} {list(weight.shape)}"
        yield from _lent(node, None)
        yield from self._exact([node])

    def _about_group(self, group: Group) -> Iterator[str]:
        nodes = list(group.nodes())
        first, last = group.regions[0], group.regions[-1]
        names = [region.name for region in (first, last)] if first.name else [nodes[0].name, nodes[-1].name]
        yield " … ".join(dict.fromkeys(filter(None, names)))
        yield f"{first.block or first.kind}, {counted(len(nodes), 'layer')}"
        yield f"{_types(first.inputs)} → {_types(last.outputs)}"
        yield from _lent(first, None)
        yield from self._exact(nodes)

    def _exact(self, nodes: Sequence[Node]) -> Iterator[str]:
        if params := sum(self.facts.costs[node].params for node in nodes):
            yield f"{params:,} params"
        if macs := sum(self.facts.costs[node].macs for node in nodes):
            yield f"{macs:,} MACs"

    def _called(self, group: Group) -> tuple[str, str]:
        """The name of a group, with those of the regions that hold nothing else, and the block that is called.

        A name that only says which block it is, is left out; a number is a name.
        """
        block = group.first.block
        own = [region.local_name for region in group.regions]
        if block is not None and all(is_automatic(name, block) and not name.isdigit() for name in own):
            own = []
        names = [*(region.local_name for region in group.around), row_name(own)]
        return ".".join(filter(None, names)), spoken(block or "")

    def _shapes(self, values: Sequence[Value]) -> list[str]:
        """The shapes of values, each once."""
        return list(dict.fromkeys(sizes(value.type) for value in values)) if "shapes" in self.shown else []

    def _new_shapes(self, node: Node) -> list[str]:
        same = all(made.sizes == read.sizes for made in node.output_types for read in node.input_types)
        return [] if same else self._shapes(node.outputs)

    def _counts(self, nodes: Sequence[Node]) -> Iterator[str]:
        """Parameters and multiply-accumulates, if there are any."""
        if "params" in self.shown and (params := sum(self.facts.costs[node].params for node in nodes)):
            yield f"{short(params)} params"
        if "macs" in self.shown and (macs := sum(self.facts.costs[node].macs for node in nodes)):
            yield f"{short(macs)} MACs"

    def _field(self, values: Sequence[Value]) -> list[str]:
        """The receptive field of the first value: its size along each axis of the input."""
        field = self.facts.fields.get(values[0]) if "field" in self.shown and values else None
        if field is None:
            return []
        return ["sees " + ("all" if field.everything else "×".join(str(size or "all") for size in field.size))]

    def _new_field(self, node: Node) -> list[str]:
        made = self._field(node.outputs)
        return [] if any(self._field([value]) == made for value in node.inputs) else made


def contents(region: Scope) -> str:
    """What a region holds: `36 × bottleneck` if it is all of a kind, else its layers."""
    called = list(_called_in(region))
    if len(called) > 1 and called[0] is not None and len(set(called)) == 1:
        return f"{len(called)} × {spoken(called[0])}"
    return counted(sum(1 for _ in region.nodes()), "layer")


def _called_in(region: Scope) -> Iterator[str | None]:
    """The blocks that are called directly in a region; None for each layer beside them."""
    for item in region.items:
        if isinstance(item, Scope) and item.block is None:
            yield from _called_in(item)
        else:
            yield item.block if isinstance(item, Scope) else None


def _without_echo(details: str, shapes: list[str]) -> tuple[str, list[str]]:
    """Details and shapes, without the one that the other says as well: `linear 10` makes 10."""
    if [details] == shapes:
        return details, []
    if details and shapes and all(shape.endswith(f"×{details}") for shape in shapes):
        return "", shapes
    return details, shapes


def _lent(item: Node | Scope, lender: str | None) -> Iterator[str]:
    """Whose weights are used, unless they are part of those that are used all around."""
    if item.owner and not (lender and item.owner.startswith(f"{lender}.")):
        yield f"weights of {item.owner}"


def _types(values: Sequence[Value]) -> str:
    return ", ".join(str(value.type) for value in values)
