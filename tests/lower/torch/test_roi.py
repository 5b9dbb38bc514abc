"""Regions of interest as ONNX Runtime's own ops read them, which the ONNX lowering does not use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from archspec.ir.types import TensorType
from archspec.lower.onnx import export
from archspec.lower.text.header import About
from archspec.lower.torch.instantiate import build
from archspec.lower.torch.source import source
from tests.lower.onnx.runtime import session
from tests.op_samples import GOOD, OP, Array, Sample

ALIGNED = [sample for sample in GOOD if sample.op.kind == "roi_align"]
POOLED = [sample for sample in GOOD if sample.op.kind == "roi_pool"]

OPSET = helper.make_opsetid("", 21)
"""ONNX Runtime 1.31 has these ops up to opset 21."""


def run(node: onnx.NodeProto, kinds: Sequence[int], arrays: Sequence[Array]) -> Array:
    """What ONNX Runtime makes of a node with the inputs `x0`, `x1`, and so on."""
    inputs = [
        helper.make_tensor_value_info(f"x{i}", kind, array.shape)
        for i, (kind, array) in enumerate(zip(kinds, arrays, strict=True))
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    model = helper.make_model(helper.make_graph([node], "roi", inputs, [output]), opset_imports=[OPSET], ir_version=10)
    (made,) = session(model).run(None, {f"x{i}": array for i, array in enumerate(arrays)})
    return made


def agrees(sample: Sample, expected: Array) -> None:
    """The module makes of a batch of three what is expected, for the boxes of all samples in one list."""
    module = build(source(sample.graph, About())).eval()
    made = module(*map(torch.from_numpy, sample.arrays(batch=3))).numpy()
    np.testing.assert_allclose(made.reshape(expected.shape), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sample", ALIGNED, ids=lambda sample: sample.id)
def test_modules_agree_with_onnx_runtimes_roi_align(sample: Sample) -> None:
    features, boxes = sample.arrays(batch=3)
    op = sample.op.attributes()
    height, width = sample.outputs[0].sizes[2:]
    node = helper.make_node(
        "RoiAlign", ["x0", "x1", "x2"], ["y"],
        coordinate_transformation_mode="half_pixel" if op["aligned"] else "output_half_pixel",
        output_height=height, output_width=width, sampling_ratio=op["samples"], spatial_scale=op["scale"],
    )  # fmt: skip
    samples = np.arange(3).repeat(boxes.shape[1])
    kinds = TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.INT64
    agrees(sample, run(node, kinds, (features, boxes.reshape(-1, 4), samples)))


@pytest.mark.parametrize("sample", POOLED, ids=lambda sample: sample.id)
def test_modules_agree_with_onnx_runtimes_max_roi_pool(sample: Sample) -> None:
    features, boxes = sample.arrays(batch=3)
    shape, scale = sample.outputs[0].sizes[2:], sample.op.attributes()["scale"]
    node = helper.make_node("MaxRoiPool", ["x0", "x1"], ["y"], pooled_shape=shape, spatial_scale=scale)
    samples = np.arange(3, dtype=np.float32).repeat(boxes.shape[1])
    listed = np.concatenate([samples[:, None], boxes.reshape(-1, 4)], axis=1)
    agrees(sample, run(node, (TensorProto.FLOAT, TensorProto.FLOAT), (features, listed)))


BINS = [(57, 7, 1), (58, 7, 0), (7, 13, 1), (26, 25, 0), (7, 26, 1), (15, 19, 1)]
"""Rows of a box, bins, and the rows that the last bin reads past the end of the box.

Single precision rounds n / w up where there is one: ((i + 1) * float32(n / w)) is just above n for the last bin.
"""


@pytest.mark.parametrize(("rows", "bins", "past"), BINS)
def test_bins_are_those_of_single_precision_in_every_precision(rows: int, bins: int, past: int) -> None:
    op = OP["roi_pool"](size=(bins, 1))
    sample = Sample(op, (TensorType((1, rows + 4, 1)), TensorType((1, 4))))
    features = np.arange(rows + 4, dtype=np.float32).reshape(1, 1, -1, 1)
    boxes = np.float32([[[0, 1, 0, rows]]])
    node = helper.make_node("MaxRoiPool", ["x0", "x1"], ["y"], pooled_shape=(bins, 1))
    listed = np.concatenate([np.zeros((1, 1), np.float32), boxes[0]], axis=1)
    expected = run(node, (TensorProto.FLOAT, TensorProto.FLOAT), (features, listed))
    assert expected[0, 0, -1, 0] == rows + past
    (made,) = session(export(sample.graph, {}).to_proto()).run(None, {"x0": features, "x1": boxes})
    np.testing.assert_array_equal(made[0], expected)
    module = build(source(sample.graph, About())).eval()
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        made = module(torch.from_numpy(features).to(dtype), torch.from_numpy(boxes).to(dtype))
        np.testing.assert_array_equal(made[0].float().numpy(), expected)


def test_corners_are_rounded_to_the_nearest_position() -> None:
    near = float(np.nextafter(np.float32(0.5), np.float32(0)))  # the sum of it and 0.5 is rounded to 1
    sample = Sample(OP["roi_pool"](size=1), (TensorType((1, 8, 1)), TensorType((4, 4))))
    features = np.arange(8, dtype=np.float32).reshape(1, 1, 8, 1)
    ends = [near, 0.5, 2.5, -near]
    boxes = np.float32([[[0, -3, 0, end] for end in ends]])
    (made,) = session(export(sample.graph, {}).to_proto()).run(None, {"x0": features, "x1": boxes})
    module = build(source(sample.graph, About())).eval()
    for values in (made, module(torch.from_numpy(features), torch.from_numpy(boxes)).numpy()):
        assert values.flatten().tolist() == [0, 1, 3, 0]
