"""Regions of interest as ONNX Runtime's own ops read them, which the ONNX lowering does not use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from archspec.lower.text.header import About
from archspec.lower.torch.instantiate import build
from archspec.lower.torch.source import source
from tests.lower.onnx.runtime import session
from tests.op_samples import GOOD, Array, Sample

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
    op = sample.op.model_dump()
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
    shape, scale = sample.outputs[0].sizes[2:], sample.op.model_dump()["scale"]
    node = helper.make_node("MaxRoiPool", ["x0", "x1"], ["y"], pooled_shape=shape, spatial_scale=scale)
    samples = np.arange(3, dtype=np.float32).repeat(boxes.shape[1])
    listed = np.concatenate([samples[:, None], boxes.reshape(-1, 4)], axis=1)
    agrees(sample, run(node, (TensorProto.FLOAT, TensorProto.FLOAT), (features, listed)))
