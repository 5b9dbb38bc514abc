"""From a graph to an ONNX model: what its outputs need at inference, layer by layer, under its own names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import onnx
from onnx import helper

from archspec.diagnostics import fail
from archspec.ir.graph import Graph, Node, Output, Value
from archspec.ir.types import DType, Shape
from archspec.lower.onnx.emit import Array, Emit, Made, Program, Step
from archspec.lower.onnx.rules import RULES
from archspec.lower.weights import Weights, fitted

OPSET = 22
"""The opset written unless another is asked for."""

OPSETS = range(18, onnx.defs.onnx_opset_version() + 1)
"""Opsets that can be written: from the first whose Resize names its axes and whose reductions take theirs as an input,
to the last the installed onnx knows.
"""

_ELEMENTS = {DType.FLOAT32: onnx.TensorProto.FLOAT, DType.INT64: onnx.TensorProto.INT64}


def export(graph: Graph, weights: Weights, *, opset: int = OPSET) -> onnx.ModelProto:
    """The network as an ONNX model, as it is at inference.

    Nodes and values have the names of layers, inputs and outputs those of the spec, initializers those of the state
    dict. Helper nodes are called `layer/what`. The batch axis is the symbol N. What no output needs is left out, and so
    are outputs that are only there while training.

    Args:
        graph: the network.
        weights: every weight of the graph by its name in the state dict; see `archspec.lower.weights`.
        opset: the version of ONNX's operators to write.

    Raises:
        ArchspecError: the opset is not among `OPSETS`, the weights do not fit, an op has no rule, or names of inputs
            and outputs leave ONNX with two values of one name.
    """
    if opset not in OPSETS:
        raise fail(
            "unsupported",
            f"ONNX opset {opset} cannot be written",
            help=f"opsets {OPSETS.start} to {OPSETS.stop - 1} can",
        )
    weights = fitted(graph, weights)
    outputs = [output for output in graph.outputs if not output.training_only]
    if not outputs:
        raise fail("unsupported", f"ONNX cannot express '{graph.name}': it returns nothing at inference")
    program, names = _lower(graph, outputs, opset)
    steps = _named(program.steps, outputs, names)
    tensors = {key: weights[key] for key in weights if key in program.weights} | program.constants
    _check_names(graph, steps, tensors)
    return _model(graph, outputs, steps, tensors, opset)


def _lower(graph: Graph, outputs: Iterable[Output], opset: int) -> tuple[Program, dict[Value, str]]:
    """The steps of every layer that is needed, and the ONNX name of each value."""
    program = Program(opset)
    names = {value: value.name for value in graph.inputs}
    for node in _needed(graph, outputs):
        rule = RULES[node]
        made = rule(node.op, Emit(program, node, tuple(names[value] for value in node.inputs)))
        names.update(zip(node.outputs, (made,) if isinstance(made, str) else made, strict=True))
    return program, names


def _needed(graph: Graph, outputs: Iterable[Output]) -> list[Node]:
    """The nodes that outputs depend on, in order."""
    needed = {output.value for output in outputs}
    nodes: list[Node] = []
    for node in reversed(graph.nodes):
        if not needed.isdisjoint(node.outputs):
            needed.update(node.inputs)
            nodes.append(node)
    return nodes[::-1]


def _named(steps: Sequence[Step], outputs: Sequence[Output], names: Mapping[Value, str]) -> list[Step]:
    """The steps with their values named as outputs return them.

    A value that is an input, or that another output has named already, is copied; a value within the network whose name
    an output takes gives way.
    """
    made = {value.name for step in steps for value in step.outputs}
    renamed: dict[str, str] = {}
    copies: list[Output] = []
    for output in outputs:
        name = names[output.value]
        if name in made and name not in renamed:
            renamed[name] = output.name
        else:
            copies.append(output)
    for taken in made.intersection(output.name for output in outputs):
        renamed.setdefault(taken, f"{taken}/value")
    named = [
        replace(
            step,
            inputs=tuple(renamed.get(name, name) for name in step.inputs),
            outputs=tuple(replace(value, name=renamed.get(value.name, value.name)) for value in step.outputs),
        )
        for step in steps
    ]
    for output in copies:
        name, type = names[output.value], output.value.type
        source = renamed.get(name, name)
        copy = Made(output.name, type.shape, type.dtype)
        named.append(Step("Identity", f"{output.name}/copy", (source,), {}, (copy,)))
    return named


def _check_names(graph: Graph, steps: Iterable[Step], tensors: Iterable[str]) -> None:
    """ONNX keeps inputs, outputs, weights and everything between under one roof."""
    made = (value.name for step in steps for value in step.outputs)
    names = Counter([*(value.name for value in graph.inputs), *made, *tensors])
    name, times = names.most_common(1)[0]
    if times > 1:
        raise fail(
            "unsupported",
            f"ONNX cannot express '{graph.name}': two of its values would be called '{name}'",
            help="name the input or the output otherwise",
        )


def _model(
    graph: Graph, outputs: Iterable[Output], steps: Sequence[Step], tensors: Mapping[str, Array], opset: int
) -> onnx.ModelProto:
    """The model in ONNX's own classes, filled in place: weights are large, and every copy of them counts."""
    version = helper.make_opsetid("", opset)
    model = onnx.ModelProto(ir_version=helper.find_min_ir_version_for([version]), producer_name="archspec")
    model.opset_import.append(version)
    body = model.graph
    body.name = graph.name
    body.input.extend(_info(value.name, value.type.shape, value.type.dtype) for value in graph.inputs)
    body.output.extend(_info(output.name, output.value.type.shape, output.value.type.dtype) for output in outputs)
    returned = {output.name for output in body.output}
    for step in steps:
        body.node.append(_node(step))
        between = (value for value in step.outputs if value.name not in returned)
        body.value_info.extend(_info(value.name, value.shape, value.dtype) for value in between)
    for name, array in tensors.items():
        kind = _ELEMENTS[DType(array.dtype.name)]
        body.initializer.add(name=name, dims=array.shape, data_type=kind, raw_data=_raw(array))
    return model


def _node(step: Step) -> onnx.NodeProto:
    node = onnx.NodeProto(op_type=step.op, name=step.name, input=step.inputs)
    node.output.extend(value.name for value in step.outputs)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in step.attributes.items())
    return node


def _info(name: str, shape: Shape, dtype: DType) -> onnx.ValueInfoProto:
    sizes = [size if isinstance(size, int) else size.name for size in shape]
    return helper.make_tensor_value_info(name, _ELEMENTS[dtype], sizes)


def _raw(array: Array) -> bytes:
    """Elements in a row, the lowest byte of each first, as ONNX stores them."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
