"""Export: the graph's inference part as an ONNX model, layer by layer, under the names of the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import onnx
from onnx import helper

from archspec.diagnostics import fail
from archspec.ir.graph import Graph, Output, Value
from archspec.ir.types import DType, SymbolicDim
from archspec.lower.dynamic.symbolic_graph import SymbolicGraph, fixed_size, symbolic
from archspec.lower.dynamic.symbolic_size import SizeNeeded
from archspec.lower.onnx.builder import Array, GraphState, OnnxBuilder, OnnxFunction, OnnxGraph, OnnxNode, ValueInfo
from archspec.lower.onnx.dimension_names import with_symbols
from archspec.lower.onnx.external_weights import OnnxModel, complete
from archspec.lower.onnx.functions import with_functions
from archspec.lower.onnx.older_opsets import in_opset
from archspec.lower.onnx.rules import RULES, OnnxRule
from archspec.lower.onnx.size_check import check_sizes
from archspec.lower.weights import Weights, fitted
from archspec.ops import Op

OPSET = 22
"""The default opset."""

OPSETS = range(13, onnx.defs.onnx_opset_version() + 1)
"""The supported opsets: from the first in which Squeeze, Unsqueeze and Split take numbers as inputs, to the last that
the installed onnx knows.
"""

FUNCTIONS_OPSET = 15
"""The first opset with functions of models: it came with IR version 8, which introduced them."""

RUNTIME_OPSET = 26
"""The newest opset that ONNX Runtime 1.31 loads, the newest version of it."""

_ELEMENT_TYPES = {
    DType.FLOAT32: onnx.TensorProto.FLOAT,
    DType.INT64: onnx.TensorProto.INT64,
    None: onnx.TensorProto.BOOL,
}


def export(
    graph: Graph,
    weights: Weights | None,
    *,
    opset: int = OPSET,
    dynamic: bool = False,
    functions: bool = False,
    about: Mapping[str, str] | None = None,
    overrides: Mapping[type[Op], OnnxRule] | None = None,
) -> OnnxModel:
    """The inference part of a network as an ONNX model; the weights are not copied.

    Nodes and values have the names of layers, inputs and outputs those of the spec, initializers those of the state
    dict, or those of `initializer_names` where an output has the same name. Intermediate nodes are named
    `layer/label`. The batch axis is the symbol N. Layers that no output needs are left out, and so are outputs that
    exist only in training.

    Args:
        graph: the network.
        weights: every weight of the graph by its name in the state dict; see `archspec.lower.weights`. If None, the
            weights become inputs of the model, after the network's own inputs.
        opset: the version of ONNX's operators to write.
        dynamic: whether the sizes of the inputs after the channels become symbols.
        functions: whether the blocks of the spec become functions of the model.
        about: metadata to store in the model.
        overrides: rules that replace those of `RULES` for some ops, such as faster forms for one runtime.

    Raises:
        ArchspecError: the opset is not in `OPSETS` or cannot express a layer or functions, the weights do not fit, an
            op has no rule, a layer works at one size only although the sizes are dynamic, or two values would have the
            same name.
    """
    if opset not in OPSETS:
        raise fail(
            "unsupported",
            f"ONNX opset {opset} cannot be written",
            help=f"opsets {OPSETS.start} to {OPSETS.stop - 1} can",
        )
    if functions and opset < FUNCTIONS_OPSET:
        message = f"ONNX opset {opset} has no functions"
        raise fail("unsupported", message, help=f"opsets {FUNCTIONS_OPSET} to {OPSETS.stop - 1} have them")
    onnx_graph = _lower(graph, opset, dynamic=dynamic, overrides=overrides)
    names = initializer_names(graph)
    used = {names[key]: weight for key, weight in graph.weights() if key in onnx_graph.weights}
    _check_names(graph, onnx_graph, used)
    if functions:
        onnx_graph = with_functions(onnx_graph, graph.body, used)
    if weights is None:
        inputs = tuple(ValueInfo(name, weight.shape, weight.dtype) for name, weight in used.items())
        return _model(graph.name, replace(onnx_graph, inputs=(*onnx_graph.inputs, *inputs)), {}, opset, about or {})
    arrays = {names[key]: array for key, array in fitted(graph, weights).items()}
    return _model(graph.name, onnx_graph, {name: arrays[name] for name in used}, opset, about or {})


def initializer_names(graph: Graph) -> dict[str, str]:
    """The name of each weight by its key in the state dict: the key, or `key/weight` if an output has that name.

    An output may have the name of a layer such as a class token, whose weight has that name, too.
    """
    outputs = {output.name for output in graph.inference_outputs}
    return {key: f"{key}/weight" if key in outputs else key for key, _ in graph.weights()}


def _lower(
    graph: Graph, opset: int, *, dynamic: bool, overrides: Mapping[type[Op], OnnxRule] | None = None
) -> OnnxGraph:
    """The ONNX graph of a network, without the values of its weights."""
    state = GraphState(opset, dynamic, initializer_names=initializer_names(graph))
    formulas = symbolic(graph) if dynamic else SymbolicGraph(graph, frozenset())
    graph = formulas.graph
    inputs = check_sizes(state, formulas)
    names = _apply_rules(graph, state, inputs, overrides or {})
    outputs = graph.inference_outputs
    onnx_inputs = tuple(ValueInfo(value.name, value.type.shape, value.type.dtype) for value in graph.inputs)
    nodes = in_opset(state, onnx_inputs)
    _check_operators(graph, nodes, opset)
    read = {name for node in nodes for name in node.inputs}
    onnx_graph = OnnxGraph(
        onnx_inputs,
        tuple(ValueInfo(output.name, output.value.type.shape, output.value.type.dtype) for output in outputs),
        tuple(_with_output_names(nodes, outputs, names)),
        frozenset(state.weights),
        {name: array for name, array in state.constants.items() if name in read},
    )
    return with_symbols(onnx_graph) if dynamic else onnx_graph


def _apply_rules(
    graph: Graph, state: GraphState, inputs: Mapping[Value, str], overrides: Mapping[type[Op], OnnxRule]
) -> dict[Value, str]:
    """Write the ONNX nodes of every layer that inference needs; the ONNX name of each value of the graph."""
    names = dict(inputs)
    for node in graph.inference_nodes:
        builder = OnnxBuilder(state, node, tuple(names[value] for value in node.inputs))
        assert isinstance(node.op, Op)
        override = overrides.get(type(node.op))
        try:
            result = RULES.apply(node, builder) if override is None else override(node.op, builder)
        except SizeNeeded:
            raise fixed_size(graph, node, "its ONNX operators depend on the size of its input") from None
        names.update(zip(node.outputs, (result,) if isinstance(result, str) else result, strict=True))
    return names


def _check_operators(graph: Graph, nodes: Iterable[OnnxNode], opset: int) -> None:
    """Check that an opset has the operators of all nodes.

    Raises:
        ArchspecError: it does not, but a newer one does.
    """
    for node in nodes:
        first = next((version for version in range(opset, OPSETS.stop) if _has(version, node)), opset)
        if first > opset:
            span = next((layer.span for layer in graph.nodes if layer.name == node.layer), None)
            message = f"ONNX opset {opset} cannot express '{node.layer}': it needs {node.op} of opset {first}"
            raise fail("unsupported", message, span, help=f"write opset {first} or a newer one (--opset {first})")


def _has(opset: int, node: OnnxNode) -> bool:
    """Whether an opset has the operator of a node, with its attributes and as many inputs."""
    try:
        schema = onnx.defs.get_schema(node.op, opset)
    except onnx.defs.SchemaError:
        return False
    return node.attributes.keys() <= schema.attributes.keys() and len(node.inputs) <= schema.max_input


def _with_output_names(
    nodes: Sequence[OnnxNode], outputs: Sequence[Output], names: Mapping[Value, str]
) -> list[OnnxNode]:
    """The nodes, with the values that the network returns renamed to the names of its outputs.

    A value that is an input of the network, or that is returned under another name already, is copied by an Identity.
    Another value that has the name of an output is renamed.
    """
    computed = {value.name for node in nodes for value in node.outputs}
    renamed: dict[str, str] = {}
    copies: list[Output] = []
    for output in outputs:
        name = names[output.value]
        if name in computed and name not in renamed:
            renamed[name] = output.name
        else:
            copies.append(output)
    for taken in computed.intersection(output.name for output in outputs):
        renamed.setdefault(taken, f"{taken}/value")
    result = [
        replace(
            node,
            inputs=tuple(renamed.get(name, name) for name in node.inputs),
            outputs=tuple(replace(value, name=renamed.get(value.name, value.name)) for value in node.outputs),
        )
        for node in nodes
    ]
    for output in copies:
        name, type = names[output.value], output.value.type
        source = renamed.get(name, name)
        copy = ValueInfo(output.name, type.shape, type.dtype)
        result.append(OnnxNode("Identity", f"{output.name}/copy", (source,), {}, (copy,)))
    return result


def _check_names(graph: Graph, onnx_graph: OnnxGraph, weights: Iterable[str]) -> None:
    """Check that names are unique: in ONNX inputs, outputs, weights and all other values share one namespace."""
    computed = (value.name for node in onnx_graph.nodes for value in node.outputs)
    names = Counter([*(value.name for value in onnx_graph.inputs), *computed, *weights, *onnx_graph.constants])
    name, count = names.most_common(1)[0]
    if count > 1:
        raise fail(
            "unsupported",
            f"ONNX cannot express '{graph.name}': two of its values would be called '{name}'",
            help="rename the input or the output",
        )


def _model(
    name: str, onnx_graph: OnnxGraph, weights: Mapping[str, Array], opset: int, about: Mapping[str, str]
) -> OnnxModel:
    version = helper.make_opsetid("", opset)
    model = onnx.ModelProto(ir_version=helper.find_min_ir_version_for([version]), producer_name="archspec")
    model.opset_import.append(version)
    domain = f"archspec.{name}"  # the domains of ONNX itself are names that a spec may have, too
    if onnx_graph.functions:
        model.opset_import.append(helper.make_opsetid(domain, 1))
        model.functions.extend(
            _function_proto(function, domain, model.opset_import) for function in onnx_graph.functions
        )
    for key, value in about.items():
        model.metadata_props.add(key=key, value=value)
    proto = model.graph
    proto.name = name
    proto.input.extend(map(_value_info, onnx_graph.inputs))
    proto.output.extend(map(_value_info, onnx_graph.outputs))
    returned = {output.name for output in onnx_graph.outputs}
    for node in onnx_graph.nodes:
        proto.node.append(_node_proto(node, domain))
        proto.value_info.extend(_value_info(value) for value in node.outputs if value.name not in returned)
    return OnnxModel(model, {**weights, **onnx_graph.constants})


def _function_proto(
    function: OnnxFunction, domain: str, versions: Iterable[onnx.OperatorSetIdProto]
) -> onnx.FunctionProto:
    constants = [
        helper.make_node("Constant", [], [name], name=name, value=complete(name, array))
        for name, array in function.constants.items()
    ]
    nodes = [_node_proto(node, domain) for node in function.nodes]
    return helper.make_function(
        domain, function.name, function.inputs, function.outputs, [*constants, *nodes], list(versions)
    )


def _node_proto(node: OnnxNode, domain: str) -> onnx.NodeProto:
    """A node; `domain` is that of the functions of the model."""
    proto = onnx.NodeProto(op_type=node.op, name=node.name, input=node.inputs)
    if node.is_call:
        proto.domain = domain
    proto.output.extend(value.name for value in node.outputs)
    proto.attribute.extend(helper.make_attribute(name, value) for name, value in node.attributes.items())
    return proto


def _value_info(value: ValueInfo) -> onnx.ValueInfoProto:
    sizes = [size.name if isinstance(size, SymbolicDim) else size for size in value.shape]
    return helper.make_tensor_value_info(value.name, _ELEMENT_TYPES[value.dtype], sizes)
