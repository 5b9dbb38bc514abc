"""Every op in bfloat16 and half on a CPU: its module computes what it does in float32, with the bits of its inputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from archspec.lower.text.header import About
from archspec.lower.torch.helpers.roi import RoIAlign, RoIPool
from archspec.lower.torch.instantiate import build
from archspec.lower.torch.source import source
from tests.op_samples import GOOD, Sample

DTYPES = {"bfloat16": torch.bfloat16, "half": torch.float16}

COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
"""Of whole numbers they are float32 in a module of any type, since nothing tells them its type."""

WITHOUT_KERNEL = ("avg_pool", "local_response_norm", "upsample", "upsample_like")
"""PyTorch 2.13 has no average pooling over three axes, and no antialias, for these types on a CPU."""


def floats(dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    return lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.id)
def test_ops_run_in_low_precision(sample: Sample, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    module = build(source(sample.graph, About())).eval()
    inputs = [floats(dtype)(torch.from_numpy(array)) for array in sample.arrays(2)]
    if abs(getattr(sample.op, "number", None) or 0) > torch.finfo(dtype).max:
        pytest.skip(f"{dtype} has no {sample.op.number:g}")
    if sample.op.kind in COMPARISONS and not any(map(torch.is_floating_point, inputs)):
        dtype = torch.float32
    module = module.to(dtype)
    with torch.no_grad():
        try:
            outputs = module(*inputs)
        except RuntimeError as error:
            if sample.op.kind in WITHOUT_KERNEL and "not implemented for" in str(error):
                pytest.skip(str(error))
            raise
        expected = module.float()(*map(floats(torch.float32), inputs))
    outputs, expected = (value if isinstance(value, tuple) else (value,) for value in (outputs, expected))
    for got, wanted in zip(outputs, expected, strict=True):
        assert got.dtype == (dtype if wanted.is_floating_point() else wanted.dtype)
        scale = float(wanted.abs().max()) if wanted.numel() else 0
        torch.testing.assert_close(got.to(wanted.dtype), wanted, rtol=0, atol=0.05 * scale)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
@pytest.mark.parametrize("layer", [RoIAlign((3, 4)), RoIPool((3, 4))], ids=["align", "pool"])
def test_regions_lie_where_they_are_in_single_precision(layer: nn.Module, dtype: torch.dtype) -> None:
    """Beyond 256, bfloat16 has not every whole number."""
    x = torch.randn(1, 2, 400, 500, generator=torch.Generator().manual_seed(0)).to(dtype)
    boxes = torch.tensor([[[300.0, 200.0, 404.0, 392.0], [8.0, 30.0, 496.0, 388.0]]])
    expected = layer(x.float(), boxes)
    for given in (boxes, boxes.to(dtype)):
        got = layer(x, given)
        assert got.dtype == dtype
        torch.testing.assert_close(got.float(), layer(x.float(), given.float()), rtol=0.01, atol=0.01)
    torch.testing.assert_close(layer(x.double(), boxes.double()).float(), expected, rtol=0.01, atol=0.01)
