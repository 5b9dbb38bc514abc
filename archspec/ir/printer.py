"""The canonical text of a graph, as `archspec` prints it and golden files hold it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.ir.operation import Operation
from archspec.ir.types import DType


def to_text(graph: Graph) -> str:
    """The graph as text: one line per node, in order, indented by the scopes of the spec.

    lenet5(input: float32 (N, 1, 32, 32)) {
      c1 = conv(input) {channels: 6, kernel: 5} -> (N, 6, 28, 28)
      ...
    } -> output = output
    """
    inputs = ", ".join(_typed(value) for value in graph.inputs)
    outputs = ", ".join(
        f"{output.name} = {output.value.name}" + (" (training)" if output.training_only else "")
        for output in graph.outputs
    )
    return "\n".join([f"{graph.name}({inputs}) {{", *_lines(graph.body, "  "), f"}} -> {outputs}", ""])


def format_attributes(op: Operation) -> str:
    """Attributes as YAML: `{channels: 6, kernel: 5}`; empty where all are defaults."""
    attributes = [f"{name}: {_plain(value)}" for name, value in op.explicit_attributes().items()]
    return "{" + ", ".join(attributes) + "}" if attributes else ""


def _lines(scope: Scope, indent: str) -> Iterator[str]:
    for item in scope.items:
        if isinstance(item, Node):
            yield indent + _line(item)
        elif item.name is None and item.kind in ("sequential", "iteration", "path", "repeat"):
            yield from _lines(item, indent)
        else:
            name = (item.name or "") + _named(item.input_names, item.inputs, "({})")
            words = [item.kind, item.block or "", name, "(training)" if item.training_only else ""]
            yield indent + " ".join(filter(None, words)) + " {"
            yield from _lines(item, indent + "  ")
            yield indent + "}" + _named(item.output_names, item.outputs, " -> {}")


def _named(names: Sequence[str], values: Sequence[Value], text: str) -> str:
    """The values that a block names, in a text; nothing if it names none."""
    pairs = zip(names, values, strict=False)
    return text.format(", ".join(f"{name}: {value.name}" for name, value in pairs)) if names else ""


def _line(node: Node) -> str:
    inputs = ", ".join(value.name for value in node.inputs)
    outputs = ", ".join(_type(value) for value in node.outputs)
    shared = f" with {node.owner}" if node.owner else ""
    extras = format_attributes(node.op)
    return f"{node.name} = {node.op.kind}({inputs}){' ' + extras if extras else ''}{shared} -> {outputs}"


def _typed(value: Value) -> str:
    return f"{value.name}: {value.type.dtype} {value.type}"


def _type(value: Value) -> str:
    return f"{'' if value.type.dtype is DType.FLOAT32 else f'{value.type.dtype} '}{value.type}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_plain(item) for item in value) + "]"
    return str(value)
