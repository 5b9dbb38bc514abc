"""Regions of interest as ONNX Runtime's own op reads them, which the ONNX lowering does not use."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from archspec.lower.text.about import About
from archspec.lower.torch.load import build
from archspec.lower.torch.write import class_name, source
from tests.lower.onnx.runtime import session
from tests.op_samples import GOOD, Sample

SAMPLES = [sample for sample in GOOD if sample.op.kind == "roi_align"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_modules_agree_with_onnx_runtimes_roi_align(sample: Sample) -> None:
    features, boxes = sample.arrays(batch=3)
    op = sample.op.model_dump()
    height, width = sample.outputs[0].sizes[2:]
    node = helper.make_node(
        "RoiAlign", ["x", "boxes", "samples"], ["y"],
        coordinate_transformation_mode="half_pixel" if op["aligned"] else "output_half_pixel",
        output_height=height, output_width=width, sampling_ratio=op["samples"], spatial_scale=op["scale"],
    )  # fmt: skip
    count = boxes.shape[0] * boxes.shape[1]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, features.shape),
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, (count, 4)),
        helper.make_tensor_value_info("samples", TensorProto.INT64, (count,)),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    # ONNX Runtime 1.31 has the op up to opset 21.
    opset = helper.make_opsetid("", 21)
    model = helper.make_model(helper.make_graph([node], "roi", inputs, [output]), opset_imports=[opset], ir_version=10)
    samples = np.arange(3).repeat(boxes.shape[1])
    (expected,) = session(model).run(None, {"x": features, "boxes": boxes.reshape(-1, 4), "samples": samples})
    module = build(source(sample.graph, About()), class_name(sample.graph)).eval()
    made = module(torch.from_numpy(features), torch.from_numpy(boxes)).numpy()
    np.testing.assert_allclose(made.reshape(expected.shape), expected, rtol=1e-5, atol=1e-5)
