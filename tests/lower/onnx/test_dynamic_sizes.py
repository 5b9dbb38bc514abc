"""Models with dynamic height and width: which networks and layers allow it, and what the models compute."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import archspec
from archspec.ir.types import DType
from archspec.lower.dynamic.dynamic_sizes import resized
from archspec.lower.dynamic.symbolic_graph import symbolic
from archspec.lower.onnx import OPSET, OPSETS, export
from archspec.lower.optimize.dead_code import drop_training_only
from archspec.lower.torch import inference
from archspec.ops import OpError
from tests import op_references, op_samples
from tests.lower.onnx.runtime import Arrays, random_weights, session, shapes
from tests.op_samples import Sample
from tests.zoo.small import small

Change = Callable[[int], int]
"""Another size for a size."""

DYNAMIC = (
    "resnet18", "preact_resnet18", "googlenet", "alexnet", "efficientnet_b0", "deeplabv3_resnet50", "fcn8s",
    "mobilenet_v3_small", "inception_resnet_v2", "segnet_basic", "wavenet_block", "unet_resnet18", "vgg11_lrn",
    "yolox_tiny", "convnext_tiny", "unet", "unet_padded", "unet_3d",
)  # fmt: skip
"""Networks without a layer that works at one size only: with `ceil`, cropping, resizing and adaptive pooling."""


def spec(layers: str, shape: str = "[4, 16, 16]") -> str:
    return f"archspec: 1\nname: net\ninput: {shape}\nlayers:\n{layers}\n"


def rejected(text: str, path: Path) -> archspec.Diagnostic:
    with pytest.raises(archspec.ArchspecError) as error:
        archspec.parse(text, name="net.yaml").to_onnx(path, dynamic=True)
    assert not path.exists()
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "unsupported"
    return diagnostic


def outputs_at(net: archspec.Network, weights: Arrays, model: onnxruntime.InferenceSession, change: Change) -> bool:
    """Check a model at another size against the module made for it; False if there is none, and the model fails, too.

    Sizes that a layer of the network does not accept have no module.
    """
    dynamic = {value.name: [isinstance(size, str) for size in value.shape] for value in model.get_inputs()}
    sizes = {
        name: tuple(change(size) if dynamic[name][axis] else size for axis, size in enumerate(shape, start=1))
        for name, shape in net.inputs.items()
    }
    other = resized(net.graph, sizes) if min(size for shape in sizes.values() for size in shape) > 0 else None
    random = np.random.default_rng(0)
    inputs = {name: random.standard_normal((2, *shape), np.float32) for name, shape in sizes.items()}
    if other is None:
        with pytest.raises(Exception, match=FAILS):
            model.run(None, inputs)
        return False
    module = archspec.Network.from_graph(other).to_torch(
        {key: torch.from_numpy(array) for key, array in weights.items()}
    )
    expected = inference.outputs(module.eval(), other, inputs)
    for result, wanted in zip(model.run(None, inputs), expected.values(), strict=True):
        assert result.shape == wanted.shape
        np.testing.assert_allclose(result, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max(initial=1e-3))
    return True


FAILS = r"(?i)shape|bounds|dimension|broadcast"
"""What ONNX Runtime says about inputs of the wrong size."""

CHANGES: dict[str, Change] = {
    **{f"{by:+}": lambda size, by=by: size + by for by in (-3, -2, -1, 1, 2, 3)},
    "half": lambda size: size // 2,
    "twice": lambda size: 2 * size,
}


def check_at_other_sizes(net: archspec.Network, opset: int = OPSET) -> None:
    """Check the dynamic model of a network, with random weights, at the sizes of `CHANGES`."""
    weights = random_weights(net.graph)
    proto = export(net.graph, weights, opset=opset, dynamic=True).to_proto()
    read = {name for node in proto.graph.node for name in node.input}
    assert {initializer.name for initializer in proto.graph.initializer} <= read
    model = session(proto)
    assert sum(outputs_at(net, weights, model, change) for change in CHANGES.values()) > 0


@pytest.mark.parametrize("name", DYNAMIC)
def test_one_file_computes_the_modules_outputs_at_every_size(name: str) -> None:
    graph, weights = drop_training_only(small(name).graph, small(name).weights())
    net = archspec.Network.from_graph(graph)
    model = session(export(graph, weights, dynamic=True).to_proto())
    assert sum(outputs_at(net, weights, model, CHANGES[change]) for change in ("+1", "+3", "twice")) > 0


SAMPLES = [
    sample
    for sample in op_samples.GOOD
    if sample.op.family not in ("activation", "dropout", "reduce", "unpool")
    and any(tensor.rank > 2 and tensor.dtype is DType.FLOAT32 for tensor in sample.inputs)
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_every_op_computes_what_it_means_at_every_size_or_is_refused(sample: Sample) -> None:
    graph = sample.graph
    (node,) = graph.nodes
    weights = random_weights(graph)
    if sample.id in ONE_SIZE:
        with pytest.raises(archspec.ArchspecError, match="'layer' works at one size only"):
            export(graph, weights, dynamic=True)
        return
    proto = export(graph, weights, dynamic=True).to_proto()
    onnx.checker.check_model(proto, full_check=True)
    model = session(proto)
    dynamic = {value.name: [isinstance(size, str) for size in value.shape] for value in model.get_inputs()}
    parameters = {weight.name: torch.from_numpy(weights[node.weight_key(weight)]) for weight in node.weights}
    for change in CHANGES.values():
        types = tuple(
            tensor.with_sizes(*(change(n) if dynamic[f"x{i}"][axis] else n for axis, n in enumerate(tensor.sizes, 1)))
            for i, tensor in enumerate(sample.inputs)
        )
        if min(size for tensor in types for size in tensor.sizes) < 1:
            continue
        other = replace(sample, inputs=types)
        arrays = other.arrays(2)
        feed = {f"x{i}": array for i, array in enumerate(arrays)}
        try:
            other.outputs  # noqa: B018  # raises
        except OpError:
            with pytest.raises(Exception, match=FAILS):
                model.run(None, feed)
            continue
        expected = op_references.results(sample.op, [torch.from_numpy(array) for array in arrays], parameters)
        for result, tensor in zip(model.run(None, feed), expected, strict=True):
            np.testing.assert_allclose(result, tensor.numpy(), rtol=1e-4, atol=1e-5)


ONE_SIZE = {
    sample.id
    for sample in SAMPLES
    if sample.op.kind
    in (
        "roi_pool", "linear", "capsule_votes", "multi_head_attention", "class_token", "position_embedding",
        "lstm", "gru", "rnn",
    )
    or sample.id.startswith(("layer_norm(axes=2", "layer_norm(axes=3", "layer_scale(axis", "layer_scale(value"))
    or sample.id.startswith(("squeeze(axis=2", "squeeze(axis=[", "expand(sizes=[-1", "expand(sizes=[2"))
    or sample.id.startswith(("rms_norm(axes=2", "split(sizes=[4", "upsample(scale=1.1", "upsample(scale=[1.7"))
    or sample.id in ("reshape(sizes=[4,6]) 2x3x4", "reshape(sizes=[]) 1x1", "layer_norm() 4x3", "layer_norm() 4x3x2",
                     "layer_norm() 4x3x2x2", "rms_norm() 4x3", "rms_norm() 4x3x2", "rms_norm() 4x3x2x2")
}  # fmt: skip
"""Samples with a weight for each position, or with a size that they pin."""


CHAINS = """
crop to the input; [3, 8, 8]; conv: {channels: 4, kernel: 3, stride: 2, padding: 1}, upsample: 2, \
  crop_like: [prev, input]
