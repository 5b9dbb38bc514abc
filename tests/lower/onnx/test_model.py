"""Exported models: their content and names, and that the same input gives the same bytes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph, Node, Output, Scope, Value
from archspec.ir.types import TensorType
from archspec.loading import parse
from archspec.lower import weights
from archspec.lower.onnx import OPSET, OPSETS, export
from archspec.lower.onnx.builder import CONSTANTS
from archspec.lower.onnx.model import initializer_names
from archspec.ops.activation import Relu
from tests.lower.onnx.runtime import inferred_shapes, random_inputs, random_weights, session, shapes

SMALL = """
archspec: 1
name: small
input: [3, 8, 8]
blocks:
  unit:
    args: [width]
    layers:
      - residual:
          layers:
            - conv: {name: conv, channels: width, kernel: 3, padding: 1, bias: false}
            - batch_norm: {name: norm}
          shortcut:
            - conv: {name: project, channels: width, kernel: 1}
      - relu
layers:
  - unit: {name: first, width: 4}
  - unit: {name: second, width: 6}
  - dropout
  - global_avg_pool
  - flatten
  - linear: {name: head, features: 5}
  - dropout
"""


def model_of(text: str, **arguments: int) -> onnx.ModelProto:
    graph = parse(text).graph
    return export(graph, random_weights(graph), **arguments).to_proto()


def spec(layers: str, rest: str = "", shape: str = "[3, 4, 4]") -> str:
    return f"archspec: 1\nname: net\ninput: {shape}\nlayers:\n{layers}\n{rest}"


def ops(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_nodes_and_values_are_named_as_in_the_spec() -> None:
    model = model_of(SMALL)
    assert [(node.name, node.op_type, list(node.input), list(node.output)) for node in model.graph.node][:5] == [
        ("first.conv", "Conv", ["input", "first.conv.weight"], ["first.conv"]),
        ("first.norm", "BatchNormalization",
         ["first.conv", *(f"first.norm.{name}" for name in ("weight", "bias", "running_mean", "running_var"))],
         ["first.norm"]),
        ("first.project", "Conv", ["input", "first.project.weight", "first.project.bias"], ["first.project"]),
        ("first.add", "Add", ["first.norm", "first.project"], ["first.add"]),
        ("first.relu", "Relu", ["first.add"], ["first.relu"]),
    ]  # fmt: skip
    assert ops(model)[-3:] == ["GlobalAveragePool", "Flatten", "Gemm"]
    assert shapes(model.graph.input) == {"input": ["N", 3, 8, 8]}
    assert shapes(model.graph.output) == {"output": ["N", 5]}
    assert inferred_shapes(model) == shapes([*model.graph.value_info, *model.graph.output])


def test_every_layer_that_computes_something_is_exported() -> None:
    net = parse(SMALL)
    nodes = [node.name for node in export(net.graph, random_weights(net.graph)).to_proto().graph.node]
    assert nodes == [node.name for node in net.graph.nodes if node.op.kind != "dropout"]


def test_initializers_are_the_weights_that_inference_reads() -> None:
    net = parse(SMALL)
    given = random_weights(net.graph)
    stored = {
        tensor.name: numpy_helper.to_array(tensor) for tensor in export(net.graph, given).to_proto().graph.initializer
    }
    assert set(stored) == {name for name in given if not name.endswith("num_batches_tracked")}
    for name, array in stored.items():
        np.testing.assert_array_equal(array, given[name])


def test_outputs_are_those_of_the_module() -> None:
    net = parse(SMALL)
    module = net.to_torch().eval()
    for buffer in module.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    runner = session(export(net.graph, weights.from_module(net.graph, module)).to_proto())
    for batch in (1, 4):
        inputs = random_inputs(net.graph, batch)
        expected = module(torch.from_numpy(inputs["input"])).detach().numpy()
        np.testing.assert_allclose(runner.run(None, dict(inputs))[0], expected, rtol=1e-4, atol=1e-5)


def test_metadata() -> None:
    model = model_of(SMALL)
    assert model.producer_name == "archspec"
    assert model.graph.name == "small"
    assert [(version.domain, version.version) for version in model.opset_import] == [("", OPSET)]
    assert OPSET == 22  # the issue asks for at least 22
    assert model.ir_version == 10  # onnx/docs/Versioning.md: opset 22 came with IR version 10


@pytest.mark.parametrize("opset", OPSETS)
def test_the_ir_version_is_the_lowest_that_the_opset_needs(opset: int) -> None:
    model = model_of(SMALL, opset=opset)
    assert model.opset_import[0].version == opset
    assert model.ir_version == onnx.helper.find_min_ir_version_for(model.opset_import)
    onnx.checker.check_model(model, full_check=True)


@pytest.mark.parametrize("opset", [OPSETS.start - 1, OPSETS.stop, 0, -3])
def test_other_opsets_are_rejected(opset: int) -> None:
    with pytest.raises(ArchspecError) as error:
        model_of(SMALL, opset=opset)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "unsupported"
    assert diagnostic.help == f"opsets 13 to {onnx.defs.onnx_opset_version()} can"


def test_a_layer_that_an_opset_cannot_express_is_an_error_there() -> None:
    text = """archspec: 1
