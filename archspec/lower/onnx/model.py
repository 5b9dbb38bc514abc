"""From a graph to an ONNX model: what its outputs need at inference, layer by layer, under its own names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import onnx
from onnx import helper

from archspec.diagnostics import fail
from archspec.ir.graph import Graph, Output, Value
from archspec.ir.types import DType, SymbolicDim
from archspec.lower.onnx.builder import Array, Body, Emit, Program, Step, ValueInfo
from archspec.lower.onnx.dynamic_sizes import alike, opened
from archspec.lower.onnx.external_weights import LightModel
from archspec.lower.onnx.rules import RULES
from archspec.lower.onnx.rules.common import Rule
from archspec.lower.weights import Weights, fitted
from archspec.ops import Op

OPSET = 22
"""The opset written unless another is asked for."""

OPSETS = range(18, onnx.defs.onnx_opset_version() + 1)
"""Opsets that can be written: from the first whose Resize names its axes and whose reductions take theirs as an input,
to the last the installed onnx knows.
"""

_ELEMENTS = {DType.FLOAT32: onnx.TensorProto.FLOAT, DType.INT64: onnx.TensorProto.INT64}


def export(
    graph: Graph,
    weights: Weights | None,
    *,
    opset: int = OPSET,
    others: Sequence[Graph] = (),
    about: Mapping[str, str] | None = None,
    overrides: Mapping[type[Op], Rule] | None = None,
) -> LightModel:
    """The network as an ONNX model, as it is at inference; the weights stay where they are.

    Nodes and values have the names of layers, inputs and outputs those of the spec, initializers those of the state
    dict. Helper nodes are called `layer/what`. The batch axis is the symbol N. What no output needs is left out, and so
    are outputs that are only there while training.

    Args:
        graph: the network.
        weights: every weight of the graph by its name in the state dict; see `archspec.lower.weights`. If None, they
            are inputs of the model, after the network's own.
        opset: the version of ONNX's operators to write.
        others: the same network at other sizes: then the sizes in which they differ are symbols.
        about: facts to store with the model.
        overrides: rules that replace those of `RULES` for some ops, such as faster forms for one runtime.

    Raises:
        ArchspecError: the opset is not among `OPSETS`, the weights do not fit, an op has no rule, a layer is made for
            one size and there are others, or names of inputs and outputs leave ONNX with two values of one name.
    """
    if opset not in OPSETS:
        raise fail(
            "unsupported",
            f"ONNX opset {opset} cannot be written",
            help=f"opsets {OPSETS.start} to {OPSETS.stop - 1} can",
        )
    body = _body(graph, Program(opset, open=bool(others)), overrides)
    if others:
        body = opened(body, [twin for _, twin in alike(graph, body, _bodies(others, opset))])
    known = {key: weight for key, weight in graph.weights() if key in body.weights}
    _check_names(graph, body, known)
    if weights is None:
        lent = tuple(ValueInfo(key, weight.shape, weight.dtype) for key, weight in known.items())
        return _model(graph.name, replace(body, inputs=(*body.inputs, *lent)), {}, opset, about or {})
    fitting = fitted(graph, weights)
    return _model(graph.name, body, {key: fitting[key] for key in known}, opset, about or {})


def at_any_size(graph: Graph, others: Iterable[Graph], *, opset: int = OPSET) -> list[Graph]:
    """Those of the others that one model can stand for: the same network at other sizes.

    Raises:
        ArchspecError: a layer is made for one size; it is named.
    """
    return [other for other, _ in alike(graph, _body(graph, Program(opset, open=True)), _bodies(others, opset))]


def _bodies(others: Iterable[Graph], opset: int) -> list[tuple[Graph, Body]]:
    return [(other, _body(other, Program(opset, open=True))) for other in others]


def _body(graph: Graph, program: Program, overrides: Mapping[type[Op], Rule] | None = None) -> Body:
    """All that is written of a graph but its weights; the program is empty, and says how to write."""
    outputs = graph.inference_outputs
    names = _lower(graph, program, overrides or {})
    return Body(
        tuple(ValueInfo(value.name, value.type.shape, value.type.dtype) for value in graph.inputs),
        tuple(ValueInfo(output.name, output.value.type.shape, output.value.type.dtype) for output in outputs),
        tuple(_named(program.steps, outputs, names)),
        frozenset(program.weights),
        program.constants,
    )


def _lower(graph: Graph, program: Program, overrides: Mapping[type[Op], Rule]) -> dict[Value, str]:
    """Writes the steps of every layer that is needed; the ONNX name of each value."""
    names = {value: value.name for value in graph.inputs}
    for node in graph.inference_nodes:
        assert isinstance(node.op, Op)
        emit = Emit(program, node, tuple(names[value] for value in node.inputs))
        override = overrides.get(type(node.op))
        made = override(node.op, emit) if override else RULES.apply(node, emit)
        names.update(zip(node.outputs, (made,) if isinstance(made, str) else made, strict=True))
    return names


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
        copy = ValueInfo(output.name, type.shape, type.dtype)
        named.append(Step("Identity", f"{output.name}/copy", (source,), {}, (copy,)))
    return named


def _check_names(graph: Graph, body: Body, weights: Iterable[str]) -> None:
    """ONNX keeps inputs, outputs, weights and everything between under one roof."""
    made = (value.name for step in body.steps for value in step.outputs)
    names = Counter([*(value.name for value in body.inputs), *made, *weights, *body.constants])
    name, times = names.most_common(1)[0]
    if times > 1:
        raise fail(
            "unsupported",
            f"ONNX cannot express '{graph.name}': two of its values would be called '{name}'",
            help="name the input or the output otherwise",
        )


def _model(name: str, body: Body, weights: Mapping[str, Array], opset: int, about: Mapping[str, str]) -> LightModel:
    version = helper.make_opsetid("", opset)
    model = onnx.ModelProto(ir_version=helper.find_min_ir_version_for([version]), producer_name="archspec")
    model.opset_import.append(version)
    for key, value in about.items():
        model.metadata_props.add(key=key, value=value)
    graph = model.graph
    graph.name = name
    graph.input.extend(map(_info, body.inputs))
    graph.output.extend(map(_info, body.outputs))
    returned = {output.name for output in body.outputs}
    for step in body.steps:
        graph.node.append(_node(step))
        graph.value_info.extend(_info(value) for value in step.outputs if value.name not in returned)
    return LightModel(model, {**weights, **body.constants})


def _node(step: Step) -> onnx.NodeProto:
    node = onnx.NodeProto(op_type=step.op, name=step.name, input=step.inputs)
    node.output.extend(value.name for value in step.outputs)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in step.attributes.items())
    return node


def _info(made: ValueInfo) -> onnx.ValueInfoProto:
    sizes = [size.name if isinstance(size, SymbolicDim) else size for size in made.shape]
    return helper.make_tensor_value_info(made.name, _ELEMENTS[made.dtype], sizes)