a pyramid; [3, 16, 24]; conv: {name: a, channels: 4, kernel: 3, stride: 2, padding: 1}, conv: {channels: 4, \
  kernel: 3, stride: 2, padding: 1}, upsample_like: [prev, a], add: [prev, a]
same twice; [3, 33, 33]; conv: {channels: 4, kernel: 3, stride: 2, padding: same}, conv: {channels: 4, kernel: 3, \
  stride: 2, padding: same}, global_avg_pool: {}
same, dilated; [3, 19, 20]; conv: {channels: 4, kernel: 2, stride: 3, dilation: 2, padding: same}
pooling of same; [3, 17, 20]; max_pool: {kernel: 3, stride: 2, padding: same}, avg_pool: {kernel: 2, padding: same}
same, strides over kernels; [3, 33, 40]; max_pool: {kernel: [1, 3], stride: [2, 4], padding: same}, \
  avg_pool: {kernel: [3, 2], stride: [4, 3], padding: same, count_include_pad: false}, \
  conv: {channels: 2, kernel: 1, stride: 2, padding: same}
same rows, wrapped; [3, 9, 10]; conv: {channels: 4, kernel: 3, stride: 2, padding: same, padding_mode: circular}
same after padding; [3, 17]; pad: 2, max_pool: {kernel: 4, stride: 3, padding: same, dilation: 2}
center crop; [3, 32, 30]; center_crop: 20
focus; [3, 16, 16]; pixel_unshuffle: 2, conv: {channels: 8, kernel: 3, padding: 1}, channel_shuffle: 2
tokens; [8, 6, 5]; flatten: 2, permute: [2, 1], multi_head_attention: 2, linear: 8, layer_norm: 1
reshapes; [8, 6, 5]; reshape: [2, 4, -1], reshape: [8, -1]
height and width swapped; [6, 8, 8]; permute: [1, 3, 2], add: [prev, input]
a series; [4, 40]; conv: {channels: 6, kernel: 5, stride: 2}, max_pool: {kernel: 3, ceil: true}, \
  adaptive_max_pool: 4, flatten: {}, linear: 3
