"""The blocks of a spec as functions of an ONNX model. Blocks that do the same share a function."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from archspec.ir.graph import Node, Scope
from archspec.lower.onnx.builder import Array, OnnxFunction, OnnxGraph, OnnxNode

_SMALL = 1024
"""The largest constant, in bytes, that functions contain; a larger one is an input, as weights are."""

_DEEPEST = 50
"""The deepest nesting of calls. ONNX's checker accepts 100."""

_Places = Sequence[tuple[int, OnnxNode]]
"""Nodes of the model, each with its place in it."""


def with_functions(onnx_graph: OnnxGraph, body: Scope, weights: Collection[str]) -> OnnxGraph:
    """The same model with a function for each block, and a node in the place of each call of the block.

    Such a node has the name of the scope. A function has the name of the block, with a number after it if another
    function has that name. Its inputs are the values that the block reads, then its weights. What is inside has the
    names that it has in the first block that shares the function, relative to that block.

    Args:
        onnx_graph: the model, with its nodes in the order of the layers.
        body: the scopes of the graph.
        weights: the names of the weights.
    """
    writer = _FunctionWriter(onnx_graph, body, weights)
    nodes = tuple(writer.grouped(list(enumerate(onnx_graph.nodes)), 0))
    read = {name for node in nodes for name in node.inputs}
    constants = {name: array for name, array in onnx_graph.constants.items() if name in read}
    return replace(onnx_graph, nodes=nodes, constants=constants, functions=tuple(writer.functions.values()))


class _FunctionWriter:
    """Writes functions, each of them once; `functions` are by what they compute."""

    def __init__(self, onnx_graph: OnnxGraph, body: Scope, weights: Collection[str]) -> None:
        self.blocks = dict(_blocks(body, ()))
        self.constants = {name: array for name, array in onnx_graph.constants.items() if array.nbytes <= _SMALL}
        self.weights = {*weights, *onnx_graph.constants}.difference(self.constants)
        self.last_read = {name: place for place, node in enumerate(onnx_graph.nodes) for name in node.inputs}
        self.last_read |= {output.name: len(onnx_graph.nodes) for output in onnx_graph.outputs}
        self.functions: dict[object, OnnxFunction] = {}
        self.names = _Names()

    def grouped(self, places: _Places, depth: int) -> Iterator[OnnxNode]:
        """The nodes of some places, with those that are in more than `depth` blocks replaced by calls."""

        def block(place: tuple[int, OnnxNode]) -> Scope | None:
            blocks = self.blocks.get(place[1].layer, ())
            return blocks[depth] if depth < min(len(blocks), _DEEPEST) else None

        for scope, group in groupby(places, block):
            if scope is None:
                yield from (node for _, node in group)
            else:
                yield self.call(scope, list(group), depth + 1)

    def call(self, scope: Scope, places: _Places, depth: int) -> OnnxNode:
        """The call of the function of a block, which is written if it is the first that does this."""
        nodes = tuple(self.grouped(places, depth))
        computed = {value.name: value for node in nodes for value in node.outputs}
        outputs = tuple(value for name, value in computed.items() if self.last_read.get(name, -1) > places[-1][0])
        read = dict.fromkeys(name for node in nodes for name in node.inputs if name and name not in computed)
        constants = {name: self.constants[name] for name in read if name in self.constants}
        weights = tuple(name for name in read if name in self.weights)
        values = tuple(name for name in read if name not in self.weights and name not in constants)
        block = _Block(scope, values, weights, constants, nodes, tuple(value.name for value in outputs))
        content = block.content()
        if content not in self.functions:
            self.functions[content] = block.function(self.names.new(block.name))
        name = self.functions[content].name
        return OnnxNode(name, scope.name or name, (*values, *weights), {}, outputs, is_call=True)


@dataclass(frozen=True, slots=True)
class _Block:
    """The nodes of a block, and the names of what they read from outside and of what is read from outside."""

    scope: Scope
    values: tuple[str, ...]
    weights: tuple[str, ...]
    constants: Mapping[str, Array]
    nodes: tuple[OnnxNode, ...]
    outputs: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.scope.block or ""

    def content(self) -> object:
        """What the block computes: equal for blocks that can share a function."""
        places: dict[str, object] = {name: place for place, name in enumerate((*self.values, *self.weights))}
        places |= {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in self.constants.items()}
        nodes: list[object] = []
        for node in self.nodes:
            attributes = {
                name: tuple(value) if isinstance(value, Sequence) else value for name, value in node.attributes.items()
            }
            inputs = tuple(places.get(name) for name in node.inputs)
            nodes.append((node.op, node.is_call, frozenset(attributes.items()), inputs, len(node.outputs)))
            places.update((value.name, (len(nodes), i)) for i, value in enumerate(node.outputs))
        return self.name, len(self.values), tuple(nodes), tuple(places[name] for name in self.outputs)

    def function(self, name: str) -> OnnxFunction:
        """The function; values that the block has no name for are called `input`, `input_2`, and so on."""
        names = _Names()
        prefix = f"{self.scope.name}."
        declared = dict(zip((value.name for value in self.scope.inputs), self.scope.input_names, strict=False))
        local = {"": "", **{value: names.new(declared.get(value, "input")) for value in self.values}}
        computed = (value.name for node in self.nodes for value in node.outputs)
        for value in (*self.weights, *self.constants, *computed):
            local[value] = names.new(value.removeprefix(prefix))
        nodes = tuple(
            replace(
                node,
                name=node.name.removeprefix(prefix),
                inputs=tuple(local[value] for value in node.inputs),
                outputs=tuple(replace(value, name=local[value.name]) for value in node.outputs),
            )
            for node in self.nodes
        )
        return OnnxFunction(
            name,
            tuple(local[value] for value in (*self.values, *self.weights)),
            tuple(local[value] for value in self.outputs),
            nodes,
            {local[constant]: array for constant, array in self.constants.items()},
        )


class _Names:
    """Makes names unique, by a number after those that are taken."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def new(self, name: str) -> str:
        unique, number = name, 1
        while unique in self.taken:
            number += 1
            unique = f"{name}_{number}"
        self.taken.add(unique)
        return unique


def _blocks(scope: Scope, outer: tuple[Scope, ...]) -> Iterable[tuple[str, tuple[Scope, ...]]]:
    """Every layer that is inside of blocks, by name, with these blocks from the outermost on."""
    for item in scope.items:
        if isinstance(item, Node):
            yield item.name, outer
        else:
            yield from _blocks(item, (*outer, item) if item.block else outer)
