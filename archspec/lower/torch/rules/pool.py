"""Pooling in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, call, same
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, axes_of, both, even, flat, helper_module
from archspec.ops import pool
from archspec.ops.sliding import Sliding


def _plain_padding(window: Sliding) -> bool:
    """Whether PyTorch's pooling layers support this padding: symmetric, and at most half the kernel."""
    return window.symmetric and all(pads[0] <= kernel // 2 for kernel, _, _, pads in window.axes)


def _overhang(node: Node, window: Sliding) -> tuple[int, ...]:
    """Rows to append after the padding, or to crop if negative, so that the output size needs no rounding."""
    return window.signed_overhang(node.inputs[0].type.spatial, node.outputs[0].type.spatial)


@RULES.rule(pool.MaxPool)
def _max_pool(op: pool.MaxPool, node: Node) -> ModuleCall:
    d = axes_of(node)
    window = op.sliding(node.inputs[0].type)
    kernel, stride, dilation = same(window.kernel), same(window.stride), same(window.dilation)
    if not _plain_padding(window):
        overhang = _overhang(node, window)
        pads = [(before, after + rows) for (before, after), rows in zip(window.pads, overhang, strict=True)]
        required = {"kernel_size": kernel, "stride": stride, "pads": flat(pads)}
        return helper_module("PaddedMaxPool", required, {"dilation": (dilation, 1)}, axes=d)
    padding = even(window)
    optional = {
        "stride": (stride, kernel), "padding": (padding, 0), "dilation": (dilation, 1), "ceil_mode": (op.ceil, False),
        "return_indices": (op.indices, False),
    }  # fmt: skip
    return both(call(f"nn.MaxPool{d}d", {"kernel_size": kernel}, optional), f"F.max_pool{d}d")


@RULES.rule(pool.AvgPool)
def _avg_pool(op: pool.AvgPool, node: Node) -> ModuleCall:
    d = axes_of(node)
    window = op.sliding(node.inputs[0].type)
    kernel, stride = same(window.kernel), same(window.stride)
    # Only avg_pool3d rejects a kernel larger than the unpadded input.
    rejected = d == 3 and any(f > n for f, n in zip(window.kernel, node.inputs[0].type.spatial, strict=True))
    if rejected or not _plain_padding(window):
        extra = [(0, rows) for rows in _overhang(node, window)]
        required = {"kernel_size": kernel, "stride": stride, "pads": flat(window.pads), "extra": flat(extra)}
        return helper_module("PaddedAvgPool", required, {"count_include_pad": (op.count_include_pad, True)}, axes=d)
    padding = even(window)
    optional = {
        "stride": (stride, kernel), "padding": (padding, 0), "ceil_mode": (op.ceil, False),
        "count_include_pad": (op.count_include_pad or padding == 0, True),
    }  # fmt: skip
    return both(call(f"nn.AvgPool{d}d", {"kernel_size": kernel}, optional), f"F.avg_pool{d}d")


@RULES.rule(pool.GlobalAvgPool, pool.GlobalMaxPool)
def _global_pool(op: pool.GlobalAvgPool | pool.GlobalMaxPool, node: Node) -> ModuleCall:
    kind = "Avg" if isinstance(op, pool.GlobalAvgPool) else "Max"
    return _adaptive(kind, axes_of(node), 1)


@RULES.rule(pool.AdaptiveAvgPool, pool.AdaptiveMaxPool)
def _adaptive_pool(op: pool.AdaptiveAvgPool | pool.AdaptiveMaxPool, node: Node) -> ModuleCall:
    kind = "Avg" if isinstance(op, pool.AdaptiveAvgPool) else "Max"
    return _adaptive(kind, axes_of(node), same(node.outputs[0].type.spatial))


def _adaptive(kind: str, axes: int, size: Constant) -> ModuleCall:
    module = call(f"nn.Adaptive{kind}Pool{axes}d", {"output_size": size}, {})
    return both(module, f"F.adaptive_{kind.lower()}_pool{axes}d")