time; [4, 9]; permute: [2, 1], lstm: {features: 3, bidirectional: true, depth: 2}, gru: 2, rnn: 5
a volume; [2, 8, 9, 10]; conv: {channels: 4, kernel: 3, padding: same, stride: 2}, group_norm: 2, \
  upsample: {scale: 2, mode: trilinear}, adaptive_avg_pool: [2, 3, 1]
unpooling; [3, 8, 9]; max_pool: {name: p, kernel: 2, indices: true}, conv: {channels: 3, kernel: 1}, \
  max_unpool: {from: [prev, p.indices, input], kernel: 2}
a gate; [4, 8, 7]; global_avg_pool: {}, mul: [prev, input], glu: 2
factors that are not whole; [3, 12, 13]; upsample: {scale: [1.5, 0.75], mode: bicubic}, upsample: {scale: 0.5, \
  mode: bilinear}, upsample: 2.5
slices; [3, 13, 14]; slice: {start: 2, end: -1, axis: 2}, slice: {start: -6, axis: 3}, split: {name: s, parts: 2, \
  axis: 2}, max: [s.0, s.1]
one row and several; [4, 7]; conv: {channels: 4, kernel: 3, stride: 3, padding: 1}, upsample: 3, slice: {end: -2, \
  axis: 2}, add: [prev, input]
