"""The text of nodes, frames and tooltips: what they are, their names, and the requested facts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.ir.printer import format_attributes
from archspec.lower.graphviz.collapse import DrawnItem, Group
from archspec.lower.graphviz.formatting import (
    details,
    format_count,
    format_quantity,
    format_range,
    format_sizes,
    is_automatic,
    readable,
)
from archspec.passes.facts import Facts

FACTS = ("shapes", "names", "params", "macs", "field")
"""The facts that a node can show beside its op."""


@dataclass(frozen=True, slots=True)
class Label:
    """The text of a node or a frame.

    Attributes:
        title: what it is.
        details: its main attributes.
        notes: its name and facts, in smaller letters.
        times: the number of scopes that a group stands for.
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

    def node(self, node: Node, owner: str | None = None) -> Label:
        """The label of one op.

        A shape or a receptive field is shown only where it changes. The owner of shared weights is not shown if it is
        inside `owner`, which the frame around the node shows.
        """
        name = node.local_name if "names" in self.shown and not is_automatic(node.local_name, node.op.kind) else ""
        settings, shapes = details(node), self._new_shapes(node)
        if not hasattr(node.op, "kernel"):
            settings, shapes = _without_duplicate(settings, shapes)
        notes = [name, *shapes, *self._counts([node]), *self._new_field(node), *_owner_note(node, owner)]
        return Label(readable(node.op.kind), settings, tuple(filter(None, notes)))

    def collapsed(self, group: Group, owner: str | None = None) -> Label:
        """The label of a collapsed group."""
        scope, outputs = group.first, group.scopes[-1].outputs
        name, block = self._name_and_block(group)
        each, all_ = (" each", " in all") if group.times > 1 else ("", "")
        notes = [
            name if block else "",
            *self._shapes(outputs),
            contents(scope) + each,
            *(count + all_ for count in self._counts(list(group.nodes()))),
            *self._field(outputs),
            *_owner_note(scope, owner),
        ]
        return Label(block or name or self.network, "", tuple(filter(None, notes)), group.times)

    def frame(self, group: Group, owner: str | None = None) -> Label:
        """The label of a frame."""
        name, block = self._name_and_block(group)
        title, note = (block, "") if group.times > 1 and not name else (name, block)
        return Label(title, "", tuple(filter(None, [note, *_owner_note(group.first, owner)])), group.times)

    def tooltip(self, item: DrawnItem) -> str:
        """All facts of a node or a group, one per line."""
        return "\n".join(self._about_node(item) if isinstance(item, Node) else self._about_group(item))

    def _about_node(self, node: Node) -> Iterator[str]:
        yield node.name
        yield f"{node.op.kind} {format_attributes(node.op)}".rstrip()
        yield f"{_types(node.inputs)} → {_types(node.outputs)}"
        for weight in node.weights:
            yield f"{weight.name} {list(weight.shape)}"
        yield from _owner_note(node, None)
        yield from self._exact_counts([node])

    def _about_group(self, group: Group) -> Iterator[str]:
        nodes = list(group.nodes())
        first, last = group.scopes[0], group.scopes[-1]
        names = [scope.name for scope in (first, last)] if first.name else [nodes[0].name, nodes[-1].name]
        yield " … ".join(dict.fromkeys(filter(None, names)))
        yield f"{first.block or first.kind}, {format_quantity(len(nodes), 'layer')}"
        yield f"{_types(first.inputs)} → {_types(last.outputs)}"
        yield from _owner_note(first, None)
        yield from self._exact_counts(nodes)

    def _exact_counts(self, nodes: Sequence[Node]) -> Iterator[str]:
        if params := sum(self.facts.costs[node].params for node in nodes):
            yield f"{params:,} params"
        if macs := sum(self.facts.costs[node].macs for node in nodes):
            yield f"{macs:,} MACs"

    def _name_and_block(self, group: Group) -> tuple[str, str]:
        """The name of a group, with the names of its enclosing scopes, and its block.

        A name that only repeats the block is left out; a number is a name.
        """
        block = group.first.block
        local = [scope.local_name for scope in group.scopes]
        if block is not None and all(is_automatic(name, block) and not name.isdigit() for name in local):
            local = []
        names = [*(scope.local_name for scope in group.enclosing), format_range(local)]
        return ".".join(filter(None, names)), readable(block or "")

    def _shapes(self, values: Sequence[Value]) -> list[str]:
        """The distinct shapes of values."""
        return list(dict.fromkeys(format_sizes(value.type) for value in values)) if "shapes" in self.shown else []

    def _new_shapes(self, node: Node) -> list[str]:
        outputs, inputs = node.output_types, node.input_types
        is_same = all(output.sizes == input.sizes for output in outputs for input in inputs)
        return [] if is_same else self._shapes(node.outputs)

    def _counts(self, nodes: Sequence[Node]) -> Iterator[str]:
        """Parameters and multiply-accumulates, if there are any."""
        if "params" in self.shown and (params := sum(self.facts.costs[node].params for node in nodes)):
            yield f"{format_count(params)} params"
        if "macs" in self.shown and (macs := sum(self.facts.costs[node].macs for node in nodes)):
            yield f"{format_count(macs)} MACs"

    def _field(self, values: Sequence[Value]) -> list[str]:
        """The receptive fields of the first value: the size along each axis of each input."""
        if "field" not in self.shown or not values:
            return []
        several = len(self.facts.graph.inputs) > 1
        return [
            "sees "
            + ("all" if field.everything else "×".join(str(size or "all") for size in field.size))
            + (f" of {name}" if several else "")
            for name, field in self.facts.fields_of(values[0]).items()
        ]

    def _new_field(self, node: Node) -> list[str]:
        field = self._field(node.outputs)
        return [] if any(self._field([value]) == field for value in node.inputs) else field


def contents(scope: Scope) -> str:
    """What a scope contains: `36 × bottleneck` if it consists of calls of one block, else the number of layers."""
    blocks = list(_blocks_in(scope))
    if len(blocks) > 1 and blocks[0] is not None and len(set(blocks)) == 1:
        return f"{len(blocks)} × {readable(blocks[0])}"
    return format_quantity(sum(1 for _ in scope.nodes()), "layer")


def _blocks_in(scope: Scope) -> Iterator[str | None]:
    """The blocks that are called directly in a scope; None for each layer beside them."""
    for item in scope.items:
        if isinstance(item, Scope) and item.block is None:
            yield from _blocks_in(item)
        else:
            yield item.block if isinstance(item, Scope) else None


def _without_duplicate(details: str, shapes: list[str]) -> tuple[str, list[str]]:
    """Details and shapes, without the one that the other implies: the output of `linear 10` has 10 features."""
    if [details] == shapes:
        return details, []
    if details and shapes and all(shape.endswith(f"×{details}") for shape in shapes):
        return "", shapes
    return details, shapes


def _owner_note(item: Node | Scope, owner: str | None) -> Iterator[str]:
    """The owner of shared weights, unless it is inside `owner`."""
    if item.owner and not (owner and item.owner.startswith(f"{owner}.")):
        yield f"weights of {item.owner}"


def _types(values: Sequence[Value]) -> str:
    return ", ".join(str(value.type) for value in values)
