"""Windows of any geometry: inferred sizes and outputs are those of ONNX Runtime and PyTorch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import archspec
from archspec.ir.types import TensorType
from archspec.lower.onnx import OPSET, OPSETS, export
from archspec.ops import OpError
from archspec.ops.spatial import Upsample
from tests.lower.onnx.runtime import random_inputs, random_weights, session
from tests.op_references import results
from tests.op_samples import OP, Sample

few = settings(max_examples=60, deadline=None, derandomize=True)

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)


@st.composite
def slides(draw: st.DrawFn, kind: str) -> Sample:
    """An op with a sliding window, with attributes per axis, and a valid input."""
    spatial = draw(sizes)

    def each(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in spatial)

    attributes: dict[str, Any] = {"kernel": each(1, 4), "stride": each(1, 4)}
    channels = draw(st.sampled_from([1, 2, 4]))
    if kind in ("conv", "conv_transpose"):
        attributes |= {"channels": draw(st.sampled_from([2, 4])), "groups": draw(st.sampled_from([1, 2]))}
        attributes["bias"] = draw(st.booleans())
    if kind != "avg_pool":
        attributes["dilation"] = each(1, 3)
    if kind == "conv_transpose":
        attributes["output_padding"] = each(0, 2)
    if kind in ("max_pool", "avg_pool"):
        attributes["ceil"] = draw(st.booleans())
    if kind == "avg_pool":
        attributes["count_include_pad"] = draw(st.booleans())
    pairs = tuple(zip(each(0, 3), each(0, 3), strict=True))
    attributes["padding"] = draw(st.sampled_from(["same", "valid", each(0, 2), pairs]))
    sample = Sample(OP[kind](**attributes), (TensorType((channels, *spatial)),))
    try:
        sample.op.infer(sample.inputs)
    except OpError:
        reject()
    return sample


@st.composite
def resizes(draw: st.DrawFn, kind: str) -> Sample:
    """An op with a given output size, for an input of any size."""
    spatial = draw(sizes)
    size = tuple(draw(st.integers(1, 11)) for _ in spatial)
    attributes: dict[str, Any] = {"size": size}
    if kind == "upsample":
        attributes["mode"] = draw(st.sampled_from(["nearest", "linear", *["bicubic"] * (len(spatial) == 2)]))
        attributes["align_corners"] = attributes["mode"] != "nearest" and draw(st.booleans())
        attributes["antialias"] = attributes["mode"] != "nearest" and len(spatial) == 2 and draw(st.booleans())
        if draw(st.booleans()):
            attributes |= {"size": None, "scale": draw(st.sampled_from([0.3, 0.5, 0.75, 1.1, 1.5, 7 / 3, 2.3, 5]))}
    sample = Sample(OP[kind](**attributes), (TensorType((2, *spatial)),))
    try:
        sample.op.infer(sample.inputs)
    except OpError:
        reject()
    return sample


def agrees(sample: Sample) -> None:
    """Check the sample's shape and numbers against ONNX Runtime and PyTorch, which is run on real tensors."""
    graph = sample.graph
    weights, inputs = random_weights(graph), random_inputs(graph, batch=2)
    (result,) = session(export(graph, weights).to_proto()).run(None, dict(inputs))
    parameters = {key.removeprefix("layer."): torch.from_numpy(array) for key, array in weights.items()}
    expected = results(sample.op, [torch.from_numpy(inputs["x0"])], parameters)[0].numpy()
    assert (2, *sample.outputs[0].sizes) == result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


@few
@given(slides("conv"))
def test_convolution(sample: Sample) -> None:
    agrees(sample)


@few
@given(slides("conv_transpose"))
def test_transposed_convolution(sample: Sample) -> None:
    agrees(sample)


@few
@given(slides("max_pool"))
def test_max_pooling(sample: Sample) -> None:
    agrees(sample)


@few
@given(slides("avg_pool"))
def test_average_pooling(sample: Sample) -> None:
    agrees(sample)


@few
@given(resizes("adaptive_max_pool"))
def test_adaptive_max_pooling(sample: Sample) -> None:
    agrees(sample)


@few
@given(resizes("adaptive_avg_pool"))
def test_adaptive_average_pooling(sample: Sample) -> None:
    agrees(sample)


@few
@given(resizes("upsample"))
def test_upsampling(sample: Sample) -> None:
    agrees(sample)


def test_the_factors_at_which_pytorch_repeats_another_row_are_those_upsample_names():
    two = torch.tensor([[[0.0, 1.0]]])

    def exact(factor: int) -> bool:
        rows = torch.nn.functional.interpolate(two, scale_factor=float(factor)).flatten()
        return torch.equal(rows, torch.arange(2 * factor) // factor * 1.0)

    wrong = [factor for factor in range(2, 82) if not exact(factor)]
    assert wrong == [41, 47, 55, 61]
    assert f"by the factors {', '.join(map(str, wrong))} and some above" in " ".join(str(Upsample.__doc__).split())


POOLINGS: tuple[object, ...] = (
    *({kind: {"kernel": 2}} for kind in ("max_pool", "avg_pool")),
    *({kind: {"kernel": 1, "stride": 2}} for kind in ("max_pool", "avg_pool")),
    *({kind: {"kernel": 3, "padding": 1}} for kind in ("max_pool", "avg_pool")),
    *({kind: {"size": size}} for kind in ("adaptive_max_pool", "adaptive_avg_pool") for size in (3, [5, 1], [9, 10])),
    {"max_pool": {"kernel": 2, "stride": 2, "ceil": True, "indices": True}},
    "global_max_pool",
)
"""Every way from padding to a pooling; the padded input has 9 rows and 10 columns."""

DROPPED: dict[str, list[object]] = {
    "nothing": [],
    "a product with 1": [{"scale": 1}],
    "transpositions that cancel": [{"permute": [1, 3, 2]}, {"permute": [1, 3, 2]}],
    "a scale that is 1": [{"select": [0]}, {"layer_scale": {"value": 1.0}}],
}
"""What ONNX Runtime drops between the two."""


@pytest.mark.parametrize("optimize", [False, True], ids=["", "optimized"])
@pytest.mark.parametrize("between", DROPPED)
@pytest.mark.parametrize("pooling", POOLINGS, ids=json.dumps)
def test_a_pad_before_a_pooling_is_not_fused_into_its_padding(pooling: object, between: str, optimize: bool) -> None:
    """ONNX Runtime 1.31 would fuse them: then zeros no longer take part in a maximum, and some padding is rejected."""
    layers = json.dumps([{"pad": 2}, *DROPPED[between], pooling])
    net = archspec.parse(f"archspec: 1\nname: net\ninput: [2, 5, 6]\nlayers: {layers}\n")
    x = -1 - random_inputs(net.graph, 2)["input"] ** 2
    with torch.no_grad():
        expected = net.to_torch(net.weights())(torch.from_numpy(x))
    exported = net.optimized() if optimize else net
    for opset in (OPSETS.start, OPSET):
        (got,) = session(export(exported.graph, net.weights(), opset=opset).to_proto()).run(None, {"input": x})
        np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5)