"""
"""Layers that follow the size, after a name and the sizes of the input."""


def chains() -> list[tuple[str, str, str]]:
    """Name, input and layers of each of `CHAINS`."""
    lines = re.sub(r"\\\s+", "", CHAINS).strip().splitlines()
    return [tuple(part.strip() for part in line.split(";")) for line in lines]  # type: ignore[misc]  # three parts


@pytest.mark.parametrize("opset", [OPSETS.start, OPSET])
@pytest.mark.parametrize(("name", "shape", "layers"), chains(), ids=[name for name, _, _ in chains()])
def test_layers_that_follow_the_size(name: str, shape: str, layers: str, opset: int) -> None:
    net = archspec.parse(f"archspec: 1\nname: net\ninput: {shape}\nlayers: [{layers}]\n")
    check_at_other_sizes(net, opset)


@pytest.mark.parametrize(
    ("shape", "layers", "name"),
    [
        ("[4, 16, 16]", "[flatten, linear: {name: fc, features: 3}]", "fc"),
        ("[4, 16, 16]", "[reshape: {name: rows, sizes: [32, 32]}]", "rows"),
        ("[3, 32, 32]", "[avg_pool: 4, reshape: {name: r, sizes: [192]}, linear: 5]", "r"),
        ("[8, 8]", "[conv: {channels: 8, kernel: 7}, avg_pool: {from: input, kernel: 4}, add: [prev, conv]]", "add"),
        ("[4, 16, 16]", "[flatten: 2, residual: {layers: [linear: {name: mix, features: 256}]}]", "mix"),
        ("[4, 6, 6]", "[position_embedding: {name: at}]", "at"),
        ("[4, 6, 6]", "[position_embedding]", "position_embedding"),
        ("[4, 6, 6]", "[split: {name: parts, sizes: [2, 4], axis: 2}, identity: {from: parts.0}]", "parts"),
    ],
)  # fmt: skip
def test_the_error_names_the_layer_that_works_at_one_size_only(
    shape: str, layers: str, name: str, tmp_path: Path
) -> None:
    diagnostic = rejected(f"archspec: 1\nname: net\ninput: {shape}\nlayers: {layers}\n", tmp_path / "net.onnx")
    assert diagnostic.span is not None
    assert diagnostic.span.line == 4
    assert diagnostic.message == f"'net' cannot have dynamic sizes: '{name}' works at one size only"


@pytest.mark.parametrize(
    ("layers", "read"),
    [
        ("[conv: {channels: 3, kernel: in.spatial, groups: 1}]", "spatial"),
        ("[relu: {when: 'in.spatial[0] > 8'}]", "spatial"),
        ("[repeat: {times: 'in.shape[1] // 40', layers: [relu]}]", "shape"),
        ("[permute: [2, 3, 1], pad_channels: in.channels + 2]", "channels"),
    ],
)
def test_a_spec_that_reads_a_size_that_changes_is_refused(layers: str, read: str, tmp_path: Path) -> None:
    diagnostic = rejected(f"archspec: 1\nname: net\ninput: [3, 16, 16]\nlayers: {layers}\n", tmp_path / "net.onnx")
    assert diagnostic.message == f"'net' cannot have dynamic sizes: 'in.{read}' depends on the size"
    assert diagnostic.span is not None
    assert diagnostic.span.line == 4


@pytest.mark.parametrize(
    "layers",
    [
        "[adaptive_avg_pool: 3, conv: {channels: in.channels, kernel: in.spatial}]",
        "[conv: {channels: 'in.shape[0]', kernel: 3, padding: len(in.spatial)}]",
    ],
)
def test_a_spec_may_read_sizes_that_do_not_change(layers: str) -> None:
    check_at_other_sizes(archspec.parse(f"archspec: 1\nname: net\ninput: [3, 16, 16]\nlayers: {layers}\n"))


def test_parts_for_training_may_read_sizes(tmp_path: Path) -> None:
    layers = "[relu, side: {training_only: true, layers: [avg_pool: {kernel: in.spatial}]}]"
    net = archspec.parse(f"archspec: 1\nname: net\ninput: [3, 16, 16]\nlayers: {layers}\n")
    net.to_onnx(tmp_path / "net.onnx", dynamic=True, verify=True)


def test_no_axis_is_required_to_be_larger_than_another() -> None:
    layers = "[max_pool: {name: p, kernel: 2, indices: true}, max_unpool: {from: [prev, p.indices], kernel: 2}]"
    graph = archspec.parse(f"archspec: 1\nname: net\ninput: [3, 4, 9]\nlayers: {layers}\n").graph
    assert {len(requirement.axes) for requirement in symbolic(graph).requirements} == {1}


ALIGNED = """archspec: 1
name: net
input: [3, 8, 9]
layers:
  - JOIN:
      align: center_crop
      layers:
        - max_pool: 2
        - conv: {channels: 3, kernel: 3, padding: 1}
        - conv_transpose: {channels: 3, kernel: 2, stride: 2}
