"""Trimming: of a network that is a part of another one, only the layers are kept that something reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from archspec.frozen import replace
from archspec.ir.graph import Node, Scope, SizeRead, Value


def trim(body: Scope, trimmed: Collection[Scope], size_reads: Iterable[SizeRead]) -> tuple[Scope, tuple[SizeRead, ...]]:
    """The network without the layers of the scopes `trimmed` that nothing reads, and the size reads that are left.

    A scope of which nothing is read is kept as it is: a warning will be about it. An owner of shared weights is kept,
    and so is a value whose size is read where it is passed to something that is kept.
    """
    size_reads = tuple(size_reads)
    sized = {read.value for read in size_reads}
    needed = set(body.outputs)
    outermost = list(_outermost(body, set(trimmed)))
    optional = {node for scope in outermost for node in scope.nodes()}
    for _ in range(_MOST_ROUNDS):
        kept = _kept(body, optional, needed)
        values = {value for node in kept for value in node.outputs}.union(body.inputs)
        unread = [scope for scope in outermost if kept.isdisjoint(scope.nodes())]
        more = {value for scope in unread for value in scope.outputs}
        more |= {value for scope in _with_layers(body, kept) for value in scope.inputs if value in sized}
        if more <= values:
            return _rebuilt(body, kept, values), tuple(read for read in size_reads if read.value in values)
        needed |= more
    return body, size_reads


_MOST_ROUNDS = 20
"""How often what is kept may need more to be kept; a network that needs more is left as it is."""


def _outermost(scope: Scope, trimmed: Collection[Scope]) -> Iterator[Scope]:
    """The scopes to trim that are inside no other one."""
    for item in scope.items:
        if isinstance(item, Scope):
            yield from [item] if item in trimmed else _outermost(item, trimmed)


def _kept(body: Scope, optional: Collection[Node], needed: Iterable[Value]) -> set[Node]:
    """The nodes that are not optional, and those that they or `needed` depend on."""
    values, owners = set(needed), set[str]()
    kept: set[Node] = set()
    for node in reversed(list(body.nodes())):
        if node not in optional or node.name in owners or not values.isdisjoint(node.outputs):
            kept.add(node)
            values.update(node.inputs)
            if node.owner is not None:
                owners.add(node.owner)
    return kept


def _with_layers(scope: Scope, kept: Collection[Node]) -> list[Scope]:
    """The scopes inside in which a layer is kept."""
    return [each for each in scope.scopes() if any(node in kept for node in each.nodes())]


def _rebuilt(scope: Scope, kept: Collection[Node], values: Collection[Value]) -> Scope:
    """The scope with only these nodes and values, and without the scopes that are empty for it."""
    items: list[Node | Scope] = []
    for item in scope.items:
        if isinstance(item, Node):
            items += [item] if item in kept else []
            continue
        nodes = list(item.nodes())
        if not nodes or any(node in kept for node in nodes):
            items.append(_rebuilt(item, kept, values))
    inputs, input_names = _only(scope.inputs, scope.input_names, values)
    outputs, output_names = _only(scope.outputs, scope.output_names, values)
    last = [node for node in scope.nodes() if node in kept][-1:]
    if last and not outputs and scope.kind != "network":  # layers inside are read, but not what it returns
        outputs, output_names = last[0].outputs, ()
    if tuple(items) == scope.items and len(inputs) == len(scope.inputs) and len(outputs) == len(scope.outputs):
        return scope
    owner = scope.owner if any(node.weights for item in items for node in _nodes(item)) else None
    return replace(
        scope, items=tuple(items), inputs=inputs, input_names=input_names, outputs=outputs, output_names=output_names,
        owner=owner,
    )  # fmt: skip


def _nodes(item: Node | Scope) -> Iterable[Node]:
    return (item,) if isinstance(item, Node) else item.nodes()


def _only(
    values: Sequence[Value], names: Sequence[str], known: Collection[Value]
) -> tuple[tuple[Value, ...], tuple[str, ...]]:
    """The values that are known, with their names if they have some."""
    left = [i for i, value in enumerate(values) if value in known]
    return tuple(values[i] for i in left), tuple(names[i] for i in left) if names else ()