name: net
inputs: {image: [3, 16, 16], boxes: [5, 4]}
layers:
  - relu: {from: image}
  - roi_align: {name: regions, from: [prev, boxes], size: 2}
"""
    with pytest.raises(ArchspecError) as error:
        model_of(text, opset=15)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.message == "ONNX opset 15 cannot express 'regions': it needs GridSample of opset 16"
    assert diagnostic.help == "write opset 16 or a newer one (--opset 16)"
    assert diagnostic.span is not None
    assert diagnostic.span.line == 6
    assert model_of(text, opset=16).opset_import[0].version == 16


def test_same_input_same_bytes() -> None:
    first, second = (model_of(SMALL).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_weights_that_do_not_fit_are_rejected() -> None:
    graph = parse(SMALL).graph
    with pytest.raises(ArchspecError) as error:
        export(graph, {})
    assert error.value.diagnostics[0].code == "wrong-weights"


# --- what vanishes --------------------------------------------------------------------------------------------------


def test_dropout_and_identity_are_removed() -> None:
    model = model_of(spec("  - relu\n  - dropout\n  - identity\n  - sigmoid\n  - identity"))
    assert [(node.op_type, list(node.input), list(node.output)) for node in model.graph.node] == [
        ("Relu", ["input"], ["relu"]),
        ("Sigmoid", ["relu"], ["output"]),
    ]


def test_an_input_that_is_an_output_is_copied() -> None:
    model = model_of(spec("  - dropout"))
    assert [(node.op_type, node.name, list(node.input), list(node.output)) for node in model.graph.node] == [
        ("Identity", "output/copy", ["input"], ["output"])
    ]


def test_a_value_returned_twice_is_copied_once() -> None:
    model = model_of(spec("  - relu: {name: a}\n  - dropout: {name: b}", "outputs: {one: a, two: b, three: a}"))
    assert [(node.op_type, list(node.input), list(node.output)) for node in model.graph.node] == [
        ("Relu", ["input"], ["one"]),
        ("Identity", ["one"], ["two"]),
        ("Identity", ["one"], ["three"]),
    ]
    assert list(shapes(model.graph.output)) == ["one", "two", "three"]


def test_training_only_and_unused_layers_are_removed() -> None:
    layers = """
  - relu: {name: stem}
  - side: {name: aux, training_only: true, layers: [flatten, linear: {name: logits, features: 3}]}
  - side: {name: unread, layers: [conv: {name: c, channels: 2, kernel: 1}]}
  - flatten
  - linear: {name: logits, features: 5}"""
    model = model_of(spec(layers, "outputs: [logits, aux]"))
    assert [node.name for node in model.graph.node] == ["stem", "flatten", "logits"]
    assert list(shapes(model.graph.output)) == ["logits"]
    assert [tensor.name for tensor in model.graph.initializer] == ["logits.weight", "logits.bias"]


# --- names ----------------------------------------------------------------------------------------------------------


def test_a_layer_with_the_name_of_an_output_is_renamed() -> None:
    model = model_of(spec("  - relu: {name: output}\n  - sigmoid: {name: last}"))
    assert [(node.name, list(node.input), list(node.output)) for node in model.graph.node] == [
        ("output", ["input"], ["output/value"]),
        ("last", ["output/value"], ["output"]),
    ]


def test_outputs_may_swap_the_names_of_layers() -> None:
    model = model_of(spec("  - relu: {name: a}\n  - sigmoid: {name: b}", "outputs: {b: a, a: b}"))
    onnx.checker.check_model(model, full_check=True)
    assert [(node.name, list(node.input), list(node.output)) for node in model.graph.node] == [
        ("a", ["input"], ["b"]),
        ("b", ["b"], ["a"]),
    ]


@pytest.mark.parametrize("structure", [False, True], ids=["", "structure"])
@pytest.mark.parametrize(
    ("layers", "outputs", "renamed"),
    [
        ("[class_token: {name: token}, linear: {name: fc, features: 2}]", "[token, fc]", {"token"}),
        ("[layer_scale: {name: a}, layer_scale: {name: b}]", "{b: a, a: b}", {"a", "b"}),
        ("[position_embedding: {name: a}, relu: {name: b}]", "{a: b}", {"a"}),
        ("[position_embedding: {name: a}, position_embedding: {share: a}]", "[a]", {"a"}),
    ],
)
def test_an_output_may_have_the_name_of_a_weight(layers: str, outputs: str, renamed: set[str], structure: bool) -> None:
    net = parse(f"archspec: 1\nname: net\ninput: [4, 3]\nlayers: {layers}\noutputs: {outputs}\n")
    arrays = random_weights(net.graph)
    model = export(net.graph, None if structure else arrays).to_proto()
    onnx.checker.check_model(model, full_check=True)
    names = initializer_names(net.graph)
    assert {key for key, name in names.items() if name != key} == renamed
    assert [output.name for output in model.graph.output] == list(net.outputs)
    declared = {tensor.name for tensor in (*model.graph.input, *model.graph.initializer)}
    inputs = dict(random_inputs(net.graph, 2))
    given = {name: arrays[key] for key, name in names.items()} if structure else {}
    results = session(model).run(None, {name: given[name] for name in declared & set(given)} | inputs)
    module = net.to_torch({key: torch.from_numpy(array) for key, array in arrays.items()})
    with torch.no_grad():
        returned = module(torch.from_numpy(inputs["input"]))
    for result, tensor in zip(results, returned if isinstance(returned, tuple) else (returned,), strict=True):
        np.testing.assert_allclose(result, tensor.numpy(), rtol=1e-5, atol=1e-6)


def test_an_output_with_the_name_of_an_input_is_rejected() -> None:
    x = Value("x", TensorType((3,)))
    relu = Node("relu", Relu(), (x,), (Value("relu", x.type),))
    body = Scope("network", "", (relu,), (x,), relu.outputs)
    graph = Graph("net", (x,), body, (Output("x", relu.outputs[0]),))
    with pytest.raises(ArchspecError) as error:
        export(graph, {})
    assert "two of its values would be called 'x'" in str(error.value)
    assert error.value.diagnostics[0].code == "unsupported"


def test_shared_weights_are_stored_once() -> None:
    layers = """
  - conv: {name: one, channels: 3, kernel: 3, padding: 1}
  - relu
  - conv: {name: two, channels: 3, kernel: 3, padding: 1, share: one}"""
    model = model_of(spec(layers))
    assert [tensor.name for tensor in model.graph.initializer] == ["one.weight", "one.bias"]
    assert [list(node.input)[1:] for node in model.graph.node if node.op_type == "Conv"] == [
        ["one.weight", "one.bias"]
    ] * 2


def test_equal_constants_are_stored_once_under_the_reserved_prefix() -> None:
    model = model_of(spec("  - relu6\n  - upsample: 2\n  - relu6\n  - upsample: 2"))
    names = [tensor.name for tensor in model.graph.initializer]
    assert names == [f"{CONSTANTS}0.0", f"{CONSTANTS}6.0", f"{CONSTANTS}[1.0,1.0,2.0,2.0]"]


def test_several_inputs_keep_their_names_and_order() -> None:
    text = """
archspec: 1
name: two
inputs: {left: [3], right: {shape: [3], dtype: int64}}
layers:
  - relu: {from: left}
  - identity: {from: right, name: kept}
outputs: [relu, kept]
"""
    model = model_of(text)
    assert shapes(model.graph.input) == {"left": ["N", 3], "right": ["N", 3]}
    assert [value.type.tensor_type.elem_type for value in model.graph.input] == [
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT64,
    ]
    assert list(shapes(model.graph.output)) == ["relu", "kept"]