"""


@pytest.mark.parametrize("size", [8, 9, 12])
@pytest.mark.parametrize("join", ["residual", "mul", "concat"])
def test_paths_are_cropped_to_the_smallest_at_every_size(join: str, size: int, tmp_path: Path) -> None:
    text = ALIGNED.replace("JOIN", "residual" if join == "residual" else "parallel")
    if join != "residual":
        text = text.replace("align:", f"join: {join}\n      align:").replace(
            "layers:\n        - max", "paths:\n        - []\n        - - max"
        )
        text = text.replace("        - conv", "          - conv")
    net = archspec.parse(text, input=(3, size, 9))
    net.to_onnx(tmp_path / "net.onnx", dynamic=True, verify=True)
    weights = net.weights()
    model = session(onnx.load(tmp_path / "net.onnx"))
    for height, width in ((8, 8), (9, 8), (8, 9), (11, 13), (4, 5)):
        other = archspec.parse(text, input=(3, height, width))
        x = np.random.default_rng(0).standard_normal((2, 3, height, width), np.float32)
        expected = inference.outputs(other.to_torch(weights).eval(), other.graph, {"input": x})
        (result,) = model.run(None, {"input": x})
        np.testing.assert_allclose(result, expected["output"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [5, 6])
def test_a_path_of_a_fixed_size_is_cropped_with_the_others(size: int) -> None:
    layers = f"[parallel: {{paths: {{a: [upsample: {{size: {size}}}], b: []}}, align: center_crop}}]"
    check_at_other_sizes(archspec.parse(f"archspec: 1\nname: net\ninput: [1, 4]\nlayers: {layers}\n"))


def test_an_input_that_has_one_size_keeps_it(tmp_path: Path) -> None:
    """Boxes have four numbers, whatever the size of the image."""
    inputs, layers = "{image: [3, 16, 16], boxes: [5, 4]}", "[roi_align: {from: [image, boxes], size: 2}]"
    net = archspec.parse(f"archspec: 1\nname: net\ninputs: {inputs}\nlayers: {layers}\n")
    net.to_onnx(tmp_path / "net.onnx", dynamic=True)
    assert shapes(onnx.load(tmp_path / "net.onnx").graph.input) == {
        "image": ["N", 3, "image_height", "image_width"],
        "boxes": ["N", 5, 4],
    }


def test_inputs_have_sizes_of_their_own() -> None:
    text = """archspec: 1
name: net
inputs: {left: [3, 16, 16], right: [3, 8, 8]}
layers:
  - conv: {name: a, from: left, channels: 4, kernel: 3, stride: 2, padding: same}
  - conv: {name: b, from: right, channels: 4, kernel: 3, padding: 1}
  - upsample_like: {from: [a, b], mode: bilinear}
  - add: [prev, b]
"""
    net = archspec.parse(text)
    weights = random_weights(net.graph)
    model = session(export(net.graph, weights, dynamic=True).to_proto())
    for left, right in ((16, 8), (17, 5), (9, 30)):
        change = {16: left, 8: right}
        assert outputs_at(net, weights, model, lambda size, change=change: change[size])


def test_a_graph_without_a_spec_can_be_dynamic(tmp_path: Path) -> None:
    graph = archspec.parse(spec("  - conv: {channels: 2, kernel: 3, stride: 2, padding: same}")).graph
    net = archspec.Network.from_graph(graph)
    (difference,) = net.to_onnx(tmp_path / "net.onnx", dynamic=True, verify=True)
    assert difference.relative <= 1e-5


def test_inputs_without_spatial_axes_have_no_dynamic_size(tmp_path: Path) -> None:
    diagnostic = rejected(spec("  - linear: 3", "[4]"), tmp_path / "net.onnx")
    assert diagnostic.message == "the inputs of 'net' have no height and width that could be dynamic"


def test_overridden_params_apply_at_other_sizes(tmp_path: Path) -> None:
    net = archspec.load("resnet20_cifar", classes=7)
    net.to_onnx(tmp_path / "net.onnx", dynamic=True)
    assert shapes(onnx.load(tmp_path / "net.onnx").graph.output) == {"output": ["N", 7]}


def test_an_optimized_network_can_be_dynamic(tmp_path: Path) -> None:
    net = small("resnet20_cifar").optimized()
    (difference,) = net.to_onnx(tmp_path / "net.onnx", dynamic=True, verify=True)
    assert difference.relative <= 1e-4
    model = onnx.load(tmp_path / "net.onnx")
    assert shapes(model.graph.input) == {"input": ["N", 3, "height", "width"]}
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}


def test_same_input_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        small("resnet18").to_onnx(tmp_path / name, dynamic=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
